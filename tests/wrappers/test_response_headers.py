"""A response's headers: werkzeug's behaviour, and nothing on the wire that HTTP forbids."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers as WerkzeugHeaders

from quart_plug.wrappers.response_headers import Headers, content_type_of, wire_headers, wire_name

TOKEN = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=20)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=8))
def test_what_is_allowed_arrives_unchanged_but_for_the_case_of_names(items: list[tuple[str, str]]) -> None:
    wire = wire_headers(Headers(items))

    assert [(name.decode(), value.decode()) for name, value in wire] == [
        (name.lower(), value) for name, value in items
    ]


@given(ANYTHING, ANYTHING)
def test_nothing_that_could_split_a_response_reaches_the_wire(name: str, value: str) -> None:
    """Whatever is set is either refused or free of control characters, the name being a token."""
    try:
        headers = Headers()
        headers[name] = value
        wire = wire_headers(headers)
    except ValueError:
        return
    assert re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9a-z]+", wire[0][0])
    assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", wire[0][1])


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7f"])
@pytest.mark.parametrize(
    "put",
    [
        lambda headers, value: headers.__setitem__("x", value),
        lambda headers, value: headers.set("x", value),
        lambda headers, value: headers.add("x", value),
        lambda headers, value: headers.extend({"x": value}),
        lambda headers, value: headers.update({"x": value}),
        lambda headers, value: headers.setdefault("x", value),
        lambda headers, value: headers.setlist("x", [value]),
        lambda headers, value: Headers({"x": value}),
        lambda headers, value: Headers([("x", value)]),
        lambda headers, value: headers.add("x", "y", key=value),
    ],
)
def test_control_characters_are_refused_where_they_are_set(put: object, value: str) -> None:
    headers = Headers()

    with pytest.raises(ValueError, match=r"control characters|newline"):
        put(headers, value)  # type: ignore[operator]
    assert len(headers) == 0


def test_the_wire_refuses_what_came_around_the_methods() -> None:
    for headers in (Headers(), WerkzeugHeaders()):
        headers._list.append(("x", "a\r\nset-cookie: b"))
        with pytest.raises(ValueError, match="'x' must not contain line ends"):
            wire_headers(headers)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä", "a\n"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a header"):
        wire_name(name)
    with pytest.raises(ValueError, match="cannot be the name of a header"):
        Headers()[name] = "x"
    with pytest.raises(ValueError, match="cannot be the name of a header"):
        wire_headers(WerkzeugHeaders([(name, "x")]))


def test_a_tab_is_a_part_of_values() -> None:
    assert wire_headers(Headers({"x": "a\tb"})) == [(b"x", b"a\tb")]


def test_text_beyond_ascii_is_sent_as_utf_8() -> None:
    assert wire_headers(Headers({"x": "é€"})) == [(b"x", "é€".encode())]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["set", "add", "remove", "setdefault"]),
        st.sampled_from(["a", "A", "b", "Content-Type", "content-type"]),
        st.sampled_from(["1", "2", "é"]),
    ),
    max_size=12,
)


@given(OPERATIONS)
def test_it_behaves_as_werkzeugs(operations: list[tuple[str, str, str]]) -> None:
    ours, theirs = Headers(), WerkzeugHeaders()
    for operation, name, value in operations:
        for headers in (ours, theirs):
            arguments = (name,) if operation == "remove" else (name, value)
            getattr(headers, operation)(*arguments)

    assert list(ours) == list(theirs)
    assert ours == theirs
    assert theirs == ours
    for name in ("A", "b", "CONTENT-TYPE", "missing"):
        assert ours.get(name) == theirs.get(name)
        assert (name in ours) == (name in theirs)


def test_values_that_are_no_text_become_text() -> None:
    headers = Headers({"a": 1, "b": ["x", "y"]})
    headers["c"] = 2.5
    headers.set("d", "attachment", filename="f.txt")

    assert list(headers) == [
        ("a", "1"), ("b", "x"), ("b", "y"), ("c", "2.5"), ("d", "attachment; filename=f.txt")
    ]  # fmt: skip


def test_index_and_slice_assignment_are_werkzeugs() -> None:
    headers = Headers([("a", "1"), ("b", "2")])
    headers[0] = ("c", "3")
    headers[1:] = [("d", "4")]

    assert list(headers) == [("c", "3"), ("d", "4")]
    assert headers[0] == ("c", "3")


def test_a_missing_header_is_werkzeugs_error() -> None:
    with pytest.raises(KeyError):
        Headers()["x"]


def test_only_text_types_get_a_charset() -> None:
    assert content_type_of("text/css") == "text/css; charset=utf-8"
    assert content_type_of("image/png") == "image/png"
    with pytest.raises(ValueError, match="mimetype must not contain"):
        content_type_of("text/html\r\n")
