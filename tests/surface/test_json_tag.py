"""`quart.json.tag`: JSON that keeps types, tag by tag, and tags of one's own."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from markupsafe import Markup

from quart_plug.json.tag import (
    JSONTag,
    PassDict,
    PassList,
    TagBytes,
    TagDateTime,
    TagDict,
    TaggedJSONSerializer,
    TagMarkup,
    TagTuple,
    TagUUID,
)
from tests.support.surface import shows

MOMENT = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@shows(
    "json.tag.TagDict", "json.tag.TagDict.key", "json.tag.TagDict.check", "json.tag.TagDict.to_json",
    "json.tag.TagDict.to_python",
    "json.tag.TagTuple", "json.tag.TagTuple.key", "json.tag.TagTuple.check", "json.tag.TagTuple.to_json",
    "json.tag.TagTuple.to_python",
    "json.tag.TagBytes", "json.tag.TagBytes.key", "json.tag.TagBytes.check", "json.tag.TagBytes.to_json",
    "json.tag.TagBytes.to_python",
    "json.tag.TagMarkup", "json.tag.TagMarkup.key", "json.tag.TagMarkup.check", "json.tag.TagMarkup.to_json",
    "json.tag.TagMarkup.to_python",
    "json.tag.TagUUID", "json.tag.TagUUID.key", "json.tag.TagUUID.check", "json.tag.TagUUID.to_json",
    "json.tag.TagUUID.to_python",
    "json.tag.TagDateTime", "json.tag.TagDateTime.key", "json.tag.TagDateTime.check",
    "json.tag.TagDateTime.to_json", "json.tag.TagDateTime.to_python",
)  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "key", "value", "encoded", "others"),
    [
        (TagDict, " di", {" t": [1]}, {" t__": [1]}, [{" other": 1}, {" t": 1, "a": 2}, {}, []]),
        (TagTuple, " t", (1, ("a",)), [1, {" t": ["a"]}], [[1], "a"]),
        (TagBytes, " b", b"\xff\x00", "/wA=", ["a", bytearray(b"a")]),
        (TagMarkup, " m", Markup("<b>"), "<b>", ["<b>"]),
        (TagUUID, " u", UUID(int=1), "0" * 31 + "1", ["0" * 32]),
        (TagDateTime, " d", MOMENT, "Thu, 02 Jan 2020 03:04:05 GMT", [MOMENT.date(), 1]),
    ],
)
def test_a_tag(kind: type[JSONTag], key: str, value: Any, encoded: Any, others: list[Any]) -> None:
    serializer = TaggedJSONSerializer()
    tag = kind(serializer)
    assert (tag.key, tag.check(value), [tag.check(other) for other in others]) == (key, True, [False] * len(others))
    assert tag.to_json(value) == encoded
    assert tag.tag(value) == {key: encoded} == serializer.tag(value)
    plain = [1, ("a",)] if kind is TagTuple else encoded  # what is inside has been untagged before
    assert tag.to_python(plain) == value
    assert type(tag.to_python(plain)) is type(value)
    back = serializer.loads(serializer.dumps({"in": [value]}))
    assert back == {"in": [value]}
    assert type(back["in"][0]) is type(value)


@shows(
    "json.tag.PassDict", "json.tag.PassDict.check", "json.tag.PassDict.to_json", "json.tag.PassDict.tag",
    "json.tag.PassList", "json.tag.PassList.check", "json.tag.PassList.to_json", "json.tag.PassList.tag",
)  # fmt: skip
@pytest.mark.parametrize(
    ("kind", "value", "encoded"),
    [(PassDict, {"a": (1,), "b": 2}, {"a": {" t": [1]}, "b": 2}), (PassList, [(1,), 2], [{" t": [1]}, 2])],
)
def test_what_is_only_looked_into(kind: type[JSONTag], value: Any, encoded: Any) -> None:
    """Its values are tagged, and it is not itself."""
    tag = kind(TaggedJSONSerializer())
    assert (tag.key, tag.check(value), tag.check("a")) == ("", True, False)
    assert tag.to_json(value) == encoded == tag.tag(value)


@shows(
    "json.tag.TaggedJSONSerializer",
    "json.tag.TaggedJSONSerializer.dumps",
    "json.tag.TaggedJSONSerializer.loads",
    "json.tag.TaggedJSONSerializer.tag",
    "json.tag.TaggedJSONSerializer.untag",
)
def test_the_serializer() -> None:
    """It writes compactly; what no tag knows it leaves to JSON, and an object that is no tagged value as it is."""
    serializer = TaggedJSONSerializer()
    value = {"a": [1, None, True, 1.5, "é"], "b": {"c": ()}}
    assert serializer.dumps(value) == '{"a":[1,null,true,1.5,"\\u00e9"],"b":{"c":{" t":[]}}}'
    assert serializer.loads(serializer.dumps(value)) == value
    assert serializer.tag(1) == 1
    for plain in ({}, {"a": 1}, {" unknown": 1}, {" t": 1, "a": 2}):
        assert serializer.untag(plain) == plain
    assert serializer.untag({" t": [1]}) == (1,)
    with pytest.raises(TypeError):
        serializer.dumps(object())
    with pytest.raises(ValueError):
        serializer.loads("{")


class TagOrdered(JSONTag):
    __slots__ = ()
    key = " od"

    def check(self, value: Any) -> bool:
        return isinstance(value, OrderedDict)

    def to_json(self, value: Any) -> Any:
        return [[key, self.serializer.tag(item)] for key, item in value.items()]

    def to_python(self, value: Any) -> Any:
        return OrderedDict(value)


@shows(
    "json.tag.JSONTag",
    "json.tag.JSONTag.key",
    "json.tag.JSONTag.serializer",
    "json.tag.JSONTag.check",
    "json.tag.JSONTag.tag",
    "json.tag.JSONTag.to_json",
    "json.tag.JSONTag.to_python",
    "json.tag.TaggedJSONSerializer.register",
    "json.tag.TaggedJSONSerializer.order",
    "json.tag.TaggedJSONSerializer.tags",
)
def test_a_tag_of_ones_own() -> None:
    """`index` says before which tag a value is shown to it: an OrderedDict is a dictionary as well."""
    value = {"a": OrderedDict([("b", (1,)), ("a", 2)])}
    serializer = TaggedJSONSerializer()
    count = len(serializer.order)
    serializer.register(TagOrdered)
    assert serializer.dumps(value) == '{"a":{"b":{" t":[1]},"a":2}}'
    assert (len(serializer.order), type(serializer.order[-1])) == (count + 1, TagOrdered)

    serializer = TaggedJSONSerializer()
    serializer.register(TagOrdered, index=0)
    assert serializer.dumps(value) == '{"a":{" od":[["b",{" t":[1]}],["a",2]]}}'
    assert serializer.loads(serializer.dumps(value)) == value
    assert isinstance(serializer.loads(serializer.dumps(value))["a"], OrderedDict)
    tag = serializer.tags[" od"]
    assert (serializer.order[0], tag.serializer) == (tag, serializer)

    with pytest.raises(KeyError, match="od"):
        serializer.register(TagOrdered)
    serializer.register(TagOrdered, force=True, index=0)
    assert serializer.tags[" od"] is serializer.order[0] is not tag

    base = JSONTag(serializer)
    assert (base.key, base.serializer) == ("", serializer)
    for method in (base.check, base.to_json, base.to_python, base.tag):
        with pytest.raises(NotImplementedError):
            method(1)


def test_a_tag_for_what_json_knows() -> None:
    class TagText(JSONTag):
        key = " s"

        def check(self, value: Any) -> bool:
            return isinstance(value, str)

        def to_json(self, value: Any) -> Any:
            return value.upper()

        def to_python(self, value: Any) -> Any:
            return value

    serializer = TaggedJSONSerializer()
    serializer.register(TagText, index=0)
    assert serializer.dumps({"a": ["b", 1]}) == '{"a":[{" s":"B"},1]}'


@shows("json.tag.TaggedJSONSerializer.default_tags")
def test_other_default_tags() -> None:
    class TuplesOnly(TaggedJSONSerializer):
        default_tags = [TagTuple]

    serializer = TuplesOnly()
    assert (list(serializer.tags), [type(tag) for tag in serializer.order]) == ([" t"], [TagTuple])
    assert serializer.dumps((1, (2,))) == '{" t":[1,{" t":[2]}]}'
    assert serializer.dumps([(1,)]) == "[[1]]"
    with pytest.raises(TypeError):
        serializer.dumps((b"x",))
