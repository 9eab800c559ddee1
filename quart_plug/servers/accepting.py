"""Accepting connections such that none is lost when that ends.

asyncio's `Server` cuts off who was accepted a moment before it is closed, and the system who waited to be accepted: to
these clients it looks as if they had been served. Here they are handed on first. Knows no server and no protocol.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

__all__ = ["Acceptor", "accepted"]

logger = logging.getLogger("quart_plug.servers")

_A_TURN = 16  # connections: the others are for the workers that wait, where there are several
_LAST = 4096  # under constant load there would be no end
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def accepted(sock: socket.socket) -> list[socket.socket]:
    """The connections that wait to be accepted: for who is about to close the socket, which would cut them off."""
    found: list[socket.socket] = []
    while len(found) < _LAST:
        try:
            connection, _ = sock.accept()
        except OSError:  # there is none (BlockingIOError), or the system has no room for it
            break
        connection.setblocking(False)
        found.append(connection)
    return found


class Acceptor:
    """Hands each connection of a listening socket to `take`, from `start` to `close`."""

    retry = 1.0  # seconds, when the system has no room for another connection

    def __init__(self, sock: socket.socket, take: Callable[[socket.socket], None]) -> None:
        self.sock = sock
        self.take = take
        self.loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Accept from now on."""
        self._again = None
        try:
            self.loop.add_reader(self.sock.fileno(), self._accept)
        except NotImplementedError:  # Windows' Proactor
            self._waiting = self.loop.create_task(self._accept_each())

    def close(self) -> None:
        """Accept who waits, and nobody any more; the socket is closed. A second time does nothing."""
        if self.sock.fileno() == -1:
            return
        self._pause()
        for connection in accepted(self.sock):
            self.take(connection)
        self.sock.close()

    async def _accept_each(self) -> None:
        while True:
            connection, _ = await self.loop.sock_accept(self.sock)
            self.take(connection)

    def _pause(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        else:
            self.loop.remove_reader(self.sock.fileno())
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _accept(self) -> None:
        for _ in range(_A_TURN):
            try:
                connection, _ = self.sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue  # it left before its turn
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                logger.error("No connection can be accepted: %s. It is tried again in %g s.", error, self.retry)
                self._pause()
                self._again = self.loop.call_later(self.retry, self.start)
                return
            connection.setblocking(False)
            self.take(connection)
