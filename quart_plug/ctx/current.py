"""What asks for the current context, adds to it, or takes it along into another task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from ..concurrency import is_coroutine_function
from ..globals import _NO_APP, _NO_REQUEST, _NO_WEBSOCKET, _cv, connection_around
from ..kinds import REQUEST, WEBSOCKET, Kind

if TYPE_CHECKING:
    from .context import Context

F = TypeVar("F", bound=Callable[..., Any])


def has_app_context() -> bool:
    return _cv.get(None) is not None


def has_request_context() -> bool:
    return connection_around(_cv.get(None), REQUEST) is not None


def has_websocket_context() -> bool:
    return connection_around(_cv.get(None), WEBSOCKET) is not None


def _after_this(kind: Kind, function: F) -> F:
    ctx = connection_around(_cv.get(None), kind)
    if ctx is None:
        raise RuntimeError(_NO_REQUEST if kind is REQUEST else _NO_WEBSOCKET)
    if ctx.after_functions is None:
        ctx.after_functions = []
    ctx.after_functions.append(function)
    return function


def after_this_request(func: F) -> F:
    """Call `func(response)` after this request's view; it returns the response to send."""
    return _after_this(REQUEST, func)


def after_this_websocket(func: F) -> F:
    """Call `func(response)` after this websocket's view; `response` is None unless the handshake is refused."""
    return _after_this(WEBSOCKET, func)


def _copy_current(kind: Kind | None, message: str, function: F) -> F:
    current = _cv.get(None)
    if kind is not None:
        current = connection_around(current, kind)
    if current is None:
        raise RuntimeError(message)
    ctx = current.copy()
    run = function if is_coroutine_function(function) else ctx.app.ensure_async(function)

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        again = ctx.copy()
        again.of_app = kind is None
        async with again:
            return await run(*args, **kwargs)

    return call  # type: ignore[return-value]


async def iterate_within(ctx: Context, make: Callable[[], AsyncIterator[Any]]) -> AsyncGenerator[Any, None]:
    """What an asynchronous iterator gives, made in a context that is pushed first and popped at the end.

    ctx   a copy that nobody else uses.
    make  called in the context.

    It is current only inside of the steps: whatever task sends the items has its own.
    """
    from .. import lifecycle

    async def step(function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        token = _cv.set(ctx)
        if ctx.token is None:
            ctx.token = token
        try:
            return await function(*args)
        finally:
            _cv.reset(token)

    async def start() -> AsyncIterator[Any]:
        return make()

    items = None
    error: BaseException | None = None
    await step(lifecycle.enter, ctx)
    try:
        items = await step(start)
        while True:
            try:
                item = await step(anext, items)
            except StopAsyncIteration:
                break
            yield item
    except BaseException as raised:
        error = raised
        raise
    finally:
        try:
            close = getattr(items, "aclose", None)
            if close is not None:
                await step(close)
        finally:
            await step(lifecycle.leave, ctx, error)
            error = None  # its traceback holds this frame


def copy_current_app_context(func: F) -> F:
    """Let a function that runs in another task later see the application context of now."""
    return _copy_current(None, _NO_APP, func)


def copy_current_request_context(func: F) -> F:
    """Let a function that runs in another task later see the request of now."""
    return _copy_current(REQUEST, _NO_REQUEST, func)


def copy_current_websocket_context(func: F) -> F:
    """Let a function that runs in another task later see the websocket of now."""
    return _copy_current(WEBSOCKET, _NO_WEBSOCKET, func)
