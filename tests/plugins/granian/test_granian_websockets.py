"""What the plugin adds to granian's websockets, beside what tests/wire compares on every server."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed as Closed
from websockets.exceptions import InvalidStatus

from quart_plug import ConnectionClosed, Quart, Response, websocket
from tests.plugins.granian.conftest import LIMIT
from tests.plugins.granian.test_granian_serving import CERTIFICATE

End = tuple[int, str, "str | None"]


@pytest.fixture
def ends() -> asyncio.Queue[End]:
    """How the websockets of the app `recording` have ended."""
    return asyncio.Queue()


@pytest.fixture
def recording(ends: asyncio.Queue[End]) -> Quart:
    app = Quart(__name__)

    @app.websocket("/")
    async def listen() -> None:
        try:
            while True:
                await websocket.receive()
        except ConnectionClosed as end:
            ends.put_nowait((end.code, end.reason, end.closed_by))
            raise

    return app


async def next_end(ends: asyncio.Queue[End]) -> End:
    return await asyncio.wait_for(ends.get(), LIMIT)


async def closed(client: Any) -> tuple[int, str]:
    """The close frame that the client gets."""
    with pytest.raises(Closed) as caught:
        await asyncio.wait_for(client.recv(), LIMIT)
    assert caught.value.rcvd is not None, "cut off without a close frame"
    return caught.value.rcvd.code, caught.value.rcvd.reason


# Ends that granian all calls 1005


def _reset(client: Any) -> None:
    client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.transport.abort()


def _close_without_a_code(client: Any) -> None:
    client.transport.write(b"\x88\x80\0\0\0\0")


def _close_without_a_code_and_leave(client: Any) -> None:
    client.transport.write(b"\x88\x80\0\0\0\0")
    client.transport.close()


def _break_the_protocol(client: Any) -> None:
    client.transport.write(b"\xff\x80\0\0\0\0")


def _announce_a_large_frame(client: Any) -> None:
    much = bytes(4_000_000)  # more than is read at once
    client.transport.write(b"\x82\xff" + (16 * 2**20 + 1).to_bytes(8, "big") + bytes(4) + much)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (_reset, (1006, "network")),
        (_close_without_a_code, (1005, "client")),
        (_close_without_a_code_and_leave, (1005, "client")),
        (_break_the_protocol, (1002, "server")),
        (_announce_a_large_frame, (1009, "server")),
    ],
    ids=["reset", "no-code", "no-code-gone", "breach", "too-large"],
)
async def test_it_is_known_what_ended_the_connection(
    serve: Any,
    connect: Any,
    recording: Quart,
    ends: asyncio.Queue[End],
    act: Callable[[Any], None],
    expected: tuple[int, str],
    tls: bool,
) -> None:
    if tls:
        import ssl

        server = await serve(recording, certfile=str(CERTIFICATE))
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        client = await connect(f"wss://localhost:{server.port}/", ssl=context, host="127.0.0.1")
    else:
        client = await connect((await serve(recording)).ws())
    act(client)
    code, _, by = await next_end(ends)
    assert (code, by) == expected
    if by == "server":
        assert (await closed(client))[0] == code


async def test_without_a_list_of_descriptors_1005_is_left_as_it_is(
    serve: Any, connect: Any, recording: Quart, ends: asyncio.Queue[End], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, where nobody knows whether the client closed or was lost."""
    monkeypatch.setattr("quart_plug_granian.transports._FOLDERS", ())
    client = await connect((await serve(recording)).ws())
    _reset(client)
    assert await next_end(ends) == (1005, "", None)


# Receiving


