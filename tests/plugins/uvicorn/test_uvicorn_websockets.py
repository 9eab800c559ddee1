"""What a websocket's app and its client learn of each other through our protocol class."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from typing import Any

import pytest
import websockets

from quart_plug_uvicorn import incoming
from quart_plug_uvicorn import websockets as connections

LIMIT = 10.0
UPGRADE = (
    b"GET /chat%20room?a=b HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
TEXT, BINARY, CONT, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA


def frame(opcode: int, data: bytes, fin: bool = True, compressed: bool = False) -> bytes:
    """A client's frame, with a mask of zeros."""
    first = opcode | (0x80 if fin else 0) | (0x40 if compressed else 0)
    if len(data) < 126:
        return bytes([first, 0x80 | len(data)]) + bytes(4) + data
    if len(data) < 65_536:
        return bytes([first, 0x80 | 126]) + struct.pack("!H", len(data)) + bytes(4) + data
    return bytes([first, 0x80 | 127]) + struct.pack("!Q", len(data)) + bytes(4) + data


class Recorder:
    """An app that accepts, sends something, and keeps what it receives up to the end."""

    def __init__(self, *messages: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.to_send = messages
        self.scope: Any = None
        self.ended = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        for message in self.to_send:
            await send(message)
        await self.go_on.wait()
        while not self.messages or self.messages[-1]["type"] != "websocket.disconnect":
            self.messages.append(await receive())
        self.again = await receive()
        self.ended.set()

    async def end(self) -> tuple[int, str, str]:
        await asyncio.wait_for(self.ended.wait(), LIMIT)
        message = self.messages[-1]
        assert self.again == message  # every later call tells the end as well
        return message["code"], message["reason"], message["closed_by"]

    @property
    def data(self) -> list[Any]:
        return [message.get("text", message.get("bytes")) for message in self.messages[:-1]]


async def closing(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Code and reason of the server's close frame, which is the next thing; then the end of the connection."""
    data = await asyncio.wait_for(reader.read(), LIMIT)
    assert data[0] == 0x88 and data[1] == len(data) - 2, data
    return int.from_bytes(data[2:4], "big"), data[4:].decode()


# Endings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "leaving"), (1012, "mine"), (4999, "ü" * 60)])
async def test_the_clients_code_and_reason_arrive(serve: Any, make_app: Any, code: int, reason: str) -> None:
    """1012 too, which uvicorn itself uses for its own stop."""
    app = Recorder()
    server = await serve(make_app(websocket=app))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    await client.send("last")
    await client.close(code, reason)
    assert await app.end() == (code, reason, "client")
    assert app.data == ["last"]


async def test_a_close_frame_without_a_code_is_1005(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    writer.write(frame(CLOSE, b""))
    assert await app.end() == (1005, "", "client")
    assert await asyncio.wait_for(reader.read(), LIMIT) == b"\x88\x00"


@pytest.mark.parametrize("how", ["reset", "end of stream"])
async def test_a_lost_connection_is_1006(serve: Any, make_app: Any, raw: Any, how: str) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    _, writer = await raw(server.port)
    if how == "reset":
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.write_eof()
    assert await app.end() == (1006, "", "network")


async def test_the_apps_own_close_comes_back_to_it(serve: Any, make_app: Any) -> None:
    app = Recorder({"type": "websocket.close", "code": 4002, "reason": "enough"})
    server = await serve(make_app(websocket=app))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4002, "enough")
    assert await app.end() == (4002, "enough", "server")


@pytest.mark.parametrize("kind", ["websocket.send", "websocket.close"])
async def test_sending_after_the_end_raises_an_oserror(serve: Any, make_app: Any, raw: Any, kind: str) -> None:
    found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        try:
            await send({"type": kind, "text": "x"})
        except OSError as error:
            found.set_result(error)
            raise  # what the app lets through is no error

    server = await serve(make_app(websocket=app))
    reader, _ = await raw(server.port)
    assert isinstance(await asyncio.wait_for(found, LIMIT), OSError)
    assert await asyncio.wait_for(reader.readexactly(4), LIMIT) == b"\x88\x02\x03\xe8"


async def test_an_app_that_returns_closes_and_one_that_fails_closes_with_1011(
    serve: Any, make_app: Any, raw: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        if (await receive())["type"] and (await receive())["text"] == "fail":
            raise LookupError("in the app")

    server = await serve(make_app(websocket=app))
    for text, code in ((b"fail", 1011), (b"good", 1000)):
        reader, writer = await raw(server.port)
        writer.write(frame(TEXT, text))
        assert (await asyncio.wait_for(reader.readexactly(4), LIMIT))[2:] == code.to_bytes(2, "big")
    assert caplog.text.count("LookupError: in the app") == 1


async def test_the_socket_is_closed_after_the_peers_answer(serve: Any, make_app: Any, raw: Any) -> None:
    """What the peer still sends before it is read and dropped."""
    app = Recorder({"type": "websocket.close", "code": 1000})
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    assert (await asyncio.wait_for(reader.readexactly(4), LIMIT))[0] == 0x88
    writer.write(frame(TEXT, b"late") * 100 + frame(CLOSE, b"\x03\xe8"))
    assert await asyncio.wait_for(reader.read(), LIMIT) == b""
    await app.end()
    assert app.data == []


async def test_a_peer_that_never_answers_a_close_is_cut_off(
    serve: Any, make_app: Any, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CLOSE_SECONDS", 0.05)
    server = await serve(make_app(websocket=Recorder({"type": "websocket.close", "code": 1000})))
    reader, _writer = await raw(server.port)
    assert (await asyncio.wait_for(reader.readexactly(4), LIMIT))[0] == 0x88
    with pytest.raises(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), LIMIT) == b""
        raise ConnectionResetError  # an orderly end will do as well


# A peer that does not read ---------------------------------------------------------------------------------------


class Flood:
    """An app that sends until it is told of the end; `abort` is what the server offers it."""

    def __init__(self) -> None:
        self.sent = 0
        self.blocked = asyncio.Event()
        self.ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.abort: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        self.abort = scope["quart_plug.abort"]
        await send({"type": "websocket.accept"})
        try:
            for _ in range(1000):
                sending = asyncio.ensure_future(send({"type": "websocket.send", "bytes": bytes(1_000_000)}))
                await asyncio.wait((sending,), timeout=0.2)
                if not sending.done():
                    self.blocked.set()
                await sending
                self.sent += 1
        except OSError as error:
            self.ended.set_result((error, await receive()))


async def test_a_connection_whose_peer_does_not_read_can_be_aborted(serve: Any, make_app: Any, raw: Any) -> None:
    app = Flood()
    server = await serve(make_app(websocket=app, SHUTDOWN_TIMEOUT=60.0))
    reader, _writer = await raw(server.port)
    reader._transport.pause_reading()
    await asyncio.wait_for(app.blocked.wait(), LIMIT)
    assert app.sent < 50  # it waited: 1000 messages would be 1 GB
    app.abort()
    error, message = await asyncio.wait_for(app.ended, LIMIT)
    assert isinstance(error, OSError)
    assert (message["code"], message["closed_by"]) == (1006, "network")
    await server.stop()  # nothing of the connection is left that it would have to wait for


async def test_pings_of_a_peer_that_does_not_read_do_not_pile_up(
    serve: Any, make_app: Any, raw: Any
) -> None:
    app = Flood()
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    reader._transport.pause_reading()
    await asyncio.wait_for(app.blocked.wait(), LIMIT)
    transport = app.abort.__self__
    before = transport.get_write_buffer_size()
    protocol = transport.get_protocol()
    for _ in range(50):
        writer.write(frame(PING, b"x" * 125) * 1000)
        await asyncio.wait_for(writer.drain(), LIMIT)
    writer.write(frame(PING, b"the last"))
    while protocol.pong is None or not protocol.pong.endswith(b"the last"):
        await asyncio.sleep(0)
    assert transport.get_write_buffer_size() <= before


# Limits ----------------------------------------------------------------------------------------------------------


async def test_a_message_of_the_limit_is_taken_and_a_byte_more_is_1009(serve: Any, make_app: Any) -> None:
    """Also when it is compressed, where the limit is on the inflated size."""
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_MAX_MESSAGE_SIZE=100_000))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    await client.send("x" * 100_000)
    await client.send("x" * 100_001)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    code, _, closed_by = await app.end()
    assert (code, closed_by) == (1009, "server")
    assert app.data == ["x" * 100_000]


@pytest.mark.parametrize("size", [10, 11])
async def test_the_limit_is_for_all_the_frames_of_a_message(serve: Any, make_app: Any, raw: Any, size: int) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_MAX_MESSAGE_SIZE=10))
    reader, writer = await raw(server.port)
    writer.write(frame(TEXT, b"x", fin=False) + frame(CONT, b"x", fin=False) * (size - 2))
    writer.write(frame(PING, b"amid") + frame(CONT, b"x") + frame(CLOSE, b"\x03\xe8"))
    ends = await app.end()
    assert (ends[0], app.data) == ((1000, ["x" * 10]) if size == 10 else (1009, []))
    assert b"\x8a\x04amid" in await asyncio.wait_for(reader.read(), LIMIT) or size == 11


