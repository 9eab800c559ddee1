"""Apps of the framework's, served by granian in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websockets_connect

from quart_plug import Quart
from quart_plug.running import run_task

LIMIT = 10.0


@dataclass
class Running:
    """A server that is listening; `line` is what it announced."""

    task: asyncio.Task[None]
    stopping: asyncio.Event
    line: str

    @property
    def port(self) -> int:
        return int(self.line.split()[2].rpartition(":")[2])

    def ws(self, path: str = "/") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.stopping.set()
        await self.ended()

    async def ended(self) -> None:
        await asyncio.wait_for(asyncio.shield(self.task), LIMIT)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """`await serve(app)` starts a server on a free port; further arguments are the server's options."""
    tasks: list[asyncio.Task[None]] = []

    async def start(app: Quart, port: int = 0, **options: Any) -> Running:
        stopping = asyncio.Event()
        lines: asyncio.Queue[str] = asyncio.Queue()
        options = {"access_log": False, **options}
        task = asyncio.ensure_future(
            run_task(
                app, port=port, server="granian", announce=lines.put_nowait, shutdown_trigger=stopping.wait, **options
            )
        )
        tasks.append(task)
        said = asyncio.ensure_future(lines.get())
        await asyncio.wait((said, task), timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            said.cancel()
            task.result()
        return Running(task, stopping, said.result())

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Awaitable[ClientConnection]]]:
    """`await connect(url)` opens a websocket that the test need not close."""
    opened: list[ClientConnection] = []

    async def open_(url: str, **options: Any) -> ClientConnection:
        client = await asyncio.wait_for(websockets_connect(url, proxy=None, **options), LIMIT)
        opened.append(client)
        return client

    yield open_
    for client in opened:
        if not client.transport.is_closing():
            client.transport.abort()


@pytest.fixture
async def dial() -> AsyncIterator[Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """`await dial(port)` opens a connection, as (reader, writer), that the test need not close."""
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
def get(dial: Any) -> Callable[..., Awaitable[bytes]]:
    """`await get(port)` gives the whole answer to a GET request."""

    async def send(port: int, path: str = "/", **options: Any) -> bytes:
        reader, writer = await dial(port, **options)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return bytes(await asyncio.wait_for(reader.read(), LIMIT))

    return send
