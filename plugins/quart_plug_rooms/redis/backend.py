"""The backend between processes and machines: Redis numbers the messages, keeps the latest, and brings them to every
process that has asked for their room.

Two connections, each of which comes back by itself: one for questions and for what is published, one for what has
been subscribed to. While Redis is away, what needs it waits for a while and then fails; nothing is delivered here that
the others do not get.

Must not know: websockets, hooks, applications.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any, TypeVar

from quart_plug.masking import masked

from ..backend import Entry, Listener, Message
from ..errors import RoomsUnavailable
from .commands import Commands, response_error
from .keys import Keys
from .link import Refused, explained, settings_of
from .presence import Presence
from .publishing import Publisher, Unpublished
from .subscribing import Subscriber
from .wire import Malformed, parse

__all__ = ["RedisBackend"]

logger = logging.getLogger("quart_plug.rooms")

T = TypeVar("T")

QUESTIONS = 50_000  # that may wait at a time
FAREWELL = 1.0  # seconds for which leaving waits for Redis, that of a member and that of the process


class RedisBackend:
    """The backend for many processes.

    url              redis://, rediss:// or unix://, as redis-py reads it: user, password, number of the database.
    prefix           what the names of all that is kept in Redis begin with.
    wait             seconds that what needs Redis waits for it.
    presence_expiry  seconds after which a process that says nothing is gone, with its entries.
    timeout          seconds for a connection to be made, and for a server to be silent.
    history          how many messages of each room are kept.
    history_bytes    how many bytes they may have, but for the latest.
    history_seconds  for how long each is kept.
    required         whether `start` fails when Redis is away.

    Raises ValueError for a URL that cannot be read.
    """

    name = "redis"
    is_shared = True

    def __init__(
        self,
        url: str,
        prefix: str,
        *,
        wait: float = 5.0,
        presence_expiry: float = 15.0,
        timeout: float = 5.0,
        history: int = 50,
        history_bytes: int = 1024 * 1024,
        history_seconds: float = 3600,
        required: bool = False,
    ) -> None:
        self.url = masked(url)
        self._settings = settings_of(url)
        self._keys = Keys(prefix, self._settings["db"])
        self._wait, self._expiry, self._timeout, self._required = wait, presence_expiry, timeout, required
        self._stopped = False
        self._questions = 0  # that somebody waits for
        self._history = (history, history_bytes, int(history_seconds * 1000))

    async def start(self, listener: Listener) -> None:
        """RoomsUnavailable when Redis refuses us, or when it is away and required."""
        self._process = listener.process
        writer = token_hex(8)  # never used before: Redis remembers what a writer has written
        self._commands = Commands(self.url, self._settings, self._timeout, self._keys.generation)
        self._publisher = Publisher(self._commands, self._keys, writer, self._history)
        self._presence = Presence(self._commands, self._keys, writer, self._expiry)
        self._subscriber = Subscriber(
            self.url, self._settings, self._timeout, self._commands, self._keys, writer, listener
        )
        self._commands.link.siblings = (self._subscriber.link,)
        self._subscriber.link.siblings = (self._commands.link,)
        attempts = [self._commands.link.start(), self._subscriber.start()]
        self._presence.start()
        await asyncio.wait(attempts, timeout=2 * self._timeout)
        for attempt in attempts:
            error = attempt.exception() if attempt.done() else TimeoutError()
            if isinstance(error, Refused):
                raise RoomsUnavailable(f"{self.url} does not let us in: {error}")
            if error is not None and self._required:
                raise RoomsUnavailable(f"{self.url} is away, and is required: {explained(error)}")
            if error is not None:
                logger.warning("Rooms start without Redis, and join it as soon as it is there: %s", self.url)
                return

    async def stop(self) -> None:
        self._stopped = True
        await self._publisher.stop()
        await self._presence.stop(FAREWELL)
        await self._subscriber.stop()
        await self._commands.link.stop()
        self._commands.close()

    # Messages

    async def publish(
        self, room: str, data: str | bytes, sender: str | None, exclude: Iterable[str], is_json: bool
    ) -> Message:
        exclude = tuple(exclude)
        try:
            epoch, number, at = await self._publisher.publish(room, data, sender, exclude, is_json, self._wait)
        except Unpublished as error:
            became = "it is not known whether it was sent" if error.sent else "it was not sent"
            raise RoomsUnavailable(f"a message to the room {room!r}: {became}: {self._why(error)}") from None
        return Message(room, epoch, number, data, sender, exclude, is_json, at / 1000)

    async def history(self, room: str, count: int, after: int = 0) -> Sequence[Message]:
        count = min(count, self._history[0])
        if count <= 0:
            return []
        key = self._keys.history(room)
        found = await self._within(
            lambda: self._commands.ask(lambda: ("LRANGE", key, -count, -1)).answer, f"the history of the room {room!r}"
        )
        oldest = (self._commands.now() - self._history[2]) / 1000
        messages = []
        for raw in found:
            try:
                message = parse(room, raw).message
            except Malformed as error:
                logger.warning("What is in the history of the room %r is no message: %s", room, error)
            else:
                if message.number > after and message.at >= oldest:
                    messages.append(message)
        return messages

    async def position(self, room: str) -> tuple[str, int]:
        key = self._keys.room(room)
        epoch, number = await self._within(
            lambda: self._commands.ask(lambda: ("HMGET", key, "e", "n")).answer, f"the numbers of the room {room!r}"
        )
        return (epoch.decode(), int(number)) if epoch and number else ("", 0)

    async def attach(self, room: str) -> None:
        try:
            await self._within(lambda: self._subscriber.open(room), f"the messages of the room {room!r}")
        except BaseException:
            self._subscriber.close(room)
            raise

    async def detach(self, room: str) -> None:
        self._subscriber.close(room)

    # Presence

    async def enter(self, entry: Entry) -> None:
        value = json.dumps([entry.user, entry.info, entry.since, entry.process, entry.id], separators=(",", ":"))
        try:
            await self._within(
                lambda: self._presence.join(entry.room, entry.id, value.encode()), f"joining the room {entry.room!r}"
            )
        except BaseException:
            self._presence.leave(entry.room, entry.id)
            raise

    async def leave(self, entry: Entry) -> None:
        gone = self._presence.leave(entry.room, entry.id)
        if gone is not None and self._commands.link.up:  # it is written later otherwise, and nobody waits for it
            await asyncio.wait([gone], timeout=FAREWELL)

    async def presence(self, room: str) -> Sequence[Entry]:
        entries = []
        for raw in await self._within(lambda: self._presence.members(room), f"who is in the room {room!r}"):
            try:
                user, info, since, process, id = json.loads(raw)
                entries.append(Entry(room, id, user, info, float(since), process))
            except (TypeError, ValueError):
                logger.warning("What is among the members of the room %r is none: %r", room, raw[:40])
        return sorted(entries, key=lambda entry: entry.since)

    async def counts(self) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for rooms in (await self._within(self._presence.counts, "who is in rooms")).values():
            counts.update(rooms)
        return counts

    # What it says of itself

    def status(self) -> dict[str, Any]:
        """For reports: the URL without its password, whether both connections are there and how often each was lost,
        what the trouble is, and how many messages on our channels were none."""
        links = {"messages": self._commands.link, "subscriptions": self._subscriber.link}
        trouble = [self._why(link.trouble) for link in links.values() if link.trouble is not None]
        return {
            "url": self.url,
            **{name: {"up": link.up, "losses": link.losses} for name, link in links.items()},
            "trouble": trouble[0] if trouble else None,
            "malformed": self._subscriber.malformed,
        }

    async def _within(self, ask: Callable[[], Awaitable[T]], what: str) -> T:
        """What is asked, or RoomsUnavailable when it takes too long, and at once when too many wait already."""
        if self._questions >= QUESTIONS:
            raise RoomsUnavailable(f"{what}: {self._questions} questions wait for {self.url} already")
        self._questions += 1
        try:
            async with asyncio.timeout(self._wait) as limit:
                return await ask()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise RoomsUnavailable(f"{what}: {self._why(error)}") from None
        except (ConnectionAbortedError, response_error()) as error:
            raise RoomsUnavailable(f"{what}: {self._why(error)}") from error
        finally:
            self._questions -= 1

    def _why(self, error: BaseException) -> str:
        if self._stopped:
            return "the app has stopped"
        for link in (self._commands.link, self._subscriber.link):
            if not link.up and link.trouble is not None:
                return f"{self.url} is away: {explained(link.trouble)}"
        return f"{self.url}: {explained(error)}"