async def test_a_close_frame_overtakes_what_the_peer_is_sending(serve: Any, make_app: Any) -> None:
    """A client in the midst of a message that is too large gets the code, and no reset of the connection."""
    server = await serve(make_app(websocket=Recorder(), WEBSOCKET_MAX_MESSAGE_SIZE=1000))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/", compression=None)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.send(bytes(30_000_000)), LIMIT)
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


async def deflating(port: int, connect: Any) -> Any:
    reader, writer = await connect(port)
    writer.write(UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    assert b"permessage-deflate" in head
    return reader, writer


def deflated(size: int) -> bytes:
    """A message of so many zeros, as small as can be."""
    deflater = zlib.compressobj(9, wbits=-12)
    data = deflater.compress(bytes(size)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


async def test_messages_that_inflate_wait_deflated(serve: Any, make_app: Any, connect: Any) -> None:
    """A hundred of a megabyte arrive in one or two reads; the app does not read, and most of them are not inflated."""
    app = Recorder()
    app.go_on.clear()
    server = await serve(make_app(websocket=app))
    _, writer = await deflating(server.port, connect)
    one = frame(BINARY, deflated(1_000_000), compressed=True)
    assert len(one) < 1100
    writer.write(one * 100 + frame(CLOSE, b"\x03\xe8"))
    await asyncio.wait_for(writer.drain(), LIMIT)
    protocol = app.scope["quart_plug.abort"].__self__.get_protocol()
    while protocol.reading:
        await asyncio.sleep(0)
    assert protocol.size < 20_000_000
    app.go_on.set()
    assert (await app.end())[0] == 1000
    assert [len(data) for data in app.data] == [1_000_000] * 100


async def test_frames_without_data_are_not_kept(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    _, writer = await raw(server.port)
    writer.write(frame(TEXT, b"", fin=False) + frame(CONT, b"", fin=False) * 20_000 + frame(CONT, b"end"))
    writer.write(frame(CLOSE, b"\x03\xe8"))
    await app.end()
    assert app.data == ["end"]


async def test_a_peer_has_to_wait_for_an_app_that_does_not_read(serve: Any, make_app: Any, raw: Any) -> None:
    """And when the app reads, it gets everything in order, however the client ended."""
    app = Recorder()
    app.go_on.clear()
    server = await serve(make_app(websocket=app))
    _, writer = await raw(server.port)
    sent = 0
    while True:
        writer.write(frame(TEXT, b"%06d" % sent + b"." * 100_000))
        sent += 1
        try:
            await asyncio.wait_for(writer.drain(), 0.3)
        except TimeoutError:
            break
        assert sent < 300
    protocol = app.scope["quart_plug.abort"].__self__.get_protocol()
    assert protocol.size + len(protocol.unread) < 1_000_000
    app.go_on.set()
    await asyncio.wait_for(writer.drain(), LIMIT)
    writer.write_eof()
    assert (await app.end())[0] == 1006
    assert [text[:6] for text in app.data] == [f"{number:06d}" for number in range(sent)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02ok", 1002),  # without a mask
        (frame(CONT, b"x"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (frame(0x3, b"x"), 1002),
        (frame(TEXT, b"x", compressed=True), 1002),  # nothing was agreed on
        (frame(PING, b"x" * 126), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(CLOSE, b"\x03"), 1002),
    ],
    ids=["mask", "continuation", "new message", "opcode", "rsv1", "long ping", "utf-8", "reason", "code"],
)
async def test_a_breach_of_the_protocol_is_answered(
    serve: Any, make_app: Any, raw: Any, data: bytes, code: int
) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    writer.write(data + frame(TEXT, b"more"))
    ended, _, closed_by = await app.end()
    assert (ended, closed_by, app.data) == (code, "server", [])
    assert (await closing(reader))[0] == code


# Pings -----------------------------------------------------------------------------------------------------------


async def test_a_peer_that_answers_no_ping_is_lost(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.02, WEBSOCKET_PING_TIMEOUT=0.02))
    _, _writer = await raw(server.port)
    assert await app.end() == (1006, "no answer to a ping", "network")


@pytest.mark.parametrize("timeout", [5.0, None])
async def test_a_peer_that_answers_pings_is_kept(
    serve: Any, make_app: Any, raw: Any, timeout: float | None
) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.01, WEBSOCKET_PING_TIMEOUT=timeout))
    reader, writer = await raw(server.port)
    for _ in range(5):
        assert await asyncio.wait_for(reader.readexactly(2), LIMIT) == b"\x89\x00"
        writer.write(frame(PONG, b""))
    assert not app.ended.is_set()


async def test_a_peer_that_sends_is_alive(serve: Any, make_app: Any, raw: Any) -> None:
    """Its answer may be behind a message that takes long."""
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.05, WEBSOCKET_PING_TIMEOUT=0.5))
    reader, writer = await raw(server.port)
    writer.write(frame(TEXT, b"." * 125)[:20])
    for _ in range(12):
        await asyncio.sleep(0.06)
        writer.write(b".")
    assert not app.ended.is_set()
    assert await asyncio.wait_for(reader.readexactly(2), LIMIT) == b"\x89\x00"


