"""A manager's start: from the settings to loaded plugins, and everything that is wrong on the way as one error.

Composes `settings`, `selection`, `loading` and `mistakes`. Must not know: chains, how a plugin is set up.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..exceptions import PluginConfigError, PluginError, PluginSettingsError
from . import discovery as _discovery
from . import loading, settings
from .calls import Implementation
from .configuration import Configuration
from .discovery import Discovery
from .entries import FAULTY, Entry
from .mistakes import Mistakes, join
from .places import Places
from .registry import Registry
from .report import Report
from .selection import Selection, can_be_found, needs_metadata, select
from .tracing import Tracer


class Starting:
    """Mixed into `PluginManager`.

    lone  whether no application of the user's stands behind this manager: a plugin that only an application gives is
          not known then, and may be configured all the same.
    """

    _registry: Registry
    _lock: threading.RLock
    _tracer: Tracer
    _change: Callable[[], AbstractContextManager[None]]
    report: Callable[[], Report]

    def _init_starting(
        self,
        code: settings.Level,
        strict: bool | None,
        discover: Callable[[], Discovery] | None,
        core: Sequence[str],
    ) -> None:
        self._code = code
        self._strict = strict
        self._discover = discover
        self._core = tuple(core)
        self._selection: Selection | None = None
        self._known: list[Entry] = []
        self._unread: list[settings.Level] | None = None  # metadata was not needed so far
        self._error: PluginError | None = None
        self._problems: list[PluginError] = []
        self._mistakes: Mistakes | None = None
        self._unsure = False
        self.lone = False
        self._loaded = False
        self.strict = True if strict is None else strict
        self.configuration = Configuration(Places())

    def discover(self) -> Discovery:
        """What is installed; reads metadata only."""
        return (self._discover or _discovery.discover)()

    def select(
        self,
        code: Iterable[Any] | None = None,
        config: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        command_line: Mapping[str, Any] | None = None,
        root_path: str | os.PathLike[str] | None = None,
    ) -> Selection:
        """Decide what to load, by command line > environment > code > configuration > pyproject.toml.
        Imports nothing.

        code          more plugins, beside those given to the constructor.
        environ       None: the process's environment.
        command_line  plugins, disable (lists), autoload, safe_mode.
        root_path     the app's folder: the nearest pyproject.toml from there upward is read.

        Raises PluginNotFound with all unknown names, PluginSettingsError for settings that contradict
        themselves; `report()` works nonetheless.
        """
        config = config if config is not None else {}
        environ = os.environ if environ is None else environ
        extra = settings.code_level(code)
        own = settings.Level(self._code.enable + extra.enable, self._code.disable, self._code.autoload)
        faults = settings.Faults()
        levels = settings.levels(own, config, environ, command_line or {}, root_path, faults)
        with self._lock:
            if self._loaded:
                raise PluginSettingsError(
                    "the plugins are loaded already: make plugin settings before the app is first used"
                )
            self.strict = settings.is_strict(config, faults) if self._strict is None else self._strict
            needed = needs_metadata(levels, self._core)
            self._unread = None if needed else levels
            selection = self._choose(levels, self.discover() if needed else Discovery())
            self._unsure = faults.hides
            self.configuration = Configuration(Places(config, environ, levels[-1].config))
        self._problems, self._error = [], None
        self.note([*faults, *selection.problems])
        return selection

    def _choose(self, levels: list[settings.Level], discovery: Discovery) -> Selection:
        self._selection = select(discovery, levels, core=self._core)
        registered = self._registry.active
        taken = {entry.name for entry in registered}
        self._known = [*registered, *(Entry.of(c) for c in self._selection.choices if c.name not in taken)]
        return self._selection

    @property
    def _entries(self) -> list[Entry]:
        """Every plugin that is installed, asked for or registered; now at the latest metadata is read."""
        with self._lock:
            if self._unread is not None:
                levels, self._unread = self._unread, None
                self._choose(levels, self.discover())
            return self._known

    @_entries.setter
    def _entries(self, entries: list[Entry]) -> None:
        self._known = entries

    def load(self) -> Report:
        """Import and register what was selected; once. Without `select()` before it, the environment is
        asked.

        Raises PluginLoadError with every plugin that was asked for and cannot be had, when strict; else
        one warning is logged. The same error is raised again by a later call.
        """
        self.load_selected()
        return self.report()

    def load_selected(self) -> None:
        """`load()` without its report."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._loaded:
                return
            if self._selection is None:
                self.select()
            with self._change():
                self._loaded = True
                # What cannot be read may turn plugins off; those are never imported.
                if not self._unsure:
                    self._complain(loading.load_all(self._known, self._registry, self._tracer.listener))

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Raise nothing that is wrong with plugins and settings at once, but all of it as one error, at the end."""
        if self._mistakes is not None:
            yield
            return
        self._mistakes = mistakes = Mistakes()
        try:
            yield
        finally:
            self._mistakes = None
            for entry in self._known:
                entry.imported = None
        self._error = mistakes.error(self.strict)
        if self._error is not None:
            raise self._error

    def note(self, problems: Sequence[PluginError]) -> None:
        """What is wrong apart from single plugins."""
        self._problems += problems
        if self._mistakes is not None:
            self._mistakes.problems += problems
        elif problems:
            self._error = join(problems)
            raise self._error

    def _complain(self, faulty: Sequence[Entry]) -> None:
        """What is wrong with plugins; raises for those that were asked for, when strict."""
        if self._mistakes is not None:
            self._mistakes.faulty += [entry for entry in faulty if entry not in self._mistakes.faulty]
            return
        error = Mistakes(faulty=list(faulty)).error(self.strict)
        if error is not None:
            self._error = error
            raise error

    @property
    def is_loaded(self) -> bool:
        return self._loaded

    def check_configuration(self) -> None:
        """Look for configuration of plugins that are not there, and for variables of the environment that are misspelt.

        Raises PluginConfigError and PluginSettingsError.
        """
        names: list[str] = []
        if not self.configuration.is_empty:
            names = [*(entry.name for entry in self._entries), *(record.name for record in self.discover().records)]
        unknown = self.configuration.faults(dict.fromkeys(names), can_be_found, sure=not self.lone)
        if self.lone:  # to be shown, and to stop nobody
            self._problems += unknown
            unknown = []
        faults = settings.Faults()
        settings.misspelt({}, self.configuration.environ, faults, self.configuration.variables())
        known = {str(problem) for problem in self._problems}
        self.note([*unknown, *(fault for fault in faults if str(fault) not in known)])

    def lost_implementations(self, hook: str) -> list[Implementation]:
        """How plugins that were imported, and then failed, implement a hook: to find what else is wrong with them."""
        lost = [
            entry
            for entry in self._known
            if entry.imported is not None and entry.status in FAULTY and not isinstance(entry.error, PluginConfigError)
        ]
        return [found for entry in lost for found in self._registry.peek(entry, hook)]

    def check_lost(self, name: str, schema: Any) -> None:
        """Write down what is wrong with the configuration of a plugin that failed already."""
        entry = next(entry for entry in self._entries if entry.name == name and entry.imported is not None)
        if isinstance(entry.error, PluginConfigError):
            return  # that is why it failed
        try:
            self.configuration.bind(name, schema)
        except PluginError as error:
            entry.further += error.faults or [str(error)]
        self.configuration.forget(name)
