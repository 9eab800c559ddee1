"""A room in each framework: everybody whose websocket is open, and a broadcast to all of them.

`make(framework) -> Room`, each (`room` in its module) written as the framework's documentation shows a broadcast; where
that encodes the message for each member, it is encoded once here. A member that sends "go" causes a broadcast.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

VALUE = {"type": "message", "user": "Ada", "text": "Hello, World!"}


@dataclass
class Room:
    """app        the ASGI app; its members are at /room.
    broadcast  sends a value to all of them; they may get it later.
    """

    app: Any
    broadcast: Callable[[Any], Awaitable[None]]


MODULES = {
    "bare": "apps.bare",
    "quart-plug": "apps.quart_plug_app",
    "BlackSheep": "apps.blacksheep_app",
    "Starlette": "apps.starlette_app",
    "Quart": "apps.quart_app",
}


def make(framework: str) -> Room:
    room: Room = importlib.import_module(MODULES[framework]).room()
    return room


def served() -> Any:
    """The app of the framework that the environment names, for a server's own command."""
    return make(os.environ["BENCH_FRAMEWORK"]).app
