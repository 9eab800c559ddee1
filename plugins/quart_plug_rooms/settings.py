"""The settings of the plugin `rooms`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# As in the kernel, where settings read it from source; here for the sake of their types.
Policy = Literal["drop_oldest", "drop_newest", "disconnect"]


@dataclass(frozen=True)
class Settings:
    """url              what carries the messages: "memory://", within one process; "redis://…" between processes and
                     machines.
    outbox_messages  how many messages may wait for a member that reads slowly.
    outbox_bytes     how many bytes they may have; one message alone may have more.
    policy           when there are more: "drop_oldest", "drop_newest", or "disconnect" (close code 1013).
    history          how many messages of each room are kept.
    history_bytes    how many bytes they may have; the latest one is kept, whatever it has.
    history_seconds  for how long they are kept after the last of them.
    gap_message      whether members are told by a message when some were lost on the way.
    redis_prefix             what the names of everything in Redis begin with; by default "rooms:" and the app's name.
    redis_wait               seconds for which `send`, `join` and questions wait for Redis before RoomsUnavailable.
    redis_timeout            seconds for a connection to be made, and for Redis to be silent.
    redis_presence_expiry    seconds after which a process that says nothing is gone, with its members.
    redis_required           whether the app does not start while Redis is away.
    reports          whether the process answers `quart-plug rooms`, on a private Unix socket.
    """

    url: str = "memory://"
    outbox_messages: int = 256
    outbox_bytes: int = 1024 * 1024
    policy: Policy = "drop_oldest"
    history: int = 50
    history_bytes: int = 1024 * 1024
    history_seconds: float = 3600
    gap_message: bool = True
    redis_prefix: str = ""
    redis_wait: float = 5.0
    redis_timeout: float = 5.0
    redis_presence_expiry: float = 15.0
    redis_required: bool = False
    reports: bool = True

    def __post_init__(self) -> None:
        for name in ("outbox_messages", "outbox_bytes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} has to be 1 at least, not {getattr(self, name)}")
        for name in ("history", "history_bytes", "history_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} cannot be below 0, as {getattr(self, name)} is")
        for name in ("redis_wait", "redis_timeout", "redis_presence_expiry"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} has to be more than 0 seconds, not {getattr(self, name)}")
