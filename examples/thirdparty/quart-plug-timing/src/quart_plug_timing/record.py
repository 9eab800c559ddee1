"""One connection's id and times, kept in its ASGI scope."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from uuid import uuid4

from quart_plug import has_request_context, has_websocket_context, request, websocket

from .config import TOKEN

KEY = "quart_plug_timing"

# Nothing that could break out of a log line, a header or a query.
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~=:+/-]*")


class Record:
    """What is known of one request or websocket.

    ``id`` is its id, ``spans`` what was measured within it: (name, seconds);
    ``failure`` the name of an error that nobody handled; ``marks`` whether log lines
    of the application begin with the id.
    """

    __slots__ = ("begun", "failure", "id", "marks", "spans")

    def __init__(self, id: str, *, marks: bool = False) -> None:
        self.id = id
        self.marks = marks
        self.begun = perf_counter()
        self.spans: list[tuple[str, float]] = []
        self.failure: str | None = None

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return perf_counter() - self.begun

    def server_timing(self) -> str:
        """As the header of that name: milliseconds, what was measured first."""
        parts = [*self.spans, ("total", self.seconds)]
        return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts)


def choose_id(given: Sequence[str], *, trusted: bool, max_length: int) -> str:
    """The one id that came in, if it may be taken and is harmless; else a new one."""
    if trusted and len(given) == 1:
        value = given[0]
        if len(value) <= max_length and SAFE.fullmatch(value):
            return value
    return uuid4().hex


def record_of(scope: MutableMapping[str, Any]) -> Record | None:
    found = scope.get(KEY)
    return found if isinstance(found, Record) else None


def current_record() -> Record | None:
    """That of the request or websocket that is being handled."""
    if has_request_context():
        return record_of(request.scope)
    if has_websocket_context():
        return record_of(websocket.scope)
    return None


def request_id() -> str | None:
    """The id of the current request or websocket.

    None outside of one, and where the plugin is off.
    """
    record = current_record()
    return None if record is None else record.id


@contextmanager
def measure(name: str) -> Iterator[None]:
    """Measure a part of a request; it becomes an entry of ``Server-Timing``.

    Outside of a request nothing is kept. ValueError for a name that the header
    could not have: letters, digits and ``-_.`` are fine.
    """
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} cannot be an entry of Server-Timing")
    record = current_record()
    begun = perf_counter()
    try:
        yield
    finally:
        if record is not None:
            record.spans.append((name, perf_counter() - begun))
