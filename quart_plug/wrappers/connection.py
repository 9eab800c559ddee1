"""What stands behind a `Websocket`'s methods: what is sent, how it ends, and who is told of that.

The states are in socket.py, reading in inbox.py, deadlines in deadlines.py; here they meet ASGI messages.
`Websocket` adds the API and its short ways.

Who learns of an ending: in mode `raise` every call on an ended websocket raises ConnectionClosed; the first
one at once, later ones after a turn of the loop, and who does not stop is cancelled. In mode `cancel`
(Quart's) the view is cancelled when the client leaves, and calls meanwhile raise CancelledError.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

from ..content_types import BinaryMessages
from ..globals import _cv
from .base import BaseRequestWebsocket
from .body import Resumed
from .deadlines import cancel
from .handshake import DENIAL
from .inbox import DISCONNECTS, Inbox
from .passing import passed_in, passed_out
from .socket import ACCEPTED, CLOSED, CONNECTING, REJECTED, Socket, ending

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Self

    from ..ctx import Context
    from ..typing import Message
    from .detached import Detached
    from .heartbeat import Heartbeat

_NOBODY: frozenset[asyncio.Task[Any]] = frozenset()
_PATIENCE = 100  # calls on an ended websocket, by code that does not stop
_SENDS_A_TURN = 64  # sends that do not suspend, after which the loop gets a turn


class WebsocketConnection(BaseRequestWebsocket):
    """The part of `Websocket` that views do not call."""

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
    _farewell: asyncio.Task[None] | None = None
    _farewell_since: float | None = None

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

    def _subprotocol_for(self, asked: str | None) -> str | None:
        offered = self.requested_subprotocols  # type: ignore[attr-defined]  # Websocket's
        if asked is None:
            return next((ours for ours in self._link.plan.subprotocols if ours in offered), None)
        if asked not in offered:
            told = ", ".join(map(repr, offered)) or "none"
            raise ValueError(
                f"accept(subprotocol={asked!r}): the client asked for {told}, and a server has to choose one "
                "of them or none (RFC 6455, 4.2.2); look at websocket.requested_subprotocols first"
            )
        return asked

    # Sending ------------------------------------------------------------------------------------------------

    async def _send_accept(self, message: Message) -> None:
        self._socket.move("accept")
        self._accepting = asyncio.Event()  # another task may find it accepted while this is on its way
        config = self._config()
        self._largest = config.get("WEBSOCKET_MAX_MESSAGE_SIZE") or 1 << 62
        self._surely_small = self._largest >> 2  # a character has at most four bytes
        if config.get("WEBSOCKET_IDLE_TIMEOUT"):
            self._paced = True
        self._subprotocol = message["subprotocol"]
        codecs = self._link.plan.codecs
        codec = None if codecs is None else codecs.for_subprotocol(self._subprotocol)
        if codec is not None:
            self._json = BinaryMessages(codec, message["subprotocol"])
        self._was_accepted = True
        try:
            await self._transmit(message)
        finally:  # also when `wait_for` gave up: the message is with the server
            self._accepting.set()
            self._accepting = None
            self._open_short_way()

    def _open_short_way(self) -> None:
        plan = self._link.plan
        self._short = (
            self._socket.state is ACCEPTED
            and self._accepting is None
            and plan.received is None
            and plan.sending is None
            and plan.sent is None
            and not self._paced
            and type(self._json) is not BinaryMessages  # the short ways of JSON send text
        )

    async def _ready_to(self, move: str) -> None:
        """Accept if the view has not; raise when there is nobody to talk to any more."""
        if self._socket.state is CONNECTING:
            await self.accept()  # type: ignore[attr-defined]  # Websocket's: a subclass may override it
        elif self._accepting is not None:
            await self._accepting.wait()
        if self._socket.state is not ACCEPTED:
            await self._ended(move)

    async def _send_data(self, data: str | bytes) -> None:
        """The whole way of a message to the client."""
        await self._ready_to("send")
        hook = self._link.plan.sending
        if hook is not None:
            passed = await passed_out(self, hook, data)
            if passed is None:
                return
            data = passed
        if self._sent % _SENDS_A_TURN == _SENDS_A_TURN - 1:
            await asyncio.sleep(0)  # `while True: await send(…)` must not stop the loop (nor hide that the client left)
        if self._socket.state is not ACCEPTED:
            await self._ended("send")
        if isinstance(data, str):
            await self._transmit({"type": "websocket.send", "text": data})
        else:
            await self._transmit({"type": "websocket.send", "bytes": data})
        self._sent += 1
        hook = self._link.plan.sent
        if hook is not None:
            await hook(self._link, data)

    async def _transmit(self, message: Message) -> None:
        """Send a message. ConnectionClosed when the peer has gone, or does not take it in time."""
        task = asyncio.current_task()
        assert task is not None
        try:
            await self._hand_over(message, task)
        except BaseException as error:
            await self._send_failed(error, task)

    async def _go_on_sending(self, steps: Any, future: Any) -> None:
        """Go on with a send whose first step suspended; from now on the sweep sees who sends."""
        self._sender = asyncio.current_task()
        try:
            await Resumed(steps, future)
        finally:
            self._sender = None

    async def _hand_over(self, message: Message, task: asyncio.Task[Any]) -> None:
        if not self._others:
            self._others = set()
        self._others.add(task)  # type: ignore[union-attr]  # a set now
        try:
            await self._link.send(message)
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
        self._given_up = senders
        for task in senders:
            task.cancel()

    async def _send_failed(self, error: BaseException, task: asyncio.Task[Any]) -> NoReturn:
        if isinstance(error, asyncio.CancelledError):
            if self._gave_up(task):
                await self._ended("send")
        elif isinstance(error, OSError):  # ASGI: the connection has gone
            self._was_accepted = self._was_accepted and self._accepting is None
            await self._inbox.settle()
            self._disconnected(self._inbox.end or {"code": 1006})
            await self._ended("send")
        elif self._socket.state is CLOSED and isinstance(error, RuntimeError):
            await self._ended("send")  # the server complains about a message after an end that came meanwhile
        raise error

    # Receiving ----------------------------------------------------------------------------------------------

    async def _receive_data(self, timeout: float | None = None) -> str | bytes:
        """The whole way of a message from the client."""
        if timeout is not None:
            if self._socket.state is CONNECTING:
                await self._ready_to("receive")  # not within the time limit, which would cut it off
            async with asyncio.timeout(timeout):
                return await self._receive_data()
        socket = self._socket
        if socket.state is not CLOSED or socket.closed_by == "server" or not self._inbox.messages:
            await self._ready_to("receive")  # else there are messages that came before the client left
        return await self._take_in(await self._inbox.take())

    async def _take_in(self, message: Message) -> str | bytes:
        """What a message says; of what is no message of the client's, the next one that is."""
        while True:
            while message["type"] != "websocket.receive":
                if message["type"] in DISCONNECTS:
                    self._disconnected(message)
                    await self._ended("receive")
                self._socket.move("connect")
                message = await self._inbox.take()
            if self._socket.state is CLOSED:
                self._touched = self._now()  # one of the last messages before the end
            self._received += 1
            text = message.get("text")
            data: str | bytes = text if text is not None else message.get("bytes") or b""
            if len(data) > self._surely_small:
                size = len(data.encode("utf-8", "surrogatepass")) if isinstance(data, str) else len(data)
                if size > self._largest:
                    await self._close(1009, f"a message may have {self._largest} bytes")
                    await self._ended("receive")
            hook = self._link.plan.received
            if hook is None:
                return data
            passed = await passed_in(self, hook, message, data)
            if passed is not None:
                return passed
            message = await self._inbox.take()

    def _language(self) -> str:
        """What `receive_json` reads, for its error."""
        return repr(self._json.subprotocol) if type(self._json) is BinaryMessages else "JSON"

    # Endings ------------------------------------------------------------------------------------------------

    async def _close(self, code: int, reason: str) -> None:
        if not self._socket.close(code, reason):
            return
        self._short = False
        refused = self._socket.state is REJECTED
        if self._accepting is not None and not refused:
            await self._accepting.wait()
        try:
            await self._tell_close(code, reason)
        finally:
            if not refused:
                self._socket.move("closed")

    async def _tell_close(self, code: int, reason: str) -> None:
        message = {"type": "websocket.close", "code": code}
        if self._spec_version() >= (2, 3):
            message["reason"] = reason
        task = asyncio.current_task()
        assert task is not None
        self._inbox.leave_off({"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": "server"})
        try:
            await self._hand_over(message, task)
        except OSError:
            pass  # who is not there needs not be told
        except RuntimeError:
            if self._inbox.end is None:
                raise
        except asyncio.CancelledError:
            if not self._gave_up(task):
                raise

    def _spec_version(self) -> tuple[int, ...]:
        if self._made_by_hand:
            return (2, 5)
        version = str((self.scope.get("asgi") or {}).get("spec_version", "2.0"))
        return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))

    async def _deny(self, response: Any) -> None:
        """Answer the handshake with an HTTP response, as far as the server can."""
        if DENIAL not in (self.scope.get("extensions") or {}):
            await self._close(1008 if response.status_code >= 400 else 1000, "")
            return
        from .reply import deliver

        async def send(message: Message) -> None:
            await self._transmit({**message, "type": f"websocket.{message['type']}"})

        self._socket.reject(response.status_code)
        await deliver(response, send, "GET")

    def _disconnected(self, message: Mapping[str, Any]) -> None:
        """The client has left, or the connection was lost."""
        if self._socket.state is REJECTED or not self._socket.disconnect(*ending(dict(message))):
            return
        self._short = False
        link = self._link
        link.gone = True
        if link.plan.disconnect == "cancel" and not link.cancels and link.task is not asyncio.current_task():
            cancel(link)  # type: ignore[arg-type]  # a detached one has no task

    def _shut(self, code: int, reason: str, farewell: Coroutine[Any, Any, None] | None = None) -> None:
        """Close for the sake of a limit, from outside of any call of the view's; `farewell` sends another message."""
        refused = self._socket.state is CONNECTING
        if not self._socket.shut(code, reason):
            return
        self._short = False
        self._inbox.interrupt({"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": "server"})
        self._give_up_sending()
        code = 1000 if refused else code
        self._farewell = asyncio.get_running_loop().create_task(farewell or self._tell_close(code, reason))

    async def _ended(self, move: str) -> NoReturn:
        """Tell a caller that the connection has ended, in the way that the route asks for."""
        socket, link = self._socket, self._link
        if socket.state is REJECTED:
            raise socket.illegal(move)
        task = asyncio.current_task()
        own = task is link.task or (link.task is None and link.sweep is None and not self._over)
        if link.plan.disconnect == "cancel" and socket.closed_by != "server":
            await asyncio.sleep(0)  # the view is suspended now at the latest, and so its cancellation stays inside
            if not own and not link.cancels:
                cancel(link)  # type: ignore[arg-type]
            raise asyncio.CancelledError
        if own:
            link.told = True
        if self._tellings:
            await asyncio.sleep(0)
        await self._count_telling(task, own)
        raise socket.error()

    async def _count_telling(self, task: asyncio.Task[Any] | None, own: bool) -> None:
        """Stop who does not stop. Who broadcasts to many connections is told as often as he asks."""
        ctx = _cv.get(None)
        if not own and (ctx is None or ctx._websocket is not self):
            self._tellings = self._tellings or 1
            return
        now = self._touched = self._now()
        self._tellings += 1
        if self._tellings <= 2:
            self._told_at = now
            return
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

    # For the lifecycle --------------------------------------------------------------------------------------

    async def _finish(self, reply: Any = None) -> None:
        """The view has returned. `reply` is the response with which a handshake is refused, or None."""
        if self._socket.state is CONNECTING and reply is not None:
            await self._deny(reply)
        else:
            await self._close(1000, "")
        await self._leave()

    async def _fail(self, reply: Any = None) -> None:
        """The view has failed; `reply` is the response for its error."""
        if self._socket.state is CONNECTING and reply is not None:
            await self._deny(reply)
        else:
            await self._close(1011, "")
        await self._leave()

    async def _leave(self) -> None:
        """The handling is over, in whatever way; if it had been accepted, plugins are told. Once."""
        self._short = False
        self._over = True
        if self._farewell is not None:
            await asyncio.wait([self._farewell])
            self._farewell = None
        if self._was_accepted:
            self._was_accepted = False
            plan = self._link.plan
            closed = None if plan is None else plan.closed  # None: it was accepted before there was a rule
            if closed is not None:
                error = self._socket.error()
                await closed(self._link, error.code, error.reason, error.closed_by)
