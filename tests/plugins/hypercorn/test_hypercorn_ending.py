"""What the server ends without waiting for the peer: a peer that does not read, one that does not wait."""

from __future__ import annotations

import asyncio
from typing import Any

import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes

LIMIT = 10.0
MEGABYTES = 100  # more than the buffers of a connection hold
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
EARLY = b"\x81\x82\x00\x00\x00\x00ok"


class Flood:
    """An app that sends until it is told of the end; `abort` is what the server offers it."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.abort: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        self.abort = scope["quart_plug.abort"]
        await send({"type": "websocket.accept"})
        sending = asyncio.ensure_future(self._send(send))
        try:
            message = await receive()
            await asyncio.wait_for(sending, LIMIT)  # the one that was blocked is let go
            self.ended.set_result(message)
        except BaseException as error:
            self.ended.set_exception(error)
            raise
        finally:
            sending.cancel()

    async def _send(self, send: Any) -> None:
        data = "." * 1_000_000
        for _ in range(MEGABYTES):
            self.sent += 1
            await send({"type": "websocket.send", "text": data})

    async def blocked(self) -> None:
        """Wait until nothing more goes out."""
        quiet = sent = 0
        while quiet < 100 or not self.sent:
            await asyncio.sleep(0)
            quiet, sent = (quiet + 1 if sent == self.sent else 0), self.sent
        assert self.sent < MEGABYTES

    async def end(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.ended, LIMIT)


class Late:
    """An app that accepts when it is told to, after the client has sent something."""

    def __init__(self) -> None:
        self.accept = asyncio.Event()
        self.messages: list[Any] = []
        self.ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await self.accept.wait()
        await send({"type": "websocket.accept"})
        self.messages.append(await receive())
        self.ended.set()


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


# A peer that does not read ---------------------------------------------------------------------------------------


async def test_a_connection_whose_peer_does_not_read_can_be_aborted(serve: Any, make_app: Any, raw: Any) -> None:
    app = Flood()
    server = await serve(make_app(websocket=app))
    reader, _ = await raw(server.port)
    reader._transport.pause_reading()
    await app.blocked()
    app.abort()
    assert (await app.end())["code"] == 1006
    await server.stop()  # nothing of the connection is left that it would have to wait for


async def test_a_stream_whose_peer_does_not_read_is_reset_and_its_connection_lives(
    serve: Any, make_app: Any, http2: Any
) -> None:
    app = Flood()
    server = await serve(make_app(hello, websocket=app))
    client = await http2(server.port)
    stuck = client.open("CONNECT")
    await client.until(h2.events.DataReceived, stuck)
    app.abort()
    assert (await client.until(h2.events.StreamReset, stuck)).error_code == ErrorCodes.CANCEL
    assert (await app.end())["code"] == 1006
    app.abort()  # a second time does nothing
    other = client.open("GET")
    assert (await client.until(h2.events.DataReceived, other)).data == b"hello"


async def test_a_connection_with_one_stream_whose_peer_reads_nothing_is_aborted(
    serve: Any, make_app: Any, http2: Any
) -> None:
    app = Flood()
    server = await serve(make_app(websocket=app))
    client = await http2(server.port)
    stuck = client.open("CONNECT")
    client.protocol.increment_flow_control_window(2**24, stuck)
    client.flush()
    client.reader._transport.pause_reading()
    await app.blocked()
    app.abort()
    assert (await app.end())["code"] == 1006
    await server.stop()  # nor of this one


# A peer that does not wait for the answer to its handshake -------------------------------------------------------


@pytest.mark.parametrize("accepting", ["before", "after"])
async def test_data_before_the_handshake_is_answered_is_refused_and_the_app_told(
    serve: Any, make_app: Any, connect: Any, capfd: pytest.CaptureFixture[str], accepting: str
) -> None:
    app = Late()
    server = await serve(make_app(websocket=app))
    reader, writer = await connect(server.port)
    if accepting == "before":  # at once, while the 400 is being sent
        app.accept.set()
    writer.write(UPGRADE + EARLY)
    answer = await asyncio.wait_for(reader.read(), LIMIT)  # to its end: the server closes the connection
    assert answer.startswith(b"HTTP/1.1 400") and b"HTTP/1.1 101" not in answer
    app.accept.set()
    await asyncio.wait_for(app.ended.wait(), LIMIT)
    assert app.messages == [{"type": "websocket.disconnect", "code": 1006, "reason": "", "closed_by": "network"}]
    await server.stop()
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_who_resets_the_connection_after_early_data_leaves_no_traceback(
    serve: Any, make_app: Any, connect: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    app = Late()
    app.accept.set()
    server = await serve(make_app(websocket=app))
    _, writer = await connect(server.port)
    writer.write(UPGRADE + EARLY)
    writer.transport.abort()
    await asyncio.wait_for(app.ended.wait(), LIMIT)
    assert [message["type"] for message in app.messages] == ["websocket.disconnect"]
    await server.stop()
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_early_data_on_a_stream_ends_that_stream_alone(serve: Any, make_app: Any, http2: Any) -> None:
    app = Late()
    server = await serve(make_app(hello, websocket=app))
    client = await http2(server.port)
    early = client.open("CONNECT")
    client.send(early, EARLY)
    client.send(early, EARLY)
    answer = await client.until(h2.events.ResponseReceived, early)
    assert (b":status", b"400") in answer.headers
    app.accept.set()
    await asyncio.wait_for(app.ended.wait(), LIMIT)
    assert [message["type"] for message in app.messages] == ["websocket.disconnect"]
    other = client.open("GET")
    assert (await client.until(h2.events.DataReceived, other)).data == b"hello"


async def test_an_app_that_returns_with_messages_unread_leaves_no_connection(
    serve: Any, make_app: Any, raw: Any
) -> None:
    """Who reads from the peer may wait for room in the app's queue at that moment."""
    leave = asyncio.Event()

    async def unread(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await leave.wait()
        await send({"type": "websocket.close", "code": 4000})

    server = await serve(make_app(websocket=unread, SHUTDOWN_TIMEOUT=60.0))
    reader, writer = await raw(server.port)
    writer.write(b"\x81\x82\x00\x00\x00\x00ok" * 200)  # more than its queue holds
    await writer.drain()
    for _ in range(50):
        await asyncio.sleep(0.001)
    leave.set()
    assert await asyncio.wait_for(reader.readexactly(4), LIMIT) == b"\x88\x02" + (4000).to_bytes(2)
    writer.write(b"\x88\x82\x00\x00\x00\x00" + (4000).to_bytes(2))
    assert await asyncio.wait_for(reader.read(), LIMIT) == b""
    await asyncio.wait_for(server.stop(), LIMIT)
