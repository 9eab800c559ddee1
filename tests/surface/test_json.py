"""`quart.json` and `quart.json.provider`: plain functions over `app.json`, and providers of one's own."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from markupsafe import Markup

from quart_plug import Quart, request, websocket
from quart_plug.json import dump, dumps, jsonify, load, loads
from quart_plug.json.provider import DefaultJSONProvider, JSONProvider
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


@dataclasses.dataclass
class Point:
    x: int
    y: int


ENCODED = [
    ({"b": 1, "a": "é"}, '"b": 1', '"a": "\\u00e9"'),
    (date(2020, 1, 2), '"Thu, 02 Jan 2020 00:00:00 GMT"'),
    (datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), '"Thu, 02 Jan 2020 03:04:05 GMT"'),
    (Decimal("1.10"), '"1.10"'),
    (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (Point(1, 2), '{"x": 1, "y": 2}'),
    (Markup("<b>"), '"<b>"'),
    ((1, None, True), "[1, null, true]"),
]


@shows("json.dumps", "json.dump", "json.provider.DefaultJSONProvider.default")
@pytest.mark.parametrize(("value", "parts"), [(value, parts) for value, *parts in ENCODED])
async def test_encoding(app: Quart, value: Any, parts: list[str]) -> None:
    """The same, with a current app and without one."""

    def written() -> str:
        file = io.StringIO()
        dump(value, file)
        return file.getvalue()

    assert all(part in dumps(value) for part in parts)
    assert all(part in written() for part in parts)
    async with app.app_context():
        assert all(part in dumps(value) for part in parts)
        assert all(part in written() for part in parts)
    with pytest.raises(TypeError, match="not JSON serializable"):
        DefaultJSONProvider.default(object())


@shows("json.loads", "json.load")
async def test_decoding(app: Quart) -> None:
    """Text, or bytes in any of Unicode's encodings; options are json's."""
    for _ in range(2):
        assert loads('{"a": [1]}') == {"a": [1]} == load(io.StringIO('{"a": [1]}')) == load(io.BytesIO(b'{"a": [1]}'))
        assert loads('"é"'.encode("utf-16")) == "é" == loads('"é"'.encode())
        assert loads("1.5", parse_float=str) == "1.5" == load(io.StringIO("1.5"), parse_float=str)
        for broken in ("", "{", "1 2", b"\xff"):
            with pytest.raises(ValueError):
                loads(broken)
        with pytest.raises(TypeError):
            loads(None)  # type: ignore[arg-type]
        await app.app_context().push()  # and once more, with a current app


async def test_options_are_jsons(app: Quart) -> None:
    value = {"b": "é", "a": object}
    async with app.app_context():
        assert dumps(value, default=lambda o: "?", sort_keys=False) == '{"b": "\\u00e9", "a": "?"}'
        assert dumps({"b": "é"}, ensure_ascii=False, indent=1) == '{\n "b": "é"\n}'


@shows("json.jsonify")
@pytest.mark.parametrize(
    ("args", "kwargs", "body"),
    [
        ((), {}, "null\n"),
        ((None,), {}, "null\n"),
        (([],), {}, "[]\n"),
        ((1, "a"), {}, '[1,"a"]\n'),
        (({"b": 1, "a": 2},), {}, '{"a":2,"b":1}\n'),
        ((), {"b": 1, "a": Point(1, 2)}, '{"a":{"x":1,"y":2},"b":1}\n'),
    ],
)
async def test_jsonify(app: Quart, args: Any, kwargs: Any, body: str) -> None:
    """One value, a list of several, or an object of named ones; not both."""
    app.add_url_rule("/", "index", lambda: jsonify(*args, **kwargs))
    response = await app.test_client().get("/")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert await response.get_data(as_text=True) == body
    async with app.app_context():
        assert isinstance(jsonify(*args, **kwargs), app.response_class)
        with pytest.raises(TypeError):
            jsonify(1, a=1)
    with pytest.raises(RuntimeError, match="application context"):
        jsonify(*args, **kwargs)


@shows(
    "json.provider.DefaultJSONProvider",
    "json.provider.DefaultJSONProvider.compact",
    "json.provider.DefaultJSONProvider.dumps",
    "json.provider.DefaultJSONProvider.ensure_ascii",
    "json.provider.DefaultJSONProvider.mimetype",
    "json.provider.DefaultJSONProvider.response",
    "json.provider.DefaultJSONProvider.sort_keys",
)
@pytest.mark.parametrize(
    ("attributes", "debug", "text", "body", "mimetype"),
    [
        ({}, False, '{"a": [1], "b": "\\u00e9"}', '{"a":[1],"b":"\\u00e9"}\n', None),
        ({}, True, None, '{\n  "a": [\n    1\n  ],\n  "b": "\\u00e9"\n}\n', None),
        ({"compact": True}, True, None, '{"a":[1],"b":"\\u00e9"}\n', None),
        ({"compact": False}, False, None, '{\n  "a": [\n    1\n  ],\n  "b": "\\u00e9"\n}\n', None),
        ({"ensure_ascii": False}, False, '{"a": [1], "b": "é"}', '{"a":[1],"b":"é"}\n', None),
        ({"sort_keys": False}, False, '{"b": "\\u00e9", "a": [1]}', '{"b":"\\u00e9","a":[1]}\n', None),
        ({"mimetype": "application/x"}, False, None, '{"a":[1],"b":"\\u00e9"}\n', "application/x"),
    ],
)
@pytest.mark.parametrize("where", ["instance", "class", "late"])
async def test_the_providers_attributes(
    app: Quart, attributes: Any, debug: bool, text: str | None, body: str, mimetype: str | None, where: str
) -> None:
    """Set in a subclass, on the app's own provider, or there after the first request."""
    app.debug = debug
    value = {"b": "é", "a": [1]}
    app.add_url_rule("/dictionary", "dictionary", lambda: value)
    app.add_url_rule("/jsonify", "jsonify", lambda: jsonify(value))
    if where == "late":
        await app.test_client().get("/dictionary")
    if where == "class":
        app.json = type("Provider", (DefaultJSONProvider,), attributes)(app)
    else:
        for name, setting in attributes.items():
            setattr(app.json, name, setting)
    assert text is None or app.json.dumps(value) == text
    assert (await app.json.response(value).get_data(as_text=True)) == body
    for path in ("/dictionary", "/jsonify"):
        response = await app.test_client().get(path)
        assert await response.get_data(as_text=True) == body
        assert response.mimetype == (mimetype or "application/json")