async def test_a_receive_that_is_given_up_loses_no_message(serve: Any, connect: Any) -> None:
    app = Quart(__name__)
    given_up = 0

    @app.websocket("/")
    async def listen() -> None:
        nonlocal given_up
        got: list[str] = []
        while not got or got[-1] != "last":
            try:
                got.append(await websocket.receive(timeout=0.0005))
            except TimeoutError:
                given_up += 1
        await websocket.send_json([len(got), got == [*map(str, range(1500)), "last"]])

    client = await connect((await serve(app)).ws())
    for number in range(1500):
        await client.send(str(number))
        if number % 50 == 0:
            await asyncio.sleep(0.002)  # so that it is waited in vain
    await client.send("last")
    assert await asyncio.wait_for(client.recv(), LIMIT) == "[1501, true]"
    assert given_up


async def test_closing_does_not_wait_for_a_peer_that_says_nothing(serve: Any, connect: Any) -> None:
    app = Quart(__name__)
    told: asyncio.Queue[End] = asyncio.Queue()

    @app.websocket("/")
    async def listen() -> None:
        async def read() -> None:
            try:
                await websocket.receive()
            except ConnectionClosed as end:
                told.put_nowait((end.code, end.reason, end.closed_by))

        await websocket.accept()
        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        await websocket.close(4001, "bye")
        await reading

    client = await connect((await serve(app)).ws())
    assert await closed(client) == (4001, "bye")
    assert await next_end(told) == (4001, "bye", "server")


async def test_a_peer_that_goes_on_sending_gets_the_close_frame(serve: Any, connect: Any) -> None:
    """The system resets a connection that is closed with something unread, and what was sent may be lost with it."""
    app = Quart(__name__)

    @app.websocket("/")
    async def listen() -> None:
        for _ in range(3):
            await websocket.receive()
        await websocket.close(4002, "enough")

    server = await serve(app)
    for _ in range(10):
        client = await connect(server.ws())
        with suppress(Closed):
            while client.close_code is None:
                await asyncio.wait_for(client.send(b"x" * 50_000), LIMIT)
        await asyncio.wait_for(client.wait_closed(), LIMIT)
        assert (client.close_code, client.close_reason) == (4002, "enough")


# Handshakes


