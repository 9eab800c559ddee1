"""A websocket client by hand: frames as RFC 6455, 5.2 draws them, also those that no library would send.

Answers nothing by itself: no ping, no close frame. Every wait has a limit.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

LIMIT = 20.0  # seconds

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate"}
DEFLATED = 4  # the reserved bit that marks a deflated message (RFC 7692, 6)
_SYNC = b"\0\0\xff\xff"  # what RFC 7692, 7.2.1, leaves out at the end


def deflated(data: bytes, times: int = 1) -> bytes:
    """The payload of a deflated message: `data`, several times over."""
    deflate = zlib.compressobj(wbits=-15)
    once = deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)
    return (once * times).removesuffix(_SYNC)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A client's frame. `reserved`: the three bits after FIN; `length`: what the header says, where it lies."""
    size = len(payload) if length is None else length
    head = bytes([fin << 7 | reserved << 4 | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 1 << 16:
        head += bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + size.to_bytes(8, "big")
    # A mask of zeros leaves the payload as it is.
    return head + (b"\0\0\0\0" if masked else b"") + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def handshake(path: str, host: str = "localhost", headers: dict[str, str] | None = None) -> bytes:
    fields = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY.decode(),
        "Sec-WebSocket-Version": "13",
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


@dataclass
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Raw:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._inflate = zlib.decompressobj(wbits=-15)

    @property
    def port(self) -> int:
        """The client's own."""
        port: int = self.writer.get_extra_info("sockname")[1]
        return port

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def open(self, path: str, headers: dict[str, str] | None = None) -> None:
        """A handshake that is accepted."""
        self.write(handshake(path, f"127.0.0.1:{self.writer.get_extra_info('peername')[1]}", headers))
        answer = await self.answer()
        assert answer.status == 101, answer

    async def answer(self, *, whole: bool = True) -> Answer:
        """The next HTTP response; of a 101 the head alone."""
        async with asyncio.timeout(LIMIT):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            if status == 101 or not whole:
                return Answer(status, headers)
            if "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
            elif "chunked" in headers.get("transfer-encoding", ""):
                body = b""
                while size := int((await self.reader.readline()).split(b";")[0], 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readline()
                await self.reader.readline()
            else:
                body = await self.reader.read()
            return Answer(status, headers, body)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server's: (opcode, payload)."""
        async with asyncio.timeout(LIMIT):
            first, second = await self.reader.readexactly(2)
            assert not second & 0x80, "a server must not mask its frames (RFC 6455, 5.1)"
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            payload = await self.reader.readexactly(size)
            if first >> 4 & DEFLATED:
                payload = self._inflate.decompress(payload + _SYNC)
            return first & 0x0F, payload

    async def message(self) -> bytes:
        """The payload of the next text or binary frame; pings are passed over."""
        while True:
            opcode, payload = await self.frame()
            if opcode in (TEXT, BINARY):
                return payload
            assert opcode in (PING, PONG), f"expected a message, not the frame {opcode}: {payload!r}"

    async def close_frame(self) -> tuple[int | None, str] | str:
        """(code, reason) of the server's close frame; "cut" or "reset" when the connection ends without one."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if payload else None
                    return code, payload[2:].decode()
        except asyncio.IncompleteReadError:
            return "cut"
        except ConnectionError:
            return "reset"

    async def ended(self) -> None:
        """Wait until the server has closed the TCP connection."""
        async with asyncio.timeout(LIMIT):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                pass

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def connected(port: int, receive_buffer: int | None = None) -> AsyncIterator[Raw]:
    """A TCP connection. `receive_buffer`: bytes, for a peer that shall be full soon."""
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(LIMIT):
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 1 << 16)
    except BaseException:
        sock.close()
        raise
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def raw(
    port: int, path: str, headers: dict[str, str] | None = None, receive_buffer: int | None = None
) -> AsyncIterator[Raw]:
    """A websocket that the server has accepted."""
    async with connected(port, receive_buffer) as client:
        await client.open(path, headers)
        yield client


# What a server's process holds, by Linux's own account ---------------------------------------------------------------


def memory_of(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_memory_of(pid: int) -> int:
    """The most resident bytes since `forget_peak`."""
    with open(f"/proc/{pid}/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def forget_peak(pid: int) -> None:
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def holds_socket(port: int, client_port: int) -> bool:
    """Whether some process holds the server's end of this TCP connection open."""
    wanted = f"0100007F:{port:04X}", f"0100007F:{client_port:04X}"
    with open("/proc/net/tcp") as file:
        for line in file:
            fields = line.split()
            if (fields[1], fields[2]) == wanted:
                return fields[9] != "0"  # an orphan in the kernel has no inode
    return False
