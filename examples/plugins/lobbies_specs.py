"""The hooks of the plugin `lobbies`, for plugins that want to have a say in lobbies.

Signatures and documentation only, as in quart_plug/hooks/specs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from quart_plug import Quart, hookspec

if TYPE_CHECKING:
    from lobbies import Lobby, Member


@hookspec(kind="first", colour="async")
async def lobby_admits(app: Quart, lobby: Lobby, member: Member) -> str | None:
    """Somebody wants to come in; an answer is the reason why not."""


@hookspec(kind="collect", colour="sync")
def lobby_greetings(app: Quart, lobby: Lobby) -> str | None:
    """A line that newcomers are told first."""


@hookspec(kind="around", colour="async")
async def lobby_visit(app: Quart, lobby: Lobby, member: Member) -> AsyncGenerator[None, None]:  # type: ignore[empty-body]  # never run
    """Around the time that somebody is in the lobby."""


@hookspec(kind="notify", colour="async")
async def lobby_joined(app: Quart, lobby: Lobby, member: Member) -> None:
    """Somebody came in."""


@hookspec(kind="notify", colour="async")
async def lobby_left(app: Quart, lobby: Lobby, member: Member) -> None:
    """Somebody left, or lost the connection."""


@hookspec(kind="pipe", colour="async")
async def lobby_message(app: Quart, lobby: Lobby, member: Member, message: str) -> str | None:
    """Somebody says something; an answer is said in its place. MessageDropped: nothing is said."""
