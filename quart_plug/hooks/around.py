"""The async context manager that a chain of an `around` hook makes.

Each implementation is an async generator with one `yield`: what comes before it runs on entering,
outermost (first in call order) first; what comes after it on leaving, in reverse. It works as
`contextlib.asynccontextmanager` does, with one exception that keeps errors visible:

- The body's exception is raised at the `yield`. A generator may clean up, or raise another exception in
  its place; the outer ones then see that one.
- **Nothing is swallowed.** A generator that catches the exception and ends has had its look: the exception
  goes on to the next one and to the caller. (There would be no result to go on with.)
- `result = yield` gives what the caller stored in the manager's `result`, when the body raised nothing.
- A generator that does not yield, or yields twice, is an error that names the plugin.
- When entering fails, those already entered are left, with that exception.

Must not know: how chains are compiled, HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..exceptions import PluginHookError

if TYPE_CHECKING:
    from .calls import Implementation


class Around:
    """Entered before and left after the body; `result` is for the caller to set, and what `yield` gives."""

    __slots__ = ("_generators", "_implementations", "result")

    def __init__(
        self, generators: Sequence[AsyncGenerator[Any, Any]], implementations: Sequence[Implementation]
    ) -> None:
        self._generators = generators
        self._implementations = implementations
        self.result: Any = None

    async def __aenter__(self) -> Around:
        entered = 0
        try:
            for generator in self._generators:
                await generator.__anext__()
                entered += 1
        except StopAsyncIteration:
            error: BaseException = self._misuse(entered, "ended without a `yield`; it needs exactly one")
            raise await self._leave(entered, error) or error from None
        except BaseException as caught:
            self._blame(caught, entered)
            error = await self._leave(entered, caught) or caught
            if error is caught:
                raise
            raise error from caught
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        outcome = await self._leave(len(self._generators), error)
        if outcome is not None and outcome is not error:
            raise outcome
        if error is not None:
            error.__traceback__ = traceback  # without the frames of the generators that it went through

    async def _leave(self, entered: int, error: BaseException | None) -> BaseException | None:
        """Leave the first `entered` generators, last first.
        Returns the exception that is on its way out, if any.
        """
        for index in reversed(range(entered)):
            generator = self._generators[index]
            try:
                if error is None:
                    await generator.asend(self.result)
                else:
                    await generator.athrow(error)
            except StopAsyncIteration:
                continue
            except BaseException as caught:
                if is_same(caught, error):
                    continue
                if isinstance(caught, GeneratorExit):
                    raise  # our own coroutine is being closed: nothing may be awaited any more
                self._blame(caught, index)
                error = caught
            else:
                misuse = self._misuse(index, "went on to a second `yield`; it needs exactly one")
                misuse.__context__ = error
                error = misuse
                try:
                    await generator.aclose()
                except RuntimeError:
                    pass  # a third yield ("ignored GeneratorExit"): the error says enough
        return error

    def _blame(self, error: BaseException, index: int) -> None:
        if isinstance(error, Exception):
            note = self._implementations[index].note
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)

    def _misuse(self, index: int, what: str) -> PluginHookError:
        implementation = self._implementations[index]
        return PluginHookError(
            f"hook {implementation.hook!r}: the generator of {implementation.origin} {what}"
        )


def is_same(caught: BaseException, error: BaseException | None) -> bool:
    """Whether what leaves a generator is what was thrown into it. PEP 479:
    a Stop(Async)Iteration that leaves a generator comes out as a RuntimeError with it as the cause.
    """
    return caught is error or (
        isinstance(error, (StopIteration, StopAsyncIteration))
        and isinstance(caught, RuntimeError)
        and caught.__cause__ is error
    )
