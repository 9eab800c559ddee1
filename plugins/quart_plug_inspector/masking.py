"""What must not be seen, and how the rest is written: values of settings, headers and query strings as short texts.

What is a secret, `quart_plug.masking` knows. Objects are named by their type alone: what their `repr` tells, nobody
knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from quart_plug.masking import hides, hides_parameter, masked

__all__ = [
    *("HIDDEN", "error_text", "masked_headers", "masked_query", "masked_subprotocols", "masked_text"),
    "shown",
]

HIDDEN = "••••••"
LONGEST = 400  # characters of one value
MOST = 50  # entries of one list or dictionary, headers of one request, values of one query string
DEEPEST = 4

_SUBPROTOCOL = re.compile(r"(?>(?:[A-Za-z]?[a-z]{0,19}|[A-Z]{1,9})\d{0,3}[a-z]?(?:[._+-]|$)){1,8}")
_ANNOUNCES = re.compile(r"(?:access|id|x)?[-_.]?(?:bearer|token|auth|authorization|jwt|api[-_]?key)", re.IGNORECASE)


def masked_text(text: str) -> str:
    """A text without the secrets in it, cut when it is long."""
    text = masked(text, HIDDEN)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def error_text(error: BaseException) -> str:
    """What an error is and says."""
    try:
        text = masked_text(str(error))
    except Exception:
        text = ""  # it cannot even say it
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def masked_subprotocols(value: str) -> str:
    """Names of subprotocols; in a browser they are also the only place for a token: `bearer, eyJ…`."""
    found: list[str] = []
    is_announced = False
    for name in (each.strip() for each in value[: 8 * LONGEST].split(",")[:MOST]):
        announces = _ANNOUNCES.fullmatch(name) is not None
        is_open = not is_announced and (announces or (_SUBPROTOCOL.fullmatch(name) and not hides(name)))
        found.append(name if is_open else HIDDEN)
        is_announced = announces and not is_announced
    return ", ".join(found)


def masked_query(query: str) -> str:
    """A query string, decoded to be read, with the values of secrets hidden."""
    pairs = parse_qsl(query[: 8 * LONGEST], keep_blank_values=True, errors="replace")[:MOST]
    parts = (f"{name}={HIDDEN if hides_parameter(name) else masked_text(value)}" for name, value in pairs)
    return "&".join(parts)[: 2 * LONGEST]


def masked_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """[name, value] of each header of an ASGI scope, secrets hidden."""
    found = []
    for raw_name, raw_value in list(headers)[:MOST]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() == "sec-websocket-protocol":
            text = masked_subprotocols(value)
        else:
            text = HIDDEN if hides(name) else masked_text(value)
        found.append([name[:LONGEST], text])
    return found


def shown(name: str, value: Any, secrets: Iterable[str] = (), depth: int = 0) -> str:
    """A setting's value as a text; of one that cannot be looked at, its type.

    secrets  texts that are hidden wherever they stand.
    """
    try:
        return _shown(name, value, secrets, depth)
    except Exception:
        return f"<{type(value).__name__}>"


def _shown(name: str, value: Any, secrets: Iterable[str], depth: int) -> str:
    if value is None or value is True or value is False:
        return str(value)
    if value is ...:
        return "…"
    if hides(name):
        return repr(value) if isinstance(value, (str, bytes, list, tuple, dict)) and not value else HIDDEN
    if isinstance(value, Mapping):
        if depth >= DEEPEST:
            return "{…}"
        parts = [
            f"{_plain(key, secrets)}: {shown(str(key), inner, secrets, depth + 1)}"
            for key, inner in list(value.items())[:MOST]
        ]
        return _cut("{" + ", ".join(parts) + (", …" if len(value) > MOST else "") + "}")
    if isinstance(value, (list, tuple, set, frozenset)):
        if depth >= DEEPEST:
            return "[…]"
        parts = [shown("", inner, secrets, depth + 1) for inner in list(value)[:MOST]]
        brackets = {list: "[]", tuple: "()"}.get(type(value), "{}")
        return _cut(brackets[0] + ", ".join(parts) + (", …" if len(value) > MOST else "") + brackets[1])
    return _plain(value, secrets)


def _plain(value: Any, secrets: Iterable[str]) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return repr(masked_text(value))
    if isinstance(value, (int, float, complex, UUID, PurePath, date, time)):
        return _cut(str(value))
    if isinstance(value, timedelta):
        return str(value)
    named = getattr(value, "__qualname__", None)
    if isinstance(named, str):
        return _cut(f"{getattr(value, '__module__', '?')}.{named}")
    return _cut(f"<{type(value).__module__}.{type(value).__qualname__}>")


def _cut(text: str) -> str:
    return text if len(text) <= 4 * LONGEST else f"{text[: 4 * LONGEST]}…"
