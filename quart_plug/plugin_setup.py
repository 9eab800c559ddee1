"""The set-up of an app's plugins: each plugin's part on its own, so that one that fails is rolled back and named.

A step is a hook and what becomes of its result. At the first need of any plugin every step is taken with all of them,
in call order; a plugin that is registered later goes through the steps alone, at once. What a plugin adds to the app
meanwhile is its footprint, which is taken back when it fails, now or later, and when it is unregistered.

Must not know: how plugins are found, chosen and loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from .app_tables import MISSING, Settings
from .blame import Blame
from .blueprints import Blueprint, BlueprintNameTaken
from .claims import claims
from .exceptions import PluginError, PluginHookError
from .footprints import Footprints
from .hooks.conflicts import Conflict, conflict
from .hooks.names import plugin_attribute
from .scoping import all_faults
from .signals import __all__ as SIGNALS

logger = logging.getLogger("quart_plug.plugins")

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.calls import Implementation
    from .hooks.origins import Origin


class Step(NamedTuple):
    """A hook of the set-up, and what is done with what a plugin gives: `take(app, result, origin)`.

    check  called for every plugin, once the step is done.
    when   the step, for the reason of a plugin that fails.
    """

    hook: str
    take: Callable[[Quart, Any, Origin], None] | None = None
    check: Callable[[Quart, str], None] | None = None
    when: str = "while it was set up"


def _take_defaults(app: Quart, defaults: Any, origin: Origin) -> None:
    app.plugin_setup.defaults.offer(defaults, origin)


def _take_converters(app: Quart, converters: Any, origin: Origin) -> None:
    with app.plugin_setup.footprints.recording(origin.plugin):
        app.url_map.converters.update(converters)


def _take_schema(app: Quart, schema: Any, origin: Origin) -> None:
    app.plugin_hooks.configuration.bind(origin.plugin, schema)


def _check_configuration(app: Quart, plugin: str) -> None:
    app.plugin_hooks.configuration.check(plugin)


def _take_blueprints(app: Quart, blueprints: Any, origin: Origin) -> None:
    with app.plugin_setup.footprints.recording(origin.plugin):
        for item in blueprints if isinstance(blueprints, Iterable) else (None,):
            blueprint, options = item if isinstance(item, tuple) and len(item) == 2 else (item, {})
            if not isinstance(blueprint, Blueprint) or not isinstance(options, Mapping):
                raise PluginHookError(
                    f"the hook 'blueprints' gave {blueprints!r}; it gives a list of blueprints, each alone or as"
                    ' (blueprint, {"url_prefix": "/shop"})'
                )
            app.register_blueprint(blueprint, **options)


def _take_signals(app: Quart, signals: Any, origin: Origin) -> None:
    for name, hook in signals.items():
        if name in SIGNALS:
            raise PluginHookError(f"there is a signal {name!r} already, which is quart-plug's; choose another name")
        spec = app.plugin_hooks.spec(hook)  # PluginHookError for one that is not there
        if spec.info.kind == "around" or spec.info.colour == "sync":
            raise PluginHookError(
                f"the signal {name!r} cannot be sent for the hook {hook!r}, which is of kind {spec.info.kind} and"
                f" {spec.info.colour}; it takes an async hook that is not of kind around"
            )
    if app.plugin_hooks.is_active("signals"):
        plugin_attribute("signals", "send_for")(app, signals, origin.plugin)


CONFIGURATION = Step("configuration_schema", _take_schema, _check_configuration, "while it was configured")
CHECKED = (CONFIGURATION,)
STEPS = (
    *CHECKED,
    Step("configuration_defaults", _take_defaults),
    Step("url_converters", _take_converters),
    Step("blueprints", _take_blueprints),
    Step("signals", _take_signals),
    Step("setup"),
    Step("setup_finished"),
)


class Defaults:
    """The plugins' defaults: of several for one setting the first plugin's, in call order, and the application's
    own value before all of them. When a plugin goes, the next one's comes."""

    def __init__(self, app: Quart, footprints: Footprints) -> None:
        self.app = app
        self.footprints = footprints
        self.offers: dict[str, dict[str, Any]] = {}
        self._table = Settings(("config",), lambda: app.config)
        self._before: dict[str, Any] = {}  # what was there, of the settings that have a plugin's default
        self._given: dict[str, Any] = {}  # what is there now

    def offer(self, defaults: Mapping[str, Any], origin: Origin) -> None:
        """Take a plugin's defaults."""
        self.offers.setdefault(origin.plugin, {}).update(defaults)
        self.settle(list(defaults))

    def withdraw(self, plugin: str) -> None:
        """Forget a plugin's defaults."""
        self.settle(list(self.offers.pop(plugin, {})))

    def settle(self, keys: Sequence[str] | None = None) -> None:
        """Give each of these settings (None: every one that a plugin has a default for) the value that it has to have.

        One that the application has set is left alone.
        """
        if keys is None:
            keys = list(dict.fromkeys(key for defaults in self.offers.values() for key in defaults))
        if not keys:
            return
        table, hooks = self._table, self.app.plugin_hooks
        with self.footprints.ignoring():
            for key in keys:
                now = table.get(key)
                winner = next((name for name in hooks.names if key in self.offers.get(name, ())), None)
                wanted = MISSING
                if winner is not None:
                    wanted = (self.offers[winner][key], f"plugin {hooks.origin(winner).label}")
                if key in self._given:
                    given, before = self._given.pop(key), self._before.pop(key)
                    result = before if winner is None else wanted
                    if not table.same(now, given):  # somebody set it since; who takes that back finds this
                        self.footprints.replaced(table, key, given, result)
                        continue
                elif now is MISSING or now[1] == "default":
                    before, result = now, wanted
                else:
                    continue
                if winner is not None:
                    self._before[key], self._given[key] = before, wanted
                if result is not now:
                    table.put(key, result)


