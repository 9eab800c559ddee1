"""Messages on their way from Redis: one connection that has subscribed to the channels of the rooms that are wanted.

After a loss, of the connection or of messages, each room is synchronised (see sequence.py). Messages are passed on
one after the other.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ..backend import Gap, Listener, Message
from .commands import Commands, response_error
from .keys import Keys
from .link import Link, end, logger
from .publishing import LIFETIME
from .scripts import SYNC
from .sequence import Feed, Missing, Position, Step
from .wire import Malformed, Published, parse

if TYPE_CHECKING:
    from redis.asyncio import Connection

__all__ = ["Subscriber"]

TOGETHER: Final = 256  # channels of one command
SYNCHRONISED: Final = 64  # rooms of one synchronisation
MOST_HISTORY: Final = 1000  # messages that are passed on late; of a longer gap the rest is told
WAITING: Final = 256  # messages that are not delivered yet; with more, Redis is not read
SLICE: Final = 0.005  # seconds of reading without letting others run
COMPLAINTS: Final = 60.0  # seconds between two lines in the log about one channel


class _Room:
    __slots__ = ("feed", "ready")

    def __init__(self, ready: asyncio.Future[None]) -> None:
        self.feed = Feed()
        self.ready = ready


class Subscriber:
    """listener   is told of messages and gaps, one after the other, by a task that has nothing to do with connections:
               what a feed has let go has to arrive.
    malformed  messages on our channels that were none.
    """

    def __init__(
        self,
        url: str,
        settings: dict[str, Any],
        timeout: float,
        commands: Commands,
        keys: Keys,
        process: str,
        listener: Listener,
    ) -> None:
        self.link = Link("subscriptions", url, settings, timeout, greet=self._greet, serve=self._serve, lost=self._lost)
        self.malformed = 0
        self._commands, self._keys = commands, keys
        self._listener = listener
        self._marks = keys.marks(process).encode()
        self._prefix = len(keys.channel("").encode())
        self._rooms: dict[str, _Room] = {}
        self._orders: list[tuple[str, str]] = []  # SUBSCRIBE or UNSUBSCRIBE, room
        self._unconfirmed: Counter[str] = Counter()  # what was ordered for a room and not confirmed
        self._news = asyncio.Event()
        self._unsynced: set[str] = set()
        self._marked: dict[str, list[str]] = {}  # the rooms of a synchronisation, by its mark
        self._syncing: asyncio.Task[None] | None = None
        self._complained: dict[bytes, float] = {}
        self._out: deque[Message | Gap] = deque()
        self._has_news = asyncio.Event()
        self._has_room = asyncio.Event()
        self._delivering: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Future[None]:
        """As `Link.start` does."""
        self._delivering = asyncio.get_running_loop().create_task(self._deliver(), name="rooms: delivering")
        return self.link.start()

    async def open(self, room: str) -> None:
        """Want a room's messages; returns when those that are published from now on will come. Waits without limit."""
        wanted = self._rooms.get(room)
        if wanted is None:
            self._rooms[room] = wanted = _Room(asyncio.get_running_loop().create_future())
            self._order("SUBSCRIBE", room)
        await asyncio.shield(wanted.ready)

    def close(self, room: str) -> None:
        """Want them no more."""
        wanted = self._rooms.pop(room, None)
        if wanted is not None:
            end(wanted.ready)
            self._unsynced.discard(room)
            self._order("UNSUBSCRIBE", room)

    async def stop(self) -> None:
        await self.link.stop()
        for task in (self._syncing, self._delivering):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for room in self._rooms.values():
            end(room.ready)
        self._rooms.clear()

    # The connection

    def _order(self, what: str, room: str) -> None:
        if self.link.up:
            self._orders.append((what, room))
            self._unconfirmed[room] += 1
            self._news.set()

    async def _greet(self, connection: Connection) -> None:
        await connection.send_command("SUBSCRIBE", self._marks)
        await connection.read_response()

    async def _serve(self, connection: Connection) -> None:
        for room in self._rooms:
            self._order("SUBSCRIBE", room)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write(connection), name="rooms: subscribing")
            tasks.create_task(self._read(connection), name="rooms: messages")
            tasks.create_task(self._watch(connection), name="rooms: messages in time")

    def _lost(self) -> None:
        self._orders.clear()
        self._unconfirmed.clear()
        self._unsynced.clear()
        self._marked.clear()
        for room in self._rooms.values():
            room.feed.lost()

    async def _write(self, connection: Connection) -> None:
        while True:
            if not self._orders:
                self._news.clear()
                await self._news.wait()
            what = self._orders[0][0]
            channels: list[str] = []
            while self._orders and self._orders[0][0] == what and len(channels) < TOGETHER:
                channels.append(self._keys.channel(self._orders.pop(0)[1]))
            await connection.send_command(what, *channels, check_health=False)

    async def _read(self, connection: Connection) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + SLICE
        while True:
            kind, channel, value = _event(await connection.read_response())
            self.link.heard, now = True, clock()
            if kind == b"message":
                if channel == self._marks:
                    self._mark(value.decode(errors="replace"))
                else:
                    self._message(channel, value)
            elif kind in (b"subscribe", b"unsubscribe"):
                self._confirmed(channel[self._prefix :].decode())
            while self._is_full():
                self._has_room.clear()
                await self._has_room.wait()
            if now > end:  # what is in the buffer already is read without a pause otherwise
                await asyncio.sleep(0)
                end = clock() + SLICE

    def _is_full(self) -> bool:
        return len(self._out) > WAITING

    async def _watch(self, connection: Connection) -> None:
        """A connection on which nothing comes, not even the answer to a ping, is given up."""
        reads = lambda: not self._is_full()  # noqa: E731
        while True:
            if await self.link.silent(reads):
                await connection.send_command("PING", check_health=False)
                if await self.link.silent(reads):
                    raise TimeoutError(f"it has not answered for {self.link.timeout:g} seconds")

    # What comes

    def _confirmed(self, room: str) -> None:
        self._unconfirmed[room] -= 1
        if self._unconfirmed[room] <= 0:
            del self._unconfirmed[room]
            if room in self._rooms:
                self._resync(room)

    def _message(self, channel: bytes, raw: bytes) -> None:
        name = channel[self._prefix :].decode()
        room = self._rooms.get(name)
        if room is None:
            return
        try:
            message = parse(name, raw)
        except Malformed as error:
            self._complain(channel, name, error)
            return
        self._take(name, room.feed.message(message))

    def _mark(self, nonce: str) -> None:
        for name in self._marked.pop(nonce, ()):
            room = self._rooms.get(name)
            if room is not None:
                self._take(name, room.feed.mark(nonce))
                self._ready(room)

    def _take(self, name: str, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Published):
                self._out.append(step.message)
            elif isinstance(step, Missing):
                self._out.append(Gap(name, step.after.epoch, step.after.number, step.until))
            else:
                self._resync(name)
        if self._out:
            self._has_news.set()

    async def _deliver(self) -> None:
        clock, out = asyncio.get_running_loop().time, self._out
        while True:
            await self._has_news.wait()
            end = clock() + SLICE
            while out:
                told = out.popleft()
                try:
                    if isinstance(told, Gap):
                        await self._listener.gap(told)
                    else:
                        await self._listener.deliver(told)
                except Exception:
                    logger.exception("What came for the room %r was not delivered", told.room)
                if clock() > end:
                    self._has_room.set()
                    await asyncio.sleep(0)
                    end = clock() + SLICE
            self._has_news.clear()
            self._has_room.set()

    def _ready(self, room: _Room) -> None:
        if room.feed.live and not room.ready.done():
            room.ready.set_result(None)

    def _complain(self, channel: bytes, room: str, error: Malformed) -> None:
        self.malformed += 1
        now = time.monotonic()
        if now - self._complained.get(channel, -COMPLAINTS) >= COMPLAINTS:
            if len(self._complained) > 100:
                self._complained.clear()
            self._complained[channel] = now
            logger.warning("What came on the channel of the room %r is no message, and is left out: %s", room, error)

    # Synchronisation

    def _resync(self, room: str) -> None:
        self._unsynced.add(room)
        if self._syncing is None or self._syncing.done():  # done, where tasks begin at once
            loop = asyncio.get_running_loop()
            self._syncing = loop.create_task(self._synchronise(), name="rooms: synchronising")

    async def _synchronise(self) -> None:
        try:
            while self._unsynced:
                await self._synchronise_some(
                    [self._unsynced.pop() for _ in range(min(SYNCHRONISED, len(self._unsynced)))]
                )
        finally:
            self._syncing = None

    async def _synchronise_some(self, names: list[str]) -> None:
        rooms = [(name, self._rooms[name]) for name in names if name in self._rooms]
        nonce, keys = secrets.token_hex(8), [self._keys.generation]
        arguments: list[str | int] = [secrets.token_hex(4), LIFETIME, self._marks.decode(), nonce, MOST_HISTORY]
        for name, room in rooms:
            epoch, number = room.feed.begin(nonce) or ("", "")
            keys += self._keys.room(name), self._keys.history(name)
            arguments += epoch, number
        self._marked[nonce] = [name for name, _ in rooms]
        connections = self.link.connections
        try:
            answers = await self._commands.script(SYNC, keys, *arguments).answer
        except response_error() as error:
            logger.error("Redis does not tell where rooms are: %s", error)
            await asyncio.sleep(1)
            if self.link.up and self.link.connections == connections:
                self._unsynced.update(name for name, room in rooms if self._rooms.get(name) is room)
            return
        for (name, room), (epoch, number, history) in zip(rooms, answers, strict=True):
            if self._rooms.get(name) is room:
                position = Position(epoch.decode(), int(number))
                self._take(name, room.feed.reply(nonce, position, self._parsed(name, history)))
                self._ready(room)

    def _parsed(self, room: str, history: list[bytes]) -> list[Published]:
        messages = []
        for raw in history:
            try:
                messages.append(parse(room, raw))
            except Malformed as error:
                self._complain(self._keys.history(room).encode(), room, error)
        return messages


def _event(response: Any) -> tuple[bytes, bytes, Any]:
    """Of what comes on a connection that has subscribed: kind, channel, and the message or a number."""
    kind, channel, *value = response
    return kind, channel or b"", value[0] if value else b""
