"""The bearer token of a websocket's handshake, where a client that is a browser can put it: into a subprotocol.

A script cannot set the header Authorization (RFC 6750) of a websocket's handshake; what it can name are subprotocols.
Two conventions are known:

    "bearer", "<token>"                             the token follows the word
    "base64url.bearer.authorization.<token>"        the token in base64url without padding (RFC 4648, 5); also with
                                                    ".k8s.io" before the token, as Kubernetes' API server takes it

A token that stands there is no subprotocol: it is never chosen, and not shown.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Collection, Sequence

_WORD = "bearer"
_PREFIXES = ("base64url.bearer.authorization.k8s.io.", "base64url.bearer.authorization.")

HIDDEN = "…"


def offered_token(offered: Sequence[str], spoken: Collection[str] = ()) -> tuple[str | None, str | None]:
    """(the subprotocol that holds a token, the token) of what the client offers; None for what is not there.

    spoken  the subprotocols that the route speaks, none of which is a token.

    What claims to hold a token in base64url and does not, holds None.
    """
    announced = False
    for name in offered:
        for prefix in _PREFIXES:
            if name.lower().startswith(prefix):
                return name, _decoded(name[len(prefix) :])
        if announced and name and name not in spoken:
            return name, name
        announced = name.lower() == _WORD
    return None, None


def _decoded(text: str) -> str | None:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() or None
    except ValueError:
        return None


def header_token(value: str) -> str | None:
    """The token of a header Authorization, or None."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() or None if scheme.lower() == _WORD else None
