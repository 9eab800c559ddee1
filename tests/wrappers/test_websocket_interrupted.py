"""Who waits for a message while the framework itself ends the connection, though the server says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, turns


async def _in_a_task(websocket: Websocket) -> Any:
    return await asyncio.create_task(websocket.receive())


async def _in_wait_for(websocket: Websocket) -> Any:
    return await asyncio.wait_for(websocket.receive(), 1000)


async def _in_a_generator(websocket: Websocket) -> Any:
    async def messages() -> AsyncIterator[str | bytes]:
        while True:
            yield await websocket.receive()

    return await anext(messages())


class _Awaitable:
    """An object of the application's, which awaits in its own way."""

    def __init__(self, websocket: Websocket) -> None:
        self.websocket = websocket

    def __await__(self) -> Any:
        return (yield from self.websocket.receive().__await__())


async def _in_an_object(websocket: Websocket) -> Any:
    return await _Awaitable(websocket)


async def _in_gather(websocket: Websocket) -> Any:
    return await asyncio.gather(websocket.receive(), asyncio.sleep(0))


READERS = {
    "receive": Websocket.receive,
    "receive_json": Websocket.receive_json,
    "with a timeout": lambda websocket: websocket.receive(timeout=1000),
    "iteration": Websocket.__anext__,
    "in a task": _in_a_task,
    "in wait_for": _in_wait_for,
    "in a generator": _in_a_generator,
    "in an object": _in_an_object,
    "in gather": _in_gather,
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


# close() in another task -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("pumped", [False, True])
@pytest.mark.parametrize("mode", ["raise", "cancel"])
async def test_close_in_another_task_tells_who_waits_for_a_message_at_once(
    connect: Connect, reader: Callable[[Websocket], Awaitable[Any]], pumped: bool, mode: str
) -> None:
    """Though the server says nothing, and the peer does not even read the close frame."""
    connection = connect(mode=mode)
    if pumped:
        connection.ctx.inbox.always_pump()
    told: list[Any] = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        with pytest.raises(ConnectionClosed) as caught:
            await reader(websocket)
        told.append((caught.value.code, caught.value.reason, caught.value.closed_by))
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0
        raise caught.value

    task = await connection.start(view)
    connection.server.blocked = True
    closing = asyncio.create_task(connection.websocket.close(4000, "enough"))
    await turns(4)
    assert told == [(4000, "enough", "server")]
    assert connection.server.close == (4000, "enough")
    await turns()
    assert not task.done(), "the application ends before its close frame is with the server"
    connection.server.blocked = False
    assert await task == "told"
    await closing
    assert connection.told == [(4000, "enough", "server")]


async def test_a_close_that_is_cancelled_does_not_hold_the_view(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.receive()

    task = await connection.start(view)
    connection.server.blocked = True
    closing = asyncio.create_task(connection.websocket.close())
    await turns()
    assert not task.done()
    closing.cancel()
    await turns()
    assert task.done() and closing.cancelled()


async def test_closing_very_many_looks_for_their_readers_once(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is read by a task that its view has started, so that nothing but a search finds it."""
    connections = [connect() for _ in range(300)]
    ended = 0

    async def view(websocket: Websocket) -> None:
        nonlocal ended
        await websocket.accept()
        with pytest.raises(ConnectionClosed):
            await asyncio.create_task(websocket.receive())
        ended += 1

    for connection in connections:
        connection.task = asyncio.create_task(connection._serve(view))
    await turns()
    searches = 0
    all_tasks = asyncio.all_tasks

    def counted() -> set[asyncio.Task[Any]]:
        nonlocal searches
        searches += 1
        return all_tasks()

    monkeypatch.setattr(asyncio, "all_tasks", counted)
    for connection in connections:
        await connection.websocket.close()
    await turns()
    assert ended == len(connections) and searches == 1
    monkeypatch.undo()


async def test_a_search_that_would_come_too_soon_comes_later(connect: Connect) -> None:
    """What searching takes is bounded in time; nobody is forgotten."""
    told: list[int] = []

    async def one(number: int) -> None:
        connection = connect()

        async def view(websocket: Websocket) -> None:
            await websocket.accept()
            reader = asyncio.create_task(websocket.receive())
            await asyncio.wait([reader])
            assert isinstance(reader.exception(), ConnectionClosed)
            told.append(number)

        await connection.start(view)
        await connection.websocket.close()
        while not told or told[-1] != number:
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        for number in range(50):
            await one(number)
    assert told == [*range(50)]
