"""The one reader of a connection's `receive`, for requests and websockets.

A server's `receive` must not be called twice at a time, and on some servers a pending one must not be
cancelled, since that loses messages (granian). So everybody who wants a message asks here. A message is read
in one of two ways:

    directly   who asks awaits the server's `receive`; the cheap way, while nobody else reads
    pumped     a task reads into a bounded queue; who asks waits for the queue. The task is started by the
               sweep, for a connection that nobody reads from (see deadlines.py), and where reading directly
               loses messages

`busy` tells which: IDLE, READING (directly), PUMPED (a pump runs or has to, or its queue is not empty). Whoever finds
IDLE may read directly if he sets READING meanwhile; `Websocket` does so on its short way.

Rules: a message belongs to exactly one caller; the end (a disconnect) is told to every caller, then and
later; beyond the queue's limits the server is not read, so that TCP holds the client back. Knows no view and
no state of a websocket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import BuiltinMethodType
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import ClientDisconnected
from .readers import interrupt_reader

if TYPE_CHECKING:
    from ..ctx import Context
    from ..typing import Message, Receive

IDLE: Final = 0
READING: Final = 1
PUMPED: Final = 2

DISCONNECTS = frozenset({"http.disconnect", "websocket.disconnect"})

_LOST: Message = {"type": "websocket.disconnect", "code": 1006, "reason": ""}


def size_of(message: Message) -> int:
    """The bytes of the data that a message carries."""
    data = message.get("body") or message.get("bytes")
    if data is not None:
        return len(data)
    text = message.get("text")
    if not text:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Inbox:
    """What the client sends.

    direct_ok  whether a pending `receive` of the server may be cancelled without losing a message. It is
               assumed of functions written in Python (hypercorn, uvicorn, tests) and not of others
               (granian's).
    end        the disconnect message, once it was read.
    watch      who is told when the pump reads the end; see deadlines.py.
    """

    # defaults of the class: most inboxes never hold more than what their constructor sets
    messages: deque[Message] | tuple[()] = ()  # an idle connection does not pay for a deque
    size = 0  # bytes, of what is in `messages`
    _waiters: list[asyncio.Future[None]] | tuple[()] = ()
    pump: asyncio.Task[None] | None = None
    room: asyncio.Future[None] | None = None  # the pump waits for it when the queue is full
    end: Message | None = None
    error: BaseException | None = None
    _interrupted: asyncio.Task[Any] | None = None
    watch: Any = None

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.receive: Receive = ctx.receive
        self.direct_ok = type(ctx.receive) is not BuiltinMethodType
        self.busy = IDLE if self.direct_ok else PUMPED

    @property
    def wanted(self) -> bool:
        """Whether anybody waits for a message."""
        return self.busy == READING or bool(self._waiters)

    def always_pump(self) -> None:
        """Never read directly: for a server whose `receive` must not be cancelled. Before the first message."""
        self.direct_ok = False
        self.busy = PUMPED

    async def next(self) -> Message:
        """The next message of a request's body. ClientDisconnected, or CancelledError, when the client has left."""
        if self.busy == IDLE and self.direct_ok and self.end is None and not self.messages:
            self.busy = READING  # `take` and `_read` without their layers
            try:
                message = await self.receive()
            finally:
                self.release()
            if message["type"] == "http.request":
                return message
            self.finish(message)
        else:
            message = await self.take()
        if message is self.end:
            ctx = self.ctx
            if (ctx.task is None and ctx.sweep is None) or asyncio.current_task() is ctx.task:
                ctx.told = True  # the view knows, and is not cancelled on top of it
            if ctx.plan is not None and ctx.plan.disconnect == "cancel":
                await asyncio.sleep(0)  # the view is suspended now at the latest, and so this stays inside
                raise asyncio.CancelledError
            raise ClientDisconnected("The client left before the whole body had come.") from self.error
        return message

    async def take(self) -> Message:
        """The next message. After the last one, every call gives the disconnect message."""
        while True:
            if self.messages:
                return self._pop()
            if self.end is not None:
                return self.end
            if self.busy == IDLE:
                return await self._read()
            if self.pump is None and self.busy == PUMPED:
                self.start()
            await self._wait()

    async def _read(self) -> Message:
        self.busy = READING
        try:
            message = await self.receive()
        except asyncio.CancelledError as error:
            message = self.interrupted(error)
        finally:
            self.release()
        if self.messages:
            return self.in_order(message)
        if message["type"] in DISCONNECTS:
            self.finish(message)
        return message

    def in_order(self, message: Message) -> Message:
        """What a direct reader is given when a message was put back meanwhile: that one, since it came before."""
        if message["type"] in DISCONNECTS:
            self.finish(message)
        else:
            self.messages.append(message)  # type: ignore[union-attr]  # not empty, so it is a deque
            self.size += size_of(message)
        return self._pop()

    def release(self) -> None:
        """The end of reading directly: the next in line, if any, goes on."""
        self.busy = PUMPED if self.messages else IDLE  # a message may have been put back meanwhile
        if self._waiters:
            self._wake()

    # Waiting ------------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        if not self._waiters:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif not waiter.cancelled():
                self._wake()  # waked and cancelled at once: it is the next one's turn
            raise

    def _wake(self) -> None:
        """Let the one who waits longest look again."""
        while self._waiters:
            waiter = self._waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return

    def _pop(self) -> Message:
        message = self.messages.popleft()  # type: ignore[union-attr]  # not empty, so it is a deque
        self.size -= size_of(message)
        if self.room is not None and not self.room.done() and not self.full:
            self.room.set_result(None)
        if not self.messages and self.pump is None and self.direct_ok and self.busy == PUMPED:
            self.busy = IDLE  # not while somebody reads directly: the message may have been put back meanwhile
        if self._waiters and (self.messages or self.busy == IDLE):
            self._wake()
        return message

    def put_back(self, message: Message) -> None:
        """Make a message the next one again: who took it was cancelled before he could hand it on."""
        if type(self.messages) is tuple:
            self.messages = deque()
        self.messages.appendleft(message)  # type: ignore[union-attr]
        self.size += size_of(message)
        if self.busy == IDLE:
            self.busy = PUMPED
        self._wake()

    # Pumping ------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        config = self.ctx.app.config
        return bool(
            len(self.messages) >= config.get("WEBSOCKET_RECEIVE_QUEUE", 32)
            or self.size >= config.get("WEBSOCKET_RECEIVE_QUEUE_BYTES", 4 * 1024 * 1024)
        )

    def start(self) -> None:
        """Start the pump, unless one runs, somebody reads directly, or there is nothing left to read."""
        if self.pump is not None or self.busy == READING or self.end is not None:
            return
        self.busy = PUMPED
        task = asyncio.get_running_loop().create_task(self._pump(), name="quart_plug.inbox")
        if not task.done():  # an eager task may be
            self.pump = task

    async def _pump(self) -> None:
        try:
            while self.end is None:
                if self.full:
                    self.room = asyncio.get_running_loop().create_future()
                    try:
                        await self.room
                    finally:
                        self.room = None
                message = await self.receive()
                if message["type"] in DISCONNECTS:
                    self.finish(message)
                    return
                waited_for = bool(self._waiters)
                if type(self.messages) is tuple:
                    self.messages = deque()
                self.messages.append(message)  # type: ignore[union-attr]
                self.size += size_of(message)
                self._wake()
                if waited_for and self.direct_ok:
                    return  # the view reads again, and does so directly from its next message on
        except Exception as error:  # the server's `receive` failed: there is no more to come
            self.error = error
            self.finish(_LOST)
        finally:
            self.pump = None
            if not self.messages and self.direct_ok:
                self.busy = IDLE

    def finish(self, message: Message) -> None:
        """The client has left: tell everybody who waits, and the watch."""
        if self.end is None:
            self.end = message
            self.ctx.gone = True
        told = False
        while self._waiters:
            told = True
            self._wake()
        if self.watch is not None:
            self.watch.ended(told)

    def interrupt(self, message: Message) -> None:
        """`finish` from this side of the connection: the server has nothing to say to whom reads directly."""
        watch, self.watch = self.watch, None  # who ends it knows what follows
        self.finish(message)
        self.watch = watch
        if self.busy == READING:
            interrupt_reader(self)

    def leave_off(self, message: Message) -> None:
        """Stop the pump before a close is sent: granian's would wait for the pending `receive`, and so for the peer.

        Only where reading directly is not possible. What came and was not asked for is for nobody any more.
        """
        if not self.direct_ok and self.pump is not None:
            self.pump.cancel()
            self.finish(message)

    def cancel_reader(self, task: asyncio.Task[Any]) -> None:
        """Cancel the wait of the task that reads directly; `interrupted` tells it from a cancellation by others."""
        if self._interrupted is None and self.busy == READING:
            self._interrupted = task
            task.cancel()

    def interrupted(self, error: asyncio.CancelledError) -> Message:
        """What a direct reader that was cancelled has read: the end, if `interrupt` did it; else raises `error`."""
        task, self._interrupted = self._interrupted, None
        if task is None or self.end is None:
            raise error
        if task.uncancel() > (self.ctx.cancels if task is self.ctx.task else 0):
            raise error  # somebody else cancelled it as well
        return self.end

    async def settle(self) -> bool:
        """Let a disconnect that the server already holds be read, without waiting for one; whether there is one."""
        self.start()
        for _ in range(3):
            if self.end is not None:
                return True
            await asyncio.sleep(0)
        return self.end is not None

    def close(self) -> None:
        """The connection's handling is over: leave no pump behind, and whoever still asks is told."""
        if self.pump is not None:
            self.pump.cancel()
        self.watch = None
        if self.end is None:
            self.end = _LOST
        while self._waiters:
            self._wake()
