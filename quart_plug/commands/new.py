"""`plugins new`: a distribution with a plugin, to begin with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..hooks.discovery import FIRST_PARTY, discover, normalise
from ..hooks.places import environment_form
from ..hooks.selection import CORE
from .output import Screen, print_json
from .skeleton import FILES
from .state import CommandError

PREFIX = f"{FIRST_PARTY}-"

# https://packaging.python.org/en/latest/specifications/name-normalization/#name-format
_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")


@dataclass(frozen=True)
class Names:
    """plugin        the entry point, which settings and messages use: rate_limit
    distribution  what is installed: quart-plug-rate-limit
    module        what is imported: quart_plug_rate_limit
    """

    plugin: str
    distribution: str
    module: str


def names_of(name: str) -> Names:
    """The names that follow from what the user wrote, with or without `quart-plug-` before it.

    CommandError when it cannot be the name of a distribution, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name!r} cannot be the name of a plugin: it has to be of the letters a to z, digits, and -, _ or .,"
            " with a letter or digit at both ends, such as rate-limit",
            2,
        )
    dashed = normalise(name)
    if dashed == FIRST_PARTY or dashed == "quart":
        raise CommandError(f"{name!r} is the framework's own name; say what the plugin is for, such as rate-limit", 2)
    dashed = dashed.removeprefix(PREFIX)
    plugin = dashed.replace("-", "_")
    names = Names(plugin, PREFIX + dashed, f"quart_plug_{plugin}")
    taken = [record for record in discover().records if record.name in (plugin, dashed)]
    if plugin in CORE or any(record.first_party for record in taken):
        raise CommandError(f"{plugin!r} is a plugin of quart-plug's own; give yours another name", 2)
    if taken:
        raise CommandError(
            f"the distribution {taken[0].distribution!r}, which is installed here, has a plugin {plugin!r}; give yours"
            " another name, or uninstall that one",
            2,
        )
    return names


def make(name: str, into: str, as_json: bool) -> int:
    """Write the files of a new distribution into a folder of its own."""
    names = names_of(name)
    folder = Path(into).expanduser() / names.distribution
    if folder.exists() or folder.is_symlink():
        raise CommandError(f"{folder} exists already; nothing was written. Choose another name, or --into elsewhere", 2)
    written = []
    try:
        for path, text in files_of(names).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error}") from error
    if as_json:
        print_json(
            {
                "name": names.plugin,
                "distribution": names.distribution,
                "module": names.module,
                "folder": str(folder.absolute()),
                "files": written,
            }
        )
        return 0
    screen = Screen()
    screen.print(f"{names.distribution}, with the plugin {names.plugin}, is in {folder}:")
    for path in written:
        screen.print(f"  {path}")
    screen.print(f"\nWhat comes next:\n  cd {folder}\n  pip install --editable . --group dev\n  pytest && mypy")
    screen.print(f"and in an application's folder:\n  quart-plug plugins enable {names.plugin}")
    return 0


def files_of(names: Names) -> dict[str, str]:
    """Each file's path and text."""
    from .. import __version__

    values = {
        "name": names.plugin,
        "dashed": names.distribution.removeprefix(PREFIX),
        "distribution": names.distribution,
        "module": names.module,
        "variable": environment_form(names.plugin),
        "version": __version__,
        "year": str(date.today().year),
    }
    return {_filled(path, values): _filled(text, values) for path, text in FILES.items()}


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)
