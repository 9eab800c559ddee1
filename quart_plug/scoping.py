"""Plugins that are switched off for a route or a blueprint: `plugins_disabled={"rate_limit", "audit:request_after"}`.

    "rate_limit"            all hooks of the plugin that are called for a connection whose route is known, and what its
                            set-up added with `app.before_request` and its like
    "audit:request_after"   one hook of it

Those hooks are `ROUTE_HOOKS`, and those of plugins' own that are called through `app.chain_here()`.

What is declared for a route, on its view, for the blueprints around it and for its endpoint adds up. Names are kept
where they are declared, on the rule or by the blueprint's name, and are checked when the plugins are set up, since
before that nobody knows which there are. Compiles nothing: that is `moments`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .exceptions import PluginError, PluginHookError, PluginNotFound, PluginSettingsError
from .globals import _cv
from .hooks.manager import KERNEL
from .hooks.mistakes import join
from .hooks.suggestions import did_you_mean
from .kinds import KINDS

if TYPE_CHECKING:
    from .app import Quart
    from .hooks import PluginManager

# Called while a connection is handled, without its context as an argument.
_DURING = frozenset({"content_types", "template_context", "template_rendering", "template_rendered", "message_flashed"})
ROUTE_HOOKS = _DURING | {hook for kind in KINDS.values() for hook in kind.hooks.values()}

# The tables of functions that a plan is made from.
_FUNCTIONS = {f"{stage}_{kind}_funcs" for stage in ("before", "after", "teardown") for kind in KINDS}
_FUNCTIONS.add("url_value_preprocessors")


class SwitchedOff(NamedTuple):
    """What is switched off for one route: `plugins` as a whole, and `hooks` as pairs of a plugin and its hook."""

    plugins: frozenset[str] = frozenset()
    hooks: frozenset[tuple[str, str]] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """As in `plugins_disabled`, sorted."""
        return tuple(sorted(self.plugins.union(f"{plugin}:{hook}" for plugin, hook in self.hooks)))

    def of(self, hook: str) -> frozenset[str]:
        """The plugins whose implementations of a hook are left out."""
        return self.plugins.union(plugin for plugin, name in self.hooks if name == hook)


NOTHING = SwitchedOff()


class Scopes:
    """What is declared otherwise than on a rule: by the registered names of blueprints, and by endpoints."""

    def __init__(self) -> None:
        self.blueprints: dict[str, frozenset[str]] = {}
        self.endpoints: dict[str, frozenset[str]] = {}


def read_names(names: Any, whose: str) -> frozenset[str]:
    """The value of `plugins_disabled`; TypeError when it is not a collection of texts."""
    read = frozenset(names) if isinstance(names, Iterable) and not isinstance(names, str | bytes) else None
    if read is None or not all(isinstance(name, str) for name in read):
        raise TypeError(
            f"plugins_disabled of {whose} is {names!r}; it has to be a set of names, as in"
            ' plugins_disabled={"rate_limit"}'
        )
    return read


def blueprints_of(endpoint: str) -> list[str]:
    """The names of the blueprints of an endpoint, the innermost first: "a.b.view" -> ["a.b", "a"]."""
    names = []
    name, dot, _ = endpoint.rpartition(".")
    while dot:
        names.append(name)
        name, dot, _ = name.rpartition(".")
    return names


def switched_off(app: Quart, rule: Any) -> SwitchedOff:
    """What is switched off for a rule, also by the blueprints of its endpoint (None: no rule, and nothing is)."""
    if rule is None:
        return NOTHING
    scopes = app.scopes
    names = getattr(rule, "plugins_disabled", frozenset()) | scopes.endpoints.get(rule.endpoint, frozenset())
    for blueprint in blueprints_of(rule.endpoint):
        names |= scopes.blueprints.get(blueprint, frozenset())
    if not names:
        return NOTHING
    pairs = [_read(app.plugin_hooks, name) for name in names]
    whole = frozenset(plugin for plugin, hook in pairs if hook is None)
    return SwitchedOff(whole, frozenset((plugin, hook) for plugin, hook in pairs if hook is not None))


def _read(hooks: PluginManager, name: str) -> tuple[str, str | None]:
    """A plugin, and its hook unless all are meant. A plugin's own name may have a colon; so may a distribution's."""
    left, colon, right = name.rpartition(":")
    if not colon or hooks.knows(name):
        return name, None
    if hooks.knows(right) and hooks.entry(right).distribution == left:
        return right, None
    return left, right


def in_call_order(
    table: Mapping[str | None, Iterable[Any]], blueprints: Sequence[str], outwards: bool = False
) -> Iterator[tuple[str | None, Any]]:
    """The functions of one stage around a view, each with the blueprint that it is of (None: the app).

    blueprints  the innermost first.
    outwards    whether they are called on the way out (after, teardown), where the last one registered comes first.
    """
    inwards = (None, *reversed(blueprints))
    for name in inwards[::-1] if outwards else inwards:
        functions = list(table.get(name, ()))
        yield from ((name, function) for function in (functions[::-1] if outwards else functions))


def left_on(app: Quart, off: SwitchedOff, functions: list[Any]) -> list[Any]:
    """Those of an app's functions that were not added by a plugin that is switched off."""
    if not off.plugins:
        return functions
    owner = app.plugin_setup.footprints.owner
    return [function for function in functions if owner(function) not in off.plugins]


