"""Plain functions beside coroutine functions: which is which, and how a plain one runs without blocking the loop.

Knows no app and no context; a thread sees the caller's context variables (PEP 567) through a copy.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_END = object()


def is_coroutine_function(function: Any) -> bool:
    """Whether calling it gives an awaitable; sees through partials, bound methods and callable objects."""
    while isinstance(function, partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    if inspect.isroutine(function) or inspect.isclass(function):
        # asyncio's own mark, which `inspect` does not know before 3.12
        return getattr(function, "_is_coroutine", None) is not None
    return inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in the loop's executor, with a copy of the current context."""
    loop = asyncio.get_running_loop()
    call = partial(copy_context().run, function, *args, **kwargs)
    return await loop.run_in_executor(None, _without_stop_iteration, call)


def _without_stop_iteration(call: Callable[[], T]) -> T:
    # A StopIteration cannot be set on a future; it would leave the awaiting coroutine as a bare RuntimeError.
    try:
        return call()
    except StopIteration as error:
        raise RuntimeError("a function that was run in a thread raised StopIteration") from error


def run_sync(func: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """A coroutine function that runs the plain `func` in a thread.

    A generator that it returns is iterated in threads as well; an awaitable that it returns (a decorator that hid a
    coroutine function) is awaited.
    """

    @wraps(func)
    async def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        result = await run_in_thread(func, *args, **kwargs)
        if inspect.isgenerator(result):
            return run_sync_iterable(result)
        if inspect.isawaitable(result):
            return await result
        return result

    return call


async def run_sync_iterable(iterable: Iterable[T]) -> AsyncIterator[T]:
    """Iterate a plain iterable with each step in a thread."""
    iterator: Iterator[T] = await run_in_thread(iter, iterable)
    try:
        while True:
            item = await run_in_thread(next, iterator, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]  # the sentinel was ruled out above
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await run_in_thread(close)


def run_at_once(awaitable: Awaitable[T], what: str) -> T:
    """The result of an awaitable that must not suspend; RuntimeError, which names `what`, when it does."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
    raise RuntimeError(f"{what} suspended, though it promised to be done at once")
