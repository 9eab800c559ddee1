"""JSON as scripts like it: `camelCase` outside and `snake_case` inside, and types of Python that JSON does not know.

What a view returns or sends is renamed on its way out, what a client sends on its way in, for requests and websockets.
Enums are their values, sets are lists, durations are seconds, paths are texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from quart_plug import Quart, hookimpl


def camel(name: str) -> str:
    """ "first_name" -> "firstName"; what begins with an underscore stays."""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda found: found[1].upper(), name)


def snake(name: str) -> str:
    """ "firstName" -> "first_name"; what has no lower case, as "ID", stays."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def renamed(obj: Any, rename: Callable[[str], str]) -> Any:
    """The same with the names of all its objects changed; texts that are values stay as they are."""
    if isinstance(obj, dict):
        return {rename(key) if isinstance(key, str) else key: renamed(value, rename) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [renamed(item, rename) for item in obj]
    return obj


@hookimpl
def json_dumping(app: Quart, obj: Any) -> Any:
    return renamed(obj, camel)


@hookimpl
def json_loaded(app: Quart, obj: Any) -> Any:
    return renamed(obj, snake)


@hookimpl
def json_default(app: Quart, obj: Any) -> Any:
    match obj:
        case Enum():
            return obj.value
        case set() | frozenset():
            return sorted(obj, key=str)
        case timedelta():
            return obj.total_seconds()
        case PurePath():
            return str(obj)
    return None
