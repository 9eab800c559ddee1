"""What the tests of overriding share: an application, what leads to calls of its methods, and the notes of overrides.

A trigger takes the app and gives the outcome as a text, with what overrides have noted at its end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader

from quart_plug import Blueprint, Quart, g, redirect, render_template, url_for, websocket
from quart_plug.testing.connections import WebsocketResponseError

Trigger = Callable[[Any], Any]


# Triggers -------------------------------------------------------------


def get(path: str, method: str = "GET", header: str = "") -> Trigger:
    """A request; the status of an error or a redirect, else the body (or a header)."""

    async def trigger(app: Any) -> str:
        response = await app.test_client().open(path, method=method)
        text = response.headers.get(header, "none") if header else await response.get_data(as_text=True)
        return said(str(response.status_code) if text.startswith("<!doctype") else text)

    return trigger


def connect(path: str) -> Trigger:
    """A websocket; the status of a refusal, else the first message."""

    async def trigger(app: Any) -> str:
        try:
            async with app.test_client().websocket(path) as connection:
                text = await connection.receive()
        except WebsocketResponseError as error:
            text = str(error.response.status_code)
        return said(text)

    return trigger


NOTES: list[str] = []


def said(*texts: str) -> str:
    texts = (*texts, *dict.fromkeys(NOTES))  # what a method notes may happen several times
    NOTES.clear()
    return " ".join(text for text in texts if text)


async def serve(app: Any) -> str:
    async with app.test_app() as test_app:
        test_app.test_client()
    return said()


async def change_session(app: Any) -> str:
    async with app.test_client().session_transaction() as changed:
        changed["word"] = 1
    return said()


async def run(app: Any) -> str:
    await asyncio.to_thread(app.run, use_reloader=False, port=0)
    return said()


def command(command: Any, typed: str | None = None) -> Trigger:
    async def trigger(app: Any) -> str:
        result = await asyncio.to_thread(app.test_cli_runner().invoke, command, args=[], input=typed)
        return said("hello" if "hello" in result.output else "")

    return trigger


def making(what: Callable[[Any], Any]) -> Trigger:
    """Another app of the class, and something of it."""

    async def trigger(app: Any) -> str:
        return str(what(type(app)(__name__, root_path=app.root_path)))

    return trigger


def register(on: Callable[[Any], Any]) -> Trigger:
    async def trigger(app: Any) -> str:
        on(app)
        return said()

    return trigger


def by_blueprint(on: Callable[[Any], Any]) -> Trigger:
    async def trigger(app: Any) -> str:
        blueprint = Blueprint(f"another_{next(_numbers)}", __name__)
        on(blueprint)
        app.register_blueprint(blueprint)
        return said()

    return trigger


_numbers = itertools.count()


async def any_function(*args: Any) -> Any:
    yield


# The application -----------------------------------------------------------------------------------------------------


def make(class_: type[Quart], folder: Path) -> Any:
    app: Any = class_(__name__, root_path=str(folder))
    NOTES.clear()  # what the constructor has called
    app.secret_key = "a key of the tests"
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.jinja_loader = DictLoader({"page.html": "{{ word }}{{ more }}"})
    app.logger.disabled = True
    part = Blueprint("part", __name__)
    part.jinja_loader = DictLoader({"part.html": "part"})  # type: ignore[method-assign]  # a property with a setter
    app.register_blueprint(part)

    @app.teardown_request
    def told(error: BaseException | None) -> None:
        if error is not None:
            NOTES.append(f"told of {type(error).__name__}")

    _add_views(app)
    return app


def _add_views(app: Any) -> None:
    async def task() -> None:
        raise LookupError

    async def start_task() -> str:
        app.add_background_task(task)
        await asyncio.wait(app.background_tasks)
        return "task"

    async def answer(text: Any) -> Any:
        return text

    async def fail() -> None:
        raise KeyError

    for path, view in {
        "/": lambda: answer("index"),
        "/other": lambda: answer("other"),
        "/g": lambda: answer(g.get("word", "none")),
        "/fails": fail,
        "/template": lambda: render_template("page.html", word="<"),
        "/parts-template": lambda: render_template("part.html"),
        "/url": lambda: answer(url_for("/")),
        "/no-url": lambda: answer(url_for("nowhere")),
        "/redirect": lambda: answer(redirect("/")),
        "/task": start_task,
    }.items():
        app.add_url_rule(path, path, _coroutine_function(view))
    app.add_url_rule("/plain", "plain", lambda: "plain")
    app.add_websocket("/ws", "ws", _coroutine_function(lambda: websocket.send("ws")))
    app.add_websocket("/refuses", "refuses", _coroutine_function(lambda: answer(("no", 403))))
    app.add_websocket("/fails", "ws fails", fail)


def _coroutine_function(view: Callable[[], Any]) -> Callable[[], Any]:
    async def call() -> Any:
        return await view()

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "file.txt").write_text("a file")
    return tmp_path


def method(override: Callable[..., Any], original: Callable[[Any], Any], is_async: bool) -> Callable[..., Any]:
    """The override as a method; `original` gives the overridden one for an app."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return override(self, original(self), *args, **kwargs)

    async def call_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = call(self, *args, **kwargs)
        return await result if hasattr(result, "__await__") else result

    return call_async if is_async else call
