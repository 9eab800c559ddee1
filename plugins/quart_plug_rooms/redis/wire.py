"""A published message as it stands in Redis: on a room's channel, and in its history.

A line of eight fields and the data, in bytes, each field ended by a space:

    qp1 EPOCH NUMBER AT WRITER SEQUENCE KIND SENDER EXCLUDE DATA

qp1       what it is, and its version.
EPOCH     in which life of the room's numbers; lower-case hexadecimal digits.
NUMBER    of the message in the room, from 1.
AT        when, in ms of the server's clock. The script that publishes writes this and what is before it.
WRITER    the process that sent it; lower-case hexadecimal digits.
SEQUENCE  the number of the message among all that this process sent, from 1.
KIND      t for text, in UTF-8, b for bytes; T and B where the data are JSON.
SENDER    the id of the websocket that sent it, or - for none.
EXCLUDE   the ids that do not get it, with commas between, or - for none.

Ids are percent-encoded. No I/O here. Whoever may publish on the channel can write anything there, so everything is
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..backend import Message

__all__ = ["Malformed", "Published", "body", "parse"]

_MESSAGE = re.compile(
    rb"qp1 ([0-9a-f]{1,32}) ([1-9][0-9]{0,14}) ([0-9]{1,15}) ([0-9a-f]{1,32}) ([1-9][0-9]{0,14}) ([tbTB])"
    rb" (-|[\w.~%-]+) (-|[\w.~%-]+(?:,[\w.~%-]+)*) "
)
_OTHER_VERSION = re.compile(rb"qp([0-9]{1,3}) ")


class Malformed(ValueError):
    """What was found is no message of this version; the text says what it is instead."""


class Published(NamedTuple):
    """A message with its place in the room, and in what its writer wrote: `sequence` grows from one to the next."""

    epoch: str
    number: int
    writer: str
    sequence: int
    message: Message


def body(
    writer: str, sequence: int, data: str | bytes, sender: str | None, exclude: Iterable[str], is_json: bool
) -> bytes:
    """The message from WRITER on, which the script puts behind epoch, number and time."""
    kind, raw = ("t", data.encode()) if isinstance(data, str) else ("b", data)
    if is_json:
        kind = kind.upper()
    excluded = ",".join(map(_quoted, exclude)) or "-"
    return f"{writer} {sequence} {kind} {'-' if sender is None else _quoted(sender)} {excluded} ".encode() + raw


def parse(room: str, raw: bytes) -> Published:
    """The message that these bytes are. Malformed when they are none."""
    match = _MESSAGE.match(raw)
    if match is None:
        raise Malformed(_what(raw))
    epoch, number, at, writer, sequence, kind, sender, exclude = match.groups()
    data: str | bytes = raw[match.end() :]
    if kind in b"tT":
        try:
            data = data.decode()  # type: ignore[union-attr]  # it is bytes as yet
        except UnicodeDecodeError:
            raise Malformed("its text is not UTF-8") from None
    message = Message(
        room=room,
        epoch=epoch.decode(),
        number=int(number),
        data=data,
        sender=None if sender == b"-" else unquote(sender.decode()),
        exclude=() if exclude == b"-" else tuple(unquote(one) for one in exclude.decode().split(",")),
        is_json=kind in b"TB",
        at=int(at) / 1000,
    )
    return Published(message.epoch, message.number, writer.decode(), int(sequence), message)


def _quoted(one: str) -> str:
    return "%2D" if one == "-" else quote(one, safe="") or "%"


def _what(raw: bytes) -> str:
    version = _OTHER_VERSION.match(raw)
    if version is not None and version[1] != b"1":
        return f"it has the format's version {int(version[1])}, and this process reads version 1"
    return f"it does not begin as one: {raw[:40]!r}"
