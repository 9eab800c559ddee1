"""The sequence of a server that runs in the app's loop: start the app, accept, drain, stop; each with a limit in time.

The order of an end:

    who waits to be accepted is accepted, the listening socket is closed -> websockets get 1012, clients are asked to go
    -> idle connections close, requests in flight finish -> after SHUTDOWN_TIMEOUT seconds the rest is cancelled
    -> the app's shutdown functions run

`asyncio.Server.wait_closed()` is never awaited: on Python 3.12 and later it returns only when every client has left.
A cancelled `run` skips the waiting, and with the message `AT_ONCE` the shutdown functions too. Must not touch signals:
who calls `serve` owns them. Must not know any server: how connections are accepted and ended a subclass says.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from ..draining import cancel_connections, close_websockets
from ..running import AT_ONCE
from .accepting import Acceptor, accepted
from .lifespan import Lifespan
from .options import ServeOptions

if TYPE_CHECKING:
    from ..app import Quart

__all__ = ["Sequence", "cancelled"]


class Closing(Protocol):
    """What accepts connections, until it is closed; closing it again does nothing."""

    def close(self) -> None: ...


class Sequence(ABC):
    """One run of a server.

    app       what is served.
    options   as it is to be served.
    listener  the socket, listening, non-blocking.
    seconds   how long connections may take to end (SHUTDOWN_TIMEOUT).
    connecting  the tasks in which accepted connections are taken; a handshake of TLS may be under way.
    closing   the task that closes the app's websockets, while the server drains; a peer that does not read delays it.
    """

    closing: asyncio.Task[None]

    def __init__(self, app: Quart, options: ServeOptions, listener: socket.socket) -> None:
        self.app = app
        self.options = options
        self.listener = listener
        self.loop = asyncio.get_running_loop()
        self.seconds = float(app.config.get("SHUTDOWN_TIMEOUT", 10))
        self.lifespan = Lifespan(app)
        self.connecting: set[asyncio.Task[None]] = set()

    async def accept(self) -> Closing:
        """Begin to accept connections from the listener. What is returned stops that."""
        acceptor = Acceptor(self.listener, self._begin)
        acceptor.start()
        return acceptor

    async def take(self, connection: socket.socket) -> None:
        """Begin to serve an accepted connection: make its transport and protocol."""
        raise NotImplementedError("a server that accepts by itself has to override `accept` and `leave`")

    def stopping(self) -> None:  # noqa: B027  # a subclass may have nothing to do
        """The end begins: the listener is about to be closed."""

    @abstractmethod
    async def drain(self) -> None:
        """End idle connections and websockets that the app does not know, and wait for the rest; `seconds` at most."""

    @abstractmethod
    async def abort(self) -> None:
        """End every connection that is left, without waiting for its peer."""

    async def run(self, shutdown_trigger: Callable[..., Awaitable[None]] | None) -> None:
        """Serve until `shutdown_trigger()` returns, or for ever.

        Raises ApplicationStartError when the app does not start, an ExceptionGroup with the trigger's error.
        """
        stop: asyncio.Future[None] = asyncio.ensure_future(_wait(shutdown_trigger))
        try:
            if await self.lifespan.start(stop):
                try:
                    await self._serve(stop)
                except asyncio.CancelledError as error:
                    if AT_ONCE not in error.args:
                        await self.lifespan.stop()
                    raise
                await self.lifespan.stop()
            if stop.done():
                _raise_for(stop)
        finally:
            await cancelled((stop,))
            await self.lifespan.close()

    async def _serve(self, stop: asyncio.Future[None]) -> None:
        server = await self.accept()
        try:
            self.options.announce_at(self.listener)
            await asyncio.wait((stop,))
            self.stopping()
            self.leave(server)
            self.closing = self.loop.create_task(close_websockets(self.app))
            try:
                await self.drain()
            finally:
                await cancelled((self.closing,))
            await cancel_connections(self.app)
        finally:
            server.close()
            await cancelled(self.connecting)
            await self.abort()

    def leave(self, server: Closing) -> None:
        """Stop accepting; who waits for that is served: closing the listener would cut them off."""
        for connection in accepted(self.listener):
            self._begin(connection)
        server.close()

    def _begin(self, connection: socket.socket) -> None:
        task = self.loop.create_task(self._take(connection))
        self.connecting.add(task)
        task.add_done_callback(self.connecting.discard)

    async def _take(self, connection: socket.socket) -> None:
        try:
            await self.take(connection)
        except OSError:  # its peer has left, or does not get through TLS's handshake
            connection.close()


async def _wait(shutdown_trigger: Callable[..., Awaitable[None]] | None) -> None:
    if shutdown_trigger is None:
        await asyncio.get_running_loop().create_future()
    else:
        await shutdown_trigger()


def _raise_for(stop: asyncio.Future[None]) -> None:
    """Raise the trigger's error in a group, as hypercorn's own `serve` does: Quart's users know it so."""
    error = stop.exception()
    if isinstance(error, Exception):
        raise ExceptionGroup("the shutdown trigger failed", [error])
    if error is not None:
        raise error


async def cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel, and take the results, so that none is reported as never retrieved."""
    tasks = tuple(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
