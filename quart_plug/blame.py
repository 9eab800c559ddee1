"""Which plugin an error comes from, found in its traceback when there is an error, and never before.

An implementation of a hook is named by its chain. This is for what the app calls itself: views, before and after
functions, error handlers, background tasks and whatever else a plugin's set-up registered.

Must not know: hooks' chains.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from .hooks.origins import add_note

if TYPE_CHECKING:
    from .app import Quart


class Blame:
    """Kept until the plugins, or what they have added, change."""

    def __init__(self, app: Quart) -> None:
        self.app = app
        self._key: Any = None
        self._codes: dict[CodeType, str] = {}
        self._modules: dict[str, str] = {}

    def note(self, error: BaseException) -> None:
        """Add a note with the plugin, its distribution and version to an error that went through code of a plugin.

        Of several the innermost; none when a hook's chain has named that one already.
        """
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                self.note(inner)
        self._learn()
        found: tuple[str, CodeType] | None = None
        traceback = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            plugin = self._codes.get(frame.f_code) or self._of_module(frame.f_globals.get("__name__", ""))
            if plugin is not None:
                found = plugin, frame.f_code
            traceback = traceback.tb_next
        if found is None:
            return
        origin = self.app.plugin_hooks.origin(found[0])
        if not any(note.endswith(f" of {origin}.") for note in getattr(error, "__notes__", ())):
            add_note(error, f"In {found[1].co_qualname!r} of {origin}.")

    def _of_module(self, name: str) -> str | None:
        while name:
            if name in self._modules:
                return self._modules[name]
            name = name.rpartition(".")[0]
        return None

    def _learn(self) -> None:
        """Find the code of the active plugins: what they have added, their methods, and their own modules."""
        hooks, footprints = self.app.plugin_hooks, self.app.plugin_setup.footprints
        key = hooks.generation, footprints.version
        if key == self._key:
            return
        self._key, self._codes, self._modules = key, {}, {}
        for name in hooks.names:
            plugin = hooks.get_plugin(name)
            for change in footprints.of(name):
                self._codes.update(dict.fromkeys(_codes(change.after), name))
            record = hooks.entry(name).record
            if record is not None and record.first_party:
                continue  # through these the application's own faults go: a value that is no JSON, a template
            if isinstance(plugin, ModuleType):
                self._modules[plugin.__name__] = name
            else:
                kind = plugin if isinstance(plugin, type) else type(plugin)
                for class_ in kind.__mro__[:-1]:
                    for member in vars(class_).values():
                        self._codes.update(dict.fromkeys(_codes(member), name))


def _codes(thing: Any) -> Iterator[CodeType]:
    """The code of a function, method, partial or decorated function, and of the functions within it."""
    seen = 0
    while thing is not None and seen < 20:
        seen += 1
        code = getattr(thing, "__code__", None)
        if isinstance(code, CodeType):
            yield from _nested(code)
        inner = (getattr(thing, name, None) for name in ("__wrapped__", "__func__", "func"))
        thing = next((found for found in inner if found is not None), None)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
