"""What stands behind a `Websocket`'s methods: what is sent, what is received, and what the lifecycle calls.

The states are in socket.py, reading in inbox.py, deadlines in deadlines.py, endings in endings.py; here they meet ASGI
messages. `Websocket` adds the API and its short ways.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..content_types import BinaryMessages
from ..exceptions import ConnectionClosed
from .bearer import HIDDEN, offered_token
from .body import Resumed
from .endings import WebsocketEndings
from .handshake import DENIAL
from .inbox import DISCONNECTS
from .passing import passed_in, passed_out
from .socket import ACCEPTED, CLOSED, CONNECTING, REJECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import Message

_SENDS_A_TURN = 64  # sends that do not suspend, after which the loop gets a turn


class WebsocketConnection(WebsocketEndings):
    """The part of `Websocket` that views do not call."""

    def _spoken_subprotocols(self) -> Sequence[str]:
        plan = self._link.plan
        return () if plan is None else plan.subprotocols  # None: before there is a rule

    def _subprotocol_for(self, asked: str | None) -> str | None:
        spoken = self._spoken_subprotocols()
        if asked is None and not spoken:
            return None
        offered: list[str] = self.requested_subprotocols  # type: ignore[attr-defined]  # Websocket's
        if asked is None:
            return next((ours for ours in spoken if ours in offered), None)
        token = offered_token(offered, spoken)[0]
        if asked == token:
            raise ValueError(
                "accept(subprotocol=…): what stands there is the client's bearer token, which is no subprotocol; see "
                "websocket.bearer_token"
            )
        if asked not in offered:
            told = ", ".join(HIDDEN if each == token else repr(each) for each in offered) or "none"
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
        if self._outbox is not None and self._short:
            self._outbox.opened(self._link.send)

    async def _ready_to(self, move: str) -> bool:
        """Accept if the view has not; raise when there is nobody to talk to any more, or False: it is dropped."""
        if self._socket.state is CONNECTING:
            await self.accept()  # type: ignore[attr-defined]  # Websocket's: a subclass may override it
        elif self._accepting is not None:
            await self._accepting.wait()
        if self._socket.state is ACCEPTED:
            return True
        await self._ended(move)
        return False

    async def _send_data(self, data: str | bytes) -> None:
        """The whole way of a message to the client."""
        if not await self._ready_to("send"):
            return
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
            return
        if isinstance(data, str):
            await self._transmit({"type": "websocket.send", "text": data})
        else:
            await self._transmit({"type": "websocket.send", "bytes": data})
        self._sent += 1
        hook = self._link.plan.sent
        if hook is not None:
            await hook(self._link, data)

    async def _transmit(self, message: Message) -> None:
        """Send a message. ConnectionClosed (see `_ended`) when the peer has gone, or does not take it in time."""
        task = asyncio.current_task()
        assert task is not None
        try:
            await self._hand_over(self._link.send(message), task)
        except BaseException as error:
            await self._send_failed(error, task)

    async def _go_on_sending(self, steps: Any, future: Any) -> None:
        """Go on with a send whose first step suspended; from now on the sweep sees who sends."""
        self._sender = asyncio.current_task()
        try:
            await Resumed(steps, future)
        finally:
            self._sender = None

    async def _send_failed(self, error: BaseException, task: asyncio.Task[Any]) -> None:
        if isinstance(error, asyncio.CancelledError):
            if not self._gave_up(task):
                raise error
        elif isinstance(error, OSError):  # ASGI: the connection has gone
            self._was_accepted = self._was_accepted and self._accepting is None
            await self._inbox.settle()
            self._disconnected(self._inbox.end or {"code": 1006})
        elif not isinstance(error, RuntimeError) or not (
            self._socket.state is CLOSED or (self._socket.state is REJECTED and await self._inbox.settle())
        ):
            raise error  # else the server complains about a message after an end that came meanwhile
        if self._socket.state is REJECTED:  # an answer to the handshake, for which nobody waits any more
            raise self._socket.error()
        await self._ended("send")

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

    # For the lifecycle --------------------------------------------------------------------------------------

    async def _deny(self, response: Any) -> None:
        """Answer the handshake with an HTTP response, as far as the server can."""
        if DENIAL not in (self.scope.get("extensions") or {}):
            await self._close(1008 if response.status_code >= 400 else 1000, "")
            return
        from .reply import deliver

        async def send(message: Message) -> None:
            await self._transmit({**message, "type": f"websocket.{message['type']}"})

        self._socket.reject(response.status_code)
        try:
            await deliver(response, send, "GET")
        except ConnectionClosed:
            pass  # who is not there needs not be told

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
        self._close_short_way()
        self._over = True
        if self._outbox is not None:
            self._outbox.end()
        if self._farewell is not None:
            await asyncio.wait([self._farewell])
            self._farewell = None
        if self._closer is not None and self._closer is not asyncio.current_task():
            self._close_told = asyncio.Event()  # another task closes; the server is to have that before the app's end
            await self._close_told.wait()
        if self._was_accepted:
            self._was_accepted = False
            plan = self._link.plan
            closed = None if plan is None else plan.closed  # None: it was accepted before there was a rule
            if closed is not None:
                error = self._socket.error()
                await closed(self._link, error.code, error.reason, error.closed_by)
