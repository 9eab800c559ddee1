"""Arguments of tests become headers, paths, bodies and scopes, as in Quart."""

from __future__ import annotations

import inspect
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.formparser import MultiPartParser

from quart_plug.testing import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)


async def nothing(scope: Any, receive: Any, send: Any) -> None: ...


@pytest.mark.parametrize(
    ("path", "query_string", "made"),
    [
        ("/", None, ("/", b"")),
        ("/a b?x=1&y=2", None, ("/a b", b"x=1&y=2")),
        ("/a%20b%2Fc", None, ("/a b/c", b"")),
        ("/é?ü=é", None, ("/é", b"%C3%BC=%C3%A9")),
        ("/?a=%26b", None, ("/", b"a=%26b")),
        ("/a", {"a": "b c", "l": [1, 2]}, ("/a", b"a=b+c&l=1&l=2")),
        ("/a", MultiDict([("l", 1), ("l", 2)]), ("/a", b"l=1&l=2")),
        ("/a", "x=1", ("/a", b"x=1")),
        ("/a", b"x=1", ("/a", b"x=1")),
    ],
)
def test_path_and_query(bare_app: Any, path: str, query_string: Any, made: tuple[str, bytes]) -> None:
    headers, *rest = make_test_headers_path_and_query_string(bare_app(nothing), path, query_string=query_string)
    assert (tuple(rest), list(headers)) == (made, [("User-Agent", "Quart"), ("host", "localhost")])


def test_a_query_in_two_places_is_an_error(bare_app: Any) -> None:
    with pytest.raises(ValueError, match="in the path and as an argument"):
        make_test_headers_path_and_query_string(bare_app(nothing), "/?a=1", query_string={"b": "2"})


def test_headers_that_are_given_stay(bare_app: Any) -> None:
    given_headers = {"Host": "foo", "user-agent": "z"}
    headers, *_ = make_test_headers_path_and_query_string(bare_app(nothing), "/", given_headers, subdomain="s")
    assert list(headers) == [("Host", "foo"), ("user-agent", "z")]


@pytest.mark.parametrize(
    ("arguments", "body", "content_type"),
    [
        ({}, b"", None),
        ({"data": "é"}, "é".encode(), None),
        ({"data": b""}, b"", None),
        ({"form": {}}, b"", "application/x-www-form-urlencoded"),
        ({"form": {"a": "é b", "n": 1}}, b"a=%C3%A9+b&n=1", "application/x-www-form-urlencoded"),
        ({"files": {}}, b"\r\n------QuartBoundary--\r\n", "multipart/form-data; boundary=----QuartBoundary"),
    ],
)
def test_a_body(arguments: dict[str, Any], body: bytes, content_type: str | None) -> None:
    made, headers = make_test_body_with_headers(**arguments)
    assert (made, headers.get("Content-Type")) == (body, content_type)


@pytest.mark.parametrize("arguments", [{"data": "a", "json": 1}, {"form": {}, "data": "a"}, {"json": 1, "files": {}}])
def test_two_bodies_are_an_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="mutually exclusive"):
        make_test_body_with_headers(**arguments)


def test_a_dict_as_data_is_an_error_that_names_the_right_argument() -> None:
    with pytest.raises(TypeError, match="not dict: see `form=` and `json=`"):
        make_test_body_with_headers(data={"a": 1})  # type: ignore[arg-type]  # the mistake under test


def parsed(body: bytes, headers: Headers) -> tuple[dict[str, list[str]], dict[str, list[tuple[str | None, bytes]]]]:
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()
    form, files = MultiPartParser().parse(BytesIO(body), boundary, len(body))
    read: dict[str, list[tuple[str | None, bytes]]] = {}
    for name, file in files.items(multi=True):
        with closing(file):
            read.setdefault(name, []).append((file.filename, file.read()))
    return dict(form.lists()), read


@given(
    st.dictionaries(st.text("abc", min_size=1), st.text()),
    st.dictionaries(st.text("abc", min_size=1), st.binary()),
)
def test_multipart_is_read_back_as_it_was(form: dict[str, str], contents: dict[str, bytes]) -> None:
    files = {name: FileStorage(BytesIO(content), filename="f.bin") for name, content in contents.items()}
    back = parsed(*make_test_body_with_headers(form=form, files=files))
    assert back == (
        {name: [value] for name, value in form.items()},
        {name: [("f.bin", content)] for name, content in contents.items()},
    )


def test_several_files_under_a_name_and_names_that_need_care() -> None:
    several: Any = [FileStorage(BytesIO(b"1"), filename='a".txt'), FileStorage(BytesIO(b"2"))]
    form, files = parsed(*make_test_body_with_headers(files={"f": several}, form={"l": ["x", "y"], "b": b"z"}))
    assert (form, files) == ({"l": ["x", "y"], "b": ["z"]}, {"f": [('a".txt', b"1"), ("f", b"2")]})


def test_content_that_holds_the_boundary_gets_another() -> None:
    content = b"\r\n------QuartBoundary--\r\n"
    _, files = parsed(*make_test_body_with_headers(files={"f": FileStorage(BytesIO(content), filename="f")}))
    assert files == {"f": [("f", content)]}


def test_a_file_that_cannot_be_rewound_is_read() -> None:
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

    _, files = parsed(*make_test_body_with_headers(files={"f": FileStorage(Pipe(b"1"), filename="f")}))
    assert files == {"f": [("f", b"1")]}


def test_a_files_own_headers_are_sent() -> None:
    file = FileStorage(BytesIO(b"1"), filename="f", content_type="text/x", headers=Headers({"X-A": "b"}))
    body, _ = make_test_body_with_headers(files={"f": file})
    assert b"X-A: b\r\n" in body
    assert b"Content-Type: text/x\r\n" in body


@pytest.mark.parametrize(
    ("type_", "http_version", "extensions"),
    [
        ("http", "1.1", {}),
        ("http", "2", {"http.response.push": {}}),
        ("websocket", "1.1", {"websocket.http.response": {}}),
    ],
)
def test_a_scope(type_: str, http_version: str, extensions: dict[str, Any]) -> None:
    headers = Headers([("A", "é"), ("A", "2")])
    scope = make_test_scope(type_, "/é", "GET", headers, b"q", "https", "/r", http_version, {"client": ("1", 2)})
    assert scope == {
        "type": type_,
        "http_version": http_version,
        "asgi": {"spec_version": "2.1"},
        "method": "GET",
        "scheme": "https",
        "path": "/é",
        "raw_path": b"/%C3%A9",
        "query_string": b"q",
        "root_path": "/r",
        "headers": [(b"a", "é".encode()), (b"a", b"2")],
        "extensions": extensions,
        "_quart._preserve_context": False,
        "client": ("1", 2),
    }


async def test_what_takes_a_push_and_does_nothing() -> None:
    await no_op_push("/", Headers())


def test_json_is_not_given_by_default() -> None:
    assert inspect.signature(make_test_body_with_headers).parameters["json"].default is sentinel
