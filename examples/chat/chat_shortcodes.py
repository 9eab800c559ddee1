"""A plugin: `:tada:` in a message becomes 🎉, and the page tells which short codes there are.

A plugin is a module with functions that are marked `@hookimpl` and named after a hook; `quart_plug/hooks/specs`
has all hooks, and when they are called. This one is enabled by `PLUGINS` in settings.toml; the chat works without it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from quart_plug import Quart, hookimpl

SHORTCODES = {
    "coffee": "☕",
    "eyes": "👀",
    "heart": "❤️",
    "joy": "😂",
    "plug": "🔌",
    "rocket": "🚀",
    "shrug": "¯\\_(ツ)_/¯",
    "sparkles": "✨",
    "tada": "🎉",
    "wave": "👋",
}

SHORTCODE = re.compile(r":([a-z]+):")


@hookimpl
def configuration_defaults() -> dict[str, Any]:
    """settings.toml may add some: `SHORTCODES = { ship = "🚢" }`."""
    return {"SHORTCODES": {}}


@hookimpl
def template_context(app: Quart) -> dict[str, Any]:
    """Every template gets the name `shortcodes`."""
    return {"shortcodes": SHORTCODES | app.config["SHORTCODES"]}


@hookimpl
def websocket_received(ctx: Any, message: str | bytes) -> str | bytes:
    """What is returned takes the message's place, before the view sees it."""
    if isinstance(message, bytes):
        return message
    known = SHORTCODES | ctx.app.config["SHORTCODES"]

    def replacement(code: re.Match[str]) -> str:
        if code[1] not in known:
            return code[0]
        return json.dumps(known[code[1]])[1:-1]  # the message is JSON still, and this is a part of a string in it

    return SHORTCODE.sub(replacement, message)
