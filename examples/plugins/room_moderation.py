"""House rules for the rooms of the plugin `rooms`: it implements that plugin's hooks.

[plugins.room_moderation]
capacity = 20
banned = ["mallory"]
words = ["darn"]
greeting = "Be kind."
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quart_plug import Quart, hookimpl
from quart_plug.exceptions import MessageDropped

if TYPE_CHECKING:
    from rooms import Member, Room

__quart_plug__ = {"requires": ["rooms"]}


@dataclass
class Moderation:
    """capacity  how many a room has place for.
    banned    names that are not let in.
    words     that are not said: they are replaced by stars.
    greeting  for newcomers.
    """

    capacity: int = 50
    banned: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    greeting: str = ""


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Moderation


@hookimpl
def setup(app: Quart) -> None:
    rules = app.plugin_config(Moderation)
    words = "|".join(map(re.escape, rules.words))
    app.extensions["room_moderation"] = rules, re.compile(rf"\b(?:{words})\b", re.I) if words else None


def rules_of(app: Quart) -> tuple[Moderation, re.Pattern[str] | None]:
    rules: tuple[Moderation, re.Pattern[str] | None] = app.extensions["room_moderation"]
    return rules


@hookimpl
async def room_admits(app: Quart, room: Room, member: Member) -> str | None:
    rules, _ = rules_of(app)
    if member.name in rules.banned:
        return "You are not welcome here."
    return "The room is full." if len(room.members) >= rules.capacity else None


@hookimpl
def room_greetings(app: Quart, room: Room) -> str | None:
    return rules_of(app)[0].greeting or None


@hookimpl
async def room_message(app: Quart, room: Room, member: Member, message: str) -> str:
    if not message.strip():
        raise MessageDropped
    _, bad = rules_of(app)
    return message if bad is None else bad.sub(lambda word: "*" * len(word[0]), message)


@hookimpl
async def room_joined(app: Quart, room: Room, member: Member) -> None:
    room.tell(f"{member.name} is here.")


@hookimpl
async def room_left(app: Quart, room: Room, member: Member) -> None:
    room.tell(f"{member.name} has left.")


@hookimpl
async def room_visit(app: Quart, room: Room, member: Member) -> AsyncGenerator[None, None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        app.logger.info("%s was in %s for %.0f seconds", member.name, room.name, time.monotonic() - begun)
