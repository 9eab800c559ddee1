"""A published message as it stands in Redis: on a room's channel, and in its history.

A line of six fields and the data, in bytes, each field ended by a space:

    qp1 EPOCH NUMBER SENDER SEQUENCE KIND EXCLUDE DATA

qp1       what it is, and its version.
EPOCH     in which life of the room's counter; lower-case hexadecimal digits.
NUMBER    of the message in the room, from 1; the script that publishes writes it, and the epoch.
SENDER    the process that sent it; lower-case hexadecimal digits.
SEQUENCE  the number of the message among all that this process sent, from 1.
KIND      t for text, in UTF-8, b for bytes.
EXCLUDE   the ids that do not get it, with commas between, or - for none.

No I/O here. Whoever may publish on the channel can write anything there, so everything is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Malformed", "Published", "body", "parse"]

_ID = r"[A-Za-z0-9_.:-]+"
_MESSAGE = re.compile(
    rb"qp1 ([0-9a-f]{1,32}) ([1-9][0-9]{0,14}) ([0-9a-f]{1,32}) ([1-9][0-9]{0,14}) ([tb]) (-|%b(?:,%b)*) "
    % (_ID.encode(), _ID.encode())
)
_EXCLUDED = re.compile(_ID)
_OTHER_VERSION = re.compile(rb"qp([0-9]{1,3}) ")


class Malformed(ValueError):
    """What was found is no message of this version; the text says what it is instead."""


class Published(NamedTuple):
    """A message with its place in the room. `sequence` grows from one message of a sender to its next."""

    epoch: str
    number: int
    sender: str
    sequence: int
    data: str | bytes
    exclude: tuple[str, ...] = ()


def body(sender: str, sequence: int, data: str | bytes, exclude: Sequence[str] = ()) -> bytes:
    """The message from SENDER on, which the script puts behind epoch and number.

    Raises ValueError for an id that cannot stand in the list of those excluded.
    """
    for one in exclude:
        if one == "-" or not _EXCLUDED.fullmatch(one):
            raise ValueError(f"{one!r} cannot be excluded: an id has letters, digits and _ . : - only")
    kind, raw = ("t", data.encode()) if isinstance(data, str) else ("b", data)
    return f"{sender} {sequence} {kind} {','.join(exclude) or '-'} ".encode() + raw


def parse(raw: bytes) -> Published:
    """The message that these bytes are. Malformed when they are none."""
    match = _MESSAGE.match(raw)
    if match is None:
        raise Malformed(_what(raw))
    epoch, number, sender, sequence, kind, exclude = match.groups()
    data: str | bytes = raw[match.end() :]
    if kind == b"t":
        try:
            data = data.decode()  # type: ignore[union-attr]  # it is bytes as yet
        except UnicodeDecodeError:
            raise Malformed("its text is not UTF-8") from None
    return Published(
        epoch.decode(),
        int(number),
        sender.decode(),
        int(sequence),
        data,
        tuple(exclude.decode().split(",")) if exclude != b"-" else (),
    )


def _what(raw: bytes) -> str:
    version = _OTHER_VERSION.match(raw)
    if version is not None and version[1] != b"1":
        return f"it has the format's version {int(version[1])}, and this process reads version 1"
    return f"it does not begin as one: {raw[:40]!r}"
