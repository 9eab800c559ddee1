"""`list`, `show` and `hooks`: what is there, why it is so, and in which order it is called."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from ..hooks.calls import HookSpec, Implementation
from ..hooks.origins import Origin
from ..hooks.report import PluginReport
from ..hooks.suggestions import did_you_mean
from .details import details
from .output import Screen, print_json
from .state import CommandError, State

STATUS_STYLES = {
    "active": "green",
    "disabled": "dim",
    "shadowed": "yellow",
    **dict.fromkeys(("blocked", "failed", "incompatible", "missing"), "red"),
}


# list


def show_list(state: State, as_json: bool) -> int:
    """Every plugin that is installed or asked for, its state, and why it is in it."""
    report = state.report
    if as_json:
        print_json(report.to_json() | {"application": state.application()})
        return state.status
    screen = Screen()
    head = ("Name", "Status", "Version", "Distribution", "Why")
    screen.table(head, [list_row(plugin) for plugin in report], STATUS_STYLES)
    for problem in (*report.problems, *(conflict.text for conflict in report.conflicts)):
        for line in f"Problem: {problem}".splitlines():
            screen.print("\n".join(screen.wrapped(line, "  ")))
    return state.status


def list_row(plugin: PluginReport) -> tuple[str, ...]:
    why = plugin.reason or ", ".join(plugin.requested_by)
    return plugin.name, plugin.status, plugin.version or "-", plugin.distribution or "-", " ".join(why.split())


# hooks


def show_hooks(state: State, as_json: bool, name: str | None) -> int:
    """Who implements a hook, in call order; without a name, of every hook."""
    specs = state.manager.specs
    if name is None:
        if as_json:
            print_json({"hooks": [hook_json(state, spec) for spec in specs.values()]})
        else:
            _print_hooks(state)
        return state.status
    if name not in specs:
        hint = did_you_mean(name, specs)
        if not hint and any(plugin.name == name for plugin in state.report):
            hint = f"; it is a plugin: quart-plug plugins show {name}"
        raise CommandError(f"there is no hook {name!r}{hint}", 2)
    if as_json:
        print_json(hook_json(state, specs[name]))
    else:
        _print_hook(state, specs[name])
    return state.status


def hook_json(state: State, spec: HookSpec) -> dict[str, Any]:
    implementations = state.manager.implementations(spec.name)
    return {
        "name": spec.name,
        "kind": spec.info.kind,
        "colour": spec.info.colour,
        "arguments": list(spec.arguments),
        "provider": spec.info.provider,
        "specified_by": spec.owner,
        "documentation": spec.documentation,
        "implementations": [
            implementation_json(implementation, place) for place, implementation in enumerate(implementations, 1)
        ],
    }


def implementation_json(implementation: Implementation, place: int) -> dict[str, Any]:
    file, line = where(implementation.function)
    return {
        "place": place,
        **implementation.origin.to_json(),
        "function": getattr(implementation.function, "__qualname__", repr(implementation.function)),
        "file": file,
        "line": line,
        "tryfirst": implementation.tryfirst,
        "trylast": implementation.trylast,
        "conditional": implementation.is_conditional,
    }


def where(function: Any) -> tuple[str | None, int | None]:
    """The file and line of a function, or None."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return (None, None) if code is None else (code.co_filename, code.co_firstlineno)


def _print_hooks(state: State) -> None:
    screen = Screen()
    rows = [
        (
            spec.name,
            spec.info.kind,
            spec.info.colour,
            "" if spec.owner == "quart_plug" else spec.owner,
            ", ".join(_marked(i) for i in state.manager.implementations(spec.name)) or "-",
        )
        for spec in state.manager.specs.values()
    ]
    if not any(row[3] for row in rows):
        screen.table(("Hook", "Kind", "Colour", "Implemented by, in call order"), [(*row[:3], row[4]) for row in rows])
    else:
        screen.table(("Hook", "Kind", "Colour", "Of plugin", "Implemented by, in call order"), rows)


def _marked(implementation: Implementation) -> str:
    """The plugin, and what moves its implementation."""
    marks = [name for name in ("tryfirst", "trylast") if getattr(implementation, name)]
    marks += ["when asked"] if implementation.is_conditional else []
    return implementation.plugin + (f" ({', '.join(marks)})" if marks else "")


