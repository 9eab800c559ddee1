"""Configuration files: from bytes to values, to the line of each, and to an error that says what, where
and the cure.

Each reader takes the path and the bytes, and gives the values and a function from a key to its line (or
None where that cannot be told: the key stands in several places). Must not know: Config.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

Lines = Callable[[str], int | None]


class ConfigFileError(ValueError):
    """A configuration file cannot be understood; the parser's error is chained.

    path  the file; `line` counts from 1, or is None where it is not known.
    """

    def __init__(self, message: str, path: str, line: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.line = line


def load_toml(path: str, raw: bytes) -> tuple[Mapping[str, Any], Lines]:
    import tomllib

    text = _text(path, raw)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise read_error(path, error) from error
    return values, lambda key: _line(text, rf"^\s*(\[\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")


def load_json(path: str, raw: bytes) -> tuple[Mapping[str, Any], Lines]:
    import json

    text = _text(path, raw)
    try:
        values = json.loads(text)
    except ValueError as error:
        raise read_error(path, error) from error
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise ConfigFileError(
            f'the configuration file {path} holds a {kind}; it has to hold an object, {{"NAME": value}}', path
        )
    return values, lambda key: _line(text, rf"\"{re.escape(key)}\"\s*:")


def run_python(path: str, raw: bytes) -> tuple[Mapping[str, Any], Lines]:
    try:
        tree = ast.parse(raw, filename=path)
    except (SyntaxError, ValueError) as error:
        raise read_error(path, error) from error
    module = ModuleType("config")
    module.__file__ = path
    try:
        exec(compile(tree, path, "exec"), module.__dict__)
    except Exception as error:
        error.add_note(f"While the configuration file {path} was run.")
        raise
    return vars(module), _assignments(tree).get


def read_error(path: str, error: Exception) -> ConfigFileError:
    """What a parser's error means for who wrote the file."""
    line = getattr(error, "lineno", None)
    text = str(error)
    if isinstance(error, UnicodeDecodeError):
        return ConfigFileError(
            f"the configuration file {path} is not UTF-8 ({error.reason} at byte {error.start});"
            " save it as UTF-8",
            path,
        )
    if isinstance(error, SyntaxError):
        text = error.msg
    elif line is None and (found := re.search(r"at line (\d+)", text)):
        line = int(found[1])
    where = f"{path}:{line}" if line is not None else path
    cure = "correct that line" if line is not None else "correct the file"
    return ConfigFileError(f"the configuration file {where} cannot be understood: {text}; {cure}", path, line)


def _text(path: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise read_error(path, error) from error


def _line(text: str, pattern: str) -> int | None:
    found = list(re.finditer(pattern, text, re.MULTILINE))
    if len(found) != 1:
        return None
    start = found[0].start() + len(found[0][0]) - len(found[0][0].lstrip())
    return text.count("\n", 0, start) + 1


def _assignments(tree: ast.Module) -> dict[str, int]:
    """name -> the line of its only assignment."""
    lines: dict[str, int] = {}
    several: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if node.id in lines:
                several.add(node.id)
            lines[node.id] = node.lineno
    return {name: line for name, line in lines.items() if name not in several}
