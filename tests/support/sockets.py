"""Very many websockets in one process: a client that does as little as it can for each.

It knows the opening handshake and the frames of RFC 6455 that a server may send without extensions, and keeps what
each socket has received as the digest of its bytes: members of a room who got the same have the same digest, so that
the messages of one of them are enough to look at.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
from collections.abc import Iterator
from hashlib import blake2b

OPEN_AT_ONCE = 100


def allow_files(number: int) -> None:
    """Raise the limit of open files of this process, and of those that it starts, as far as that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    assert wanted >= number, f"{number} open files are needed, and {hard} are allowed (ulimit -Hn)"
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def text_frame(data: bytes) -> bytes:
    """A text message from a client; masked with zeros, which is what the data are then."""
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


def frame_size(size: int) -> int:
    """How many bytes a server's message of this size takes."""
    return size + (2 if size < 126 else 4 if size < 65_536 else 10)


def messages(stream: bytes) -> Iterator[bytes]:
    """The messages in what a server sent, all of them text or binary, in one frame each."""
    at = 0
    while at < len(stream):
        assert stream[at] in (0x81, 0x82), f"no whole message, but a frame that begins with {stream[at]:#x}"
        size, at = stream[at + 1], at + 2
        if size == 126:
            size, at = int.from_bytes(stream[at : at + 2], "big"), at + 2
        elif size == 127:
            size, at = int.from_bytes(stream[at : at + 8], "big"), at + 8
        yield stream[at : at + size]
        at += size


class Socket(asyncio.Protocol):
    """A websocket of a room.

    kept    everything that came, for one that is looked at; None for others.
    """

    def __init__(self, path: str, keep: bool = False) -> None:
        self.path = path
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.kept: bytearray | None = bytearray() if keep else None
        self.digest = blake2b(digest_size=16)
        self.received = 0
        self.expected = -1
        self._head: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            # The server says "in" as soon as the socket is in its room.
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end or len(rest) < 4:
                return
            if not head.startswith(b"HTTP/1.1 101 ") or rest[:4] != b"\x81\x02in":
                self._fail(f"the handshake was answered by {self._head[:200]!r}")
                return
            self._head, data = None, rest[4:]
            self.opened.set_result(None)
        self.digest.update(data)
        self.received += len(data)
        if self.kept is not None:
            self.kept += data
        if self.received >= self.expected >= 0 and not self.complete.done():
            self.complete.set_result(None)

    def expect(self, size: int) -> asyncio.Future[None]:
        """What is returned is done when so many bytes in all have come, or the connection is lost."""
        self.expected = size
        if self.complete.done() and not self.complete.exception():
            self.complete = asyncio.get_running_loop().create_future()
        self.data_received(b"")
        return self.complete

    def send(self, data: bytes) -> None:
        self.transport.write(text_frame(data))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"a connection was lost: {error or 'closed'}")

    def _fail(self, why: str) -> None:
        for future in (self.opened, self.complete):
            if not future.done():
                future.set_exception(AssertionError(why))
                future.exception()  # it is looked at where it is waited for; others may not wait for it


async def open_sockets(wanted: list[tuple[int, str, bool]]) -> list[Socket]:
    """Sockets to (port, path, whether what comes is kept), in that order; returns when all are in their rooms."""
    loop, free = asyncio.get_running_loop(), asyncio.Semaphore(OPEN_AT_ONCE)

    async def one(port: int, path: str, keep: bool) -> Socket:
        async with free:
            _, socket = await loop.create_connection(lambda: Socket(path, keep), "127.0.0.1", port)
            await socket.opened
            return socket

    return await asyncio.gather(*(one(*each) for each in wanted))
