"""What `quart-plug list` and `quart-plug doctor` show, and how a plugin is turned off in pyproject.toml.

Works with every plugin broken: uses the standard library and the hook engine only.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exceptions import PluginError

if TYPE_CHECKING:
    from .hooks.report import Report

FAULTY = frozenset({"failed", "missing", "incompatible", "blocked"})

_HEADER = re.compile(r"^[ \t]*\[ *tool *\. *[\"']?quart-plug[\"']? *\][ \t]*(?:#.*)?\r?$", re.M)
_ANY_HEADER = re.compile(r"^[ \t]*\[", re.M)
_DISABLE = re.compile(r"^[ \t]*disable[ \t]*=[ \t]*\[", re.M)


class ProjectFileError(PluginError):
    """pyproject.toml is not there, or not in a form that can be edited; the text says what to write into it."""


def inspect_plugins(folder: Path) -> Report:
    """Load what is enabled in this folder, without any application, and report how it went.

    A plugin that fails only changes its own line; what is wrong with the settings is in `problems`.
    """
    # Late, for these lie above: plugins are asked for the schema of their configuration by an app.
    from .app import Quart
    from .plugin_setup import CHECKED, start_plugins

    app = Quart("quart_plug", root_path=str(folder))
    app.config["PLUGINS_STRICT"] = False
    with unlogged():  # the report says the same, in order
        try:
            start_plugins(app, CHECKED)
        except PluginError as error:
            report = app.plugin_hooks.report()
            return report if report.problems else replace(report, problems=(str(error),))
        return app.plugin_hooks.report()


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep what plugins do wrong out of the log, because somebody tells it in another way."""
    logger = logging.getLogger("quart_plug.plugins")
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was


def format_report(report: Report) -> str:
    """A table: name, status, version, distribution, and why it is in that state; then the problems."""
    rows = [
        (
            plugin.name,
            plugin.status,
            plugin.version or "-",
            plugin.distribution or "-",
            " ".join((plugin.reason or ", ".join(plugin.requested_by)).split()),
        )
        for plugin in report
    ]
    text = table(("Name", "Status", "Version", "Distribution", "Why"), rows)
    return text + "".join(f"\nProblem: {problem}" for problem in report.problems)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their widest entry, with a line below the head."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    # The last column is prose, and a rule as long as a sentence would help nobody.
    ruled = [*widths[:-1], len(head[-1])]
    lines.insert(1, tuple("-" * width for width in ruled))
    return "\n".join(
        "  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def faults(report: Report) -> list[str]:
    """Everything that is wrong, a line each; empty when nothing is."""
    found = list(report.problems)
    for plugin in report:
        if plugin.status in FAULTY:
            origin = f" ({plugin.distribution} {plugin.version or ''}".rstrip() + ")" if plugin.distribution else ""
            found.append(f"{plugin.name}{origin} is {plugin.status}: {plugin.reason}")
    return found


def project_file(folder: Path) -> Path:
    """The nearest pyproject.toml, from the folder upward."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return path
    raise ProjectFileError(
        f"there is no pyproject.toml in {folder} or above it; make one, or set QUART_PLUG_DISABLE instead"
    )


def disable_in(path: Path, name: str) -> bool:
    """Add the plugin to `disable` of [tool.quart-plug]; False when it is there already.

    Nothing else in the file changes, comments included. Raises ProjectFileError when that cannot be done.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        before = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectFileError(f"{path} cannot be read: {error}") from error
    disabled = before.get("tool", {}).get("quart-plug", {}).get("disable", [])
    if isinstance(disabled, list) and name in disabled:
        return False
    changed = _with_disabled(text, name)
    if not _is_the_wanted_change(before, changed, name):
        raise ProjectFileError(
            f'{path} is in a form that cannot be edited safely; write disable = ["{name}"] '
            "below [tool.quart-plug] yourself"
        )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(changed)
    return True


def _with_disabled(text: str, name: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    header = _HEADER.search(text)
    if header is None:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        return f'{text}{gap}[tool.quart-plug]{newline}disable = ["{name}"]{newline}'
    following = _ANY_HEADER.search(text, header.end())
    key = _DISABLE.search(text, header.end(), following.start() if following is not None else len(text))
    if key is None:
        line = text.find("\n", header.start()) + 1
        if line == 0:
            return f'{text}{newline}disable = ["{name}"]{newline}'
        return f'{text[:line]}disable = ["{name}"]{newline}{text[line:]}'
    is_empty = re.match(r"\s*\]", text[key.end() :]) is not None
    return f'{text[: key.end()]}"{name}"{"" if is_empty else ", "}{text[key.end() :]}'


def _is_the_wanted_change(before: dict[str, Any], changed: str, name: str) -> bool:
    try:
        after = tomllib.loads(changed)
        table = after["tool"]["quart-plug"]
        disabled = list(table["disable"])
        disabled.remove(name)
        if disabled or "disable" in before.get("tool", {}).get("quart-plug", {}):
            table["disable"] = disabled
        else:
            del table["disable"]
        expected = {**before, "tool": {"quart-plug": {}, **before.get("tool", {})}}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return False
    return after == expected
