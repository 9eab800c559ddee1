"""The plugins that are active, the hooks that are specified, and the order between them.

Wraps a private pluggy manager (its public API only), which finds the marked functions and keeps the
registrations. pluggy calls the last one registered first and has no way to take a specification back: the
order is therefore kept here, and pluggy's manager is made anew when the specifications of a plugin go.

Everything here either succeeds or leaves the registry as it was. Must not know: settings, entry points,
chains.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pluggy

from ..exceptions import PluginHookError, PluginLoadError
from .calls import HookSpec, Implementation
from .discovery import import_reference
from .entries import Entry
from .markers import PROJECT
from .relations import NOTHING_DECLARED, conflicts_of, missing_requirements, resolve_order
from .suggestions import did_you_mean
from .validation import inspect_implementations, read_hookspecs, read_implementations


class _Pluggy(pluggy.PluginManager):
    """Passes quickly over what cannot be marked: pluggy asks for every attribute, and statically, which is
    slow.
    """

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        return super().parse_hookimpl_opts(plugin, name) if _may_be_marked(plugin, name) else None

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> Any:
        return (
            super().parse_hookspec_opts(module_or_class, name)
            if _may_be_marked(module_or_class, name)
            else None
        )


def _may_be_marked(holder: Any, name: str) -> bool:
    if name.startswith("__"):
        return False
    return not isinstance(holder, ModuleType) or inspect.isroutine(vars(holder).get(name))


class Registry:
    """active  the active plugins in call order."""

    def __init__(self) -> None:
        self.active: list[Entry] = []
        self.specs: dict[str, HookSpec] = {}
        self._namespaces: list[tuple[Any, str]] = []
        self._pluggy = _Pluggy(PROJECT)

    # Specifications

    def spec(self, hook: str) -> HookSpec:
        try:
            return self.specs[hook]
        except KeyError:
            raise PluginHookError(f"there is no hook {hook!r}{did_you_mean(hook, self.specs)}") from None

    def add_hookspecs(self, namespace: Any, owner: str) -> None:
        """Add what a module or class specifies.
        An `optionalhook` of an active plugin may be known by that.
        """
        added = read_hookspecs(self._pluggy, namespace, owner)
        taken = [f"{name!r} (of {self.specs[name].owner})" for name in added if name in self.specs]
        if taken:
            raise PluginHookError(f"{owner} specifies hooks that exist already: {', '.join(taken)}")
        specs = self.specs | added
        reread = [(entry, self._read(entry, specs)) for entry in self.active]
        self._pluggy.add_hookspecs(namespace)
        self.specs = specs
        self._namespaces.append((namespace, owner))
        for entry, implementations in reread:
            entry.implementations = implementations

    def add_hookspecs_of(self, entry: Entry) -> None:
        """Add the specifications that a plugin declares, given as modules, classes or import strings."""
        try:
            for item in entry.declaration.hookspecs:
                self.add_hookspecs(import_reference(item) if isinstance(item, str) else item, entry.name)
        except BaseException:
            self.remove_hookspecs(entry.name)
            raise

    def remove_hookspecs(self, owner: str) -> None:
        """Take the specifications of a plugin back; active plugins keep implementing what is left."""
        if all(of != owner for _, of in self._namespaces):
            return
        self._namespaces = [(namespace, of) for namespace, of in self._namespaces if of != owner]
        self.specs = {name: spec for name, spec in self.specs.items() if spec.owner != owner}
        self._pluggy = _Pluggy(PROJECT)
        for namespace, _ in self._namespaces:
            self._pluggy.add_hookspecs(namespace)
        for entry in self.active:
            entry.implementations = [i for i in entry.implementations if i.hook in self.specs]
            self._pluggy.register(entry.plugin, entry.name)

    # Plugins

    def admit(self, entry: Entry) -> None:
        """Make a loaded plugin active, as the last one as far as its relations allow.

        Raises PluginHookError for its hooks, PluginLoadError for its relations.
        """
        related = [other.related for other in self.active]
        conflicts = conflicts_of(entry.related, related)
        if conflicts:
            raise PluginLoadError(conflict_text(conflicts))
        missing = missing_requirements(entry.related, related)
        if missing:
            raise PluginLoadError(requirement_text(missing))
        ordering = resolve_order([*related, entry.related])
        if ordering.cycles:
            raise PluginLoadError(cycle_text(ordering.cycles[0][1]))
        implementations = self._read(entry, self.specs)
        is_local = entry.record is None and entry.declaration == NOTHING_DECLARED
        if not implementations and is_local and not self._marks_any(entry.plugin):
            raise PluginHookError(
                f"{entry.origin} implements no hook; mark its functions with `@quart_plug.hookimpl`"
            )
        try:
            self._pluggy.register(entry.plugin, entry.name)
        except (ValueError, pluggy.PluginValidationError) as error:
            raise PluginHookError(f"{entry.origin} cannot be registered: {error}") from error
        entry.implementations = implementations
        entry.status, entry.reason = "active", ""
        by_name = {other.name: other for other in (*self.active, entry)}
        self.active = [by_name[name] for name in ordering.order]

    def remove(self, entry: Entry) -> None:
        """Take an active plugin out, with its specifications.
        Who requires it is not asked: see `dependents`.
        """
        self._pluggy.unregister(name=entry.name)
        self.active = [other for other in self.active if other is not entry]
        self.remove_hookspecs(entry.name)

    def dependents(self, entry: Entry) -> list[Entry]:
        """The active plugins that cannot stay without `entry`, those called last first."""
        gone = [entry]
        while True:
            left = [other for other in self.active if other not in gone]
            related = [other.related for other in left]
            more = [other for other in left if missing_requirements(other.related, related)]
            if not more:
                return [other for other in reversed(self.active) if other in gone[1:]]
            gone += more

    def check(self, entry: Entry) -> None:
        """Raise PluginHookError when an active plugin does not fit the specifications (any more)."""
        self._read(entry, self.specs)

    def peek(self, entry: Entry, hook: str) -> list[Implementation]:
        """How a plugin that is not active implements a hook; empty when it does not, or wrongly."""
        found, _ = inspect_implementations(self._pluggy, entry.imported, self.specs, entry.origin)
        return [implementation for implementation in found if implementation.hook == hook]

    def implementations(self, hook: str) -> list[Implementation]:
        """A hook's implementations in call order.
        In a slot the plugin that fills it by default comes last.
        """
        provider = self.spec(hook).info.provider

        def place(implementation: Implementation) -> tuple[bool, int]:
            return implementation.plugin == provider, implementation.trylast - implementation.tryfirst

        found = (i for entry in self.active for i in entry.implementations if i.hook == hook)
        return sorted(found, key=place)

    def _marks_any(self, plugin: Any) -> bool:
        """Whether a plugin marks any function: it may be for a hook that is absent, and comes later."""
        return any(self._pluggy.parse_hookimpl_opts(plugin, attribute) is not None for attribute in dir(plugin))

    def _read(self, entry: Entry, specs: Mapping[str, HookSpec]) -> list[Implementation]:
        return read_implementations(self._pluggy, entry.plugin, specs, entry.origin)


def conflict_text(names: list[str]) -> str:
    listed = " and ".join(repr(name) for name in names)
    return f"it conflicts with {listed}; turn one of them off (PLUGINS_DISABLED)"


def requirement_text(names: list[str]) -> str:
    listed = " and ".join(repr(name) for name in names)
    return f"it requires {listed}, not active here; enable what it requires, or turn this plugin off"


def cycle_text(printed: str) -> str:
    return f"its order cannot be resolved: {printed}; drop one of these relations, or turn one plugin off"
