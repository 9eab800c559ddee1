"""How long each plugin's part of each hook takes.

While somebody listens (`PluginManager.trace`), chains are compiled in a second variant that takes the time around
each implementation; while nobody does, the chains are those without it and nothing is measured. What a chain does,
gives and raises is the same in both.

- Time is wall time (`time.perf_counter`). What an implementation awaits counts, and so does what other tasks do
  meanwhile; a plugin that waits long is not a plugin that works much.
- An `around` hook has one span for each implementation: what it took before its `yield` and after it, without the
  body. It is told when the implementation is left.
- Plugins that are imported while somebody listens have a span of the hook "import" (which no hook can be called).
- Listeners are called in the task, thread and contextvars of the hook, so `quart_plug.globals` tell which connection
  it was. What a listener raises is logged, and it is not called again; hooks that it calls itself are not told.

Must not know: the manager, HTTP.
"""

from __future__ import annotations

import logging
import threading
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from .around import Around, is_same

if TYPE_CHECKING:
    from .calls import Implementation

IMPORT = "import"

logger = logging.getLogger("quart_plug.plugins")


class Span(NamedTuple):
    """What one plugin's part of one call of a hook took.

    started  when it began, in seconds, on the clock `time.perf_counter`.
    seconds  how long it took.
    failed   whether it raised; a body's exception that only passed through an `around` hook does not count.
    """

    hook: str
    plugin: str
    started: float
    seconds: float
    failed: bool


Sink = Callable[[Span], object]
Tell = Callable[[str, str, float, float, bool], None]


_from_the_start: ContextVar[Callable[[Tracer], None] | None] = ContextVar("quart_plug.tracing", default=None)


@contextmanager
def trace_from_the_start(sink: Sink) -> Iterator[Callable[[], None]]:
    """Trace every manager that is made within, from its beginning: an application may set its plugins up while it is
    imported. Gives what stops all of that.
    """
    stops: list[Callable[[], None]] = []

    def stop() -> None:
        for each in stops:
            each()

    token = _from_the_start.set(lambda tracer: stops.append(tracer.add(sink)))
    try:
        yield stop
    finally:
        _from_the_start.reset(token)


class Tracer:
    """Those who listen. `changed` is called when the first one comes, and when the last one has gone."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._sinks: dict[object, Sink] = {}
        self._lock = threading.Lock()
        self._here = threading.local()
        begin = _from_the_start.get()
        if begin is not None:
            begin(self)

    @property
    def listener(self) -> Tell | None:
        """What chains have to tell, or None when nobody listens."""
        return self.tell if self._sinks else None

    def add(self, sink: Sink) -> Callable[[], None]:
        """Call `sink` with each span from now on; the result stops that, and may be called more than once."""
        key = object()
        with self._lock:
            self._sinks = {**self._sinks, key: sink}
            is_first = len(self._sinks) == 1
        if is_first:
            self._changed()
        return lambda: self._remove(key)

    def _remove(self, key: object) -> None:
        with self._lock:
            had = bool(self._sinks)
            self._sinks = {kept: sink for kept, sink in self._sinks.items() if kept is not key}
            was_last = had and not self._sinks
        if was_last:
            self._changed()

    def tell(self, hook: str, plugin: str, started: float, seconds: float, failed: bool) -> None:
        here = self._here
        if getattr(here, "telling", False):
            return
        here.telling = True
        try:
            span = Span(hook, plugin, started, seconds, failed)
            for key, sink in self._sinks.items():
                try:
                    sink(span)
                except (Exception, CancelledError):
                    logger.exception("%r, which listens to the plugins' times, failed; it is not called again", sink)
                    self._remove(key)
        finally:
            here.telling = False


def names(implementations: Sequence[Implementation], tell: Tell) -> dict[str, Any]:
    """What the source of a traced chain refers to."""
    about = [(implementation.hook, implementation.plugin) for implementation in implementations]

    def told(index: int, started: float, succeeded: bool) -> None:
        seconds = perf_counter() - started
        hook, plugin = about[index]
        tell(hook, plugin, started, seconds, not succeeded)

    return {"_clock": perf_counter, "_tell": told}


def traced_call(call: Callable[..., Any], implementation: Implementation, tell: Tell) -> Callable[..., Any]:
    """`call`, which is one implementation bound to its hook, and tell what it took."""
    told = names([implementation], tell)["_tell"]

    def traced(*arguments: Any) -> Any:
        succeeded = False
        started = perf_counter()
        try:
            result = call(*arguments)
            succeeded = True
        finally:
            told(0, started, succeeded)
        return result

    return traced


def traced_around(implementations: Sequence[Implementation], tell: Tell) -> Callable[..., Around]:
    """The traced variant of what makes an `around` hook's context manager."""

    def around(*generators: AsyncGenerator[Any, Any]) -> Around:
        pairs = zip(generators, implementations, strict=True)
        return Around([_Timed(generator, implementation, tell) for generator, implementation in pairs], implementations)

    return around


class _Timed(AsyncGenerator[Any, Any]):
    """An implementation's generator, which tells its time once it has ended."""

    def __init__(self, generator: AsyncGenerator[Any, Any], implementation: Implementation, tell: Tell) -> None:
        self._generator = generator
        self._implementation = implementation
        self._tell = tell
        self._started = self._before = 0.0

    async def __anext__(self) -> Any:
        self._started = perf_counter()
        try:
            value = await self._generator.__anext__()
        except BaseException:
            self._ended(self._started, failed=True)
            raise
        self._before = perf_counter() - self._started
        return value

    async def asend(self, value: Any) -> Any:
        return await self._left(self._generator.asend(value), None)

    async def athrow(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        return await self._left(self._generator.athrow(error), error)

    async def aclose(self) -> None:
        await self._generator.aclose()

    async def _left(self, step: Any, error: BaseException | None) -> Any:
        again = perf_counter()
        failed = True  # as a second `yield` is
        try:
            return await step
        except StopAsyncIteration:
            failed = False
            raise
        except BaseException as caught:
            failed = not is_same(caught, error)
            raise
        finally:
            self._ended(again, failed)

    def _ended(self, since: float, failed: bool) -> None:
        seconds = self._before + perf_counter() - since
        self._tell(self._implementation.hook, self._implementation.plugin, self._started, seconds, failed)
