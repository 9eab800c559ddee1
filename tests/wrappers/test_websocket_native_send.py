"""A server in another language, as granian: its `send` returns no coroutine, its `receive` is a built-in method."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, websocket

LIMIT = 10.0


class Sent:
    """Waits for a future of the loop."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def __await__(self) -> Iterator[Any]:
        return self

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._future.done():
            self._future.result()
            raise StopIteration
        self._future._asyncio_future_blocking = True  # the mark of what a task may wait for
        return self._future


class NativeServer:
    def __init__(self, error: Exception | None = None, never: bool = False) -> None:
        self.sent: list[Any] = []
        self.error = error
        self.never = never
        self.waiting = asyncio.Event()

    def send(self, message: Any) -> Sent:
        self.sent.append(message)
        future = asyncio.get_running_loop().create_future()
        if message["type"] == "websocket.send" and self.never:
            self.waiting.set()
        elif message["type"] == "websocket.send" and self.error is not None:
            asyncio.get_running_loop().call_soon(future.set_exception, self.error)
        else:
            asyncio.get_running_loop().call_soon(future.set_result, None)
        return Sent(future)

    async def receive(self) -> Any:
        if not self.sent:
            return {"type": "websocket.connect"}
        return await asyncio.get_running_loop().create_future()

    def connect(self, app: Quart) -> asyncio.Task[None]:
        scope: Any = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
        }
        return asyncio.ensure_future(app(scope, self.receive, self.send))  # type: ignore[arg-type]  # no coroutine


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def test_messages_are_sent(app: Quart) -> None:
    @app.websocket("/")
    async def view() -> None:
        await websocket.send("text")
        await websocket.send_json([1])
        await websocket.send(b"bytes")

    server = NativeServer()
    await asyncio.wait_for(server.connect(app), LIMIT)
    sent = [message.get("text") or message.get("bytes") for message in server.sent[1:-1]]
    assert sent == ["text", "[1]", b"bytes"]
    assert server.sent[-1]["code"] == 1000


async def test_the_error_of_a_send_reaches_the_view(app: Quart) -> None:
    told: list[BaseException] = []

    @app.websocket("/")
    async def view() -> None:
        try:
            await websocket.send("text")
        except ValueError as error:
            told.append(error)

    server = NativeServer(ValueError("of the server"))
    await asyncio.wait_for(server.connect(app), LIMIT)
    assert [str(error) for error in told] == ["of the server"]


async def test_a_send_that_waits_can_be_cancelled(app: Quart) -> None:
    told: list[str] = []

    @app.websocket("/")
    async def view() -> None:
        sending = asyncio.ensure_future(websocket._get_current_object().send("text"))
        await server.waiting.wait()
        sending.cancel()
        try:
            await sending
        except asyncio.CancelledError:
            told.append("cancelled")

    server = NativeServer(never=True)
    await asyncio.wait_for(server.connect(app), LIMIT)
    assert told == ["cancelled"]


async def test_a_close_does_not_wait_for_a_receive_that_is_pending(app: Quart) -> None:
    """granian sends a close frame only when nobody is in `receive`; whoever waits there is told of the end."""
    loop = asyncio.get_running_loop()
    pending = loop.create_future()
    messages: deque[Any] = deque([loop.create_future(), loop.create_future(), pending])
    messages[0].set_result({"type": "websocket.connect"})
    messages[1].set_result({"type": "websocket.receive", "text": "close, please"})

    class Server(NativeServer):
        receive = messages.popleft  # a built-in method, by which such a server is known

        def send(self, message: Any) -> Sent:
            if message["type"] != "websocket.close":
                return super().send(message)
            self.sent.append(message)
            closed = loop.create_future()
            pending.add_done_callback(lambda pending: closed.set_result(None))
            return Sent(closed)

    told: list[Any] = []

    @app.websocket("/")
    async def view() -> None:
        connection = websocket._get_current_object()
        await connection.receive()
        waiting = asyncio.ensure_future(connection.receive())
        await asyncio.sleep(0)
        await connection.close(4000, "enough")
        try:
            await waiting
        except ConnectionClosed as error:
            told.append((error.code, error.reason, error.closed_by))

    server = Server()
    await asyncio.wait_for(server.connect(app), LIMIT)
    assert server.sent[-1]["code"] == 4000
    assert told == [(4000, "enough", "server")]
