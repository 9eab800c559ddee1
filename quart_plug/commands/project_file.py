"""Lists of [tool.quart-plug] in pyproject.toml: an item is added or removed, and everything else stays as it is.

The text is edited, not written anew, so that comments and layout stay. Whatever the edit was meant to be, the result is
parsed and compared with what was wanted before it is written; a file in a form that this does not know is left alone,
and the error says what to write by hand.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exceptions import PluginError

_HEADER = re.compile(r"^[ \t]*\[ *tool *\. *[\"']?quart-plug[\"']? *\][ \t]*(?:#.*)?\r?$", re.M)
_ANY_HEADER = re.compile(r"^[ \t]*\[", re.M)
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+)|(?P<comment>#[^\n]*)|(?P<comma>,)|(?P<end>\])"
    r"""|(?P<text>"(?!"")(?:[^"\\\n]|\\.)*"|'(?!'')[^'\n]*')"""
)


class ProjectFileError(PluginError):
    """pyproject.toml is not there, or not in a form that can be edited; the text says what to write into it."""


def project_file(folder: Path) -> Path:
    """The nearest pyproject.toml, from the folder upward."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return path
    raise ProjectFileError(
        f"there is no pyproject.toml in {folder} or above it; make one, or set QUART_PLUG_PLUGINS or"
        " QUART_PLUG_DISABLE in the environment instead"
    )


class ProjectFile:
    """A pyproject.toml that is changed. Raises ProjectFileError when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open(encoding="utf-8", newline="") as file:
                self.text = file.read()
            tomllib.loads(self.text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ProjectFileError(f"{path} cannot be read: {error}") from error

    def items(self, key: str) -> list[Any]:
        """What the list holds; empty when it is not there, or no list."""
        table = tomllib.loads(self.text).get("tool", {}).get("quart-plug", {})
        found = table.get(key, []) if isinstance(table, dict) else []
        return found if isinstance(found, list) else []

    def add(self, key: str, item: str) -> bool:
        """Add an item at the end of a list; False when it is there already."""
        if item in self.items(key):
            return False
        changed = _with_item(self.text, key, item)
        self._take(changed, key, [*self.items(key), item], f"write {json.dumps(item)} into `{key}`")
        return True

    def remove(self, key: str, item: str) -> bool:
        """Remove an item from a list; False when it is not there."""
        if item not in self.items(key):
            return False
        kept = [each for each in self.items(key) if each != item]
        changed: str | None = self.text
        while changed is not None and item in _items(changed, key):
            changed = _without_item(changed, key, item)
        self._take(changed, key, kept, f"take {json.dumps(item)} out of `{key}`")
        return True

    def write(self) -> None:
        """Write what was changed."""
        try:
            with self.path.open("w", encoding="utf-8", newline="") as file:
                file.write(self.text)
        except OSError as error:
            raise ProjectFileError(f"{self.path} cannot be written: {error}") from error

    def _take(self, changed: str | None, key: str, items: list[Any], by_hand: str) -> None:
        if changed is None or not _is_change(self.text, changed, key, items):
            raise ProjectFileError(
                f"{self.path} is in a form that cannot be edited safely; {by_hand} below [tool.quart-plug] yourself"
            )
        self.text = changed


def _is_change(before: str, after: str, key: str, items: list[Any]) -> bool:
    """Whether the only difference is what the list holds."""
    wanted = copy.deepcopy(tomllib.loads(before))
    try:
        wanted.setdefault("tool", {}).setdefault("quart-plug", {})[key] = items
        return tomllib.loads(after) == wanted
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return False


def _items(text: str, key: str) -> list[Any]:
    try:
        found = tomllib.loads(text)["tool"]["quart-plug"][key]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


@dataclass
class _Array:
    """A list of texts, as it stands in a file.

    opening, closing  the places of its brackets.
    items             for each item where it begins, where it ends, and its value.
    commas            the places of the commas.
    """

    opening: int
    closing: int
    items: list[tuple[int, int, str]]
    commas: list[int]


def _array(text: str, key: str) -> _Array | None:
    header = _HEADER.search(text)
    if header is None:
        return None
    following = _ANY_HEADER.search(text, header.end())
    # A line that begins with a bracket may be an item of a list; whatever is found is checked by its result.
    pattern = re.compile(rf"^[ \t]*[\"']?{key}[\"']?[ \t]*=[ \t]*\[", re.M)
    found = pattern.search(text, header.end(), following.start() if following is not None else len(text))
    if found is None:
        return None
    place = found.end()
    array = _Array(place - 1, -1, [], [])
    while token := _TOKEN.match(text, place):
        if token.lastgroup == "text":
            array.items.append((token.start(), token.end(), tomllib.loads(f"x = {token[0]}")["x"]))
        elif token.lastgroup == "comma":
            array.commas.append(token.start())
        elif token.lastgroup == "end":
            array.closing = token.start()
            return array
        place = token.end()
    return None  # something that is no text: not ours to edit


def _with_item(text: str, key: str, item: str) -> str | None:
    newline = "\r\n" if "\r\n" in text else "\n"
    written = json.dumps(item, ensure_ascii=False)
    header = _HEADER.search(text)
    if header is None:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        return f"{text}{gap}[tool.quart-plug]{newline}{key} = [{written}]{newline}"
    array = _array(text, key)
    if array is None:
        below = text.find("\n", header.start()) + 1
        if below == 0:
            return f"{text}{newline}{key} = [{written}]{newline}"
        return f"{text[:below]}{key} = [{written}]{newline}{text[below:]}"
    if not array.items:
        # Before the bracket, on a line of its own where that has one.
        start = _line_start(text, array.closing)
        if start > array.opening and not text[start : array.closing].strip():
            return f"{text[:start]}    {written},{newline}{text[start:]}"
        return f"{text[: array.closing]}{written}{text[array.closing :]}"
    begin, end, _ = array.items[-1]
    trailing = next((comma for comma in array.commas if comma >= end), None)
    start = _line_start(text, begin)
    if start > array.opening and not text[start:begin].strip():
        # On a line of its own, as the last one is; a comment behind the last one stays there.
        after = end if trailing is None else trailing + 1
        rest = text.find("\n", after)
        rest = rest - 1 if text[rest - 1] == "\r" else rest
        comma = "" if trailing is not None else ","
        line = f"{newline}{text[start:begin]}{written}{'' if trailing is None else ','}"
        if not after <= rest < array.closing:
            return f"{text[:after]}{comma}{line}{text[after:]}"
        return f"{text[:after]}{comma}{text[after:rest]}{line}{text[rest:]}"
    if trailing is not None:
        return f"{text[: trailing + 1]} {written},{text[trailing + 1 :]}"
    return f"{text[:end]}, {written}{text[end:]}"


def _without_item(text: str, key: str, item: str) -> str | None:
    array = _array(text, key)
    if array is None:
        return None
    index = next((number for number, found in enumerate(array.items) if found[2] == item), None)
    if index is None:
        return None
    begin, end, _ = array.items[index]
    comma = next((place for place in array.commas if place >= end), None)
    start, stop = _line_start(text, begin), text.find("\n", end) + 1
    rest = text[end:stop].strip()
    if (
        start > array.opening
        and 0 < stop <= array.closing
        and not text[start:begin].strip()
        and (rest in ("", ",") or rest.lstrip(",").lstrip().startswith("#"))
    ):
        return text[:start] + text[stop:]  # the line, with the comment that is about it
    if index + 1 < len(array.items):
        return text[:begin] + text[array.items[index + 1][0] :]
    if index > 0:
        before = array.items[index - 1][1]
        return text[:before] + text[end if comma is None else comma + 1 :]
    return text[:begin] + text[end if comma is None else comma + 1 :]


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1
