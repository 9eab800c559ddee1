"""The seed's "WebSocket Room/Broadcasting System": everybody hears of who comes, speaks, leaves or vanishes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients import client, receive_json, send_json, vanish
from tests.support.servers import Server

EXAMPLE = "broadcasting"


class Room:
    """The chat with the clients of one test; each of `enter` has seen the others told of it."""

    def __init__(self, server: Server, stack: AsyncExitStack) -> None:
        self.server = server
        self.stack = stack
        self.inside: list[ClientConnection] = []

    async def enter(self) -> ClientConnection:
        connection = await self.stack.enter_async_context(client(self.server.ws("/chat")))
        welcome = await receive_json(connection)
        if not self.inside:
            await self._wait_until_alone(connection, welcome)
        else:
            count = len(self.inside) + 1
            assert welcome == {"type": "system", "message": f"Connected! {count} users online."}
            for other in self.inside:
                assert await receive_json(other) == {"type": "user_joined", "count": count}
        self.inside.append(connection)
        return connection

    async def _wait_until_alone(self, connection: ClientConnection, welcome: dict[str, Any]) -> None:
        """Clients of the test before may be leaving still."""
        if welcome != {"type": "system", "message": "Connected! 1 users online."}:
            while await receive_json(connection) != {"type": "user_left", "count": 1}:
                pass

    async def hear(self, *, left: ClientConnection) -> list[Any]:
        """What those who are still inside hear next."""
        self.inside.remove(left)
        return [await receive_json(connection) for connection in self.inside]


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        yield Room(server, stack)


async def test_a_newcomer_is_welcomed_and_announced(server: Server) -> None:
    async with opened(server) as room:
        for _ in range(4):
            await room.enter()  # which checks what everybody hears


async def test_a_message_reaches_everybody_but_its_sender(server: Server) -> None:
    async with opened(server) as room:
        ada, grace, joan = [await room.enter() for _ in range(3)]
        await send_json(ada, {"user": "Ada", "message": "hello"})
        for other in (grace, joan):
            heard = await receive_json(other)
            assert heard.pop("timestamp") == pytest.approx(time.time(), abs=60)
            assert heard == {"type": "message", "user": "Ada", "message": "hello"}
        await send_json(grace, {})
        heard = await receive_json(ada)  # and not the message of her own
        assert (heard["user"], heard["message"]) == ("Anonymous", "")


async def test_each_sender_s_messages_come_in_order(server: Server) -> None:
    async with opened(server) as room:
        speakers = [await room.enter() for _ in range(3)]
        for number in range(20):
            for index, speaker in enumerate(speakers):
                await send_json(speaker, {"user": index, "message": number})
        for index, listener in enumerate(speakers):
            heard = [await receive_json(listener) for _ in range(40)]
            for other in {0, 1, 2} - {index}:
                assert [each["message"] for each in heard if each["user"] == other] == list(range(20))


async def test_a_client_that_leaves_is_announced(server: Server) -> None:
    async with opened(server) as room:
        ada, _, _ = [await room.enter() for _ in range(3)]
        await ada.close()
        assert await room.hear(left=ada) == [{"type": "user_left", "count": 2}] * 2


async def test_a_client_that_vanishes_is_announced(server: Server) -> None:
    async with opened(server) as room:
        ada, grace, joan = [await room.enter() for _ in range(3)]
        vanish(grace)
        assert await room.hear(left=grace) == [{"type": "user_left", "count": 2}] * 2
        await send_json(ada, {"user": "Ada", "message": "still here?"})
        assert (await receive_json(joan))["message"] == "still here?"


async def test_several_vanish_at_once(server: Server) -> None:
    async with opened(server) as room:
        clients = [await room.enter() for _ in range(6)]
        for leaver in clients[1:]:
            vanish(leaver)
        heard = [await receive_json(clients[0]) for _ in range(5)]
        assert [each["type"] for each in heard] == ["user_left"] * 5
        assert heard[-1]["count"] == 1


async def test_a_client_that_sends_invalid_json_is_put_out_and_announced(server: Server) -> None:
    """The example does not catch BadRequest: for its view that is an error like another."""
    async with opened(server) as room:
        _, grace = [await room.enter() for _ in range(2)]
        await grace.send("{")
        assert await room.hear(left=grace) == [{"type": "user_left", "count": 1}]
        async with asyncio.timeout(10):
            await grace.wait_closed()
