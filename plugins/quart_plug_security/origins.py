"""Whose pages may open a websocket (cross-site websocket hijacking).

Browsers let every page open a websocket to every site, and send that site's cookies along; CORS does not apply. Only
the header `Origin`, which a page cannot set or leave out, tells whose page it is. So of a handshake that carries what a
browser adds by itself the origin has to be one of the application's, or one that is allowed:

- cookies, HTTP authentication that the browser remembers, a client certificate;
- not a token in a subprotocol, in the address or in a message: a foreign page does not have it.

A handshake without an origin is no browser's, since each sends one, "null" at least. So it is let in: it comes from a
program, or an application on a phone, and no page made it send what it carries. Where something on the way takes the
header out of browsers' handshakes that does not hold: one whose browser says otherwise (`Sec-Fetch-Site`, which pages
cannot set either) is refused, and with WEBSOCKET_REQUIRE_ORIGIN all are.

Does no I/O, and knows no view: it is given scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from quart_plug.origins import Origin, origin_of, parse_origin

if TYPE_CHECKING:
    from quart_plug.typing import Scope

__all__ = ["Policy", "Refusal", "policy", "refusal"]

ANY = "*"
NULL = "null"
OWN = "same-origin"

_CREDENTIALS = frozenset({b"cookie", b"authorization"})

# Where IDNA 2003, which Python knows, and what browsers do differ: the name has to be given as it is on the wire.
_DEVIATIONS = frozenset("ßς\u200c\u200d")


class Policy(NamedTuple):
    """open     every origin may connect.
    origins  those that may, beside the application's own one.
    null     whether "null" may: a sandboxed frame, a local file, some redirects.
    """

    open: bool = False
    origins: frozenset[Origin] = frozenset()
    null: bool = False


class Refusal(NamedTuple):
    """seen      the origin of the handshake, in words.
    expected  what it should have been.
    hint      what may be wrong; "" when there is nothing to suspect.
    """

    seen: str
    expected: str
    hint: str


def policy(value: Any, where: str) -> Policy:
    """Read a setting: None, one text with commas, or several texts. `where` names it in errors.

    Raises ValueError that says what is wrong, and how it should be.
    """
    if value is None:
        return Policy()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise ValueError(f"{where} is {value!r}; it has to be '*', 'same-origin', or a list of origins")
    entries = list(value)
    origins = {_origin(entry, where) for entry in entries if entry not in (ANY, NULL, OWN)}
    return Policy(ANY in entries, frozenset(origins), NULL in entries)


def _origin(entry: Any, where: str) -> Origin:
    if not isinstance(entry, str):
        raise ValueError(f"{where} has {entry!r}; an origin is a text such as 'https://shop.example'")
    scheme, separator, rest = entry.partition("://")
    if not separator:
        raise ValueError(f"{where} has {entry!r}, which has no scheme: write 'https://{entry}'")
    if scheme.lower() in ("ws", "wss"):
        raise ValueError(
            f"{where} has {entry!r}: a page's origin has the scheme of the page; write "
            f"'{scheme.lower().replace('ws', 'http')}://{rest}'"
        )
    if "*" in rest:
        raise ValueError(f"{where} has {entry!r}: origins are compared exactly; name each, or '*' for all")
    if rest.endswith("/") and rest.count("/") == 1:
        raise ValueError(f"{where} has {entry!r}: an origin has no path; leave the slash at the end out")
    found = parse_origin(f"{scheme}://{_ascii(rest, entry, where)}")
    if found is None:
        raise ValueError(
            f"{where} has {entry!r}, which is no origin: write scheme, host and port, as in 'https://shop.example:8443'"
        )
    return found


def _ascii(host: str, entry: str, where: str) -> str:
    """A host as it is on the wire: IDNA for what is not ASCII."""
    if host.isascii():
        return host
    name, _, port = host.partition(":")
    try:
        if not _DEVIATIONS.isdisjoint(name):
            raise UnicodeError("standards differ about a letter of it")
        encoded = name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(
            f"{where} has {entry!r}, whose host cannot be encoded ({error}); write it as browsers do, as 'xn--…'"
        ) from None
    return f"{encoded}:{port}" if port else encoded


def refusal(scope: Scope, policy: Policy, requires_origin: bool) -> Refusal | None:
    """Why a handshake is refused; None for one that may go on.

    requires_origin  refuse one with credentials and without an origin.
    """
    if policy.open:
        return None
    credentials = False
    origins = []
    site = b"none"
    for name, value in scope["headers"]:
        if name in _CREDENTIALS:
            credentials = True
        elif name == b"origin":
            origins.append(value)
        elif name == b"sec-fetch-site":
            site = value
    if not (credentials or _has_certificate(scope)):
        return None
    if not origins:
        if site in (b"none", b"same-origin") and not requires_origin:
            return None
        hint = " The handshake has credentials all the same: see WEBSOCKET_REQUIRE_ORIGIN." if requires_origin else ""
        return Refusal("missing", _expected(policy, origin_of(scope)), hint)
    own = origin_of(scope)
    if len(origins) > 1:
        return Refusal(f"given {len(origins)} times", _expected(policy, own), "")
    seen = origins[0].decode("latin-1")
    found = parse_origin(seen)
    if (found is not None and (found == own or found in policy.origins)) or (seen == NULL and policy.null):
        return None
    return Refusal(_shown(seen), _expected(policy, own), _hint(found, own))


def _has_certificate(scope: Scope) -> bool:
    """Whether the client has shown a certificate (ASGI's TLS extension)."""
    tls = (scope.get("extensions") or {}).get("tls") or {}
    return bool(tls.get("client_cert_chain") or tls.get("client_cert_name"))


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}…"


def _expected(policy: Policy, own: Origin | None) -> str:
    allowed = sorted(map(str, policy.origins))
    if own is not None:
        allowed.insert(0, str(own))
    shown = " or ".join(map(repr, allowed[:5])) + (f" or {len(allowed) - 5} others" if len(allowed) > 5 else "")
    return shown or "that of the header Host, which cannot be read"


def _hint(found: Origin | None, own: Origin | None) -> str:
    if found is None or own is None:
        return ""
    if found.host == own.host:
        differs = "scheme" if found.scheme != own.scheme else "port"
        return f" Only the {differs} differs: if a proxy is in front of the application, see TRUSTED_PROXIES."
    return ""
