"""A hook's implementations, compiled into one callable; or None when there are none.

What can be known when the plugins are known is decided here, once: which arguments each implementation
takes, whether it has to be awaited, and in which order. The chain is written out as Python source and
compiled, so that nothing is looped over, unpacked or asked while it runs.

The rules each kind keeps (see `markers` for the kinds):

- Arguments are passed by position, and those that an implementation gives a default (or takes by
  `**kwargs`) by name.
- In an async hook, coroutine functions are awaited; whatever else returns an awaitable (a partial, a
  callable object, a decorated function) is awaited too, and always before the result is compared with
  None. In a sync hook a coroutine as a result is an error, never an answer.
- `pipe` replaces the hook's last argument.
- An Exception that leaves an implementation carries a note with the plugin, its distribution and version.
- `notify` calls everyone and then raises one ExceptionGroup. A cancellation does not keep the others from
  being called either (they may have something to tear down): it is raised at the end. KeyboardInterrupt,
  SystemExit and GeneratorExit leave at once.
- With somebody to `tell` a chain is written in a second variant, which takes times (see `tracing`); without, no
  trace of that is in it.

Must not know: the manager, where plugins come from, HTTP.
"""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CoroutineType
from typing import Any, NamedTuple, NoReturn, cast

from ..exceptions import PluginHookError
from . import tracing
from .around import Around
from .markers import IMPL_ATTRIBUTE, HookInfo
from .origins import Origin, add_note

Chain = Callable[..., Any]


class HookSpec(NamedTuple):
    """A hook as it was specified.

    arguments  their names, in the order in which a chain takes them.
    owner      the plugin that specified it; "quart_plug" for the kernel's own hooks.
    """

    name: str
    arguments: tuple[str, ...]
    info: HookInfo
    documentation: str = ""
    owner: str = "quart_plug"


@dataclass(frozen=True, eq=False)
class Implementation:
    """One plugin's implementation of one hook.

    positional  the names of the specification's arguments that it takes by position.
    keywords    those that it takes by name: arguments with a default, keyword-only ones, and what
                `**kwargs` takes.
    plugin      the plugin's name; `distribution` and `version` are those it was installed from, if any.
    """

    hook: str
    function: Callable[..., Any]
    positional: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    plugin: str = "?"
    distribution: str | None = None
    version: str | None = None
    tryfirst: bool = False
    trylast: bool = False

    @property
    def origin(self) -> Origin:
        """The plugin with its distribution and version; as text, how errors name it."""
        return Origin(self.plugin, self.distribution, self.version)

    @property
    def note(self) -> str:
        return f"In hook {self.hook!r} of {self.origin}."

    @property
    def is_conditional(self) -> bool:
        """Whether it has a `when` option."""
        return (getattr(self.function, IMPL_ATTRIBUTE, None) or {}).get("when") is not None

    def is_wanted(self) -> bool:
        """Ask the implementation's `when` option."""
        options = getattr(self.function, IMPL_ATTRIBUTE, None)
        if options is None or options.get("when") is None:
            return True
        try:
            return bool(options["when"]())
        except Exception as error:
            add_note(error, f"From the option `when` of hook {self.hook!r} of {self.origin}.")
            raise


def compile_chain(
    spec: HookSpec, implementations: Sequence[Implementation], tell: tracing.Tell | None = None
) -> Chain | None:
    """Make one callable of `implementations`, which come in call order. It takes the arguments of `spec`
    in order.

    tell  who wants to know the time that each implementation took.

    Returns None when no implementation is left after their `when` options were asked; else a function for
    a sync hook, a coroutine function for an async one, and for an `around` hook a function that makes an
    async context manager (see `Around`).
    """
    wanted = [implementation for implementation in implementations if implementation.is_wanted()]
    if not wanted:
        return None
    calls = []
    for index, implementation in enumerate(wanted):
        arguments = ", ".join(
            (*implementation.positional, *(f"{name}={name}" for name in implementation.keywords))
        )
        calls.append((f"_f{index}({arguments})", returns_coroutine(implementation.function)))
    source = _write(spec.arguments, spec.info.kind, spec.info.colour == "async", tuple(calls), tell is not None)
    namespace: dict[str, Any] = {f"_f{index}": wanted[index].function for index in range(len(wanted))}
    namespace |= _Failures(spec, wanted).names()
    frozen = tuple(wanted)
    if tell is not None:
        namespace |= tracing.names(frozen, tell)
        namespace["_around"] = tracing.traced_around(frozen, tell)
    elif spec.info.kind == "around":
        namespace["_around"] = lambda *generators: Around(generators, frozen)
    exec(_code(source), namespace)
    chain: Any = namespace["_chain"]
    # Hooks of one shape share their compiled code; the name is what tracebacks and profilers show.
    chain.__name__ = chain.__qualname__ = spec.name
    chain.__code__ = chain.__code__.replace(
        co_name=spec.name, co_qualname=spec.name, co_filename=f"<hook {spec.name}>"
    )
    chain.__doc__ = spec.documentation
    chain.__module__ = __name__
    return cast("Chain", chain)


