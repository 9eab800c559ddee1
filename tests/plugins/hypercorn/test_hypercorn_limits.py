"""What one client may take of the server: connections, headers, time, and memory of what it does not read."""

from __future__ import annotations

import asyncio
from typing import Any

import h2.events
import pytest
from h2.errors import ErrorCodes

from quart_plug_hypercorn.protocols import BUFFER_HIGH_WATER

LIMIT = 10.0
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_one_connection_too_many_is_answered_with_503(serve: Any, make_app: Any, connect: Any, get: Any) -> None:
    server = await serve(make_app(hello), limit_connections=2)
    first, second = await connect(server.port), await connect(server.port)
    for reader, writer in (first, second):
        writer.write(REQUEST)
        await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    answer = await get(server.port)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"connection: close" in answer
    assert answer.endswith(b"\r\n\r\nToo many connections; try later")
    first[1].close()
    while not (await get(server.port)).endswith(b"hello"):  # once the server has noticed
        await asyncio.sleep(0)
    second[1].write(REQUEST)
    await asyncio.wait_for(second[0].readuntil(b"hello"), LIMIT)


async def test_headers_over_the_limit_are_refused(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello), limit_headers=1_000)
    reader, writer = await connect(server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2_000)
    assert (await asyncio.wait_for(reader.read(), LIMIT)).startswith(b"HTTP/1.1 431 ")


async def test_an_idle_connection_is_closed_in_time(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello), keep_alive=0.05)
    silent, _ = await connect(server.port)
    reader, writer = await connect(server.port)
    writer.write(REQUEST)
    await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    assert await asyncio.wait_for(reader.read(), LIMIT) == b""
    assert await asyncio.wait_for(silent.read(), LIMIT) == b""


@pytest.mark.parametrize("method", ["GET", "CONNECT"], ids=["response", "websocket"])
async def test_what_an_app_sends_waits_for_the_window(serve: Any, make_app: Any, http2: Any, method: str) -> None:
    """A stream whose peer opens no window holds one buffer, and no more; another one goes on; opened, all arrives."""
    sent = 0
    piece = b"x" * 16_384

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        if scope["path"] == "/hello":
            await hello(scope, receive, send)
            return
        web = scope["type"] == "websocket"
        await send({"type": "websocket.accept"} if web else {"type": "http.response.start", "status": 200})
        for _ in range(100):
            body: Any = {"type": "http.response.body", "body": piece, "more_body": True}
            await send({"type": "websocket.send", "bytes": piece} if web else body)
            sent += len(piece)
        await send({"type": "websocket.close"} if web else {"type": "http.response.body"})

    server = await serve(make_app(flood, flood))
    client = await http2(server.port)
    stuck = client.open(method)
    await client.until(h2.events.DataReceived, stuck)
    for _ in range(3):  # each answered behind what the flood could send meanwhile
        other = client.open("GET", "/hello")
        assert (await client.until(h2.events.DataReceived, other)).data == b"hello"
    assert sent <= 65_535 + BUFFER_HIGH_WATER + len(piece)
    client.protocol.increment_flow_control_window(2**22, stuck)
    client.flush()
    await client.until(h2.events.StreamEnded, stuck)
    assert sent == 100 * len(piece)


async def test_pings_are_not_answered_for_ever_to_who_does_not_read(serve: Any, make_app: Any, http2: Any) -> None:
    """Nor do they stop the connection, on which the window may be opened."""

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await hello(scope, receive, send)
            return
        await send({"type": "websocket.accept"})
        for _ in range(100):
            await send({"type": "websocket.send", "bytes": b"x" * 16_384})

    server = await serve(make_app(flood, flood))
    client = await http2(server.port)
    stuck = client.open("CONNECT")
    await client.until(h2.events.DataReceived, stuck)
    for _ in range(50):
        client.send(stuck, b"\x89\xfd\x00\x00\x00\x00" + b"p" * 125)
    other = client.open("GET")
    assert (await client.until(h2.events.DataReceived, other)).data == b"hello"


async def test_data_of_a_stream_that_was_answered_is_dropped(serve: Any, make_app: Any, http2: Any) -> None:
    """The rest of a refused upload: its connection goes on, and the client is told to stop."""
    server = await serve(make_app(hello))
    client = await http2(server.port)
    upload = client.open("POST")
    await client.until(h2.events.StreamEnded, upload)
    client.send(upload, b"late")
    assert (await client.until(h2.events.StreamReset, upload)).error_code == ErrorCodes.NO_ERROR
    other = client.open("GET")
    assert (await client.until(h2.events.DataReceived, other)).data == b"hello"
