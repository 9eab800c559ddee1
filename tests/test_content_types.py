"""What an app speaks beside JSON (hook `content_types`): answers, bodies, websockets' messages."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from quart_plug import Quart, Response, hookimpl, jsonify, make_response, request, websocket
from quart_plug.content_types import Codec
from quart_plug.exceptions import InvalidJSON, PluginHookError


class Lines:
    """A format of tests: each item on a line of its own."""

    media_types = ("application/x-lines", "application/lines")
    subprotocol = "lines"

    def dumps(self, obj: Any) -> bytes:
        items = [f"{name}={value}" for name, value in obj.items()] if isinstance(obj, dict) else obj
        return "\n".join(map(str, items)).encode()

    def loads(self, data: bytes) -> Any:
        if b"\x00" in data:
            raise ValueError("a zero byte")
        return data.decode().split("\n")


class Speaking:
    def __init__(self, *codecs: Any) -> None:
        self.codecs = codecs
        self.asked = 0

    @hookimpl
    def content_types(self) -> list[Codec]:
        self.asked += 1
        return list(self.codecs)

    @hookimpl
    async def websocket_accepting(self, handshake: Any) -> None:
        if handshake.subprotocol is None and "lines" in handshake.requested_subprotocols:
            handshake.subprotocol = "lines"


LINES = "application/x-lines"


@pytest.fixture
def plugin() -> Speaking:
    return Speaking(Lines())


@pytest.fixture
def app(plugin: Speaking) -> Quart:
    app = Quart(__name__, plugins=[plugin])

    @app.route("/")
    async def index() -> Any:
        return {"a": 1, "b": 2}

    @app.route("/created", methods=["POST"])
    async def created() -> Any:
        return [1, 2], 201, {"x-more": "yes"}

    @app.route("/made")
    async def made() -> Any:
        response = await make_response({"a": 1})
        response.headers["x-made"] = "yes"
        return response

    @app.route("/json")
    async def always_json() -> Response:
        return jsonify(a=1)

    @app.route("/named")
    async def named() -> Any:
        return {"a": 1}, {"Content-Type": "application/vnd.shop+json"}

    @app.route("/text")
    async def text() -> str:
        return "text"

    @app.errorhandler(404)
    async def missing(error: Exception) -> Any:
        return {"error": "missing"}, 404

    @app.route("/body", methods=["POST"])
    async def body() -> Any:
        return {"got": await request.get_json()}

    @app.route("/quiet", methods=["POST"])
    async def quiet() -> Any:
        return {"got": await request.get_json(silent=True)}

    return app


async def get(app: Quart, path: str, accept: str | None, method: str = "GET") -> Any:
    headers = {} if accept is None else {"accept": accept}
    return await app.test_client().open(path, method=method, headers=headers)


@pytest.mark.parametrize(
    "accept, content_type",
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        ("application/json, application/x-lines", "application/json"),
        ("application/*", "application/json"),
        ("application/x-lines", LINES),
        ("application/lines", "application/lines"),
        ("application/x-lines, */*", LINES),
        ("application/json;q=0.5, application/x-lines;q=0.6", LINES),
        ("application/json;q=0.6, application/x-lines;q=0.5", "application/json"),
        ("application/x-lines;q=0", "application/json"),
        ("nonsense;q=x", "application/json"),
    ],
)
async def test_the_client_gets_what_it_prefers(app: Quart, accept: str | None, content_type: str) -> None:
    """Of what it likes equally JSON; and JSON where it likes neither."""
    response = await get(app, "/", accept)
    data = await response.get_data(as_text=True)
    assert (response.content_type, data) == (content_type, '{"a":1,"b":2}\n' if "json" in content_type else "a=1\nb=2")
    assert response.vary.as_set() == {"accept"}


async def test_several_accept_headers_are_one(app: Quart) -> None:
    headers = [("accept", "application/json;q=0.1"), ("accept", LINES)]
    response = await app.test_client().get("/", headers=headers)
    assert response.content_type == LINES


async def test_status_and_headers_stay(app: Quart) -> None:
    response = await get(app, "/created", LINES, "POST")
    assert (response.status_code, response.headers["x-more"]) == (201, "yes")
    assert (response.content_type, await response.get_data()) == (LINES, b"1\n2")


async def test_what_an_error_handler_returns_is_negotiated(app: Quart) -> None:
    response = await get(app, "/nowhere", LINES)
    assert (response.status_code, await response.get_data()) == (404, b"error=missing")


async def test_make_response_negotiates(app: Quart) -> None:
    response = await get(app, "/made", LINES)
    assert (response.headers["x-made"], response.content_type) == ("yes", LINES)


@pytest.mark.parametrize(
    "path, content_type",
    [
        ("/json", "application/json"),
        ("/named", "application/vnd.shop+json"),
        ("/text", "text/html; charset=utf-8"),
    ],
)
async def test_what_names_its_type_is_not_negotiated(app: Quart, path: str, content_type: str) -> None:
    response = await get(app, path, LINES)
    assert (response.content_type, "vary" in response.headers) == (content_type, False)


async def test_after_functions_see_the_response(app: Quart) -> None:
    seen = []

    @app.after_request
    async def after(response: Response) -> Response:
        seen.append(response.content_type)
        return response

    await get(app, "/", LINES)
    assert seen == [LINES]


@pytest.mark.parametrize("content_type", [LINES, "Application/X-Lines; v=1", "application/lines"])
async def test_a_body_is_read(app: Quart, content_type: str) -> None:
    response = await app.test_client().post("/body", data=b"a\nb", headers={"content-type": content_type})
    assert await response.get_json() == {"got": ["a", "b"]}


@pytest.mark.parametrize("debug", [False, True])
async def test_a_body_that_cannot_be_read_is_the_clients_fault(app: Quart, debug: bool) -> None:
    app.debug = debug
    response = await app.test_client().post("/body", data=b"\x00", headers={"content-type": LINES})
    assert response.status_code == 400
    assert ("Failed to decode application/x-lines: a zero byte" in await response.get_data(as_text=True)) is debug
    response = await app.test_client().post("/quiet", data=b"\x00", headers={"content-type": LINES})
    assert await response.get_json() == {"got": None}


async def test_other_bodies_are_as_before(app: Quart) -> None:
    client = app.test_client()
    assert await (await client.post("/body", json=[1])).get_json() == {"got": [1]}
    assert await (await client.post("/body", data=b"x", headers={"content-type": "text/x"})).get_json() == {"got": None}
    assert await (await client.post("/body", data=b"x")).get_json() == {"got": None}


async def test_a_websocket_speaks_its_subprotocol(app: Quart) -> None:
    @app.websocket("/ws")
    async def view() -> None:
        await websocket.send_json([await websocket.receive_json(), "again"])
        await websocket.send_json({"a": 1})
        await websocket.send("as it is")

    async with app.test_client().websocket("/ws", subprotocols=["lines"]) as connection:
        await connection.send(b"1\n2")
        assert [await connection.receive() for _ in range(3)] == [b"['1', '2']\nagain", b"a=1", "as it is"]
    async with app.test_client().websocket("/ws", subprotocols=["other"]) as connection:
        await connection.send("[1]")
        assert [await connection.receive() for _ in range(3)] == ['[[1], "again"]', '{"a": 1}', "as it is"]


@pytest.mark.parametrize("message, told", [(b"\x00", "a zero byte"), ("text", "binary, and this is a text")])
async def test_a_websockets_bad_message(app: Quart, message: bytes | str, told: str) -> None:
    """An error of the client's; the connection stays open."""

    @app.websocket("/ws")
    async def view() -> None:
        try:
            await websocket.receive_json()
        except InvalidJSON as error:
            await websocket.send(str(error.description))
        await websocket.send_json(await websocket.receive_json())

    async with app.test_client().websocket("/ws", subprotocols=["lines"]) as connection:
        await connection.send(message)
        answer = await connection.receive()
        assert str(answer).startswith("The message is not valid 'lines': ") and told in str(answer)
        await connection.send(b"1")
        assert await connection.receive() == b"1"


