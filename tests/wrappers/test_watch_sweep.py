"""While a response is sent, and the sweep itself."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from quart_plug.exceptions import ClientDisconnected
from quart_plug.wrappers.watch import Sweep, suspended

from .conftest import Connect, Connection, make_app, turns


def request(connect: Connect, **config: Any) -> Connection:
    return connect("request", config=config)


BODY = {"type": "http.request", "body": b"hello", "more_body": False}


# Sending ---------------------------------------------------------------------------------------------------------


async def test_a_response_that_does_not_get_on_is_given_up(connect: Connect) -> None:
    async def view(ctx: Any) -> None:
        ctx.sending = True
        await forever(ctx)

    connection = request(connect, RESPONSE_TIMEOUT=5)
    task = await connection.start(view)
    await connection.look(1, times=5)
    assert not task.done()
    await connection.look(1)
    assert await task is None
    assert connection.ctx.timed_out and not connection.ctx.gone


@pytest.mark.parametrize(("setting", "own"), [(None, ...), (5, None), (0, ...)])
async def test_there_may_be_no_limit(connect: Connect, setting: Any, own: Any) -> None:
    hold = asyncio.Event()

    async def view(ctx: Any) -> str:
        ctx.sending = True
        ctx.response_timeout = own
        await hold.wait()
        return "sent"

    connection = request(connect, RESPONSE_TIMEOUT=setting)
    task = await connection.start(view)
    await connection.look(100, times=5)
    hold.set()
    assert await task == "sent"


async def test_a_response_s_own_limit_goes_before_the_setting(connect: Connect) -> None:
    async def view(ctx: Any) -> None:
        ctx.sending = True
        ctx.response_timeout = 1
        await forever(ctx)

    connection = request(connect, RESPONSE_TIMEOUT=None)
    task = await connection.start(view)
    await connection.look(0.5, times=3)
    assert await task is None


async def test_the_time_of_the_view_does_not_count_as_sending(connect: Connect) -> None:
    hold = asyncio.Event()

    async def view(ctx: Any) -> str:
        await hold.wait()
        ctx.sending = True
        await asyncio.sleep(0)
        return "sent"

    connection = request(connect, RESPONSE_TIMEOUT=5)
    task = await connection.start(view)
    await connection.look(100, times=3)
    hold.set()
    assert await task == "sent"


async def test_a_stream_ends_a_moment_after_the_client_has_left(connect: Connect) -> None:
    """Not at once: a server also says "disconnect" when the response is complete, while it still tidies up."""

    async def view(ctx: Any) -> None:
        ctx.sending = True
        await forever(ctx)

    connection = request(connect)
    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.hang_up()
    await turns()
    await connection.look()
    assert not task.done()
    await connection.look()
    assert await task is None


async def test_who_was_told_while_reading_is_cancelled_if_he_goes_on_sending(connect: Connect) -> None:
    async def view(ctx: Any) -> None:
        try:
            await ctx.inbox.next()
        except ClientDisconnected:
            pass
        ctx.sending = True
        await forever(ctx)

    connection = request(connect)
    connection.server.hang_up()
    task = await connection.start(view)
    await connection.look(times=3)
    assert await task is None


# The sweep -------------------------------------------------------------------------------------------------------


async def forever(ctx: Any) -> None:
    await asyncio.get_running_loop().create_future()


async def test_the_timer_lives_only_while_somebody_is_suspended(connect: Connect) -> None:
    connection = request(connect)
    hold = asyncio.Event()
    task = await connection.start(lambda ctx: hold.wait())
    sweep = connection.sweep
    assert sweep.timer is not None
    timer = sweep.timer
    sweep._ring()
    assert sweep.timer is not None and sweep.timer is not timer
    timer.cancel()
    hold.set()
    await task
    timer = sweep.timer
    sweep._ring()
    timer.cancel()
    assert sweep.timer is None and not sweep.suspended


async def test_one_timer_for_many(connect: Connect) -> None:
    sweep = Sweep(make_app())  # type: ignore[arg-type]
    connections = [request(connect) for _ in range(20)]
    for connection in connections:
        connection.sweep.suspended.clear()
        connection.sweep = sweep  # type: ignore[assignment]
        await connection.start(forever)
    assert len(sweep.suspended) == 20
    timer = sweep.timer
    assert timer is not None
    for connection in connections:
        connection.cancelled_by_server = True
        assert connection.task is not None
        connection.task.cancel()
    await turns()
    assert not sweep.suspended and sweep.timer is timer
    timer.cancel()
    sweep._ring()


async def test_one_connection_s_trouble_is_not_the_others(connect: Connect) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    bad, good = request(connect, RESPONSE_TIMEOUT="soon"), request(connect)

    async def view(ctx: Any) -> None:
        ctx.sending = True
        await forever(ctx)

    await bad.start(view)
    await bad.look(times=2)
    assert [type(context["exception"]) for context in reported] == [TypeError, TypeError]
    task = await good.start(forever)
    await good.look(times=2)
    good.server.hang_up()
    await turns()
    assert await task is None


def test_a_second_loop_of_the_same_app_has_a_sweep_of_its_own() -> None:
    """As in tests, where each has its own event loop: nothing of the first is in the way of the second."""
    app = make_app()
    answers = []

    async def serve() -> None:
        connection = Connection("request", "raise", {}, {})
        connection.sweep = Sweep(app)  # type: ignore[arg-type, assignment]
        hold = asyncio.get_running_loop().create_future()

        async def view(ctx: Any) -> str:
            return await hold

        task = await connection.start(view)
        await connection.look(times=3)
        hold.set_result("there")
        answers.append(await task)

    for _ in range(2):
        asyncio.run(serve())
    assert answers == ["there", "there"]


async def test_a_coroutine_that_is_thrown_away_is_closed(connect: Connect) -> None:
    log = []

    async def view() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            log.append("closed")

    connection = request(connect)
    steps = view()
    rest = suspended(steps, steps.send(None), connection.ctx, connection.sweep)
    next(rest)  # type: ignore[call-overload]  # a generator, as well as awaitable
    rest.close()  # type: ignore[attr-defined]  # likewise
    assert log == ["closed"] and connection.is_over()
    gc.collect()
