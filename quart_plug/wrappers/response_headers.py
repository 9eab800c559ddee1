"""A response's headers, and their way onto the wire.

`Headers` is werkzeug's, with the single-value calls made cheap for plain `str` and with what HTTP forbids
refused where it is set. `wire_headers` turns any of werkzeug's headers into ASGI's list of pairs and
refuses it once more, since a list can be reached around the methods. Knows no response.

A name has to be a token (RFC 9110, 5.6.2); a value must not hold control characters other than the tab
(RFC 9110, 5.5), for a line end in a value is how responses are split. Text is sent as UTF-8, as Quart
does; RFC 9110 calls those bytes opaque.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.utils import get_content_type

Pair = tuple[bytes, bytes]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Names come from the application's code and so are few; the bound is for one that makes them up.
_wire_names: dict[str, bytes] = {}
_MOST_NAMES = 1024

# Most headers of an application are the same in every response.
_wire_pairs: dict[tuple[str, str], Pair] = {}
_MOST_PAIRS = 1024


def wire_name(name: str) -> bytes:
    """The lower-case bytes of a header's name; ValueError when it is not a token."""
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(
            f"{name!r} cannot be the name of a header: a name consists of letters, digits and !#$%&'*+-.^_`|~"
        )
    wire = name.lower().encode("ascii")
    if len(_wire_names) < _MOST_NAMES:
        _wire_names[name] = wire
    return wire


def check_text(text: str, what: str) -> None:
    """ValueError when `text`, which is `what`, holds control characters."""
    if not text.isprintable() and _CONTROL.search(text) is not None:
        raise ValueError(f"{what} must not contain line ends or other control characters: {text!r}")


def wire_headers(headers: WerkzeugHeaders) -> list[Pair]:
    """ASGI's pairs: lower-case names, bytes. ValueError names the header that HTTP does not allow."""
    pairs: list[Pair] = []
    names = _wire_names
    known = _wire_pairs
    for item in headers:
        pair = known.get(item)
        if pair is not None:
            pairs.append(pair)
            continue
        name, value = item
        wire = names.get(name)
        if wire is None:
            wire = wire_name(name)
        if not value.isprintable():  # the cheap test first: it also fails for some harmless characters
            check_text(value, f"The value of the header {name!r}")
        pair = (wire, value.encode())
        pairs.append(pair)
        if len(known) < _MOST_PAIRS and len(value) < 64:
            known[item] = pair
    return pairs


# Most bodies are short: their headers are made once. What the table does not hold is made on the spot.
LENGTHS: tuple[Pair, ...] = tuple((b"content-length", b"%d" % size) for size in range(4097))


def length_pair(size: int) -> Pair:
    return LENGTHS[size] if size < 4097 else (b"content-length", b"%d" % size)


@lru_cache(maxsize=256)
def content_type_of(mimetype: str) -> str:
    """The mimetype, with the charset where it belongs; ValueError for control characters."""
    check_text(mimetype, "A mimetype")
    return get_content_type(mimetype, "utf-8")


@lru_cache(maxsize=256)
def content_type_pair(content_type: str) -> Pair:
    check_text(content_type, "A content type")
    return b"content-type", content_type.encode()