async def test_an_acceptance_has_its_headers(serve: Any, connect: Any) -> None:
    app = Quart(__name__)

    @app.websocket("/", subprotocols=["chat"])
    async def accept() -> None:
        await websocket.accept(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-One", "1")])
        await websocket.send("here")

    client = await connect((await serve(app)).ws(), subprotocols=["chat"])
    headers = client.response.headers
    assert (headers.get_all("set-cookie"), headers["x-one"], client.subprotocol) == (["a=1", "b=2"], "1", "chat")
    assert await client.recv() == "here"


async def test_a_refusal_may_repeat_its_headers(serve: Any, connect: Any) -> None:
    """granian 2.8 alone ends the process."""
    app = Quart(__name__)

    @app.websocket("/")
    async def refuse() -> Response:
        response = Response("no tea", 418)
        for name in "abc":
            response.set_cookie(name, "1")
        response.headers.add("X-Why", "cold")
        response.headers.add("X-Why", "late")
        return response

    server = await serve(app)
    with pytest.raises(InvalidStatus) as caught:
        await connect(server.ws())
    answer = caught.value.response
    assert (answer.status_code, answer.body) == (418, b"no tea")
    assert [cookie[0] for cookie in answer.headers.get_all("set-cookie")] == ["a", "b", "c"]
    assert answer.headers["x-why"] == "cold, late"


async def test_with_tls_headers_that_cannot_be_sent_are_told(
    serve: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import ssl

    app = Quart(__name__)

    @app.websocket("/")
    async def accept() -> None:
        await websocket.accept(headers={"X-One": "1"})
        await websocket.send("here")

    server = await serve(app, certfile=str(CERTIFICATE))
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    with caplog.at_level(logging.WARNING, "quart_plug.granian"):
        client = await connect(f"wss://localhost:{server.port}/", ssl=context, host="127.0.0.1")
    assert await client.recv() == "here" and "x-one" not in client.response.headers
    assert [record.getMessage() for record in caplog.records] == [
        "granian cannot send these headers with its answer to a handshake, left out: x-one"
    ]


# Peers that do not read


async def test_a_peer_that_does_not_read_is_ended(serve: Any, connect: Any) -> None:
    """Its connection too, so that the server's end does not wait for it."""
    app = Quart(__name__)
    app.config.update(WEBSOCKET_SEND_TIMEOUT=0.3, SHUTDOWN_TIMEOUT=LIMIT)
    told: asyncio.Queue[End] = asyncio.Queue()

    @app.websocket("/")
    async def flood() -> None:
        try:
            while True:
                await websocket.send(b"x" * 1_000_000)
        except ConnectionClosed as end:
            told.put_nowait((end.code, end.reason, end.closed_by))

    server = await serve(app)
    client = await connect(server.ws())
    client.transport.pause_reading()
    code, _, by = await next_end(told)
    assert (code, by) == (1013, "server")
    await server.stop()


# The end


async def test_every_websocket_is_closed_with_1012_and_its_view_told(
    serve: Any, connect: Any, recording: Quart, ends: asyncio.Queue[End]
) -> None:
    server = await serve(recording)
    clients = [await connect(server.ws()) for _ in range(20)]
    stopping = asyncio.ensure_future(server.stop())
    assert {await closed(client) for client in clients} == {(1012, "the server stops")}
    await stopping
    assert {await next_end(ends) for _ in clients} == {(1012, "the server stops", "server")}


async def test_websockets_that_the_framework_does_not_know_are_closed_as_well(serve: Any, connect: Any) -> None:
    app = Quart(__name__)
    inner = app.asgi_app
    last: list[Any] = []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            await inner(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        last.append(await receive())

    app.asgi_app = middleware  # type: ignore[method-assign,assignment]
    server = await serve(app)
    client = await connect(server.ws())
    stopping = asyncio.ensure_future(server.stop())
    assert await closed(client) == (1012, "the server stops")
    await stopping
    assert [(each["type"], each["code"], each["closed_by"]) for each in last] == [
        ("websocket.disconnect", 1012, "server")
    ]


async def test_a_request_in_flight_is_finished_and_later_connections_are_refused(serve: Any, dial: Any) -> None:
    app = Quart(__name__)
    begun, go_on = asyncio.Event(), asyncio.Event()

    @app.get("/")
    async def slow() -> str:
        begun.set()
        await go_on.wait()
        return "finished"

    server = await serve(app)
    reader, writer = await dial(server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.wait_for(begun.wait(), LIMIT)
    server.stopping.set()
    with pytest.raises(OSError):
        while True:
            await dial(server.port)
            await asyncio.sleep(0)
    go_on.set()
    assert (await asyncio.wait_for(reader.read(), LIMIT)).endswith(b"finished")
    await server.ended()


async def test_a_request_on_its_way_is_answered_and_its_connection_ended(serve: Any, dial: Any) -> None:
    """A client with an idle connection may send its next request before it learns of the end."""
    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: "hello")
    server = await serve(app)
    reader, writer = await dial(server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    server.stopping.set()
    with pytest.raises(OSError):  # as soon as it accepts no more
        while True:
            await dial(server.port)
            await asyncio.sleep(0)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), LIMIT)
    assert b"\r\nconnection: close\r\n" in answer.lower() and answer.endswith(b"hello")
    await server.ended()


async def test_connections_that_have_ended_hide_no_other(
    serve: Any, connect: Any, get: Any, recording: Quart, ends: asyncio.Queue[End]
) -> None:
    """Their descriptors are given to those that come later."""
    server = await serve(recording)
    for act, expected in ((_reset, 1006), (_break_the_protocol, 1002), (_close_without_a_code, 1005)) * 3:
        await get(server.port)
        other, client = await connect(server.ws()), await connect(server.ws())
        act(client)
        assert (await next_end(ends))[0] == expected
        await other.close(1000)
        assert (await next_end(ends))[0] == 1000
