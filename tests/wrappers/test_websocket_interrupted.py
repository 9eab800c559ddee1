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


@pytest.mark.parametrize("first", ["view", "task"])
async def test_who_waits_in_line_behind_the_reader_is_told_too(connect: Connect, first: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        connection.server.blocked = True
        sender = asyncio.create_task(websocket.send("x"))
        other = asyncio.create_task(websocket.receive())
        if first == "task":
            await turns()
        with pytest.raises(ConnectionClosed):
            await websocket.receive()
        connection.server.blocked = False
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == other.cancelling() == 0
        return await asyncio.gather(sender, other, return_exceptions=True)

    task = await connection.start(view)
    await connection.look(1, times=22)
    assert [type(error) for error in await task] == [ConnectionClosed] * 2


async def test_who_is_busy_with_a_message_is_not_taken_for_the_reader(connect: Connect) -> None:
    connection = connect()
    hold = asyncio.Event()

    async def received(ctx: Any, message: Any) -> Any:
        await hold.wait()
        return message

    connection.plan.received = received

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        found = await asyncio.gather(websocket.receive(), websocket.receive(), return_exceptions=True)
        return [error if isinstance(error, str) else type(error) for error in found]

    connection.server.put("x")
    task = await connection.start(view)
    connection.websocket._shut(1013, "over")
    await turns()
    hold.set()
    await turns()
    assert await task == ["x", ConnectionClosed]
