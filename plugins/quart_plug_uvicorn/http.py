"""Uvicorn's two HTTP/1.1 protocols with what they lack: limits, and ends that lose no request.

- the size of a request's line and headers is limited exactly (431), with httptools too, which has no limit; and the
  time for them, so that a connection on which nothing comes is not kept for ever.
- connections over the limit are refused with 503.
- a websocket's handshake goes to our own class, with what was read behind it: uvicorn drops that.
- when the server stops, the last answer on each connection says `connection: close`, and an idle connection is kept for
  a moment, so that a request that is on its way is answered.

Must not know the framework.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .handshake import answer
from .websockets import Websocket

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_SECONDS = 30.0  # for a request's line and headers, from the first byte to the last
REFUSAL_SECONDS = 1.0  # for a peer to take the answer that refuses it
MOMENT = 0.25  # seconds that an idle connection is kept when the server stops
CLOSE = (b"connection", b"close")


class Connection:
    """Mixed into uvicorn's protocol classes."""

    if TYPE_CHECKING:
        config: Any
        transport: asyncio.Transport
        loop: asyncio.AbstractEventLoop
        server_state: Any
        connections: set[Any]
        app_state: dict[str, Any]
        cycle: Any
        timeout_keep_alive: Any
        timeout_keep_alive_task: asyncio.TimerHandle | None
        timeout_keep_alive_handler: Callable[[], None]

    limit_headers = 64 * 1024
    limit_connections: int | None = None
    head = 0  # bytes of the request's line and headers that have come
    complete = False  # whether the line and headers of a request were complete in the last piece
    head_timer: asyncio.TimerHandle | None = None
    over = False  # whether it was refused, or is no longer ours
    piece = b""  # what is being parsed
    rest = 0  # bytes that were read behind it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False  # the line is written by the app's side, in the words of every server
        self.limit_headers = getattr(self.config, "limit_headers", self.limit_headers)
        self.limit_connections = getattr(self.config, "limit_connections", None)

    @property
    def in_head(self) -> bool:
        """Whether what comes next belongs to a request's line or headers."""
        raise NotImplementedError

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc]  # uvicorn's
        served = len(self.connections) - len(self.server_state.refused)
        if self.limit_connections is not None and served > self.limit_connections:
            self._refuse(503, b"The server has too many connections; try again.\n")
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        done = 0
        while done < len(data) and not self.over:
            starts = self.in_head
            end = len(data)
            if starts:
                if self.head == 0:
                    self._limit_head()
                if self.head >= self.limit_headers:
                    self._refuse(431, b"The request's line and headers are too large.\n")
                    return
                end = min(end, done + self.limit_headers - self.head)
            self.piece, self.rest = (data if end - done == len(data) else data[done:end]), len(data) - end
            self.complete = False
            super().data_received(self.piece)  # type: ignore[misc]
            if starts and self.in_head and not self.complete:
                self.head += end - done
            else:  # of another one, some may have come with this piece
                self.head = 0
                self._end_head()
            done = end
        self.piece = b""

    def _limit_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEAD_SECONDS, self._head_too_slow)

    def _end_head(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _head_too_slow(self) -> None:
        self.head_timer = None
        if self.is_active:
            self.transport.abort()  # a pipelined request; there is no telling it without mixing the answers up
        else:
            self._refuse(408, b"The request's line and headers took too long.\n")

    @property
    def is_active(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer in place of the app, and end the connection."""
        self.over = True
        self.server_state.refused.add(self)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.transport.write(answer(status, self.server_state.default_headers, body))
        if self.transport.can_write_eof():
            self.transport.write_eof()  # closed at once, a reset could overtake the answer
        self._end_head()
        self.head_timer = self.loop.call_later(REFUSAL_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Uvicorn could not parse the request."""
        if self.is_active:  # behind one that is being answered
            self.over = True
            self.transport.abort()
            return
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        self._refuse(status, msg.encode() + b"\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)  # type: ignore[misc]
        self.server_state.refused.discard(self)
        self.server_state.left.set()

    # Websockets -------------------------------------------------------------------------------------------------

    def upgrade(self, target: str, behind: int) -> None:
        """Hand the connection over; `behind`: how many bytes of this piece follow the handshake."""
        self.over = True
        self._end_head()
        self.connections.discard(self)
        protocol = Websocket(self.config, self.server_state, self.app_state, self.loop)
        self.transport.set_protocol(protocol)
        protocol.begin(self.transport, self.cycle_scope, target, early=behind + self.rest > 0)

    @property
    def cycle_scope(self) -> dict[str, Any]:
        scope: dict[str, Any] = self.scope  # type: ignore[attr-defined]  # uvicorn's
        return scope

    # The end ----------------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """The server stops. Its state has `connection: close` among the default headers by now."""
        if self.over:
            return
        self.timeout_keep_alive = min(self.timeout_keep_alive, MOMENT)
        if self.is_active:
            if not self.cycle.response_started:
                self.cycle.default_headers = self.server_state.default_headers
            return
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)


class H11Connection(Connection, H11Protocol):
    """HTTP/1.1 in Python."""

    @property
    def in_head(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        behind, _ = self.conn.trailing_data
        self.upgrade(event.target.decode("latin-1"), len(behind))


try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:
    HttpConnection: type[Connection] = H11Connection
else:

    class HttpToolsConnection(Connection, HttpToolsProtocol):
        """HTTP/1.1 in C."""

        in_head = True

        def on_headers_complete(self) -> None:
            self.in_head, self.complete = False, True
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self.in_head = True
            super().on_message_complete()

        def handle_websocket_upgrade(self) -> None:
            stop = sys.exc_info()[1]  # httptools' word for the end of HTTP; its argument says where that is
            assert stop is not None
            self.upgrade(self.url.decode("latin-1"), len(self.piece) - int(stop.args[0]))

    HttpConnection = HttpToolsConnection
