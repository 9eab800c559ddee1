"""What the app is made of, as plain data: plugins, hooks, routes, configuration. Read from the app, changes nothing.

Every function gives lists and dictionaries of texts, numbers and None, so that the page and other programs get the
same. Values are masked here and nowhere else.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from quart_plug.kinds import REQUEST, WEBSOCKET, Kind
from quart_plug.masking import hides
from quart_plug.scoping import blueprints_of, in_call_order

from .masking import HIDDEN, masked_text, shown
from .recorder import RECORDER

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.hooks.calls import Implementation

__all__ = ["configuration", "hooks", "plugins", "routes", "summary"]

# The moments of a connection in their order; one that is not named here comes after them.
_MOMENTS = (
    *("around", "started", "matched", "before", "error", "accepting", "received", "sending", "sent"),
    *("after", "finished", "failed", "teardown", "closed", "response_sent"),
)


def summary(app: Quart) -> dict[str, Any]:
    """The app as a whole."""
    import quart_plug

    return {
        "name": app.name,
        "version": quart_plug.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "process": os.getpid(),
        "folder": str(app.root_path),
    }


# Plugins ------------------------------------------------------------------------------------------------------------


def plugins(app: Quart) -> dict[str, Any]:
    """Every plugin with its state, the reason, its hooks, its configuration; and what is wrong beside them."""
    manager = app.plugin_hooks
    report = manager.report().to_json()
    for plugin in report["plugins"]:
        plugin["reason"] = _from_here(app, masked_text(plugin["reason"]))
        plugin["requested_by"] = [_from_here(app, place) for place in plugin["requested_by"]]
        plugin["configuration"] = _plugin_configuration(app, plugin["name"]) if plugin["status"] == "active" else []
        plugin["declares"] = _declaration(manager, plugin["name"]) if plugin["status"] == "active" else []
    return {**report, "problems": [masked_text(problem) for problem in report["problems"]]}


def _from_here(app: Quart, text: str) -> str:
    """A text whose paths begin in the app's folder, which stands in `summary`."""
    return text.replace(str(app.root_path) + os.sep, "")


def _declaration(manager: Any, name: str) -> list[list[str]]:
    declared = manager.entry(name).declaration
    found = []
    for relation in ("requires", "before", "after", "conflicts", "provides"):
        names = getattr(declared, relation, ())
        if names:
            found.append([relation, ", ".join(map(str, names))])
    if declared.api is not None:
        found.append(["api", declared.api])
    return found


def _plugin_configuration(app: Quart, name: str) -> list[list[str]]:
    """[key, value, where it comes from, what it is] of each setting that a plugin declares."""
    if app.plugin_hooks.configuration.bound(name) is None:
        return []
    return [
        [
            field.name,
            HIDDEN if field.secret and field.value is not None else shown(field.name, field.value),
            _from_here(app, masked_text(field.source)),
            field.documentation,
        ]
        for field in app.plugin_config_fields(name)
    ]


# Hooks --------------------------------------------------------------------------------------------------------------


def hooks(app: Quart) -> list[dict[str, Any]]:
    """Every hook: kind, colour, who specified it, its documentation, its implementations in call order."""
    manager = app.plugin_hooks
    return [
        {
            "name": name,
            "kind": spec.info.kind,
            "colour": spec.info.colour,
            "slot": spec.info.provider,
            "owner": spec.owner,
            "arguments": list(spec.arguments),
            "documentation": inspect.cleandoc(spec.documentation or ""),
            "implementations": [_implementation(app, each) for each in manager.implementations(name)],
        }
        for name, spec in manager.specs.items()
    ]


def _implementation(app: Quart, implementation: Implementation) -> dict[str, Any]:
    return {
        "plugin": implementation.plugin,
        "distribution": implementation.distribution,
        "version": implementation.version,
        "function": _name(implementation.function),
        "place": place_of(app, implementation.function),
        "first": implementation.tryfirst,
        "last": implementation.trylast,
        "wanted": _is_wanted(implementation),
    }


