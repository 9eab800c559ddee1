"""A websocket between granian's protocol object and the app, so that ASGI's rules and the framework's hold.

What it adds to granian 2.8:

- a `receive` that is given up loses no message: granian's own goes on, and the next `receive` has its result.
- closing does not wait for a pending `receive`, as granian's does; whoever is in it is told of the end.
- a lost connection is code 1006, closed by the network. granian says 1005 for it, and for a close frame without a
  code, for a peer that breaks the protocol and for a message over its own limits (a frame of 16 MiB, a message of
  64 MiB): the connection itself tells which. The last two are answered with 1002 and 1009.
- a close frame arrives though the peer is sending; `go_away` closes with a code of the server's.
- the scope has `quart_plug.abort`, which ends the connection though its peer does not read.
- an acceptance has its headers, which granian leaves out, and a refusal may repeat a header: granian 2.8 ends the whole
  process then. But not with TLS; see `write_ahead`.
- a refusal is sent at once; granian's waits for the app to return.

Must not know the framework: it speaks ASGI upwards.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from .transports import ENDED, OPEN, UNREAD, Transports, abort, linger, state_of, write_ahead, written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from quart_plug.typing import Message

    Header = tuple[bytes, bytes]

LINGER_SECONDS = 1.0
NO_STATUS, ABNORMAL = 1005, 1006
# Long reasons, so that one can tell by what was written whether it was sent.
PROTOCOL_ERROR = 1002, "what came is no websocket frame that RFC 6455 allows"
TOO_BIG = 1009, "this server takes frames up to 16 MiB, and messages up to 64 MiB"

logger = logging.getLogger("quart_plug.granian")


class Channels:
    """The websockets of one server; `tls` tells whether what goes over its connections is encrypted."""

    def __init__(self, transports: Transports, tls: bool) -> None:
        self.transports = transports
        self.tls = tls
        self.open: set[Channel] = set()
        self.lingering: set[asyncio.Task[None]] = set()

    async def end(self, deadline: float, code: int, reason: str) -> None:
        """Close those that are open still, wait for their apps, and for peers that have not read the frame yet.

        deadline  in the loop's seconds.
        """
        loop = asyncio.get_running_loop()
        closing = [loop.create_task(channel.go_away(code, reason)) for channel in self.open]
        try:
            for some in ({*closing, *(channel.task for channel in self.open)}, self.lingering):
                if some:
                    await asyncio.wait(some, timeout=max(0.0, deadline - loop.time()))
        finally:
            for task in (*closing, *self.lingering):
                task.cancel()


class Channel:
    """One websocket; `receive` and `send` are for the app."""

    __slots__ = (
        "_accepted",
        "_ended",
        "_farewells",
        "_future",
        "_give",
        "_take",
        "_waiter",
        "channels",
        "loop",
        "peer",
        "task",
    )

    def __init__(self, channels: Channels, protocol: Any, peer: tuple[str, int], task: asyncio.Task[Any]) -> None:
        self.channels = channels
        self.peer = peer
        self.task = task
        self.loop = asyncio.get_running_loop()
        self._take = protocol.receive
        self._give = protocol.send
        self._future: Any = None  # granian's, of a message that nobody was given yet
        self._waiter: asyncio.Future[None] | None = None
        self._ended: Message | None = None
        self._accepted = False
        self._farewells: list[asyncio.Future[None]] = []  # close frames that granian has not sent yet
        channels.open.add(self)

    async def leave(self) -> None:
        """The app has returned. From now on granian may close the websocket, with no code."""
        while self._farewells:
            await asyncio.wait([*self._farewells])
        self.channels.open.discard(self)
        self.channels.transports.forget(self.peer)
        if self._future is not None:
            self._future.cancel()
            self._future = None  # it holds this by its callback, and no garbage collector sees that

    # Receiving

    async def receive(self) -> Message:
        """The next message. The end is told to every caller, then and later."""
        if self._ended is not None:
            return self._ended
        future = self._future
        if future is None:
            future = self._take()
            if not hasattr(future, "add_done_callback"):  # the first message: granian has it at hand
                return await self._told(await future)
            self._future = future
            # Its only callback: granian keeps one. Awaiting it would cancel it together with who waits.
            future.add_done_callback(self._wake)
        while not future.done():  # once more when it was waked by the one before, whose result it was given at once
            await self._wait()
            if self._future is not future:
                return await self.receive()  # the end, or somebody else was given this one
        self._future = None
        return await self._told(future.result())

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("somebody else is in this websocket's receive already")
        self._waiter = self.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self, future: Any = None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _told(self, message: Message) -> Message:
        if self._ended is not None:  # by a close meanwhile
            return self._ended
        if message["type"] == "websocket.disconnect":
            message = self._ended = await self._end_of(message)
        return message

    async def _end_of(self, message: Message) -> Message:
        """The disconnect message as it has to be, and the answer to the peer that granian does not send."""
        code = message.get("code", NO_STATUS)
        if code != NO_STATUS:
            return _disconnect(code, "", "client")  # the reason granian keeps for itself
        connection = self.channels.transports.find(self.peer)
        if connection is None:
            return _lost() if self.channels.transports.can_look else message
        state, before = state_of(connection), written(connection)
        code, reason = TOO_BIG if state == UNREAD else PROTOCOL_ERROR
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self._farewell(code, reason)
        except TimeoutError:  # nothing can be sent to this peer
            abort(connection)
            return _lost()
        after = written(connection)
        self._linger(connection)
        if before is not None and after is not None:
            # After a close frame granian does not send ours but the answer to that: 2 bytes, with TLS about 24.
            answered = 0 < after - before < len(reason)
        else:
            answered = state == OPEN
        if answered:
            return _disconnect(NO_STATUS, "", "client")
        return _lost() if state == ENDED else _disconnect(code, reason, "server")

    # Sending

    def send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "websocket.send":
            return self._send(message)
        if kind == "websocket.close":
            return self._close(message)
        if kind == "websocket.accept":
            return self._accept(message)
        return self._refuse(message)

    async def _send(self, message: Message) -> None:
        try:
            await self._give(message)
        except RuntimeError as error:
            raise OSError("the websocket's connection is lost") from error

    async def _accept(self, message: Message) -> None:
        self._ahead(101, [*(message.get("headers") or ())])
        self._accepted = True  # already: who is cancelled while this is on its way has a websocket to close
        try:
            await self._give({"type": "websocket.accept", "subprotocol": message.get("subprotocol")})
        except RuntimeError as error:
            self._accepted = False
            raise OSError("the client left before its websocket was accepted") from error

    async def _refuse(self, message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            headers, repeated = _once_each(message.get("headers") or ())
            self._ahead(message["status"], repeated)
            message = {**message, "headers": headers}
        await self._give(message)

    def _ahead(self, status: int, headers: list[Header]) -> None:
        """Send headers that granian does not: they go before its answer. With TLS that cannot be done."""
        if not headers:
            return
        connection = None if self.channels.tls else self.channels.transports.find(self.peer)
        if connection is None:
            names = ", ".join(sorted({name.decode("latin-1") for name, _ in headers}))
            logger.warning("granian cannot send these headers with its answer to a handshake, left out: %s", names)
            return
        with connection:
            write_ahead(connection, status, headers)

    async def _close(self, message: Message) -> None:
        code, reason = message.get("code", 1000), message.get("reason") or ""
        if self._ended is not None:
            return
        self._ended = _disconnect(code, reason, "server")
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.cancel()  # granian would wait for it, and so for the peer
        self._wake()
        if not self._accepted:  # granian's own refusal would wait for the app to return
            await self._give({"type": "websocket.http.response.start", "status": 403, "headers": []})
            await self._give({"type": "websocket.http.response.body", "body": b""})
            return
        connection = self.channels.transports.find(self.peer)
        try:
            await self._farewell(code, reason)
        finally:
            if connection is not None:
                self._linger(connection)

    async def _farewell(self, code: int, reason: str) -> None:
        sent = self.loop.create_future()
        self._farewells.append(sent)
        try:
            await self._give({"type": "websocket.close", "code": code, "reason": reason})
        except RuntimeError:
            pass  # it is closed already
        finally:
            self._farewells.remove(sent)
            sent.cancel()
            self.channels.transports.forget(self.peer)

    async def go_away(self, code: int, reason: str) -> None:
        """Close it from outside of the app, if it is open."""
        if self._accepted:
            await self._close({"type": "websocket.close", "code": code, "reason": reason})

    def abort(self) -> None:
        """End the connection without waiting for its peer."""
        connection = self.channels.transports.find(self.peer)
        if connection is not None:
            abort(connection)

    def _linger(self, connection: Any) -> None:
        task = self.loop.create_task(linger(connection, LINGER_SECONDS), name="quart_plug.granian.linger")
        self.channels.lingering.add(task)
        task.add_done_callback(self.channels.lingering.discard)


def _disconnect(code: int, reason: str, closed_by: str) -> Message:
    return {"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": closed_by}


def _lost() -> Message:
    return _disconnect(ABNORMAL, "", "network")


def _once_each(headers: Iterable[Header]) -> tuple[list[Header], list[Header]]:
    """The headers, one of each name, and the cookies that cannot be joined to one header (RFC 6265, 3)."""
    found: dict[bytes, bytes] = {}
    cookies: list[Header] = []
    for name, value in headers:
        name = bytes(name).lower()
        if name == b"set-cookie":
            cookies.append((name, bytes(value)))
        elif name in found:
            found[name] += b", " + bytes(value)
        else:
            found[name] = bytes(value)
    return [*found.items(), *cookies[-1:]], cookies[:-1]
