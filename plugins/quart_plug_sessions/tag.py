"""JSON that keeps some of Python's types: what session cookies are written in.

A value that JSON does not know is written as an object of one key, the tag: `{" t": [1]}` is the tuple (1,).
The tags and what stands behind them are Flask's, so that cookies can be read both ways. Knows no app: what a
cookie means must not depend on the app's provider.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date, parse_date

from quart_plug.json.encoding import encode_unknown, text_encoder


class JSONTag:
    """How one type is written. Subclasses write `check`, `to_json` and `to_python`.

    key         the tag; "" for a type that JSON knows and that is only looked into.
    serializer  the TaggedJSONSerializer that it is registered with.
    """

    __slots__ = ("serializer",)

    key: str = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Whether `value` is of this type."""
        raise NotImplementedError

    def to_json(self, value: Any) -> Any:
        """What JSON knows, made of `value`."""
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        """The value again, from what `to_json` made."""
        raise NotImplementedError

    def tag(self, value: Any) -> Any:
        """`to_json` with the tag around it."""
        return {self.key: self.to_json(value)}


class TagDict(JSONTag):
    """A dictionary that would be read as a tagged value: its only key is a tag. `__` sets it apart."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in self.serializer.tags

    def to_json(self, value: Any) -> Any:
        (key,) = value
        return {f"{key}__": self.serializer.tag(value[key])}

    def to_python(self, value: Any) -> Any:
        (key,) = value
        return {key[:-2]: value[key]}


class PassDict(JSONTag):
    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        tag = self.serializer.tag
        return {key: tag(item) for key, item in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """Whatever has `__html__`; it comes back as Markup."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)


class TagUUID(JSONTag):
    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """A datetime, to the second; it comes back in UTC."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


# JSON knows these as they are; no tag that is shipped claims them.
_KNOWN = frozenset({str, int, float, bool, type(None)})


class TaggedJSONSerializer:
    """Writes and reads JSON with tags.

    default_tags  the classes registered from the start, in order.
    tags          key -> tag.
    order         the tags in the order in which a value is shown to them; the first that knows it writes it.
    """

    __slots__ = ("_decode", "_known", "order", "tags")

    default_tags: list[type[JSONTag]] = [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        self._decode = json.JSONDecoder(object_hook=self.untag).decode
        for tag_class in self.default_tags:
            self.register(tag_class)

    def register(self, tag_class: type[JSONTag], force: bool = False, index: int | None = None) -> None:
        """Add a tag, at the end or before the one at `index`.

        force  replace the tag of the same key; else KeyError when there is one.
        """
        tag = tag_class(self)
        if tag.key:
            if tag.key in self.tags and not force:
                raise KeyError(f"the tag {tag.key!r} is registered already; pass force=True to replace it")
            self.tags[tag.key] = tag
        if index is None:
            self.order.append(tag)
        else:
            self.order.insert(index, tag)
        # A tag from elsewhere may claim what JSON knows.
        shipped = all(type(tag) in _SHIPPED_TAGS for tag in self.order)
        self._known = _KNOWN if shipped else frozenset()

    def tag(self, value: Any) -> Any:
        """What JSON knows, with tags around what it does not."""
        if type(value) in self._known:
            return value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """The value behind a tagged object; any other object as it is."""
        if len(value) == 1:
            ((key, tagged),) = value.items()
            tag = self.tags.get(key)
            if tag is not None:
                return tag.to_python(tagged)
        return value

    def dumps(self, value: Any) -> str:
        """Write `value` without spaces. TypeError for what neither a tag nor JSON knows."""
        return _encode(self.tag(value))

    def loads(self, value: str | bytes) -> Any:
        """Read what `dumps` wrote. ValueError for what is no JSON."""
        return self._decode(value if isinstance(value, str) else value.decode())


_SHIPPED_TAGS = frozenset(TaggedJSONSerializer.default_tags)
_encode = text_encoder(encode_unknown, separators=(",", ":"))
