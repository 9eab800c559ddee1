"""The plugin `signals`: which hook sends which signal, with what; nobody pays while nobody listens."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

import quart_plug_signals
from quart_plug.concurrency import run_sync
from quart_plug.hooks import PluginManager, hookimpl, specs
from quart_plug_signals import catalogue

ERROR = ValueError("what went wrong")
RESPONSE = object()
TEMPLATE = object()
CONTEXT = {"name": 1}

# hook, its arguments after the app or context, signal, the values that receivers are given
TABLE: list[tuple[str, tuple[Any, ...], str, dict[str, Any]]] = [
    ("request_started", (), "request_started", {}),
    ("request_finished", (RESPONSE,), "request_finished", {"response": RESPONSE}),
    ("request_failed", (ERROR,), "got_request_exception", {"exception": ERROR}),
    ("request_teardown", (None,), "request_tearing_down", {"exc": None}),
    ("websocket_started", (), "websocket_started", {}),
    ("websocket_finished", (None,), "websocket_finished", {"response": None}),
    ("websocket_failed", (ERROR,), "got_websocket_exception", {"exception": ERROR}),
    ("websocket_teardown", (ERROR,), "websocket_tearing_down", {"exc": ERROR}),
    ("context_pushed", (), "appcontext_pushed", {}),
    ("context_teardown", (ERROR,), "appcontext_tearing_down", {"exc": ERROR}),
    ("context_popped", (), "appcontext_popped", {}),
    (
        "template_rendering",
        (TEMPLATE, CONTEXT),
        "before_render_template",
        {"template": TEMPLATE, "context": CONTEXT},
    ),
    (
        "template_rendered",
        (TEMPLATE, CONTEXT),
        "template_rendered",
        {"template": TEMPLATE, "context": CONTEXT},
    ),
    ("message_flashed", ("hi", "info"), "message_flashed", {"message": "hi", "category": "info"}),
    ("background_failed", (ERROR,), "got_background_exception", {"exception": ERROR}),
    ("serving_failed", (ERROR,), "got_serving_exception", {"exception": ERROR}),
]
MESSAGES = [("websocket_received", "websocket_received"), ("websocket_sent", "websocket_sent")]
HOOKS = [*((hook, signal) for hook, _, signal, _ in TABLE), *MESSAGES]

# What the signals are called by `repr` and by those who list them.
NAMES = {name: name.replace("_", "-") for _, name in HOOKS}


class App:
    """As much of an application as the plugin knows."""

    def __init__(self) -> None:
        self.hooks = PluginManager()
        self.hooks.add_hookspecs(specs)
        self.hooks.register(quart_plug_signals, "signals")

    def ensure_async(self, function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        return run_sync(function)

    def first_argument(self, hook: str) -> Any:
        """The app or a context, whichever the hook takes."""
        takes_context = self.hooks.spec(hook).arguments[0] == "ctx"
        return SimpleNamespace(app=self, outer=None) if takes_context else self


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture(autouse=True)
def nobody_listens() -> Iterator[None]:
    yield
    for signal in catalogue.CATALOGUE.values():
        assert not signal.receivers, f"a test left a receiver on {signal.name}"


Calls = list[tuple[Any, dict[str, Any]]]


@contextmanager
def listening(signal: str, calls: Calls, how: str = "coroutine") -> Iterator[None]:
    def plain(sender: Any, **values: Any) -> None:
        calls.append((sender, values))

    async def coroutine(sender: Any, **values: Any) -> None:
        calls.append((sender, values))

    with catalogue.CATALOGUE[signal].connected_to(plain if how == "plain" else coroutine):
        yield


@pytest.mark.parametrize("how", ["plain", "coroutine"])
@pytest.mark.parametrize(("hook", "arguments", "signal", "values"), TABLE, ids=[signal for _, _, signal, _ in TABLE])
async def test_a_hook_sends_its_signal(
    app: App, hook: str, arguments: tuple[Any, ...], signal: str, values: dict[str, Any], how: str
) -> None:
    calls: Calls = []
    with listening(signal, calls, how):
        chain = app.hooks.call(hook)
        assert chain is not None
        await chain(app.first_argument(hook), *arguments)
    assert calls == [(app, values)]


@pytest.mark.parametrize("message", ["text", b"bytes"])
@pytest.mark.parametrize(("hook", "signal"), MESSAGES)
async def test_messages_are_the_senders_and_stay_as_they_are(
    app: App, hook: str, signal: str, message: str | bytes
) -> None:
    calls: Calls = []
    with listening(signal, calls):
        chain = app.hooks.call(hook)
        assert chain is not None
        assert await chain(app.first_argument(hook), message) == (message if hook == "websocket_received" else None)
    assert calls == [(message, {})]


async def test_receivers_are_given_what_the_wire_carries(app: App) -> None:
    class Exclaims:
        @hookimpl
        def websocket_received(self, ctx: Any, message: str) -> str:
            return message + "!"

    app.hooks.register(Exclaims(), "exclaims")
    calls: Calls = []
    with listening("websocket_received", calls):
        chain = app.hooks.call("websocket_received")
        assert chain is not None
        assert await chain(app.first_argument("websocket_received"), "wire") == "wire!"
    assert calls == [("wire", {})]


@pytest.mark.parametrize(("hook", "signal"), HOOKS)
def test_a_signal_without_receivers_is_in_no_chain(app: App, hook: str, signal: str) -> None:
    """The first receiver and the going of the last one are announced; those between are not."""

    def first(sender: Any, **values: Any) -> None: ...
    def second(sender: Any, **values: Any) -> None: ...

    hooks, found = app.hooks, catalogue.CATALOGUE[signal]
    generations = [hooks.generation]
    assert hooks.call(hook) is None
    for change in (
        lambda: found.connect(first),
        lambda: found.connect(second),
        lambda: found.disconnect(first),
        lambda: found.disconnect(second),
        lambda: found.disconnect(second),
    ):
        change()
        generations.append(hooks.generation)
        assert (hooks.call(hook) is not None) == bool(found.receivers)
    steps = [after > before for before, after in pairwise(generations)]
    assert steps == [True, False, False, True, False]


async def test_a_receiver_that_died_is_not_called(app: App) -> None:
    calls: Calls = []

    async def receiver(sender: Any, **values: Any) -> None:
        calls.append((sender, values))

    catalogue.request_started.connect(receiver)
    chain = app.hooks.call("request_started")
    assert chain is not None
    del receiver
    gc.collect()
    await chain(app.first_argument("request_started"))
    assert calls == []
    with listening("request_started", calls):
        chain = app.hooks.call("request_started")
        assert chain is not None
        await chain(app.first_argument("request_started"))
    assert calls == [(app, {})]


async def test_a_receiver_may_be_for_one_app(app: App) -> None:
    calls: Calls = []
    other = App()

    async def receiver(sender: Any, **values: Any) -> None:
        calls.append((sender, values))

    with catalogue.request_started.connected_to(receiver, other):
        for each in (app, other):
            chain = each.hooks.call("request_started")
            assert chain is not None
            await chain(each.first_argument("request_started"))
    assert calls == [(other, {})]


async def test_connect_via_and_muted(app: App) -> None:
    calls: Calls = []

    @catalogue.request_started.connect_via(app)
    async def receiver(sender: Any, **values: Any) -> None:
        calls.append((sender, values))

    chain = app.hooks.call("request_started")
    assert chain is not None
    with catalogue.request_started.muted():
        await chain(app.first_argument("request_started"))
    assert calls == []
    await chain(app.first_argument("request_started"))
    assert calls == [(app, {})]
    catalogue.request_started.disconnect(receiver)


async def test_a_plain_receiver_does_not_block_the_loop(app: App) -> None:
    import threading

    threads: list[int] = []

    def receiver(sender: Any, **values: Any) -> None:
        threads.append(threading.get_ident())

    with catalogue.request_started.connected_to(receiver):
        chain = app.hooks.call("request_started")
        assert chain is not None
        await chain(app.first_argument("request_started"))
    assert len(threads) == 1 and threads[0] != threading.get_ident()


async def test_the_error_of_a_receiver_names_the_plugin(app: App) -> None:
    async def receiver(sender: Any, **values: Any) -> None:
        raise ERROR

    with catalogue.request_started.connected_to(receiver):
        chain = app.hooks.call("request_started")
        assert chain is not None
        with pytest.raises(ExceptionGroup) as caught:
            await chain(app.first_argument("request_started"))
    assert caught.value.exceptions == (ERROR,)
    assert any("'signals'" in note for note in ERROR.__notes__)


def test_the_catalogue_is_quarts() -> None:
    assert {name: signal.name for name, signal in catalogue.CATALOGUE.items()} == NAMES
    assert catalogue.signals_available is True


def test_the_plugin_names_every_signal() -> None:
    for name, signal in catalogue.CATALOGUE.items():
        assert getattr(quart_plug_signals, name) is signal
    assert quart_plug_signals.Namespace is catalogue.Namespace
    with pytest.raises(AttributeError, match="no_such_signal"):
        quart_plug_signals.no_such_signal


def run(program: str) -> str:
    """The output of a program in an interpreter of its own, since imports cannot be undone."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_of_blinker_is_imported_while_nobody_listens() -> None:
    program = """
import sys
from quart_plug.hooks import PluginManager, specs
import quart_plug_signals
hooks = PluginManager()
hooks.add_hookspecs(specs)
hooks.register(quart_plug_signals, "signals")
assert all(hooks.call(name) is None for name in hooks.specs)
print(sorted({"blinker", "quart_plug_signals.catalogue"} & set(sys.modules)))
from quart_plug.signals import request_started
request_started.connect(print)
print(hooks.call("request_started") is not None)
"""
    assert run(program) == "[]\nTrue"
