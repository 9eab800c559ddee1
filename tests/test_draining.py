"""The end of the open connections when the server stops, seen from the view and from the client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, websocket
from quart_plug.draining import cancel_connections, close_websockets
from quart_plug.hooks import hookimpl
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError

LIMIT = 10.0


class Ends:
    """What views tell of their ends."""

    def __init__(self) -> None:
        self.found: asyncio.Queue[Any] = asyncio.Queue()

    async def next(self) -> Any:
        return await asyncio.wait_for(self.found.get(), LIMIT)

    def note(self, error: ConnectionClosed) -> None:
        self.found.put_nowait((error.code, error.reason, error.closed_by))


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def app(ends: Ends) -> Quart:
    app = Quart("shop", plugins=[])

    @app.websocket("/reads")
    async def reads() -> None:
        await websocket.accept()
        try:
            while True:
                ends.found.put_nowait(await websocket.receive())
        except ConnectionClosed as error:
            ends.note(error)
            raise

    @app.websocket("/writes")
    async def writes() -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send("tick")
                await asyncio.sleep(0.01)
        except ConnectionClosed as error:
            ends.note(error)

    @app.websocket("/waits")
    async def waits() -> None:
        ends.found.put_nowait("waits")
        await asyncio.Event().wait()

    @app.route("/slow")
    async def slow() -> str:
        ends.found.put_nowait("slow")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.found.put_nowait("cancelled")
            raise
        return ""

    @app.route("/stubborn")
    async def stubborn() -> str:
        ends.found.put_nowait("stubborn")
        while not app.config.get("LET_GO"):
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                ends.found.put_nowait("ignored")
        return "done"

    return app


@pytest.mark.parametrize("path", ["/reads", "/writes"])
async def test_the_view_and_the_client_are_told(app: Quart, ends: Ends, path: str) -> None:
    async with app.test_client().websocket(path) as client:
        await client.send("hello")
        await (ends.next() if path == "/reads" else client.receive())
        await close_websockets(app)
        assert await ends.next() == (1012, "the server stops", "server")
        with pytest.raises(WebsocketDisconnectError, match=r"1012 \(the server stops\)"):
            while True:
                await asyncio.wait_for(client.receive(), LIMIT)


async def test_another_code_and_reason(app: Quart, ends: Ends) -> None:
    async with app.test_client().websocket("/writes") as client:
        await client.receive()
        await close_websockets(app, 4001, "moved")
        assert await ends.next() == (4001, "moved", "server")
    with pytest.raises(ValueError, match="1006"):
        await close_websockets(app, 1006)


async def test_a_websocket_that_is_not_accepted_yet_is_refused(app: Quart, ends: Ends) -> None:
    async with app.test_client().websocket("/waits") as client:
        receiving = asyncio.ensure_future(client.receive())
        assert await ends.next() == "waits"
        await close_websockets(app)
        with pytest.raises(WebsocketResponseError) as refused:
            await asyncio.wait_for(receiving, LIMIT)
    assert refused.value.response.status_code == 503


async def test_new_handshakes_are_refused_while_the_hooks_run_and_requests_answered(app: Quart) -> None:
    draining, go_on = asyncio.Event(), asyncio.Event()

    class Plugin:
        @hookimpl
        async def draining(self, app: Quart) -> None:
            draining.set()
            await go_on.wait()

    @app.route("/")
    async def index() -> str:
        return "hello"

    app.hooks.register(Plugin(), "told")
    async with app.test_app() as test_app:
        ending = asyncio.ensure_future(app.shutdown())
        await asyncio.wait_for(draining.wait(), LIMIT)
        client = test_app.test_client()
        with pytest.raises(WebsocketResponseError) as refused:
            async with client.websocket("/reads") as handshake:
                await handshake.receive()
        assert refused.value.response.status_code == 503
        assert await (await client.get("/")).get_data(as_text=True) == "hello"
        go_on.set()
        await ending


async def test_what_is_left_is_cancelled(app: Quart, ends: Ends) -> None:
    request = asyncio.ensure_future(app.test_client().get("/slow"))
    assert await ends.next() == "slow"
    assert await cancel_connections(app) == 0
    assert await ends.next() == "cancelled"
    await asyncio.wait({request}, timeout=LIMIT)
    assert request.done()
    request.exception()


async def test_who_ignores_a_cancellation_is_counted_and_named(
    app: Quart, ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    request = asyncio.ensure_future(app.test_client().get("/stubborn"))
    assert await ends.next() == "stubborn"
    assert await cancel_connections(app, 0.05) == 1
    assert await ends.next() == "ignored"
    assert "/stubborn" in caplog.text
    app.config["LET_GO"] = True
    await asyncio.wait_for(asyncio.wait({request}), LIMIT)