def chain_here(app: Quart, hook: str) -> Any:
    """The chain of a hook, or None, less what is switched off for the current connection, if there is one."""
    ctx = _cv.get(None)
    plan = None if ctx is None or ctx.app is not app else ctx.plan
    if plan is None or plan.off is NOTHING:
        return app.plugin_hooks.call(hook)
    return app.plugin_hooks.call(hook, plan.off.of(hook))


def may_be_switched_off(hooks: PluginManager, hook: str) -> bool:
    """Whether a hook may be called for a route; of a plugin's own hooks only that plugin knows."""
    spec = hooks.specs.get(hook)
    return hook in ROUTE_HOOKS or (spec is not None and spec.owner != KERNEL)


# Mistakes -----------------------------------------------------------------------------------------------------------


def check_names(app: Quart, names: Iterable[str], whose: str) -> None:
    """Raise a PluginError that lists everything that is wrong with what `whose` (a route, say) switches off."""
    _raise([*_faults(app, names, whose)])


def all_faults(app: Quart) -> list[PluginError]:
    """What is wrong with what is declared anywhere on the app, once its plugins are set up."""
    faults: list[PluginError] = []
    for rule in app.url_map.all_rules():
        names = getattr(rule, "plugins_disabled", None)
        if names:
            faults += _faults(app, names, describe_rule(rule.rule, rule.place))
    for name, names in app.scopes.blueprints.items():
        if name in app.blueprints:
            faults += _faults(app, names, describe_blueprint(name, app.blueprints[name].import_name))
    for endpoint, names in app.scopes.endpoints.items():
        faults += _endpoint_faults(app, endpoint, names)
    return faults


def check_endpoint(app: Quart, endpoint: str, names: Iterable[str]) -> None:
    """`check_names` for an endpoint, which also has to exist."""
    _raise([*_endpoint_faults(app, endpoint, names)])


def describe_rule(rule: str, place: str | None) -> str:
    return f"the route {rule!r}{f' of {place}' if place else ''}"


def describe_blueprint(name: str, import_name: str) -> str:
    return f"the blueprint {name!r} of {import_name}"


def describe_endpoint(endpoint: str) -> str:
    return f"the endpoint {endpoint!r}"


def _raise(faults: list[PluginError]) -> None:
    if faults:
        raise join(faults)


def _endpoint_faults(app: Quart, endpoint: str, names: Iterable[str]) -> Iterator[PluginError]:
    known = {rule.endpoint for rule in app.url_map.all_rules()}
    if endpoint not in known:
        hint = did_you_mean(endpoint, known)
        yield PluginSettingsError(f"disable_plugins_for({endpoint!r}): no route has this endpoint{hint}")
    yield from _faults(app, names, describe_endpoint(endpoint))


def _faults(app: Quart, names: Iterable[str], whose: str) -> Iterator[PluginError]:
    hooks = app.plugin_hooks
    for name in sorted(names):
        plugin, hook = _read(hooks, name)
        begin = f"plugins_disabled of {whose} names {name!r}: "
        try:
            entry = hooks.entry(plugin)
        except PluginNotFound as error:
            yield PluginNotFound(begin + str(error))
            continue
        if hook is not None and not may_be_switched_off(hooks, hook):
            yield PluginHookError(begin + _why_not(hooks, hook))
            continue
        if entry.status != "active":
            continue  # what it has is not known, and none of it is called
        has = {implementation.hook for implementation in entry.implementations}
        fit = {name for name in has if may_be_switched_off(hooks, name)}
        if hook is not None and hook not in has:
            hint = did_you_mean(hook, fit)
            yield PluginHookError(f"{begin}the plugin {plugin!r} does not implement the hook {hook!r}{hint}")
        elif not fit and not app.plugin_setup.footprints.reaches(plugin, _FUNCTIONS):
            listed = ", ".join(sorted(has)) or "no hook"
            yield PluginSettingsError(
                f"{begin}nothing of this plugin is called for a route, so nothing can be switched off: it implements"
                f" {listed}; PLUGINS_DISABLED turns it off for the whole application"
            )


def _why_not(hooks: PluginManager, hook: str) -> str:
    if hook not in hooks.specs:
        return f"there is no hook {hook!r}{did_you_mean(hook, ROUTE_HOOKS)}"
    if hook.startswith("context_"):
        return f"the hook {hook!r} belongs to the context, which is there before the route is known"
    return f"the hook {hook!r} is not called for a route"
