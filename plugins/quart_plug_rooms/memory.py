"""The backend within one process: a number, the latest messages and the entries of each room, in dictionaries.

A room is there while somebody is in it or messages of it are kept. What is kept of rooms in which nobody is goes by
`history_seconds`, and the room that has been silent for longest goes when there are too many of them.

Must not know: websockets, hooks, applications.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any

from .backend import Entry, Listener, Message

_ROOMS_KEPT = 10_000  # of rooms in which nobody is


class _Room:
    """What is known of a room."""

    __slots__ = ("attached", "bytes", "entries", "epoch", "messages", "number")

    def __init__(self) -> None:
        self.epoch = token_hex(4)
        self.number = 0
        self.messages: deque[Message] = deque()
        self.bytes = 0
        self.entries: dict[str, Entry] = {}
        self.attached = False


class MemoryBackend:
    """The backend for one process.

    history          how many messages of each room are kept.
    history_bytes    how many bytes they may have, but for the latest.
    history_seconds  for how long each is kept.
    """

    name = "memory"
    is_shared = False

    def __init__(self, history: int = 50, history_bytes: int = 1024 * 1024, history_seconds: float = 3600) -> None:
        self._history = history
        self._bytes = history_bytes
        self._seconds = history_seconds
        self._rooms: dict[str, _Room] = {}
        self._silent: OrderedDict[str, None] = OrderedDict()  # rooms in which nobody is, the longest silent one first
        self._listener: Listener | None = None

    async def start(self, listener: Listener) -> None:
        self._listener = listener

    async def stop(self) -> None:
        self._listener = None
        self._rooms.clear()
        self._silent.clear()

    async def publish(
        self, room: str, data: str | bytes, sender: str | None, exclude: Iterable[str], is_json: bool
    ) -> Message:
        kept = self._room(room)
        kept.number += 1
        message = Message(room, kept.epoch, kept.number, data, sender, tuple(exclude), is_json, time.time())
        if self._history:
            kept.messages.append(message)
            kept.bytes += len(data)
            if len(kept.messages) > self._history or kept.bytes > self._bytes:
                self._forget(kept)
        if not kept.attached:
            self._silence(room, kept)
        elif self._listener is not None:
            await self._listener.deliver(message)
        return message

    def _room(self, name: str) -> _Room:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _Room()
        return room

    def _forget(self, room: _Room) -> None:
        """Let the oldest messages go, as many as are too many; the latest stays, whatever it has."""
        messages = room.messages
        while len(messages) > self._history or (room.bytes > self._bytes and len(messages) > 1):
            room.bytes -= len(messages.popleft().data)

    def _silence(self, name: str, room: _Room) -> None:
        """Nobody is in the room: keep what may be asked for, for a while."""
        if room.attached or room.entries:
            return
        self._silent[name] = None
        self._silent.move_to_end(name)
        now = time.time()
        while self._silent:
            oldest = next(iter(self._silent))
            messages = self._rooms[oldest].messages
            if messages and now - messages[-1].at < self._seconds and len(self._silent) <= _ROOMS_KEPT:
                return
            del self._silent[oldest], self._rooms[oldest]

    async def history(self, room: str, count: int, after: int = 0) -> Sequence[Message]:
        kept = self._rooms.get(room)
        if kept is None or count <= 0:
            return []
        oldest = time.time() - self._seconds
        found = [message for message in kept.messages if message.number > after and message.at >= oldest]
        return found[-count:]

    async def position(self, room: str) -> tuple[str, int]:
        kept = self._rooms.get(room)
        return ("", 0) if kept is None else (kept.epoch, kept.number)

    async def attach(self, room: str) -> None:
        self._room(room).attached = True
        self._silent.pop(room, None)

    async def detach(self, room: str) -> None:
        kept = self._rooms.get(room)
        if kept is not None:
            kept.attached = False
            self._silence(room, kept)

    async def enter(self, entry: Entry) -> None:
        self._room(entry.room).entries[entry.id] = entry
        self._silent.pop(entry.room, None)

    async def leave(self, entry: Entry) -> None:
        kept = self._rooms.get(entry.room)
        if kept is not None and kept.entries.pop(entry.id, None) is not None:
            self._silence(entry.room, kept)

    async def presence(self, room: str) -> Sequence[Entry]:
        kept = self._rooms.get(room)
        return [] if kept is None else list(kept.entries.values())

    async def counts(self) -> Mapping[str, int]:
        return {name: len(room.entries) for name, room in self._rooms.items() if room.entries}

    def status(self) -> Mapping[str, Any]:
        return {"trouble": None}
