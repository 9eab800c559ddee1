"""From selected plugins to active ones: import, relations, registration; and what happens when one fails.

Each plugin is on its own: what goes wrong with one is written into its entry, takes along those that
require it, and leaves the others. Whether that stops the app is decided once, at the end. Must not know:
settings, chains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from ..exceptions import PluginError, PluginHookError, PluginLoadError
from .entries import FAULTY, Entry
from .registry import Registry, conflict_text, cycle_text, requirement_text
from .relations import conflicts_of, missing_requirements, resolve_order
from .tracing import IMPORT, Tell


def load_all(entries: Sequence[Entry], registry: Registry, tell: Tell | None = None) -> list[Entry]:
    """Load every selected entry. Gives those that cannot be had."""
    for entry in entries:
        if entry.status == "selected":
            started = perf_counter()
            entry.load()
            if tell is not None:
                tell(IMPORT, entry.name, started, perf_counter() - started, entry.status in FAULTY)
    waiting = [entry for entry in entries if entry.status == "selected"]
    _block_conflicts(waiting, registry)
    _block_unmet(waiting, registry)
    for members, printed in resolve_order(
        [entry.related for entry in (*registry.active, *_left(waiting))]
    ).cycles:
        for entry in _left(waiting):
            if entry.name in members:
                entry.set_aside("blocked", cycle_text(printed))
    _block_unmet(waiting, registry)
    _each(waiting, registry, registry.add_hookspecs_of, "while its hook specifications were added")
    order = resolve_order([entry.related for entry in (*registry.active, *_left(waiting))]).order
    waiting.sort(key=lambda entry: order.index(entry.name) if entry.name in order else -1)
    _each(waiting, registry, registry.admit, "")
    _drop_orphans(registry, [entry for entry in waiting if entry.status != "active"])
    return [entry for entry in entries if entry.status in FAULTY and _was_possible(entry)]


def admit_now(entry: Entry, registry: Registry) -> None:
    """Make a plugin active while the others run;
    raises what is wrong with it, and then nothing has changed.
    """
    entry.read()
    if entry.status == "incompatible":
        raise PluginLoadError(entry.complaint())
    try:
        registry.add_hookspecs_of(entry)
        registry.admit(entry)
    except PluginHookError:
        registry.remove_hookspecs(entry.name)
        raise
    except PluginError as error:
        registry.remove_hookspecs(entry.name)
        raise PluginLoadError(f"{entry.origin} cannot be registered: {error}") from error


def withdraw(entry: Entry, registry: Registry, error: BaseException | None, when: str) -> list[Entry]:
    """Take an active plugin out, and before it those that require it.
    Returns them all, the plugin itself last.
    """
    dependents = registry.dependents(entry)
    for dependent in dependents:
        registry.remove(dependent)
        dependent.set_aside("blocked", requirement_text([entry.name]))
    registry.remove(entry)
    if error is None:
        entry.set_aside("disabled", when)
    else:
        entry.fail(error, when)
    return [*dependents, *_drop_orphans(registry, [*dependents, entry]), entry]


def _was_possible(entry: Entry) -> bool:
    """A core plugin that is not installed fails when it is used, with a line that says so, and not before."""
    return entry.record is not None or entry.local is not None


def _left(waiting: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in waiting if entry.status == "selected"]


def _each(waiting: Sequence[Entry], registry: Registry, step: Callable[[Entry], None], when: str) -> None:
    """Take a step with each plugin that is left; who fails is rolled back, and who requires it blocked."""
    for entry in waiting:
        if entry.status != "selected":
            continue
        try:
            step(entry)
        except (Exception, SystemExit) as error:
            registry.remove_hookspecs(entry.name)
            entry.fail(error, when)
        _block_unmet(waiting, registry)


def _block_conflicts(waiting: Sequence[Entry], registry: Registry) -> None:
    """Of two that conflict the one that comes later is blocked."""
    accepted = list(registry.active)
    for entry in _left(waiting):
        conflicts = conflicts_of(entry.related, [other.related for other in accepted])
        if conflicts:
            entry.set_aside("blocked", conflict_text(conflicts))
        else:
            accepted.append(entry)


def _block_unmet(waiting: Sequence[Entry], registry: Registry) -> None:
    """Block who requires what nobody left is, and again who requires these."""
    while True:
        left = _left(waiting)
        related = [entry.related for entry in (*registry.active, *left)]
        unmet = [(entry, missing_requirements(entry.related, related)) for entry in left]
        blocked = [(entry, missing) for entry, missing in unmet if missing]
        if not blocked:
            return
        for entry, missing in blocked:
            registry.remove_hookspecs(entry.name)
            entry.set_aside("blocked", requirement_text(missing))


def _drop_orphans(registry: Registry, gone: Sequence[Entry]) -> list[Entry]:
    """Who implements, without `optionalhook`, a hook that went with its plugin does not fit any more."""
    dropped: list[Entry] = []
    if not any(entry.declaration.hookspecs for entry in gone):
        return dropped
    for entry in tuple(registry.active):
        try:
            registry.check(entry)
        except PluginHookError as error:
            if entry in registry.active:
                dropped += withdraw(entry, registry, error, "")
    return dropped
