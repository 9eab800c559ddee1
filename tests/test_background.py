"""Background tasks: their context, their end with the app, their failures."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from quart_plug import Quart, current_app, has_app_context, has_request_context, hookimpl


class Boom(Exception):
    pass


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def test_from_a_view(app: Quart) -> None:
    """It outlives the request, which it still sees, and has an application's context of its own."""
    go_on, seen = asyncio.Event(), []

    async def task(number: int, *, name: str) -> None:
        await go_on.wait()
        seen.append((number, name, current_app.name, has_request_context()))

    @app.get("/")
    async def view() -> str:
        app.add_background_task(task, 1, name="x")
        return ""

    async with app.test_app() as test_app:
        assert (await test_app.test_client().get("/")).status_code == 200
        assert len(app.background_tasks) == 1
        go_on.set()
    assert seen == [(1, "x", __name__, True)]
    assert app.background_tasks == set()


async def test_from_a_websocket(app: Quart) -> None:
    from quart_plug import websocket

    seen = []

    @app.websocket("/")
    async def view() -> None:
        app.add_background_task(lambda: seen.append(current_app.name))
        await websocket.send("x")

    async with app.test_app() as test_app, test_app.test_client().websocket("/") as connection:
        assert await connection.receive() == "x"
    assert seen == [__name__]


async def test_plain_functions_run_in_threads(app: Quart) -> None:
    seen = []

    def task() -> None:
        seen.append((threading.current_thread() is threading.main_thread(), has_app_context()))

    async with app.test_app():
        app.add_background_task(task)
    assert seen == [(False, True)]


async def test_shutdown_waits_for_tasks(app: Quart) -> None:
    """Also for those that are started while it shuts down."""
    calls = []

    async def late() -> None:
        calls.append("late")

    async def task() -> None:
        await asyncio.sleep(0)
        calls.append("task")

    app.after_serving(lambda: calls.append("after"))

    @app.after_serving
    async def starts_more() -> None:
        app.add_background_task(late)

    async with app.test_app():
        app.add_background_task(task)
    assert calls == ["task", "after", "late"]


async def test_tasks_that_do_not_end_are_cancelled(app: Quart) -> None:
    """After BACKGROUND_TASK_SHUTDOWN_TIMEOUT seconds; they may clean up."""
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.01
    seen = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(current_app.name)
            raise

    async with app.test_app():
        app.add_background_task(endless)
        app.add_background_task(endless)
    assert seen == [__name__] * 2
    assert app.background_tasks == set()


async def test_failures_are_reported(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    """To the log, to the plugins and to the signal's receivers; other tasks go on."""
    told: list[Any] = []

    class Listening:
        @hookimpl
        async def background_failed(self, app: Quart, error: BaseException) -> None:
            told.append(error)

    app.hooks.register(Listening(), "listening")

    async def fails() -> None:
        raise Boom("why")

    async def works() -> None:
        told.append("works")

    async with app.test_app():
        app.add_background_task(fails)
        app.add_background_task(works)
    assert {type(item) for item in told} == {Boom, str}
    assert "Boom: why" in caplog.text


async def test_a_plugin_that_fails_when_told(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    """Both errors are in the log."""

    class Faulty:
        @hookimpl
        async def background_failed(self) -> None:
            raise LookupError("of the plugin")

    app.hooks.register(Faulty(), "faulty")

    async def fails() -> None:
        raise Boom("why")

    async with app.test_app():
        app.add_background_task(fails)
    assert "of the plugin" in caplog.text
    assert "Boom: why" in caplog.text


@pytest.mark.parametrize("signature", ["error", "ctx, error"])
@pytest.mark.parametrize("is_async", [True, False])
async def test_handle_background_exception_is_overridden(signature: str, is_async: bool) -> None:
    """In 0.22's form and in 0.23's."""
    seen: list[Any] = []
    source = f"{'async ' if is_async else ''}def handle(self, {signature}): seen.append(error)"
    names: dict[str, Any] = {"seen": seen}
    exec(source, names)
    app = type("Sub", (Quart,), {"handle_background_exception": names["handle"]})(__name__)

    async def fails() -> None:
        raise Boom

    async with app.test_app():
        app.add_background_task(fails)
    assert [type(error) for error in seen] == [Boom]


@pytest.mark.parametrize("signature", ["exception_info", "ctx, exception_info"])
async def test_an_error_is_logged_through_log_exception(signature: str) -> None:
    """Where it is overridden; in 0.22's form and in 0.23's."""
    seen: list[Any] = []
    names: dict[str, Any] = {"seen": seen}
    exec(f"def log(self, {signature}): seen.append(exception_info[0])", names)
    app = type("Sub", (Quart,), {"log_exception": names["log"]})(__name__)

    async def fails() -> None:
        raise Boom

    async with app.test_app():
        app.add_background_task(fails)
    assert seen == [Boom]
