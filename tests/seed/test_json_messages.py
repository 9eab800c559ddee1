"""The seed's "JSON Message Handling": what is not JSON gets an error message, then the close code 1003."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.clients import client, ending, receive_json, send_json, vanish
from tests.support.servers import Server

EXAMPLE = "json_messages"


@pytest.mark.parametrize("data", [{"a": [1, 2.5, None]}, [], "text", 7, None, {"ü": "🎉"}], ids=repr)
async def test_json_is_answered_with_json(server: Server, data: Any) -> None:
    async with client(server.ws("/api/ws")) as connection:
        await send_json(connection, data)
        answer = await receive_json(connection)
    assert answer.pop("timestamp") == pytest.approx(time.time(), abs=60)
    assert answer == {"type": "response", "original": data}


async def test_json_may_come_as_a_binary_message(server: Server) -> None:
    async with client(server.ws("/api/ws")) as connection:
        await connection.send(b'{"a": 1}')
        assert (await receive_json(connection))["original"] == {"a": 1}


@pytest.mark.parametrize(
    "message", ["{not json", "", b"\xff\xfe\xfa", "[" * 100_000], ids=["broken", "empty", "bytes", "deep"]
)
async def test_invalid_json_gets_a_message_and_then_the_close(server: Server, message: str | bytes) -> None:
    async with client(server.ws("/api/ws")) as connection:
        await connection.send(message)
        assert await receive_json(connection) == {"type": "error", "message": "Invalid JSON format"}
        assert await ending(connection) == (1003, "Invalid data format")


async def test_invalid_json_of_one_client_leaves_the_others_alone(server: Server) -> None:
    async with client(server.ws("/api/ws")) as good, client(server.ws("/api/ws")) as bad:
        await bad.send("{")
        await receive_json(bad)
        assert await ending(bad) == (1003, "Invalid data format")
        await send_json(good, 1)
        assert (await receive_json(good))["original"] == 1


async def test_the_view_learns_that_a_client_has_left(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/api/ws")) as connection:
        await send_json(connection, 1)
        await receive_json(connection)
    await server.printed("^Client disconnected$", before)


async def test_the_view_learns_that_a_client_has_vanished(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/api/ws")) as connection:
        await send_json(connection, 1)
        await receive_json(connection)
        vanish(connection)
    await server.printed("^Client disconnected$", before)
