"""`Rooms`, which is `app.rooms`: everything that an application does with rooms, on top of a backend."""

from __future__ import annotations

import asyncio
import os
import time
from socket import gethostname
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from quart_plug.ctx import has_websocket_context
from quart_plug.exceptions import MessageDropped
from quart_plug.globals import websocket as current_websocket
from quart_plug.hooks.own import first, notify
from quart_plug.masking import masked

from . import specs
from .backend import Backend, Entry, Message
from .checking import check_count, check_name, ids_of, position_of
from .errors import JoinRefused, RoomError
from .listening import Listening
from .local import LocalRoom
from .membership import Membership, Subscription
from .tally import Present, Tally, counts_of, present_in, rows_of

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.wrappers import Websocket
    from quart_plug.wrappers.waiting import Bounds, Policy

    from .reports import Reporter

_SENDS_A_TURN = 64  # sends that need not suspend, after which the loop gets a turn


class Rooms(Listening):
    """The rooms of an application.

    process  the id of this process among those that share the rooms.
    backend  what carries the messages, once they were used.
    """

    def __init__(self, app: Quart) -> None:
        super().__init__(app)
        self.process = f"{gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.bounds: Bounds = (
            self.settings.outbox_messages,
            self.settings.outbox_bytes,
            self.settings.policy,
        )
        self.backend: Backend | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[Backend] | None = None
        self._is_ending = False  # whether subscriptions end at once
        self._reporter: Reporter | None = None
        self._sends = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.tally = Tally()

    # The life of it -----------------------------------------------------------------------------------------

    async def start(self) -> Backend:
        """Have the backend ready; done by itself when it is needed. What the backend raises is raised."""
        loop = asyncio.get_running_loop()
        if self.backend is not None and self._loop is loop:
            return self.backend
        if self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                raise RoomError("the rooms of this application are in use in another event loop")
            self._reset()
            self._loop = loop
        if self._starting is None:
            self._starting = loop.create_task(self._start())
            self._starting.add_done_callback(self._has_started)
        starting = self._starting
        await asyncio.wait((starting,))  # who is cancelled takes it from nobody else
        return starting.result()

    async def _start(self) -> Backend:
        url = self.settings.url
        backend = first(specs.room_backend, self.app, url)
        if backend is None:
            raise RoomError(
                f"no plugin carries the messages of rooms for the URL {masked(url)!r} (setting `url` of the plugin "
                "rooms); there are memory:// and redis://HOST:PORT/NUMBER"
            )
        try:
            await backend.start(self)
        except BaseException:
            await backend.stop()
            raise
        self.backend = backend
        return backend

    def _has_started(self, task: asyncio.Task[Backend]) -> None:
        if self._starting is task:
            self._starting = None
        if not task.cancelled():
            task.exception()  # whoever waits has it; if all were cancelled, nobody wants to know

    async def serve(self) -> None:
        """`start`, in an application that serves: it tells `quart-plug rooms` what it knows."""
        self._is_ending = False
        await self.start()
        if self.settings.reports and self._reporter is None:
            from .reports import Reporter

            self._reporter = Reporter(self.app, self.report)
            await self._reporter.start()

    async def report(self) -> dict[str, Any]:
        """What `quart-plug rooms` shows of this process."""
        backend = await self.start()
        return {
            "backend": backend.name,
            "shared": backend.is_shared,
            "status": dict(backend.status()),
            "rooms": self.local_counts(),
            "process": self._process(),
        }

    def end_subscriptions(self) -> None:
        """End every subscription, and each that begins from now on, until `stop` or the next start of a server.

        What waits in them can still be taken. In another event loop than theirs it does nothing.
        """
        if self._loop is not asyncio.get_running_loop():
            return
        self._is_ending = True
        for local in list(self._rooms.values()):
            for each in (*local.receivers.values(), *local.newcomers.values()):
                if isinstance(each, Subscription):
                    each.end()

    async def stop(self) -> None:
        """End everything, as at the end of the application; the next use begins anew.

        In another event loop than theirs it does nothing.
        """
        if self._loop is not asyncio.get_running_loop():
            return
        self.end_subscriptions()
        backend, self.backend = self.backend, None
        reporter, self._reporter = self._reporter, None
        try:
            if reporter is not None:
                await reporter.stop()
            if self._tasks:
                await asyncio.wait(self._tasks)
            if backend is not None:
                await backend.stop()
        finally:
            self._is_ending = False
            self._reset()

    def _reset(self) -> None:
        self.backend = self._loop = self._starting = None
        self._rooms = {}

    async def __aenter__(self) -> Self:
        """For programs without a server: `async with app.rooms: …`."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()

    # Sending ------------------------------------------------------------------------------------------------

    async def send(self, room: str, message: str | bytes, exclude: Any = None) -> int:
        """Send a message to everybody in a room.

        message  str is sent as text, bytes as binary.
        exclude  who does not get it: a websocket (also `quart_plug.websocket`), a membership or subscription, an id, or
                 several of these.

        From anywhere: views, background tasks, programs without a server. Returns the message's number in the room, or
        0 when a plugin dropped it. Never fails, nor waits, for a member; what the backend raises when it cannot take
        the message (an OSError) is raised.
        """
        if not isinstance(message, (str, bytes)):
            if isinstance(message, (bytearray, memoryview)):  # type: ignore[unreachable]
                message = bytes(message)
            else:
                raise TypeError(
                    f"send() takes str or bytes, not {type(message).__name__}; other objects go by send_json()"
                )
        return await self._publish(room, message, exclude, False)

    async def send_json(self, room: str, value: Any, exclude: Any = None) -> int:
        """Send JSON to everybody in a room: it is encoded once. As `send`."""
        return await self._publish(room, self.app.json.dumps(value), exclude, True)

    async def _publish(self, room: str, message: str | bytes, exclude: Any, is_json: bool) -> int:
        check_name(room)
        sender = current_websocket.id if has_websocket_context() else None
        excluded = () if exclude is None else tuple(ids_of(exclude))
        chain = self.app.chain_here("room_message")
        if chain is not None:
            try:
                message = await chain(self.app, room, sender, message)
            except MessageDropped:
                return 0
            if not isinstance(message, (str, bytes)):
                raise TypeError(f"a plugin made {message!r} of a message (room_message); it has to be a str or bytes")
            is_json = is_json and isinstance(message, str)
        backend = self.backend
        if backend is None or self._loop is not asyncio.get_running_loop():
            backend = await self.start()
        number = (await backend.publish(room, message, sender, excluded, is_json)).number
        self._sends += 1
        if not self._sends % _SENDS_A_TURN:
            await asyncio.sleep(0)  # `while True: await rooms.send(…)` must not stop the loop
        return number

    # Being there --------------------------------------------------------------------------------------------

    def join(
        self,
        room: str,
        user: str | int | None = None,
        info: Any = None,
        history: int = 0,
        *,
        outbox_messages: int | None = None,
        outbox_bytes: int | None = None,
        policy: Policy | None = None,
        websocket: Websocket | None = None,
    ) -> Membership:
        """Put the current websocket into a room: `async with rooms.join("lobby") as member:`.

        user       who that is, for `presence`.
        info       what else is to be known: anything that JSON can hold.
        history    how many of the latest messages the websocket is sent first.
        outbox_…, policy  as the settings of the plugin, for this websocket.
        websocket  another websocket than the current one.

        The websocket is accepted if the view has not done it. Entering raises ConnectionClosed, JoinRefused (a plugin's
        `room_joining`), RoomError when it is in the room already, and what the backend raises.
        """
        check_name(room)
        if websocket is None:
            if not has_websocket_context():
                raise RoomError(
                    "join() puts the current websocket into a room, and here is none; "
                    "to listen elsewhere there is subscribe()"
                )
            proxy: Any = current_websocket
            websocket = proxy._get_current_object()
        if user is not None and not isinstance(user, (str, int)):
            raise TypeError(f"a user is a str, an int or None, not {user!r}; whatever else goes into `info`")
        if info is not None:
            self.app.json.dumps(info)  # raises what it cannot write: other processes are to know it as well
        bounds = (outbox_messages, outbox_bytes, policy)
        return Membership(self, room, websocket, user, info, check_count(history), bounds)

    def subscribe(
        self,
        room: str,
        history: int = 0,
        *,
        after: str | None = None,
        messages: int | None = None,
        bytes: int | None = None,
        policy: Policy | None = None,
    ) -> Subscription:
        """Listen to a room from a request, or a task: an async context manager, and an async iterator of Message.

        history   how many of the latest messages come first.
        after     the `id` of a message: those after it come first, as far as they are kept, whatever `history` says.
                  What is no longer kept is told by the subscription's `gap`.
        messages, bytes, policy  the bounds of what waits, by default those of outboxes. ValueError as there.

        Whoever listens is not among the members.
        """
        check_name(room)
        own = self.bounds
        bounds = (
            own[0] if messages is None else messages,
            own[1] if bytes is None else bytes,
            own[2] if policy is None else policy,
        )
        return Subscription(self, room, check_count(history), position_of(after), bounds)

    async def enter(self, who: Membership | Subscription, history: int) -> None:
        """What entering a membership or a subscription does."""
        if isinstance(who, Membership):
            refusal = await first(specs.room_joining, self.app, who)
            if refusal is not None:
                raise JoinRefused(refusal)
        elif self._is_ending:
            await asyncio.sleep(0)  # `while True: async for … in rooms.subscribe(…)` must not stop the loop
            return
        backend = await self.start()
        await who.prepare()
        if self._is_ending and isinstance(who, Subscription):
            return
        local = self._rooms.get(who.room)
        if local is None:
            local = self._rooms[who.room] = LocalRoom(who.room, self._log)
        if who.id in local.receivers or who.id in local.newcomers:
            raise RoomError(f"{who!r} is there already")
        local.expect(who)
        local.expected += 1
        who.is_in = True
        try:
            async with local.lock:
                if not local.attached:
                    await backend.attach(who.room)
                    local.attached = True
            if isinstance(who, Membership):
                entry = Entry(who.room, who.id, who.user, who.info, time.time(), self.process)
                who.entry = entry
                assert who.outbox is not None
                self.tally.join(who.outbox)
                who.outbox.when_ended(who.cut)
                await backend.enter(entry)
                messages = await backend.history(who.room, history) if history else []
            else:
                messages = await who.begin_with(backend, history)
            if who.is_in:  # it may have been cut meanwhile
                local.arrive(who, list(messages))
            if isinstance(who, Membership):
                who.is_told = True
                await notify(specs.room_joined, self.app, who)
        except BaseException:
            await self.leave(who)
            raise

    async def leave(self, who: Membership | Subscription) -> None:
        """What leaving does: at once for what is delivered here, then for everybody else, whoever is cancelled."""
        self.leave_soon(who)
        task = who.departure
        if task is not None and task is not asyncio.current_task():  # begun here, or when the websocket ended
            await asyncio.shield(task)

    def leave_soon(self, who: Membership | Subscription) -> None:
        """Leave, without waiting for what other processes are told."""
        local = self._rooms.get(who.room)
        if not who.is_in or local is None or self.backend is None:
            who.is_in = False
            return
        who.is_in = False
        local.remove(who)
        if isinstance(who, Membership) and who.outbox is not None and who.entry is not None:
            who.outbox.forget(who.cut)
            self.tally.leave(who.outbox)
        task = who.departure = asyncio.get_running_loop().create_task(self._take_leave(who, local, self.backend))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_leave(self, who: Membership | Subscription, local: LocalRoom, backend: Backend) -> None:
        await self._logged(self._depart(who, local, backend))
        if isinstance(who, Membership) and who.is_told:
            await self._logged(notify(specs.room_left, self.app, who))

    async def _depart(self, who: Membership | Subscription, local: LocalRoom, backend: Backend) -> None:
        try:
            if who.entry is not None:
                await backend.leave(who.entry)
        finally:
            local.expected -= 1
            async with local.lock:
                if not local.expected and local.attached:
                    local.attached = False
                    await backend.detach(who.room)
            if not local.expected and self._rooms.get(who.room) is local:
                del self._rooms[who.room]

    # Looking ------------------------------------------------------------------------------------------------

    async def members(self, room: str) -> list[Entry]:
        """Every connection that is in a room, over all processes, the oldest first."""
        check_name(room)
        return list(await (await self.start()).presence(room))

    async def presence(self, room: str) -> list[Present]:
        """Who is in a room, over all processes: each user once, in the order of coming."""
        return present_in(await self.members(room))

    async def history(self, room: str, count: int) -> list[Message]:
        """The latest messages of a room, the oldest first: at most `count`, and no more than are kept."""
        check_name(room)
        return list(await (await self.start()).history(room, check_count(count)))

    async def counts(self) -> dict[str, Any]:
        """How many are where, and what has become of messages; nothing but dictionaries, texts and numbers."""
        backend = await self.start()
        everywhere = await backend.counts()
        here = self.local_counts()
        rooms = {
            name: {"members": everywhere.get(name, 0), **here.get(name, {"here": 0, "subscribers": 0})}
            for name in sorted({*everywhere, *here})
        }
        return {"backend": backend.name, "shared": backend.is_shared, "rooms": rooms, "process": self._process()}

    def _process(self) -> dict[str, Any]:
        return {"id": self.process, "pid": os.getpid(), **vars(self.tally.totals())}

    def local_counts(self) -> dict[str, dict[str, int]]:
        """The members ("here") and subscribers of each room in this process."""
        return counts_of(self._rooms)

    def rows(self) -> list[tuple[str, int, int, int, int]]:
        """For each room of this process: name, members, subscribers, messages that wait, messages that were dropped."""
        return rows_of(self._rooms)