def _is_wanted(implementation: Implementation) -> bool:
    try:
        return implementation.is_wanted()
    except Exception:
        return True


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def place_of(app: Quart, function: Any) -> str:
    """`file:line` of a function, the file from the app's folder where it is in there; "" where nobody knows."""
    inner = inspect.unwrap(function) if callable(function) else function
    inner = getattr(inner, "__func__", inner)
    code = getattr(inner, "__code__", None)
    if code is None:
        return ""
    path: str = code.co_filename
    folder = str(app.root_path) + os.sep
    if path.startswith(folder):
        path = path[len(folder) :]
    elif "site-packages" in path:
        path = path.rpartition("site-packages")[2].lstrip(os.sep)
    else:
        path = os.sep.join(path.split(os.sep)[-3:])
    return f"{path}:{code.co_firstlineno}"


# Routes -------------------------------------------------------------------------------------------------------------


def routes(app: Quart) -> list[dict[str, Any]]:
    """Every route: who registered it, its view, and what is called for it, in order."""
    return [_route(app, rule) for rule in app.url_map.iter_rules()]


def _route(app: Quart, rule: Any) -> dict[str, Any]:
    kind = WEBSOCKET if rule.websocket else REQUEST
    blueprints = blueprints_of(rule.endpoint)
    view = app.view_functions.get(rule.endpoint)
    left_out = _left_out(app, kind, rule)
    return {
        "rule": str(rule.rule),
        "host": rule.host or rule.subdomain or None,
        "kind": kind.name,
        "methods": sorted(rule.methods or ()) if kind is REQUEST else [],
        "endpoint": rule.endpoint,
        "blueprint": blueprints[0] if blueprints else None,
        "plugin": rule.plugin,
        "view": None if view is None else _name(view),
        "place": "" if view is None else place_of(app, view),
        "hooks": [
            {"hook": hook, "plugin": each.plugin, "off": each.plugin in left_out(hook)}
            for hook in _hooks_of(app, kind)
            for each in app.plugin_hooks.implementations(hook)
            if each.plugin != RECORDER and _is_wanted(each)
        ],
        "functions": _functions(app, kind, blueprints),
    }


def _hooks_of(app: Quart, kind: Kind) -> Iterable[str]:
    """The hooks that are called for a connection of this kind whose route is known, in the order of their moments."""
    order = {moment: index for index, moment in enumerate(_MOMENTS)}
    moments = sorted(kind.hooks, key=lambda moment: order.get(moment, len(order)))
    return ["context_pushed", *(kind.hooks[moment] for moment in moments), "context_teardown", "context_popped"]


def _left_out(app: Quart, kind: Kind, rule: Any) -> Callable[[str], frozenset[str]]:
    """Which plugins the compiled plan of a route leaves out of a hook."""
    return app.plans_for(kind).plan_for(rule).off.of


def _functions(app: Any, kind: Kind, blueprints: list[str]) -> list[list[str]]:
    """[stage, function, place, whose] of the app's own functions around a view, in call order."""
    return [
        [f"{stage}_{kind.name}", _name(function), place_of(app, function), name or "app"]
        for stage, outwards in (("before", False), ("after", True), ("teardown", True))
        for name, function in in_call_order(getattr(app, f"{stage}_{kind.name}_funcs"), blueprints, outwards)
    ]


# Configuration ------------------------------------------------------------------------------------------------------


def configuration(app: Quart) -> list[dict[str, Any]]:
    """Every setting with its value, masked, and where that comes from."""
    secrets = [
        value
        for key, value in app.config.items()
        if issubclass(type(value), str) and len(value) >= 4 and hides(str(key))  # isinstance may ask the value itself
    ]
    found = []
    for key in sorted(app.config, key=str):
        value = app.config[key]
        if key == "PLUGIN_CONFIG" and isinstance(value, dict):
            value = dict.fromkeys(value, ...)  # it is shown with its plugin, which knows what is a secret
        text = shown(str(key), value, secrets)
        found.append(
            {
                "key": str(key),
                "value": text,
                "type": type(app.config[key]).__name__,
                "hidden": text == HIDDEN,
                "source": _from_here(app, masked_text(app.config.source(key) or "code")),
            }
        )
    return found
