"""What must not be seen, and how the rest is written: values of settings, headers and query strings as short texts.

A secret is told by the name that it stands under (`SECRET_KEY`, `db_password`, `Authorization`), and in an address by
its place (`postgres://ada:…@db`). Objects are named by their type alone: what their `repr` tells, nobody knows.
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

__all__ = ["HIDDEN", "hides", "masked_headers", "masked_query", "masked_text", "shown"]

HIDDEN = "••••••"
LONGEST = 400  # characters of one value
MOST = 50  # entries of one list or dictionary, headers of one request, values of one query string
DEEPEST = 4

_SECRET = re.compile(
    r"secret|passw|passphrase|token|credential|private|cookie$|set-cookie|authori[sz]ation|bearer|signature|salt|"
    r"api[-_]?key|access[-_]?key|signing[-_]?key|encryption[-_]?key|auth[-_]?key|(^|[-_])(key|keys|pwd|pass|auth|sid|"
    r"otp|pin|dsn|jwt|csrf|xsrf)$|session[-_]?id",
    re.IGNORECASE,
)
# Names that look like it, and say only where or how.
_HARMLESS = re.compile(r"^(SESSION_COOKIE_\w+|MAX_COOKIE_SIZE|PLUGINS\w*|sec-websocket-key)$", re.IGNORECASE)
# Every repetition has a limit, or begins at the edge of a word: texts may be long, and somebody else's. What may be a
# password goes as far as it can; better too much is hidden than too little.
_IN_ADDRESS = re.compile(
    r"(?P<before>[A-Za-z][A-Za-z0-9+.-]{0,30}://)"
    r"(?P<who>[^\s/?#@:]{0,200}:(?!\d{1,5}(?:[/?#]|$))\S{0,200}|[^\s/?#]{0,200})@"
)
_IN_QUERY = re.compile(r"(?<![\w.-])(?P<name>[\w.-]{1,80})=(?P<value>[^&\s#;]+)")


def hides(name: str) -> bool:
    """Whether what stands under this name is a secret."""
    return bool(_SECRET.search(name)) and not _HARMLESS.match(name)


def masked_text(text: str) -> str:
    """A text without the credentials of addresses in it, cut when it is long."""
    text = _IN_ADDRESS.sub(_without_password, text)
    if "://" in text or "?" in text:
        text = _IN_QUERY.sub(lambda match: f"{match['name']}={HIDDEN}" if hides(match["name"]) else match[0], text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _without_password(match: re.Match[str]) -> str:
    name, colon, _ = match["who"].partition(":")
    return f"{match['before']}{name}:{HIDDEN}@" if colon else f"{match['before']}{HIDDEN}@"


def masked_query(query: str) -> str:
    """A query string, decoded to be read, with the values of secrets hidden."""
    pairs = parse_qsl(query[: 8 * LONGEST], keep_blank_values=True, errors="replace")[:MOST]
    return "&".join(f"{name}={HIDDEN if hides(name) else masked_text(value)}" for name, value in pairs)[: 2 * LONGEST]


def masked_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """[name, value] of each header of an ASGI scope, secrets hidden."""
    found = []
    for raw_name, raw_value in list(headers)[:MOST]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found.append([name[:LONGEST], HIDDEN if hides(name) else masked_text(value)])
    return found


def shown(name: str, value: Any, secrets: Iterable[str] = (), depth: int = 0) -> str:
    """A setting's value as a text.

    secrets  texts that are hidden wherever they stand.
    """
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
