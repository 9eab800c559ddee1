"""What a test left behind: tasks, contexts, threads, receivers, methods, modules, environment, warning filters.

`Leaks` notes how the process is, and later lists what differs. Must not know: plugins, pytest.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, get_args
from weakref import WeakSet, ref

from ..ctx import Context
from ..hooks.suggestions import did_you_mean
from .whereabouts import where_suspended

if TYPE_CHECKING:
    from ..app import Quart

LeakKind = Literal[
    "tasks", "contexts", "threads", "receivers", "methods", "modules", "environment", "warnings"
]
KINDS: tuple[LeakKind, ...] = get_args(LeakKind)

# Variables that a test run changes by itself, and threads that pools of others keep until the loop or the process ends.
_PASSING_VARIABLES = ("PYTEST_", "COV_", "COVERAGE_")
_POOLED = ("asyncio_", "AnyIO worker", "ThreadPoolExecutor-", "pytest_timeout", "Dummy-")
_LAST_MOMENT = 0.5  # seconds for a thread that is about to end

_EMPTY_FILTERS: Any = object()


class LeakError(AssertionError):
    """A test left something behind. The message lists what, with the cure for each."""


class Leaks:
    """What there is now; `found()` lists what there is more later.

    allowed  the kinds that are not looked at.
    """

    def __init__(self) -> None:
        self.allowed: set[LeakKind] = set()
        self._apps: WeakSet[Quart] = WeakSet()
        self._environment = _environment()
        self._threads = set(threading.enumerate())
        self._receivers = set(_receivers())
        self._methods = _methods()
        self._blocked = _blocked_modules()
        self._pushed: list[Context] = []
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._loops: dict[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]] = {}
        self._watched: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._filters: list[str] = []

    def allow(self, kinds: Iterable[LeakKind]) -> None:
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(
                    f"there is no kind of leak {kind!r}{did_you_mean(kind, KINDS)}; they are {', '.join(KINDS)}"
                )
            self.allowed.add(kind)

    def watch_app(self, app: Quart) -> None:
        self._apps.add(app)
        _pushes.begin(self)

    # Tasks

    def watch_tasks(self, within_test: bool) -> None:
        """Look at the running loop's tasks when the task that calls this (a test's) is over.

        Those that were there at the first call are not this test's.
        within_test  False in a fixture, which leaves tasks that its own end takes back.
        """
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return
        if task is None or not within_test:
            return
        loop = task.get_loop()
        self._loops.setdefault(loop, asyncio.all_tasks(loop))
        if task not in self._watched:
            self._watched.add(task)
            task.add_done_callback(lambda _: self._note_tasks(loop))

    def note_tasks_since(self, before: set[asyncio.Task[Any]]) -> None:
        """Note the running loop's tasks that are not among `before`."""
        for task in asyncio.all_tasks() - before:
            self._note(task)

    def _note_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in asyncio.all_tasks(loop) - self._loops[loop]:
            self._note(task)

    def _note(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelling() and task not in self._tasks:
            self._tasks[task] = where_suspended(task) or ""

    # Warning filters

    @contextmanager
    def watch_warnings(self, when: str) -> Iterator[None]:
        """Compare the filters before and after: a test runner puts them back by itself, so nobody sees it later."""
        before, showing = list(warnings.filters), warnings.showwarning
        yield
        if warnings.filters != before:
            added = [f"{item[0]!r} for {item[2]}" for item in warnings.filters if item not in before]
            self._filters.append(
                f"the warning filters changed {when} ({', '.join(added) or 'some are gone'});"
                " use `warnings.catch_warnings()`"
            )
        if warnings.showwarning is not showing:
            self._filters.append(f"`warnings.showwarning` was replaced {when}; put it back")

    # The end

    def close(self) -> None:
        """Look at what is gone when a loop is closed, and stop looking at contexts."""
        for loop in self._loops:
            if not loop.is_closed():
                self._note_tasks(loop)
        for app in self._apps:
            for task in app.background_tasks:
                if not task.done():
                    self._note(task)
        try:
            current = asyncio.current_task()
        except RuntimeError:
            current = None
        if current is not None:
            self._tasks.pop(current, None)
        _pushes.end(self)

    def found(self) -> list[str]:
        """One line for each leak; those of kinds that are allowed are left out."""
        lines: list[tuple[LeakKind, str]] = []
        for task, place in self._tasks.items():
            if not task.done() or task.cancelled():  # a closing loop cancels what is left
                at = f", suspended at {place}" if place else ""
                lines.append(
                    ("tasks", f"the task {task.get_name()!r} is running{at}; cancel it and wait for it")
                )
        for ctx in self._pushed:
            if ctx.is_pushed:
                lines.append(("contexts", f"{ctx!r} is pushed; pop it, or enter it with `async with`"))
        for thread in self._running_threads():
            lines.append(("threads", f"the thread {thread.name!r} is running; stop it and join it"))
        for name in self._new_receivers():
            lines.append(("receivers", f"a receiver is connected to the signal {name!r}; disconnect it"))
        now = _methods()
        for where in sorted(
            key
            for key in {*now, *self._methods}
            if now.get(key, _EMPTY_FILTERS) is not self._methods.get(key, _EMPTY_FILTERS)
        ):
            lines.append(("methods", f"{where} was changed for every app; put it back"))
        for name in sorted(_blocked_modules() - self._blocked):
            lines.append(("modules", f"sys.modules[{name!r}] is None: its import is blocked; remove that"))
        environment = _environment()
        for key in sorted({*environment, *self._environment}):
            if environment.get(key) != self._environment.get(key):
                lines.append(("environment", f"the environment variable {key} was changed; put it back"))
        lines += [("warnings", line) for line in self._filters]
        return [line for kind, line in lines if kind not in self.allowed]

    def _running_threads(self) -> list[threading.Thread]:
        new = [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads and not thread.name.startswith(_POOLED)
        ]
        if new and "threads" not in self.allowed:
            for thread in new:
                if thread is not threading.current_thread():
                    thread.join(_LAST_MOMENT / len(new))
        return [
            thread for thread in new if thread.is_alive() and thread is not threading.current_thread()
        ]

    def _new_receivers(self) -> list[str]:
        if set(_receivers()) - self._receivers:
            gc.collect()  # most are held weakly, and gone with the test's own functions
        return sorted({name for name, _ in set(_receivers()) - self._receivers})


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(_PASSING_VARIABLES)}


