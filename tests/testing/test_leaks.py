"""What a plugin leaves behind is an error of the test that used it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.signals import request_started
from quart_plug.testing import LeakError, Plug


@contextmanager
def leak(message: str) -> Iterator[Plug]:
    """A block that leaves exactly one thing behind."""
    with pytest.raises(LeakError) as raised, Plug() as plug:
        yield plug
    lines = str(raised.value).splitlines()[1:]
    assert len(lines) == 1 and message in lines[0], raised.value


def listener(sender: Any) -> None: ...


@pytest.fixture
def put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], Any]]]:
    """What to call at the end."""
    calls: list[Callable[[], Any]] = []
    yield calls
    for call in calls:
        call()


# name of the leak -> (what the plugin does at set-up, what the message says, how it is taken back)
SYNC: dict[str, tuple[Callable[[], Any], str, Callable[[], Any]]] = {
    "environment": (
        lambda: os.environ.update(LEFT_BEHIND="1"),
        "the environment variable LEFT_BEHIND was changed",
        lambda: os.environ.pop("LEFT_BEHIND"),
    ),
    "receivers": (
        lambda: request_started.connect(listener),
        "a receiver is connected to the signal 'request_started'",
        lambda: request_started.disconnect(listener),
    ),
    "methods": (
        lambda: setattr(Quart, "left_behind", None),
        "Quart.left_behind was changed for every app",
        lambda: delattr(Quart, "left_behind"),
    ),
    "modules": (
        lambda: sys.modules.update(left_behind=None),  # type: ignore[arg-type]  # which is how one blocks an import
        "sys.modules['left_behind'] is None",
        lambda: sys.modules.pop("left_behind"),
    ),
}


@pytest.mark.parametrize("kind", SYNC)
def test_what_set_up_leaves_in_the_process(kind: Any, put_back: list[Callable[[], Any]]) -> None:
    do, message, undo = SYNC[kind]
    put_back.append(undo)
    with leak(message) as plug:
        plug(plug.plugin("messy", setup=lambda app: do() and None))


@pytest.mark.parametrize("kind", SYNC)
def test_a_leak_can_be_allowed(kind: Any, put_back: list[Callable[[], Any]]) -> None:
    do, _, undo = SYNC[kind]
    put_back.append(undo)
    with Plug() as plug:
        plug.allow_leaks(kind)
        plug(plug.plugin("messy", setup=lambda app: do() and None))


def test_only_what_there_is_can_be_allowed() -> None:
    with Plug() as plug, pytest.raises(ValueError, match=r"no kind of leak 'thread' .did you mean 'threads'"):
        plug.allow_leaks("thread")  # type: ignore[arg-type]


def test_a_thread(put_back: list[Callable[[], Any]]) -> None:
    event = threading.Event()
    put_back.append(event.set)

    def setup(app: Any) -> None:
        threading.Thread(target=event.wait, name="pump", daemon=True).start()

    with leak("the thread 'pump' is running; stop it and join it") as plug:
        plug(plug.plugin("pump", setup=setup))


def test_a_thread_that_is_about_to_end_is_none() -> None:
    event = threading.Event()

    def setup(app: Any) -> None:
        threading.Thread(target=event.wait, name="pump").start()

    with Plug() as plug:
        plug(plug.plugin("pump", setup=setup))
        event.set()


def test_warning_filters() -> None:
    with warnings.catch_warnings(), leak("the warning filters changed when the plugins were set up") as plug:
        plug(plug.plugin("silent", setup=lambda app: warnings.simplefilter("ignore", ImportWarning)))


async def test_a_task_that_shutdown_forgets(put_back: list[Callable[[], Any]]) -> None:
    async def pump() -> None:
        await asyncio.Event().wait()

    async def startup(app: Any) -> None:
        task = asyncio.create_task(pump(), name="pump")
        put_back.append(task.cancel)

    with leak("the task 'pump' is running, suspended at ") as plug:
        plug(plug.plugin("pump", startup=startup))
        async with plug.serving():
            pass


async def test_a_task_that_shutdown_ends_is_none() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def startup(app: Any) -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait()))

    async def shutdown(app: Any) -> None:
        tasks[0].cancel()

    with Plug() as plug:
        plug(plug.plugin("pump", startup=startup, shutdown=shutdown))
        async with plug.serving():
            pass


async def test_a_context_left_pushed() -> None:
    async def startup(app: Any) -> None:
        await asyncio.create_task(app.app_context().push())  # nobody sees it but a task that is gone

    with leak("is pushed; pop it") as plug:
        plug(plug.plugin("careless", startup=startup))
        async with plug.serving():
            pass


async def test_contexts_that_were_popped_are_none() -> None:
    with Plug() as plug:
        app = plug()
        async with app.app_context(), app.test_request_context("/"):
            pass


def test_an_error_of_the_test_is_not_covered_up() -> None:
    with pytest.raises(ZeroDivisionError), Plug() as plug:
        plug(plug.plugin("messy", setup=lambda app: os.environ.update(LEFT_BEHIND="1")))
        raise ZeroDivisionError
    del os.environ["LEFT_BEHIND"]