class Headers(WerkzeugHeaders):
    """The headers of a response: werkzeug's, faster to set and stricter."""

    def __init__(self, defaults: Any = None) -> None:
        if type(defaults) is not dict:
            super().__init__(defaults)
            return
        self._list = []
        for name, value in defaults.items():
            if type(value) is str and name in _wire_names and value.isprintable():
                self._list.append((name, value))
            else:
                self.extend({name: value})

    def set(self, key: str, value: Any, /, **kwargs: Any) -> None:
        if kwargs:
            pair = WerkzeugHeaders()
            pair.add(key, value, **kwargs)
            value = pair[key]
        elif type(value) is not str:
            value = str(value)
        if key not in _wire_names:
            wire_name(key)
        if not value.isprintable():
            check_text(value, f"The value of the header {key!r}")
        items = self._list
        size = len(key)
        lower = key.lower()
        for index, (name, _) in enumerate(items):
            if len(name) == size and name.lower() == lower:
                items[index] = (key, value)
                rest = index + 1
                if rest < len(items):
                    items[rest:] = [item for item in items[rest:] if item[0].lower() != lower]
                return
        items.append((key, value))

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, str):
            self.set(key, value)
        else:
            super().__setitem__(key, value)

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        super().add(key, value, **kwargs)
        try:
            if key not in _wire_names:
                wire_name(key)
            check_text(self._list[-1][1], f"The value of the header {key!r}")
        except ValueError:
            self._list.pop()
            raise

    def _get_key(self, key: str) -> str:
        size = len(key)
        lower = key.lower()
        for name, value in self._list:
            if len(name) == size and name.lower() == lower:
                return value
        return super()._get_key(key)  # raises werkzeug's error

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        size = len(key)
        lower = key.lower()
        for name, _ in self._list:  # noqa: SIM110 - `any` with a generator takes twice as long
            if len(name) == size and name.lower() == lower:
                return True
        return False

    def __eq__(self, other: object) -> bool:
        # werkzeug compares only equal classes; a test may well compare these with werkzeug's own
        if not isinstance(other, WerkzeugHeaders):
            return NotImplemented
        return _as_set(self) == _as_set(other)

    __hash__ = None  # mutable, like werkzeug's


class _ListWhenAsked:
    """The list of `FreshHeaders`, built when anything but a plain set needs it."""

    def __get__(self, headers: FreshHeaders, owner: type) -> list[tuple[str, str]]:
        items = headers.items_so_far()
        headers.beside = None
        headers._list = items
        return items


_OWN_NAMES = (b"content-type", b"content-length")


class FreshHeaders(Headers):
    """The headers of a response that has just been made: its own two, and what was set beside them.

    Most after functions set one header, and then the headers are sent: for that no list is needed. Whatever else is
    done with them makes the list, and from then on they are like any other Headers.

    content_type, size  for Content-Type and Content-Length; None: there is none.
    """

    content_type: str | None
    size: int | None
    beside: dict[bytes, tuple[str, str]] | None  # None: there is a list now

    if not TYPE_CHECKING:
        _list = _ListWhenAsked()

    def items_so_far(self) -> list[tuple[str, str]]:
        items = []
        if self.content_type is not None:
            items.append(("Content-Type", self.content_type))
        if self.size is not None:
            items.append(("Content-Length", str(self.size)))
        items.extend((self.beside or {}).values())
        return items

    def __setitem__(self, key: Any, value: Any) -> None:
        beside = self.beside
        if beside is not None and type(value) is str:
            wire = _wire_names.get(key)
            if wire is not None and wire not in _OWN_NAMES and value.isprintable():
                beside[wire] = (key, value)
                return
        super().__setitem__(key, value)

    def __contains__(self, key: object) -> bool:
        beside = self.beside
        if beside is not None and type(key) is str:
            wire = _wire_names.get(key)
            if wire is not None and wire not in _OWN_NAMES:
                return wire in beside
        return super().__contains__(key)

    def add(self, key: str, value: Any, /, **kwargs: Any) -> None:
        beside = self.beside
        if beside is not None and type(value) is str and not kwargs:
            wire = _wire_names.get(key)
            if wire is not None and wire not in beside and wire not in _OWN_NAMES and value.isprintable():
                beside[wire] = (key, value)
                return
        super().add(key, value, **kwargs)

    def copy(self) -> Headers:  # type: ignore[override]  # a copy is not fresh
        return Headers(self._list)

    def wire(self) -> list[Pair]:
        """ASGI's pairs, while they are fresh."""
        pairs: list[Pair] = []
        if self.content_type is not None:
            pairs.append(content_type_pair(self.content_type))
        if self.size is not None:
            pairs.append(length_pair(self.size))
        for name, item in (self.beside or {}).items():
            pairs.append((name, item[1].encode()))
        return pairs


def _as_set(headers: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(name.lower(), value) for name, value in headers}


def fresh_headers(content_type: str | None, size: int | None) -> FreshHeaders:
    """The headers of a response that has just been made; a function, since it is faster than a constructor."""
    headers = object.__new__(FreshHeaders)
    headers.content_type = content_type
    headers.size = size
    headers.beside = {}
    return headers
