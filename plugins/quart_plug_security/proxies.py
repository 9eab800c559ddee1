"""What proxies say about a connection, believed as far as they are trusted.

    scope_filter({"TRUSTED_PROXIES": ["10.0.0.0/8"], …}, log)  ->  a function from scope to scope, or None

A proxy adds to the right of a list. So lists are read from the right: the first address there is whom the proxy that
talks to us has seen; if that is a trusted proxy as well, the next one is whom that has seen, and so on to the first
that is not trusted. What stands to the left of it may have been made up by anybody, and is never looked at.

Of the other values the last one is taken, that of the proxy that talks to us: only of that one it is certain that no
client has made it up. Where there are several proxies the inner ones pass on what the outermost one has said.

What is not as it should be is left as it was, with a line in the log. The scope that came is not changed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from quart_plug.origins import AS_RECEIVED, DEFAULT_PORTS, HTTP_SCHEMES, header_values, parse_host

if TYPE_CHECKING:
    from quart_plug.typing import Scope

__all__ = ["HEADERS", "scope_filter"]

HEADERS = (
    *("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"),
    "x-forwarded-prefix",
)
UNIX = "unix"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Log = Callable[[str], None]

_SCHEMES = {"http": False, "ws": False, "https": True, "wss": True}
_ADDRESS = re.compile(
    r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::(?P<port6>[0-9]{1,5}))?|(?P<four>[0-9.]+)(?::(?P<port4>[0-9]{1,5}))?"
)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
_PAIR = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"\\;,]+))\s*""")


class Client(NamedTuple):
    """A client's address; its port is 0 where nobody told."""

    address: str
    port: int


class Said(NamedTuple):
    """What is believed; None where nothing was said."""

    client: Client | None = None
    scheme: str | None = None
    host: str | None = None
    port: str | None = None
    prefix: str | None = None


