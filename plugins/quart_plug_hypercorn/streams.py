"""Hypercorn's websocket stream with what it keeps from the app: who closed, with which code, and why.

`install()` puts `PlugStream` where hypercorn 0.18 looks the class up; another minor version may look
elsewhere, so it is left alone (with a warning), and a test fails when one is installed. Differences to
hypercorn's class:

- `websocket.disconnect` carries the peer's close code and reason (1005 when it gave none), or 1006 when the
  connection was lost, and with both who closed it; hypercorn says 1006 always.
- a protocol error of the peer is answered with a close frame (RFC 6455, 7.1.7).
- pings have a deadline, and a message over the limit ends the connection though the peer ignores the
  close frame. The limit holds while a message is inflated (see inflating.py).
- who closes first waits a moment for the peer's close frame, and reads until then: what was not read would make the
  system reset the connection, and the peer lose the close frame.
- `go_away` closes with a code of the server's (1012 when it stops).
- the scope has `quart_plug.abort`, a function that ends the connection without waiting for the peer, who may
  not read: HTTP/1.1's transport is aborted, HTTP/2's stream is reset.
- data that comes before the handshake was answered (RFC 6455, 4.1, forbids it) is refused with 400, as
  hypercorn does, but the app is told, its own answer is no error, and the connection is closed.

Must not know the framework: it speaks ASGI upwards and hypercorn's events downwards.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from typing import Any, cast

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn.protocol import h2, h11, ws_stream
from hypercorn.protocol.events import Body, Data, Event, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, FrameTooLargeError, Handshake, WSStream
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping
from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol
from wsproto.handshake import server_extensions_handshake
from wsproto.utilities import generate_accept_token

from . import protocols
from .inflating import LimitedDeflate
from .protocols import DrainingContext

SUPPORTED = "0.18"
CLOSE_REPLY_SECONDS = 1.0
SERVICE_RESTART = 1012

Outcome = tuple[int, str, str]  # code, reason, closed_by
LOST: Outcome = (int(CloseReason.ABNORMAL_CLOSURE), "", "network")
BAD_GATEWAY, TRY_AGAIN_LATER = (1014).to_bytes(2, "big"), (1013).to_bytes(2, "big")


class PlugContext(DrainingContext):
    """Hypercorn's shared state of one server, with the websockets that are open on it."""

    def __init__(self) -> None:
        super().__init__()
        self.websockets: set[PlugStream] = set()


class PlugFrames(FrameProtocol):
    """wsproto's, which does not know the close code 1014 (bad gateway), and takes it for a breach of the protocol."""

    def _process_close(self, frame: Frame) -> Frame:
        data = cast(bytes, frame.payload)  # a close frame's is not decoded yet
        if not data.startswith(BAD_GATEWAY):
            return super()._process_close(frame)
        checked = super()._process_close(frame._replace(payload=TRY_AGAIN_LATER + data[2:]))
        return frame._replace(payload=(1014, cast(Any, checked.payload)[1]))


class PlugHandshake(Handshake):
    """Hypercorn's, which accepts with its own extension; `limit` is that of a message."""

    limit = 2**63 - 1

    def accept(
        self, subprotocol: str | None, additional_headers: Iterable[tuple[bytes, bytes]]
    ) -> tuple[int, list[tuple[bytes, bytes]], Connection]:
        headers: list[tuple[bytes, bytes]] = []
        if subprotocol is not None:
            if subprotocol not in (self.subprotocols or ()):
                raise ValueError(f"the client did not ask for the subprotocol {subprotocol!r}")
            headers.append((b"sec-websocket-protocol", subprotocol.encode()))
        extensions: list[Extension] = [LimitedDeflate(self.limit)]
        accepts = None if self.extensions is None else server_extensions_handshake(self.extensions, extensions)
        if accepts:
            headers.append((b"sec-websocket-extensions", accepts))
        if self.key is not None:
            headers.append((b"sec-websocket-accept", generate_accept_token(self.key)))
        status_code = 200
        if self.http_version == "1.1":
            headers += [(b"upgrade", b"WebSocket"), (b"connection", b"Upgrade")]
            status_code = 101
        headers += additional_headers
        self.accepted = True
        connection = Connection(ConnectionType.SERVER, extensions)
        connection._proto = PlugFrames(connection.client, extensions)
        return status_code, headers, connection