def bind(spec: HookSpec, implementation: Implementation, tell: tracing.Tell | None = None) -> Chain:
    """One implementation of a sync hook, to be called with the arguments of `spec` in order.

    Its result and its exceptions come as they are, the latter with the note; None when `when` says no.
    """

    def call(*arguments: Any) -> Any:
        given = dict(zip(spec.arguments, arguments, strict=True))
        positional = [given[name] for name in implementation.positional]
        try:
            result = implementation.function(
                *positional, **{name: given[name] for name in implementation.keywords}
            )
        except Exception as error:
            add_note(error, implementation.note)
            raise
        if type(result) is CoroutineType:
            _Failures(spec, [implementation]).refuse(result, 0)
        return result

    if not implementation.is_wanted():
        return lambda *arguments: None
    return call if tell is None else tracing.traced_call(call, implementation, tell)


def returns_coroutine(function: Callable[..., Any]) -> bool:
    """Whether calling `function` is known to give something to await (False:
    it has to be asked of the result).
    """
    if inspect.iscoroutinefunction(function):
        return True
    if inspect.isfunction(function) or inspect.ismethod(function):
        return bool(function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return inspect.iscoroutinefunction(getattr(type(function), "__call__", None))  # noqa: B004 - its kind is asked


class _Failures:
    """What a chain does when an implementation fails; off the path that is taken when none does."""

    def __init__(self, spec: HookSpec, implementations: Sequence[Implementation]) -> None:
        self.spec = spec
        self.implementations = implementations

    def names(self) -> dict[str, Any]:
        return {
            "_blame": self.blame,
            "_gather": self.gather,
            "_raise": self.raise_all,
            "_refuse": self.refuse,
            "_cancelled_error": CancelledError,
            "_coroutine": CoroutineType,
        }

    def blame(self, error: Exception, index: int) -> None:
        add_note(error, self.implementations[index].note)

    def gather(self, failures: list[Exception] | None, error: Exception, index: int) -> list[Exception]:
        self.blame(error, index)
        return [error] if failures is None else [*failures, error]

    def raise_all(self, failures: list[Exception] | None, cancelled: BaseException | None) -> NoReturn:
        group = None
        if failures is not None:
            count = f"{len(failures)} of {len(self.implementations)} implementations"
            group = ExceptionGroup(f"{count} of the hook {self.spec.name!r} failed", failures)
        if cancelled is not None:
            raise cancelled from group
        assert group is not None
        raise group

    def refuse(self, coroutine: Any, index: int) -> NoReturn:
        coroutine.close()
        raise PluginHookError(
            f"hook {self.spec.name!r}: {self.implementations[index].origin} returned a coroutine, but the"
            " hook is called from code that cannot await; make it a plain function that returns its result"
        )


@lru_cache(maxsize=512)
def _code(source: str) -> Any:
    return compile(source, "<hook>", "exec")


@lru_cache(maxsize=512)
def _write(
    arguments: tuple[str, ...],
    kind: str,
    is_async: bool,
    calls: tuple[tuple[str, bool], ...],
    traced: bool = False,
) -> str:
    """The chain's source. `calls` holds each implementation's call, and whether it is known to give a
    coroutine.

    Every name that is not an argument starts with an underscore, and arguments must not.
    """
    if kind == "around":
        return (
            f"def _chain({', '.join(arguments)}):\n return _around({', '.join(call for call, _ in calls)})\n"
        )
    lines = [f"{'async ' if is_async else ''}def _chain({', '.join(arguments)}):"]
    lines += _BEFORE[kind]
    only = len(calls) == 1
    for index, (call, known) in enumerate(calls):
        if traced:
            lines.append(" _succeeded = False; _started = _clock()")
        lines.append(" try:")
        if is_async and known:
            lines.append(f"  _r = await {call}")
        else:
            lines.append(f"  _r = {call}")
            if is_async:
                lines.append("  if _r is not None and hasattr(type(_r), '__await__'): _r = await _r")
            else:
                lines.append(f"  if type(_r) is _coroutine: _refuse(_r, {index})")
        if traced:
            lines.append("  _succeeded = True")
        lines.append(" except Exception as _error:")
        if kind == "notify":
            lines.append(f"  _failures = _gather(_failures, _error, {index})")
            lines.append(" except _cancelled_error as _error: _cancelled = _error")
        else:
            lines += [f"  _blame(_error, {index})", "  raise"]
        if traced:
            lines.append(f" finally: _tell({index}, _started, _succeeded)")
        if kind == "collect":
            lines.append(" if _r is not None: _results.append(_r)")
        elif kind == "first":
            lines.append(" return _r" if only else " if _r is not None: return _r")
        elif kind == "pipe":
            lines.append(f" if _r is not None: {arguments[-1]} = _r")
    lines += _AFTER[kind]
    if kind == "pipe":
        lines.append(f" return {arguments[-1]}")
    return "\n".join(lines) + "\n"


_BEFORE: dict[str, list[str]] = {
    "collect": [" _results = []"],
    "first": [],
    "notify": [" _failures = _cancelled = None"],
    "pipe": [],
}
_AFTER: dict[str, list[str]] = {
    "collect": [" return _results"],
    "first": [],
    "notify": [" if _failures is not None or _cancelled is not None: _raise(_failures, _cancelled)"],
    "pipe": [],
}
