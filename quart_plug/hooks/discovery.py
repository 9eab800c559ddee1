"""Which plugins are installed: entry points of the group `quart_plug.plugins`, read without importing any
of them.

One broken distribution hides nothing but itself: what cannot be read becomes a line of
`Discovery.problems`. The result is kept for the process and read again when `sys.path`, or a folder on it,
has changed; `reset()` forgets it. Must not know: which plugins are wanted, apps.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from ..exceptions import PluginNotFound

GROUP = "quart_plug.plugins"
FIRST_PARTY = "quart-plug"

# https://packaging.python.org/en/latest/specifications/entry-points/#data-model
_VALUE = re.compile(
    r"^(?P<module>\w+(?:\.\w+)*)\s*(?::\s*(?P<attribute>\w+(?:\.\w+)*))?\s*(?:\[(?P<extras>.*)\])?$"
)
# https://packaging.python.org/en/latest/specifications/core-metadata/
_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S+)[ \t\r]*$", re.M | re.I)


def normalise(distribution: str) -> str:
    """A distribution's name as PEP 503 compares it: quart_Plug and quart-plug are one."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


class Record(NamedTuple):
    """One entry point: what is known of a plugin without importing it.

    value        the entry point's object reference, `module` or `module:attribute`, perhaps with `[extras]`.
    version      None when the distribution's metadata cannot be read.
    first_party  it belongs to the distribution quart-plug itself.
    """

    name: str
    value: str
    distribution: str
    version: str | None
    first_party: bool = False

    @property
    def qualified(self) -> str:
        """`distribution:name`, which is how one of two plugins of a name is chosen."""
        return f"{self.distribution}:{self.name}"

    @property
    def reference(self) -> str:
        """The value without extras and blanks, comparable with an import string."""
        return self.value.partition("[")[0].replace(" ", "")

    @property
    def extras(self) -> tuple[str, ...]:
        match = _VALUE.match(self.value.strip())
        return tuple(re.findall(r"[\w.-]+", match["extras"] or "")) if match else ()

    def load(self) -> Any:
        """Import the module and get the object.
        Raises whatever the import raises, ValueError for a bad value.
        """
        return import_reference(self.value)


def import_reference(value: str) -> Any:
    """Import `module` or `module:attribute.path`; ValueError when `value` is neither."""
    match = _VALUE.match(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not an object reference; it has to be `module` or `module:attribute`")
    loaded: Any = import_module(match["module"])
    for part in (match["attribute"] or "").split("."):
        loaded = getattr(loaded, part) if part else loaded
    return loaded


class Discovery(NamedTuple):
    """What is installed, sorted by name, first-party first; and what could not be read."""

    records: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()

    def named(self, name: str) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.name == name)


def find_record(name: str) -> Record:
    """The installed plugin of this name (of several the first-party one, else the first);
    else PluginNotFound.
    """
    records = discover().named(name)
    if not records:
        raise PluginNotFound(
            f"the plugin {name!r} is not installed: no distribution has an entry point of that name in the"
            f" group {GROUP!r}; install the one that has it (of quart-plug's own: reinstall quart-plug)"
        )
    return records[0]


_cache: tuple[Any, Discovery] | None = None


def discover() -> Discovery:
    """Read the installed plugins' metadata; kept until `sys.path` or one of its folders changes."""
    global _cache
    key = tuple((entry, _changed_at(entry)) for entry in sys.path)
    if _cache is None or _cache[0] != key:
        _cache = key, _read()
    return _cache[1]


def reset() -> None:
    """Forget what was read, so that the next `discover()` reads again."""
    global _cache
    _cache = None


def _changed_at(entry: str) -> int:
    try:
        return os.stat(entry or ".").st_mtime_ns
    except OSError:
        return 0


def _read() -> Discovery:
    import importlib_metadata  # here: 20 ms that an app whose plugins are never needed does not pay

    records: list[Record] = []
    problems: list[str] = []
    seen: set[str] = set()
    for distribution in importlib_metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt")
            if not text or GROUP not in text:
                continue
            name, version = _identity(distribution)
            if normalise(name) in seen:
                continue  # installed twice: the first on sys.path is the one that imports find
            seen.add(normalise(name))
            if _is_hidden(name, text):
                continue
            records += _records(text, name, version, problems)
        except Exception as error:
            where = getattr(distribution, "_path", distribution)
            problems.append(
                f"the metadata of {where} cannot be read ({type(error).__name__}: {error}); reinstall it"
            )
    records.sort(key=lambda record: (record.name, not record.first_party))
    return Discovery(tuple(records), tuple(problems))


def _identity(distribution: Any) -> tuple[str, str | None]:
    # Read by hand: two lines, for which `distribution.metadata` imports a parser of e-mail.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    header = {field.title(): value for field, value in _FIELD.findall(text.partition("\n\n")[0])}
    name = header.get("Name")
    if not name:
        raise ValueError("it has no name")
    return name, header.get("Version")


def _is_hidden(name: str, text: str) -> bool:
    """Whether a distribution of the same name, without these entry points, comes earlier on sys.path."""
    import importlib_metadata

    try:
        return importlib_metadata.distribution(name).read_text("entry_points.txt") != text
    except importlib_metadata.PackageNotFoundError:
        return False  # its folder has another name than its metadata


def _records(text: str, distribution: str, version: str | None, problems: list[str]) -> Iterator[Record]:
    for line in _section(text, GROUP):
        name, separator, value = (part.strip() for part in line.partition("="))
        if separator and name and value:
            yield Record(name, value, distribution, version, normalise(distribution) == FIRST_PARTY)
        else:
            problems.append(f"{distribution}: the entry point {line!r} is not of the form `name = module`")


def _section(text: str, group: str) -> Iterator[str]:
    inside = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and line and not line.startswith(("#", ";")):
            yield line
