"""The seed's "WebSocket with Authentication": a wrong token is refused before the handshake is complete."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.clients import client, receive_json, send_json, vanish
from tests.support.servers import Server

EXAMPLE = "authentication"


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", "?other=valid_token", "?token=wrong&token=valid_token"]
)
async def test_a_client_without_the_right_token_gets_403(server: Server, query: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with client(server.ws(f"/secure/ws{query}")):
            pass
    assert refusal.value.response.status_code == 403
    told = [line.partition(": ")[2] for line in server.output.splitlines() if "disconnected" in line]
    assert set(told) <= {"valid_token"}, "the view went on after it had closed"


async def test_the_right_token_is_let_in(server: Server) -> None:
    async with client(server.ws("/secure/ws?token=valid_token")) as connection:
        for data in ({"hello": "world"}, [1, 2]):
            await send_json(connection, data)
            assert await receive_json(connection) == {"status": "processed", "data": data, "user": "ada"}


async def test_the_view_still_knows_the_token_when_the_client_has_left(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/secure/ws?token=valid_token")):
        pass
    await server.printed("^Authenticated client disconnected: valid_token$", before)


async def test_the_view_still_knows_the_token_when_the_client_has_vanished(server: Server) -> None:
    before = len(server.lines)
    async with client(server.ws("/secure/ws?token=valid_token")) as connection:
        vanish(connection)
    await server.printed("^Authenticated client disconnected: valid_token$", before)


async def test_a_refusal_leaves_the_server_usable(server: Server) -> None:
    for _ in range(3):
        with pytest.raises(InvalidStatus):
            async with client(server.ws("/secure/ws")):
                pass
    async with client(server.ws("/secure/ws?token=valid_token")) as connection:
        await send_json(connection, 1)
        assert (await receive_json(connection))["status"] == "processed"
