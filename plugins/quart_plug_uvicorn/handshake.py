"""A websocket's handshake: the answer that accepts it, and those that refuse it, as bytes.

The checks of RFC 6455 and the negotiation of compression are those of the package `websockets`. Does no I/O.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol

Pairs = Iterable[tuple[bytes, bytes]]

# What a request's headers have to have for the server to look at it as a handshake.
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAKS = re.compile(rb"[\x00\r\n]")
# 12 bits: 32 KiB less for each connection than with 15, and almost as small messages.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
)

_CONTROL = 125  # bytes of a control frame's data (RFC 6455, 5.5)

_log = logging.getLogger("uvicorn.error")


class Handshake:
    """What a client asked for, and the answer if it is accepted.

    refusal  (status, text) of a request that is no handshake (RFC 6455, 4.2.1), or None.
    """

    def __init__(self, method: str, version: str, target: str, headers: Pairs, deflate: bool = True) -> None:
        self.subprotocols: list[str] = []
        self.refusal: tuple[int, bytes] | None = None
        asked = Headers()
        for name, value in headers:
            text = value.decode("latin-1")
            asked[name.decode("latin-1")] = text
            if name == b"sec-websocket-protocol":
                self.subprotocols += [token for part in text.split(",") if (token := part.strip())]
        if method != "GET" or version != "1.1":
            self.refusal = (400, b"A websocket's handshake is a GET request of HTTP/1.1.\n")
            return
        self._protocol = ServerProtocol(extensions=[_DEFLATE] if deflate else None, logger=_log)
        response = self._protocol.accept(Request(target, asked))
        self._headers = response.headers
        if response.status_code != 101:
            self.refusal = (response.status_code, bytes(response.body or b""))

    def accepted(self, headers: Pairs, subprotocol: str | None) -> bytes:
        """The answer that accepts; `headers` are the server's and the app's."""
        lines = [b"HTTP/1.1 101 Switching Protocols\r\n"]
        for name, value in self._headers.raw_items():
            if name.lower() != "date":  # it is among the server's
                lines.append(f"{name}: {value}\r\n".encode("latin-1"))
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}\r\n".encode("latin-1"))
        lines += _lines(headers)
        lines.append(b"\r\n")
        return b"".join(lines)

    def connection(self, largest: int | None) -> Connection:
        """The open connection, for messages of at most `largest` bytes."""
        connection = Connection(largest)
        connection.extensions = self._protocol.extensions
        return connection


class Connection(Protocol):
    """The frames of an open connection.

    largest  bytes of a message; None for no limit. Who puts a message together asks `fits`: the base class holds the
             limit against control frames too, and refuses a ping amid the frames of a message that is almost as large.
    """

    def __init__(self, largest: int | None) -> None:
        size = None if largest is None else largest + _CONTROL
        super().__init__(Side.SERVER, state=State.OPEN, max_size=size, logger=_log)
        self.largest = largest
        self.too_big = f"a message may have {largest} bytes"

    def fits(self, size: int) -> bool:
        """Whether a message may have so many bytes; where it may not, the close frame is ready to be sent."""
        if self.largest is None or size <= self.largest:
            return True
        self.fail(CloseCode.MESSAGE_TOO_BIG)
        return False

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            reason = self.too_big
        super().fail(code, reason)


def answer(status: int, headers: Pairs, body: bytes | None = None) -> bytes:
    """An HTTP answer after which the connection is closed; without `body` the body's parts follow."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}\r\n".encode("latin-1")]
    lines += _lines((name, value) for name, value in headers if name.lower() != b"connection")
    if body is not None:
        lines.append(b"content-type: text/plain; charset=utf-8\r\n")
        lines.append(b"content-length: %d\r\n" % len(body))
    lines.append(b"connection: close\r\n\r\n")
    return b"".join(lines) + (body or b"")


def _lines(headers: Pairs) -> Iterable[bytes]:
    for name, value in headers:
        if _NAME.fullmatch(name) is None or _BREAKS.search(value) is not None:
            raise RuntimeError(f"the header {name!r}: {value!r} cannot be sent")
        yield b"%b: %b\r\n" % (name, value)
