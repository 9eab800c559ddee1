"""What can be set, and the secret that a process and its restarts share."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

__all__ = ["Settings", "derived", "process_secret"]

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
SHORTEST_TOKEN = 16  # characters: what is left of guessing when attempts are limited to ten a minute

# Inherited by the child that the reloader starts again and again: an open page stays signed in.
_VARIABLE = "_QUART_PLUG_INSPECTOR"


@dataclass(frozen=True)
class Settings:
    """The configuration of the inspector.

    path           where its page is, on the app.
    trusted_hosts  names that the browser may know the app by, beside localhost, its relatives and the loopback
                   addresses: "devbox.lan", or "*.devbox.lan" for all below.
    history        how many requests, and how many websockets that have ended, are kept.
    token          what opens the page; None for a random one, which the log tells at start.
    """

    path: str = "/_inspector"
    trusted_hosts: tuple[str, ...] = ()
    history: int = 200
    token: str | None = None

    def __post_init__(self) -> None:
        faults = []
        if not _PATH.fullmatch(self.path):
            faults.append(f"path is {self.path!r}; it has to be a path such as '/_inspector'")
        wrong = [host for host in self.trusted_hosts if not _HOST.fullmatch(host)]
        if wrong:
            faults.append(f"trusted_hosts has {', '.join(map(repr, wrong))}; give names without port, or '*.name'")
        if not 1 <= self.history <= 10_000:
            faults.append(f"history is {self.history!r}; it has to be a number from 1 to 10000")
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            faults.append(f"token has {len(self.token)} characters; it has to have {SHORTEST_TOKEN} at least")
        if faults:
            raise ValueError("; ".join(faults))


def process_secret() -> bytes:
    """A random secret, the same for this process and for those that it starts."""
    return os.environ.setdefault(_VARIABLE, secrets.token_urlsafe(32)).encode()


def derived(secret: bytes, purpose: str) -> str:
    """Something that only who has the secret can know, and that does not give it away."""
    return hmac.new(secret, purpose.encode(), sha256).hexdigest()
