"""The hooks of the plugin `rooms`, for plugins that want to have a say in rooms.

Signatures and documentation only, as in quart_plug/hooks/specs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from quart_plug import Quart, hookspec

if TYPE_CHECKING:
    from rooms import Member, Room


@hookspec(kind="first", colour="async")
async def room_admits(app: Quart, room: Room, member: Member) -> str | None:
    """Somebody wants to come in; an answer is the reason why not."""


@hookspec(kind="collect", colour="sync")
def room_greetings(app: Quart, room: Room) -> str | None:
    """A line that newcomers are told first."""


@hookspec(kind="around", colour="async")
async def room_visit(app: Quart, room: Room, member: Member) -> AsyncGenerator[None, None]:  # type: ignore[empty-body]  # never run
    """Around the time that somebody is in the room."""


@hookspec(kind="notify", colour="async")
async def room_joined(app: Quart, room: Room, member: Member) -> None:
    """Somebody came in."""


@hookspec(kind="notify", colour="async")
async def room_left(app: Quart, room: Room, member: Member) -> None:
    """Somebody left, or lost the connection."""


@hookspec(kind="pipe", colour="async")
async def room_message(app: Quart, room: Room, member: Member, message: str) -> str | None:
    """Somebody says something; an answer is said in its place. MessageDropped: nothing is said."""
