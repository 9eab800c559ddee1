"""Plain functions beside coroutine functions."""

from __future__ import annotations

import asyncio
import functools
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from quart_plug.concurrency import (
    is_coroutine_function,
    run_at_once,
    run_in_thread,
    run_sync,
    run_sync_iterable,
)


async def coroutine_function() -> None: ...
def plain_function() -> None: ...


class CallsAsync:
    async def __call__(self) -> None: ...
    async def method(self) -> None: ...


class CallsPlainly:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (coroutine_function, True),
        (plain_function, False),
        (functools.partial(functools.partial(coroutine_function)), True),
        (functools.partial(plain_function), False),
        (CallsAsync(), True),
        (CallsAsync().method, True),
        (CallsPlainly(), False),
        (CallsAsync, False),
        (len, False),
        (lambda: None, False),
    ],
)
def test_which_is_which(function: Any, expected: bool) -> None:
    assert is_coroutine_function(function) is expected


async def test_in_a_thread_with_the_context() -> None:
    """It sees the caller's variables; what it sets stays there."""
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("outside")

    def look(suffix: str, *, more: str) -> tuple[str, bool]:
        seen = variable.get() + suffix + more
        variable.set("inside")
        return seen, threading.current_thread() is threading.main_thread()

    assert await run_in_thread(look, "!", more="?") == ("outside!?", False)
    assert variable.get() == "outside"


async def test_errors_come_out() -> None:
    def fail() -> None:
        raise LookupError("why")

    with pytest.raises(LookupError, match="why"):
        await run_sync(fail)()


async def test_stop_iteration_names_itself() -> None:
    """It cannot pass through a future or a coroutine as it is."""
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        await run_sync(lambda: next(iter(())))()


async def test_run_sync_keeps_the_name_and_awaits_hidden_coroutines() -> None:
    async def hidden() -> str:
        return "awaited"

    @functools.wraps(hidden)
    def decorated() -> Any:
        return hidden()

    def named() -> Any:
        return decorated()

    assert run_sync(named).__name__ == "named"
    assert await run_sync(named)() == "awaited"


async def test_generators_are_iterated_in_threads() -> None:
    threads = []

    def parts() -> Any:
        for part in range(3):
            threads.append(threading.current_thread() is threading.main_thread())
            yield part

    made = await run_sync(parts)()
    assert [part async for part in made] == [0, 1, 2]
    assert threads == [False] * 3


async def test_iterables_are_closed() -> None:
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def parts() -> Any:
        try:
            yield 1
            yield 2
        finally:
            loop.call_soon_threadsafe(closed.set)

    iterator = run_sync_iterable(parts())
    assert await anext(iterator) == 1
    await iterator.aclose()  # type: ignore[attr-defined]  # it is an async generator
    await asyncio.wait_for(closed.wait(), 5)


async def test_any_iterable() -> None:
    assert [item async for item in run_sync_iterable([1, None, 3])] == [1, None, 3]


async def test_run_at_once() -> None:
    async def ready() -> int:
        return 1

    async def waits() -> None:
        await asyncio.sleep(0)

    assert run_at_once(ready(), "it") == 1
    with pytest.raises(RuntimeError, match="opening suspended, though it promised"):
        run_at_once(waits(), "opening")