class Trusted:
    """The proxies that are trusted: all, a number of them, or some by their addresses."""

    def __init__(self, value: Any) -> None:
        self.hops: int | None = None
        self.everybody = False
        self.unix = False
        networks: list[Any] = []
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
            if len(value) == 1 and value[0].isdecimal():
                value = int(value[0])
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            self.hops = value
            value = ()
        if isinstance(value, (bool, int, bytes, Mapping)) or not isinstance(value, Iterable):
            raise ValueError(
                f"TRUSTED_PROXIES is {value!r}; it has to be a list of addresses and networks, as in ['10.0.0.0/8', "
                "'unix'], or the number of proxies"
            )
        for entry in value:
            if entry == "*":
                self.everybody = True
            elif entry == UNIX:
                self.unix = True
            else:
                networks.append(_network(entry))
        self._networks = tuple(networks)
        self.holds = lru_cache(1024)(self._holds)

    @property
    def nobody(self) -> bool:
        return not (self.hops or self.everybody or self.unix or self._networks)

    def _holds(self, address: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        if self.everybody:
            return True
        found = _address(address)
        return found is not None and any(found in network for network in self._networks)

    def peer(self, scope: Scope) -> bool:
        """Whether the other end of the connection is a trusted proxy."""
        if self.hops or self.everybody:
            return True
        client = scope.get("client")
        if client and _address(client[0]) is not None:
            return self.holds(client[0])
        server = scope.get("server")
        return self.unix and not (server and server[1] is not None)


def _network(entry: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    cure = "give addresses and networks, as in '10.0.0.1' and '10.0.0.0/8', or 'unix' for Unix sockets"
    try:
        if not isinstance(entry, str):
            raise ValueError("it is no text")
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(f"TRUSTED_PROXIES has {entry!r} ({error}); {cure}") from None


def _headers(value: Any) -> frozenset[str]:
    """Read TRUSTED_PROXY_HEADERS."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise ValueError(f"TRUSTED_PROXY_HEADERS is {value!r}; it has to be a list, of {', '.join(HEADERS)}")
    given = list(value)
    unknown = [name for name in given if not isinstance(name, str) or name.lower() not in HEADERS]
    if unknown:
        raise ValueError(f"TRUSTED_PROXY_HEADERS has {unknown[0]!r}; there are {', '.join(HEADERS)}")
    names = frozenset(name.lower() for name in given)
    if "forwarded" in names and len(names) > 1:
        raise ValueError(
            "TRUSTED_PROXY_HEADERS has 'forwarded' beside others; name what the proxy sets, since the other kind would "
            "be passed on as the client made it up: 'forwarded' alone, or those that begin with x-forwarded"
        )
    return names


def scope_filter(config: Mapping[str, Any], log: Log) -> Callable[[Scope], Scope] | None:
    """What goes over each scope by the settings TRUSTED_PROXIES and TRUSTED_PROXY_HEADERS; None when nobody is trusted.

    log  is given a line for each value of a trusted proxy that cannot be used.

    Raises ValueError for settings that make no sense.
    """
    value = config["TRUSTED_PROXIES"]
    names = _headers(config["TRUSTED_PROXY_HEADERS"])
    if value is None:
        return None
    trusted = Trusted(value)
    if trusted.nobody or not names:
        return None

    def filtered(scope: Scope) -> Scope:
        if not trusted.peer(scope):
            return scope
        if "forwarded" in names:
            said = _forwarded(scope, trusted, log)
        else:
            said = _x_forwarded(scope, trusted, names, log)
        return _applied(scope, said, log)

    return filtered


# What was said ------------------------------------------------------------------------------------------------------


def _x_forwarded(scope: Scope, trusted: Trusted, names: frozenset[str], log: Log) -> Said:
    def last(name: str) -> str | None:
        values = _list(scope, name) if name in names else None
        return values[-1] if values else None

    client = None
    if "x-forwarded-for" in names:
        values = _list(scope, "x-forwarded-for")
        if trusted.hops:
            entry = _of_outermost(values, trusted.hops, "x-forwarded-for", log)
            client = None if entry is None else _client(entry, "x-forwarded-for", log)
        else:
            client = _outermost(values, trusted, log)
    return Said(
        client,
        last("x-forwarded-proto"),
        last("x-forwarded-host"),
        last("x-forwarded-port"),
        last("x-forwarded-prefix"),
    )


def _outermost(values: list[str], trusted: Trusted, log: Log) -> Client | None:
    """The first address from the right that is no trusted proxy's."""
    client = None
    for value in reversed(values):
        found = _client(value, "x-forwarded-for", log)
        if found is None:
            break
        client = found
        if not trusted.holds(found.address):
            break
    return client


def _forwarded(scope: Scope, trusted: Trusted, log: Log) -> Said:
    """RFC 7239: one element for each proxy, with what it has seen.

    An element is taken apart by itself, from the right. A quotation mark that a client has opened in front of it does
    not reach into it; an element with a comma in quotation marks is none that could be used, and ends what is believed.
    """
    elements = _list(scope, "forwarded")
    said = Said()
    if trusted.hops:
        entry = _of_outermost(elements, trusted.hops, "forwarded", log)
        elements = [] if entry is None else [entry]
    for element in reversed(elements):
        pairs = _pairs(element, log)
        if pairs is None:
            break
        client = _client(pairs["for"], "forwarded", log) if "for" in pairs else None
        # What an outer proxy has said counts before what an inner one has.
        said = Said(client or said.client, pairs.get("proto", said.scheme), pairs.get("host", said.host))
        if client is None or not trusted.holds(client.address):
            break
    return said


def _pairs(element: str, log: Log) -> dict[str, str] | None:
    pairs: dict[str, str] = {}
    for part in element.split(";"):
        match = _PAIR.fullmatch(part)
        if match is None or match[1].lower() in pairs:
            log(f"forwarded has {element[:200]!r}, which is no element of RFC 7239")
            return None
        quoted = match[2]
        pairs[match[1].lower()] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return pairs


def _list(scope: Scope, name: str) -> list[str]:
    """The entries of a header's list, those of all its lines in turn; empty ones left out."""
    found = [part.strip() for line in header_values(scope, name.encode()) for part in line.split(",")]
    return [part for part in found if part]


def _of_outermost(values: list[str], hops: int, name: str, log: Log) -> str | None:
    """The entry that the outermost of so many proxies has added; None when there are not enough."""
    if len(values) >= hops:
        return values[-hops]
    if values:
        log(f"{name} has {len(values)} entries, and not one of each of the {hops} proxies of TRUSTED_PROXIES")
    return None


def _address(text: Any) -> Address | None:
    try:
        found = ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _client(text: str, name: str, log: Log) -> Client | None:
    """An address, maybe with a port, as proxies write it: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80."""
    match = _ADDRESS.fullmatch(text)
    found = _address(text if match is None else match["six"] or match["four"])
    port = 0 if match is None else int(match["port6"] or match["port4"] or 0)
    if found is None or port > 65535:
        log(f"{name} has {text[:200]!r}, which is no address")
        return None
    return Client(str(found), port)


# What becomes of it -------------------------------------------------------------------------------------------------


def _applied(scope: Scope, said: Said, log: Log) -> Scope:
    """The scope with what was said in it; the same one when nothing was."""
    changes: dict[str, Any] = {}
    if said.client is not None:
        changes["client"] = said.client
    is_websocket = scope["type"] == "websocket"
    if said.scheme is not None:
        secure = _SCHEMES.get(said.scheme.lower())
        if secure is None:
            log(f"the scheme is said to be {said.scheme[:200]!r}, which is neither http nor https")
        else:
            changes["scheme"] = ("ws" if is_websocket else "http") + ("s" if secure else "")
    scheme = changes.get("scheme") or scope.get("scheme") or ("ws" if is_websocket else "http")
    host = _host(scope, said, HTTP_SCHEMES.get(scheme, scheme), log)
    if host is not None:
        others = [pair for pair in scope["headers"] if pair[0] != b"host"]
        changes["headers"] = [(b"host", host.encode("ascii")), *others]
    prefix = said.prefix.rstrip("/") if said.prefix is not None else ""
    if prefix and scope["path"][:1] == "/":
        if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
            log(f"x-forwarded-prefix has {prefix[:200]!r}, which is no path")
        else:
            changes |= _below(scope, prefix)
    return {**scope, **changes, AS_RECEIVED: scope} if changes else scope


def _host(scope: Scope, said: Said, scheme: str, log: Log) -> str | None:
    """The header Host, with the host and the port that were said; None to leave it."""
    if said.host is None and said.port is None:
        return None
    text = said.host
    if text is None:
        text = (header_values(scope, b"host") or [""])[0]
    host = parse_host(text)
    if host is None:
        log(f"the host is said to be {text[:200]!r}, which is none")
        return None
    port = host.port
    if said.port is not None:
        if said.port.isdecimal() and said.port.isascii() and len(said.port) <= 5 and 1 <= int(said.port) <= 65535:
            port = int(said.port)
        else:
            log(f"x-forwarded-port has {said.port[:200]!r}, which is no port")
            if said.host is None:
                return None
    return host.name if port is None or port == DEFAULT_PORTS.get(scheme) else f"{host.name}:{port}"


def _below(scope: Scope, prefix: str) -> dict[str, Any]:
    """Mounted below a prefix that the proxy took away; ASGI's path has it."""
    changes: dict[str, Any] = {
        "root_path": prefix + (scope.get("root_path") or ""),
        "path": prefix + scope["path"],
    }
    if scope.get("raw_path") is not None:
        changes["raw_path"] = prefix.encode("ascii") + scope["raw_path"]
    return changes
