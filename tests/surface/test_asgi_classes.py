"""The classes behind `asgi_http_class`, `asgi_websocket_class` and `asgi_lifespan_class`, and their steps."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart, request, websocket
from quart_plug.asgi import ASGIHTTPConnection, ASGILifespan, ASGIWebsocketConnection
from quart_plug.ctx import RequestContext, WebsocketContext
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.post("/echo")
    async def echo() -> bytes:
        return b"".join([chunk async for chunk in request.body])

    @app.websocket("/ws")
    async def talk() -> Any:
        if "refuse" in websocket.args:
            return "no", 403
        await websocket.accept(headers={"x-name": "value"}, subprotocol=None)
        while True:
            message = await websocket.receive()
            if message == "close":
                await websocket.close(4001, "bye")
                return None
            await websocket.send(message * 2)

    return app


@shows("asgi.ASGIHTTPConnection")
async def test_a_request_can_be_served_by_the_class_itself(app: Quart) -> None:
    sent: list[Any] = []
    messages = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b"},
    ]
    scope = await scope_of(app)

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await ASGIHTTPConnection(app, scope)(receive, send)

    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b"ab"


async def scope_of(app: Quart) -> Any:
    async with app.test_request_context("/echo", method="POST"):
        return request.scope


@shows("asgi.ASGIHTTPConnection.handle_request", "asgi.ASGIHTTPConnection.handle_messages")
@pytest.mark.parametrize("overridden", ["handle_request", "handle_messages", "both"])
async def test_the_steps_of_a_request_can_be_overridden(app: Quart, overridden: str) -> None:
    seen: list[Any] = []

    async def handle_request(self: Any, request: Any, send: Any) -> None:
        seen.append(request.path)

        async def note(message: Any) -> None:
            seen.append(message["type"])
            await send(message)

        await ASGIHTTPConnection.handle_request(self, request, note)

    async def handle_messages(self: Any, request: Any, receive: Any) -> None:
        async def shout() -> Any:
            message = await receive()
            seen.append(message["type"])
            if "body" in message:
                message["body"] = message["body"].upper()
            return message

        await ASGIHTTPConnection.handle_messages(self, request, shout)

    names = {"handle_request": handle_request, "handle_messages": handle_messages}
    chosen = names if overridden == "both" else {overridden: names[overridden]}
    app.asgi_http_class = type("Connection", (ASGIHTTPConnection,), chosen)

    response = await app.test_client().post("/echo", data=b"body")

    assert await response.get_data() == (b"body" if overridden == "handle_request" else b"BODY")
    expected = []
    if "handle_request" in chosen:
        expected += ["/echo", "http.response.start", "http.response.body"]
    if "handle_messages" in chosen:
        expected += ["http.request"]
    assert sorted(set(seen) - {"http.disconnect"}) == sorted(expected)


async def test_a_body_that_only_the_override_fills(app: Quart) -> None:
    class Connection(ASGIHTTPConnection):
        async def handle_messages(self, request: Any, receive: Any) -> None:
            request.body.append(b"mine")
            request.body.set_complete()
            while (await receive())["type"] != "http.disconnect":
                pass

    app.asgi_http_class = Connection

    response = await app.test_client().post("/echo", data=b"theirs")

    assert await response.get_data() == b"mine"


async def test_an_error_of_an_overridden_step_is_not_lost(app: Quart) -> None:
    class Connection(ASGIHTTPConnection):
        async def handle_messages(self, request: Any, receive: Any) -> None:
            request.body.set_complete()
            raise LookupError("in handle_messages")

    app.asgi_http_class = Connection

    with pytest.raises(LookupError, match="in handle_messages"):
        await app.test_client().post("/echo", data=b"")


@shows("asgi.ASGIWebsocketConnection")
async def test_a_websocket_can_be_served_by_the_class_itself(app: Quart) -> None:
    made: list[ASGIWebsocketConnection] = []

    def connection(app: Quart, scope: Any) -> ASGIWebsocketConnection:
        made.append(ASGIWebsocketConnection(app, scope))
        return made[-1]

    app.asgi_websocket_class = connection

    async with app.test_client().websocket("/ws") as test:
        await test.send("a")
        assert await test.receive() == "aa"
    assert made[0].scope["path"] == "/ws"


class Recording(ASGIWebsocketConnection):
    """Each step does what it does in the base, and is noted."""

    seen: list[Any]

    async def accept_connection(self, send: Any, headers: Any, subprotocol: str | None) -> None:
        self.seen.append(("accept_connection", dict(headers), subprotocol))
        await super().accept_connection(send, headers, subprotocol)

    async def send_data(self, send: Any, data: str | bytes) -> None:
        self.seen.append(("send_data", data))
        await super().send_data(send, data + data[:0])

    async def close_connection(self, send: Any, code: int, reason: str) -> None:
        self.seen.append(("close_connection", code, reason))
        await super().close_connection(send, code, reason)

    async def handle_messages(self, receive: Any) -> None:
        self.seen.append("handle_messages")
        await super().handle_messages(receive)

    async def handle_websocket(self, websocket: Any, send: Any) -> None:
        self.seen.append(("handle_websocket", websocket.path))
        await super().handle_websocket(websocket, send)


@shows(
    "asgi.ASGIWebsocketConnection.accept_connection",
    "asgi.ASGIWebsocketConnection.close_connection",
    "asgi.ASGIWebsocketConnection.handle_messages",
    "asgi.ASGIWebsocketConnection.handle_websocket",
    "asgi.ASGIWebsocketConnection.send_data",
)
async def test_the_steps_of_a_websocket_can_be_overridden(app: Quart) -> None:
    seen: list[Any] = []
    app.asgi_websocket_class = type("Connection", (Recording,), {"seen": seen})

    async with app.test_client().websocket("/ws") as test:
        await test.send("a")
        assert await test.receive() == "aa"
        await test.send(b"\x00")
        assert await test.receive() == b"\x00\x00"
        await test.send("close")
        with pytest.raises(WebsocketDisconnectError):
            await test.receive()
        assert (test.close_code, test.close_reason) == (4001, "bye")

    assert [each for each in seen if each != "handle_messages"] == [
        ("handle_websocket", "/ws"),
        ("accept_connection", {"x-name": "value"}, None),
        ("send_data", "aa"),
        ("send_data", b"\x00\x00"),
        ("close_connection", 4001, "bye"),
    ]
    assert "handle_messages" in seen


async def test_a_client_that_leaves_ends_a_websocket_with_overridden_steps(app: Quart) -> None:
    app.asgi_websocket_class = type("Connection", (Recording,), {"seen": []})
    ended: list[Any] = []

    @app.teardown_websocket
    async def note(error: BaseException | None) -> None:
        ended.append(error)

    async with app.test_client().websocket("/ws") as test:
        await test.send("a")
        assert await test.receive() == "aa"
        await test.disconnect()

    assert len(ended) == 1


async def test_a_refused_handshake_with_overridden_steps(app: Quart) -> None:
    app.asgi_websocket_class = type("Connection", (Recording,), {"seen": []})

    with pytest.raises(WebsocketResponseError) as caught:
        async with app.test_client().websocket("/ws?refuse=1") as test:
            await test.receive()

    assert caught.value.response.status_code == 403


@shows("asgi.ASGILifespan")
async def test_the_lifespan_class(app: Quart) -> None:
    seen: list[str] = []

    @app.before_serving
    async def start() -> None:
        seen.append("start")

    @app.after_serving
    async def stop() -> None:
        seen.append("stop")

    class Lifespan(ASGILifespan):
        def __init__(self, app: Quart, scope: Any) -> None:
            seen.append(scope["type"])
            super().__init__(app, scope)

    app.asgi_lifespan_class = Lifespan
    async with app.test_app():
        assert seen == ["lifespan", "start"]
    assert seen == ["lifespan", "start", "stop"]


async def test_contexts_have_the_class_of_their_kind(app: Quart) -> None:
    seen: list[Any] = []

    @app.before_request
    async def note() -> None:
        from quart_plug.globals import request_ctx

        seen.append(request_ctx._get_current_object())  # type: ignore[attr-defined]

    await app.test_client().get("/none")
    async with app.test_websocket_context("/ws") as ctx:
        assert type(ctx) is WebsocketContext

    assert type(seen[0]) is RequestContext
