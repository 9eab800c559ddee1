"""Guards websockets: who may connect, how fast clients may talk, and what must never leave.

Browsers let every page connect to every websocket, with the visitor's cookies; only the header Origin tells whose page
it is. So a handshake from a foreign page is refused. Who sends more than `rate` messages a second, beyond a `burst`, is
closed with 1008. What matches a `secret` pattern is masked in what is sent.

    [plugins.websocket_guard]
    origins = ["https://shop.example"]
    rate = 20.0
    burst = 40
    secrets = ["sk_live_[A-Za-z0-9]+"]
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quart_plug import Quart, hookimpl
from quart_plug.exceptions import MessageRefused

if TYPE_CHECKING:
    from quart_plug.ctx import Context
    from quart_plug.wrappers import Handshake


@dataclass
class Guard:
    """origins  whose pages may connect, beside the site's own.
    rate, burst  messages a second, and how many may come at once.
    secrets  regular expressions.
    """

    origins: tuple[str, ...] = ()
    rate: float = 50.0
    burst: int = 100
    secrets: tuple[str, ...] = ()


class Bucket:
    """As many messages as there are in it; it fills up by `rate` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = burst
        self.left = float(burst)
        self.seen = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.seen) * self.rate)
        self.seen = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Guard


@hookimpl
def setup(app: Quart) -> None:
    guard = app.plugin_config(Guard)
    pattern = re.compile("|".join(f"(?:{secret})" for secret in guard.secrets)) if guard.secrets else None
    app.extensions["websocket_guard"] = guard, pattern


@hookimpl
def setup_finished(app: Quart) -> None:
    if not any(rule.websocket for rule in app.url_map.iter_rules()):
        app.logger.info("websocket_guard has nothing to guard: no plugin and nobody else has added a websocket")


@hookimpl(tryfirst=True)
async def websocket_accepting(ctx: Context, handshake: Handshake) -> Any:
    guard: Guard = ctx.app.extensions["websocket_guard"][0]
    origin = ctx.headers.get("origin")
    if origin is None or origin in guard.origins:  # without one it is no browser's
        return None
    if urlsplit(origin).netloc == ctx.headers.get("host"):
        return None
    return "This page may not connect.", 403


@hookimpl(tryfirst=True)
async def websocket_received(ctx: Context, message: str | bytes) -> None:
    bucket = ctx.scope.get("websocket_guard.bucket")
    if bucket is None:
        guard: Guard = ctx.app.extensions["websocket_guard"][0]
        bucket = ctx.scope["websocket_guard.bucket"] = Bucket(guard.rate, guard.burst)
    if not bucket.take():
        raise MessageRefused("too many messages")


@hookimpl(trylast=True)
async def websocket_sending(ctx: Context, message: str | bytes) -> str | None:
    pattern = ctx.app.extensions["websocket_guard"][1]
    return pattern.sub("[hidden]", message) if pattern is not None and isinstance(message, str) else None
