"""`enable` and `disable`: write into the project's pyproject.toml what is to be on and off.

Nothing is imported: also a plugin that breaks everything can be turned off.
"""

from __future__ import annotations

import ast
from pathlib import Path

from ..exceptions import PluginError
from ..hooks import PluginManager, discovery
from ..hooks.selection import CORE
from ..hooks.suggestions import did_you_mean
from .details import find_module, names_in
from .output import Screen, print_json
from .project_file import ProjectFile, ProjectFileError, project_file
from .state import CommandError

ON, OFF = "plugins", "disable"


def enable(name: str, as_json: bool) -> int:
    """Turn a plugin on: out of `disable`, and into `plugins` unless it is a core plugin."""
    _check_installed(name)
    file = ProjectFile(project_file(Path.cwd()))
    changed = [file.remove(OFF, spelling) for spelling in _spellings(name)]
    if not _is_core(name) and not any(spelling in file.items(ON) for spelling in _spellings(name)):
        changed.append(file.add(ON, name))
    return _finish(file, name, any(changed), True, as_json)


def disable(name: str, as_json: bool) -> int:
    """Turn a plugin off: into `disable`. It keeps its place in `plugins`, which is its place in the order of calls."""
    if not _is_installed(name) and (file := _file_that_lists(name)) is not None:
        # Asked for, and gone: a name in `disable` that nobody knows would be a mistake of its own.
        file.remove(OFF, name)
        file.remove(ON, name)
        return _finish(file, name, True, False, as_json)
    _check_installed(name)
    file = ProjectFile(project_file(Path.cwd()))
    changed = not any(spelling in file.items(OFF) for spelling in _spellings(name)) and file.add(OFF, name)
    return _finish(file, name, changed, False, as_json)


def _file_that_lists(name: str) -> ProjectFile | None:
    """The project's file, if the plugin is asked for there."""
    try:
        file = ProjectFile(project_file(Path.cwd()))
    except ProjectFileError:
        return None
    return file if name in file.items(ON) else None


def _finish(file: ProjectFile, name: str, changed: bool, on: bool, as_json: bool) -> int:
    if changed:
        file.write()
    is_on, reason = _decision(name, file.path)
    if as_json:
        print_json({"name": name, "file": str(file.path), "changed": changed, "enabled": is_on, "reason": reason})
        return 0
    screen = Screen()
    word = "on" if on else "off"
    screen.prose(f"{name} is {'now' if changed else 'already'} {word}, in {file.path}")
    if is_on is not None and is_on is not on:
        screen.prose(f"But it stays {'on' if is_on else 'off'}: {reason}")
    return 0


def _decision(name: str, path: Path) -> tuple[bool | None, str]:
    """Whether the plugin is on for this folder and environment, and why; None where that cannot be told."""
    manager = PluginManager(strict=False)
    try:
        selection = manager.select(root_path=path.parent)
    except PluginError:
        return None, ""  # another setting is wrong, which `doctor` tells
    for choice in selection.choices:
        qualified = choice.record.qualified if choice.record is not None else choice.name
        if name in (choice.name, qualified) and choice.status != "shadowed":
            return choice.status == "selected", choice.reason or ", ".join(choice.requested_by)
    return None, ""


def _records(name: str) -> list[discovery.Record]:
    records = discovery.discover().records
    return [record for record in records if name in (record.name, record.qualified, record.reference)]


def _is_core(name: str) -> bool:
    return name in CORE or any(record.first_party and record.name in CORE for record in _records(name))


def _is_installed(name: str) -> bool:
    return name in CORE or bool(_records(name)) or not _fault_of_import_string(name)


def _spellings(name: str) -> list[str]:
    """Every name under which the plugin may stand in a list; the given one first.

    A short name that several distributions have is none of the others'.
    """
    found = [name]
    for record in _records(name):
        alone = len(discovery.discover().named(record.name)) == 1
        found += [record.qualified, record.reference, *([record.name] if alone or record.first_party else [])]
    return list(dict.fromkeys(found))


def _check_installed(name: str) -> None:
    """CommandError when no plugin has the name, or several distributions have it and none of them is quart-plug."""
    records = _records(name)
    if name in CORE or any(record.first_party or name != record.name for record in records):
        return
    if len(records) > 1:
        listed = " or ".join(repr(record.qualified) for record in records)
        raise CommandError(f"several distributions have a plugin {name!r}; choose {listed}", 2)
    if records:
        return
    if "." in name or ":" in name or find_module(name) is not None:
        fault = _fault_of_import_string(name)
        if fault:
            raise CommandError(fault, 2)
        return
    known = {record.name for record in discovery.discover().records} | set(CORE)
    raise CommandError(f"no plugin {name!r} is installed{did_you_mean(name, known)}; `quart-plug list` shows them", 2)


def _fault_of_import_string(name: str) -> str:
    """What is wrong with `module` or `module:attribute`, or "". Nothing is imported to know it."""
    module, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in f"{module}.{attribute or 'x'}".split(".")):
        return f"{name!r} is neither an installed plugin nor an import string, `module` or `module:attribute`"
    spec = find_module(module)
    if spec is None:
        known = {record.qualified for record in discovery.discover().records}
        here = Path.cwd().iterdir()
        known |= {path.stem for path in here if path.suffix == ".py" or (path / "__init__.py").is_file()}
        return f"there is no module {module!r}, nor an installed plugin {name!r}{did_you_mean(module, known)}"
    if not attribute or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    try:
        tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ""  # what is wrong with it is told when it is loaded
    names = names_in(tree)
    first = attribute.partition(".")[0]
    if names is None or first in names:
        return ""
    return f"{module!r} ({spec.origin}) has no {first!r}{did_you_mean(first, names)}"