async def test_options_of_json_make_no_sense_in_another_language(app: Quart) -> None:
    @app.websocket("/ws")
    async def view() -> None:
        await websocket.accept()
        with pytest.raises(TypeError, match=r"no options of JSON \(indent\).*'lines'"):
            await websocket.send_json([1], indent=2)

    async with app.test_client().websocket("/ws", subprotocols=["lines"]):
        pass


async def test_a_heartbeat_speaks_it_too(app: Quart) -> None:
    @app.websocket("/ws")
    async def view() -> None:
        await websocket.accept()
        heartbeat = websocket.heartbeat(10, {"beat": 1})
        heartbeat.send()
        await websocket.receive()

    async with app.test_client().websocket("/ws", subprotocols=["lines"]) as connection:
        assert await connection.receive() == b"beat=1"


async def test_the_first_of_two_codecs_counts(app: Quart) -> None:
    class Shouting(Lines):
        def dumps(self, obj: Any) -> bytes:
            return super().dumps(obj).upper()

    app.setup_plugins()
    first = app.hooks.names[-1]
    app.hooks.register(Speaking(Shouting()), name="late")
    assert await (await get(app, "/", LINES)).get_data() == b"a=1\nb=2"
    app.hooks.unregister(first)
    assert await (await get(app, "/", LINES)).get_data() == b"A=1\nB=2"


