"""`TaggedJSONSerializer`: Python's types through JSON and back, in Flask's form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from quart_plug_sessions.tag import JSONTag, TagDict, TaggedJSONSerializer, TagUUID

# Value, and the text as Flask writes it.
FORMS: list[tuple[Any, str]] = [
    ({"a": [1, None, "x"]}, '{"a":[1,null,"x"]}'),
    ((1, ("a",)), '{" t":[1,{" t":["a"]}]}'),
    (b"\x00\xff", '{" b":"AP8="}'),
    (Markup("<b>"), '{" m":"<b>"}'),
    (UUID(int=1), '{" u":"00000000000000000000000000000001"}'),
    (datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC), '{" d":"Thu, 29 Feb 2024 12:30:15 GMT"}'),
    ({" t": [1]}, '{" di":{" t__":[1]}}'),
    ({" di": 1}, '{" di":{" di__":1}}'),
    ({" t": 1, "a": 2}, '{" t":1,"a":2}'),
    ({" t__": 1}, '{" t__":1}'),
]


@pytest.mark.parametrize(("value", "text"), FORMS, ids=[text for _, text in FORMS])
def test_forms(value: Any, text: str) -> None:
    serializer = TaggedJSONSerializer()
    assert serializer.dumps(value) == text
    back = serializer.loads(text)
    assert back == value
    assert type(back) is type(value)


keys = st.text() | st.sampled_from([" t", " di", " b", " t__", " di__"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.uuids()
    | st.text().map(Markup)
    | st.datetimes(min_value=datetime(1970, 1, 1)).map(lambda d: d.replace(microsecond=0, fold=0, tzinfo=UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple),
)


@given(value=values)
def test_what_goes_in_comes_out(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    back = serializer.loads(serializer.dumps(value))
    assert repr(back) == repr(value)


def test_other_types_are_written_as_the_provider_writes_them() -> None:
    from decimal import Decimal

    serializer = TaggedJSONSerializer()
    assert serializer.loads(serializer.dumps({"price": Decimal("1.5")})) == {"price": "1.5"}
    with pytest.raises(TypeError, match="not JSON serializable"):
        serializer.dumps({1})


class TagSet(JSONTag):
    __slots__ = ()
    key = " s"

    def check(self, value: Any) -> bool:
        return isinstance(value, set)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in sorted(value)]

    def to_python(self, value: Any) -> Any:
        return set(value)


class TagShout(JSONTag):
    """Claims what JSON knows as it is."""

    __slots__ = ()
    key = " !"

    def check(self, value: Any) -> bool:
        return isinstance(value, str) and value.isupper()

    def to_json(self, value: Any) -> Any:
        return value.lower()

    def to_python(self, value: Any) -> Any:
        return value.upper()


def test_a_tag_can_be_registered() -> None:
    serializer = TaggedJSONSerializer()
    serializer.register(TagSet)
    assert serializer.dumps({"a": {2, 1}}) == '{"a":{" s":[1,2]}}'
    assert serializer.loads('{"a":{" s":[1,2]}}') == {"a": {1, 2}}
    assert type(serializer.order[-1]) is TagSet


def test_a_tag_may_claim_text() -> None:
    serializer = TaggedJSONSerializer()
    serializer.register(TagShout, index=0)
    assert type(serializer.order[0]) is TagShout
    assert serializer.dumps(["A", "b", 1]) == '[{" !":"a"},"b",1]'
    assert serializer.loads('[{" !":"a"},"b",1]') == ["A", "b", 1]


def test_a_key_is_registered_once_unless_forced() -> None:
    class TagUpperUUID(TagUUID):
        __slots__ = ()

        def to_json(self, value: Any) -> Any:
            return value.hex.upper()

    serializer = TaggedJSONSerializer()
    with pytest.raises(KeyError, match="' u' is registered"):
        serializer.register(TagUpperUUID)
    serializer.register(TagUpperUUID, force=True, index=0)
    assert json.loads(serializer.dumps(UUID(int=10)))[" u"].endswith("A")


def test_tags_can_be_left_out_by_a_subclass() -> None:
    class OnlyDictionaries(TaggedJSONSerializer):
        __slots__ = ()
        default_tags = [TagDict]

    assert OnlyDictionaries().dumps((1, 2)) == "[1,2]"
    assert list(OnlyDictionaries().tags) == [" di"]


def test_an_unknown_tag_is_a_plain_object() -> None:
    assert TaggedJSONSerializer().loads('{" x":1}') == {" x": 1}


def test_a_bare_tag_says_nothing_of_its_type() -> None:
    tag = JSONTag(TaggedJSONSerializer())
    for method in (tag.check, tag.to_json, tag.to_python):
        with pytest.raises(NotImplementedError):
            method(1)
