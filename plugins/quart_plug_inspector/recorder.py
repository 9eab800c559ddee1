"""Takes down what happens on the connections: a plugin of its own, registered while the app is in debug mode.

Because it is one of its own, an app that is not in debug mode has none of these hooks, and pays nothing for them.
What the inspector's own connections do is not taken down, nor the time that the recorder takes.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

from .guard import security_headers
from .records import Record, Records

if TYPE_CHECKING:
    from quart_plug import Quart, Response
    from quart_plug.ctx import Context
    from quart_plug.hooks.tracing import Span

__all__ = ["BLUEPRINT", "RECORDER", "Recorder"]

BLUEPRINT = "inspector"
RECORDER = "inspector-recorder"


class Recorder:
    """The latest requests and websockets of one app.

    version  a number that is larger after every change.
    """

    __quart_plug__ = {"requires": ["inspector"]}

    def __init__(self, app: Quart, history: int) -> None:
        self._app = app
        self.requests = Records(history)
        self.websockets = Records(history)
        self.version = 0
        self.is_on = False
        # By context where a hook tells one: a message may be sent from another connection's task. The variable is for
        # what is told no context, and for the context that an application has made in the place of ours.
        self._records: weakref.WeakKeyDictionary[Context, Record] = weakref.WeakKeyDictionary()
        self._current: ContextVar[Record | None] = ContextVar(f"inspector of {app.name}", default=None)
        self._listeners: weakref.WeakKeyDictionary[asyncio.Event, asyncio.AbstractEventLoop]
        self._listeners = weakref.WeakKeyDictionary()
        self._stop_tracing: Callable[[], None] | None = None

    # On while the app is in debug mode

    def follow(self, key: str) -> None:
        """A setting was changed."""
        if key == "DEBUG":
            self.turn(self._app.debug)

    def turn(self, on: bool) -> None:
        """Begin to record, or stop and forget everything."""
        hooks = self._app.plugin_hooks
        if on == self.is_on or not hooks.is_active(BLUEPRINT):
            return
        self.is_on = on
        if on:
            hooks.register(self, name=RECORDER)
            hooks.on_change.append(self._plugins_changed)
            self._stop_tracing = hooks.trace(self._spent)
        else:
            self._stop()
            hooks.unregister(RECORDER)

    def _plugins_changed(self) -> None:
        if self.is_on and not self._app.plugin_hooks.is_active(RECORDER):  # it has gone with the inspector
            self.is_on = False
            self._stop()

    def _stop(self) -> None:
        self._app.plugin_hooks.on_change.remove(self._plugins_changed)
        if self._stop_tracing is not None:
            self._stop_tracing()
        self.requests.clear()
        self.websockets.clear()
        self.tell()

    # Who looks

    def listen(self) -> asyncio.Event:
        """An event that is set after every change, for as long as somebody keeps it."""
        event = asyncio.Event()
        self._listeners[event] = asyncio.get_running_loop()
        return event

    def tell(self) -> None:
        """Something has changed. May be called in any thread, as settings may be set in any."""
        for event, loop in tuple(self._listeners.items()):
            if not event.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _changed(self, record: Record) -> None:
        self.version = record.version = self.version + 1
        self.tell()

    def records(self, kind: str) -> Records:
        return self.requests if kind == "request" else self.websockets

    def sweep(self) -> None:
        """End the records of websockets that have gone without anybody being told: before they were accepted."""
        for record in tuple(self.websockets.live.values()):
            record.look()
            if record.state in ("closed", "refused") and record.handled:
                self._end(record, "gone" if record.state == "closed" else "refused")

    # What happens

    def _spent(self, span: Span) -> None:
        record = self._current.get()
        if record is not None and span.plugin not in (BLUEPRINT, RECORDER):
            record.add(span)

    def _end(self, record: Record, state: str) -> None:
        if record.seconds is None:
            record.end(state)
            self.records(record.kind).end(record)
            self._changed(record)

    def _record_of(self, ctx: Context) -> Record | None:
        return self._records.get(ctx) or self._current.get()

    @hookimpl(tryfirst=True)
    def context_pushed(self, ctx: Context) -> None:
        if ctx.kind is None:
            return
        record = self._current.get()
        if record is not None and record.scope is ctx.scope:
            return  # a copy of the context, in a task of the same connection
        # It is kept only when `connection` follows: a context that is pushed by hand is no connection.
        record = self._records[ctx] = Record(ctx)
        self._current.set(record)

    @hookimpl(tryfirst=True)
    async def connection(self, ctx: Context) -> AsyncGenerator[None, Any]:
        record = self._record_of(ctx)
        rule = ctx.url_rule
        if record is None or record.version or (rule is not None and rule.endpoint.startswith(f"{BLUEPRINT}.")):
            self._current.set(None)
            self._records.pop(ctx, None)
            yield
            return
        if rule is not None:
            record.rule, record.endpoint = str(rule.rule), rule.endpoint
        if record.kind == "websocket":
            record.watch(ctx.websocket)
        if self.websockets.is_full:
            self.sweep()
        self.records(record.kind).begin(record)
        self._changed(record)
        try:
            yield
            record.handled = True
        except Exception as error:
            record.handled = True
            record.fail(error)
            raise
        except BaseException:
            self._end(record, "gone")
            raise

    @hookimpl(trylast=True)
    async def websocket_accepting(self, ctx: Context, handshake: Any) -> None:
        record = self._record_of(ctx)
        if record is not None:
            self._changed(record)  # who looks a moment later sees that it is open

    @hookimpl(tryfirst=True)
    async def websocket_received(self, ctx: Context, message: str | bytes) -> None:
        self._count(ctx, message, 0)

    @hookimpl(trylast=True)
    async def websocket_sent(self, ctx: Context, message: str | bytes) -> None:
        self._count(ctx, message, 1)

    def _count(self, ctx: Context, message: str | bytes, direction: int) -> None:
        record = self._record_of(ctx)
        if record is not None:
            counts = record.sent if direction else record.received
            counts[0] += 1
            counts[1] += len(message.encode("utf-8", "surrogatepass")) if isinstance(message, str) else len(message)
            self._changed(record)

    @hookimpl(trylast=True)
    async def websocket_closed(self, ctx: Context, code: int, reason: str, closed_by: str | None) -> None:
        record = self._record_of(ctx)
        if record is not None:
            record.closed = [code, reason, closed_by]
            self._end(record, "closed")
            self._current.set(None)

    @hookimpl(trylast=True)
    async def request_failed(self, ctx: Context, error: BaseException) -> None:
        self._failed(ctx, error)

    @hookimpl(trylast=True)
    async def websocket_failed(self, ctx: Context, error: BaseException) -> None:
        self._failed(ctx, error)

    def _failed(self, ctx: Context, error: BaseException) -> None:
        record = self._record_of(ctx)
        if record is not None:
            record.fail(error)

    @hookimpl(specname="response_sent", tryfirst=True)
    async def _response_is_sent(self, ctx: Context) -> None:
        record = self._record_of(ctx)
        if record is not None:
            record.stop()  # what plugins do afterwards is shown, and nobody waited for it

    @hookimpl(trylast=True)
    async def response_sent(self, ctx: Context, status: int | None, error: BaseException | None) -> None:
        record = self._record_of(ctx)
        if record is None:
            return
        record.status = status
        if error is not None and not isinstance(error, asyncio.CancelledError):
            record.fail(error)
        if record.kind == "websocket":
            state = "refused"
        elif isinstance(error, asyncio.CancelledError):
            state = "gone"
        else:
            state = "done" if record.error is None else "failed"
        self._end(record, state)
        self._current.set(None)

    # The inspector's own answers

    @hookimpl(trylast=True)
    async def request_after(self, ctx: Context, response: Response) -> None:
        """The last word on the headers: an app's own after function may open them for everybody."""
        rule = ctx.url_rule
        if rule is None or not rule.endpoint.startswith(f"{BLUEPRINT}."):
            return
        for name in [name for name, _ in response.headers if name.lower().startswith("access-control-")]:
            del response.headers[name]
        cache = response.headers["Cache-Control"]
        response.headers.update(security_headers(ctx.scope) | {"Cache-Control": cache})