async def test_codecs_come_and_go_with_their_plugin(plugin: Speaking) -> None:
    app = Quart(__name__)

    @app.route("/")
    async def index() -> Any:
        return {"a": 1}

    assert "vary" not in (await get(app, "/", LINES)).headers
    name = app.hooks.register(plugin, name="speaking")
    assert (await get(app, "/", LINES)).content_type == LINES
    app.hooks.unregister(name)
    assert (await get(app, "/", LINES)).content_type == "application/json"


async def test_codecs_are_asked_for_once(app: Quart, plugin: Speaking) -> None:
    for path in ("/", "/made", "/text", "/"):
        await get(app, path, LINES)
    await app.test_client().post("/body", data=b"a", headers={"content-type": LINES})
    assert plugin.asked == 1


@pytest.mark.parametrize("wrong", ["lines", Lines, type("NoTuple", (Lines,), {"media_types": "text/x"})()])
async def test_what_is_no_codec(wrong: Any) -> None:
    app = Quart(__name__, plugins=[Speaking(wrong)])
    app.testing = True

    @app.route("/")
    async def index() -> Any:
        return {}

    with pytest.raises(PluginHookError, match=r"Speaking' gave .* to the hook 'content_types', which is no codec"):
        await get(app, "/", None)


def test_a_codec_need_not_inherit() -> None:
    assert isinstance(Lines(), Codec)
    assert not isinstance(pickle, Codec)


async def test_reading_in_a_task_waits_for_nothing_else(app: Quart) -> None:
    """`receive_json` in one task and `send_json` in another, on one websocket."""

    @app.websocket("/ws")
    async def view() -> None:
        await websocket.accept()
        reading = asyncio.ensure_future(websocket.receive_json())
        await websocket.send_json(["first"])
        await websocket.send_json(await reading)

    async with app.test_client().websocket("/ws", subprotocols=["lines"]) as connection:
        assert await connection.receive() == b"first"
        await connection.send(b"x\ny")
        assert await connection.receive() == b"x\ny"


async def test_a_route_may_do_without(app: Quart, plugin: Speaking) -> None:
    """Where the plugin is switched off there is JSON alone."""
    app.setup_plugins()
    name = app.hooks.names[-1]

    @app.route("/plain", methods=["GET", "POST"], plugins_disabled={f"{name}:content_types"})
    async def plain() -> Any:
        return {"got": await request.get_json(silent=True)}

    response = await app.test_client().post("/plain", data=b"a", headers={"content-type": LINES, "accept": LINES})
    assert (await response.get_json(), "vary" in response.headers) == ({"got": None}, False)
    assert (await get(app, "/", LINES)).content_type == LINES
