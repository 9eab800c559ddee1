"""What is kept of a connection: a few texts and numbers, of bounded size, and no object of the application's.

A record is made when a connection begins and changes until it has ended. Times are wall-clock seconds since 1970 where
people read them, and `time.perf_counter` where they are measured.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

from .masking import error_text, masked_headers, masked_query, masked_subprotocols

if TYPE_CHECKING:
    from quart_plug.ctx import Context
    from quart_plug.hooks.tracing import Span

__all__ = ["Record", "Records"]

MOST_SPANS = 120  # in the waterfall of one connection; all count in the sums
MOST_SUMS = 200  # pairs of a hook and a plugin
LONGEST_PATH = 1000
MOST_LIVE = 1000  # websockets that are shown at once

_numbers = count(1)


class Record:
    """One request or websocket.

    state   "running", then "done", "failed" (an error that nothing handled) or "gone" (the client left);
            of a websocket: "connecting", "open", "closed", "refused".
    status  of the response, or of the refused handshake; None while nobody knows.
    """

    def __init__(self, ctx: Context) -> None:
        scope = ctx.scope
        assert ctx.kind is not None
        self.scope: Any = scope  # until it has ended
        self.number = next(_numbers)
        self.version = 0
        self.began = time.perf_counter()
        self.at = time.time()
        self.stopped = 0.0
        self.seconds: float | None = None
        self.kind = ctx.kind.name
        self.method: str = scope["method"] if self.kind == "request" else "WS"
        self.path: str = str(scope["path"])[:LONGEST_PATH]
        self.query = masked_query(scope.get("query_string", b"").decode("latin-1"))
        client = scope.get("client")
        self.client = f"{client[0]}:{client[1]}" if client else ""
        self.http = str(scope.get("http_version", ""))
        self.headers = masked_headers(scope["headers"])
        self.rule: str | None = None
        self.endpoint: str | None = None
        self.status: int | None = None
        self.state = "running" if self.kind == "request" else "connecting"
        self.error: str | None = None
        self.spans: list[tuple[str, str, float, float, bool]] = []
        self.sums: dict[tuple[str, str], list[float]] = {}
        self.received = [0, 0]  # messages, bytes
        self.sent = [0, 0]
        self.closed: list[Any] | None = None  # code, reason, by whom
        self.subprotocol: str | None = None
        self.name: str | None = None  # the websocket's own id, as logs have it
        self.handled = False
        self._websocket: weakref.ref[Any] | None = None

    def watch(self, websocket: Any) -> None:
        """Look at this websocket from now on, without keeping it alive."""
        self._websocket = weakref.ref(websocket)
        self.name = str(getattr(websocket, "id", ""))[:LONGEST_PATH]

    def look(self) -> None:
        """See where the websocket stands."""
        if self._websocket is None or self.seconds is not None:
            return
        websocket = self._websocket()
        if websocket is None:
            self.state = "closed"
            return
        self.state = {"accepted": "open", "rejected": "refused"}.get(websocket.state, websocket.state)
        name = websocket.subprotocol
        self.subprotocol = None if name is None else masked_subprotocols(str(name))

    def add(self, span: Span) -> None:
        """Count a plugin's part in a hook."""
        key = (span.hook, span.plugin)
        sums = self.sums.get(key)
        if sums is None:
            if len(self.sums) >= MOST_SUMS:
                return
            sums = self.sums[key] = [0, 0.0, 0.0, 0]
        sums[0] += 1
        sums[1] += span.seconds
        sums[2] = max(sums[2], span.seconds)
        sums[3] += span.failed
        if len(self.spans) < MOST_SPANS:
            self.spans.append((span.hook, span.plugin, span.started - self.began, span.seconds, span.failed))

    def fail(self, error: BaseException) -> None:
        self.error = error_text(error)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self.stopped = self.stopped or time.perf_counter()

    def end(self, state: str) -> None:
        """It is over; nothing is measured any more."""
        if self.seconds is None:
            self.stop()
            self.seconds = self.stopped - self.began
            self.state = state
            self._websocket = self.scope = None

    def to_json(self) -> dict[str, Any]:
        self.look()
        shared: dict[str, Any] = {
            "id": self.number,
            "kind": self.kind,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "at": self.at,
            "seconds": self.seconds,
            "state": self.state,
            "status": self.status,
            "error": self.error,
            "rule": self.rule,
            "endpoint": self.endpoint,
            "client": self.client,
            "http": self.http,
            "headers": self.headers,
            "spans": self.spans,
            "sums": [[*key, *values] for key, values in self.sums.items()],
        }
        if self.kind == "websocket":
            shared |= {
                "received": self.received,
                "sent": self.sent,
                "closed": self.closed,
                "subprotocol": self.subprotocol,
                "websocket": self.name,
            }
        return shared


class Records:
    """The latest of one kind, in a ring; each change has a number, so that who looks can ask for what is new."""

    def __init__(self, size: int) -> None:
        self.ring: deque[Record] = deque(maxlen=size)
        self.live: dict[int, Record] = {}
        self.total = 0

    def begin(self, record: Record) -> None:
        """A request goes into the ring at once; a websocket when it has ended, lest a busy app push live ones out."""
        self.total += 1
        if record.kind == "request":
            self.ring.append(record)
        elif len(self.live) < MOST_LIVE:
            self.live[record.number] = record

    def end(self, record: Record) -> None:
        if record.kind == "websocket" and self.live.pop(record.number, None) is not None:
            self.ring.append(record)

    @property
    def is_full(self) -> bool:
        return len(self.live) >= MOST_LIVE

    def since(self, version: int) -> list[Record]:
        """Those that have changed, the oldest first."""
        return [record for record in (*self.ring, *self.live.values()) if record.version > version]

    def clear(self) -> None:
        self.ring.clear()
        self.live.clear()