async def test_a_peer_that_the_app_does_not_read_from_is_not_taken_for_dead(
    serve: Any, make_app: Any, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "MOST_MESSAGES", 1)
    app = Recorder()
    app.go_on.clear()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.02, WEBSOCKET_PING_TIMEOUT=0.02))
    reader, writer = await raw(server.port)
    writer.write(frame(TEXT, b"one"))
    for _ in range(5):  # they go on, though nobody reads the answers
        assert await asyncio.wait_for(reader.readexactly(2), LIMIT) == b"\x89\x00"
        writer.write(frame(PONG, b""))
    writer.write(frame(CLOSE, b"\x03\xe8"))
    app.go_on.set()
    assert await app.end() == (1000, "", "client")


# Handshakes ------------------------------------------------------------------------------------------------------


async def test_what_the_app_is_told_of_a_handshake(serve: Any, make_app: Any, connect: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    _, writer = await connect(server.port)
    writer.write(
        UPGRADE + b"Sec-WebSocket-Protocol: one, two\r\nSec-WebSocket-Protocol: three\r\n"
        b"Cookie: long=" + b"c" * 20_000 + b"\r\nX-Name: \xfc\r\n\r\n" + b""
    )
    await asyncio.sleep(0)
    while app.scope is None:
        await asyncio.sleep(0.01)
    scope = app.scope
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/chat room", b"/chat%20room", b"a=b")
    assert scope["subprotocols"] == ["one", "two", "three"]
    assert (scope["scheme"], scope["http_version"], scope["server"][1]) == ("ws", "1.1", server.port)
    headers = dict(scope["headers"])
    assert (headers[b"x-name"], len(headers[b"cookie"])) == (b"\xfc", 20_005)
    assert "websocket.http.response" in scope["extensions"]


async def test_accepting_with_headers_and_a_subprotocol(serve: Any, make_app: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-name", b"\xfc"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await send({"type": "websocket.accept", "subprotocol": "two", "headers": headers})

    server = await serve(make_app(websocket=app))
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/", subprotocols=["one", "two"]) as client:
        assert client.subprotocol == "two"
        assert client.response is not None
        sent = client.response.headers
        assert sent["x-name"] in ("ü", "\udcfc")  # the client's package reads it in one way or the other
        assert sent.get_all("set-cookie") == ["a=1", "b=2"]
        assert len(sent.get_all("date")) == 1


DENIALS: dict[str, tuple[list[dict[str, Any]], int, bytes]] = {
    "close": ([{"type": "websocket.close", "code": 4003, "reason": "token"}], 403, b"4003 token\n"),
    "http": (
        [
            {"type": "websocket.http.response.start", "status": 401, "headers": [(b"content-length", b"5")]},
            {"type": "websocket.http.response.body", "body": b"lo", "more_body": True},
            {"type": "websocket.http.response.body", "body": b"gin"},
        ],
        401,
        b"login",
    ),
    "http of unknown length": (
        [
            {"type": "websocket.http.response.start", "status": 599, "headers": []},
            {"type": "websocket.http.response.body", "body": b"odd"},
        ],
        599,
        b"odd",
    ),
    "nothing": ([], 500, b"Internal Server Error"),
    "error": ([{"type": "websocket.send", "text": "too early"}], 500, b"Internal Server Error"),
    "bad header": (
        [{"type": "websocket.accept", "headers": [(b"x", b"a\r\nset-cookie: b")]}],
        500,
        b"Internal Server Error",
    ),
}


@pytest.mark.parametrize("case", list(DENIALS))
async def test_refusing_is_an_http_answer(serve: Any, make_app: Any, connect: Any, case: str) -> None:
    messages, status, body = DENIALS[case]
    ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(message)
        if messages and status < 500:
            ended.set_result(await receive())

    server = await serve(make_app(websocket=app))
    reader, writer = await connect(server.port)
    writer.write(UPGRADE + b"\r\n")
    answer = await asyncio.wait_for(reader.read(), LIMIT)
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status) and b"connection: close" in head
    assert rest == body
    if messages and status < 500:
        assert (await asyncio.wait_for(ended, LIMIT))["closed_by"] == "server"


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"", 400),
        (b"Key: dGhlIHNhbXBsZSBub25jZQ==", b"Key: short", 400),
        (b"Version: 13", b"Version: 8", 400),
        (b"GET", b"POST", 400),
        (b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", 400),
    ],
    ids=["no key", "short key", "version", "method", "http version"],
)
async def test_what_is_no_handshake_does_not_reach_the_app(
    serve: Any, make_app: Any, connect: Any, old: bytes, new: bytes, status: int
) -> None:
    server = await serve(make_app(websocket=pytest.fail))
    reader, writer = await connect(server.port)
    assert old in UPGRADE
    writer.write(UPGRADE.replace(old, new, 1) + b"\r\n")
    answer = await asyncio.wait_for(reader.read(), LIMIT)
    assert answer.startswith(b"HTTP/1.1 %d" % status)


