"""One app's plugins: discover, select, order, load, report; and the chains of its hooks.

What users see is the order of registration: the first plugin is called first, among those marked
`tryfirst` and `trylast` too. The plugin that fills a slot by default (`hookspec(provider=…)`) is asked
last in it, so that any other comes before it. Composes: `starting` chooses and loads, `registry` keeps, `calls`
compiles.

Each plugin is loaded on its own; one that fails leaves nothing behind in the manager. Must not know: HTTP,
the app (what a plugin's `setup` added to an app is the app's to take back: it follows, see `Follower`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Protocol

from ..exceptions import (
    PluginConfigError,
    PluginError,
    PluginHookError,
    PluginLoadError,
    PluginNotFound,
    PluginSettingsError,
)
from . import loading, settings
from .calls import Chain, HookSpec, Implementation, bind, compile_chain
from .changes import change_listeners
from .conflicts import Conflict, of_slots
from .discovery import Discovery
from .entries import Entry, told
from .origins import Origin, Result
from .registry import Registry
from .report import Report
from .selection import CORE, NOT_ENABLED, local_name
from .starting import Starting
from .suggestions import did_you_mean
from .tracing import Sink, Tracer

_UNSET: Any = object()
KERNEL = "quart_plug"


class Follower(Protocol):
    """Who sets plugins up, and takes back what they added; the manager knows no more of it."""

    def admitted(self, name: str) -> None:
        """Hear of a plugin that was registered by hand. What this raises takes the registration back."""

    def leaving(self, name: str) -> None:
        """Hear that a plugin is about to be unregistered. What this raises keeps it from that."""

    def withdrawn(self, names: Sequence[str]) -> None:
        """Hear of plugins that are not active any more, those that require others first."""

    def conflicts(self) -> Iterable[Conflict]:
        """What two plugins both claim, beside slots."""


async def _nothing(*args: Any) -> None:
    """What an implementation is that is not wanted now."""


class PluginManager(Starting):
    """The plugins of one app.

    enabled   what `Quart(plugins=[…])` was given: names, `distribution:name`, import strings, modules,
              objects.
    disabled  names that code turns off; `autoload` turns on everything that is installed.
    strict    whether a failed plugin that was asked for raises; None asks the configuration (PLUGINS_STRICT).
    discover  gives what is installed; for tests.
    core      the plugins that are on by themselves.

    on_change   called, without arguments, after each change of `generation`.
    configuration  of each plugin that has a schema.
    follower    told of each plugin that comes or goes by itself; None when nobody sets plugins up.
    """

    def __init__(
        self,
        enabled: Iterable[Any] | None = None,
        disabled: Iterable[str] | None = None,
        autoload: bool | None = None,
        strict: bool | None = None,
        *,
        discover: Callable[[], Discovery] | None = None,
        core: Sequence[str] = CORE,
    ) -> None:
        self._init_starting(settings.code_level(enabled, disabled, autoload), strict, discover, core)
        self._registry = Registry()
        self._lock = threading.RLock()
        self._batch = 0
        self._held: frozenset[str] = frozenset()
        self._chains: dict[tuple[str, frozenset[str]], Chain | None] = {}
        self.generation = 0
        self.on_change: list[Callable[[], Any]] = []
        self.follower: Follower | None = None
        self._tracer = Tracer(self.changed)
        change_listeners.add(self.changed)

    # Hooks

    def add_hookspecs(self, module_or_class: Any, owner: str = KERNEL) -> None:
        """Add the hooks that a module or class specifies.
        PluginHookError when one is not fit, or already there.
        """
        with self._change():
            self._registry.add_hookspecs(module_or_class, owner)

    def spec(self, hook: str) -> HookSpec:
        """A hook's specification; PluginHookError when there is none."""
        return self._registry.spec(hook)

    @property
    def specs(self) -> Mapping[str, HookSpec]:
        """Every hook by name."""
        return self._registry.specs

    def provider_of(self, hook: str) -> str | None:
        """The name of the first-party plugin that fills this slot; None for a hook that is no slot."""
        return self.spec(hook).info.provider

    def implementations(self, hook: str) -> list[Implementation]:
        """The active plugins' implementations of a hook, in call order; each names its plugin."""
        return self._registry.implementations(hook)

    def called(self, hook: str) -> list[Implementation]:
        """`implementations` without those of plugins that are held back."""
        return [i for i in self.implementations(hook) if i.plugin not in self._held]

    def hold(self, *names: str) -> None:
        """Keep the hooks of these active plugins out of chains and slots: they have not started, or are about to stop.
        `call_one` calls them all the same."""
        with self._change():
            self._held |= set(names)

    def release(self, *names: str) -> None:
        """End what `hold` began; those that are not held, or not active any more, may be among them."""
        if not self._held.isdisjoint(names):
            with self._change():
                self._held -= set(names)

    def call(self, hook: str, without: frozenset[str] = frozenset()) -> Chain | None:
        """The compiled chain of a hook, or None when nobody implements it. It takes the hook's arguments
        in order.

        without  the names of plugins to leave out.

        The chain is that of now: it does not change with the registrations, and is to be got again when
        `generation` has changed.
        """
        chains = self._chains
        chain = chains.get((hook, without), _UNSET)
        if chain is _UNSET:
            wanted = [i for i in self.called(hook) if i.plugin not in without]
            chain = chains[hook, without] = compile_chain(
                self.spec(hook), wanted, self._tracer.listener
            )
        return chain  # type: ignore[no-any-return] # _UNSET is gone

    def call_one(self, implementation: Implementation) -> Chain:
        """One implementation of a hook, for set-up and start-up, where each plugin has to be told apart.

        Takes the hook's arguments in order; its result and exception come as they are, in no list or group. Of an async
        hook it is a chain of this one implementation.
        """
        spec = self.spec(implementation.hook)
        if spec.info.colour == "async":
            return compile_chain(spec, [implementation], self._tracer.listener) or _nothing
        return bind(spec, implementation, self._tracer.listener)

    def trace(self, sink: Sink) -> Callable[[], None]:
        """Call `sink` with a `Span` for each plugin's part of each call of a hook, and for each plugin that is
        imported; at any time. Gives what stops it. See `tracing` for what is measured.
        """
        return self._tracer.add(sink)

    def results(self, hook: str, *args: Any) -> list[Result]:
        """Call a sync hook of kind collect: what each plugin gave, None left out, with the plugin that gave it.

        Raises PluginHookError for a hook of another kind or colour, and what an implementation raises.
        """
        spec = self.spec(hook)
        if (spec.info.kind, spec.info.colour) != ("collect", "sync"):
            raise PluginHookError(
                f"the hook {hook!r} is of kind {spec.info.kind} and {spec.info.colour}; results with their origin are"
                " those of sync hooks of kind collect: use call() for others"
            )
        found = [(self.call_one(i)(*args), i.origin) for i in self.called(hook)]
        return [Result(value, origin) for value, origin in found if value is not None]

    def changed(self) -> None:
        """Drop the compiled chains and tell the listeners."""
        with self._lock:
            if self._batch:
                return
            self._chains = {}
            self.generation += 1
        for listener in tuple(self.on_change):
            listener()

    # Registration

    def register(self, plugin: Any, name: str | None = None) -> str:
        """Register a module or object now, as the last one; also while the app is running. Returns its name.

        Raises PluginHookError with all faults of its hooks, PluginLoadError when a requirement is not met,
        a conflict exists, its order is a cycle or its set-up failed, PluginSettingsError when the name or the
        plugin is there already, or is no module or object. Then nothing has changed.
        """
        if type(plugin).__module__ == "builtins" and type(plugin) not in (ModuleType, type, object):
            raise PluginSettingsError(
                f"register() takes a module or an object, not {plugin!r}; a name or an import string goes into"
                " Quart(plugins=[…]) or PLUGINS"
            )
        with self._lock:
            before = self.remember()
            entry = self._admit(plugin, name)
            if self.follower is not None:
                try:
                    self.follower.admitted(entry.name)
                except BaseException as error:
                    origin = entry.origin
                    self._take_back(entry, before, "its set-up failed")
                    if not isinstance(error, (Exception, SystemExit)):
                        raise
                    kind = PluginConfigError if isinstance(error, PluginConfigError) else PluginLoadError
                    raise kind(f"{origin} cannot be registered: {told(error)}") from error
            return entry.name

    def _admit(self, plugin: Any, name: str | None) -> Entry:
        """Make a plugin active."""
        with self._change():
            name = name or local_name(plugin)
            twin = next((e.name for e in self._registry.active if e.name == name or e.plugin is plugin), None)
            if twin is not None:
                raise PluginSettingsError(
                    f"the plugin {name!r} is registered already{'' if twin == name else f' as {twin!r}'};"
                    " unregister it first, or give the other one a name of its own"
                )
            entry = Entry(
                name, "selected", local=plugin, requested_by=("register()",), required=True, plugin=plugin
            )
            loading.admit_now(entry, self._registry)
            known = self._entries
            self._entries = [*(e for e in known if e.name != name or e.status == "shadowed"), entry]
            return entry

    def enable(self, name: str) -> bool:
        """Turn on a plugin that is installed, and that no setting turns on or off; whether there is one.

        Raises PluginLoadError when it cannot be had, and what `register` raises.
        """
        with self._lock:
            entry = next((e for e in self._entries if e.name == name and e.record and e.reason == NOT_ENABLED), None)
            if entry is None:
                return False
            entry.load()
            plugin = entry.plugin
            if plugin is None:
                raise PluginLoadError(entry.complaint())
            self.register(plugin, name)
            self.entry(name).record = entry.record
            return True

    def _withdraw(self, entry: Entry, error: BaseException | None, when: str) -> list[Entry]:
        gone = loading.withdraw(entry, self._registry, error, when)
        for each in gone:
            self.configuration.forget(each.name)
        self._chains = {}  # the follower may ask for chains before the change is told
        if self.follower is not None:
            self.follower.withdrawn([each.name for each in gone])
        return gone

    def unregister(self, name: str) -> Any:
        """Unregister a plugin, and those that require it; returns it. PluginError when it is not active."""
        entry = self.entry(name)
        plugin = entry.plugin
        if entry.status != "active":
            raise PluginError(f"the plugin {name!r} is not active, it is {entry.status}: {entry.reason}")
        for each in (*self.dependents(name), name):
            if self.follower is not None:
                self.follower.leaving(each)
        with self._change():
            self._withdraw(entry, None, "unregistered while the app was running")
            if entry.record is None and not isinstance(entry.local, str):
                entry.local = entry.name  # the object is not kept
        return plugin

    def remember(self) -> tuple[list[Entry], list[Entry]]:
        """What is there before a registration, for `retract`: the active plugins in order, and all known ones."""
        return self._registry.active.copy(), self._entries.copy()

    def retract(self, name: str, before: tuple[list[Entry], list[Entry]]) -> None:
        """Unregister a plugin and forget it, since its registration turned out to be a failure."""
        self._take_back(self.entry(name), before, "its start failed")

    def _take_back(self, entry: Entry, before: tuple[list[Entry], list[Entry]], why: str) -> None:
        order, known = before
        with self._change():
            # The others go back to their order before anything is settled by it.
            now = self._registry.active
            old = [each for each in order if each in now]
            self._registry.active = [*old, *(each for each in now if each not in old)]
            self._withdraw(entry, None, why)
            # Who came since stays; what the plugin had taken the place of is back.
            now = self._entries
            old = [each for each in known if each in now or each.name == entry.name]
            self._entries = [*old, *(each for each in now if each not in old and each is not entry)]

    def dependents(self, name: str) -> list[str]:
        """The active plugins that cannot stay without this one, those called last first."""
        return [entry.name for entry in self._registry.dependents(self.entry(name))]

    def is_needed(self, name: str) -> bool:
        """Whether the app cannot go on without a plugin, or without one that requires it: asked for by name, or core,
        and the manager is strict."""
        entry = self.entry(name)
        return self.strict and any(each.required for each in (entry, *self._registry.dependents(entry)))

    def is_active(self, name: str) -> bool:
        return any(entry.name == name for entry in self._registry.active)

    def get_plugin(self, name: str) -> Any:
        """An active plugin's module or object, or None."""
        return next((entry.plugin for entry in self._registry.active if entry.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The active plugins, in call order."""
        return tuple(entry.name for entry in self._registry.active)

    def mark_failed(
        self, name: str, error: BaseException, when: str = "while it was set up"
    ) -> tuple[str, ...]:
        """Roll back a plugin that raised at that moment, and those that require it. Returns the names of all
        of them.

        Raises PluginLoadError when it was asked for by name (or is core) and the manager is strict.
        """
        entry = self.entry(name)
        if entry.status != "active":
            return ()
        with self._change():
            gone = self._withdraw(entry, error, when)
            self._complain(gone)
        return tuple(entry.name for entry in gone)

    # What is known

    def entry(self, name: str) -> Entry:
        """What the manager knows of a plugin; PluginNotFound when it knows none of this name."""
        found = [entry for entry in self._entries if entry.name == name]
        if not found:
            raise PluginNotFound(
                f"there is no plugin {name!r}{did_you_mean(name, (e.name for e in self._entries))}"
            )
        return next((entry for entry in found if entry.status != "shadowed"), found[0])

    def origin(self, name: str) -> Origin:
        """A plugin with its distribution and version; PluginNotFound when the manager knows none of this name."""
        return self.entry(name).origin

    def knows(self, name: str) -> bool:
        """Whether there is a plugin of this name, active or not."""
        return any(entry.name == name for entry in self._entries)

    def conflicts(self) -> tuple[Conflict, ...]:
        """What two active plugins both claim: a slot, a route, a command, a setting's default, a blueprint's name."""
        others = () if self.follower is None else self.follower.conflicts()
        return (*self.slot_conflicts(), *others)

    def slot_conflicts(self) -> tuple[Conflict, ...]:
        """Slots that two active plugins fill."""
        return tuple(of_slots(self._registry))

    def report(self) -> Report:
        """Every plugin and its state."""
        rest = [entry for entry in self._entries if entry.status != "active"]
        discovered = self.discover().problems if self._selection is not None else ()
        problems = tuple(line for problem in self._problems for line in problem.faults or (str(problem),))
        plugins = tuple(entry.report() for entry in (*self._registry.active, *rest))
        return Report(plugins, (*problems, *discovered), conflicts=self.conflicts())

    def explain(self, name: str) -> str:
        """One line on why a plugin is not active and how to turn it on; for errors of those who need it."""
        found = [entry for entry in self._entries if entry.name == name]
        entry = next((e for e in found if e.status != "shadowed"), None)
        if entry is None and self._selection is not None:
            return f"the plugin {name!r} is not installed"
        if entry is None or entry.status == "selected":
            return f"the plugin {name!r} is not loaded yet"
        if entry.status == "active":
            return f"the plugin {name!r} is active"
        if entry.status != "disabled":
            return f"the plugin {name!r} is {entry.status}: {entry.reason}"
        cure = f"add {name!r} to PLUGINS" if "not enabled" in entry.reason else f"take {name!r} out of there"
        return f"the plugin {name!r} is off ({entry.reason}); to turn it on, {cure}"

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Tell of the changes within once, at their end, be it an exception."""
        with self._lock:
            self._batch += 1
            try:
                yield
            finally:
                self._batch -= 1
                if not self._batch:
                    self.changed()
