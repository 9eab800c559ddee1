"""Watching the client of a connection, paid for only by connections that stay suspended.

The adapter makes the first step of a connection's coroutine itself. When that finishes it, nothing here was
touched. When it yields, `suspended` goes on with the coroutine, in the same task (asyncio.timeout and
TaskGroup remember the task that they were entered in), and enters the connection in the `Sweep` of its app
and loop: one dict insert. The sweep's one timer, alive only while its table is not empty, looks ten times a
second at what is there (see deadlines.py).

A cancellation that comes from here is a matter between the sweep and the view: what leaves the view of it
ends in `suspended`, and the task is as the server gave it. A cancellation by the server goes through.

Of a Context this needs: `task` (None), `sweep` (None), `cancels` (0: how often the view was cancelled from
here), `gone` (False: the client has left), `told` (False: the view learned of it by reading), `timed_out`
(False), `sending` (False; the adapter sets it while the response is sent), `response_timeout` (`...`:
RESPONSE_TIMEOUT; else seconds or None), `_inbox` and `inbox`; the defaults are in parentheses.
"""

from __future__ import annotations

import contextvars
from asyncio import CancelledError, current_task, get_running_loop
from collections.abc import Coroutine, Generator
from threading import get_ident
from types import coroutine as awaitable
from typing import TYPE_CHECKING, Any

from .deadlines import Watch, WebsocketWatch

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task, TimerHandle

    from ..app import Quart
    from ..ctx import Context


class Sweep:
    """The suspended connections of one app in one event loop.

    now  the loop's time at the last look; for what need not be exact.
    """

    __slots__ = ("app", "context", "loop", "now", "suspended", "thread", "timer")

    interval = 0.1  # seconds

    def __init__(self, app: Quart, loop: AbstractEventLoop | None = None) -> None:
        self.app = app
        self.loop = loop or get_running_loop()
        self.thread = get_ident()
        self.now = 0.0
        self.context = contextvars.Context()  # the timer's; a copy of a connection's would keep that alive
        self.suspended: dict[Context, Watch | None] = {}  # None: came after the last look
        self.timer: TimerHandle | None = None

    def start(self) -> None:
        """Start the timer: somebody has entered the table."""
        self.now = max(self.now, self.loop.time())  # the last look may be long ago
        self.timer = self.loop.call_later(self.interval, self._ring, context=self.context)

    def leave(self, ctx: Context, watch: Watch | None) -> None:
        """A connection that was looked at, or read from, has left the table."""
        if watch is not None:
            watch.leave()
        inbox = ctx._inbox
        if inbox is not None:
            inbox.close()
            if ctx.scope["type"] == "http":
                ctx._inbox = None  # a cycle

    def _ring(self) -> None:
        self.timer = None
        if self.suspended:
            self.timer = self.loop.call_later(self.interval, self._ring, context=self.context)
            self.tick(self.loop.time())

    def tick(self, now: float) -> None:
        """Look at every connection in the table. `now` is the loop's time; tests give their own."""
        self.now = now
        config = self.app.config
        suspended = self.suspended
        for ctx, watch in suspended.items():  # nothing in here runs a view, so nobody enters or leaves
            try:
                if watch is None:
                    kind = WebsocketWatch if ctx.scope["type"] == "websocket" else Watch
                    suspended[ctx] = watch = kind(ctx, now)
                watch.look(now, config)
            except Exception as error:  # one connection's trouble (a setting of a wrong type) is not the others'
                self.loop.call_exception_handler(
                    {"message": f"quart-plug could not look after {ctx!r}", "exception": error}
                )


@awaitable
def suspended(
    coroutine: Coroutine[Any, Any, Any], future: Any, ctx: Context, sweep: Sweep | None = None
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine whose first step yielded `future`, in the same task; its result.

    None when the view was cancelled from here: `ctx.gone` and `ctx.timed_out` tell why.

    sweep  None: that of the context's app and of the task's loop.
    """
    # Which loop runs is a costly question (CPython 3.11 asks for the process): mostly it is the one of the last time,
    # which has a current task only while it runs, and runs in one thread only.
    task = None
    if sweep is None:
        latest = ctx.app._latest_sweep
        if latest is not None and latest.thread == get_ident():
            task = current_task(latest.loop)
        sweep = ctx.app._current_sweep() if task is None or latest is None else latest
    if task is None:
        task = current_task()
    cancelling = 0 if task is None else task.cancelling() - ctx.cancels
    ctx.task = task
    ctx.sweep = sweep
    sweep.suspended[ctx] = None
    if sweep.timer is None:
        sweep.start()
    try:
        while True:
            try:
                yield future
            except BaseException as error:
                future = coroutine.throw(error)
            else:
                break
        # From here on the task drives the coroutine without a step of Python between them.
        return (yield from coroutine.__await__())
    except StopIteration as done:  # from `throw`
        return done.value
    except CancelledError:
        if not (ctx.cancels or ctx.gone) or _taken_back(ctx, task) > cancelling:
            raise
        return None
    finally:
        if ctx.cancels:
            _taken_back(ctx, task)
        watch = sweep.suspended.pop(ctx, None)
        if watch is not None or ctx._inbox is not None:
            sweep.leave(ctx, watch)
        ctx.task = None


def _taken_back(ctx: Context, task: Task[Any] | None) -> int:
    """Take our cancellations of the task back; how many of others' there are."""
    if task is None:
        return 0
    while ctx.cancels:
        ctx.cancels -= 1
        task.uncancel()
    return task.cancelling()
