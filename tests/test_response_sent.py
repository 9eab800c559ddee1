"""Plugins are told of each response when it was sent, or was not (hook `response_sent`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from quart_plug import Quart, Response, hookimpl
from quart_plug.asgi import ASGIHTTPConnection

SCOPE: dict[str, Any] = {
    "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
    "scheme": "http", "path": "/", "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
}  # fmt: skip


class Sent:
    def __init__(self) -> None:
        self.told: list[Any] = []

    @hookimpl
    async def response_sent(self, ctx: Any, status: int | None, error: BaseException | None) -> None:
        self.told.append((ctx.scope["path"], status, type(error).__name__))


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def app(sent: Sent) -> Quart:
    app = Quart(__name__, plugins=[sent])

    @app.route("/")
    async def index() -> str:
        return "x"

    @app.route("/stream")
    async def stream() -> Any:
        async def body() -> AsyncIterator[str]:
            yield "a"
            assert sent.told == []
            yield "b"

        return body()

    @app.route("/fails")
    async def fails() -> str:
        raise LookupError

    @app.route("/waits")
    async def waits() -> str:
        await asyncio.Event().wait()
        return "never"

    return app


@pytest.mark.parametrize("path, status", [("/", 200), ("/stream", 200), ("/fails", 500), ("/nowhere", 404)])
async def test_once_after_the_response(app: Quart, sent: Sent, path: str, status: int) -> None:
    """After the last byte; an error that was answered is no error of the response."""
    response = await app.test_client().get(path)
    assert response.status_code == status
    assert sent.told == [(path, status, "NoneType")]


async def test_head(app: Quart, sent: Sent) -> None:
    await app.test_client().head("/")
    assert sent.told == [("/", 200, "NoneType")]


async def test_after_the_context_was_popped(app: Quart, sent: Sent) -> None:
    app.teardown_appcontext(lambda error: sent.told.append("teardown"))
    await app.test_client().get("/")
    assert [each if isinstance(each, str) else each[0] for each in sent.told] == ["teardown", "/"]


async def test_a_client_that_left(app: Quart, sent: Sent) -> None:
    """There is no status; the view was cancelled."""
    gone = asyncio.Event()

    async def receive() -> Any:
        if not gone.is_set():
            gone.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    async with asyncio.timeout(20):
        await app({**SCOPE, "path": "/waits"}, receive, send)
    assert sent.told == [("/waits", None, "CancelledError")]


async def test_a_server_that_cannot_send(app: Quart, sent: Sent) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await app(SCOPE, receive, send)
    assert sent.told == [("/", 200, "OSError")]


async def test_a_plugin_that_fails_is_logged(app: Quart, sent: Sent, caplog: pytest.LogCaptureFixture) -> None:
    """The response is with the client, so nothing else can be done; the others are told."""

    class Faulty:
        @hookimpl
        async def response_sent(self) -> None:
            raise LookupError("no disk")

    app.hooks.register(Faulty(), name="faulty")
    assert (await app.test_client().get("/")).status_code == 200
    assert sent.told == [("/", 200, "NoneType")]
    assert "plugin 'faulty'" in caplog.text and "no disk" in caplog.text


async def test_where_the_connections_class_is_replaced(app: Quart, sent: Sent) -> None:
    class Connection(ASGIHTTPConnection):
        async def handle_request(self, request: Any, send: Any) -> None:
            await super().handle_request(request, send)

    app.asgi_http_class = Connection
    assert (await app.test_client().get("/")).status_code == 200
    assert sent.told == [("/", 200, "NoneType")]


async def test_a_route_without_the_plugin(app: Quart, sent: Sent) -> None:
    app.setup_plugins()
    name = next(name for name in app.hooks.names if "Sent" in name)

    @app.route("/quiet", plugins_disabled={name})
    async def quiet() -> Response:
        return Response("x")

    for path in ("/quiet", "/"):
        await app.test_client().get(path)
    assert sent.told == [("/", 200, "NoneType")]
