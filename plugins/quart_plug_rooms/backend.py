"""What carries the messages of rooms: the protocol, and the data that goes over it.

A backend numbers messages, keeps the latest of each room, knows who is where, and brings every message to every process
that has members in its room. What happens inside of a process (outboxes, subscriptions, hooks) is not its business: it
tells a `Listener`, which is the `Rooms` of that process.

Must not know: websockets, hooks, applications.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a room.

    room     the room's name.
    epoch    of the room's numbers. They begin anew when the backend has forgotten the room (in memory: with the
             process, or some time after the last message; in Redis: when that lost its data), and then it is another.
    number   within the room and epoch: 1, 2, 3 …, given by the backend, without holes.
    data     str is sent as a text message, bytes as a binary one.
    sender   the id of the websocket that sent it, or None.
    exclude  the ids of members that do not get it.
    is_json  whether `data` is JSON: whoever speaks a subprotocol with a codec of its own gets it in that.
    at       when it was numbered, in seconds as of `time.time()`.
    """

    room: str
    epoch: str
    number: int
    data: str | bytes
    sender: str | None = None
    exclude: tuple[str, ...] = ()
    is_json: bool = False
    at: float = 0.0

    @property
    def id(self) -> str:
        """A name for it within the room, for the `id:` of a server-sent event: "epoch-number"."""
        return f"{self.epoch}-{self.number}"

    def as_event(self, event: str | None = None) -> bytes:
        """It as a server-sent event, with its id, and the name `event` if that is given. TypeError for binary data."""
        if not isinstance(self.data, str):
            raise TypeError("a server-sent event is text, and this message is binary")
        named = "" if event is None else f"event: {event}\n"
        lines = "".join(f"data: {line}\n" for line in re.split("\r\n|\r|\n", self.data))
        return f"id: {self.id}\n{named}{lines}\n".encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who is in a room, by one connection.

    id       of the connection.
    user     whoever it is, as the application said: a str, an int, or None.
    info     what the application added: anything that JSON can hold.
    since    when it joined, in seconds as of `time.time()`.
    process  the id of the process that has the connection.
    """

    room: str
    id: str
    user: str | int | None = None
    info: Any = None
    since: float = 0.0
    process: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages that the members of this process did not get and will not get.

    after  the number of the last one that they got; 0 when there was none, or when nobody knows.
    until  the number of the next one that they get, or None where that is not known yet.
    """

    room: str
    epoch: str
    after: int
    until: int | None = None

    @property
    def missed(self) -> int | None:
        """How many messages that are, or None where nobody knows."""
        return None if self.until is None else self.until - self.after - 1


class Listener(Protocol):
    """What a backend tells the process.

    process  the id of the process; entries are made with it.
    """

    process: str

    async def deliver(self, message: Message) -> None:
        """A message for this process's members: every one of each room that is attached, once, in the order of the
        numbers. Returns when all of them have it in their outboxes; at once unless they are very many. Never raises,
        and a cancellation of who awaits it keeps nobody from getting the message."""

    async def gap(self, gap: Gap) -> None:
        """Messages were missed: members and plugins are told. Never raises."""


class Backend(Protocol):
    """What both memory and Redis do.

    Its coroutines may be called at any time between `start` and `stop`, at the same time by any number of tasks, and be
    cancelled at any time. Where it cannot do what is asked (the server is away) they raise OSError (ConnectionError,
    TimeoutError are some); what was asked may still have been done.

    name       "memory", "redis"; for the eyes of people.
    is_shared  whether other processes may be behind it as well.
    """

    name: str
    is_shared: bool

    async def start(self, listener: Listener) -> None:
        """Begin: the application needs rooms. Called once, in the event loop in which everything else happens."""

    async def stop(self) -> None:
        """End: take this process's entries out, stop every task, close what is open. Nothing is delivered after it.
        Called once after `start`, also when that failed; never raises for a server that is away."""

    async def publish(
        self, room: str, data: str | bytes, sender: str | None, exclude: Iterable[str], is_json: bool
    ) -> Message:
        """Give a message its number and keep it for the history, in one step, and bring it to every process where the
        room is attached, this one among them. Messages of one caller are numbered in the order of its calls.

        Returns the message as soon as it has its number; whether this process's members have it by then is open.
        """

    async def history(self, room: str, count: int, after: int = 0) -> Sequence[Message]:
        """The latest messages of a room, the oldest first: at most `count` of those with numbers above `after`.
        Never more than the backend keeps."""

    async def position(self, room: str) -> tuple[str, int]:
        """The epoch of a room's numbers, and the number of its latest message; 0 before the first of the epoch.
        ("", 0) for a room that is not known, which one that is attached always is."""

    async def attach(self, room: str) -> None:
        """This process wants the messages of a room: everything that is published after this has returned is delivered.
        Not called again before `detach`; for one room, one call at a time."""

    async def detach(self, room: str) -> None:
        """Nobody in this process wants the messages of a room any more."""

    async def enter(self, entry: Entry) -> None:
        """Somebody is in a room from now on, until `leave`, or for as long as the process lives."""

    async def leave(self, entry: Entry) -> None:
        """Somebody is no longer in a room; a second time does nothing."""

    async def presence(self, room: str) -> Sequence[Entry]:
        """Who is in a room, over all processes, in the order of coming."""

    async def counts(self) -> Mapping[str, int]:
        """How many entries each room has over all processes; rooms without any are left out."""

    def status(self) -> Mapping[str, Any]:
        """What it says of itself, for reports: nothing secret, and nothing but dictionaries, texts, numbers and None.
        `trouble` is what people should know, or None."""
