"""Who waits for a message while the framework itself ends the connection, though the server says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, turns


async def _in_a_task(websocket: Websocket) -> Any:
    return await asyncio.create_task(websocket.receive())


async def _in_wait_for(websocket: Websocket) -> Any:
    return await asyncio.wait_for(websocket.receive(), 1000)


READERS = {
    "receive": Websocket.receive,
    "receive_json": Websocket.receive_json,
    "with a timeout": lambda websocket: websocket.receive(timeout=1000),
    "iteration": Websocket.__anext__,
    "in a task": _in_a_task,
    "in wait_for": _in_wait_for,
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("pumped", [False, True])
async def test_who_waits_for_a_message_meanwhile_is_told_at_once(
    connect: Connect, reader: Callable[[Websocket], Awaitable[Any]], pumped: bool
) -> None:
    connection = connect()
    if pumped:
        connection.ctx.inbox.always_pump()
    told: list[Any] = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        connection.server.blocked = True
        sender = asyncio.create_task(websocket.send("x"))
        for _ in range(2):
            with pytest.raises(ConnectionClosed) as caught:
                await reader(websocket)
            told.append((caught.value.code, caught.value.reason, caught.value.closed_by))
        with pytest.raises(ConnectionClosed):
            await sender
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0

    task = await connection.start(view)
    await connection.look(1, times=20)
    assert not told
    await connection.look(1)
    assert told == [(1013, "the peer does not read", "server")] * 2
    connection.server.blocked = False
    await task
    assert connection.server.reads == 0


async def test_a_reader_that_is_cancelled_at_the_same_time_stays_cancelled(connect: Connect) -> None:
    connection = connect()
    tasks: list[asyncio.Task[Any]] = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        connection.server.blocked = True
        tasks.append(asyncio.create_task(websocket.receive()))
        tasks.append(asyncio.create_task(websocket.send("x")))
        await asyncio.wait(tasks)
        connection.server.blocked = False

    task = await connection.start(view)
    connection.sweep.tick(1)
    connection.sweep.tick(22)
    tasks[0].cancel()
    await turns()
    assert tasks[0].cancelled()
    await connection.look(1, times=3)
    await task
    assert isinstance(tasks[1].exception(), ConnectionClosed)