class PluginSetup:
    """Sets the plugins of one app up; follows its manager."""

    def __init__(self, app: Quart) -> None:
        self.app = app
        self.footprints = Footprints(app)
        self.blame = Blame(app)
        self.defaults = Defaults(app, self.footprints)
        self._may_have_parts = False
        self._taken: list[Conflict] = []
        self._told: set[Conflict] = set()
        self._begun: list[Step] = []  # a plugin that another one registers catches up with these

    def run(self, steps: Sequence[Step] = STEPS) -> None:
        """Take every step with every active plugin.

        PluginLoadError when one fails that was asked for by name, and the manager is strict.
        """
        hooks = self.app.plugin_hooks
        for step in steps:
            self._begun.append(step)
            for implementation in hooks.implementations(step.hook):
                if not hooks.is_active(implementation.plugin):
                    continue  # it was rolled back together with one that it requires
                try:
                    self._take(step, implementation)
                except (Exception, SystemExit) as error:  # a plugin must not end the program
                    self._note_claim(implementation.plugin, error)
                    hooks.mark_failed(implementation.plugin, error, step.when)
            for name in hooks.names if step.check is not None else ():
                try:
                    if step.check is not None and hooks.is_active(name):
                        step.check(self.app, name)
                except (Exception, SystemExit) as error:
                    hooks.mark_failed(name, error, step.when)
            if step is CONFIGURATION:
                self._check_the_rest()

    def _check_the_rest(self) -> None:
        """What is wrong with configuration beside that of active plugins."""
        hooks = self.app.plugin_hooks
        for implementation in hooks.lost_implementations(CONFIGURATION.hook):
            try:
                schema = hooks.call_one(implementation)(self.app)
            except Exception:
                continue
            hooks.check_lost(implementation.plugin, schema)
        hooks.check_configuration()

    def whose(self, thing: Any) -> str:
        """For a message: ", of plugin 'x' (dist 1.0)," for what a plugin's set-up has added, "" for anything else."""
        owner = self.footprints.owner(thing)
        return "" if owner is None else f", of {self.app.plugin_hooks.origin(owner)},"

    def conflicts(self) -> list[Conflict]:
        """What two plugins both claim, beside slots."""
        hooks = self.app.plugin_hooks
        taken = [found for found in self._taken if hooks.is_active(found.plugins[0])]
        return [*taken, *claims(self.app, commands=self.app.plugins_are_set_up)]

    def warn(self) -> None:
        """Log each conflict, once."""
        for found in (*self.app.plugin_hooks.slot_conflicts(), *self._taken, *claims(self.app)):
            if found not in self._told:
                self._told.add(found)
                logger.warning("Two plugins claim one thing: %s.", found.text)

    def _note_claim(self, plugin: str, error: BaseException) -> None:
        """Of two plugins whose blueprints have one name the second fails; both are named."""
        if isinstance(error, BlueprintNameTaken):
            owner = self.footprints.owner(self.app.blueprints.get(error.name))
            if owner is not None and owner != plugin:
                hooks = self.app.plugin_hooks
                self._taken.append(conflict("blueprint", error.name, [hooks.origin(owner), hooks.origin(plugin)]))

    def admitted(self, name: str) -> None:
        """Set up a plugin that was registered by hand, as far as the others are."""
        for step in self._begun:
            for implementation in self.app.plugin_hooks.implementations(step.hook):
                if implementation.plugin == name:
                    self._take(step, implementation)
            if step.check is not None:
                step.check(self.app, name)
        if self._begun:
            self.defaults.settle()  # it may have changed the order of the others
            self.app.settle_templates()
        self._check_parts(name, "register")
        if self.app.plugins_are_set_up:
            self.warn()

    def leaving(self, name: str) -> None:
        """Keep a plugin that has started from going without having been stopped."""
        self._check_parts(name, "unregister")

    @contextmanager
    def may_have_parts(self) -> Iterator[None]:
        """Whoever registers or unregisters within sees to start and stop."""
        before, self._may_have_parts = self._may_have_parts, True
        try:
            yield
        finally:
            self._may_have_parts = before

    def _check_parts(self, name: str, what: str) -> None:
        """Who serves has begun: what runs at start-up and shutdown has to be awaited."""
        serving = self.app._plugin_serving
        parts = serving.parts(name) if serving.is_live and not self._may_have_parts else ()
        if parts:
            raise PluginError(
                f"{self.app.plugin_hooks.origin(name)} takes part in start-up and shutdown ({', '.join(parts)}), and "
                f"the app is {'serving' if serving.is_serving else 'starting'}: use `await app.{what}_plugin(…)`"
            )

    def withdrawn(self, names: Sequence[str]) -> None:
        """Take back what these plugins have added."""
        with self.footprints.ignoring():
            for name in names:
                self.footprints.take_back(name)
                self.defaults.withdraw(name)
            self.defaults.settle()
        self.app.settle_templates()

    def _take(self, step: Step, implementation: Implementation) -> None:
        origin = implementation.origin
        with self.footprints.recording(origin.plugin):
            result = self.app.plugin_hooks.call_one(implementation)(self.app)
        if step.take is not None and result is not None:
            step.take(self.app, result, origin)


def start_plugins(app: Quart, steps: Sequence[Step] = STEPS) -> None:
    """Select, load and set up an app's plugins; raises everything that is wrong as one error.

    steps  what to set up; with CHECKED only to see what is wrong, in an app that is not used otherwise.
    """
    hooks = app.plugin_hooks
    hooks.lone = hooks.lone or steps is CHECKED
    with hooks.gathering():
        hooks.select(config=app.config, root_path=app.root_path)
        hooks.load_selected()
        app.plugin_setup.run(steps)
        hooks.note(all_faults(app))
