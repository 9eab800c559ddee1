"""All that is known of one plugin, as data; of one that is off without importing it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from ..app import Quart
from ..exceptions import PluginError
from ..faults import is_secret, show, without_passwords
from ..hooks.discovery import Record, discover
from ..hooks.entries import Entry
from ..hooks.relations import DECLARATION, Declaration
from ..hooks.report import PluginReport
from ..hooks.suggestions import did_you_mean
from .state import CommandError, State, quietly

RELATIONS = ("requires", "before", "after", "conflicts", "provides")


def details(state: State, name: str) -> dict[str, Any]:
    """What `plugins show NAME` shows. `name` may be that of an entry point, `distribution:name`, or an import string.

    CommandError when there is no such plugin.
    """
    report = _report(state, name)
    entry = state.manager.entry(report.name)
    if (entry.distribution, entry.value) != (report.distribution, report.value or entry.value):
        entry = Entry(report.name, report.status)  # one that is shadowed: nothing of it was loaded
    plugin, record = entry.plugin, _record(report)
    module = report.value.partition("[")[0].partition(":")[0].strip()
    file, source = _file_of(module, plugin)
    documentation = inspect.getdoc(plugin) if plugin is not None else ast.get_docstring(_tree(source))
    return {
        "name": report.name,
        "status": report.status,
        "reason": report.reason,
        "requested_by": list(report.requested_by),
        "distribution": report.distribution,
        "version": report.version,
        "first_party": report.first_party,
        "value": report.value,
        "file": file,
        "documentation": documentation or _metadata(record).get("Summary") or "",
        "documentation_url": _address(record),
        "relations": _relations(entry, source),
        "specifies": sorted(spec.name for spec in state.manager.specs.values() if spec.owner == report.name),
        "others": [other.qualified for other in discover().named(report.name) if other != record],
        "hooks": _hooks(state, entry),
        "configuration": _configuration(state, report.name),
        "routes": _routes(state.app, report.name),
        "commands": _commands(state.app, report.name),
        "application": state.application(),
    }


def _report(state: State, name: str) -> PluginReport:
    report = state.report
    for plugin in report:
        if plugin.distribution is not None and f"{plugin.distribution}:{plugin.name}" == name:
            return plugin
    try:
        return report[name]
    except KeyError:
        hint = did_you_mean(name, [plugin.name for plugin in report])
        raise CommandError(f"there is no plugin {name!r}{hint}; `quart-plug list` shows them", 2) from None


def _record(report: PluginReport) -> Record | None:
    records = (record for record in discover().named(report.name) if record.distribution == report.distribution)
    return next(records, None)


def _file_of(module: str, plugin: Any) -> tuple[str | None, str]:
    """The file of a plugin, and its source; a module that was not imported is found without importing it."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None)
    if file is None and inspect.ismodule(plugin):
        file = getattr(plugin, "__file__", None)
    elif file is None and plugin is not None:
        kind = plugin if isinstance(plugin, type) else type(plugin)
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is None:
        found = _spec(module)
        file = found.origin if found is not None and found.has_location else None
    try:
        with open(file or "", encoding="utf-8") as source:
            return file, source.read()
    except (OSError, UnicodeDecodeError):
        return file, ""


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is; unlike `find_spec` it imports no package on the way."""
    names = module.split(".")
    try:
        spec = importlib.util.find_spec(names[0])
        for end in range(2, len(names) + 1):
            if spec is None or spec.submodule_search_locations is None:
                return None
            spec = PathFinder.find_spec(".".join(names[:end]), spec.submodule_search_locations)
    except (ImportError, ValueError):
        return None
    return spec


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _relations(entry: Entry, source: str) -> dict[str, Any]:
    declared: Any = entry.declaration
    if entry.plugin is None and declared == Declaration():
        declared = _declared(source)
    found: dict[str, Any] = {
        name: list(getattr(declared, name)) for name in RELATIONS if getattr(declared, name)
    }
    return found | {"api": declared.api}


def _declared(source: str) -> Declaration:
    """What a module that was not imported declares, where that is written out plainly."""
    for node in _tree(source).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == DECLARATION for t in node.targets):
            try:
                value = ast.literal_eval(node.value)
                names = {key: (item,) if isinstance(item, str) else tuple(item) for key, item in value.items() if key in RELATIONS}
                return Declaration(**names, api=value.get("api"))
            except (ValueError, TypeError, AttributeError):
                break
    return Declaration()


def _metadata(record: Record | None) -> Any:
    import importlib_metadata

    if record is None or record.first_party:
        return {}
    try:
        return importlib_metadata.metadata(record.distribution)
    except Exception:  # whatever is wrong with somebody's metadata, the rest is shown
        return {}


def _address(record: Record | None) -> str | None:
    metadata = _metadata(record)
    urls: dict[str, str] = {}
    for line in metadata.get_all("Project-URL", ()) if metadata else ():
        label, _, address = line.partition(",")
        urls[label.strip().lower()] = address.strip()
    for label in ("documentation", "docs", "homepage", "home", "repository", "source"):
        if label in urls:
            return urls[label]
    return metadata.get("Home-page") or next(iter(urls.values()), None)


def _hooks(state: State, entry: Entry) -> list[dict[str, Any]]:
    from .showing import where

    found = []
    for implementation in entry.implementations:
        order = state.manager.implementations(implementation.hook)
        spec = state.manager.spec(implementation.hook)
        file, line = where(implementation.function)
        found.append(
            {
                "hook": implementation.hook,
                "kind": spec.info.kind,
                "colour": spec.info.colour,
                "place": order.index(implementation) + 1,
                "of": len(order),
                "file": file,
                "line": line,
            }
        )
    return found


def _configuration(state: State, name: str) -> list[dict[str, Any]] | None:
    """The fields of a plugin's schema with their values and places; None when it has no schema, or is off."""
    bound = state.manager.configuration.bound(name)
    if bound is None:
        return None
    from ..schemas import fields_of

    sources = bound.sources()
    found = []
    for field in fields_of(bound.schema):
        value = getattr(bound.value, field.name, None)
        shown = "(secret)" if field.secret else show(value)
        found.append(
            {
                "key": field.name,
                "type": _type_text(field.hint),
                "value": None if field.secret else _plain(value),
                "shown": shown,
                "source": sources.get(field.name, "default"),
                "required": field.required,
                "secret": field.secret,
                "documentation": str(field.metadata.get("help") or field.metadata.get("doc") or ""),
            }
        )
    return found


