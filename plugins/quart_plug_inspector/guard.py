"""Who may see the inspector: decided here, for pages, data and websockets alike.

What a debugger's page gives away is worth attacking, and those who may attack it have a browser of the developer's at
hand: a page on another site, or on another port of the same machine, can make requests to localhost. So each of these
has to hold, whatever else does:

1. The app is in debug mode, now. Else there is no such path: 404.
2. The browser knows the app by a trusted name. Else a site whose name leads to 127.0.0.1 (DNS rebinding) would be the
   same origin as the inspector. Only the Host header counts: a proxy's headers are not looked at, even where the
   application trusts them.
3. The request does not come from another origin: by `Origin`, and by `Sec-Fetch-Site` where there is one. Another port
   of the same host is another origin, though a cookie with SameSite=Strict is sent there. A websocket has to have an
   `Origin`, since browsers do not keep other sites from opening one.
4. Whoever asks knows the token: by the cookie that was given for it, or as `Authorization: Bearer`. Wrong tokens are
   counted, whoever sends them, and after ten there are none accepted for a minute; comparisons take constant time.

Does no I/O, and knows no view: it takes an ASGI scope's headers, and answers with a `Refusal` or None.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Any

from quart_plug.origins import AS_RECEIVED, header_values, host_of, origin_of, parse_origin

from .settings import Settings, derived

__all__ = ["Guard", "Refusal", "security_headers"]

ATTEMPTS = 10
LOCKED_SECONDS = 60

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class Refusal:
    """status  the HTTP status; reason  what to say, with the cure; retry_after  seconds, or None."""

    status: int
    reason: str
    retry_after: int | None = None


NOT_THERE = Refusal(404, "Not Found")


def is_trusted(name: str, trusted: Iterable[str]) -> bool:
    """Whether a host's name is one by which a developer's own machine, or a configured one, is known."""
    if name in _LOOPBACK or name.endswith(".localhost"):
        return True
    for entry in trusted:
        entry = entry.lower()
        if name == entry or (entry.startswith("*.") and name.endswith(entry[1:])):
            return True
    return False


class Guard:
    """The guard of one app's inspector.

    token    what opens it.
    cookie   the name of the cookie, which differs from that of another app on the same host.
    """

    def __init__(
        self, app: Any, settings: Settings, secret: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._locked_until = 0.0
        self.token = settings.token or derived(secret, "token")[:40]
        # Of the process's secret too: a short token that somebody has chosen could else be guessed by cookies, which
        # nobody counts.
        self.cookie_value = derived(secret, f"cookie {self.token}")
        self.cookie = f"inspector_{sha256(self.cookie_value.encode()).hexdigest()[:8]}"

    # 1 to 3

    def refuses(self, scope: Any, navigation: bool = False) -> Refusal | None:
        """What has to be answered to who must not even be asked for the token; None for the others.

        navigation  the request is for a page: a link on another site, or in a terminal in the browser, may lead there.
        """
        if not self._app.debug:
            return NOT_THERE
        scope = scope.get(AS_RECEIVED, scope)
        host = host_of(scope)
        if host is None or not is_trusted(host[0], self._settings.trusted_hosts):
            name = "a host that cannot be read" if host is None else f"the host {host[0]!r}"
            return Refusal(
                403,
                f"The inspector is not shown to {name}: use localhost or 127.0.0.1, or add the host's name to"
                " trusted_hosts of the plugin 'inspector'.",
            )
        sites = header_values(scope, b"sec-fetch-site")
        is_page = navigation and "navigate" in header_values(scope, b"sec-fetch-mode")
        if not is_page and any(site not in ("same-origin", "none") for site in sites):
            return Refusal(403, "The inspector does not answer other sites.")
        origins = header_values(scope, b"origin")
        own = origin_of(scope)
        if any(parse_origin(origin) != own for origin in origins):
            return Refusal(403, "The inspector does not answer other origins.")
        if scope["type"] == "websocket" and len(origins) != 1:
            return Refusal(403, "The inspector's websocket is for its own page.")
        return None

    # 4

    def knows(self, scope: Any) -> Refusal | None:
        """None for who has the cookie, or the token as `Authorization: Bearer`; else what to answer."""
        if any(hmac.compare_digest(value.encode(), self.cookie_value.encode()) for value in self._cookies(scope)):
            return None
        for value in header_values(scope, b"authorization"):
            kind, _, token = value.partition(" ")
            if kind.lower() == "bearer":
                return self.try_token(token.strip())
        return Refusal(401, "The inspector needs its token: the log of the server has the address with it.")

    def try_token(self, token: str) -> Refusal | None:
        """None for the right token. Counts the others."""
        left = self._locked_until - self._clock()
        if left > 0:
            wait = int(left) + 1
            return Refusal(429, f"Too many wrong tokens. The next one is looked at in {wait} seconds.", wait)
        if hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode()):
            self._failures = 0
            return None
        self._failures += 1
        if self._failures >= ATTEMPTS:
            self._failures = 0
            self._locked_until = self._clock() + LOCKED_SECONDS
        return Refusal(401, "That is not the token of this process. The log of the server has it.")

    def _cookies(self, scope: Any) -> list[str]:
        found = []
        for header in header_values(scope, b"cookie"):
            for part in header.split(";"):
                try:
                    morsel = SimpleCookie(part.strip()).get(self.cookie)
                except CookieError:
                    continue
                if morsel is not None:
                    found.append(morsel.value)
        return found


def security_headers(scope: Any) -> dict[str, str]:
    """What every answer of the inspector carries."""
    # Safari does not count a websocket as 'self'; the host was checked before it is written here.
    origin = origin_of(scope)
    socket = "" if origin is None else " " + str(origin).replace("http", "ws", 1)
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self'{socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # with "no-referrer" the form's own Origin would be "null"
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
