"""`Websocket`: the API of a websocket connection, and the short ways of what is called for every message.

`receive`, `send`, `receive_json` and `send_json` are one coroutine each. While the connection is accepted,
nobody else reads, and no hook wants to see messages (`_short`), they talk to the server themselves; else they
take the whole way in connection.py, which does the same with everything that can be in between.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from werkzeug.datastructures import Headers

from ..exceptions import ConnectionClosed, InvalidJSON
from .attributes import WebsocketAttributes
from .base import may_be_skipped
from .detached import Buffer, Detached, takes_receive
from .handshake import Handshake, headers_to_accept, refuse, shake_hands, wait_for_handshake
from .heartbeat import Heartbeat
from .inbox import IDLE, READING
from .outbox import Outbox
from .socket import ACCEPTED, CLOSED, CLOSING, CONNECTING
from .typed import typed
from .waiting import DEFAULTS, Bounds

if TYPE_CHECKING:
    from types import UnionType
    from typing import _SpecialForm

    from ..ctx import Context
    from ..typing import HeadersValue, ResponseValue
    from .waiting import Policy

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_Form: TypeAlias = "UnionType | _SpecialForm"  # what a type checker takes `A | B` and Annotated[…] for

_NORMAL_ENDS = frozenset({1000, 1001, 1005})  # 1005 is what a browser's `close()` sends
_current_task = asyncio.current_task


class _Adapter(Protocol[T_co]):
    """A TypeAdapter of pydantic's."""

    def validate_python(self, object: Any, /) -> T_co: ...


