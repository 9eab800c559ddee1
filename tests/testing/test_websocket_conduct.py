"""Clients that do not behave, and time: each limit of a websocket can be tried in a test, without waiting for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, abort, websocket
from quart_plug.testing import (
    QuartClient,
    TestWebsocketConnection,
    WaitTimeoutError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)

ended: list[tuple[int, str, str | None] | str] = []


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    ended.clear()

    @app.websocket("/echo")
    async def echo() -> None:
        try:
            while True:
                await websocket.send(await websocket.receive())
        except ConnectionClosed as error:
            ended.append((error.code, error.reason, error.closed_by))

    @app.websocket("/talks")
    async def talks() -> None:
        try:
            for number in range(1000):
                await websocket.send(f"{number:98}")
        except ConnectionClosed as error:
            ended.append((error.code, error.reason, error.closed_by))

    @app.websocket("/beats")
    async def beats() -> None:
        await websocket.accept()
        websocket.heartbeat(20, timeout=10)
        await echo()

    @app.websocket("/never-accepts")
    async def never_accepts() -> None:
        await asyncio.Event().wait()

    @app.websocket("/never-reads")
    async def never_reads() -> None:
        await websocket.accept()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    @app.websocket("/refuses/<how>")
    async def refuses(how: str) -> None:
        if how == "close":
            await websocket.close(1008, "no")
        elif how == "reject":
            await websocket.reject(451, "for legal reasons")
        else:
            abort(404)

    return app


@pytest.fixture
def client(app: Quart) -> QuartClient:
    return app.test_client()


async def closed(connection: TestWebsocketConnection) -> tuple[int, str]:
    with pytest.raises(WebsocketDisconnectError) as caught:
        while True:
            await connection.receive()
    return caught.value.code, caught.value.reason


# A client that does not read -------------------------------------------------------------------------------------


async def test_what_the_app_sends_waits_and_is_not_lost(client: QuartClient) -> None:
    received: list[int] = []
    async with client.websocket("/talks") as connection:
        await connection.accept()
        connection.stop_reading(buffer=450)
        connection.timeout = 0.05
        with pytest.raises(WaitTimeoutError, match=r"sent \d+ messages, and 1 wait for this client to read"):
            while True:
                received.append(int(await connection.receive()))
        assert connection.held == 1 and 4 <= len(received) < 100
        connection.timeout = 5
        connection.start_reading()
        while len(received) < 1000:
            received.append(int(await connection.receive()))
        assert received == [*range(1000)] and connection.held == 0
        assert await closed(connection) == (1000, "")


async def test_one_that_never_reads_is_closed_by_the_send_time_out(client: QuartClient) -> None:
    async with client.websocket("/talks") as connection:
        await connection.accept()
        connection.stop_reading()
        await client.clock.advance(19)
        assert connection.held == 1 and not ended
        await client.clock.advance(3)
        assert ended == [(1013, "the peer does not read", "server")]
        assert connection.close_code == 1006, "no close frame has reached it"
    assert (await closed(connection))[0] == 1006


async def test_one_that_reads_in_time_is_told_why(client: QuartClient) -> None:
    async with client.websocket("/talks") as connection:
        await connection.accept()
        connection.stop_reading()
        await client.clock.advance(20.7)
        assert ended == [(1013, "the peer does not read", "server")]
        connection.start_reading()
        assert await closed(connection) == (1013, "the peer does not read")


async def test_one_that_leaves_instead_holds_nobody_up(client: QuartClient) -> None:
    client.send_after_close = "raise"
    async with client.websocket("/talks") as connection:
        await connection.accept()
        connection.stop_reading()
        await connection.vanish()
    assert ended == [(1006, "", "network")]


async def test_a_buffer_is_a_number_of_bytes(client: QuartClient) -> None:
    async with client.websocket("/echo") as connection:
        with pytest.raises(ValueError, match="-1"):
            connection.stop_reading(-1)


# A client that is silent -----------------------------------------------------------------------------------------


async def test_pings_that_are_not_answered(client: QuartClient) -> None:
    async with client.websocket("/echo") as connection:
        await connection.send("x")
        connection.stop_answering_pings()
        await client.clock.advance(39)
        assert not ended
        await client.clock.advance(2)
        assert ended == [(1006, "", "network")]


async def test_pings_that_are_answered_again_in_time(client: QuartClient) -> None:
    async with client.websocket("/echo") as connection:
        await connection.send("x")
        connection.stop_answering_pings()
        await client.clock.advance(30)
        connection.answer_pings()
        await client.clock.advance(60)
        assert not ended


async def test_a_server_without_pings(app: Quart, client: QuartClient) -> None:
    app.config["WEBSOCKET_PING_INTERVAL"] = None
    async with client.websocket("/echo") as connection:
        await connection.send("x")
        connection.stop_answering_pings()
        await client.clock.advance(600)
        assert not ended


async def test_nothing_is_left_of_the_pings(client: QuartClient) -> None:
    async with client.websocket("/echo") as connection:
        connection.stop_answering_pings()
    assert connection._silence is None


# Time ------------------------------------------------------------------------------------------------------------


async def test_a_heartbeat_that_is_not_answered(client: QuartClient) -> None:
    async with client.websocket("/beats") as connection:
        await connection.accept()
        await client.clock.advance(21)
        assert await connection.receive_json() == {"type": "heartbeat"}
        await client.clock.advance(11)
        assert await closed(connection) == (1001, "no answer to the heartbeat")


async def test_an_idle_connection(app: Quart, client: QuartClient) -> None:
    app.config["WEBSOCKET_IDLE_TIMEOUT"] = 60
    async with client.websocket("/echo") as connection:
        await connection.send("x")
        await client.clock.advance(59)
        assert connection.close_code is None
        await client.clock.advance(2)
        assert await closed(connection) == (1001, "idle")


async def test_a_view_that_does_not_accept(client: QuartClient) -> None:
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/never-accepts") as connection:
            await client.clock.advance(16)
            await connection.accept()
    assert caught.value.response.status_code == 403


async def test_a_view_that_does_not_read(client: QuartClient) -> None:
    """The app takes so many messages and no more; after a while it gives up."""
    async with client.websocket("/never-reads") as connection:
        await connection.accept()
        for _ in range(50):
            await connection.send("x")
        await client.clock.advance(1)
        assert connection.unread == 50 - 32
        await client.clock.advance(58)
        assert connection.close_code is None
        await client.clock.advance(3)
        assert await closed(connection) == (1008, "messages are not received")
        await client.clock.advance(6)
        assert ended == ["cancelled"]


async def test_the_grace_after_a_disconnect(client: QuartClient) -> None:
    async with client.websocket("/never-reads") as connection:
        await connection.accept()
        await connection.vanish()
        await client.clock.advance(4)
        assert not ended
        await client.clock.advance(2)
        assert ended == ["cancelled"]


# Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "status", "body"),
    [("close", 403, b""), ("reject", 451, b"for legal reasons"), ("abort", 404, b"Not Found")],
)
async def test_a_refusal_is_what_the_wire_carries(client: QuartClient, how: str, status: int, body: bytes) -> None:
    for can_deny in (True, False):
        with pytest.raises(WebsocketResponseError) as caught:
            async with client.websocket(f"/refuses/{how}", can_deny=can_deny) as connection:
                await connection.receive()
        response: Any = caught.value.response
        given = await response.get_data()
        if can_deny:
            assert response.status_code == status and body in given
        else:
            assert (response.status_code, given) == (403, b"")
        assert isinstance(caught.value, WebsocketRefusedError) is (how == "close" or not can_deny)
