"""What can go wrong with rooms."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import Forbidden

__all__ = ["JoinRefused", "RoomError", "RoomsUnavailable", "TooSlow"]


class RoomError(RuntimeError):
    """Rooms were used in a way that cannot work. The message says how they can be used."""


class RoomsUnavailable(RoomError, ConnectionError):
    """What carries the messages between processes could not be reached, though it was waited for. The message says what
    was not done, or that nobody knows whether it was."""


class TooSlow(RoomError):
    """A subscription's messages were not taken fast enough, and its policy is "disconnect"."""


class JoinRefused(Forbidden):
    """A plugin (`room_joining`) does not let somebody in: status 403, where the handshake can still be answered.

    reason  the plugin's answer.
    """

    def __init__(self, reason: Any = "") -> None:
        super().__init__(str(reason) if reason else None)
        self.reason = reason
