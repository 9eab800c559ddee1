"""Calling a hook of one's own by its specification, typed: for plugins that other plugins extend.

    from quart_plug.hooks.own import around, collect, first, notify, pipe

    await notify(specs.room_joined, app, room)            every implementation; failures as one ExceptionGroup
    reason = await first(specs.room_admits, app, room)    the first answer, or None
    lines = collect(specs.room_greetings, app, room)      the list of results
    text = await pipe(specs.room_message, app, text)      what the implementations made of the last argument
    async with around(specs.room_visit, app, room): …     around the body

The functions are named after the kinds; a specification of another kind is an error. The application is known from the
argument `app` or `ctx`, one of which the specification has to have. What a `sync` specification gives is there at once,
what an `async` one gives is to be awaited. Plugins that are switched off for the current route are
left out. Where nobody implements the hook, nothing is called: the answer is None, [], or the last argument as it was.

Must not know: how chains are compiled, HTTP.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from ..exceptions import PluginHookError
from .around import Around
from .calls import Chain
from .markers import SPEC_ATTRIBUTE, HookInfo

if TYPE_CHECKING:
    from ..app import Quart

P = ParamSpec("P")
T = TypeVar("T")


@overload
def collect(  # type: ignore[overload-overlap]  # what can be awaited is given as an awaitable of a list
    spec: Callable[P, Coroutine[Any, Any, T | None]], /, *args: P.args, **kwargs: P.kwargs
) -> Awaitable[list[T]]: ...
@overload
def collect(spec: Callable[P, T | None], /, *args: P.args, **kwargs: P.kwargs) -> list[T]: ...
def collect(spec: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """The results of every implementation that are not None, in order."""
    found, chain, values = _prepare(spec, "collect", args, kwargs)
    return chain(*values) if chain is not None else _result(found, [])


@overload
def first(spec: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...
@overload
def first(spec: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
def first(spec: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """The first answer that is not None; None when there is none."""
    found, chain, values = _prepare(spec, "first", args, kwargs)
    return chain(*values) if chain is not None else _result(found, None)


@overload
def notify(spec: Callable[P, Coroutine[Any, Any, None]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]: ...
@overload
def notify(spec: Callable[P, None], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
def notify(spec: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call every implementation. ExceptionGroup with the failures, each of which names its plugin."""
    found, chain, values = _prepare(spec, "notify", args, kwargs)
    return chain(*values) if chain is not None else _result(found, None)


@overload
def pipe(spec: Callable[P, Coroutine[Any, Any, T | None]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...
@overload
def pipe(spec: Callable[P, T | None], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
def pipe(spec: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """What the implementations, one after the other, made of the last argument."""
    found, chain, values = _prepare(spec, "pipe", args, kwargs)
    return chain(*values) if chain is not None else _result(found, values[-1])


def around(spec: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Around:
    """The implementations around the body of `async with … as entered`; `entered.result = …` is what `yield` gives."""
    _, chain, values = _prepare(spec, "around", args, kwargs)
    manager: Around = Around((), ()) if chain is None else chain(*values)
    return manager


def _prepare(
    spec: Callable[..., Any], kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[HookInfo, Chain | None, list[Any]]:
    name, info, arguments, place, of_ctx = _read(spec)
    if info.kind != kind:
        raise PluginHookError(f"the hook {name!r} is of kind {info.kind}: call it by `{info.kind}()`")
    values = [*args, *(kwargs[argument] for argument in arguments[len(args) :] if argument in kwargs)]
    if len(values) != len(arguments) or len(values) != len(args) + len(kwargs):
        raise TypeError(f"the hook {name!r} takes ({', '.join(arguments)})")
    app: Quart = values[place].app if of_ctx else values[place]
    return info, app.chain_here(name), values


@lru_cache(maxsize=256)
def _read(spec: Callable[..., Any]) -> tuple[str, HookInfo, tuple[str, ...], int, bool]:
    """The hook's name, kind and colour, its arguments, which of them leads to the app, and whether that is a `ctx`."""
    name = getattr(spec, "__name__", repr(spec))
    info = getattr(spec, SPEC_ATTRIBUTE, None)
    if not isinstance(info, HookInfo):
        raise PluginHookError(f"{name} is no specification of a hook; mark it with `@quart_plug.hookspec(kind=…)`")
    arguments = tuple(inspect.signature(spec).parameters)
    for argument in ("app", "ctx"):
        if argument in arguments:
            return name, info, arguments, arguments.index(argument), argument == "ctx"
    raise PluginHookError(
        f"the hook {name!r} has neither an argument `app` nor `ctx`, so its application is not known; give it one, or"
        f" call app.chain_here({name!r})"
    )


def _result(info: HookInfo, value: Any) -> Any:
    """What a hook that nobody implements gives."""
    return _given(value) if info.colour == "async" else value


async def _given(value: Any) -> Any:
    return value
