"""The access log's lines, the same from every server that writes none of its own in this form.

A line has the peer's address, method, path, HTTP version, status, the body's length in bytes (`-` where the response
does not tell it) and the microseconds until the response was with the server. Must not know any server.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..typing import Message, Receive, Scope, Send

__all__ = ["LOGGER", "access_logged"]

LOGGER = "quart_plug.access"

_STARTS = frozenset(("http.response.start", "websocket.http.response.start"))
_ENDS = frozenset(("http.response.body", "http.response.pathsend", "websocket.http.response.body"))


class _ToStdout(logging.StreamHandler[Any]):
    """Ours, and so replaced when another server starts; handlers of others are left alone."""


def access_logged(app: Any) -> Any:
    """The ASGI app, with a line on stdout for each request and each websocket's handshake.

    The logger's name is `LOGGER`; further handlers that it has are kept.
    """
    logger = logging.getLogger(LOGGER)
    handler = _ToStdout(sys.stdout)
    handler.setFormatter(
        logging.Formatter("%(asctime)s [%(process)d] [%(levelname)s] %(message)s", "[%Y-%m-%d %H:%M:%S %z]")
    )
    logger.handlers = [handler, *(other for other in logger.handlers if not isinstance(other, _ToStdout))]
    logger.propagate = False
    logger.setLevel(logging.INFO)

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        line = _Line(logger, scope, send)
        try:
            await app(scope, receive, line.send)
        finally:
            line.write()

    return logged


class _Line:
    """What is known of one connection, until it is written."""

    __slots__ = ("answered", "length", "logger", "scope", "server_send", "since", "status")

    def __init__(self, logger: logging.Logger, scope: Scope, send: Send) -> None:
        self.logger = logger
        self.scope = scope
        self.server_send = send
        self.since = perf_counter()
        self.status: int | str = "-"
        self.length = "-"
        self.answered = False

    def send(self, message: Message) -> Awaitable[None]:
        # Not a coroutine itself: a websocket's messages shall not pay for its line.
        return self.server_send(message) if self.answered else self._send(message)

    async def _send(self, message: Message) -> None:
        await self.server_send(message)
        kind = message["type"]
        if kind in _STARTS:
            self.status = message["status"]
            for name, value in message.get("headers") or ():
                if name.lower() == b"content-length":
                    self.length = value.decode("latin-1")
        elif kind == "websocket.accept":
            self.status = 101
            self.write()
        elif kind == "websocket.close":
            self.status = 403  # ASGI: what the client of a websocket sees that was closed before it was accepted
            self.write()
        elif kind in _ENDS and not message.get("more_body"):
            self.write()

    def write(self) -> None:
        """Write the line, if that has not been done."""
        if self.answered:
            return
        self.answered = True
        scope = self.scope
        client = scope.get("client")
        path = scope["path"]
        self.logger.info(
            "%s %s %s %s %s %s %d",
            "-" if client is None else f"{client[0]}:{client[1]}",
            scope.get("method", "GET"),
            path if path.isprintable() else repr(path)[1:-1],  # a client must not write lines of its own
            scope.get("http_version", "1.1"),
            self.status,
            self.length,
            (perf_counter() - self.since) * 1_000_000,
        )