def _print_hook(state: State, spec: HookSpec) -> None:
    screen = Screen()
    screen.print(screen.styled(f"{spec.name}({', '.join(spec.arguments)})", "bold"))
    facts = f"{spec.info.kind}, {spec.info.colour}"
    if spec.info.provider is not None:
        facts += f"; a slot, filled by the plugin {spec.info.provider!r} unless another one does"
    facts += "" if spec.owner == "quart_plug" else f"; specified by the plugin {spec.owner!r}"
    screen.prose(facts, "  ")
    if spec.documentation:
        screen.print()
        screen.prose(spec.documentation, "  ")
    screen.print()
    rows = []
    for place, implementation in enumerate(state.manager.implementations(spec.name), 1):
        file, line = where(implementation.function)
        place_of = f"{file}:{line}" if file else getattr(implementation.function, "__qualname__", "-")
        rows.append((str(place), _marked(implementation), place_of))
    if rows:
        screen.table(("", "Plugin", "Where"), rows)
    else:
        screen.print("No active plugin implements it.")


# show


def show_plugin(state: State, as_json: bool, name: str) -> int:
    """Everything about one plugin."""
    known = details(state, name)
    if as_json:
        print_json(known)
        return state.status
    screen = Screen()
    title = Origin(known["name"], known["distribution"], known["version"]).label
    screen.print(screen.styled(title, "bold"))
    if known["documentation"]:
        screen.prose(known["documentation"].split("\n\n")[0], "  ")
    screen.print()
    _print_facts(screen, known)
    _print_parts(screen, known)
    return state.status


def _print_facts(screen: Screen, known: dict[str, Any]) -> None:
    status = screen.styled(known["status"], STATUS_STYLES.get(known["status"], ""))
    reason = " ".join(known["reason"].split())
    facts: list[tuple[str, str]] = [("Status", status + (f": {reason}" if reason else ""))]
    facts.append(("Asked for by", ", ".join(known["requested_by"]) or "nobody"))
    if known["status"] == "disabled":
        facts.append(("To turn it on", f"quart-plug plugins enable {known['name']}"))
    facts.append(("Entry point" if known["distribution"] else "Import string", known["value"] or "-"))
    facts.append(("File", known["file"] or "-"))
    relations = {label: names for label, names in known["relations"].items() if label != "api"}
    facts += [(label.capitalize(), ", ".join(names)) for label, names in relations.items()]
    facts.append(("Plugin API", known["relations"]["api"] or ""))
    facts += [("Specifies hooks", ", ".join(known["specifies"])), ("Same name in", ", ".join(known["others"]))]
    facts += [("More about it", known["documentation_url"] or "")]
    shown = [(label, text) for label, text in facts if text]
    size = max(len(label) for label, _ in shown) + 2
    for label, text in shown:
        start = f"{label}:".ljust(size)
        lines = screen.wrapped(text, " " * size, size) if "\x1b" not in text else [" " * size + text]
        screen.print(start + lines[0][size:])
        for line in lines[1:]:
            screen.print(line)


def _print_parts(screen: Screen, known: dict[str, Any]) -> None:
    def section(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        if rows:
            screen.print(f"\n{screen.styled(title, 'bold')}")
            screen.table(head, rows)

    section(
        "Hooks",
        ("Hook", "Kind", "Place", "Where"),
        [
            (each["hook"], each["kind"], f"{each['place']} of {each['of']}", _near(each, known["file"]))
            for each in known["hooks"]
        ],
    )
    section(
        "Configuration",
        ("Key", "Type", "Value", "From"),
        [
            (field["name"], field["type"], json.dumps(field["value"], ensure_ascii=False, default=str), field["source"])
            for field in known["configuration"]
        ],
    )
    section(
        "Routes",
        ("Rule", "Methods", "Endpoint"),
        [
            (route["rule"], "websocket" if route["websocket"] else ", ".join(route["methods"]), route["endpoint"])
            for route in known["routes"] or ()
        ],
    )
    section("Commands", ("Command", "What it does"), [(c["name"], c["help"]) for c in known["commands"] or ()])
    for conflict in known["conflicts"]:
        screen.print()
        screen.prose(f"Conflict: {conflict['text']}")


def _near(hook: dict[str, Any], plugin: str | None) -> str:
    """The place of a hook's function: relative to the folder of the plugin's file, which is shown, if it is there."""
    if hook["file"] is None:
        return "-"
    path = Path(hook["file"])
    if plugin is not None and path.is_relative_to(Path(plugin).parent):
        path = path.relative_to(Path(plugin).parent)
    return f"{path}:{hook['line']}"
