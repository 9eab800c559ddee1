"""The seed's "Basic WebSocket Handler": an echo that learns of its client's leaving."""

from __future__ import annotations

import asyncio

from tests.support.clients import client, receive, vanish
from tests.support.servers import Server

EXAMPLE = "basic"


async def test_each_message_is_echoed(server: Server) -> None:
    async with client(server.ws("/ws")) as connection:
        for message in ("hello", "", "ünï 🎉", "x" * 70_000):
            await connection.send(message)
            assert await receive(connection) == f"Echo: {message}"


async def test_a_binary_message_is_bytes(server: Server) -> None:
    async with client(server.ws("/ws")) as connection:
        await connection.send(b"\x00\xff")
        assert await receive(connection) == "Echo: b'\\x00\\xff'"


async def test_messages_come_in_order(server: Server) -> None:
    async with client(server.ws("/ws")) as connection:
        for number in range(200):
            await connection.send(str(number))
        assert [await receive(connection) for _ in range(200)] == [f"Echo: {number}" for number in range(200)]


async def test_clients_do_not_see_each_other(server: Server) -> None:
    async def talk(name: str) -> list[str]:
        async with client(server.ws("/ws")) as connection:
            heard = []
            for number in range(10):
                await connection.send(f"{name}{number}")
                heard.append(await receive(connection))
            return heard

    names = [f"client {index} message " for index in range(10)]
    heard = await asyncio.gather(*map(talk, names))
    assert heard == [[f"Echo: {name}{number}" for number in range(10)] for name in names]


async def test_a_normal_close_is_answered_and_reaches_the_view(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/ws")) as connection:
        await connection.close(1000, "bye")
    assert connection.close_code == 1000
    await server.printed("^WebSocket connection closed$", before)


async def test_a_client_that_vanishes_reaches_the_view(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/ws")) as connection:
        await connection.send("hello")
        await receive(connection)
        vanish(connection)
    await server.printed("^WebSocket connection closed$", before)
