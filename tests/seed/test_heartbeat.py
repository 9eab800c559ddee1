"""The seed's "WebSocket with Heartbeat/Ping-Pong", a hundred times as fast; see launchers/."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients import client, receive, vanish
from tests.support.servers import Server

EXAMPLE = "scaled_heartbeat"

HEARTBEAT = 0.2  # seconds; 20 in the example
SILENCE = 0.3  # 30 in the example


def is_heartbeat(message: str) -> bool:
    return message.startswith("{") and bool(json.loads(message)["type"] == "heartbeat")


async def answer(connection: ClientConnection) -> str:
    """The next message that is not there by the clock."""
    while True:
        message: str = await receive(connection)
        if not is_heartbeat(message) and message != "ping":
            return message


async def test_a_silent_client_gets_heartbeats_and_pings(server: Server) -> None:
    async with client(server.ws("/ws/heartbeat")) as connection:
        begin = time.monotonic()
        heard = [await receive(connection) for _ in range(3)]
        took = time.monotonic() - begin
    assert [is_heartbeat(message) or message for message in heard] == [True, "ping", True]
    assert json.loads(heard[0])["timestamp"] == pytest.approx(time.time(), abs=60)
    assert took >= 2 * HEARTBEAT * 0.9


async def test_a_client_that_talks_is_not_asked(server: Server) -> None:
    """A message ends the wait of 30 seconds, so that a ping comes only after 30 more."""
    async with client(server.ws("/ws/heartbeat")) as connection:
        await receive(connection)  # the heartbeat, after 20 seconds
        talked = time.monotonic()
        await connection.send("I am here")
        while await receive(connection) != "ping":
            pass
        assert time.monotonic() - talked >= SILENCE * 0.9


async def test_ping_is_answered_with_pong(server: Server) -> None:
    async with client(server.ws("/ws/heartbeat")) as connection:
        await connection.send("ping")
        assert await answer(connection) == "pong"


async def test_other_messages_are_told_back_in_order(server: Server) -> None:
    async with client(server.ws("/ws/heartbeat")) as connection:
        for number in range(50):
            await connection.send(str(number))
        assert [await answer(connection) for _ in range(50)] == [f"Received: {number}" for number in range(50)]


async def test_no_message_is_lost_to_a_wait_that_timed_out(server: Server) -> None:
    """Each time-out cancels a `receive`; what comes at that moment has to reach the next one."""
    async with client(server.ws("/ws/heartbeat")) as connection:
        for number in range(4):
            while await receive(connection) != "ping":
                pass
            await connection.send(str(number))
            assert await answer(connection) == f"Received: {number}"


async def test_the_view_learns_that_a_silent_client_has_vanished(server: Server) -> None:
    """And ends the heartbeat, which would otherwise fail with nobody to hear of it: see the fixture `server`."""
    before = len(server.lines)
    async with client(server.ws("/ws/heartbeat")) as connection:
        await receive(connection)
        vanish(connection)
    await server.printed("^Client disconnected$", before)


async def test_the_view_learns_that_a_client_has_left(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/ws/heartbeat")):
        pass
    await server.printed("^Client disconnected$", before)


async def test_each_client_has_its_own_heartbeat(server: Server) -> None:
    """The task that a view creates speaks on that view's connection."""

    async def first_messages() -> list[bool]:
        async with client(server.ws("/ws/heartbeat")) as connection:
            return [is_heartbeat(await receive(connection)), await receive(connection) == "ping"]

    assert await asyncio.gather(*(first_messages() for _ in range(5))) == [[True, True]] * 5