@pytest.mark.parametrize("accepting", ["before", "after"])
@pytest.mark.parametrize("together", [True, False], ids=["in one piece", "later"])
async def test_data_before_the_handshake_is_answered_is_refused_and_the_app_told(
    serve: Any,
    make_app: Any,
    connect: Any,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    accepting: str,
    together: bool,
) -> None:
    monkeypatch.setattr(connections, "STOP_SECONDS", 0.1)
    accept, called, messages = asyncio.Event(), asyncio.Event(), asyncio.Queue[Any]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        called.set()
        await accept.wait()
        try:
            await send({"type": "websocket.accept"})
        except OSError:
            messages.put_nowait("refused")
        messages.put_nowait(await receive())

    server = await serve(make_app(websocket=app))
    reader, writer = await connect(server.port)
    if accepting == "before" and together:
        accept.set()
    early = frame(TEXT, b"early")
    writer.write(UPGRADE + b"\r\n" + (early if together else b""))
    await asyncio.wait_for(called.wait(), LIMIT)
    if not together:
        writer.write(early)
    answer = await asyncio.wait_for(reader.read(), LIMIT)
    assert answer.startswith(b"HTTP/1.1 400") and b"HTTP/1.1 101" not in answer
    accept.set()
    assert await asyncio.wait_for(messages.get(), LIMIT) == "refused"
    message = await asyncio.wait_for(messages.get(), LIMIT)
    assert (message["type"], message["code"], message["closed_by"]) == ("websocket.disconnect", 1006, "network")
    await server.stop()
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_who_leaves_before_the_answer_is_told_to_the_app(serve: Any, make_app: Any, connect: Any) -> None:
    messages = asyncio.Queue[Any]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        messages.put_nowait(await receive())
        messages.put_nowait(await receive())

    server = await serve(make_app(websocket=app))
    _, writer = await connect(server.port)
    writer.write(UPGRADE + b"\r\n")
    assert (await asyncio.wait_for(messages.get(), LIMIT))["type"] == "websocket.connect"
    writer.transport.abort()
    message = await asyncio.wait_for(messages.get(), LIMIT)
    assert (message["code"], message["closed_by"]) == (1006, "network")
