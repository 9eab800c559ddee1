"""Hosts and origins (RFC 6454): read strictly, and brought into one form, so that they can be compared.

    parse_origin("https://Shop.Example.:443")  ->  Origin("https", "shop.example", 443)

What a client sends is read here and nowhere else: by the check of websockets' origins, for what proxies say, and by
the inspector. Whatever is not exactly a host or an origin is None, and nothing raises. Knows no app, and no setting.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .typing import Scope

__all__ = [
    "AS_RECEIVED",
    "DEFAULT_PORTS",
    "HTTP_SCHEMES",
    "Host",
    "Origin",
    "header_values",
    "host_of",
    "origin_of",
    "parse_host",
    "parse_origin",
]

DEFAULT_PORTS = {"http": 80, "https": 443}
HTTP_SCHEMES = {"ws": "http", "wss": "https"}  # a websocket's scheme -> that of the pages of its origin

AS_RECEIVED = "quart_plug.as_received"  # in a scope that proxies had a say in: the scope as the server gave it

_HOST = r"(?P<host>\[[0-9a-f:.]+\]|(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?)(?::(?P<port>[0-9]{1,5}))?"
_HOST_ALONE = re.compile(_HOST, re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{_HOST}", re.ASCII | re.IGNORECASE)


class Host(NamedTuple):
    """name  in lower case, without a dot at its end; an IPv6 address in brackets, in its shortest form.
    port  as it was given; None without one.
    """

    name: str
    port: int | None


class Origin(NamedTuple):
    """scheme  in lower case, that of a page: "http" or "https", or what a program that shows pages has made up.
    host    as the name of a `Host`.
    port    the scheme's default where none was given; None for a scheme that has none.
    """

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        """As a browser writes it: without the scheme's default port."""
        usual = self.port is None or self.port == DEFAULT_PORTS.get(self.scheme)
        return f"{self.scheme}://{self.host}" + ("" if usual else f":{self.port}")


def parse_host(text: str) -> Host | None:
    """A host as in the header Host, with a port or without; None when it is none."""
    return _host(_HOST_ALONE.fullmatch(text))


def parse_origin(text: str) -> Origin | None:
    """A scheme, a host, and maybe a port, and nothing behind; None for anything else, such as "null"."""
    match = _ORIGIN.fullmatch(text)
    host = _host(match)
    if match is None or host is None:
        return None
    scheme = match["scheme"].lower()
    return Origin(scheme, host.name, DEFAULT_PORTS.get(scheme) if host.port is None else host.port)


def _host(match: re.Match[str] | None) -> Host | None:
    if match is None:
        return None
    name = match["host"].lower()
    if name[0] == "[":
        try:
            name = f"[{socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, name[1:-1]))}]"
        except OSError:
            return None
    else:
        name = name.removesuffix(".")
    port = None if match["port"] is None else int(match["port"])
    if not name or (port is not None and not 1 <= port <= 65535):
        return None
    return Host(name, port)


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Every value that a header has in an ASGI scope. The name is in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def host_of(scope: Scope) -> Host | None:
    """The host that a request or websocket is for; None when it names none, more than one, or what is no host."""
    hosts = header_values(scope, b"host")
    return parse_host(hosts[0]) if len(hosts) == 1 else None


def origin_of(scope: Scope) -> Origin | None:
    """The origin that a request or websocket is of: pages with it are the application's own."""
    host = host_of(scope)
    if host is None:
        return None
    scheme = scope.get("scheme") or ("ws" if scope["type"] == "websocket" else "http")
    scheme = HTTP_SCHEMES.get(scheme, scheme)
    return Origin(scheme, host.name, DEFAULT_PORTS.get(scheme) if host.port is None else host.port)
