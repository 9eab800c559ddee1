"""A message as it stands in Redis: what goes in comes out, and nothing else is taken for a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug_rooms.redis.wire import Malformed, Published, body, parse

IDS = st.text("0123456789abcdef", min_size=1, max_size=32)


@given(
    data=st.text() | st.binary(),
    exclude=st.lists(IDS, max_size=3).map(tuple),
    sender=IDS,
    sequence=st.integers(1, 10**15 - 1),
    epoch=IDS,
    number=st.integers(1, 10**15 - 1),
)
def test_what_is_written_is_read(data, exclude, sender, sequence, epoch, number):
    raw = f"qp1 {epoch} {number} ".encode() + body(sender, sequence, data, exclude)
    assert parse(raw) == Published(epoch, number, sender, sequence, data, exclude)


def test_a_text_costs_few_bytes_more_than_itself():
    assert body("a1", 7, "hello") == b"a1 7 t - hello"
    assert body("a1", 7, b"\xff", ["x", "y"]) == b"a1 7 b x,y \xff"


@pytest.mark.parametrize("one", ["", "-", "a b", "a,b", "é"])
def test_an_id_that_the_format_cannot_have_is_refused(one):
    with pytest.raises(ValueError, match="cannot be excluded"):
        body("a1", 1, "", [one])


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "does not begin as one: b''"),
        (b"hello", "does not begin as one: b'hello'"),
        (b'{"type": "chat"}', "does not begin as one"),
        (b"qp2 a 1 b 1 t - x", "version 2, and this process reads version 1"),
        (b"qp1 a 1 b 1 t -", "does not begin as one"),
        (b"qp1 a 0 b 1 t - x", "does not begin as one"),
        (b"qp1 a 1 b -1 t - x", "does not begin as one"),
        (b"qp1 a 1 b 1 x - x", "does not begin as one"),
        (b"qp1 a 1 b 1 t ,, x", "does not begin as one"),
        (b"qp1 A 1 b 1 t - x", "does not begin as one"),
        (b"qp1 a 1 b 1 t - \xff", "not UTF-8"),
        (b"qp1 a 1e5 b 1 t - x", "does not begin as one"),
    ],
)
def test_what_is_no_message_is_named(raw, what):
    with pytest.raises(Malformed, match=what.replace("(", r"\(")):
        parse(raw)


@given(st.binary())
def test_any_bytes_are_a_message_or_malformed(raw):
    try:
        parse(raw)
    except Malformed:
        pass
