"""The hooks of the plugin `rooms`: for what carries messages, and for plugins that want to have a say in rooms.

Signatures and documentation only, as in quart_plug/hooks/specs. Code that is no plugin may listen to the signals of the
same names: "room-joined", "room-left", "room-message", "room-gap".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookspec

if TYPE_CHECKING:
    from quart_plug import Quart

    from .backend import Backend, Gap
    from .membership import Membership


@hookspec(kind="first", colour="sync")
def room_backend(app: Quart, url: str) -> Backend | None:
    """What carries the messages, for the setting `url` of the plugin, such as "memory://"; None for a URL of others."""


@hookspec(kind="first", colour="async")
async def room_joining(app: Quart, member: Membership) -> Any | None:
    """Somebody wants to join a room: `member.room`, `.websocket`, `.user`, `.info`. An answer is the reason why not, a
    text, which `join` raises as JoinRefused: before the websocket was accepted, status 403."""


@hookspec(kind="notify", colour="async")
async def room_joined(app: Quart, member: Membership) -> None:
    """Somebody joined a room, and gets what is said there from now on."""


@hookspec(kind="notify", colour="async")
async def room_left(app: Quart, member: Membership) -> None:
    """Somebody has left a room, or lost the connection. Failures are logged."""


@hookspec(kind="pipe", colour="async")
async def room_message(app: Quart, room: str, sent_by: str | None, message: str | bytes) -> str | bytes | None:
    """A message is about to be sent to a room by this process; an answer replaces it. MessageDropped: nobody gets it.
    Any other error is raised where it was to be sent.

    sent_by  the id of the websocket that sends it, or None.
    """


@hookspec(kind="pipe", colour="async")
async def room_gap(app: Quart, gap: Gap, message: str) -> str | None:
    """Messages were lost on their way to this process's members (the server behind the backend was away for too long).
    They are told so by `message`; an answer replaces it, MessageDropped keeps it from them."""
