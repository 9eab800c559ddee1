"""What callers give: the names of rooms, numbers of messages, who is excluded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

LONGEST_NAME: Final = 512  # characters
NOWHERE: Final = ("", 0)


def check_name(room: Any) -> None:
    if not isinstance(room, str):
        raise TypeError(f"the name of a room is a str, not {room!r}")
    if not 0 < len(room) <= LONGEST_NAME:
        raise ValueError(f"the name of a room has 1 to {LONGEST_NAME} characters, not {len(room)}")
    try:
        room.encode()
    except UnicodeEncodeError:  # halves of a surrogate pair, which JSON lets through
        raise ValueError(f"the name of a room is text that UTF-8 can hold, not {room!r}") from None


def check_count(count: Any) -> int:
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"history is a number of messages from 0 on, not {count!r}")
    return count


def position_of(after: str | None) -> tuple[str, int]:
    """The epoch and the number in the id of a message; NOWHERE for None, and for an id that is none."""
    epoch, _, number = (after or "").rpartition("-")
    return (epoch, int(number)) if epoch and number.isdecimal() and len(number) < 20 else NOWHERE


def ids_of(exclude: Any) -> Iterable[str]:
    if isinstance(exclude, str):
        yield exclude
    elif isinstance(getattr(exclude, "id", None), str):
        yield exclude.id
    elif isinstance(exclude, Iterable):
        for each in exclude:
            yield from ids_of(each)
    else:
        raise TypeError(f"who is excluded is a websocket, a membership, an id, or several of these, not {exclude!r}")
