"""An open websocket that is idle holds little: at most 4 KB beyond what a bare ASGI callable in its place holds."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest

from quart_plug import Quart, websocket

CONNECTIONS = 300
MOST = 4096  # bytes


class Server:
    """A server's end of a connection on which nothing happens."""

    def __init__(self, path: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "ws",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost")],
            "subprotocols": [],
            "asgi": {"spec_version": "2.3"},
            "extensions": {},
        }
        self.connected = False
        self.over = asyncio.get_running_loop().create_future()

    async def receive(self) -> dict[str, Any]:
        if not self.connected:
            self.connected = True
            return {"type": "websocket.connect"}
        await self.over
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: dict[str, Any]) -> None:
        assert message["type"] in ("websocket.accept", "websocket.close")


async def bare(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def held(app: Any, path: str, count: int) -> float:
    """Bytes for each of so many idle connections, when the sweep has looked at them several times."""
    servers = [Server(path) for _ in range(count)]
    gc.collect()
    tracemalloc.start(1)
    try:
        calls = [asyncio.create_task(app(each.scope, each.receive, each.send)) for each in servers]
        await asyncio.sleep(0.4)
        gc.collect()
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    for each in servers:
        each.over.set_result(None)
    await asyncio.gather(*calls)
    return size / count


@pytest.mark.parametrize("path", ["/receive", "/json", "/iterate"])
async def test_an_idle_websocket_holds_little(path: str) -> None:
    app = Quart(__name__)

    @app.websocket("/receive")
    async def receive() -> None:
        await websocket.receive()

    @app.websocket("/json")
    async def as_json() -> None:
        await websocket.receive_json()

    @app.websocket("/iterate")
    async def iterate() -> None:
        async for _ in websocket:
            pass

    await held(app, path, 10)
    assert await held(app, path, CONNECTIONS) - await held(bare, path, CONNECTIONS) <= MOST