def _type_text(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _plain(value: Any) -> Any:
    """A value as JSON has it, without secrets."""
    if is_dataclass(value) and not isinstance(value, type):
        names = {field.name: is_secret(field.name, field.metadata) for field in fields(value)}
        return {name: None if secret else _plain(getattr(value, name, None)) for name, secret in names.items()}
    if isinstance(value, Mapping):
        return {str(key): None if is_secret(str(key)) else _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return without_passwords(value)
    return value if value is None or isinstance(value, (bool, int, float)) else show(value)


def _routes(app: Quart | None, name: str) -> list[dict[str, Any]] | None:
    """The routes that a plugin added; None without an application."""
    if app is None:
        return None
    return [
        {
            "rule": rule.rule,
            "endpoint": rule.endpoint,
            "methods": [] if rule.websocket else sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}),
            "websocket": bool(rule.websocket),
        }
        for rule in app.url_map.iter_rules()
        if rule.plugin == name
    ]


def _commands(app: Quart | None, name: str) -> list[dict[str, str]] | None:
    """The commands that a plugin gives; None without an application, or when they cannot be asked for."""
    if app is None or not app.plugin_hooks.is_active(name):
        return None
    try:
        with quietly():
            found = [
                command
                for implementation in app.plugin_hooks.implementations("cli_commands")
                if implementation.plugin == name
                for command in app.plugin_hooks.call_one(implementation)(app) or ()
            ]
    except (Exception, SystemExit) as error:
        if isinstance(error, PluginError):
            return None
        return [{"name": "?", "help": f"cannot be asked for: {type(error).__name__}: {error}"}]
    return [{"name": command.name or "?", "help": command.get_short_help_str(200)} for command in found]
