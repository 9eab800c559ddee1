"""What two plugins of an app both claim, beside slots: routes, settings, commands, names of blueprints.

Asked for after the set-up, and by reports. Must not know: how plugins are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .hooks.conflicts import Conflict, conflict, unsettled

if TYPE_CHECKING:
    from .app import Quart

_VARIABLE = re.compile(r"<(?:([^<>]*):)?[^<>:]*>")


def claims(app: Quart, commands: bool = False) -> Iterator[Conflict]:
    """Every conflict. `commands` asks the plugins for theirs, which imports click."""
    yield from _of_routes(app)
    yield from _of_defaults(app)
    if commands:
        yield from _of_commands(app)


def _conflict(app: Quart, kind: str, subject: str, names: list[str]) -> Iterator[Conflict]:
    hooks = app.plugin_hooks
    active = [name for name in names if hooks.is_active(name)]
    found = unsettled(active, {name: hooks.entry(name).related for name in active})
    if found:
        yield conflict(kind, subject, [hooks.origin(name) for name in found])


def _of_routes(app: Quart) -> Iterator[Conflict]:
    """Rules of different plugins that match the same: path, host, kind and a method. What a variable is called says
    nothing, and neither does an automatic answer to OPTIONS."""
    claimed: dict[Any, list[str]] = {}
    for rule in app.url_map.all_rules():
        plugin = getattr(rule, "plugin", None)
        if plugin is None or rule.build_only:
            continue
        methods = set(rule.methods or ("any method",)) - {"HEAD"}
        if getattr(rule, "provide_automatic_options", False):
            methods.discard("OPTIONS")
        path = _VARIABLE.sub(lambda match: f"<{match[1] or 'default'}>", rule.rule)
        for method in ("websocket",) if rule.websocket else sorted(methods):
            names = claimed.setdefault((path, rule.host or rule.subdomain or "", method), [])
            if plugin not in names:
                names.append(plugin)
    for (path, host, method), names in claimed.items():
        if len(names) > 1:
            yield from _conflict(app, "route", f"{method} {host}{path}", names)


def _of_defaults(app: Quart) -> Iterator[Conflict]:
    """Different defaults for one setting, unless the application has set it."""
    offers = app.plugin_setup.defaults.offers
    for key in dict.fromkeys(key for defaults in offers.values() for key in defaults):
        offering = [name for name in app.plugin_hooks.names if key in offers.get(name, ())]
        values = [offers[name][key] for name in offering]
        source = app.config.source(key) or ""
        if source.startswith("plugin ") and any(value != values[0] for value in values[1:]):
            yield from _conflict(app, "default", key, offering)


def _of_commands(app: Quart) -> Iterator[Conflict]:
    named: dict[str, list[str]] = {}
    try:
        results = app.plugin_hooks.results("cli_commands", app)
        found = [(command.name, result.origin.plugin) for result in results for command in result.value]
    except Exception:
        return  # whoever runs a command is told
    for name, plugin in found:
        if plugin not in named.setdefault(name, []):
            named[name].append(plugin)
    for name, plugins in named.items():
        if len(plugins) > 1:
            yield from _conflict(app, "command", name, plugins)
