from __future__ import annotations

import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from quart_plug_msgpack import MessagePack, TooMuch

plain = MessagePack()
extended = MessagePack(extended=True)

KNOWN_TO_BOTH = [None, True, 0, -(2**63), 2**64 - 1, 1.5, "", "ü" * 300, b"\x00\xff", [], {}, {"a": [1, {"b": []}]}]
EXTENDED = [
    datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 5, 1, 12, 30),
    date(2026, 5, 1),
    UUID(int=7),
    Decimal("-1.50"),
    Decimal("NaN"),
    2**64,
    -(2**200),
]


@pytest.mark.parametrize("value", KNOWN_TO_BOTH, ids=repr)
@pytest.mark.parametrize("codec", [plain, extended], ids=["plain", "extended"])
def test_there_and_back(codec: MessagePack, value: object) -> None:
    assert codec.loads(codec.dumps(value)) == value


@pytest.mark.parametrize("value", EXTENDED, ids=repr)
def test_there_and_back_with_its_type(value: object) -> None:
    found = extended.loads(extended.dumps([value]))[0]
    assert type(found) is type(value)
    assert str(found) == str(value)


def test_a_moment_keeps_its_place_in_time() -> None:
    there = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert extended.loads(extended.dumps(there)) == there


def test_the_bytes_are_those_of_the_specification() -> None:
    assert plain.dumps({"compact": True, "schema": 0}) == bytes.fromhex("82a7636f6d70616374c3a6736368656d6100")
    assert extended.dumps(datetime(1970, 1, 1, tzinfo=UTC)) == b"\xd6\xff\x00\x00\x00\x00"


def test_what_is_not_known_is_asked_of_the_other_side() -> None:
    assert MessagePack(otherwise=str).dumps({"a": UUID(int=1)}) == MessagePack().dumps({"a": str(UUID(int=1))})


@pytest.mark.parametrize("codec", [plain, extended], ids=["plain", "extended"])
def test_what_has_no_form_is_a_type_error(codec: MessagePack) -> None:
    for value in (object(), {"a": {1, 2}}):
        with pytest.raises(TypeError):
            codec.dumps(value)


def test_a_long_int_has_a_form_only_with_extensions() -> None:
    with pytest.raises(TypeError, match="more than 64 bits"):
        plain.dumps(2**64)
    with pytest.raises(TypeError, match="too long"):
        extended.dumps(2**5000)


def test_what_contains_itself_is_a_value_error() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError):
        plain.dumps(endless)


def nested(depth: int) -> bytes:
    return b"\x91" * (depth - 1) + b"\x90"


HOSTILE = {
    "nothing": b"",
    "the byte that means nothing": b"\xc1",
    "a text cut off": b"\xa5hel",
    "more than one object": b"\x01\x02",
    "a text that is no UTF-8": b"\xa2\xff\xff",
    "an array of four thousand million": b"\xdd\xff\xff\xff\xff",
    "a map of four thousand million": b"\xdf\xff\xff\xff\xff",
    "a text of four thousand million": b"\xdb\xff\xff\xff\xff",
    "a number as a key": b"\x81\x01\x02",
    "an array as a key": b"\x81\x90\x02",
    "nested too deeply": nested(65),
    "nested far too deeply": nested(100_000),
    "maps nested too deeply": b"\x81\xa1a" * 65 + b"\xc0",
    "an extension nobody knows": b"\xd4\x63\x00",
    "a time of 96 bits, after the year 9999": b"\xc7\x0c\xff" + struct.pack("!Iq", 0, 2**60),
    "a time of 5 bytes": b"\xc7\x05\xff" + bytes(5),
    "an array of one too many": b"\xdc\x03\xe9" + bytes(1001),
}


@pytest.mark.parametrize("extensions", [False, True], ids=["plain", "extended"])
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_strangers_send_is_a_value_error(data: bytes, extensions: bool) -> None:
    with pytest.raises(ValueError):
        MessagePack(extended=extensions, max_items=1000).loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xd8\x01" + bytes(15),  # a UUID cut off
        b"\xc7\x0f\x01" + bytes(15),
        b"\xd4\x02a",
        b"\xd4\x02\xff",
        b"\xd6\x032026",
        b"\xd6\x04noon",
        b"\xc8\x02\x01\x05" + bytes(513),
    ],
)
def test_an_extension_that_does_not_fit_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        extended.loads(data)


def test_the_limits_are_what_they_say() -> None:
    assert plain.loads(nested(64))
    with pytest.raises(TooMuch, match="nested more than 64"):
        plain.loads(nested(65))
    codec = MessagePack(max_bytes=10, max_items=3)
    assert codec.loads(codec.dumps([1, 2, 3])) == [1, 2, 3]
    assert len(codec.loads(codec.dumps("x" * 9))) == 9
    with pytest.raises(TooMuch, match="11 bytes of MessagePack; 10 are allowed"):
        codec.loads(codec.dumps("x" * 10))
    with pytest.raises(ValueError, match="3"):
        codec.loads(codec.dumps([1, 2, 3, 4]))
