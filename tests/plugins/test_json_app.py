"""JSON in an application: replies, `jsonify`, the functions of `quart_plug.json`; the plugin turned off."""

from __future__ import annotations

import io
import json as standard_json
from datetime import date
from typing import Any

import pytest

import quart_plug.json
from quart_plug import Quart, hookimpl, jsonify, request, websocket
from quart_plug.json.provider import DefaultJSONProvider, JSONProvider

DAY = date(2024, 1, 2)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.testing = True

    @app.get("/")
    async def index() -> dict[str, Any]:
        return {"b": "é", "a": DAY}

    @app.get("/list")
    async def a_list() -> list[int]:
        return [1, 2]

    @app.get("/jsonify")
    async def by_jsonify() -> Any:
        return jsonify(b="é", a=DAY)

    @app.post("/echo")
    async def echo() -> Any:
        return jsonify(await request.get_json())

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(await websocket.receive_json())

    return app


async def bodies(app: Quart) -> set[bytes]:
    """The body of a dictionary returned by a view, and that of the same by `jsonify`."""
    client = app.test_client()
    replies = [await client.get(path) for path in ("/", "/jsonify")]
    assert {reply.content_type for reply in replies} == {"application/json"}
    return {await reply.get_data(as_text=False) for reply in replies}


async def test_a_dictionary_and_jsonify_give_the_same(app: Quart) -> None:
    body = b'{"a":"Tue, 02 Jan 2024 00:00:00 GMT","b":"\\u00e9"}\n'
    assert await bodies(app) == {body}
    assert await (await app.test_client().get("/list")).get_data(as_text=False) == b"[1,2]\n"


async def test_attributes_count_at_any_time(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await bodies(app)
    app.json.sort_keys = False
    assert await bodies(app) == {b'{"b":"\\u00e9","a":"Tue, 02 Jan 2024 00:00:00 GMT"}\n'}
    app.json.ensure_ascii = False
    app.json.default = str
    assert await bodies(app) == {'{"b":"é","a":"2024-01-02"}\n'.encode()}
    for name in ("sort_keys", "ensure_ascii", "default"):
        delattr(app.json, name)
    assert await bodies(app) == before
    monkeypatch.setattr(DefaultJSONProvider, "sort_keys", False)
    assert await bodies(app) == {b'{"b":"\\u00e9","a":"Tue, 02 Jan 2024 00:00:00 GMT"}\n'}
    monkeypatch.undo()
    assert await bodies(app) == before


async def test_the_media_type_counts_at_any_time(app: Quart) -> None:
    await bodies(app)
    app.json.mimetype = "application/vnd.api+json"
    for path in ("/", "/jsonify"):
        assert (await app.test_client().get(path)).content_type == "application/vnd.api+json"


async def test_debug_mode_indents_also_when_it_is_turned_on_later(app: Quart) -> None:
    body = await bodies(app)
    app.debug = True
    assert await bodies(app) == {b'{\n  "a": "Tue, 02 Jan 2024 00:00:00 GMT",\n  "b": "\\u00e9"\n}\n'}
    app.json.compact = True
    assert await bodies(app) == body


@pytest.mark.parametrize("where", ["instance", "class"])
async def test_a_provider_of_ones_own(app: Quart, where: str) -> None:
    class Provider(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return "mine"

    if where == "instance":
        app.json = Provider(app)
    else:
        app.json_provider_class = Provider
    assert await bodies(app) == {b"mine\n"}


async def test_a_plugin_encodes_what_json_does_not_know(app: Quart) -> None:
    class ISODates:
        @hookimpl
        def json_default(self, obj: Any) -> Any:
            return obj.isoformat() if isinstance(obj, date) else None

    before = await bodies(app)
    name = app.hooks.register(ISODates())
    assert await bodies(app) == {b'{"a":"2024-01-02","b":"\\u00e9"}\n'}
    app.hooks.unregister(name)
    assert await bodies(app) == before


async def test_requests_and_websockets_read_and_write_json(app: Quart) -> None:
    value = {"a": [1, None, {"b": "é"}]}
    client = app.test_client()
    assert await (await client.post("/echo", json=value)).get_json() == value
    async with client.websocket("/ws") as connection:
        await connection.send_json(value)
        assert await connection.receive_json() == value


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"9" * 5000, b"\xff"], ids=["cut", "deep", "huge", "utf-8"])
async def test_a_body_that_is_no_json_is_a_bad_request(app: Quart, body: bytes) -> None:
    response = await app.test_client().post("/echo", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


async def test_the_functions_use_the_current_app(app: Quart) -> None:
    app.json.sort_keys = False
    app.json.default = str
    obj = {"b": 1, "a": DAY}
    text = '{"b": 1, "a": "2024-01-02"}'
    async with app.app_context():
        assert quart_plug.json.dumps(obj) == text
        file = io.StringIO()
        quart_plug.json.dump(obj, file)
        assert file.getvalue() == text
        assert quart_plug.json.loads(text) == {"b": 1, "a": "2024-01-02"}
        assert quart_plug.json.load(io.StringIO(text)) == {"b": 1, "a": "2024-01-02"}
        assert quart_plug.json.dumps(obj, indent=1) == standard_json.dumps(obj, indent=1, default=str)


def test_the_functions_work_without_an_app() -> None:
    obj = {"b": 1, "a": DAY}
    text = '{"b": 1, "a": "Tue, 02 Jan 2024 00:00:00 GMT"}'
    assert quart_plug.json.dumps(obj) == text
    assert quart_plug.json.dumps(obj, default=str) == '{"b": 1, "a": "2024-01-02"}'
    file = io.StringIO()
    quart_plug.json.dump(obj, file)
    assert file.getvalue() == text
    assert quart_plug.json.loads("[1]") == [1]
    assert quart_plug.json.load(io.StringIO("[1]")) == [1]


def test_jsonify_needs_an_app() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        jsonify(1)


def test_names() -> None:
    import quart_plug.json.provider
    import quart_plug.json.tag

    assert issubclass(DefaultJSONProvider, JSONProvider)
    for module in (quart_plug.json.provider, quart_plug.json.tag):
        for name in module.__all__:
            assert isinstance(getattr(module, name), type)
        assert set(module.__all__) <= set(dir(module))
        with pytest.raises(AttributeError, match="nothing"):
            module.nothing


async def test_turned_off() -> None:
    app = Quart(__name__)
    app.testing = True
    app.config["PLUGINS_DISABLED"] = ["json"]

    @app.get("/")
    async def index() -> dict[str, Any]:
        return {}

    @app.get("/text")
    async def text() -> str:
        return "works"

    client = app.test_client()
    assert await (await client.get("/text")).get_data() == b"works"
    with pytest.raises(RuntimeError, match=r"json.*PLUGINS"):
        await client.get("/")
