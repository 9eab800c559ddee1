"""Signals of an application: the moments in their order, for requests and websockets alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import quart_plug
import quart_plug.signals
from quart_plug import Quart, flash, render_template_string, websocket

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
