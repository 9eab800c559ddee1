"""Servers in the test's own loop, with small ASGI apps: what is tested is the server, not the framework.

The fixtures are for a conftest, which has a fixture `server_class` beside them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug.hooks import PluginManager, specs

LIMIT = 10.0


class App:
    """An ASGI app with settings; `http` and `websocket` are what its connections run."""

    def __init__(self, http: Any = None, websocket: Any = None, **config: Any) -> None:
        self.config = {"SHUTDOWN_TIMEOUT": 5.0, **config}
        self.plugin_hooks = PluginManager()
        self.plugin_hooks.add_hookspecs(specs)
        self._sweeps: dict[Any, Any] = {}  # no connection that the framework handles
        self.http = http
        self.websocket = websocket
        self.events: list[str] = []
        self.start_error: str | None = None
        self.starting: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        else:
            await self.websocket(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        if self.starting is not None:
            await self.starting.wait()
        if self.start_error is not None:
            await send({"type": "lifespan.startup.failed", "message": self.start_error})
            return
        self.events.append("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.events.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})


class Running:
    """A server that is listening."""

    def __init__(self, task: asyncio.Task[None], stop: asyncio.Event, line: str) -> None:
        self.task = task
        self.stop_event = stop
        self.line = line
        self.url = line.split()[2]
        self.port = int(self.url.rpartition(":")[2])

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.stop_event.set()
        await asyncio.wait_for(asyncio.shield(self.task), LIMIT)


@pytest.fixture
async def serve(server_class: Any) -> Any:
    """`await serve(app)` starts a server on a free port."""
    tasks: list[asyncio.Task[None]] = []

    async def start(app: App, **options: Any) -> Running:
        stop = asyncio.Event()
        lines: asyncio.Queue[str] = asyncio.Queue()
        arguments: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": 0,
            "access_log": False,
            "announce": lines.put_nowait,
            "shutdown_trigger": stop.wait,
            **options,
        }
        task = asyncio.ensure_future(server_class().serve(app, **arguments))
        tasks.append(task)
        said = asyncio.ensure_future(lines.get())
        await asyncio.wait((said, task), timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            said.cancel()
            task.result()
        return Running(task, stop, said.result())

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def make_app() -> Callable[..., App]:
    return App


@pytest.fixture
async def connect() -> Any:
    """`await connect(port)` opens a connection, as (reader, writer), that the test need not close."""
    writers: list[asyncio.StreamWriter] = []

    async def open_(port: int, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, **options), LIMIT)
        writers.append(writer)
        return reader, writer

    yield open_
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


@pytest.fixture
def get(connect: Any) -> Any:
    """`await get(port)` gives the whole answer to a GET request."""

    async def send(port: int, **options: Any) -> bytes:
        reader, writer = await connect(port, **options)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return await asyncio.wait_for(reader.read(), LIMIT)

    return send


@pytest.fixture
def raw(connect: Any) -> Any:
    """`await raw(port)` opens a websocket whose client answers nothing by itself."""

    async def open_(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await connect(port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
        assert head.startswith(b"HTTP/1.1 101")
        return reader, writer

    return open_
