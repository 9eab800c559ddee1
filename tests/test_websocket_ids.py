"""A websocket's `id` is the same in its view, its tasks, logs, signals, hooks and the inspector."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, hookimpl, websocket
from quart_plug.ctx import Context
from quart_plug.logging import WebsocketFilter
from quart_plug.signals import (
    got_websocket_exception,
    websocket_finished,
    websocket_received,
    websocket_sent,
    websocket_started,
    websocket_tearing_down,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.websocket("/echo")
    async def echo() -> None:
        async for message in websocket:
            await websocket.send(f"{websocket.id} {message}")

    @app.websocket("/fails")
    async def fails() -> None:
        await websocket.send(websocket.id)
        raise LookupError("an error of the view's")

    return app


async def test_no_two_have_the_same(app: Quart) -> None:
    client = app.test_client()
    found = set()
    for _ in range(3):
        async with client.websocket("/echo") as connection:
            for _ in range(2):
                await connection.send("x")
                found.add(await connection.receive())
    assert len(found) == 3


async def test_in_the_log_of_an_error(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    async with app.test_client().websocket("/fails") as connection:
        id_ = str(await connection.receive())
    [record] = caplog.records
    assert id_ in record.getMessage() and "/fails" in record.getMessage()


async def test_in_the_log_of_what_fails_afterwards(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    @app.after_websocket
    async def after(response: Any) -> Any:
        raise ValueError("an error of the after function's")

    async with app.test_client().websocket("/fails") as connection:
        id_ = str(await connection.receive())
    assert len(caplog.records) == 2 and all(id_ in record.getMessage() for record in caplog.records)


async def test_in_every_record_that_is_logged_in_its_view_and_its_tasks(app: Quart) -> None:
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Handler()
    handler.addFilter(WebsocketFilter())
    handler.setFormatter(logging.Formatter("%(websocket_id)s %(message)s"))
    logger = logging.getLogger("a library of the application's")
    logger.addHandler(handler)

    @app.websocket("/logs")
    async def logs() -> None:
        async def work() -> None:
            logger.error("task")

        logger.error("view")
        await asyncio.create_task(work())
        await websocket.send(websocket.id)

    @app.get("/")
    async def index() -> str:
        logger.error("request")
        return ""

    client = app.test_client()
    async with client.websocket("/logs") as connection:
        id_ = await connection.receive()
    await client.get("/")
    logger.error("outside")
    logger.removeHandler(handler)
    assert lines == [f"{id_} view", f"{id_} task", "- request", "- outside"]


async def test_in_signals(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their senders and arguments are Quart's; which connection it is about is the current one."""
    seen: list[tuple[str, str]] = []
    signals = {
        "started": websocket_started,
        "received": websocket_received,
        "sent": websocket_sent,
        "exception": got_websocket_exception,
        "finished": websocket_finished,
        "tearing down": websocket_tearing_down,
    }
    receivers = []
    for name, signal in signals.items():

        def receiver(sender: Any, *args: Any, name: str = name, **kwargs: Any) -> None:
            seen.append((name, websocket.id))

        receivers.append(receiver)
        signal.connect(receiver)
    monkeypatch.setattr(app.logger, "disabled", True)
    async with app.test_client().websocket("/echo") as connection:
        await connection.send("x")
        id_ = str(await connection.receive()).split()[0]
    assert [name for name, _ in seen] == ["started", "received", "sent", "finished", "tearing down"]
    assert {each for _, each in seen} == {id_}
    seen.clear()
    async with app.test_client().websocket("/fails") as connection:
        id_ = str(await connection.receive())
    assert {"exception", "tearing down"} <= {name for name, _ in seen}
    assert {each for _, each in seen} == {id_}


async def test_in_hooks(app: Quart) -> None:
    seen: list[tuple[str, str]] = []

    class Watching:
        @hookimpl
        async def websocket_accepting(self, ctx: Context) -> None:
            seen.append(("accepting", ctx.websocket.id))

        @hookimpl
        async def websocket_received(self, ctx: Context, message: Any) -> Any:
            seen.append(("received", ctx.websocket.id))
            return message

        @hookimpl
        async def websocket_sent(self, ctx: Context) -> None:
            seen.append(("sent", ctx.websocket.id))

        @hookimpl
        async def websocket_closed(self, ctx: Context, code: int) -> None:
            seen.append((f"closed with {code}", ctx.websocket.id))

        @hookimpl
        async def websocket_teardown(self, ctx: Context) -> None:
            seen.append(("teardown", ctx.websocket.id))

    app.hooks.register(Watching(), name="watching")
    async with app.test_client().websocket("/echo") as connection:
        await connection.send("x")
        id_ = str(await connection.receive()).split()[0]
    moments = [moment for moment, _ in seen]
    assert moments == ["accepting", "received", "sent", "teardown", "closed with 1000"]
    assert {each for _, each in seen} == {id_}


async def test_in_what_is_shown_of_it(app: Quart) -> None:
    shown = []

    @app.websocket("/shown")
    async def view() -> None:
        me = websocket._get_current_object()  # type: ignore[attr-defined]  # a proxy
        await websocket.accept()
        shown.extend([repr(me), repr(me._ctx), websocket.id])
        try:
            await websocket.receive()
        except ConnectionClosed:
            shown.append(repr(me))

    async with app.test_client().websocket("/shown") as connection:
        await connection.accept()
        await connection.close(4000, "enough")
    *texts, last = [shown[0], shown[1], shown[3]]
    assert all(shown[2] in text for text in (*texts, last))
    assert "closed by the client with code 4000 (enough)" in last
