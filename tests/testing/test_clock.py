"""Time passes at once for what waits through the event loop."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from quart_plug.testing import Clock, QuartClient


async def test_what_is_due_happens_in_its_order() -> None:
    happened: list[str] = []

    async def later(seconds: float) -> None:
        await asyncio.sleep(seconds)
        happened.append(f"after {seconds}")

    tasks = [asyncio.create_task(later(seconds)) for seconds in (30, 10, 20.5)]
    await asyncio.sleep(0)
    clock = Clock()
    began = time.monotonic()
    await clock.advance(20)
    assert happened == ["after 10"]
    await clock.advance(15)
    assert happened == ["after 10", "after 20.5", "after 30"]
    assert time.monotonic() - began < 10
    await asyncio.wait(tasks)


async def test_a_timer_that_is_set_again_gets_its_turns() -> None:
    beats = 0

    async def heartbeat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(20)
            beats += 1

    task = asyncio.create_task(heartbeat())
    await asyncio.sleep(0)
    await Clock().advance(130)
    assert beats == 6
    task.cancel()


async def test_a_time_limit_is_reached() -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    await Clock().advance(61)
    with pytest.raises(TimeoutError):
        await task


async def test_clocks_of_one_loop_add_up(bare_app: Any) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await Clock().advance(5)
    await Clock().advance(5)
    client = QuartClient(bare_app(None))
    await client.clock.advance(5)
    assert client.clock is client.clock
    assert 15 <= loop.time() - before < 20


@pytest.mark.parametrize("seconds", [-1, float("nan")])
async def test_time_does_not_go_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="goes forward only"):
        await Clock().advance(seconds)


async def test_a_loop_whose_clock_is_fixed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed:
        __slots__ = ()

        def time(self) -> float:
            return 0.0

    monkeypatch.setattr(asyncio, "get_running_loop", Fixed)
    with pytest.raises(RuntimeError, match="the clock of Fixed cannot be moved"):
        Clock()
