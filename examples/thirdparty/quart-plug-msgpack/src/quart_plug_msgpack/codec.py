"""The codec: Python objects to MessagePack and back, with limits for what strangers send."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgpack

MEDIA_TYPES = ("application/msgpack", "application/vnd.msgpack", "application/x-msgpack")


class TooMuch(ValueError):
    """What came in is larger, wider or deeper than is allowed."""


def plainly(obj: Any) -> Any:
    """Objects that MessagePack does not know, as Python's json would have them."""
    return json.loads(json.dumps(obj))


class Extended:
    """Types that JSON has no form for, as MessagePack's extension types; both ends have to know them.

    | type | number | data |
    | --- | --- | --- |
    | datetime with a time zone | -1, the Timestamp of the specification | it comes back in UTC |
    | UUID | 1 | its 16 bytes |
    | Decimal | 2 | its text |
    | date | 3 | its ISO 8601 text |
    | datetime without a time zone | 4 | its ISO 8601 text |
    | int of more than 64 bits | 5 | big-endian, two's complement |
    """

    LONGEST = 512  # bytes of data: a number of that many digits is cheap, one of a megabyte is not

    @classmethod
    def pack(cls, obj: Any) -> Any:
        """The extension of an object; None when it has none."""
        match obj:
            case datetime() if obj.tzinfo is not None:
                return msgpack.Timestamp.from_datetime(obj)
            case UUID():
                return msgpack.ExtType(1, obj.bytes)
            case Decimal():
                return cls._ext(2, str(obj).encode())
            case datetime():
                return msgpack.ExtType(4, obj.isoformat().encode())
            case date():
                return msgpack.ExtType(3, obj.isoformat().encode())
            case int():
                return cls._ext(5, obj.to_bytes(obj.bit_length() // 8 + 1, "big", signed=True))
        return None

    @classmethod
    def unpack(cls, code: int, data: bytes) -> Any:
        """ValueError for an unknown number, and for data that do not fit it."""
        if len(data) > cls.LONGEST:
            raise TooMuch(f"an extension of {len(data)} bytes; {cls.LONGEST} are allowed")
        try:
            match code:
                case 1:
                    return UUID(bytes=data)
                case 2:
                    return Decimal(data.decode("ascii"))
                case 3:
                    return date.fromisoformat(data.decode("ascii"))
                case 4:
                    return datetime.fromisoformat(data.decode("ascii"))
                case 5:
                    return int.from_bytes(data, "big", signed=True)
        except (InvalidOperation, UnicodeDecodeError) as error:
            raise ValueError(f"extension {code}: {error}") from None
        raise ValueError(f"extension {code} is not known")

    @classmethod
    def _ext(cls, code: int, data: bytes) -> msgpack.ExtType:
        if len(data) > cls.LONGEST:
            raise TypeError(f"a number of {len(data)} bytes is too long for MessagePack")
        return msgpack.ExtType(code, data)


class MessagePack:
    """A codec as `quart_plug.content_types.Codec` describes it.

    otherwise     turns an object that MessagePack does not know into one that it knows, or raises TypeError.
    extended      use the extension types of `Extended`, both ways; else `otherwise` has to know what to do, and an
                  extension that comes in is an error, the specification's Timestamp excepted.
    max_bytes     of one body or message that comes in.
    max_items     of one array or map in it. MessagePack states sizes before the items, and memory is taken for them:
                  without a limit a few bytes claim gigabytes.
    max_depth     of arrays and maps in each other.
    """

    def __init__(
        self,
        otherwise: Callable[[Any], Any] = plainly,
        *,
        media_types: tuple[str, ...] = MEDIA_TYPES,
        subprotocol: str | None = "msgpack",
        extended: bool = False,
        max_bytes: int = 1024 * 1024,
        max_items: int = 100_000,
        max_depth: int = 64,
    ) -> None:
        self.media_types = media_types
        self.subprotocol = subprotocol
        self.otherwise = otherwise
        self.extended = extended
        self.max_bytes = max_bytes
        self.max_items = max_items
        self.max_depth = max_depth

    def dumps(self, obj: Any) -> bytes:
        """TypeError for what has no form in MessagePack, ValueError for what is nested too deeply or in itself."""
        packed: bytes = msgpack.packb(obj, default=self._default)
        return packed

    def loads(self, data: bytes) -> Any:
        """ValueError for what is not MessagePack, TooMuch for what is more of it than is allowed."""
        if len(data) > self.max_bytes:
            raise TooMuch(f"{len(data)} bytes of MessagePack; {self.max_bytes} are allowed")
        largest = min(len(data), self.max_items)
        try:
            obj = msgpack.unpackb(
                data,
                timestamp=3,
                ext_hook=Extended.unpack if self.extended else self._no_extension,
                max_array_len=largest,
                max_map_len=largest,
            )
        except (OverflowError, OSError, TypeError) as error:  # a time before the year 1, an array as a key
            raise ValueError(str(error)) from error
        if _is_deeper(obj, self.max_depth):
            raise TooMuch(f"arrays and maps nested more than {self.max_depth} times")
        return obj

    def _default(self, obj: Any) -> Any:
        if self.extended:
            extension = Extended.pack(obj)
            if extension is not None:
                return extension
        elif isinstance(obj, int):
            raise TypeError("an int of more than 64 bits has no form in MessagePack; see `extended`")
        return self.otherwise(obj)

    @staticmethod
    def _no_extension(code: int, data: bytes) -> Any:
        raise ValueError(f"extension {code} is not known")


def _is_deeper(obj: Any, limit: int) -> bool:
    """Whether containers are nested more than `limit` times; level by level, so that nothing recurses."""
    level = [obj] if isinstance(obj, (list, dict)) else []
    for _ in range(limit):
        if not level:
            return False
        inner: list[Any] = []
        for container in level:
            items = container.values() if isinstance(container, dict) else container
            inner += [item for item in items if isinstance(item, (list, dict))]
        level = inner
    return bool(level)