def _receivers() -> Iterator[tuple[str, int]]:
    """(signal, identity of a receiver) of the kernel's signals, if anybody has imported them."""
    module = sys.modules.get("quart_plug_signals.catalogue")
    for name, signal in getattr(module, "CATALOGUE", {}).items():
        for identity, reference in list(signal.receivers.items()):
            if not isinstance(reference, ref) or reference() is not None:
                yield name, identity


def _methods() -> dict[str, Any]:
    """What the classes have that every app shares; extensions replace methods there."""
    from ..app import Quart
    from ..blueprints import Blueprint

    return {
        f"{class_.__name__}.{name}": value
        for class_ in (Quart, Blueprint)
        for name, value in vars(class_).items()
        if not name.startswith("_abc_") and not name.startswith("__")
    }


def _blocked_modules() -> set[str]:
    return {name for name, module in list(sys.modules.items()) if module is None}


class _Pushes:
    """Tells each `Leaks` of the contexts that are pushed by hand for its apps."""

    def __init__(self) -> None:
        self._listeners: list[Leaks] = []
        self._original: Any = None

    def begin(self, leaks: Leaks) -> None:
        if leaks in self._listeners:
            return
        self._listeners.append(leaks)
        if self._original is None:
            self._original = original = Context.push
            listeners = self._listeners

            @functools.wraps(original)
            async def push(ctx: Context) -> None:
                for listener in listeners:
                    if ctx.app in listener._apps:
                        listener._pushed.append(ctx)
                await original(ctx)

            setattr(Context, "push", push)  # noqa: B010 - until the last one ends

    def end(self, leaks: Leaks) -> None:
        if leaks in self._listeners:
            self._listeners.remove(leaks)
            if not self._listeners:
                setattr(Context, "push", self._original)  # noqa: B010
                self._original = None


_pushes = _Pushes()
