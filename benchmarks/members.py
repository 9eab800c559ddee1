"""Many open websockets: in this process, as a server holds them, and over loopback.

    Members     an ASGI app's websockets, each in a task of its own, whose clients count what they get
    Clients     websocket clients of a server in another process, with a frame parser that counts
"""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any

from driver import Call, Message, scope_of


class Member:
    """The server's end of a websocket whose client says nothing."""

    __slots__ = ("connected", "got", "left", "started")

    def __init__(self) -> None:
        self.started = False
        self.connected = False
        self.got = 0
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        if not self.started:
            self.started = True
            return {"type": "websocket.connect"}
        await self.left.wait()
        return {"type": "websocket.disconnect", "code": 1000, "reason": ""}

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            self.got += 1
        else:
            self.connected = message["type"] == "websocket.accept"


class Members:
    """`count` open websockets of an app at a path."""

    def __init__(self, app: Any, path: str, count: int) -> None:
        self.app, self.path = app, path
        self.members = [Member() for _ in range(count)]
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        scope = scope_of(Call(path=self.path)) | {"type": "websocket", "scheme": "ws", "subprotocols": []}
        del scope["method"]
        for member in self.members:
            own = {**scope, "headers": list(scope["headers"]), "state": {}, "extensions": {}}
            self.tasks.append(asyncio.create_task(self.app(own, member.receive, member.send)))
        while not all(member.connected for member in self.members):  # noqa: ASYNC110 - nothing here sets an event
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # what an app does once its connections are quiet

    async def everybody_got(self, count: int) -> None:
        """Wait until each has got `count` messages in all; nobody may have got more."""
        while any(member.got < count for member in self.members):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        assert all(member.got == count for member in self.members)

    async def close(self) -> None:
        for member in self.members:
            member.left.set()
        await asyncio.gather(*self.tasks)


class Client(asyncio.Protocol):
    """One client: counts the text messages that it gets, which are short."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.open = False
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /room HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head.split(b"\r\n")[0], head
            self.open, self.buffer = True, rest
            self.clients.note(opened=1)
        while len(self.buffer) >= 2 and len(self.buffer) >= 2 + self.buffer[1]:
            assert self.buffer[1] < 126, "a short message was expected"
            if self.buffer[0] == 0x81:
                self.clients.note(got=1)
            self.buffer = self.buffer[2 + self.buffer[1] :]

    def connection_lost(self, error: Exception | None) -> None:
        self.clients.lost += 1

    def say(self, text: bytes) -> None:
        self.transport.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)  # masked with zeros


class Clients:
    """`count` clients of a server on this machine, and how many messages all of them have got."""

    def __init__(self, port: int, count: int) -> None:
        self.port, self.count = port, count
        self.opened = self.got = self.lost = 0
        self.wanted = 0
        self.done = asyncio.Event()
        self.clients: list[Client] = []

    def note(self, opened: int = 0, got: int = 0) -> None:
        self.opened += opened
        self.got += got
        if self.opened + self.got >= self.wanted:
            self.done.set()

    async def until(self, total: int) -> None:
        self.wanted = total
        self.done.clear()
        if self.opened + self.got < total:
            async with asyncio.timeout(60):
                await self.done.wait()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, self.count, 200):  # a listening socket's queue is finite
            for _ in range(start, min(start + 200, self.count)):
                _, client = await loop.create_connection(lambda: Client(self), "127.0.0.1", self.port)
                self.clients.append(client)
            await self.until(len(self.clients))

    async def broadcast(self) -> float:
        """Seconds until everybody has got what one of them causes."""
        loop = asyncio.get_running_loop()
        before = self.got
        start = loop.time()
        self.clients[0].say(b"go")
        await self.until(self.opened + before + self.count)
        elapsed = loop.time() - start
        assert self.got == before + self.count and not self.lost, (self.got, before, self.count, self.lost)
        return elapsed

    async def close(self) -> None:
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(0)
