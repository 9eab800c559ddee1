"""Times of plugins, summed up for each connection and in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from quart_plug import Quart, hookimpl, websocket
from quart_plug.hooks import Span
from quart_plug.hooks.tracing import trace_from_the_start
from quart_plug.timing import Connection, Recorder


class Plugin:
    __quart_plug__ = {"name": "timed"}

    @hookimpl
    def setup(self, app: Quart) -> None: ...

    @hookimpl
    async def connection(self, ctx: Any) -> AsyncGenerator[None, None]:
        await asyncio.sleep(0)
        yield

    @hookimpl
    async def websocket_received(self, message: Any) -> None: ...

    @hookimpl
    async def request_after(self, response: Any) -> None:
        if response.status_code == 404:
            raise LookupError("not found")


def traced(recorder: Recorder) -> Quart:
    with trace_from_the_start(recorder.sink):
        app = Quart(__name__, plugins=[Plugin()])
    recorder.attach(app)

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0)
        return "hello"

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    app.setup_plugins()
    return app


def calls(connection: Connection) -> dict[str, int]:
    return {hook: total.calls for (plugin, hook), total in connection.times.items() if plugin == "timed"}


async def test_each_request_has_its_own_times() -> None:
    ended: list[Connection] = []
    recorder = Recorder(ended.append)
    client = traced(recorder).test_client()
    await asyncio.gather(*(client.get("/") for _ in range(3)))
    assert [(each.kind, each.method, each.path, each.status) for each in ended] == [("http", "GET", "/", 200)] * 3
    assert [calls(each) for each in ended] == [{"connection": 1, "request_after": 1}] * 3
    assert all(0 < each.in_plugins < each.seconds for each in ended)
    assert recorder.within["timed", "connection"].calls == 3
    assert (recorder.connections.calls, recorder.connections.failures) == (3, 0)


async def test_what_a_failed_hook_is() -> None:
    recorder = Recorder()
    client = traced(recorder).test_client()
    assert (await client.get("/nowhere")).status_code == 500
    total = recorder.within["timed", "request_after"]  # of the answer 404, and then of the error's answer
    assert (total.calls, total.failures, recorder.connections.failures) == (2, 1, 1)


async def test_a_websocket_is_one_connection() -> None:
    ended: list[Connection] = []
    recorder = Recorder(ended.append)
    client = traced(recorder).test_client()
    async with client.websocket("/echo") as connection:
        for word in ("a", "b"):
            await connection.send(word)
            await connection.receive()
        assert ended == []
    (found,) = ended
    assert (found.kind, found.path, found.status) == ("websocket", "/echo", 101)
    assert calls(found) == {"connection": 1, "websocket_received": 2}


async def test_what_belongs_to_no_connection_is_kept_apart() -> None:
    recorder = Recorder()
    app = traced(recorder)
    assert recorder.served is False
    async with app.test_app() as running:
        await running.test_client().get("/")
    assert recorder.served is True
    assert {hook for plugin, hook in recorder.elsewhere if plugin == "timed"} == {"import", "setup"}


def test_totals_are_sums() -> None:
    recorder = Recorder()
    for seconds, failed in ((1.0, False), (3.0, True), (2.0, False)):
        recorder.sink(Span("setup", "one", 0.0, seconds, failed))
    total = recorder.elsewhere["one", "setup"]
    assert (total.calls, total.seconds, total.slowest, total.failures) == (3, 6.0, 3.0, 1)


@pytest.mark.parametrize("error", [LookupError, asyncio.CancelledError])
async def test_a_connection_that_raises_ends_too(error: type[BaseException]) -> None:
    ended: list[Connection] = []
    recorder = Recorder(ended.append)
    app = Quart(__name__)

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        raise error("x")

    app.asgi_app = middleware  # type: ignore[method-assign]  # as middleware does
    recorder.attach(app)
    with pytest.raises(error):
        await app({"type": "http", "method": "GET", "path": "/"}, None, None)  # type: ignore[arg-type, typeddict-item]
    assert [(each.path, each.status) for each in ended] == [("/", None)]
    assert recorder.connections.failures == 1


async def test_tracing_from_the_start_stops_for_every_app() -> None:
    recorder = Recorder()
    with trace_from_the_start(recorder.sink) as stop:
        one, two = Quart("one"), Quart("two")
    one.setup_plugins()
    before = recorder.elsewhere["json", "import"].calls
    stop()
    two.setup_plugins()
    Quart("three").setup_plugins()
    assert recorder.elsewhere["json", "import"].calls == before == 1