class Websocket(WebsocketAttributes):
    """A websocket connection.

    Every call below may raise ConnectionClosed once the connection has ended, whoever ended it: the first
    call after the end and each later one. `receive` and `send` and their relatives accept the connection if
    the view has not.

    Made by hand it takes Quart 0.22's arguments, or 0.23's, which have no `receive`: what the client sends is then
    to be put into `buffer`.
    """

    buffer_class: type[Buffer] = Buffer

    @may_be_skipped
    def __init__(
        self,
        path: str,
        query_string: bytes,
        scheme: str,
        headers: Headers,
        root_path: str,
        http_version: str,
        subprotocols: list[str],
        receive: Callable[[], Awaitable[str | bytes]] | Any = None,
        send: Callable[[str | bytes], Awaitable[None]] | Any = None,
        accept: Callable[[Headers, str | None], Awaitable[None]] | Any = None,
        close: Callable[[int, str], Awaitable[None]] | Any = None,
        scope: Any = None,
    ) -> None:
        if scope is None:  # 0.23's arguments by position
            receive, send, accept, close, scope = None, receive, send, accept, close
        super().__init__("GET", scheme, path, query_string, headers, root_path, http_version, scope)
        self._requested_subprotocols = list(subprotocols)
        if self._ctx is None:  # else `from_context` attaches it to the connection itself
            if receive is None:
                self.buffer = self.buffer_class()
                receive = self.buffer.get
            self._made_by_hand = True
            self._attach(Detached(self, receive, send, accept, close))

    def _call_constructor(self, ctx: Context) -> None:
        model = Websocket.__new__(Websocket)
        class_: Any = type(self)
        model._ctx = ctx
        model.scope = ctx.scope
        self.__init__(  # type: ignore[misc]  # a subclass's own one, which `from_context` must not go around
            model.path,
            model.query_string,
            model.scheme,
            model.headers,
            model.root_path,
            model.http_version,
            model.requested_subprotocols,
            *((self._receive_data,) if takes_receive(class_) else ()),
            self._send_data,
            self.accept,
            self.close,
            scope=ctx.scope,
        )

    # Handshake ----------------------------------------------------------------------------------------------

    async def accept(self, headers: HeadersValue | None = None, subprotocol: str | None = None) -> None:
        """Accept the connection; a second time does nothing.

        headers      to send with the acceptance.
        subprotocol  one of `requested_subprotocols`. Without it, the first of the route's `subprotocols` that
                     the client asked for.

        Raises ValueError for a subprotocol that the client did not ask for, WebsocketStateError after a
        refusal.
        """
        if self._accepting is not None:
            await wait_for_handshake(self)
        if self._socket.state is not CONNECTING:
            if self._socket.state is not ACCEPTED:
                await self._ended("accept")
            return
        pairs = headers_to_accept(self, headers)
        chosen = self._subprotocol_for(subprotocol)
        ask = self._link.plan.accepting
        if ask is not None:
            await shake_hands(self, ask, Handshake(chosen, headers, self.requested_subprotocols))
            return
        await self._send_accept({"type": "websocket.accept", "subprotocol": chosen, "headers": pairs})

    async def reject(self, status: int = 403, body: ResponseValue = "", headers: HeadersValue | None = None) -> None:
        """Refuse the handshake with an HTTP answer: a status, a body as a view may return it, headers.

        Servers without the ASGI extension websocket.http.response answer 403 without a body.

        Raises ValueError for an impossible status, WebsocketStateError after accepting or rejecting, ConnectionClosed
        after the end.
        """
        if self._socket.state in (CLOSING, CLOSED):
            await self._ended("reject")
        if self._socket.state is not CONNECTING:
            raise self._socket.illegal("reject")
        from .reply import make_response

        await refuse(self, make_response(self._link.app, (body, status, Headers(headers or ()))))
        self._note_own_end()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, or, before it was accepted, refuse it (HTTP 403); a second time does nothing.

        code    1000 to 1003, 1007 to 1014, or one of your own from 3000 to 4999 (RFC 6455, 7.4).
        reason  at most 123 bytes of UTF-8.

        Raises ValueError for another code, or a longer reason.
        """
        await self._close(code, reason)
        self._note_own_end()

    def _note_own_end(self) -> None:
        task = self._link.task
        if task is None or asyncio.current_task() is task:
            self._link.told = True  # the view knows, and is not cancelled after the grace

    # Messages -----------------------------------------------------------------------------------------------

    def _open_short_way(self) -> None:
        super()._open_short_way()
        if type(self).receive is not _receive or type(self).send is not _send:
            self._close_short_way()  # `receive_json` and `send_json` have to go through the subclass's own

    async def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message: str for a text message, bytes for a binary one.

        timeout  seconds; then TimeoutError, and the connection stays as it is.
        """
        inbox = self._inbox
        while True:
            if self._short and inbox.busy == IDLE and timeout is None:
                inbox.busy = READING
                try:
                    message = await inbox.receive()
                except CancelledError as error:
                    message = inbox.interrupted(error)
                finally:
                    inbox.busy = IDLE
                    if inbox._waiters or inbox.messages:
                        inbox.release()
                if inbox.messages:
                    message = inbox.in_order(message)
                text = message.get("text")
                if text is not None and len(text) <= self._surely_small:
                    return text  # type: ignore[no-any-return]
                return await self._take_in(message)
            if timeout is not None or self._socket.state is not CONNECTING:
                return await self._receive_data(timeout)
            await self._ready_to("receive")  # and then the short way, on which an idle connection holds less

    async def send(self, data: str | bytes) -> None:
        """Send a str as a text message, or bytes as a binary one."""
        if self._short and self._sender is None and type(data) is str and self._sent % 64 != 63:
            try:
                # The first step by hand: who sends has to be known only when it suspends (`asyncio.current_task` is
                # what costs most in here, on CPython 3.11).
                steps = self._link.send({"type": "websocket.send", "text": data}).__await__()
                for future in steps:
                    await self._go_on_sending(steps, future)
                    break
            except BaseException as error:
                await self._send_failed(error, _current_task())  # type: ignore[arg-type]  # a coroutine runs in a task
            self._sent += 1
            return
        if not isinstance(data, (str, bytes)):
            if not isinstance(data, (bytearray, memoryview)):  # type: ignore[unreachable]
                raise TypeError(
                    f"send() takes str or bytes, not {type(data).__name__}; other objects go by send_json()"
                )
            data = bytes(data)
        await self._send_data(data)

    async def send_text(self, data: str) -> None:
        """Send a text message. TypeError for anything but a str."""
        if not isinstance(data, str):
            raise TypeError(f"send_text() takes a str, not {type(data).__name__}")
        await self.send(data)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message. TypeError for anything but bytes."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"send_bytes() takes bytes, not {type(data).__name__}")
        await self.send(bytes(data))

    @overload
    async def receive_json(self, timeout: float | None = None) -> Any: ...

    @overload
    async def receive_json(self, timeout: float | None = None, *, type: type[T]) -> T: ...

    @overload
    async def receive_json(self, timeout: float | None = None, *, type: _Adapter[T]) -> T: ...

    @overload
    async def receive_json(self, timeout: float | None = None, *, type: _Form) -> Any: ...

    async def receive_json(self, timeout: float | None = None, *, type: Any = None) -> Any:
        """The next message, read as JSON.

        timeout  seconds; then TimeoutError, and the connection stays as it is.
        type     what to make of it: a dataclass, a TypedDict, a msgspec Struct, a pydantic model, or a builtin, list,
                 dict, union, Literal, … of these.

        Raises InvalidJSON when it is no JSON, InvalidMessage when it does not fit `type`. Both are a BadRequest, and
        the connection stays open.
        """
        inbox = self._inbox
        while True:
            if self._short and inbox.busy == IDLE and timeout is None:
                inbox.busy = READING
                try:
                    message = await inbox.receive()
                except CancelledError as error:
                    message = inbox.interrupted(error)
                finally:
                    inbox.busy = IDLE
                    if inbox._waiters or inbox.messages:
                        inbox.release()
                if inbox.messages:
                    message = inbox.in_order(message)
                data = message.get("text")
                if data is None or len(data) > self._surely_small:
                    data = await self._take_in(message)
                break
            if timeout is not None or self._socket.state is not CONNECTING:
                # through `receive`, which a subclass may have its own of, with Quart's signature
                data = await (self.receive() if timeout is None else self.receive(timeout))
                break
            await self._ready_to("receive")
        try:
            value = (self._json or self._find_json()).loads(data)
        except (ValueError, RecursionError) as error:
            where = getattr(error, "doc", ""), getattr(error, "pos", 0)
            raise InvalidJSON(f"The message is not valid {self._language()}: {error}", *where) from error
        return value if type is None else typed(type, value)

    async def send_json(self, *args: Any, **kwargs: Any) -> None:
        """Send JSON: of the one argument, of several as a list, or of the keyword arguments as an object.

        Beside arguments, keyword arguments go to the `dumps` of the JSON provider.
        """
        if len(args) == 1 and not kwargs:
            data = (self._json or self._find_json()).dumps(args[0])
        elif args:
            data = (self._json or self._find_json()).dumps(args[0] if len(args) == 1 else args, **kwargs)
        else:
            data = (self._json or self._find_json()).dumps(kwargs)
        if self._short and self._sender is None and self._sent % 64 != 63:
            try:
                steps = self._link.send({"type": "websocket.send", "text": data}).__await__()
                for future in steps:  # as in `send`
                    await self._go_on_sending(steps, future)
                    break
            except BaseException as error:
                await self._send_failed(error, _current_task())  # type: ignore[arg-type]  # a coroutine runs in a task
            self._sent += 1
        else:
            await self.send(data)

    def _find_json(self) -> Any:
        self._json = self.json_module
        return self._json

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """`async for message in websocket`: ends with a normal close, else raises ConnectionClosed."""
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive()
        except ConnectionClosed as error:
            if error.code in _NORMAL_ENDS:
                raise StopAsyncIteration from None
            raise

    def heartbeat(self, interval: float, message: Any = None, timeout: float | None = None) -> Heartbeat:
        """Send `message` whenever nothing else was sent for `interval` seconds, until the connection ends.

        message  str or bytes as they are, anything else as JSON; by default {"type": "heartbeat"}.
        timeout  seconds in which the client has to send something after a heartbeat; else it is closed with
                 1001.

        For what a browser's script cannot see: the protocol's own pings are settings of the server
        (WEBSOCKET_PING_INTERVAL). Called again, it replaces the first.
        """
        if not isinstance(message, (str, bytes)):
            message = (self._json or self.json_module).dumps({"type": "heartbeat"} if message is None else message)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._heartbeat = Heartbeat(self, interval, message, timeout)
        self._paced = True
        self._close_short_way()
        return self._heartbeat

    def outbox(
        self,
        messages: int | None = None,
        bytes: int | None = None,
        policy: Policy | None = None,
        defaults: Bounds = DEFAULTS,
    ) -> Outbox:
        """The outbox of this websocket, for messages from others than its view: `put` never waits for the peer.

        messages  how many may wait, beside the one that is being sent.
        bytes     how many bytes they may have.
        policy    what happens beyond that: "drop_oldest", "drop_newest", or "disconnect" (close code 1013).
        defaults  the three for an outbox that is made by this call: 256, 1 MiB, "drop_oldest".

        Each websocket has one; what is given here changes it. ValueError for bounds below 1, or another policy.
        """
        if self._outbox is None:
            self._outbox = Outbox(self, *defaults)
        self._outbox.limit(messages, bytes, policy)
        return self._outbox


_receive, _send = Websocket.receive, Websocket.send
