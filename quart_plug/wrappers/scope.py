"""An ASGI scope, read once for requests and websockets alike: headers, path, peer and the declared length.

Everything here is a function or a view of the scope (https://asgi.readthedocs.io/en/latest/specs/www.html);
nothing is stored, and nothing is decoded before it is asked for. Knows no request, no app and no context.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, BadRequestKeyError

if TYPE_CHECKING:
    from ..typing import Scope

LOCAL_PEER = "<local>"  # Quart's name for a client without an address, as on a Unix socket


class _Names(dict[str, bytes | None]):
    """A header name as code writes it -> the bytes of the scope; None where only decoded headers can answer.

    That is a name that is not ASCII (its lower case may be: U+212A is a k), and Remote-Addr, which the scope
    lacks.
    """

    def __missing__(self, key: str) -> bytes | None:
        lower = key.lower()
        name = lower.encode() if key.isascii() and lower != "remote-addr" else None
        if len(self) < 512:  # names come from code, but code may pass on what a client sent
            self[key] = name
        return name


_NAMES = _Names()


class _DecodedPairs:
    """`ScopeHeaders._list`: decodes every header when werkzeug's own methods first need the whole."""

    def __get__(self, headers: Any, owner: type) -> Any:
        if headers is None:
            return self
        pairs = [("Remote-Addr", remote_address(headers._scope))]
        pairs += [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in headers._raw]
        headers._raw = None
        headers.__dict__["_list"] = pairs
        return pairs


_new = object.__new__


def headers_of(scope: Scope) -> ScopeHeaders:
    """`ScopeHeaders(scope)` without the call of a class, for the hot path."""
    headers = _new(ScopeHeaders)
    headers._scope = scope
    headers._raw = scope["headers"]
    return headers


class ScopeHeaders(Headers):
    """A connection's headers, which look at the scope's bytes for one name and decode all only for the rest.

    As in Quart, names read in Title-Case and the peer's address comes first, as Remote-Addr, so that a
    client's header of that name cannot pass for it. Changes are kept here; the scope is never written to.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._raw = scope["headers"]

    def copy(self) -> Headers:  # type: ignore[override]  # a copy is of no scope
        return Headers(self._list)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return {(k.lower(), v) for k, v in self._list} == {(k.lower(), v) for k, v in other._list}

    __hash__ = None

    if not TYPE_CHECKING:  # the types are those of werkzeug's methods
        _list = _DecodedPairs()

        def __getitem__(self, key):
            if isinstance(key, str):
                raw = self._raw
                if raw is not None:
                    wanted = _NAMES[key]
                    for name, value in raw:
                        if name == wanted:
                            return value.decode("latin-1")
                    if wanted is not None:
                        raise BadRequestKeyError(key)
                return self._get_key(key)
            found = self._list[key]
            return Headers(found) if isinstance(key, slice) else found

        def get(self, key, default=None, type=None):
            raw = self._raw
            if raw is not None and type is None:
                wanted = _NAMES[key]
                for name, value in raw:
                    if name == wanted:
                        return value.decode("latin-1")
                if wanted is not None:
                    return default
            return super().get(key, default, type)

        def __contains__(self, key):
            raw = self._raw
            if raw is not None:
                wanted = _NAMES[key]
                for name, _ in raw:
                    if name == wanted:
                        return True
                if wanted is not None:
                    return False
            return super().__contains__(key)

        def getlist(self, key, type=None):
            raw = self._raw
            if raw is not None and type is None:
                wanted = _NAMES[key]
                if wanted is not None:
                    return [value.decode("latin-1") for name, value in raw if name == wanted]
            return super().getlist(key, type)


def path_of(scope: Scope) -> str | None:
    """The path that routing matches: below `root_path`, with one leading slash. None: no rule may match.

    ASGI's `path` includes `root_path`. Outside of it, and for `*` (RFC 9112, 3.2.4), nothing
    matches.
    """
    path: str = scope["path"]
    root = scope.get("root_path")
    if not root and path[:1] == "/" and path[1:2] != "/":
        return path
    return _unusual_path(path, (root or "").rstrip("/"))


def _unusual_path(path: str, root: str) -> str | None:
    if path == "*":
        return None
    if path[:1] != "/":
        # The absolute form, as clients send it to a proxy: `GET http://host/path` (RFC 9112, 3.2.2).
        try:
            path = urlsplit(path).path
        except ValueError:
            return None
    if root:
        if not path.startswith(root) or path[len(root) : len(root) + 1] not in ("", "/"):
            return None
        path = path[len(root) :]
    return "/" + path.lstrip("/")


def full_path(scope: Scope) -> str:
    """What `request.path` is: the routed path, or the path as it came where that is None."""
    path = path_of(scope)
    return "/" + scope["path"].lstrip("/") if path is None else path


def remote_address(scope: Scope) -> str:
    """The peer's address, or `<local>` where the server gives none."""
    client = scope.get("client")
    return client[0] if client else LOCAL_PEER


def server_address(scope: Scope) -> tuple[str, int | None] | None:
    """The server's (host, port), (path, None) for a Unix socket, or None."""
    server = scope.get("server")
    return tuple(server) if server else None


def declared_length(raw_headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The body's length in bytes by Content-Length; None when absent or made void by Transfer-Encoding.

    Raises BadRequest when it is not a number, or when there are two that differ (RFC 9112, 6.3).
    """
    length: int | None = None
    for name, value in raw_headers:
        if name == b"content-length":
            try:
                number = int(value) if value.isdigit() else None
            except ValueError:  # thousands of digits
                number = None
            if number is None or length not in (None, number):
                raise BadRequest("Content-Length has to be one number: the length of the body in bytes.")
            length = number
        elif name == b"transfer-encoding" and value:
            return None
    return length
