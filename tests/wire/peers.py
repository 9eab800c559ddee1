"""One way to talk over a websocket for two clients: the library `websockets`, and a script in Chromium."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.cdp import Page
from tests.support.clients import client, receive

# A websocket whose events can be waited for, one by one.
OPEN = """
(() => {
  const socket = new WebSocket(%s, %s);
  socket.binaryType = "arraybuffer";
  const peer = { socket, events: [], waiting: [] };
  const put = (event) => (peer.waiting.length ? peer.waiting.shift()(event) : peer.events.push(event));
  peer.next = () => new Promise((resolve) =>
    peer.events.length ? resolve(peer.events.shift()) : peer.waiting.push(resolve));
  socket.onopen = () => put(["open", socket.protocol]);
  socket.onmessage = ({ data }) =>
    put(typeof data === "string" ? ["text", data] : ["bytes", [...new Uint8Array(data)]]);
  socket.onclose = ({ code, reason, wasClean }) => put(["closed", code, reason, wasClean]);
  window.peers = window.peers ?? [];
  return window.peers.push(peer) - 1;
})()
"""


class Peer(Protocol):
    async def send(self, message: str) -> None: ...

    async def receive(self) -> str | list[Any]:
        """The next text, or ["closed", code, reason]."""

    async def close(self, code: int, reason: str) -> None: ...


Open = Callable[[str], AbstractAsyncContextManager[Peer]]


class LibraryPeer:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: str) -> None:
        await self._connection.send(message)

    async def receive(self) -> str | list[Any]:
        try:
            return str(await receive(self._connection))
        except ConnectionClosed as error:
            assert error.rcvd is not None, "the connection ended without a close frame"
            return ["closed", error.rcvd.code, error.rcvd.reason]

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)


@asynccontextmanager
async def library_peer(url: str) -> AsyncIterator[Peer | None]:
    """None when the handshake is refused."""
    try:
        connection = await client(url)
    except InvalidStatus:
        yield None
        return
    async with connection:
        yield LibraryPeer(connection)


class BrowserPeer:
    """A `WebSocket` in a page."""

    def __init__(self, page: Page, number: int) -> None:
        self._page = page
        self._number = number

    async def send(self, message: str | bytes) -> None:
        data = json.dumps(message) if isinstance(message, str) else f"new Uint8Array({list(message)})"
        await self._page.evaluate(f"peers[{self._number}].socket.send({data})")

    async def event(self) -> list[Any]:
        """The next of ["open", protocol], ["text", text], ["bytes", [numbers]], ["closed", code, reason, clean]."""
        event: list[Any] = await self._page.evaluate(f"peers[{self._number}].next()")
        return event

    async def receive(self) -> str | list[Any]:
        kind, *data = await self.event()
        return str(data[0]) if kind == "text" else [kind, *data[:2]]

    async def close(self, *arguments: int | str) -> None:
        await self._page.evaluate(f"peers[{self._number}].socket.close({', '.join(map(json.dumps, arguments))})")


async def browser_socket(page: Page, url: str, protocols: list[str] | None = None) -> BrowserPeer:
    """A `WebSocket` of a page; its first event is "open" or "closed"."""
    return BrowserPeer(page, await page.evaluate(OPEN % (json.dumps(url), json.dumps(protocols or []))))


@asynccontextmanager
async def browser_peer(page: Page, url: str) -> AsyncIterator[Peer | None]:
    """None when the handshake is refused."""
    peer = await browser_socket(page, url)
    if (await peer.event())[0] == "open":
        yield peer
        await peer.close()
    else:
        yield None
