"""What two plugins of an app both claim, beside slots: routes, settings, commands, names of blueprints.

Asked for after the set-up, and by reports. Must not know: how plugins are loaded.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .exceptions import PluginHookError
from .hooks.conflicts import Conflict, conflict, unsettled
from .hooks.entries import told

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.calls import Implementation
    from .hooks.origins import Origin

_VARIABLE = re.compile(r"<(?:([^<>]*):)?[^<>:]*>")


class PluginCommands(NamedTuple):
    """What the plugins of an app answer to the hook `cli_commands`.

    found   click commands, each with the plugin that gave it, in call order.
    faults  what is wrong with the answer of a plugin, with the plugin.
    """

    found: list[tuple[Any, Origin]]
    faults: list[tuple[Origin, str]]


def commands_of_plugins(app: Quart) -> PluginCommands:
    """Ask each plugin on its own: one that fails, or gives what is no command, does not keep the others from theirs."""
    answers = PluginCommands([], [])
    for implementation in app.plugin_hooks.implementations("cli_commands"):
        try:
            commands = _commands_of(app, implementation)
        except (Exception, SystemExit) as error:
            answers.faults.append((implementation.origin, told(error)))
        else:
            answers.found.extend((command, implementation.origin) for command in commands)
    return answers


def _commands_of(app: Quart, implementation: Implementation) -> list[Any]:
    commands = list(app.plugin_hooks.call_one(implementation)(app) or ())
    click = sys.modules.get("click")  # as long as nobody has imported it there are no commands
    for command in commands:
        if click is None or not isinstance(command, click.Command):
            raise PluginHookError(f"{command!r} is not a click command")
    return commands


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
    for command, origin in commands_of_plugins(app).found:  # whoever runs a command, or the doctor, is told the faults
        names = named.setdefault(command.name, [])
        if origin.plugin not in names:
            names.append(origin.plugin)
    for name, plugins in named.items():
        if len(plugins) > 1:
            yield from _conflict(app, "command", name, plugins)
