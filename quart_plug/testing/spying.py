"""A spy on a hook: what it was called with, and what each plugin answered.

It takes the place of the manager's `implementations` for one hook of one app, so that chains are compiled of recording
functions; apps without a spy are not touched. Must not know: where plugins come from, HTTP.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..hooks.calls import HookSpec, Implementation, returns_coroutine

if TYPE_CHECKING:
    from ..hooks import PluginManager

SPY = "spy"


@dataclass(frozen=True)
class Answer:
    """What one plugin's implementation made of a call.

    arguments  those that it takes, by name.
    result     what it returned (awaited); None for a hook of kind `around`.
    error      what it raised, or None.
    """

    plugin: str
    arguments: Mapping[str, Any]
    result: Any = None
    error: BaseException | None = None


class Spy:
    """Records a hook's calls from now on; made by `plug.spy(hook)`.

    calls    the arguments of each call of the hook, by name; also when no plugin implements it.
    answers  one `Answer` for each implementation that was called, in the order in which they ended.
    """

    def __init__(self, manager: PluginManager, hook: str) -> None:
        self.hook = hook
        self.calls: list[Mapping[str, Any]] = []
        self.answers: list[Answer] = []
        self._spec = manager.spec(hook)
        original = manager.implementations

        def implementations(name: str) -> list[Implementation]:
            found = original(name)
            return found if name != hook else [self._own(), *map(self._recorded, found)]

        setattr(manager, "implementations", implementations)  # noqa: B010 - of this manager alone
        manager.changed()

    @property
    def count(self) -> int:
        """How often the hook was called."""
        return len(self.calls)

    def clear(self) -> None:
        """Forget what was recorded."""
        self.calls.clear()
        self.answers.clear()

    def __repr__(self) -> str:
        return f"<Spy on {self.hook}: {self.count} calls, {len(self.answers)} answers>"

    def _own(self) -> Implementation:
        """An implementation that answers nothing, called before all others."""
        spec = self._spec

        def note(*values: Any) -> None:
            self.calls.append(dict(zip(spec.arguments, values, strict=True)))

        async def note_around(*values: Any) -> AsyncGenerator[None, Any]:
            note(*values)
            yield

        function = note_around if spec.info.kind == "around" else note
        return Implementation(self.hook, function, spec.arguments, plugin=SPY)

    def _recorded(self, implementation: Implementation) -> Implementation:
        function = _recording(self._spec, implementation, self.answers.append)
        return replace(implementation, function=function)


def _recording(
    spec: HookSpec, implementation: Implementation, record: Callable[[Answer], None]
) -> Callable[..., Any]:
    """The implementation's function with its results written down, in the same colour."""
    function, plugin = implementation.function, implementation.plugin

    def given(values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(implementation.positional, values, strict=True)) | named

    def ended(arguments: Mapping[str, Any], error: BaseException) -> None:
        record(Answer(plugin, arguments, error=error))

    def plain(*values: Any, **named: Any) -> Any:
        arguments = given(values, named)
        try:
            result = function(*values, **named)
        except BaseException as error:
            ended(arguments, error)
            raise
        if spec.info.colour == "async" and inspect.isawaitable(result):
            return awaited(result, arguments)
        record(Answer(plugin, arguments, result))
        return result

    async def awaited(result: Any, arguments: Mapping[str, Any]) -> Any:
        try:
            result = await result
        except BaseException as error:
            ended(arguments, error)
            raise
        record(Answer(plugin, arguments, result))
        return result

    async def coroutine(*values: Any, **named: Any) -> Any:
        arguments = given(values, named)
        try:
            result = await function(*values, **named)
        except BaseException as error:
            ended(arguments, error)
            raise
        record(Answer(plugin, arguments, result))
        return result

    def around(*values: Any, **named: Any) -> Any:
        record(Answer(plugin, given(values, named)))
        return function(*values, **named)

    if spec.info.kind == "around":
        chosen: Callable[..., Any] = around
    else:
        chosen = coroutine if returns_coroutine(function) else plain
    return functools.wraps(function)(chosen) if hasattr(function, "__name__") else chosen