@shows("json.provider.DefaultJSONProvider.loads")
async def test_the_default_providers_options(app: Quart) -> None:
    assert app.json.loads(b'{"a": 1}') == {"a": 1}
    assert app.json.loads('{"a": 1}', object_pairs_hook=list) == [("a", 1)]
    app.json.default = lambda o: "?"
    assert app.json.dumps([object()]) == '["?"]'
    assert app.json.dumps([object()], default=lambda o: "!") == '["!"]'


@shows(
    "json.provider.JSONProvider",
    "json.provider.JSONProvider.dump",
    "json.provider.JSONProvider.dumps",
    "json.provider.JSONProvider.load",
    "json.provider.JSONProvider.loads",
    "json.provider.JSONProvider.response",
)
@pytest.mark.parametrize("how", ["assigned", "class"])
async def test_a_provider_of_ones_own(how: str) -> None:
    """Two methods are written; views, jsonify, requests, websockets and templates use them."""

    class Shouting(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return f"{obj!r}!"

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return ["loaded", s if isinstance(s, str) else s.decode()]

    class Own(Quart):
        json_provider_class = Shouting

    app = Own(__name__) if how == "class" else Quart(__name__)
    if how == "assigned":
        app.json = Shouting(app)
    assert isinstance(app.json, Shouting)
    app.add_url_rule("/", "index", lambda: {"a": 1})
    app.add_url_rule("/jsonify", "jsonify", lambda: jsonify([1]))

    @app.post("/post")
    async def post() -> str:
        return repr(await request.get_json(force=True))

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(await websocket.receive_json())

    client = app.test_client()
    for path, body in [("/", "{'a': 1}!"), ("/jsonify", "[1]!")]:
        response = await client.get(path)
        assert (await response.get_data(as_text=True), response.mimetype) == (body, "application/json")
    assert await (await client.post("/post", data="x")).get_data(as_text=True) == "['loaded', 'x']"
    async with client.websocket("/ws") as connection:
        await connection.send("y")
        assert await connection.receive() == "['loaded', 'y']!"
    # A client that is no part of the app sends standard JSON.
    assert await (await client.post("/post", json={"a": "b"})).get_data(as_text=True) == "['loaded', '{\"a\": \"b\"}']"

    file = io.StringIO()
    app.json.dump(1, file)
    assert (file.getvalue(), app.json.load(io.StringIO("z"))) == ("1!", ["loaded", "z"])
    assert await app.json.response(1, 2).get_data(as_text=True) == "(1, 2)!"
    with pytest.raises(TypeError):
        app.json.response(1, a=1)


def test_the_base_provider_asks_for_its_methods(app: Quart) -> None:
    for call in (JSONProvider(app).dumps, JSONProvider(app).loads):
        with pytest.raises(NotImplementedError):
            call("1")
