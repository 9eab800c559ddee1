"""What the sweep looks for at one connection that stays suspended: has the client left, is something overdue?

A `Watch` is made for a connection that is still suspended at the sweep's first look, and is asked at each
look after that. It starts the inbox's pump when nobody reads from the client at two looks in a row, so that a
disconnect is seen; what follows from a disconnect differs by kind:

    request     the view's task is cancelled at once, unless it was told by reading. While the response is
                being sent it gets one look's time more, since a server also says "disconnect" when the
                response is complete.
    websocket   mode `cancel`: cancelled at once. Mode `raise`: the view has WEBSOCKET_DISCONNECT_GRACE
                seconds to touch the socket, which tells it, or to end.

Time comes from the caller (`look(now)`), in the loop's seconds. Nothing here waits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .inbox import READING
from .socket import ACCEPTED, CLOSED, CONNECTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..ctx import Context
    from .websocket import Websocket

_FAREWELL = 1.0  # seconds for a close frame to a peer that may not read


def cancel(ctx: Context) -> None:
    """Cancel the view: the task that handles the connection. `suspended` keeps it from the server."""
    if ctx.task is not None:
        ctx.cancels += 1
        ctx.task.cancel()


def limit(config: Mapping[str, Any], name: str, default: float | None) -> float | None:
    """A time limit in seconds; None (and 0) is none."""
    return config.get(name, default) or None


class Watch:
    """The watch over a request."""

    __slots__ = ("ctx", "gone_since", "quiet", "sending_since")

    def __init__(self, ctx: Context, now: float) -> None:
        self.ctx = ctx
        self.quiet = False  # whether nobody was reading at the last look
        self.sending_since: float | None = None
        self.gone_since: float | None = None

    def look(self, now: float, config: Mapping[str, Any]) -> None:
        ctx = self.ctx
        if ctx.gone:
            self._left(now)
        else:
            self._read_for_the_end()
        if ctx.sending and not ctx.timed_out:
            if self.sending_since is None:
                self.sending_since = now
            seconds = ctx.response_timeout
            if seconds is ...:
                seconds = limit(config, "RESPONSE_TIMEOUT", 60)
            if seconds is not None and now - self.sending_since >= seconds:
                ctx.timed_out = True
                cancel(ctx)

    def _read_for_the_end(self) -> None:
        inbox = self.ctx.inbox
        if inbox.busy == READING:
            self.quiet = False
        elif inbox.pump is None:
            if self.quiet:
                inbox.watch = self
                inbox.start()
            self.quiet = True

    def _left(self, now: float) -> None:
        ctx = self.ctx
        if ctx.cancels or (ctx.told and not ctx.sending):
            return
        if ctx.sending and self.gone_since is None:
            self.gone_since = now
            return
        cancel(ctx)

    def ended(self, somebody_was_told: bool) -> None:
        """The pump has read the disconnect."""
        ctx = self.ctx
        if not somebody_was_told and not ctx.sending and not ctx.cancels:
            cancel(ctx)

    def leave(self) -> None:
        """The connection is no longer suspended."""


class WebsocketWatch(Watch):
    """The watch over a websocket."""

    __slots__ = (
        "beat",
        "beat_at",
        "heard",
        "heard_at",
        "inbox",
        "over_since",
        "send_mark",
        "send_since",
        "since",
        "spoke",
        "spoke_at",
        "stalled",
        "stalled_at",
        "websocket",
    )

    def __init__(self, ctx: Context, now: float) -> None:
        super().__init__(ctx, now)
        self.websocket: Websocket = ctx.websocket
        self.inbox = ctx.inbox
        self.since = now
        self.over_since: float | None = None
        self.send_since: float | None = None
        self.send_mark = 0
        self.stalled: asyncio.Future[None] | None = None
        self.stalled_at = now
        self.heard = self.spoke = -1
        self.heard_at = self.spoke_at = now
        self.beat: float | None = None
        self.beat_at = now

    def look(self, now: float, config: Mapping[str, Any]) -> None:
        websocket, inbox = self.websocket, self.inbox
        if (
            inbox.busy == READING
            and websocket._short
            and websocket._sender is None
            and not websocket._others
            and self.send_since is None
        ):
            self.quiet = False
            return  # it waits for a message, as thousands of others may
        if inbox.end is not None:
            websocket._disconnected(inbox.end)
        state = websocket._socket.state
        if state is ACCEPTED or state is CONNECTING:
            if inbox.busy == READING:
                self.quiet = False
            else:
                self._read_for_the_end()
                self._look_for_stall(websocket, now, config)
            if websocket._paced:
                self._look_for_silence(websocket, now, config)
            if state is CONNECTING:
                seconds = limit(config, "WEBSOCKET_ACCEPT_TIMEOUT", 10)
                if seconds is not None and now - self.since >= seconds:
                    websocket._shut(1008, "neither accepted nor rejected in time")
        elif state is CLOSED:
            self._look_at_the_end(websocket, now, config)
        if websocket._sender is not None or websocket._others:
            self._look_for_blocked_send(websocket, now, config)
        elif self.send_since is not None:
            self.send_since = None
        farewell = websocket._farewell
        if farewell is not None and not farewell.done():
            if websocket._farewell_since is None:
                websocket._farewell_since = now
            elif now - websocket._farewell_since >= _FAREWELL:
                farewell.cancel()
                self._abort()

    def ended(self, somebody_was_told: bool) -> None:
        end = self.inbox.end
        if end is not None:
            self.websocket._disconnected(end)

    def _look_at_the_end(self, websocket: Websocket, now: float, config: Mapping[str, Any]) -> None:
        ctx = self.ctx
        if ctx.cancels or ctx.told:
            return
        if self.over_since is None or websocket._touched > self.over_since:
            # Told in a task of the view's, from which the view itself may hear of it.
            self.over_since = now if self.over_since is None else websocket._touched
        if now - self.over_since >= (config.get("WEBSOCKET_DISCONNECT_GRACE", 5) or 0):
            cancel(ctx)

    def _look_for_blocked_send(self, websocket: Websocket, now: float, config: Mapping[str, Any]) -> None:
        if self.send_since is None or websocket._sent != self.send_mark:
            self.send_since, self.send_mark = now, websocket._sent
            return
        seconds = limit(config, "WEBSOCKET_SEND_TIMEOUT", 20)
        if seconds is not None and now - self.send_since >= seconds:
            self.send_since = None
            if websocket._socket.state is ACCEPTED:
                websocket._shut(1013, "the peer does not read")
            else:  # an answer to the handshake, or a close frame
                websocket._give_up_sending()
                self._abort()

    def _abort(self) -> None:
        """Have the server end the connection, if it can: it would wait for the peer to take its last bytes."""
        abort = self.ctx.scope.get("quart_plug.abort")  # from a server plugin
        if abort is not None:
            abort()

    def _look_for_stall(self, websocket: Websocket, now: float, config: Mapping[str, Any]) -> None:
        room = self.ctx.inbox.room  # there is one while the queue is full
        if room is None:
            self.stalled = None
        elif room is not self.stalled:
            self.stalled, self.stalled_at = room, now
        else:
            seconds = limit(config, "WEBSOCKET_RECEIVE_STALL", 60)
            if seconds is not None and now - self.stalled_at >= seconds:
                websocket._shut(1008, "messages are not received")

    def _look_for_silence(self, websocket: Websocket, now: float, config: Mapping[str, Any]) -> None:
        heartbeat = websocket._heartbeat
        spoke = websocket._sent if heartbeat is None else websocket._sent - heartbeat.sent
        if websocket._received != self.heard:
            self.heard, self.heard_at, self.beat = websocket._received, now, None
        if spoke != self.spoke:
            self.spoke, self.spoke_at = spoke, now
        idle = limit(config, "WEBSOCKET_IDLE_TIMEOUT", None)
        if idle is not None and now - max(self.heard_at, self.spoke_at) >= idle:
            websocket._shut(1001, "idle")
        elif heartbeat is None:
            return
        elif self.beat is not None and heartbeat.timeout is not None and now - self.beat >= heartbeat.timeout:
            websocket._shut(1001, "no answer to the heartbeat")
        elif now - max(self.spoke_at, self.beat_at) >= heartbeat.interval:
            self.beat_at = now
            if self.beat is None:
                self.beat = now  # the first that was not answered
            heartbeat.send()

    def leave(self) -> None:
        heartbeat, outbox = self.websocket._heartbeat, self.websocket._outbox
        if heartbeat is not None:
            heartbeat.stop()
        if outbox is not None:
            outbox.end()
