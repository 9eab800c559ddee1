"""For any set of plugins a compiled chain, traced or not, does what a naive loop over them does."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quart_plug.hooks.calls import HookSpec, Implementation, compile_chain
from quart_plug.hooks.markers import HookInfo


def spec(kind: Any, colour: Any) -> HookSpec:
    return HookSpec("a_hook", ("ctx", "value"), HookInfo(kind, colour))


def implementation(function: Callable[..., Any], *positional: str, **options: Any) -> Implementation:
    return Implementation("a_hook", function, positional, **options)


# -----------------------------------------------------------------------------------------------

_outcomes = st.one_of(
    st.none(), st.integers(), st.sampled_from([ValueError, KeyError, asyncio.CancelledError, "pass on"])
)
_plugins = st.lists(
    st.tuples(
        _outcomes,
        st.sampled_from(["plain", "coroutine", "partial", "object"]),
        st.permutations(["ctx", "value"]).flatmap(lambda p: st.integers(0, 2).map(lambda n: tuple(p[:n]))),
        st.booleans(),  # whether the arguments it does not take by position are taken by name, with a default
    ),
    max_size=5,
)


class Recorder:
    """Makes implementations that write down what they were called with."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async
        self.calls: list[Any] = []

    def make(
        self, index: int, outcome: Any, form: str, names: tuple[str, ...], defaults: bool
    ) -> Implementation:
        rest = tuple(name for name in ("ctx", "value") if name not in names) if defaults else ()

        def body(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(names, args, strict=True)) | kwargs
            self.calls.append((index, given))
            if isinstance(outcome, type):
                raise outcome(index)
            return given.get("value") if outcome == "pass on" else outcome

        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return body(*args, **kwargs)

        class Object:
            async def __call__(self, *args: Any, **kwargs: Any) -> Any:
                return await coroutine(*args, **kwargs)

        functions: dict[str, Callable[..., Any]] = {
            "plain": body,
            "coroutine": coroutine,
            "partial": functools.partial(coroutine),
            "object": Object(),
        }
        function = functions[form] if self.is_async else body
        return implementation(function, *names, keywords=rest, plugin=f"p{index}")


async def naive(kind: str, implementations: list[Implementation], ctx: Any, value: Any) -> Any:
    results, failures, cancelled = [], [], None
    for each in implementations:
        given = {"ctx": ctx, "value": value}
        try:
            result = each.function(
                *(given[n] for n in each.positional), **{n: given[n] for n in each.keywords}
            )
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:
            if kind != "notify":
                raise
            failures.append(error)
            continue
        except asyncio.CancelledError as error:
            if kind != "notify":
                raise
            cancelled = error
            continue
        if result is not None:
            results.append(result)
            value = result if kind == "pipe" else value
            if kind == "first":
                return result
    if cancelled is not None:
        raise cancelled
    if failures:
        raise ExceptionGroup("", failures)
    return {"collect": results, "pipe": value}.get(kind)


def describe(error: BaseException, notes: bool = False) -> Any:
    inner = [describe(each, notes) for each in error.exceptions] if isinstance(error, ExceptionGroup) else None
    return type(error), inner or error.args, getattr(error, "__notes__", None) if notes else None


async def outcome_of(make: Callable[[], Any], notes: bool = False) -> Any:
    try:
        result = make()
        return await result if inspect.iscoroutine(result) else result
    except (Exception, asyncio.CancelledError) as error:
        return describe(error, notes)


@settings(deadline=None)
@given(_plugins, st.sampled_from(["collect", "first", "notify", "pipe"]), st.booleans(), st.booleans())
def test_chain_does_what_a_naive_loop_does(plugins: list[Any], kind: str, is_async: bool, traced: bool) -> None:
    """The same calls with the same arguments in the same order, and the same result or exceptions.
    What is told of a traced chain is these calls, and which of them raised.
    """
    spans: list[tuple[Any, ...]] = []

    async def main() -> None:
        expected, actual = Recorder(is_async), Recorder(is_async)
        plain = [expected.make(index, *plugin) for index, plugin in enumerate(plugins)]
        chain = compile_chain(
            spec(kind, "async" if is_async else "sync"),
            [actual.make(index, *plugin) for index, plugin in enumerate(plugins)],
            (lambda *span: spans.append(span)) if traced else None,
        )
        if chain is None:
            assert plugins == []
            return
        wanted = await outcome_of(lambda: naive(kind, plain, "c", "v"))
        assert await outcome_of(lambda: chain("c", "v")) == wanted
        assert actual.calls == expected.calls
        told = [(hook, plugin, failed) for hook, plugin, _, _, failed in spans]
        raised = [isinstance(plugins[index][0], type) for index, _ in expected.calls]
        assert told == [("a_hook", f"p{c[0]}", r) for c, r in zip(expected.calls, raised, strict=True)] * traced

    try:
        asyncio.run(main())
    except asyncio.CancelledError:  # pragma: no cover - the loop itself must not be cancelled
        pytest.fail("a cancellation escaped")


@settings(deadline=None)
@given(_plugins, st.sampled_from(["collect", "first", "notify", "pipe"]), st.booleans())
def test_a_traced_chain_raises_with_the_same_notes(plugins: list[Any], kind: str, is_async: bool) -> None:
    a_hook = spec(kind, "async" if is_async else "sync")
    made = [Recorder(is_async).make(index, *plugin) for index, plugin in enumerate(plugins)]
    plain, traced = compile_chain(a_hook, made), compile_chain(a_hook, made, lambda *span: None)
    if plain is None or traced is None:
        assert plugins == []
        return

    async def main() -> None:
        wanted = await outcome_of(lambda: plain("c", "v"), notes=True)
        assert await outcome_of(lambda: traced("c", "v"), notes=True) == wanted

    asyncio.run(main())
