"""A message as it stands in Redis: what goes in comes out, and nothing else is taken for a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug_rooms.backend import Message
from quart_plug_rooms.redis.wire import Malformed, Published, body, parse

HEX = st.text("0123456789abcdef", min_size=1, max_size=32)
NUMBER = st.integers(1, 10**15 - 1)


@given(
    data=st.text() | st.binary(),
    sender=st.none() | st.text(min_size=1),
    exclude=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    is_json=st.booleans(),
    writer=HEX,
    sequence=NUMBER,
    epoch=HEX,
    number=NUMBER,
    at=st.integers(0, 10**15 - 1),
)
def test_what_is_written_is_read(data, sender, exclude, is_json, writer, sequence, epoch, number, at):
    raw = f"qp1 {epoch} {number} {at} ".encode() + body(writer, sequence, data, sender, exclude, is_json)
    message = Message("room", epoch, number, data, sender, exclude, is_json, at / 1000)
    assert parse("room", raw) == Published(epoch, number, writer, sequence, message)


def test_a_text_costs_few_bytes_more_than_itself():
    assert body("a1", 7, "hello", None, (), False) == b"a1 7 t - - hello"
    assert body("a1", 7, b"\xff", "me", ["x", "a b,c"], True) == b"a1 7 B me x,a%20b%2Cc \xff"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "does not begin as one: b''"),
        (b"hello", "does not begin as one: b'hello'"),
        (b'{"type": "chat"}', "does not begin as one"),
        (b"qp2 a 1 5 b 1 t - - x", "version 2, and this process reads version 1"),
        (b"qp1 a 1 5 b 1 t - -", "does not begin as one"),
        (b"qp1 a 0 5 b 1 t - - x", "does not begin as one"),
        (b"qp1 a 1 5 b -1 t - - x", "does not begin as one"),
        (b"qp1 a 1 5 b 1 x - - x", "does not begin as one"),
        (b"qp1 a 1 5 b 1 t - ,, x", "does not begin as one"),
        (b"qp1 A 1 5 b 1 t - - x", "does not begin as one"),
        (b"qp1 a 1 5 b 1 t - - \xff", "not UTF-8"),
        (b"qp1 a 1e5 5 b 1 t - - x", "does not begin as one"),
    ],
)
def test_what_is_no_message_is_named(raw, what):
    with pytest.raises(Malformed, match=what.replace("(", r"\(")):
        parse("room", raw)


@given(st.binary())
def test_any_bytes_are_a_message_or_malformed(raw):
    try:
        parse("room", raw)
    except Malformed:
        pass
