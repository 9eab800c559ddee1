"""The end of the server under load: what it has accepted is answered, and clients are told to go elsewhere."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h2.events
import pytest
from h2.errors import ErrorCodes

from quart_plug_hypercorn import protocols
from tests.support.load import REQUEST, Load

LIMIT = 10.0


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def long_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "LINGER_SECONDS", 60.0)


async def refused(port: int) -> None:
    """Wait until the listening socket is closed."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.transport.abort()


async def test_a_request_on_an_idle_connection_is_still_answered_and_the_last_one(
    serve: Any, make_app: Any, connect: Any, long_linger: None
) -> None:
    server = await serve(make_app(hello, SHUTDOWN_TIMEOUT=60.0))
    reader, writer = await connect(server.port)
    writer.write(REQUEST)
    assert b"connection: close" not in await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    stopping = asyncio.ensure_future(server.stop())
    await refused(server.port)
    writer.write(REQUEST)
    answer = await asyncio.wait_for(reader.read(), LIMIT)  # to its end: the server closes
    assert b"connection: close\r\n" in answer and answer.endswith(b"hello")
    stopping.cancel()


async def test_who_waits_to_be_accepted_is_answered(serve: Any, make_app: Any) -> None:
    """The system has completed these connections, so that the clients think that they are accepted."""
    server = await serve(make_app(hello))
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]  # the loop has no turn
    server.stop_event.set()
    await asyncio.sleep(0)
    for client in clients:
        client.sendall(REQUEST)
        client.settimeout(LIMIT)
    await server.stop()
    for client in clients:
        with client:
            answer = client.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"hello")


async def test_no_request_fails_under_constant_load(serve: Any, make_app: Any) -> None:
    async def slowly(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.001)
        await hello(scope, receive, send)

    server = await serve(make_app(slowly))
    load = Load(server.port, 40)
    await load.reach(200, LIMIT)
    await server.stop()
    await load.end(LIMIT)
    assert load.failures == []


async def test_an_http2_client_is_told_to_go_and_its_requests_are_answered(
    serve: Any, make_app: Any, http2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first GOAWAY names no stream, so that the h2 library of the client is not told of it: frames it is."""
    monkeypatch.setattr(protocols, "LINGER_SECONDS", 0.3)
    release = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await hello(scope, receive, send)

    server = await serve(make_app(slow, SHUTDOWN_TIMEOUT=60.0))
    client = await http2(server.port)
    before = client.open("GET")
    await until_read(client)
    server.stop_event.set()
    assert await goaway(client) == 2**31 - 1
    meanwhile = client.open("GET")
    assert await goaway(client) == meanwhile
    late = client.open("GET")
    assert (await client.until(h2.events.StreamReset, late)).error_code == ErrorCodes.REFUSED_STREAM
    release.set()
    for stream in (before, meanwhile):
        assert (await client.until(h2.events.DataReceived, stream)).data == b"hello"
    await server.stop()


async def until_read(client: Any) -> None:
    """A ping is answered behind what was sent before it."""
    client.protocol.ping(b"01234567")
    client.flush()
    async with asyncio.timeout(LIMIT):
        while not any(isinstance(event, h2.events.PingAckReceived) for event in client.seen):
            client.seen += client.protocol.receive_data(await client.reader.read(65_536))


async def goaway(client: Any) -> int:
    """The last stream of the next GOAWAY frame, which is kept from the h2 library: that would send nothing any more."""
    data = await asyncio.wait_for(client.reader.readexactly(17), LIMIT)
    assert data[:9] == b"\x00\x00\x08\x07\x00\x00\x00\x00\x00"
    return int.from_bytes(data[9:13])
