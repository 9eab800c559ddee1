"""The seed's "WebSocket Error Handling": bad messages are answered, and the connection goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.clients import client, receive_json, send_json, vanish
from tests.support.servers import Server

EXAMPLE = "errors"

INVALID_JSON = {"type": "error", "code": "INVALID_JSON", "message": "Invalid JSON format"}
INVALID_FORMAT = {
    "type": "error",
    "code": "INVALID_FORMAT",
    "message": 'Message must be JSON object with "type" field',
}


@pytest.mark.parametrize("message", ["", "{", "{'type': 'echo'}", b"\xff\xfe\xfa", "[" * 100_000], ids=len)
async def test_invalid_json_is_told_and_the_connection_goes_on(server: Server, message: str | bytes) -> None:
    async with client(server.ws("/ws/robust")) as connection:
        for _ in range(2):
            await connection.send(message)
            assert await receive_json(connection) == INVALID_JSON
        await send_json(connection, {"type": "echo", "message": "still here"})
        assert await receive_json(connection) == {"type": "echo_response", "original": "still here"}


@pytest.mark.parametrize("data", [None, 1, "type", ["type"], {}, {"message": "hi"}], ids=repr)
async def test_a_wrong_form_is_told_and_the_connection_goes_on(server: Server, data: Any) -> None:
    async with client(server.ws("/ws/robust")) as connection:
        await send_json(connection, data)
        assert await receive_json(connection) == INVALID_FORMAT
        await send_json(connection, {"type": "echo", "message": 1})
        assert await receive_json(connection) == {"type": "echo_response", "original": 1}


async def test_an_unknown_type_is_told_and_the_connection_goes_on(server: Server) -> None:
    async with client(server.ws("/ws/robust")) as connection:
        await send_json(connection, {"type": "dance"})
        assert await receive_json(connection) == {
            "type": "error",
            "code": "UNKNOWN_TYPE",
            "message": "Unknown message type: dance",
        }
        await send_json(connection, {"type": "echo"})
        assert await receive_json(connection) == {"type": "echo_response", "original": ""}


async def test_time(server: Server) -> None:
    async with client(server.ws("/ws/robust")) as connection:
        await send_json(connection, {"type": "time"})
        answer = await receive_json(connection)
    assert answer == {"type": "time_response", "timestamp": pytest.approx(time.time(), abs=60)}


async def test_everything_on_one_connection(server: Server) -> None:
    async with client(server.ws("/ws/robust")) as connection:
        for message in ("{", "[]", '{"type": "dance"}', '{"type": "echo", "message": "é"}', '{"type": "time"}'):
            await connection.send(message)
        heard = [await receive_json(connection) for _ in range(5)]
    assert [each.get("code", each["type"]) for each in heard] == [
        "INVALID_JSON",
        "INVALID_FORMAT",
        "UNKNOWN_TYPE",
        "echo_response",
        "time_response",
    ]


async def test_a_close_ends_the_view_as_it_expects(server: Server) -> None:
    """The inner `except Exception` catches the first ConnectionClosed; the one of its answer gets out."""
    before = len(server.lines)
    async with client(server.ws("/ws/robust")) as connection:
        await send_json(connection, {"type": "echo"})
        await receive_json(connection)
    await server.printed("^WebSocket connection closed normally$", before)


async def test_a_client_that_vanishes_ends_the_view_the_same_way(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/ws/robust")) as connection:
        await send_json(connection, {"type": "echo"})
        await receive_json(connection)
        vanish(connection)
    await server.printed("^WebSocket connection closed normally$", before)
