"""The TCP connections of granian's clients, which granian does not hand out, found among the process's descriptors.

granian tells of a connection only its peer's address. What the framework promises and granian's ASGI leaves out needs
the connection itself: to end it though its peer does not read, to tell a lost connection from a close frame without a
code, to let a close frame arrive before the end. What is found is a duplicate: granian may close its own at any time,
in another thread. Where descriptors cannot be listed (Windows) nothing is found.

Must not know ASGI.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus

Peer = tuple[str, int]

_FOLDERS = ("/proc/self/fd", "/dev/fd")  # Linux, macOS and BSD
_INFO_BYTES = 216  # of Linux's struct tcp_info, up to what is read of it here
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time

_ENDS_A_NAME = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z-]")  # RFC 9110, 5.6.2
_STATUSES = frozenset(HTTPStatus)
_ENDS_A_LINE = re.compile(rb"[\r\n\0]")

OPEN, UNREAD, ENDED = "open", "unread", "ended"


class Transports:
    """The connections that a listening socket has accepted."""

    def __init__(self, listener: socket.socket) -> None:
        self.family = listener.family
        self.port: int = listener.getsockname()[1]
        self.folder = next((folder for folder in _FOLDERS if os.path.isdir(folder)), None)
        # By the peer: its descriptor, and the socket's inode, since a descriptor may be another one's by now.
        self._known: dict[Peer, tuple[int, int]] = {}

    @property
    def can_look(self) -> bool:
        """Whether a connection that is not found does not exist any more."""
        return self.folder is not None

    def find(self, peer: Peer) -> socket.socket | None:
        """A duplicate of the connection with this peer, which the caller closes; None when there is none."""
        found = self._known_one(peer)
        if found is None and self.folder is not None:
            self._look()
            found = self._known_one(peer)
        return found

    def _known_one(self, peer: Peer) -> socket.socket | None:
        known = self._known.get(peer)
        return None if known is None else self._duplicate(known[0], peer)

    def forget(self, peer: Peer) -> None:
        """The connection is over; its descriptor will be another one's."""
        self._known.pop(peer, None)

    def each(self) -> Iterator[socket.socket]:
        """Duplicates of all connections that there are, which the caller closes."""
        self._known.clear()
        if self.folder is not None:
            self._look()
        for peer, (number, _) in [*self._known.items()]:
            connection = self._duplicate(number, peer)
            if connection is not None:
                yield connection

    def are_any(self) -> bool:
        """Whether there are connections; that is assumed where nothing can be found."""
        self._known.clear()
        if self.folder is None:
            return True
        self._look()
        return bool(self._known)

    def _look(self) -> None:
        assert self.folder is not None
        known = {socket_: peer for peer, socket_ in self._known.items()}  # most of them, where thousands are open
        self._known = {}
        for name in os.listdir(self.folder):
            number = int(name)
            try:
                found = number, os.fstat(number).st_ino
            except OSError:  # closed meanwhile
                continue
            peer = known.get(found) or self._peer(number)
            if peer is not None:
                self._known[peer] = found

    def _peer(self, number: int) -> Peer | None:
        try:
            # With all three given, no system call asks what kind of descriptor it is.
            connection = socket.socket(self.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=number)
        except OSError:
            return None
        try:
            own, peer = connection.getsockname(), connection.getpeername()
        except OSError:  # no socket, or not connected
            return None
        finally:
            connection.detach()
        if not isinstance(own, tuple) or not isinstance(peer, tuple) or own[1] != self.port:
            return None
        return peer[0], peer[1]

    def _duplicate(self, number: int, peer: Peer) -> socket.socket | None:
        try:
            duplicate = os.dup(number)
        except OSError:
            return None
        if self._peer(duplicate) != peer:
            os.close(duplicate)
            return None
        found = socket.socket(self.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=duplicate)
        found.setblocking(False)  # as granian's is: the two share this
        return found


def state_of(connection: socket.socket) -> str:
    """OPEN, UNREAD (there is more from the peer), or ENDED: the peer has closed or reset it."""
    try:
        return UNREAD if connection.recv(1, socket.MSG_PEEK) else ENDED
    except BlockingIOError:
        return OPEN
    except OSError:
        return ENDED


def written(connection: socket.socket) -> int | None:
    """How many bytes were written to it until now; None where the system does not tell (others than Linux)."""
    if not hasattr(socket, "TCP_INFO") or not sys.platform.startswith("linux"):
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    if len(info) < _INFO_BYTES:  # before Linux 4.19
        return None
    (waiting,) = struct.unpack_from("=I", info, 144)  # tcpi_notsent_bytes
    sent, again = struct.unpack_from("=QQ", info, 200)  # tcpi_bytes_sent, tcpi_bytes_retrans
    return int(sent) - int(again) + int(waiting)


def write_ahead(connection: socket.socket, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    """Begin the answer to a handshake with these headers, just before granian writes it. Not for TLS.

    granian's own status line becomes the value of one more header. ValueError for a header that would end its line;
    OSError when the peer has left.
    """
    for name, value in headers:
        if not name or _ENDS_A_NAME.search(name) or _ENDS_A_LINE.search(value):
            raise ValueError(f"{name!r}: {value!r} is no header")
    phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
    lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b"%s: %s" % header for header in headers)]
    data = b"\r\n".join([*lines, b"x-granian: "])
    try:
        complete = connection.send(data) == len(data)
    except BlockingIOError:
        complete = False
    if not complete:  # nothing has been sent to this peer yet, so there is room; else it can only be ended
        abort(connection)
        raise OSError("the client does not read the answer to its handshake")


def abort(connection: socket.socket) -> None:
    """End it, for granian too, and drop what the peer has not read. Closes the duplicate."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


async def linger(connection: socket.socket, seconds: float) -> None:
    """Let the peer read what was sent, until it closes too, for some seconds at most. Closes the duplicate.

    granian closes a connection as soon as its close frame is with the system. Is there anything from the peer that
    nobody has read, then the system resets the connection, and the peer may never see the frame.
    """
    loop = asyncio.get_running_loop()
    with connection, suppress(OSError, TimeoutError):
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(seconds):
            while await loop.sock_recv(connection, 65_536):
                pass
