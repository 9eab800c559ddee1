"""House rules for the lobbies of the plugin `lobbies`: it implements that plugin's hooks.

[plugins.lobby_moderation]
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
    from lobbies import Lobby, Member

__quart_plug__ = {"requires": ["lobbies"]}


@dataclass
class Moderation:
    """capacity  how many a lobby has place for.
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
    app.extensions["lobby_moderation"] = rules, re.compile(rf"\b(?:{words})\b", re.I) if words else None


def rules_of(app: Quart) -> tuple[Moderation, re.Pattern[str] | None]:
    rules: tuple[Moderation, re.Pattern[str] | None] = app.extensions["lobby_moderation"]
    return rules


@hookimpl
async def lobby_admits(app: Quart, lobby: Lobby, member: Member) -> str | None:
    rules, _ = rules_of(app)
    if member.name in rules.banned:
        return "You are not welcome here."
    return "The lobby is full." if len(lobby.members) >= rules.capacity else None


@hookimpl
def lobby_greetings(app: Quart, lobby: Lobby) -> str | None:
    return rules_of(app)[0].greeting or None


@hookimpl
async def lobby_message(app: Quart, lobby: Lobby, member: Member, message: str) -> str:
    if not message.strip():
        raise MessageDropped
    _, bad = rules_of(app)
    return message if bad is None else bad.sub(lambda word: "*" * len(word[0]), message)


@hookimpl
async def lobby_joined(app: Quart, lobby: Lobby, member: Member) -> None:
    lobby.tell(f"{member.name} is here.")


@hookimpl
async def lobby_left(app: Quart, lobby: Lobby, member: Member) -> None:
    lobby.tell(f"{member.name} has left.")


@hookimpl
async def lobby_visit(app: Quart, lobby: Lobby, member: Member) -> AsyncGenerator[None, None]:
    begun = time.monotonic()
    try:
        yield
    finally:
        app.logger.info("%s was in %s for %.0f seconds", member.name, lobby.name, time.monotonic() - begun)
