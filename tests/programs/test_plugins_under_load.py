"""A plugin that is registered and unregistered again and again while clients are at work: nobody notices a failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, hookimpl, websocket
from quart_plug.app_tables import tables_of
from tests.support.clients import client as websocket_client
from tests.support.clients import receive
from tests.support.servers import LIMIT, Server

ROUNDS = 10
APP = '''
import gc
from quart_plug import Blueprint, Quart, hookimpl, websocket
from quart_plug.app_tables import tables_of

app = Quart(__name__, static_folder=None)
inside = 0

class Busy:
    """Hooks of every kind, routes, functions, a blueprint, and a life."""

    @hookimpl
    def configuration_defaults(self):
        return {"BUSY": 1}

    @hookimpl
    def setup(self, app):
        part = Blueprint("busy", __name__, url_prefix="/busy")
        part.add_url_rule("/", "page", self.page)
        part.add_websocket("/ws", "ws", self.talk)
        app.register_blueprint(part)
        app.before_request(self.before)
        app.after_request(self.after)

    async def page(self):
        return "busy"

    async def talk(self):
        await websocket.send("busy")

    async def before(self):
        assert app.config["BUSY"] == 1 or not app.hooks.is_active("busy")

    async def after(self, response):
        response.headers["x-after"] = "busy"
        return response

    @hookimpl
    async def lifespan(self):
        global inside
        inside += 1
        yield
        inside -= 1

    @hookimpl
    async def connection(self, ctx):
        global inside
        inside += 1
        try:
            yield
        finally:
            inside -= 1

    @hookimpl
    async def request_after(self, ctx, response):
        response.headers["x-hook"] = "busy"

    @hookimpl
    async def websocket_sending(self, ctx, message):
        return f"{message}!"

@app.get("/")
async def index():
    return "hello"

@app.websocket("/ws")
async def echo():
    while True:
        await websocket.send(await websocket.receive())

@app.get("/control/on")
async def on():
    return await app.register_plugin(Busy(), "busy")

@app.get("/control/off")
async def off():
    await app.unregister_plugin("busy")
    return "busy"

@app.get("/control/state")
async def state():
    gc.collect()
    kept = {repr(table.path): len(table.picture()) for table in tables_of(app)}
    kept["plugins"] = sum(isinstance(found, Busy) for found in gc.get_objects())
    kept["inside"] = inside
    kept["changes"] = len(app.plugin_setup.footprints.of("busy"))
    return {name: count for name, count in kept.items() if count}
'''


class Client:
    """One keep-alive connection of HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *args: Any) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def get(self, path: str) -> tuple[int, dict[str, str], str]:
        self.writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        async with asyncio.timeout(LIMIT):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body.decode()


class Load:
    """What clients have seen, and whether to go on."""

    def __init__(self) -> None:
        self.seen: set[Any] = set()
        self.counts: list[int] = []
        self.is_over = False
        self.news = asyncio.Condition()

    async def count(self, index: int) -> None:
        async with self.news:
            self.counts[index] += 1
            self.news.notify_all()

    async def progress(self) -> None:
        """Wait until everybody has had two more answers: the second one was asked for after this was called."""
        goal = [count + 2 for count in self.counts]
        async with self.news, asyncio.timeout(LIMIT):
            await self.news.wait_for(lambda: all(map(int.__ge__, self.counts, goal)))

    async def requests(self, index: int, port: int) -> None:
        async with Client(port) as client:
            while not self.is_over:
                status, headers, body = await client.get("/")
                self.seen.add(("/", status, body, headers.get("x-hook") == headers.get("x-after")))
                status, _, _ = await client.get("/busy/")
                self.seen.add(("/busy/", status))
                await self.count(index)

    async def messages(self, index: int, url: str) -> None:
        async with websocket_client(url) as connection:
            while not self.is_over:
                await connection.send("a")
                self.seen.add(("/ws", await receive(connection)))
                await self.count(index)

    async def sockets(self, index: int, url: str) -> None:
        """Each message on a connection of its own."""
        while not self.is_over:
            async with websocket_client(url) as connection:
                await connection.send("a")
                self.seen.add(("/ws", await receive(connection)))
            await self.count(index)


