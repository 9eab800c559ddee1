"""Who reads directly from an inbox: the task that has to be waked when the framework itself ends the connection.

Nobody notes it while reading, since asking who reads at each message would cost more than anything else there (see
`suspended` in watch.py). When it has to be known, it is looked for in what the tasks await: in the view's own task
first, and else in all tasks of the loop. Such a search finds the readers of every inbox, which are kept, and takes no
more than a tenth of the loop's time however many connections are closed: what comes too soon waits for the next one.
"""

from __future__ import annotations

import asyncio
import gc
from time import perf_counter
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

if TYPE_CHECKING:
    from .inbox import Inbox

_PAUSE = 9  # times as long as a search took, before the next one

_MAY_READ = frozenset({"receive", "receive_json", "_read"})  # of Websocket and Inbox
_BUSY_OTHERWISE = frozenset({"_receive_data", "_take_in", "_wait"})  # with a message, or waiting in line
_DRIVES = "suspended"  # (watch.py) the coroutine that it was given
_BETWEEN = frozenset({"async_generator_asend", "async_generator_athrow", "anext_awaitable", "coroutine_wrapper"})
_SUSPENDABLE = (CoroutineType, AsyncGeneratorType, GeneratorType)


def read_by(task: asyncio.Task[Any]) -> Inbox | None:
    """The inbox whose server's `receive` a task waits in, or None."""
    found: Inbox | None = None
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = (
            getattr(awaited, "cr_frame", None)
            or getattr(awaited, "gi_frame", None)
            or getattr(awaited, "ag_frame", None)
        )
        if frame is None:
            if type(awaited).__name__ not in _BETWEEN:
                break
            awaited = next((each for each in gc.get_referents(awaited) if isinstance(each, _SUSPENDABLE)), None)
            continue
        name = frame.f_code.co_name
        if name in _MAY_READ:
            names = frame.f_locals
            inbox: Any = names.get("inbox") or names.get("self")
            if hasattr(inbox, "always_pump"):
                found = inbox
        elif name in _BUSY_OTHERWISE:
            found = None
        elif name == _DRIVES and "coroutine" in frame.f_locals:
            awaited = frame.f_locals["coroutine"]
            continue
        awaited = (
            getattr(awaited, "cr_await", None)
            or getattr(awaited, "gi_yieldfrom", None)
            or getattr(awaited, "ag_await", None)
        )
    return found


class Search:
    """The searches in one event loop."""

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Inbox, ref[asyncio.Task[Any]]] = WeakKeyDictionary()
        self._wanted: WeakSet[Inbox] = WeakSet()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def interrupt(self, inbox: Inbox) -> None:
        """Cancel the wait of whoever reads from this inbox directly."""
        own = inbox.ctx.task
        if own is not None and read_by(own) is inbox:
            inbox.cancel_reader(own)
            return
        known = self._found.get(inbox)
        task = None if known is None else known()
        if task is not None and read_by(task) is inbox:
            inbox.cancel_reader(task)
            return
        self._wanted.add(inbox)
        now = perf_counter()
        if now >= self._free_at:
            self._look()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._free_at - now, self._look)

    def _look(self) -> None:
        started = perf_counter()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._found.clear()
        for task in asyncio.all_tasks():
            inbox = read_by(task)
            if inbox is not None:
                self._found[inbox] = ref(task)
                if inbox in self._wanted:
                    inbox.cancel_reader(task)
        self._wanted.clear()
        now = perf_counter()
        self._free_at = now + _PAUSE * (now - started)


_searches: WeakKeyDictionary[asyncio.AbstractEventLoop, Search] = WeakKeyDictionary()


def interrupt_reader(inbox: Inbox) -> None:
    """Wake whoever reads from this inbox directly, at once or, where very many are to be found, soon."""
    loop = asyncio.get_running_loop()
    search = _searches.get(loop)
    if search is None:
        search = _searches[loop] = Search()
    search.interrupt(inbox)
