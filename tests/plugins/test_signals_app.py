"""Signals of an application: the moments in their order, for requests and websockets alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import quart_plug
import quart_plug.signals
import quart_plug_signals
from quart_plug import Quart, flash, hookimpl, render_template_string, websocket
from quart_plug.exceptions import PluginLoadError
from quart_plug.signals import signal
from quart_plug.testing import WebsocketDisconnectError

SIGNALS = [name for name in quart_plug.signals.__all__ if name not in ("Namespace", "signals_available")]


class Boom(Exception):
    pass


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"

    @app.get("/")
    async def index() -> str:
        await flash("hi", "info")
        return await render_template_string("text")

    @app.get("/fails")
    async def fails() -> str:
        raise Boom

    @app.get("/task")
    async def task() -> str:
        app.add_background_task(boom)
        return "x"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(str(await websocket.receive()) + "!")

    @app.websocket("/ws-fails")
    async def ws_fails() -> None:
        await websocket.accept()
        raise Boom

    async def boom() -> None:
        raise Boom

    return app


@contextmanager
def everything(*leave_out: str) -> Iterator[list[tuple[str, Any, dict[str, Any]]]]:
    """Listen to every signal; gives (signal, sender, values) in order."""
    heard: list[tuple[str, Any, dict[str, Any]]] = []

    def receiver(name: str) -> Any:
        async def receive(sender: Any, **values: Any) -> None:
            heard.append((name, sender, values))

        return receive

    with ExitStack() as stack:
        for name in SIGNALS:
            if name not in leave_out:
                stack.enter_context(getattr(quart_plug.signals, name).connected_to(receiver(name)))
        yield heard


def names(heard: list[tuple[str, Any, dict[str, Any]]]) -> list[str]:
    return [name for name, _, _ in heard]


async def test_a_request(app: Quart) -> None:
    client = app.test_client()
    with everything() as heard:
        await client.get("/")
    assert names(heard) == [
        "appcontext_pushed",
        "request_started",
        "message_flashed",
        "before_render_template",
        "template_rendered",
        "request_finished",
        "request_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    assert all(sender is app for _, sender, _ in heard)
    values = {name: values for name, _, values in heard}
    assert values["message_flashed"] == {"message": "hi", "category": "info"}
    assert set(values["template_rendered"]) == {"template", "context"}
    assert values["request_finished"]["response"].status_code == 200
    assert values["request_tearing_down"] == {"exc": None}


async def test_a_request_that_fails(app: Quart) -> None:
    with everything() as heard:
        await app.test_client().get("/fails")
    assert names(heard) == [
        "appcontext_pushed",
        "request_started",
        "got_request_exception",
        "request_finished",
        "request_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    values = {name: values for name, _, values in heard}
    assert isinstance(values["got_request_exception"]["exception"], Boom)
    assert values["request_finished"]["response"].status_code == 500


async def test_a_websocket(app: Quart) -> None:
    with everything() as heard:
        async with app.test_client().websocket("/ws") as connection:
            await connection.send("hi")
            assert await connection.receive() == "hi!"
    assert names(heard) == [
        "appcontext_pushed",
        "websocket_started",
        "websocket_received",
        "websocket_sent",
        "websocket_finished",
        "websocket_tearing_down",
        "appcontext_tearing_down",
        "appcontext_popped",
    ]
    senders = {name: sender for name, sender, _ in heard}
    assert (senders["websocket_received"], senders["websocket_sent"]) == ("hi", "hi!")
    assert senders["websocket_started"] is app
    assert {name: values for name, _, values in heard}["websocket_finished"] == {"response": None}


async def test_a_websocket_that_fails(app: Quart) -> None:
    with everything() as heard:
        async with app.test_client().websocket("/ws-fails") as connection:
            with pytest.raises(Exception):  # noqa: B017 - which one is the test client's matter
                await connection.receive()
    assert names(heard)[:3] == ["appcontext_pushed", "websocket_started", "got_websocket_exception"]
    assert isinstance(heard[2][2]["exception"], Boom)
    assert names(heard)[-3:] == ["websocket_tearing_down", "appcontext_tearing_down", "appcontext_popped"]


async def test_a_background_task_that_fails(app: Quart) -> None:
    with everything() as heard:
        async with app.test_app() as test_app:
            await test_app.test_client().get("/task")
    (failed,) = [entry for entry in heard if entry[0] == "got_background_exception"]
    assert failed[1] is app
    assert isinstance(failed[2]["exception"], Boom)


async def test_a_start_that_fails(app: Quart) -> None:
    @app.before_serving
    async def fail() -> None:
        raise Boom

    with everything() as heard, pytest.raises(Boom):
        await app.startup()
    (failed,) = [entry for entry in heard if entry[0] == "got_serving_exception"]
    assert failed[1] is app
    assert isinstance(failed[2]["exception"], Boom)


async def test_receivers_may_come_and_go_between_requests(app: Quart) -> None:
    client = app.test_client()
    counts = []
    for _ in range(2):
        await client.get("/fails")
        with everything() as heard:
            await client.get("/fails")
        counts.append(len(heard))
    assert counts == [7, 7]


async def test_turned_off(app: Quart) -> None:
    """The signals can be imported and connected to; nobody sends them."""
    app.config["PLUGINS_DISABLED"] = ["signals"]
    with everything() as heard:
        assert (await app.test_client().get("/")).status_code == 200
    assert heard == []


def test_names() -> None:
    for name in SIGNALS:
        assert getattr(quart_plug, name) is getattr(quart_plug.signals, name)
    assert quart_plug.signals.signals_available is True
    mine = quart_plug.signals.Namespace().signal("mine")
    assert mine.name == "mine"


# Moments without a signal of Quart's, and signals of plugins ----------------------------------------------------------


@pytest.mark.parametrize("moment", quart_plug_signals.MOMENTS)
async def test_a_moment_has_a_signal_of_its_hooks_name(moment: str) -> None:
    """Sent by the app, with the hook's other arguments."""
    app = Quart("shop")
    heard: list[Any] = []

    @app.route("/")
    async def index() -> str:
        app.add_background_task(lambda: None)
        return "x"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()

    def receiver(sender: Any, **values: Any) -> None:
        heard.append((sender, {*values}))

    with signal(moment).connected_to(receiver):
        async with app.test_app() as serving:
            await serving.test_client().get("/")
            async with serving.test_client().websocket("/ws") as connection:
                with pytest.raises(WebsocketDisconnectError):
                    await connection.receive()
    assert heard and all(each == (app, {*app.hooks.spec(moment).arguments} - {"app"}) for each in heard)
    assert app.hooks.call(moment) is None


