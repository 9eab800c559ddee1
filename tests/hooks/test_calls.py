"""A compiled chain does what a plain loop over the implementations does, for every kind of hook."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug.exceptions import PluginHookError
from quart_plug.hooks.calls import HookSpec, Implementation, bind, compile_chain
from quart_plug.hooks.markers import HookInfo, hookimpl


def spec(kind: Any, colour: Any = "async", arguments: tuple[str, ...] = ("ctx", "value")) -> HookSpec:
    return HookSpec("a_hook", arguments, HookInfo(kind, colour), "What it is for.")


def implementation(function: Callable[..., Any], *positional: str, **options: Any) -> Implementation:
    return Implementation("a_hook", function, positional, **options)


def run(chain: Any, *arguments: Any) -> Any:
    result = chain(*arguments)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


@pytest.mark.parametrize("kind", ["collect", "first", "notify", "around", "pipe"])
def test_without_implementations_there_is_no_chain(kind: str) -> None:
    assert compile_chain(spec(kind), []) is None


def test_chain_carries_the_hooks_name_and_documentation() -> None:
    chain = compile_chain(spec("first", "sync"), [implementation(lambda: 1)])
    assert chain is not None
    assert (chain.__name__, chain.__doc__) == ("a_hook", "What it is for.")
    assert chain.__code__.co_filename == "<hook a_hook>"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_collect_gives_what_is_not_none_in_order(colour: str) -> None:
    results: list[Any] = [0, None, "", [], None, 3]
    chain = compile_chain(spec("collect", colour), [implementation(lambda r=r: r) for r in results])
    assert run(chain, 1, 2) == [0, "", [], 3]


def test_first_stops_at_the_first_answer() -> None:
    """A falsy answer is an answer; those after it are not called."""
    called: list[int] = []

    def answer(number: int, result: Any) -> Callable[[], Any]:
        def function() -> Any:
            called.append(number)
            return result

        return function

    chain = compile_chain(
        spec("first", "sync"), [implementation(answer(n, r)) for n, r in enumerate((None, 0, "later"))]
    )
    assert (run(chain, 1, 2), called) == (0, [0, 1])


def test_first_gives_none_when_nobody_answers() -> None:
    chain = compile_chain(spec("first", "sync"), [implementation(lambda: None)] * 2)
    assert run(chain, 1, 2) is None


def test_pipe_hands_the_last_argument_on() -> None:
    chain = compile_chain(
        spec("pipe"),
        [
            implementation(lambda value: value + "b", "value"),
            implementation(lambda: None),
            implementation(lambda ctx, value: value + ctx, "ctx", "value"),
        ],
    )
    assert run(chain, "c", "a") == "abc"


def test_arguments_are_passed_in_the_implementations_own_order_and_by_name() -> None:
    def swapped(value: Any, ctx: Any) -> Any:
        return value, ctx

    def by_name(ctx: Any, *, value: Any = "default") -> Any:
        return ctx, value

    chain = compile_chain(
        spec("collect"),
        [implementation(swapped, "value", "ctx"), implementation(by_name, "ctx", keywords=("value",))],
    )
    assert run(chain, 1, 2) == [(2, 1), (1, 2)]


async def _answer(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


class CallableObject:
    async def __call__(self, value: Any) -> Any:
        return await _answer(value)


@types.coroutine
def _generator_based(value: Any) -> Any:
    yield from asyncio.sleep(0).__await__()
    return value


@functools.wraps(_answer)
def _hidden(*args: Any) -> Any:
    return _answer(*args)


class _Awaitable:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        return _answer(self.value).__await__()


@pytest.mark.parametrize(
    "function",
    [
        _answer,
        functools.partial(_answer),
        CallableObject(),
        _generator_based,
        _hidden,
        lambda v: _Awaitable(v),
    ],
    ids=[
        "coroutine function",
        "partial",
        "callable object",
        "types.coroutine",
        "decorated",
        "awaitable object",
    ],
)
@pytest.mark.parametrize("value", [None, "answer"])
def test_whatever_is_awaitable_is_awaited_before_the_none_test(function: Any, value: Any) -> None:
    chain = compile_chain(spec("first"), [implementation(function, "value"), implementation(lambda: "last")])
    assert run(chain, None, value) == (value or "last")


def test_bound_methods_are_called_on_their_object() -> None:
    class Plugin:
        async def hook(self, value: int) -> int:
            return value + 1

    assert run(compile_chain(spec("first"), [implementation(Plugin().hook, "value")]), None, 1) == 2


def test_coroutine_in_a_sync_hook_is_an_error_and_not_an_answer() -> None:
    chain = compile_chain(
        spec("first", "sync"),
        [implementation(lambda: _answer(1), plugin="odd", distribution="d", version="2")],
    )
    with pytest.raises(PluginHookError, match=r"plugin 'odd' \(d 2\) returned a coroutine"):
        run(chain, None, None)


def failing(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


@pytest.mark.parametrize("kind", ["collect", "first", "pipe"])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_error_carries_a_note_that_names_the_plugin_once(kind: str, colour: str) -> None:
    error = ValueError("no")
    chain = compile_chain(
        spec(kind, colour), [implementation(failing(error), plugin="p", distribution="dist", version="1.2")]
    )
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            run(chain, 1, 2)
    assert error.__notes__ == ["In hook 'a_hook' of plugin 'p' (dist 1.2)."]


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_notify_calls_everyone_and_raises_one_group(colour: str) -> None:
    called: list[str] = []
    chain = compile_chain(
        spec("notify", colour),
        [
            implementation(failing(ValueError("a")), plugin="first"),
            implementation(lambda: called.append("second"), plugin="second"),
            implementation(failing(KeyError("c")), plugin="third"),
        ],
    )
    with pytest.raises(ExceptionGroup, match="2 of 3 implementations of the hook 'a_hook' failed") as caught:
        run(chain, 1, 2)
    assert called == ["second"]
    assert [type(error) for error in caught.value.exceptions] == [ValueError, KeyError]
    assert [error.__notes__ for error in caught.value.exceptions] == [
        ["In hook 'a_hook' of plugin 'first'."],
        ["In hook 'a_hook' of plugin 'third'."],
    ]


def test_notify_gives_nothing_when_all_goes_well() -> None:
    assert run(compile_chain(spec("notify"), [implementation(lambda: 1)]), 1, 2) is None


def test_notify_calls_the_rest_when_cancelled_and_then_is_cancelled() -> None:
    called: list[str] = []

    async def main() -> None:
        started = asyncio.Event()

        async def wait() -> None:
            started.set()
            await asyncio.Event().wait()

        chain = compile_chain(
            spec("notify"),
            [
                implementation(failing(ValueError("before"))),
                implementation(wait),
                implementation(lambda: called.append("after")),
            ],
        )
        assert chain is not None
        task = asyncio.ensure_future(chain(1, 2))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__cause__, ExceptionGroup)

    asyncio.run(main())
    assert called == ["after"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()], ids=repr)
@pytest.mark.parametrize("kind", ["collect", "first", "notify", "pipe"])
def test_exceptions_that_end_the_process_leave_at_once_and_unchanged(kind: str, error: BaseException) -> None:
    called: list[str] = []
    chain: Any = compile_chain(
        spec(kind, "sync"), [implementation(failing(error)), implementation(lambda: called.append("after"))]
    )
    with pytest.raises(type(error)) as caught:
        chain(1, 2)
    assert (caught.value, called) == (error, [])
    assert not hasattr(error, "__notes__")


@pytest.mark.parametrize("kind", ["collect", "first", "pipe"])
def test_cancellation_passes_through(kind: str) -> None:
    chain = compile_chain(spec(kind), [implementation(failing(asyncio.CancelledError()))])
    with pytest.raises(asyncio.CancelledError) as caught:
        run(chain, 1, 2)
    assert not hasattr(caught.value, "__notes__")


def test_when_is_asked_at_each_compilation() -> None:
    wanted = [False]

    @hookimpl(when=lambda: wanted[0])
    def a_hook() -> str:
        return "here"

    implementations = [implementation(a_hook)]
    assert compile_chain(spec("first", "sync"), implementations) is None
    wanted[0] = True
    assert run(compile_chain(spec("first", "sync"), implementations), 1, 2) == "here"


def test_when_of_methods_is_asked() -> None:
    class Plugin:
        @hookimpl(when=lambda: False)
        @staticmethod
        def static() -> None: ...

        @hookimpl(when=lambda: False)
        def method(self) -> None: ...

    for function in (Plugin().static, Plugin().method):
        assert not implementation(function).is_wanted()


def test_when_that_raises_names_the_plugin() -> None:
    @hookimpl(when=failing(OSError("gone")))
    def a_hook() -> None: ...

    with pytest.raises(OSError, match="gone") as caught:
        compile_chain(spec("first"), [implementation(a_hook, plugin="p")])
    assert caught.value.__notes__ == ["From the option `when` of hook 'a_hook' of plugin 'p'."]


def test_bind_calls_one_implementation_and_gives_its_result_as_it_is() -> None:
    one = implementation(lambda value, ctx: {value: ctx}, "value", keywords=("ctx",))
    assert bind(spec("collect", "sync"), one)(1, 2) == {2: 1}


def test_bind_names_the_plugin_in_errors() -> None:
    with pytest.raises(ValueError, match="no") as caught:
        bind(spec("notify", "sync"), implementation(failing(ValueError("no")), plugin="p"))(1, 2)
    assert caught.value.__notes__ == ["In hook 'a_hook' of plugin 'p'."]
    with pytest.raises(PluginHookError, match="returned a coroutine"):
        bind(spec("first", "sync"), implementation(lambda: _answer(1)))(1, 2)