class PlugStream(WSStream):
    """One websocket connection; see the module's text."""

    handshake: PlugHandshake
    finished = False  # whether the app has returned
    broken = False  # whether the peer's data cannot be told apart any more

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcome: Outcome | None = None  # set once, by whatever ends the connection first
        self.gone = asyncio.Event()
        self.heard = 0.0
        self.transport = _transport_of(self)

    @property
    def scope(self) -> Any:
        return self._scope

    @scope.setter
    def scope(self, scope: Any) -> None:
        """Hypercorn has made the scope, and is about to start the app."""
        protocol = self._http2()
        if protocol is not None:
            scope["quart_plug.abort"] = partial(self.task_group.spawn, _reset, protocol, self.transport, self.stream_id)
        elif self.transport is not None:
            scope["quart_plug.abort"] = self.transport.abort
        self._scope = scope

    def _http2(self) -> h2.H2Protocol | None:
        protocol = getattr(self.send, "__self__", None)
        return protocol if isinstance(protocol, h2.H2Protocol) else None

    async def handle(self, event: Event) -> None:
        if self.closed:
            return
        if isinstance(event, StreamClosed):
            await self._end()
            return
        self.heard = self.context.time()
        if self.broken:
            return  # read, and for nobody
        if isinstance(event, (Body, Data)) and not self.handshake.accepted:
            if self.state is ASGIWebsocketState.HANDSHAKE:
                await self._refuse_early_data()
            return  # else the app's refusal is on its way
        await super().handle(event)

    async def _refuse_early_data(self) -> None:
        await self._end()  # first: what the app sends from now on is for nobody
        await self._send_error_response(400)
        protocol = self._http2()
        if protocol is None:
            await self.send(StreamClosed(stream_id=self.stream_id))
        else:  # later: what was read with it may hold more for this stream, and hypercorn would look it up in vain
            self.task_group.spawn(_reset, protocol, self.transport, self.stream_id)

    async def _end(self) -> None:
        self.closed = True
        self.gone.set()
        self._websockets().discard(self)
        if self.app_put is not None:
            code, reason, closed_by = self.outcome or LOST
            message = {"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": closed_by}
            queue: asyncio.Queue[Any] | None = getattr(self.app_put, "__self__", None)
            if queue is None or not queue.full():
                await self.app_put(cast(Any, message))
            elif not self.finished:  # the app has messages to read before; the connection does not wait for that
                self.task_group.spawn(self.app_put, cast(Any, message))

    async def app_send(self, message: Any) -> None:
        if message is not None and message["type"] == "websocket.close" and self.outcome is None:
            code = message.get("code") or CloseReason.NORMAL_CLOSURE
            self.outcome = (int(code), message.get("reason") or "", "server")
        if message is None:
            self._nobody_receives()
        if message is None and self.state is ASGIWebsocketState.CLOSED and not self.closed:
            await self._is_gone_within(CLOSE_REPLY_SECONDS)
        await super().app_send(message)

    def _nobody_receives(self) -> None:
        """The app has returned: let go of who waits for room in its queue, such as who reads from the peer."""
        self.finished = True
        queue: asyncio.Queue[Any] | None = getattr(self.app_put, "__self__", None)
        while queue is not None and not queue.empty():
            queue.get_nowait()

    async def _accept(self, message: Any) -> None:
        self.handshake.limit = self.config.websocket_max_message_size
        self._websockets().add(self)
        await super()._accept(message)

    async def _handle_events(self) -> None:
        for event in self.connection.events():
            if isinstance(event, Message):
                await self._message(event)
            elif isinstance(event, Ping):
                await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                await self._peer_closed(event)

    async def _message(self, event: Message[Any]) -> None:
        if self.outcome is not None or self.finished:
            return  # after a close frame was sent, data is no longer for the app (RFC 6455, 5.5.1)
        try:
            self.buffer.extend(event)
        except FrameTooLargeError:
            self.buffer.clear()
            self.task_group.spawn(self.go_away, int(CloseReason.MESSAGE_TOO_BIG), "message too big")
            # The task runs later; what follows in this read must not be taken for a new message.
            self.outcome = (int(CloseReason.MESSAGE_TOO_BIG), "message too big", "server")
            return
        if event.message_finished and self.app_put is not None:
            message = self.buffer.to_message()
            self.buffer.clear()
            await self.app_put(cast(Any, message))

    async def _peer_closed(self, event: CloseConnection) -> None:
        if self.outcome is None:
            self.outcome = (int(event.code), event.reason or "", "client")
        if self.connection.state is ConnectionState.REMOTE_CLOSING:
            await self._send_wsproto_event(event.response())
        elif self.connection.state is ConnectionState.OPEN:
            # Not the peer's close frame but its breach of the protocol, for which wsproto names the code.
            self.broken = True
            reason = "message too big" if event.code == CloseReason.MESSAGE_TOO_BIG else event.reason or ""
            self.outcome = (int(event.code), reason, "server")
            self.task_group.spawn(self.go_away, int(event.code), reason)
            return
        await self.send(StreamClosed(stream_id=self.stream_id))

    async def go_away(self, code: int, reason: str) -> None:
        """Close with this code, and stop waiting for the peer's answer after `CLOSE_REPLY_SECONDS`."""
        if self.closed or self.state is not ASGIWebsocketState.CONNECTED:
            return
        if self.outcome is None:
            self.outcome = (code, reason, "server")
        await self._send_wsproto_event(CloseConnection(code=code, reason=reason))
        if self.broken and self.transport is not None and self.transport.can_write_eof() and self._http2() is None:
            self.transport.write_eof()  # its close frame could not be read, its end can
        if not await self._is_gone_within(CLOSE_REPLY_SECONDS):
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _send_pings(self) -> None:
        interval = self.config.websocket_ping_interval
        deadline = getattr(self.config, "websocket_ping_timeout", None)
        while interval is not None and not await self._is_gone_within(interval):
            if deadline is not None and self.context.time() - self.heard > interval + deadline:
                self.outcome = self.outcome or (LOST[0], "no answer to a ping", "network")
                await self.send(StreamClosed(stream_id=self.stream_id))
                return
            await self._send_wsproto_event(Ping())

    async def _is_gone_within(self, seconds: float) -> bool:
        # Not a plain sleep: the connection's task group would wait for its end.
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _websockets(self) -> set[PlugStream]:
        found: set[PlugStream] | None = getattr(self.context, "websockets", None)
        if found is None:  # hypercorn's own context, in which nobody tells websockets that the server stops
            context: Any = self.context
            found = context.websockets = set()
            context.end = asyncio.get_running_loop().create_task(_close_at_the_end(context, found))
        return found


