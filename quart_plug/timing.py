"""The time of plugins, summed up: for the start-up, for each request, and for each plugin's part of each hook.

A `Recorder` listens to an application's hooks and stands around its ASGI callable, which is how it knows to which
request a time belongs. It keeps sums, so that it can listen for days. What it measures is told by `hooks.tracing`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.tracing import Span
    from .typing import Message, Receive, Scope, Send

Key = tuple[str, str]


@dataclass
class Total:
    """The calls of one plugin's part of one hook. Times in seconds."""

    calls: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    failures: int = 0

    def add(self, seconds: float, failed: bool = False) -> None:
        self.calls += 1
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
        self.failures += failed


@dataclass
class Connection:
    """A request or a websocket, while it runs and when it has ended.

    kind     "http" or "websocket".
    status   of the response; for a websocket 101 once it is accepted; None when none was sent.
    seconds  from when the server called the application to when that returned; 0.0 before.
    times    for each plugin and hook what its part took.
    """

    kind: str
    method: str
    path: str
    status: int | None = None
    seconds: float = 0.0
    times: dict[Key, Total] = field(default_factory=dict)

    @property
    def in_plugins(self) -> float:
        """The seconds that plugins took. More than `seconds` where they ran beside each other."""
        return sum(total.seconds for total in self.times.values())


_current: ContextVar[Connection | None] = ContextVar("quart_plug.timing", default=None)


class Recorder:
    """Sums the spans of an application's hooks up: pass `sink` to `PluginManager.trace`, and `attach` the app.

    ended      called with each request and websocket that has ended; `connections` counts them.
    elsewhere  the times of what belongs to no connection (imports, set-up, start-up, shutdown), by (plugin, hook).
    within     the times within connections, by (plugin, hook).
    served     whether a server has called the application.
    """

    def __init__(self, ended: Callable[[Connection], object] | None = None) -> None:
        self.ended = ended
        self.served = False
        self.connections = Total()
        self.elsewhere: dict[Key, Total] = {}
        self.within: dict[Key, Total] = {}
        self._lock = threading.Lock()  # plain functions of plugins may be called in threads

    def sink(self, span: Span) -> None:
        key = (span.plugin, span.hook)
        connection = _current.get()
        with self._lock:
            for totals in (self.elsewhere,) if connection is None else (self.within, connection.times):
                totals.setdefault(key, Total()).add(span.seconds, span.failed)

    def attach(self, app: Quart) -> None:
        """Stand around the application, and around the middleware that it has."""
        inner = app.asgi_app

        async def timed(scope: Scope, receive: Receive, send: Send) -> None:
            self.served = True
            if scope["type"] == "lifespan":
                await inner(scope, receive, send)
                return
            connection = Connection(scope["type"], scope.get("method", "GET"), scope["path"])

            async def noting(message: Message) -> None:
                note_status(connection, message)
                await send(message)

            token = _current.set(connection)
            started = perf_counter()
            try:
                await inner(scope, receive, noting)
            finally:
                connection.seconds = perf_counter() - started
                _current.reset(token)
                self._end(connection)

        app.asgi_app = timed  # type: ignore[method-assign]  # as middleware does

    def _end(self, connection: Connection) -> None:
        with self._lock:
            self.connections.add(connection.seconds, (connection.status or 500) >= 500)
        if self.ended is not None:
            self.ended(connection)


def note_status(connection: Connection, message: Message | dict[str, Any]) -> None:
    """Note what the message says of how the connection went."""
    if message["type"] in ("http.response.start", "websocket.http.response.start"):
        connection.status = message["status"]
    elif message["type"] == "websocket.accept":
        connection.status = 101
    elif message["type"] == "websocket.close" and connection.status is None:
        connection.status = 403
