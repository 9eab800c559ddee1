"""The heartbeat of a websocket, with the test's own time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, Connection, turns


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def listen(websocket: Websocket) -> Any:
    """A view that only receives, and tells how it ended."""
    await websocket.accept()
    try:
        while True:
            await websocket.receive()
    except ConnectionClosed as error:
        return error.code, error.closed_by


# The heartbeat ---------------------------------------------------------------------------------------------------


async def beating(connection: Connection, **options: Any) -> asyncio.Task[Any]:
    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        websocket.heartbeat(20, **options)
        return await listen(websocket)

    return await connection.start(view)


@pytest.mark.parametrize(
    ("message", "sent"),
    [({}, '{"type": "heartbeat"}'), ({"message": "ping"}, "ping"), ({"message": ["beat"]}, '["beat"]')],
)
async def test_a_heartbeat_is_sent_when_nothing_else_was(connect: Connect, message: Any, sent: str) -> None:
    connection = connect()
    await beating(connection, **message)
    await connection.look(10, times=2)
    assert connection.server.texts == []
    await connection.look(10, times=5)
    assert connection.server.texts == [sent] * 3


async def test_a_message_to_the_client_puts_the_heartbeat_off(connect: Connect) -> None:
    connection = connect()
    await beating(connection)
    for _ in range(5):
        await connection.websocket.send("x")
        await connection.look(15)
    assert connection.server.texts == ["x"] * 5


async def test_a_client_that_does_not_answer_is_closed(connect: Connect) -> None:
    connection = connect()
    task = await beating(connection, timeout=10)
    await connection.look(5, times=5)
    assert len(connection.server.texts) == 1
    connection.server.put("an answer")
    await turns()
    await connection.look(5, times=4)
    assert len(connection.server.texts) == 2 and connection.server.close is None
    await connection.look(5, times=2)
    assert connection.server.close == (1001, "no answer to the heartbeat")
    connection.server.leave(1001)
    assert await task == (1001, "server")


async def test_a_heartbeat_does_not_keep_an_idle_connection_open(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_IDLE_TIMEOUT": 60})
    await beating(connection)
    await connection.look(10, times=7)
    assert connection.server.texts and connection.server.close == (1001, "idle")


async def test_heartbeats_do_not_pile_up_at_a_peer_that_does_not_read(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": None})
    await beating(connection)
    connection.server.blocked = True
    await connection.look(30, times=6)
    assert len(connection.server.texts) == 1
    connection.server.blocked = False


async def test_a_heartbeat_can_be_replaced_and_ends_with_the_connection(connect: Connect) -> None:
    connection = connect()
    task = await beating(connection)
    connection.websocket.heartbeat(20, "other")
    await connection.look(10, times=3)
    assert connection.server.texts == ["other"]
    connection.server.leave(1000)
    await task
    assert connection.is_over()


@pytest.mark.parametrize("options", [{"interval": 0}, {"interval": -1}, {"interval": 1, "timeout": 0}])
async def test_a_heartbeat_without_sense(connect: Connect, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="heartbeat"):
        connect().websocket.heartbeat(**options)


async def test_the_seed_s_heartbeat(connect: Connect) -> None:
    """Its task sends beside the view's `wait_for`; when the client has left, both end by themselves."""
    connection = connect()

    async def beat(websocket: Websocket) -> None:
        try:
            while True:
                await asyncio.sleep(0.001)
                await websocket.send_json({"type": "heartbeat"})
        except (ConnectionClosed, asyncio.CancelledError):
            pass

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        task = asyncio.create_task(beat(websocket))
        try:
            while True:
                try:
                    message = await asyncio.wait_for(websocket.receive(), timeout=0.002)
                    await websocket.send("pong" if message == "ping" else f"Received: {message}")
                except TimeoutError:
                    await websocket.send("ping")
                    if connection.server.texts.count("ping") == 3:
                        connection.server.put("ping", "hello")
                        connection.server.leave(1001)
        except ConnectionClosed:
            return "Client disconnected"
        finally:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    task = await connection.start(view)
    assert await task == "Client disconnected"
    assert {"ping", "pong", "Received: hello", '{"type": "heartbeat"}'} == set(connection.server.texts)