async def _close_at_the_end(context: Any, websockets: set[PlugStream]) -> None:
    await context.terminated.wait()
    await asyncio.gather(*(websocket.go_away(SERVICE_RESTART, "the server stops") for websocket in tuple(websockets)))


def _transport_of(stream: WSStream) -> asyncio.WriteTransport | None:
    """The transport of a stream's connection, which hypercorn does not tell: that of whom its protocol sends to."""
    protocol = getattr(stream.send, "__self__", None)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    writer: asyncio.StreamWriter | None = getattr(server, "writer", None)
    return None if writer is None else writer.transport


async def _reset(protocol: h2.H2Protocol, transport: asyncio.WriteTransport | None, stream_id: int) -> None:
    """End one stream of a HTTP/2 connection; the connection too when it has no other and its peer reads nothing."""
    with suppress(ProtocolError):  # it has ended already
        protocol.connection.reset_stream(stream_id, ErrorCodes.CANCEL)
    await protocol._window_updated(stream_id)  # what waited to be sent on it is dropped
    if transport is not None and transport.get_write_buffer_size() and protocol.streams.keys() <= {stream_id}:
        transport.abort()
    else:
        await protocol._flush()
    await protocol.stream_send(StreamClosed(stream_id=stream_id))


def is_supported() -> bool:
    """Whether the installed hypercorn is of the version that this fits."""
    return version("hypercorn").rsplit(".", 1)[0] == SUPPORTED


def install() -> bool:
    """Make hypercorn use `PlugStream`; False (and a warning) when this is not the version it fits."""
    if not is_supported():
        warnings.warn(
            f"hypercorn {version('hypercorn')} is installed, but close codes of websockets are known to work with "
            f"{SUPPORTED}; install 'hypercorn<0.19'",
            stacklevel=2,
        )
        return False
    # The one way: hypercorn takes no stream class as an argument.
    for module in (h11, h2):
        vars(module)["WSStream"] = PlugStream
    vars(ws_stream)["Handshake"] = PlugHandshake
    protocols.install()
    return True