def declaring(signals: dict[str, str]) -> Any:
    class Declaring:
        @hookimpl
        def signals(self) -> dict[str, str]:
            return signals

    return Declaring()


async def test_a_plugin_that_comes_late_has_its_signals_too() -> None:
    app = Quart("shop")
    app.setup_plugins()
    app.hooks.register(declaring({"shop-entered": "request_started"}), name="door")
    heard: list[Any] = []

    def receiver(sender: Any, ctx: Any) -> None:
        heard.append(ctx.request.path)

    with signal("shop-entered").connected_to(receiver, sender=app):
        await app.test_client().get("/a")
        app.hooks.unregister("door")
        await app.test_client().get("/b")
    assert heard == ["/a"]


@pytest.mark.parametrize(
    "signals, error",
    [
        ({"x": "request_startd"}, "there is no hook 'request_startd', did you mean 'request_started'?"),
        ({"x": "connection"}, "the signal 'x' cannot be sent for the hook 'connection', which is of kind around"),
        ({"x": "setup"}, "the signal 'x' cannot be sent for the hook 'setup', which is of kind notify and sync"),
        ({"request_started": "startup"}, "there is a signal 'request_started' already"),
    ],
)
def test_signals_that_cannot_be(signals: dict[str, str], error: str) -> None:
    """The plugin that declares them is the one that fails."""
    app = Quart("shop")
    app.hooks.register(declaring(signals), name="door")
    with pytest.raises(PluginLoadError) as failure:
        app.setup_plugins()
    assert "'door'" in str(failure.value) and error.partition(", did")[0] in str(failure.value)


def test_signals_of_plugins_import_nothing_while_nobody_listens() -> None:
    program = """
import sys
from quart_plug import Quart, hookimpl

class Door:
    @hookimpl
    def signals(self):
        return {"shop-entered": "request_started"}

Quart("shop", plugins=[Door()]).setup_plugins()
assert "blinker" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
