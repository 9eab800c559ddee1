"""The two markers a plugin author meets: `hookimpl`, and `hookspec` for plugins that define hooks of their
own.

A specification declares its kind and its colour, so that no call site decides how a hook is called:

    collect  every implementation, in order         -> the list of results that are not None
    first    in order, until one answers            -> that answer, or None
    notify   every implementation, even if one fails-> None; failures are raised as one ExceptionGroup
    around   async generators, outermost first      -> entered before and left after the body
    pipe     each is given what the one before made -> the last value; None leaves the value as it was

`sync` hooks are called from code that cannot await (set-up, slots); `async` hooks accept plain functions and
coroutine functions alike. Knows no HTTP and imports nothing of the package.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, cast, overload

import pluggy

PROJECT = "quart_plug"

HookKind = Literal["collect", "first", "notify", "around", "pipe"]
Colour = Literal["sync", "async"]

F = TypeVar("F", bound=Callable[..., Any])

_spec_marker = pluggy.HookspecMarker(PROJECT)
_impl_marker = pluggy.HookimplMarker(PROJECT)

SPEC_ATTRIBUTE = "quart_plug_hook"
IMPL_ATTRIBUTE = "quart_plug_impl_options"


class HookInfo(NamedTuple):
    """What a specification declares beside its signature.

    kind      how the implementations are called; see the module's text.
    colour    "sync" or "async".
    provider  for a slot: the name of the first-party plugin that fills it, for the error when nobody does.
    """

    kind: HookKind
    colour: Colour = "async"
    provider: str | None = None


def _inner(function: Any) -> Any:
    """Of a staticmethod or classmethod the function below it: that is what everybody else gets to see."""
    return getattr(function, "__func__", function)


def hookspec(*, kind: HookKind, colour: Colour = "async", provider: str | None = None) -> Callable[[F], F]:
    """Mark a function as a hook specification.
    Its body is never run; its docstring is the hook's documentation.
    """

    def decorate(function: F) -> F:
        setattr(_inner(function), SPEC_ATTRIBUTE, HookInfo(kind, colour, provider))
        return _spec_marker(function)

    return decorate


class Marker(Protocol):
    """What `hookimpl(…)` makes: a decorator. It has a name so that the plugin of mypy's finds it again."""

    def __call__(self, function: F, /) -> F: ...


@overload
def hookimpl(function: F) -> F: ...
@overload
def hookimpl(
    *,
    tryfirst: bool = False,
    trylast: bool = False,
    optionalhook: bool = False,
    specname: str | None = None,
    when: Callable[[], bool] | None = None,
) -> Marker: ...
def hookimpl(
    function: F | None = None,
    *,
    tryfirst: bool = False,
    trylast: bool = False,
    optionalhook: bool = False,
    specname: str | None = None,
    when: Callable[[], bool] | None = None,
) -> F | Marker:
    """Mark a function as an implementation of the hook of the same name (or of `specname`).

    tryfirst, trylast  called before, after the other plugins' implementations.
    optionalhook       no error when the hook is not specified (its plugin may be absent).
    when               asked each time a chain is compiled: an implementation for which it answers False is
                       left out and costs nothing. Whoever changes the answer calls `plans_changed()` of
                       the app, or `quart_plug.hooks.notify_change()` for all apps.

    TypeError for anything but a function or method, such as a class or a `functools.partial`.
    """

    def decorate(function: F) -> F:
        if not inspect.isroutine(_inner(function)):  # nobody would ever call it
            raise TypeError(
                f"@hookimpl marks functions and methods, not {function!r}; write a function that calls it"
            )
        if when is not None:
            setattr(_inner(function), IMPL_ATTRIBUTE, {"when": when})
        return _impl_marker(
            function, tryfirst=tryfirst, trylast=trylast, optionalhook=optionalhook, specname=specname
        )

    return cast(Marker, decorate) if function is None else decorate(function)
