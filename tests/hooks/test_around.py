"""`around` hooks: entered outermost first, left in reverse; nothing is swallowed and every misuse names
its plugin.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest

from quart_plug.exceptions import PluginHookError
from quart_plug.hooks.calls import HookSpec, Implementation, compile_chain
from quart_plug.hooks.markers import HookInfo

SPEC = HookSpec("connection", ("ctx",), HookInfo("around"))
TELL: list[Any] = []


@pytest.fixture(params=["plain", "traced"], autouse=True)
def variant(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything here holds for both variants of a chain."""
    TELL[:] = [lambda *span: None] if request.param == "traced" else [None]
    yield
    TELL.clear()


def around(*functions: Callable[..., AsyncGenerator[Any, Any]]) -> Any:
    implementations = [
        Implementation("connection", function, ("ctx",), plugin=function.__name__) for function in functions
    ]
    chain = compile_chain(SPEC, implementations, *TELL)
    assert chain is not None
    return chain


class Log(list[str]):
    """Writes down what happens; the functions that it makes are the implementations."""

    def plugin(self, name: str) -> Callable[..., AsyncGenerator[Any, Any]]:
        async def generator(ctx: Any) -> AsyncGenerator[None, Any]:
            self.append(f"enter {name} {ctx}")
            try:
                result = yield
                self.append(f"leave {name} {result}")
            except BaseException as error:
                self.append(f"{name} sees {type(error).__name__}")
                raise

        generator.__name__ = name
        return generator


async def test_entered_in_order_and_left_in_reverse_with_the_result() -> None:
    log = Log()
    async with around(log.plugin("a"), log.plugin("b"))("ctx") as running:
        log.append("body")
        running.result = "done"
    assert log == ["enter a ctx", "enter b ctx", "body", "leave b done", "leave a done"]


@pytest.mark.parametrize(
    "error", [ValueError("x"), asyncio.CancelledError(), StopAsyncIteration(), StopIteration()]
)
async def test_everyone_sees_the_bodys_exception_which_goes_on(error: BaseException) -> None:
    log = Log()
    with pytest.raises(type(error)) as caught:
        async with around(log.plugin("a"), log.plugin("b"))(1):
            raise error
    name = type(error).__name__
    assert caught.value is error
    assert log[2:] == [f"b sees {name}", f"a sees {name}"]
    assert not hasattr(error, "__notes__")


async def test_nothing_is_swallowed() -> None:
    """A generator that catches the exception and ends has had its look; the outer ones and the caller see
    it too.
    """
    log = Log()

    async def swallows(ctx: Any) -> AsyncGenerator[None, None]:
        try:
            yield
        except ValueError:
            log.append("caught")

    with pytest.raises(ValueError, match="x"):
        async with around(log.plugin("outer"), swallows)(1):
            raise ValueError("x")
    assert log[1:] == ["caught", "outer sees ValueError"]


async def test_exception_may_be_replaced() -> None:
    log = Log()

    async def replaces(ctx: Any) -> AsyncGenerator[None, None]:
        try:
            yield
        except ValueError as error:
            raise LookupError("instead") from error

    with pytest.raises(LookupError, match="instead") as caught:
        async with around(log.plugin("outer"), replaces)(1):
            raise ValueError("x")
    assert log[1:] == ["outer sees LookupError"]
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.__notes__ == ["In hook 'connection' of plugin 'replaces'."]


async def test_failure_on_leaving_reaches_the_outer_ones() -> None:
    log = Log()

    async def fails(ctx: Any) -> AsyncGenerator[None, None]:
        yield
        raise OSError("late")

    with pytest.raises(OSError, match="late") as caught:
        async with around(log.plugin("outer"), fails, log.plugin("inner"))(1):
            pass
    assert log[2:] == ["leave inner None", "outer sees OSError"]
    assert caught.value.__notes__ == ["In hook 'connection' of plugin 'fails'."]


async def test_failure_on_entering_leaves_those_that_were_entered() -> None:
    log = Log()

    async def fails(ctx: Any) -> AsyncGenerator[None, None]:
        if ctx:
            raise OSError("early")
        yield

    with pytest.raises(OSError, match="early") as caught:
        async with around(log.plugin("outer"), fails, log.plugin("inner"))(1):
            pytest.fail("the body must not run")
    assert log == ["enter outer 1", "outer sees OSError"]
    assert caught.value.__notes__ == ["In hook 'connection' of plugin 'fails'."]


async def test_outer_one_may_replace_a_failure_on_entering() -> None:
    async def replaces(ctx: Any) -> AsyncGenerator[None, None]:
        try:
            yield
        except OSError:
            raise LookupError("instead") from None

    async def fails(ctx: Any) -> AsyncGenerator[None, None]:
        if ctx:
            raise OSError("early")
        yield

    with pytest.raises(LookupError, match="instead"):
        async with around(replaces, fails)(1):
            pytest.fail("the body must not run")


async def test_without_yield_is_an_error_that_names_the_plugin() -> None:
    log = Log()

    async def silent(ctx: Any) -> AsyncGenerator[None, None]:
        if ctx is None:
            yield

    with pytest.raises(PluginHookError, match="plugin 'silent' ended without a `yield`"):
        async with around(log.plugin("outer"), silent)(1):
            pytest.fail("the body must not run")
    assert log[1:] == ["outer sees PluginHookError"]


@pytest.mark.parametrize("fail", [False, True])
async def test_second_yield_is_an_error_that_names_the_plugin(fail: bool) -> None:
    closed = []

    async def twice(ctx: Any) -> AsyncGenerator[None, None]:
        try:
            try:
                yield
            except ValueError:
                pass
            yield
        finally:
            closed.append(True)

    with pytest.raises(PluginHookError, match="plugin 'twice' went on to a second `yield`") as caught:
        async with around(twice)(1):
            if fail:
                raise ValueError("x")
    assert closed == [True]
    assert isinstance(caught.value.__context__, ValueError) is fail


async def test_generator_that_never_stops_is_given_up() -> None:
    async def stubborn(ctx: Any) -> AsyncGenerator[None, None]:
        yield
        try:
            yield
        except GeneratorExit:
            yield

    with pytest.raises(PluginHookError, match="stubborn"):
        async with around(stubborn)(1):
            pass


async def test_traceback_of_the_bodys_exception_stays_short() -> None:
    """As with contextlib, the frames of the generators that only looked at it are not in it."""
    log = Log()
    with pytest.raises(ValueError, match="x") as caught:
        async with around(log.plugin("a"))(1):
            raise ValueError("x")
    assert [entry.name for entry in caught.traceback] == ["test_traceback_of_the_bodys_exception_stays_short"]


async def test_closing_the_caller_runs_what_follows_the_yield() -> None:
    log = Log()

    async def handler() -> None:
        async with around(log.plugin("a"))(1):
            await asyncio.Event().wait()

    coroutine = handler()
    coroutine.send(None)
    coroutine.close()
    assert log == ["enter a 1", "a sees GeneratorExit"]


async def test_closing_the_caller_while_it_leaves_ends_at_once() -> None:
    """Nothing may be awaited any more, so the outer ones are not left; and no "ignored GeneratorExit"
    arises.
    """
    log = Log()

    async def slow(ctx: Any) -> AsyncGenerator[None, None]:
        yield
        await asyncio.Event().wait()

    async def handler() -> None:
        async with around(log.plugin("outer"), slow)(1):
            pass

    coroutine = handler()
    coroutine.send(None)
    coroutine.close()
    assert log[0] == "enter outer 1"