async def test_a_plugin_comes_and_goes_under_load(tmp_path: Path) -> None:
    """A real server, eight connections with requests, four open websockets and two that connect anew: every request is
    answered, no websocket is closed, and in the end everything is as it was."""
    (tmp_path / "busyapp.py").write_text(APP)
    with Server("busyapp", tmp_path) as server:
        async with Client(server.port) as control:
            await control.get("/")
            before = json.loads((await control.get("/control/state"))[2])
            load = Load()
            url = server.ws("/ws")
            work = [load.requests] * 8, [load.messages] * 4, [load.sockets] * 2
            functions = [function for group in work for function in group]
            load.counts = [0] * len(functions)
            async with asyncio.TaskGroup() as tasks:
                for index, function in enumerate(functions):
                    tasks.create_task(function(index, server.port if index < 8 else url))  # type: ignore[arg-type]
                await load.progress()
                for _ in range(ROUNDS):
                    for word in ("on", "off"):
                        assert (await control.get(f"/control/{word}"))[::2] == (200, "busy")
                        await load.progress()
                load.is_over = True
            after = json.loads((await control.get("/control/state"))[2])
        assert load.seen == {
            ("/", 200, "hello", True),
            ("/busy/", 200),
            ("/busy/", 404),
            ("/ws", "a"),
            ("/ws", "a!"),
        }
        assert after == before
        assert "Traceback" not in server.output


# In this process: connections in flight keep what they began with ----------------------------------------------------


class Marking:
    """Marks what passes it."""

    def __init__(self) -> None:
        self.inside = 0

    @hookimpl
    async def connection(self, ctx: Any) -> AsyncIterator[None]:
        self.inside += 1
        yield
        self.inside -= 1

    @hookimpl
    async def request_after(self, ctx: Any, response: Any) -> None:
        response.headers["x-marked"] = "yes"

    @hookimpl
    async def websocket_sending(self, ctx: Any, message: Any) -> str:
        return f"{message} marked"

    @hookimpl
    def setup(self, app: Quart) -> None:
        @app.after_request
        async def after(response: Any) -> Any:
            response.headers["x-after"] = "yes"
            return response


@pytest.mark.parametrize("comes", [True, False])
async def test_a_connection_in_flight_keeps_its_plan(comes: bool) -> None:
    """A plugin that comes or goes meanwhile makes no difference to it; the next connection sees it."""
    app = Quart(__name__, static_folder=None)
    gate, entered = asyncio.Event(), asyncio.Event()

    @app.get("/")
    async def index() -> str:
        entered.set()
        await gate.wait()
        return "hello"

    @app.websocket("/ws")
    async def ws() -> None:
        while True:
            await websocket.send(await websocket.receive())

    plugin = Marking()
    if not comes:
        app.hooks.register(plugin, "marking")
    client = app.test_client()
    async with client.websocket("/ws") as connection:
        await connection.send("first")
        request = asyncio.create_task(client.get("/"))
        await entered.wait()
        assert await connection.receive() == ("first" if comes else "first marked")
        if comes:
            app.hooks.register(plugin, "marking")
        else:
            app.hooks.unregister("marking")
        await connection.send("second")
        assert await connection.receive() == ("second" if comes else "second marked")
        gate.set()
        response = await request
        assert ("x-marked" in response.headers, "x-after" in response.headers) == (not comes, not comes)
    response = await client.get("/")
    assert ("x-marked" in response.headers, "x-after" in response.headers) == (comes, comes)
    async with client.websocket("/ws") as connection:
        await connection.send("third")
        assert await connection.receive() == ("third marked" if comes else "third")
    assert plugin.inside == 0


async def test_nothing_is_left_of_plugins_that_came_and_went() -> None:
    """Through the test client, with requests under way all the time."""
    app = Quart(__name__, static_folder=None)

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0)
        return "hello"

    async def ask(client: Any) -> None:
        while not over.is_set():
            assert (await client.get("/")).status_code == 200

    over = asyncio.Event()
    app.setup_plugins()
    await app.test_client().get("/")
    before = {table.path: table.picture() for table in tables_of(app)}
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(ask(app.test_client()))
        plugin = Marking()
        for _ in range(200):
            app.hooks.register(plugin, "marking")
            await asyncio.sleep(0)
            app.hooks.unregister("marking")
            await asyncio.sleep(0)
        over.set()
    after = {table.path: table.picture() for table in tables_of(app)}
    looked_at = {path for path in after if path[0] == "after_request_funcs"}
    assert {path: after[path] for path in after if path not in looked_at} == {
        path: before[path] for path in before if path not in looked_at
    }
    assert not any(app.after_request_funcs.values())
    assert plugin.inside == 0
