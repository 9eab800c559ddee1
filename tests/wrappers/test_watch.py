"""Connections that stay suspended: who is watched, who is cancelled, and that nothing of it reaches the server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.exceptions import ClientDisconnected
from quart_plug.wrappers.deadlines import cancel

from .conftest import Connect, Connection, turns


def request(connect: Connect, **config: Any) -> Connection:
    return connect("request", config=config)


BODY = {"type": "http.request", "body": b"hello", "more_body": False}


async def test_a_view_that_never_suspends_is_not_entered(connect: Connect) -> None:
    connection = request(connect)

    async def view(ctx: Any) -> str:
        return "quick"

    assert await connection.run(view) == "quick"
    assert connection.sweep.timer is None and connection.ctx._inbox is None


async def test_one_suspension_costs_no_watch(connect: Connect) -> None:
    connection = request(connect)

    async def view(ctx: Any) -> str:
        await asyncio.sleep(0)
        return "one"

    assert await connection.run(view) == "one"
    assert connection.ctx._inbox is None and connection.is_over()


async def test_what_the_view_awaits_gives_its_value_and_its_error(connect: Connect) -> None:
    loop = asyncio.get_running_loop()
    good, bad = loop.create_future(), loop.create_future()

    async def view(ctx: Any) -> list[Any]:
        found = [await good]
        try:
            await bad
        except ZeroDivisionError as error:
            found.append(error)
        return found

    connection = request(connect)
    task = await connection.start(view)
    good.set_result(1)
    await turns()
    error = ZeroDivisionError()
    bad.set_exception(error)
    assert await task == [1, error]


async def test_an_error_at_the_first_future_goes_into_the_view(connect: Connect) -> None:
    future = asyncio.get_running_loop().create_future()

    async def view(ctx: Any) -> str:
        try:
            await future
        except ZeroDivisionError:
            return "caught"
        return "?"

    connection = request(connect)
    task = await connection.start(view)
    future.set_exception(ZeroDivisionError())
    assert await task == "caught"


async def test_a_view_that_nobody_watches_is_read_for_from_the_second_look_on(connect: Connect) -> None:
    connection = request(connect)
    await connection.start(forever)
    assert connection.server.pending == 0
    await connection.look()
    assert connection.server.pending == 0
    await connection.look()
    assert connection.server.pending == 1


async def test_the_view_is_cancelled_when_the_client_leaves(connect: Connect) -> None:
    log = []

    async def view(ctx: Any) -> None:
        try:
            await forever(ctx)
        finally:
            await asyncio.sleep(0)
            log.append("cleaned up")

    connection = request(connect)
    task = await connection.start(view)
    connection.server.put(BODY)
    await connection.look(times=2)
    connection.server.hang_up()
    await turns()
    assert log == ["cleaned up"]
    assert await task is None
    assert connection.ctx.gone and connection.is_over()


async def test_the_cancelled_view_s_last_word_is_no_error_of_the_server_s(connect: Connect) -> None:
    """A view that swallows the cancellation goes on; the server's task is not left cancelled."""

    async def view(ctx: Any) -> str:
        try:
            await forever(ctx)
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(0)
        return "went on"

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.hang_up()
    await turns()
    assert await task == "went on"


async def test_a_cancellation_that_an_inner_task_swallows_is_taken_back(connect: Connect) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            pass
        return "stubborn"

    async def view(ctx: Any) -> str:
        return await asyncio.create_task(stubborn())

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.hang_up()
    await turns()
    assert await task == "stubborn"


async def test_the_server_s_own_cancellation_goes_through(connect: Connect) -> None:
    connection = request(connect)
    task = await connection.start(forever)
    connection.cancelled_by_server = True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.is_over()


async def test_both_cancellations_at_once_are_the_server_s(connect: Connect) -> None:
    connection = request(connect)
    task = await connection.start(forever)
    connection.cancelled_by_server = True
    connection.ctx.gone = True
    cancel(connection.ctx)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


async def test_timeouts_and_task_groups_of_the_view_s_work(connect: Connect) -> None:
    async def view(ctx: Any) -> str:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        try:
            async with asyncio.timeout(0):
                await forever(ctx)
        except TimeoutError:
            return "timed out inside"
        return "?"

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=3)
    assert await task == "timed out inside"


async def test_a_view_in_a_task_group_is_cancelled_with_the_whole_group(connect: Connect) -> None:
    log = []

    async def child() -> None:
        try:
            await forever(None)
        finally:
            log.append("child")

    async def view(ctx: Any) -> None:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(child())
            group.create_task(child())

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.hang_up()
    await turns()
    assert await task is None and log == ["child", "child"]


async def test_who_reads_the_body_is_told_and_not_cancelled(connect: Connect) -> None:
    async def view(ctx: Any) -> str:
        try:
            while True:
                await ctx.inbox.next()
        except ClientDisconnected:
            await asyncio.sleep(0)
            return "told by reading"

    connection = request(connect)
    connection.server.put(BODY)
    task = await connection.start(view)
    await connection.look(times=5)
    connection.server.hang_up()
    await turns()
    assert await task == "told by reading"


async def test_a_view_that_was_told_by_the_pump_is_not_cancelled(connect: Connect) -> None:
    hold = asyncio.Event()

    async def view(ctx: Any) -> str:
        await hold.wait()
        try:
            await ctx.inbox.next()
        except ClientDisconnected:
            await done.wait()
            return "told"
        return "?"

    done = asyncio.Event()
    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=2)
    hold.set()
    await turns()
    connection.server.hang_up()
    await connection.look(times=5)
    done.set()
    assert await task == "told"


async def test_a_view_is_cancelled_when_only_a_task_of_its_was_told(connect: Connect) -> None:
    async def view(ctx: Any) -> None:
        reading = asyncio.create_task(ctx.inbox.next())
        await asyncio.wait([reading])
        with pytest.raises(ClientDisconnected):
            reading.result()
        await forever(ctx)

    connection = request(connect)
    task = await connection.start(view)
    connection.server.hang_up()
    await connection.look(times=3)
    assert await task is None


async def test_a_body_that_came_while_it_was_watched_is_there_when_it_is_read(connect: Connect) -> None:
    hold = asyncio.Event()

    async def view(ctx: Any) -> Any:
        await hold.wait()
        return (await asyncio.wait_for(ctx.inbox.next(), 5))["body"]

    connection = request(connect)
    task = await connection.start(view)
    connection.server.put(BODY)
    await connection.look(times=3)
    hold.set()
    assert await task == b"hello"


async def test_nobody_reads_beside_a_reader(connect: Connect) -> None:
    async def view(ctx: Any) -> Any:
        return await asyncio.create_task(ctx.inbox.next())

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=5)
    assert connection.server.pending == 1
    connection.server.put(BODY)
    assert (await task)["body"] == b"hello"
    assert connection.server.cancelled == 0


async def forever(ctx: Any) -> None:
    await asyncio.get_running_loop().create_future()
