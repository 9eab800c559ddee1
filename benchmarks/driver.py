"""Calls an ASGI app the way a server does, and nothing more.

As in a server, each request has an object of its own with an event that `receive` waits for after the body, and a
fresh scope with four headers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """One request of a case."""

    method: str = "GET"
    path: str = "/"
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(
        default=(
            (b"host", b"localhost:5000"),
            (b"user-agent", b"bench/1.0"),
            (b"accept", b"*/*"),
            (b"accept-encoding", b"gzip, deflate"),
        )
    )


class Exchange:
    """One request's two ends."""

    __slots__ = ("body", "left", "sent")

    def __init__(self, body: bytes) -> None:
        self.body: bytes | None = body
        self.sent: list[Message] = []
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        if self.body is not None:
            body, self.body = self.body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


def scope_of(call: Call) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(call.headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 5000),
        "state": {},
        "extensions": {},
    }


async def answer(app: ASGIApp, call: Call) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of one call, to check what is measured."""
    exchange = Exchange(call.body)
    await app(scope_of(call), exchange.receive, exchange.send)
    start = exchange.sent[0]
    body = b"".join(message.get("body", b"") for message in exchange.sent[1:])
    return start["status"], dict(start["headers"]), body


async def requests(app: ASGIApp, call: Call, count: int) -> float:
    """Seconds for one request, over `count` of them."""
    start = time.perf_counter()
    for _ in range(count):
        exchange = Exchange(call.body)
        await app(scope_of(call), exchange.receive, exchange.send)
    return (time.perf_counter() - start) / count


class Socket:
    """A websocket whose client sends `count` messages, waits for their echoes and leaves."""

    __slots__ = ("connected", "count", "message", "remaining", "sent", "suspending")

    def __init__(self, message: str, count: int, suspending: bool) -> None:
        self.message, self.count, self.remaining, self.suspending = message, count, count, suspending
        self.connected = False
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.connected:
            self.connected = True
            return {"type": "websocket.connect"}
        if self.suspending:
            await asyncio.sleep(0)
        if self.remaining:
            self.remaining -= 1
            return {"type": "websocket.receive", "text": self.message}
        # The acceptance and each echo: the client waits for the last one.
        while len(self.sent) <= self.count:  # noqa: ASYNC110 - in one task with the app nothing can set an event
            await asyncio.sleep(0)
        return {"type": "websocket.disconnect", "code": 1000, "reason": ""}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def messages(
    app: ASGIApp, path: str, message: str, count: int, suspending: bool = False
) -> tuple[float, list[str]]:
    """Seconds for one echoed message, over `count` of them, and what came back."""
    socket = Socket(message, count, suspending)
    scope = scope_of(Call(path=path)) | {"type": "websocket", "scheme": "ws", "subprotocols": []}
    del scope["method"]
    start = time.perf_counter()
    await app(scope, socket.receive, socket.send)
    elapsed = (time.perf_counter() - start) / count
    return elapsed, [sent["text"] for sent in socket.sent if sent["type"] == "websocket.send"]
