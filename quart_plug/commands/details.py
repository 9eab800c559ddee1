"""All that is known of one plugin, as data; of one that is off without importing it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from ..app import Quart
from ..exceptions import PluginError
from ..hooks.discovery import Record, discover
from ..hooks.entries import Entry
from ..hooks.relations import DECLARATION, Declaration, read_declaration
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
        "configuration": [field.to_json() for field in state.manager.configuration.fields(report.name)],
        "routes": _routes(state.app, report.name),
        "commands": _commands(state.app, report.name),
        "conflicts": [each.to_json() for each in state.report.conflicts if report.name in each.plugins],
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
        found = find_module(module)
        file = found.origin if found is not None and found.has_location else None
    try:
        with open(file or "", encoding="utf-8") as source:
            return file, source.read()
    except (OSError, UnicodeDecodeError):
        return file, ""


def find_module(module: str) -> ModuleSpec | None:
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


def names_in(tree: ast.Module) -> set[str] | None:
    """The names that a module has once it is imported; None where only importing it would tell."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return None if "*" in names or "__getattr__" in names else names


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _relations(entry: Entry, source: str) -> dict[str, Any]:
    declared: Any = entry.declaration
    if entry.plugin is None and declared == Declaration():
        declared = _declared(source)
    found: dict[str, Any] = {name: list(getattr(declared, name)) for name in RELATIONS if getattr(declared, name)}
    return found | {"api": declared.api}


def _declared(source: str) -> Declaration:
    """What a module that was not imported declares, where that is written out plainly."""
    for node in _tree(source).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == DECLARATION for t in node.targets):
            try:
                return read_declaration(type("Plugin", (), {DECLARATION: ast.literal_eval(node.value)}))
            except (ValueError, TypeError, PluginError):
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
    """The commands that a plugin gives; None without an application, or when the plugin is not active."""
    if app is None or not app.plugin_hooks.is_active(name):
        return None
    owner = app.plugin_setup.footprints.owner
    # Those that its set-up put into the application's group, if there is one; it is not made to look.
    group = app.__dict__.get("cli")
    found: list[Any] = [each for each in getattr(group, "commands", {}).values() if owner(each) == name]
    try:
        with quietly():
            for implementation in app.plugin_hooks.implementations("cli_commands"):
                if implementation.plugin == name:
                    found += app.plugin_hooks.call_one(implementation)(app) or ()
    except (Exception, SystemExit) as error:
        return [{"name": "?", "help": f"cannot be asked for: {type(error).__name__}: {error}"}]
    return [{"name": command.name or "?", "help": command.get_short_help_str(200)} for command in found]
