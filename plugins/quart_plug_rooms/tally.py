"""Who and how many are in rooms, and what has become of messages, as data.

Must not know: backends, websockets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quart_plug.wrappers.outbox import Outbox

from .backend import Entry
from .local import LocalRoom


@dataclass(frozen=True)
class Present:
    """Somebody who is in a room, by however many connections.

    user         as it was given to `join`; None stands for everybody without one.
    info         as it was given with the latest connection.
    connections  their ids, the oldest first.
    since        when the first of them joined, in seconds as of `time.time()`.
    """

    user: str | int | None
    info: Any
    connections: tuple[str, ...]
    since: float


@dataclass
class Totals:
    """What has become of messages, in this process."""

    sent: int = 0
    dropped: int = 0
    waiting: int = 0
    waiting_bytes: int = 0


class Tally:
    """What has become of messages to the websockets that are, or were, in rooms of this process."""

    def __init__(self) -> None:
        self._outboxes: dict[Outbox, list[int]] = {}  # joins, and what was sent and dropped before the first
        self._leaving: set[Outbox] = set()  # those that have left a room lately
        self._gone = Totals()  # of outboxes that are in no room any more

    def join(self, outbox: Outbox) -> None:
        """A websocket has joined a room."""
        self._outboxes.setdefault(outbox, [0, outbox.sent, outbox.dropped])[0] += 1

    def leave(self, outbox: Outbox) -> None:
        """A websocket has left a room."""
        self._outboxes[outbox][0] -= 1
        self._leaving.add(outbox)
        self._settle()

    def _settle(self) -> None:
        """Take those out that are in no room any more, and for which nothing waits."""
        for outbox in [outbox for outbox in self._leaving if outbox.is_idle]:
            self._leaving.discard(outbox)
            joins, sent, dropped = self._outboxes[outbox]
            if not joins:
                del self._outboxes[outbox]
                self._gone.sent += outbox.sent - sent
                self._gone.dropped += outbox.dropped - dropped

    def totals(self) -> Totals:
        """The sums."""
        self._settle()
        found = Totals(self._gone.sent, self._gone.dropped)
        for outbox, (_, sent, dropped) in self._outboxes.items():
            found.sent += outbox.sent - sent
            found.dropped += outbox.dropped - dropped
            found.waiting += outbox.waiting
            found.waiting_bytes += outbox.waiting_bytes
        return found


def present_in(entries: Iterable[Entry]) -> list[Present]:
    """Each user once, in the order of coming."""
    found: dict[str | int | None, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.user, []).append(entry)
    return [
        Present(user, latest[-1].info, tuple(entry.id for entry in latest), latest[0].since)
        for user, latest in found.items()
    ]


def counts_of(rooms: Mapping[str, LocalRoom]) -> dict[str, dict[str, int]]:
    """The members ("here") and subscribers of each room in this process."""
    found = {}
    for name, room in rooms.items():
        everybody = [*room.receivers.values(), *room.newcomers.values()]
        members = sum(each.outbox is not None for each in everybody)
        found[name] = {"here": members, "subscribers": len(everybody) - members}
    return found


def rows_of(rooms: Mapping[str, LocalRoom]) -> list[tuple[str, int, int, int, int]]:
    """For each room: name, members, subscribers, and what waits for and was dropped of the members of now."""
    rows = []
    for name, counts in sorted(counts_of(rooms).items()):
        outboxes = [each.outbox for each in rooms[name].receivers.values() if each.outbox is not None]
        waiting, dropped = sum(each.waiting for each in outboxes), sum(each.dropped for each in outboxes)
        rows.append((name, counts["here"], counts["subscribers"], waiting, dropped))
    return rows
