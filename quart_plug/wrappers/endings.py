"""How a websocket ends: closing it, what is known of its end, and who is told of that in which way.

The base of `WebsocketConnection`, which adds sending and receiving.

Who learns of an ending: in mode `raise` every call on an ended websocket raises ConnectionClosed; the first
one at once, later ones after a turn of the loop, and who does not stop is cancelled. In mode `cancel`
(Quart's) the view is cancelled when the client leaves, and its calls meanwhile raise CancelledError; what others
send is dropped, as servers drop it under Quart.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..globals import _cv
from .base import BaseRequestWebsocket
from .deadlines import cancel
from .inbox import Inbox
from .socket import CLOSING, CONNECTING, REJECTED, Socket, ending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping
    from typing import Self

    from ..ctx import Context
    from ..typing import Message
    from .detached import Detached
    from .heartbeat import Heartbeat
    from .outbox import Outbox

_NOBODY: frozenset[asyncio.Task[Any]] = frozenset()
_PATIENCE = 100  # calls on an ended websocket, by code that does not stop


def _ended_here(code: int, reason: str) -> Message:
    """What the server would say of an end that comes from this side."""
    return {"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": "server"}


class WebsocketEndings(BaseRequestWebsocket):
    """What a websocket is attached to, and how it ends."""

    _link: Context | Detached  # where receive and send are
    _socket: Socket
    _inbox: Inbox

    _short = False  # whether the short ways are open: accepted, no hooks, no pace to keep
    _paced = False  # whether messages are counted, for the heartbeat and WEBSOCKET_IDLE_TIMEOUT
    _json: Any = None
    _largest = 0  # bytes of a message (WEBSOCKET_MAX_MESSAGE_SIZE)
    _surely_small = 0  # characters of a text that cannot have more bytes than that
    _accepting: asyncio.Event | None = None
    _asker: asyncio.Task[Any] | None = None  # who asks the plugins whether to accept
    _subprotocol: str | None = None

    _sender: asyncio.Task[Any] | None = None  # who is sending; `_others` send at the same time
    _others: set[asyncio.Task[Any]] | frozenset[asyncio.Task[Any]] = _NOBODY
    _given_up: set[asyncio.Task[Any]] | frozenset[asyncio.Task[Any]] = _NOBODY
    _sent = 0
    _received = 0  # counted only where it is paced
    _heartbeat: Heartbeat | None = None
    _outbox: Outbox | None = None
    _farewell: asyncio.Task[None] | None = None
    _farewell_since: float | None = None
    _closer: asyncio.Task[Any] | None = None  # who is telling the client that it is closed
    _close_told: asyncio.Event | None = None  # for the view that has to wait for that

    _tellings = 0
    _told_at = 0.0
    _touched = 0.0
    _was_accepted = False
    _over = False  # whether the view's handling is over
    _made_by_hand = False  # whether it talks to Quart's four functions, and not to a server

    @classmethod
    def from_context(cls, ctx: Context) -> Self:
        websocket = super().from_context(ctx)
        websocket._attach(ctx)
        return websocket

    def _attach(self, link: Context | Detached) -> None:
        self._link = link
        self._inbox = link.inbox
        self._socket = Socket()

    def _config(self) -> Mapping[str, Any]:
        app = self._link.app
        return {} if app is None else app.config

    # The messages of an ending, and of everything else -----------------------------------------------------

    async def _hand_over(self, sending: Awaitable[None], task: asyncio.Task[Any]) -> None:
        """Await a send of the server's; as long as it takes, the sweep sees who sends."""
        if not self._others:
            self._others = set()
        self._others.add(task)  # type: ignore[union-attr]  # a set now
        try:
            await sending
        finally:
            self._others.discard(task)  # type: ignore[union-attr]
            if not self._others:
                self._others = _NOBODY

    def _gave_up(self, task: asyncio.Task[Any]) -> bool:
        """Whether a cancellation that just arrived was only to end the waiting for the peer."""
        if task not in self._given_up:
            return False
        self._given_up.discard(task)  # type: ignore[union-attr]  # not empty, so it is a set
        return task.uncancel() <= (self._link.cancels if task is self._link.task else 0)

    def _give_up_sending(self) -> None:
        """End the sends that wait for the peer; `_gave_up` tells them from those that somebody cancelled."""
        senders = {*self._others} if self._sender is None else {self._sender, *self._others}
        for task in senders - self._given_up:  # two limits may be passed at one look
            task.cancel()
        self._given_up = senders

    def _close_short_way(self) -> None:
        self._short = False
        if self._outbox is not None:
            self._outbox.opened(None)

    # Endings ------------------------------------------------------------------------------------------------

    async def _close(self, code: int, reason: str) -> None:
        if not self._socket.close(code, reason):
            return
        self._close_short_way()
        refused = self._socket.state is REJECTED
        self._closer = asyncio.current_task()
        try:
            if self._inbox.wanted:  # somebody waits for a message, which cannot be the caller
                self._inbox.interrupt(_ended_here(code, reason))
            if self._accepting is not None and not refused:
                await self._accepting.wait()
            await self._tell_close(code, reason)
        finally:
            self._closer = None
            if self._close_told is not None:
                self._close_told.set()
            if not refused:
                self._socket.move("closed")

    async def _tell_close(self, code: int, reason: str) -> None:
        message = {"type": "websocket.close", "code": code}
        if self._spec_version() >= (2, 3):
            message["reason"] = reason
        task = asyncio.current_task()
        assert task is not None
        self._inbox.leave_off(_ended_here(code, reason))
        try:
            await self._hand_over(self._link.send(message), task)
        except OSError:
            pass  # who is not there needs not be told
        except RuntimeError:
            if not await self._inbox.settle():
                raise
        except asyncio.CancelledError:
            if not self._gave_up(task):
                raise

    def _spec_version(self) -> tuple[int, ...]:
        if self._made_by_hand:
            return (2, 5)
        version = str((self.scope.get("asgi") or {}).get("spec_version", "2.0"))
        return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))

    def _disconnected(self, message: Mapping[str, Any]) -> None:
        """The client has left, or the connection was lost."""
        before = self._socket.state
        if before is REJECTED or not self._socket.disconnect(*ending(dict(message))):
            return
        self._close_short_way()
        link = self._link
        link.gone = True
        if self._outbox is not None:
            self._outbox.end()
        if before is CLOSING:
            return  # it ends from this side, for which nobody is cancelled
        if link.plan.disconnect == "cancel" and not link.cancels and link.task is not asyncio.current_task():
            cancel(link)  # type: ignore[arg-type]  # a detached one has no task

    def _shut(self, code: int, reason: str, farewell: Coroutine[Any, Any, None] | None = None) -> None:
        """Close for the sake of a limit, from outside of any call of the view's; `farewell` sends another message."""
        refused = self._socket.state is CONNECTING
        if not self._socket.shut(code, reason):
            return
        self._close_short_way()
        self._inbox.interrupt(_ended_here(code, reason))
        self._give_up_sending()
        code = 1000 if refused else code
        self._farewell = asyncio.get_running_loop().create_task(farewell or self._tell_close(code, reason))

    async def _ended(self, move: str) -> None:
        """Tell a caller that the connection has ended, in the way that the route asks for.

        Returns only for a send that is dropped: in mode `cancel`, in another task than the view's. There nobody knows
        ConnectionClosed, and who broadcasts must not be cancelled for one that has left.
        """
        socket, link = self._socket, self._link
        if socket.state is REJECTED:
            raise socket.illegal(move)
        task = asyncio.current_task()
        own = task is link.task or (link.task is None and link.sweep is None and not self._over)
        drops = move == "send" and not own
        if link.plan.disconnect == "cancel" and (socket.closed_by != "server" or (drops and self._is_foreign())):
            await asyncio.sleep(0)  # the view is suspended now at the latest, and so its cancellation stays inside
            if not own and not link.cancels and socket.closed_by != "server":
                cancel(link)  # type: ignore[arg-type]
            if drops:
                await self._count_telling(task, own)
                return
            raise asyncio.CancelledError
        if own:
            link.told = True
        if self._tellings:
            await asyncio.sleep(0)
        await self._count_telling(task, own)
        raise socket.error()

    def _is_foreign(self) -> bool:
        """Whether the caller has nothing to do with this connection but that it holds it."""
        ctx = _cv.get(None)
        return ctx is None or ctx._websocket is not self

    async def _count_telling(self, task: asyncio.Task[Any] | None, own: bool) -> None:
        """Stop who does not stop. Who broadcasts to many connections is told as often as he asks."""
        if not own and self._is_foreign():
            self._tellings = self._tellings or 1
            return
        now = self._touched = self._now()
        self._tellings += 1
        if self._tellings <= 2 or not self._told_at:  # it is unknown as long as nobody was suspended
            self._told_at = now
        patience = self._config().get("WEBSOCKET_DISCONNECT_GRACE", 5) or 0
        if self._tellings > _PATIENCE or now - self._told_at >= max(patience, 0.1):
            if task is self._link.task:
                cancel(self._link)  # type: ignore[arg-type]
            elif task is not None:
                task.cancel()
            await asyncio.sleep(0)

    def _now(self) -> float:
        sweep = self._link.sweep
        return 0.0 if sweep is None else sweep.now

