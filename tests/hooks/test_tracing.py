"""Times of hooks: told while somebody listens, not measured while nobody does, and never a difference to what
happens.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from quart_plug import Quart, websocket
from quart_plug.exceptions import PluginHookError
from quart_plug.hooks import PluginManager, Span, calls, hookimpl, tracing
from quart_plug.hooks.discovery import Record

Make = Callable[..., PluginManager]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """`clock(3)` lets three seconds pass."""
    now = [100.0]
    monkeypatch.setattr(tracing, "perf_counter", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    yield forward


class Plugin:
    """Each part takes the seconds that it was given, and does what it was told to."""

    def __init__(self, clock: Callable[[float], None], seconds: float = 0, outcome: Any = None) -> None:
        self.clock, self.seconds, self.outcome = clock, seconds, outcome

    def work(self) -> Any:
        self.clock(self.seconds)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    @hookimpl
    def names(self) -> Any:
        return self.work()

    @hookimpl
    async def before(self) -> Any:
        await asyncio.sleep(0)
        return self.work()

    @hookimpl
    async def around(self) -> AsyncGenerator[None, None]:
        self.clock(self.seconds)
        yield
        self.work()


def test_each_implementation_has_a_span_in_call_order(manager: Make, clock: Any) -> None:
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 2, "x"), "two")
    hooks.register(Plugin(clock, 3, LookupError()), "three")
    hooks.trace(spans.append)
    chain = hooks.call("names")
    assert chain is not None
    with pytest.raises(LookupError):
        chain(None)
    assert spans == [Span("names", "two", 100.0, 2.0, False), Span("names", "three", 102.0, 3.0, True)]


async def test_what_a_coroutine_waits_for_counts(manager: Make, clock: Any) -> None:
    """It is wall time: what others do meanwhile is in it."""
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 2), "two")
    hooks.trace(spans.append)
    chain = hooks.call("before")
    assert chain is not None

    async def other() -> None:
        clock(5)

    await asyncio.gather(chain(None), other())
    assert spans == [Span("before", "two", 100.0, 7.0, False)]


async def test_around_counts_what_is_before_and_after_the_body(manager: Make, clock: Any) -> None:
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 2), "outer")
    hooks.register(Plugin(clock, 3), "inner")
    hooks.trace(spans.append)
    chain = hooks.call("around")
    assert chain is not None
    async with chain(None):
        clock(50)
        assert spans == []
    assert spans == [Span("around", "inner", 102.0, 6.0, False), Span("around", "outer", 100.0, 4.0, False)]


@pytest.mark.parametrize(
    ("in_body", "in_hook", "failed"),
    [(None, None, False), (KeyError(), None, False), (None, LookupError(), True), (KeyError(), LookupError(), True)],
)
async def test_an_exception_of_the_body_is_not_the_plugins_failure(
    manager: Make, in_body: Any, in_hook: Any, failed: bool
) -> None:
    class Cleaning:
        @hookimpl
        async def around(self) -> AsyncGenerator[None, None]:
            try:
                yield
            finally:
                if in_hook is not None:
                    raise in_hook

    hooks, spans = manager(), list[Span]()
    hooks.register(Cleaning(), "cleaning")
    hooks.trace(spans.append)
    chain = hooks.call("around")
    assert chain is not None
    try:
        async with chain(None):
            if in_body is not None:
                raise in_body
    except LookupError:
        pass
    assert [(span.plugin, span.failed) for span in spans] == [("cleaning", failed)]


async def no_yield() -> AsyncGenerator[None, None]:
    for _ in ():
        yield


async def two_yields() -> AsyncGenerator[None, None]:
    yield
    yield


async def raises() -> AsyncGenerator[None, None]:
    raise PluginHookError("by itself")
    yield


@pytest.mark.parametrize("function", [no_yield, two_yields, raises])
async def test_a_misused_generator_has_a_failed_span(manager: Make, function: Any) -> None:
    plugin = ModuleType("misused")
    plugin.around = hookimpl(function)  # type: ignore[attr-defined]  # a module's attribute
    plugin.around.__name__ = "around"  # type: ignore[attr-defined]  # a module's attribute
    hooks, spans = manager(), list[Span]()
    hooks.register(plugin)
    hooks.trace(spans.append)
    chain = hooks.call("around")
    assert chain is not None
    with pytest.raises(PluginHookError):
        async with chain(None):
            pass
    assert [(span.plugin, span.failed) for span in spans] == [("misused", True)]


def test_one_implementation_called_for_set_up_has_a_span(manager: Make, clock: Any) -> None:
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 4, "x"), "four")
    hooks.trace(spans.append)
    (implementation,) = hooks.implementations("names")
    assert hooks.call_one(implementation)(None) == "x"
    assert spans == [Span("names", "four", 100.0, 4.0, False)]


def test_imports_have_spans_failed_ones_too(
    manager: Make, module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "traced_broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    module("traced_good", "@hookimpl\ndef names(app): ...")
    records = [Record(name, f"traced_{name}", "dist", "1") for name in ("good", "broken", "other")]
    hooks, spans = manager(*records, strict=False, enabled=["good", "broken"]), list[Span]()
    hooks.trace(spans.append)
    hooks.select(environ={})
    hooks.load()
    assert [(span.hook, span.plugin, span.failed) for span in spans] == [
        ("import", "good", False),
        ("import", "broken", True),
    ]
    assert all(span.seconds > 0 for span in spans)


def test_nothing_is_measured_when_nobody_listens(manager: Make, clock: Any) -> None:
    """The chain is, to the last byte of its code, one of a manager that was never listened to."""
    never, was = manager(), manager()
    for hooks in (never, was):
        hooks.register(Plugin(clock), "plugin")
    stop = was.trace(lambda span: None)
    traced = was.call("names")
    stop()
    plain, after = never.call("names"), was.call("names")
    assert plain is not None and after is not None and traced is not None
    assert after.__code__ == plain.__code__ != traced.__code__
    assert "_clock" not in after.__globals__ and "_clock" in traced.__globals__


@pytest.mark.parametrize("kind", ["collect", "first", "notify", "pipe", "around"])
@pytest.mark.parametrize("is_async", [True, False])
def test_the_source_of_an_untraced_chain_has_no_trace_of_it(kind: str, is_async: bool) -> None:
    """Without its lines about time the traced variant is the other one."""
    calls_of = (("_f0(app)", is_async), ("_f1(app)", False))
    plain = calls._write(("app",), kind, is_async, calls_of)
    traced = calls._write(("app",), kind, is_async, calls_of, True)
    of_time = ("_clock", "_tell", "_succeeded")
    assert (
        "".join(line for line in traced.splitlines(keepends=True) if not any(word in line for word in of_time)) == plain
    )
    assert (traced != plain) is (kind != "around")


def test_several_may_listen_and_each_stops_on_its_own(manager: Make, clock: Any) -> None:
    hooks, first, second = manager(), list[Span](), list[Span]()
    hooks.register(Plugin(clock, 1), "plugin")
    stop_first, stop_second = hooks.trace(first.append), hooks.trace(second.append)

    def call() -> None:
        chain = hooks.call("names")
        assert chain is not None
        chain(None)

    call()
    stop_first()
    stop_first()
    call()
    assert (len(first), len(second)) == (1, 2)
    generation = hooks.generation
    stop_second()
    stop_second()
    assert hooks.generation == generation + 1
    call()
    assert (len(first), len(second)) == (1, 2)


def test_one_function_may_listen_twice(manager: Make, clock: Any) -> None:
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 1), "plugin")
    hooks.trace(spans.append)
    hooks.trace(spans.append)()
    chain = hooks.call("names")
    assert chain is not None
    chain(None)
    assert len(spans) == 1


@pytest.mark.parametrize("error", [LookupError("sink"), asyncio.CancelledError()])
def test_a_listener_that_raises_is_logged_once_and_let_go(
    manager: Make, clock: Any, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def sink(span: Span) -> None:
        raise error

    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 1, "x"), "plugin")
    hooks.trace(sink)
    hooks.trace(spans.append)
    for _ in range(3):
        chain = hooks.call("names")
        assert chain is not None
        assert chain(None) == ["x"]
    assert len(spans) == 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "sink" in caplog.text


def test_hooks_that_a_listener_calls_are_not_told(manager: Make, clock: Any) -> None:
    """It would never end."""
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(clock, 1, "x"), "plugin")

    def sink(span: Span) -> None:
        spans.append(span)
        chain = hooks.call("names")
        assert chain is not None
        assert chain(None) == ["x"]

    hooks.trace(sink)
    sink(Span("first", "by hand", 0, 0, False))
    assert [span.hook for span in spans] == ["first", "names"]


# In an application


class Timed:
    """A plugin with a part in each connection."""

    __quart_plug__ = {"name": "timed"}

    @hookimpl
    async def connection(self, ctx: Any) -> AsyncGenerator[None, None]:
        yield

    @hookimpl
    async def websocket_received(self, ctx: Any, message: Any) -> Any:
        return f"{message}!"

    @hookimpl
    def request_after(self, response: Any) -> Any:
        response.headers["x-timed"] = "yes"


def application() -> Quart:
    app = Quart(__name__, plugins=[Timed()])

    @app.get("/")
    async def index() -> str:
        return "hello"

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    return app


async def test_start_up_and_requests_of_an_application_are_told() -> None:
    app, spans = application(), list[Span]()
    app.hooks.trace(spans.append)
    async with app.test_app() as running:
        answer = await running.test_client().get("/")
        assert (await answer.get_data(as_text=True), answer.headers["x-timed"]) == ("hello", "yes")
    told = {(span.hook, span.plugin) for span in spans}
    assert {("import", "json"), ("import", "timed"), ("connection", "timed"), ("request_after", "timed")} <= told
    assert not [span for span in spans if span.failed]


async def test_listening_begins_and_ends_while_connections_are_live() -> None:
    """One that is under way keeps its own chains; the next one has the new ones."""
    app, spans = application(), list[Span]()
    client = app.test_client()

    def received() -> int:
        return sum(span.hook == "websocket_received" for span in spans)

    async with client.websocket("/echo") as old:
        await old.send("a")
        assert await old.receive() == "a!"
        stop = app.hooks.trace(spans.append)
        async with client.websocket("/echo") as new:
            for connection, word in ((old, "b"), (new, "c")):
                await connection.send(word)
                assert await connection.receive() == f"{word}!"
            assert received() == 1
            stop()
            for connection, word in ((old, "d"), (new, "e")):
                await connection.send(word)
                assert await connection.receive() == f"{word}!"
            assert received() == 1
            assert (await client.get("/")).headers["x-timed"] == "yes"
    assert not [span for span in spans if span.hook == "request_after"]


def test_threads_are_told_of_apart(manager: Make, clock: Any) -> None:
    """That one thread is in its listener keeps no other one from being told of."""
    hooks, spans, entered, go = manager(), list[Span](), threading.Event(), threading.Event()
    hooks.register(Plugin(clock, 1), "plugin")

    def sink(span: Span) -> None:
        spans.append(span)
        if threading.current_thread() is not threading.main_thread():
            entered.set()
            go.wait(10)

    hooks.trace(sink)
    chain = hooks.call("names")
    assert chain is not None
    thread = threading.Thread(target=chain, args=(None,))
    thread.start()
    assert entered.wait(10)
    chain(None)
    go.set()
    thread.join()
    assert len(spans) == 2


def test_the_clock_is_the_one_that_is_documented(manager: Make) -> None:
    hooks, spans = manager(), list[Span]()
    hooks.register(Plugin(lambda seconds: None), "plugin")
    hooks.trace(spans.append)
    chain = hooks.call("names")
    assert chain is not None
    before = time.perf_counter()
    chain(None)
    (span,) = spans
    assert before <= span.started <= span.started + span.seconds <= time.perf_counter()
