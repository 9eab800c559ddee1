"""The names of what is kept in Redis, all of which begin with the app's prefix.

Channels know nothing of the numbered databases of a server, so theirs have the number in them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Keys"]


@dataclass(frozen=True)
class Keys:
    """prefix    what all begin with.
    database  the number of the database.
    """

    prefix: str
    database: int = 0

    @property
    def generation(self) -> str:
        """A hash: `id` of the server's data as it is now, `run` of the server's process that had it."""
        return f"{self.prefix}:generation"

    @property
    def processes(self) -> str:
        """A sorted set: the processes by the time, in ms of the server's clock, until which they count as alive."""
        return f"{self.prefix}:processes"

    def room(self, room: str) -> str:
        """A hash: `n`, the number of the last message, in epoch `e`, of generation `g`."""
        return f"{self.prefix}:room:{room}"

    def history(self, room: str) -> str:
        """A list of the last messages, the oldest first."""
        return f"{self.prefix}:history:{room}"

    def channel(self, room: str) -> str:
        return f"{self.prefix}:channel:{self.database}:{room}"

    def marks(self, process: str) -> str:
        """A process's own channel, for the marks of its synchronisations."""
        return f"{self.prefix}:marks:{self.database}:{process}"

    def sent(self, process: str) -> str:
        """A hash: the places of the messages that this process published last, by their sequence; `last` of these."""
        return f"{self.prefix}:sent:{process}"

    def rooms(self, process: str) -> str:
        """A hash: the rooms where this process has members, and how many."""
        return f"{self.prefix}:rooms:{process}"

    def at(self, room: str) -> str:
        """A hash: the processes that have members there, and how many."""
        return f"{self.prefix}:at:{room}"

    def here(self, process: str, room: str) -> str:
        """A hash: the members that this process has there, by id, each as JSON."""
        return f"{self.prefix}:here:{process}:{room}"
