"""Requests through uvicorn's two parsers: limits, and ends that lose no request."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
import websockets

from quart_plug_uvicorn import http, settings
from quart_plug_uvicorn.http import H11Connection, HttpToolsConnection

LIMIT = 10.0
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
PARSERS = {"h11": H11Connection, "httptools": HttpToolsConnection}


@pytest.fixture(params=list(PARSERS), autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(settings, "HttpConnection", PARSERS[request.param])
    return str(request.param)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


class Slow:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.go_on = asyncio.Event()
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.called.set()
        await self.go_on.wait()
        await hello(scope, receive, send)


async def read(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), LIMIT)


def test_httptools_is_taken_where_it_is_installed() -> None:
    assert http.HttpConnection is HttpToolsConnection


async def test_several_requests_on_one_connection(serve: Any, make_app: Any, connect: Any) -> None:
    """Pipelined too, and with bodies."""
    bodies: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        bodies.append(body)
        await hello(scope, receive, send)

    server = await serve(make_app(app))
    reader, writer = await connect(server.port)
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    large = b"x" * 300_000
    writer.write(post % 3 + b"\r\nabc" + GET + b"\r\n" + post % len(large) + b"\r\n" + large)
    writer.write(GET + b"Connection: close\r\n\r\n")
    assert (await read(reader)).count(b"hello") == 4
    assert bodies == [b"abc", b"", large, b""]


# Limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 431)])
@pytest.mark.parametrize("before", [0, 2])
async def test_line_and_headers_may_have_so_many_bytes(
    serve: Any, make_app: Any, connect: Any, spare: int, status: int, before: int
) -> None:
    """Exactly, in whatever pieces they come; for each request."""
    head = GET + b"Connection: close\r\nX: " + b"x" * 5000 + b"\r\n\r\n"
    server = await serve(make_app(hello), limit_headers=len(head) + spare)
    reader, writer = await connect(server.port)
    for _ in range(before):
        writer.write(GET + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    for start in range(0, len(head), 999):
        writer.write(head[start : start + 999])
        await asyncio.sleep(0)
    assert (await read(reader)).startswith(b"HTTP/1.1 %d" % status)


async def test_headers_without_an_end_are_refused(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello), limit_headers=10_000)
    reader, writer = await connect(server.port)
    writer.write(GET + b"X: ")
    while not reader.at_eof() and not reader._buffer:  # type: ignore[attr-defined]
        writer.write(b"x" * 1000)
        await asyncio.sleep(0)
    assert (await read(reader)).startswith(b"HTTP/1.1 431")


async def test_headers_that_take_too_long_are_refused(
    serve: Any, make_app: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.05)
    server = await serve(make_app(hello))
    reader, writer = await connect(server.port)
    writer.write(GET)
    assert (await read(reader)).startswith(b"HTTP/1.1 408")


async def test_a_body_may_take_its_time(
    serve: Any, make_app: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BODY_TIMEOUT is the framework's."""
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.05)
    came = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            came.set()
        await hello(scope, receive, send)

    server = await serve(make_app(app), keep_alive=0.05)
    reader, writer = await connect(server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nab")
    await asyncio.wait_for(came.wait(), LIMIT)
    await asyncio.sleep(0.1)  # the limits have passed
    writer.write(b"cde")
    assert (await read(reader)).endswith(b"hello")


@pytest.mark.parametrize("before", [0, 1])
async def test_an_idle_connection_is_closed(serve: Any, make_app: Any, connect: Any, before: int) -> None:
    server = await serve(make_app(hello), keep_alive=0.05)
    reader, writer = await connect(server.port)
    for _ in range(before):
        writer.write(GET + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    assert await read(reader) == b""


async def test_one_connection_too_many_is_refused(serve: Any, make_app: Any, connect: Any) -> None:
    """Websockets count; and who leaves makes room."""

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    server = await serve(make_app(hello, wait), limit_connections=2)
    idle, _writer = await connect(server.port)
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    reader, writer = await connect(server.port)
    writer.write(GET + b"\r\n")
    assert (await read(reader)).startswith(b"HTTP/1.1 503")
    await client.close()
    while True:  # from the moment at which the server has noticed
        reader, writer = await connect(server.port)
        writer.write(GET + b"Connection: close\r\n\r\n")
        if (await read(reader)).endswith(b"hello"):
            break
    assert not idle.at_eof()


async def test_what_is_no_request_is_answered_with_400(
    serve: Any, make_app: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(make_app(hello))
    reader, writer = await connect(server.port)
    writer.write(b"this is no request\r\n\r\n")
    assert (await read(reader)).startswith(b"HTTP/1.1 400")


async def test_another_protocol_is_not_taken(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello))
    reader, writer = await connect(server.port)
    writer.write(GET + b"Connection: Upgrade\r\nUpgrade: chat/2\r\n\r\n")
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)


async def test_a_peer_that_does_not_read_holds_the_app_back(serve: Any, make_app: Any, connect: Any) -> None:
    sent = 0
    ended = asyncio.Event()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(1000):
                await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
                sent += 1
        finally:
            ended.set()

    server = await serve(make_app(flood, SHUTDOWN_TIMEOUT=0.1))
    reader, writer = await connect(server.port)
    reader._transport.pause_reading()
    writer.write(GET + b"\r\n")
    quiet, last = 0, -1
    while quiet < 200 or not sent:
        await asyncio.sleep(0)
        quiet, last = (quiet + 1 if sent == last else 0), sent
    assert sent < 100
    await server.stop()
    assert ended.is_set()


# The end ---------------------------------------------------------------------------------------------------------


async def test_the_last_answer_says_that_the_connection_is_closed(
    serve: Any, make_app: Any, connect: Any
) -> None:
    app = Slow()
    server = await serve(make_app(app))
    reader, writer = await connect(server.port)
    writer.write(GET + b"\r\n")
    await asyncio.wait_for(app.called.wait(), LIMIT)
    stopping = asyncio.ensure_future(server.stop())
    with pytest.raises(ConnectionRefusedError):
        while True:
            _, other = await connect(server.port)
            other.transport.abort()
    app.go_on.set()
    answer = await read(reader)
    assert answer.lower().count(b"connection: close") == 1 and answer.endswith(b"hello")
    await stopping


async def test_a_request_that_was_on_its_way_is_answered(serve: Any, make_app: Any, connect: Any) -> None:
    """It says that it is the last one of its connection."""
    server = await serve(make_app(hello, SHUTDOWN_TIMEOUT=60.0))
    reader, writer = await connect(server.port)
    writer.write(GET + b"\r\n")
    assert b"close" not in await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    stopping = asyncio.ensure_future(server.stop())
    with pytest.raises(ConnectionRefusedError):
        while True:
            _, other = await connect(server.port)
            other.transport.abort()
    writer.write(GET + b"\r\n")
    answer = await read(reader)
    assert b"connection: close" in answer and answer.endswith(b"hello")
    await stopping


async def test_who_waits_to_be_accepted_is_served(serve: Any, make_app: Any) -> None:
    server = await serve(make_app(hello))
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for client in clients:  # the loop has had no turn yet: none of them is accepted
        client.sendall(GET + b"Connection: close\r\n\r\n")
    server.stop_event.set()
    for client in clients:
        reader, writer = await asyncio.open_connection(sock=client)
        assert (await read(reader)).endswith(b"hello")
        writer.close()
        await writer.wait_closed()
    await server.stop()


async def test_idle_connections_do_not_delay_the_end(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello, SHUTDOWN_TIMEOUT=60.0), keep_alive=60.0)
    unused, _writer = await connect(server.port)
    reader, writer = await connect(server.port)
    writer.write(GET + b"\r\n")
    await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    await server.stop()
    assert (await read(reader), await read(unused)) == (b"", b"")


async def test_who_goes_on_and_on_is_cut_off_at_the_limit(
    serve: Any, make_app: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = Slow()
    server = await serve(make_app(app, SHUTDOWN_TIMEOUT=0.05))
    _, writer = await connect(server.port)
    writer.write(GET + b"\r\n")
    await asyncio.wait_for(app.called.wait(), LIMIT)
    await server.stop()


# Logging ---------------------------------------------------------------------------------------------------------


async def test_the_access_log(
    serve: Any, make_app: Any, connect: Any, get: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line for a request and for a handshake, in the words of every server; uvicorn's loggers are left alone."""

    async def accept(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    def theirs() -> list[Any]:
        loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
        return [(logger.handlers, logger.level, logger.propagate) for logger in loggers]

    before = theirs()
    server = await serve(make_app(hello, accept), access_log=True)
    await get(server.port)
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/chat"):
        pass
    await server.stop()
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "GET / 1.1 200 5 " in lines[0] and "[INFO] 127.0.0.1:" in lines[0]
    assert "GET /chat 1.1 101 - " in lines[1]
    assert theirs() == before
