"""Who is in a room: a websocket (`Membership`), or somebody who only listens (`Subscription`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from quart_plug.wrappers.outbox import Outbox, put_all
from quart_plug.wrappers.waiting import Bounds, Policy, TooMuch, Waiting, size_of

from .backend import Backend, Entry, Gap, Message
from .checking import NOWHERE
from .errors import TooSlow

if TYPE_CHECKING:
    from quart_plug.wrappers import Websocket

    from .service import Rooms


class Membership:
    """A websocket in a room: `async with rooms.join("lobby") as member:`.

    id         the websocket's; `exclude` takes it.
    room       the room's name.
    user       who it is, as it was given, or None.
    info       what was given beside that.
    websocket  the connection.
    outbox     its outbox, with the counts of what was sent and dropped; None before it has joined.
    is_in      whether it is in the room.
    """

    outbox: Outbox | None = None
    held: list[Message] | None = None
    after: tuple[str, int] = NOWHERE
    is_in = False
    departure: asyncio.Task[None] | None = None  # what tells everybody else that it has left
    is_told = False  # whether plugins are or were told that it has joined

    def __init__(
        self,
        rooms: Rooms,
        room: str,
        websocket: Websocket,
        user: str | int | None,
        info: Any,
        history: int,
        bounds: tuple[int | None, int | None, Policy | None],
    ) -> None:
        self._rooms = rooms
        self._history = history
        self._bounds = bounds
        self.websocket = websocket
        self.id = websocket.id
        self.room = room
        self.user = user
        self.info = info
        self.entry: Entry | None = None

    def __repr__(self) -> str:
        who = "" if self.user is None else f" as {self.user!r}"
        return f"<Membership of websocket {self.id}{who} in {self.room!r}{'' if self.is_in else ', not in it'}>"

    async def __aenter__(self) -> Self:
        await self._rooms.enter(self, self._history)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Leave the room, before the end of the `async with`; a second time does nothing."""
        await self._rooms.leave(self)

    async def send(self, message: str | bytes, exclude: Any = None) -> int:
        """`rooms.send` to this room."""
        return await self._rooms.send(self.room, message, exclude)

    async def send_json(self, value: Any, exclude: Any = None) -> int:
        """`rooms.send_json` to this room."""
        return await self._rooms.send_json(self.room, value, exclude)

    async def prepare(self) -> None:
        """Accept the websocket, if the view has not, and have its outbox ready."""
        await self.websocket.accept()
        self.outbox = self.websocket.outbox(*self._bounds, defaults=self._rooms.bounds)

    def take(self, message: Message) -> None:
        """Put a message into the outbox."""
        if self.outbox is not None:
            put_all((self.outbox,), message.data, message.is_json)

    def cut(self) -> None:
        """The websocket has ended: leave, whatever the view does."""
        self._rooms.leave_soon(self)


class Subscription:
    """What is said in a room, for a request that streams, or a task.

        async with rooms.subscribe("lobby", history=10) as messages:
            async for message in messages:
                …

    id    its name; `exclude` takes it.
    room  the room's name.
    gap   what of the messages after `after` was no longer kept, or None; `missed` is None where nobody knows how many.

    Iterating without `async with` is as good where the loop is left by an error or by the end of its task.
    """

    outbox: Outbox | None = None
    held: list[Message] | None = None
    is_in = False
    gap: Gap | None = None
    entry: Entry | None = None
    departure: asyncio.Task[None] | None = None

    def __init__(
        self,
        rooms: Rooms,
        room: str,
        history: int,
        after: tuple[str, int],
        bounds: Bounds,
    ) -> None:
        self._rooms = rooms
        self._history = history
        self.id = uuid4().hex
        self.room = room
        self.after = after
        self.waiting: Waiting[Message] = Waiting(*bounds)
        self.taken = 0
        self._has_begun = False
        self._too_slow = False
        self._news = asyncio.Event()  # set for a moment: whoever waits wakes, and looks

    def __repr__(self) -> str:
        return f"<Subscription {self.id} to {self.room!r}{'' if self.is_in else ', not begun'}>"

    async def __aenter__(self) -> Self:
        self._has_begun = True
        await self._rooms.enter(self, self._history)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """End it; a second time does nothing."""
        self.end()
        await self._rooms.leave(self)

    def end(self) -> None:
        """`leave`, without waiting for what the backend is told."""
        self._rooms.leave_soon(self)
        self._wake()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self if self._has_begun else self._alone()

    async def _alone(self) -> AsyncIterator[Message]:
        async with self:
            async for message in self:
                yield message

    async def __anext__(self) -> Message:
        return await self.receive()

    async def receive(self, timeout: float | None = None) -> Message:
        """The next message.

        timeout  seconds; then TimeoutError, and the subscription stays as it is.

        Raises TooSlow when messages were not taken fast enough and the policy is "disconnect"; StopAsyncIteration after
        the end: its own, or that of the application. Several tasks may wait: each message goes to one of them.
        """
        if not self.waiting.waiting:
            async with asyncio.timeout(timeout):
                await self._something()
        self.taken += 1
        return self.waiting.take()

    async def _something(self) -> None:
        """Wait until something waits. Raises what `receive` does."""
        while not self.waiting.waiting:
            if self._too_slow:
                raise TooSlow(f"messages of the room {self.room!r} were not taken fast enough")
            if not self.is_in:
                raise StopAsyncIteration
            await self._news.wait()

    async def prepare(self) -> None:
        pass

    async def begin_with(self, backend: Backend, history: int) -> list[Message]:
        """What comes first: what came after `after`, or the latest messages. What of it is gone is noted."""
        epoch, number = self.after
        self.after = NOWHERE
        if not epoch:
            return list(await backend.history(self.room, history)) if history else []
        now, latest = await backend.position(self.room)  # before the history: what comes between is in that
        kept = list(await backend.history(self.room, 1 << 31))
        following = kept[0].number if kept else latest + 1
        if kept and kept[-1].epoch != epoch:
            now = kept[-1].epoch
        if now != epoch or number > latest:
            self.gap = Gap(self.room, now, 0)  # how many there were in the other epoch nobody knows
        elif following > number + 1:
            self.gap = Gap(self.room, epoch, number, following)
        return [message for message in kept if message.epoch != epoch or message.number > number]

    def take(self, message: Message) -> None:
        """Put a message in line."""
        try:
            if not self._too_slow:
                self.waiting.add(message, size_of(message.data))
        except TooMuch:
            self._too_slow = True
            self.waiting.drop()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()
