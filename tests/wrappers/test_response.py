"""The Response: Quart's surface, werkzeug's semantics, nothing built before it is looked at."""

from __future__ import annotations

import copy
import io
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.datastructures import Headers as WerkzeugHeaders

from quart_plug.globals import _cv
from quart_plug.wrappers.response import DataBody, FileBody, Headers, IOBody, IterableBody, Response


def headers_of(response: Response) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in response.asgi_headers()}


async def stream() -> AsyncIterator[str | bytes]:
    yield "a"
    yield b"b"


@pytest.mark.parametrize(
    ("arguments", "status", "content_type"),
    [
        (("x",), "200 OK", "text/html; charset=utf-8"),
        ((b"x", 201), "201 CREATED", "text/html; charset=utf-8"),
        (("x", "299 Almost"), "299 Almost", "text/html; charset=utf-8"),
        (("x", "404"), "404 NOT FOUND", "text/html; charset=utf-8"),
        (("x", None, None, "text/css"), "200 OK", "text/css; charset=utf-8"),
        (("x", None, None, "application/json"), "200 OK", "application/json"),
        (("x", None, None, "text/css", "image/png"), "200 OK", "image/png"),
        (("x", None, {"content-type": "a/b"}), "200 OK", "a/b"),
        (("x", None, {"content-type": "a/b"}, "text/css"), "200 OK", "text/css; charset=utf-8"),
        (("x", None, [("Content-Type", "a/b")], None, "c/d"), "200 OK", "c/d"),
    ],
)
async def test_construction(arguments: tuple[Any, ...], status: str, content_type: str) -> None:
    response = Response(*arguments)

    assert response.status == status
    assert response.status_code == int(status[:3])
    assert headers_of(response) == {"content-type": content_type, "content-length": "1"}
    assert response.content_type == content_type
    assert headers_of(response) == {"content-type": content_type, "content-length": "1"}


@pytest.mark.parametrize("body", ["é", "é".encode(), bytearray("é".encode()), memoryview("é".encode())])
async def test_data_is_bytes_and_has_a_length(body: Any) -> None:
    response = Response(body)

    assert await response.get_data() == "é".encode()
    assert await response.data == "é".encode()
    assert await response.get_data(as_text=True) == "é"
    assert response.content_length == 2
    assert isinstance(response.response, DataBody)


async def test_without_a_body_there_is_an_empty_one() -> None:
    response = Response()

    assert await response.get_data() == b""
    assert headers_of(response)["content-length"] == "0"


async def test_a_given_length_gives_way_to_the_bodys_but_stands_without_a_body() -> None:
    assert Response("x", headers={"Content-Length": "7"}).content_length == 1
    assert Response(headers={"Content-Length": "7"}).content_length == 7


@pytest.mark.parametrize("make", [stream, lambda: ["a", b"b"], lambda: (c for c in "ab"), lambda: iter("ab")])
async def test_iterables_are_streams_without_a_length(make: Any) -> None:
    assert "content-length" not in headers_of(Response(make()))
    assert isinstance(Response(make()).response, IterableBody)
    assert [chunk async for chunk in Response(make()).iter_encode()] == [b"a", b"b"]

    response = Response(make())
    assert await response.get_data() == b"ab"
    assert isinstance(response.response, DataBody)
    assert await response.get_data() == b"ab"


async def test_a_stream_is_used_up_when_it_may_not_become_a_sequence() -> None:
    response = Response(stream())
    response.implicit_sequence_conversion = False

    assert await response.get_data() == b"ab"
    assert isinstance(response.response, IterableBody)


async def test_bytes_io_is_sent_from_where_it_stands() -> None:
    source = io.BytesIO(b"abc")
    source.read(1)

    assert await Response(source).get_data() == b"bc"


@pytest.mark.parametrize("body", [5, object(), 2.5, True])
def test_what_is_no_body_is_refused(body: Any) -> None:
    with pytest.raises(TypeError, match="cannot be a response's body"):
        Response(body)


async def test_a_chunk_that_is_no_text_is_named() -> None:
    with pytest.raises(TypeError, match=r"consists of str and bytes, not of int \(1\)"):
        await Response([1]).get_data()


async def test_set_data_replaces_body_and_length() -> None:
    for touch in (False, True):
        response = Response("x")
        if touch:
            response.headers["a"] = "b"
        response.set_data("abc")
        assert headers_of(response)["content-length"] == "3"
        response.data = b"abcd"
        assert headers_of(response)["content-length"] == "4"
        assert await response.get_data() == b"abcd"


async def test_the_length_is_left_alone_when_it_is_not_automatic() -> None:
    class Unmeasured(Response):
        automatically_set_content_length = False

    response = Unmeasured("x")
    response.set_data("abc")

    assert "content-length" not in headers_of(response)
    assert response.content_length is None
    assert response.calculate_content_length() == 3


async def test_another_body_takes_the_old_ones_length_away() -> None:
    response = Response("abc")
    assert response.content_length == 3
    response.response = IterableBody(stream())
    assert response.content_length is None
    assert response.calculate_content_length() is None

    response = Response("abc")
    assert response.content_length == 3
    response.response = DataBody(b"abcd")
    assert response.content_length == 4
    assert await response.get_data() == b"abcd"

    response = Response("abc")
    response.content_length = 99  # somebody knows better
    response.response = IterableBody(stream())
    assert response.content_length == 99


async def test_the_body_object_is_the_truth_once_it_was_looked_at() -> None:
    response = Response("abc")
    assert response.response is response.response
    await response.response.make_conditional(1, 2)  # type: ignore[attr-defined]

    assert await response.get_data() == b"b"
    assert headers_of(response)["content-length"] == "1"


async def test_freeze_reads_a_stream_and_measures_it() -> None:
    response = Response(stream())
    await response.freeze()

    assert response.content_length == 2
    assert isinstance(response.response, DataBody)


def test_headers_given_as_headers_are_used_and_changed() -> None:
    for headers in (Headers(), WerkzeugHeaders({"a": "b"})):
        response = Response("x", headers=headers)
        assert response.headers is headers
        assert headers["Content-Length"] == "1"


def test_headers_can_be_assigned() -> None:
    response = Response("x")
    response.headers = Headers({"a": "b"})

    assert response.asgi_headers() == [(b"a", b"b")]


def test_each_asgi_list_is_new() -> None:
    for response in (Response("x"), Response("x", headers={"a": "b"})):
        response.asgi_headers().append((b"x", b"y"))
        assert (b"x", b"y") not in response.asgi_headers()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 100_000])
def test_the_length_beyond_the_table_of_lengths(size: int) -> None:
    assert headers_of(Response(b"x" * size))["content-length"] == str(size)


# Status and cookies


def test_the_status_can_be_set_in_every_form() -> None:
    response = Response("x")
    response.status = "418 SHORT AND STOUT"
    assert (response.status, response.status_code) == ("418 SHORT AND STOUT", 418)
    response.status_code = 404
    assert (response.status, response.status_code) == ("404 NOT FOUND", 404)
    response.status = 299  # type: ignore[assignment]  # the setter takes more than the getter gives
    assert (response.status, response.status_code) == ("299 UNKNOWN", 299)
    with pytest.raises(TypeError, match="A status is an int or a str"):
        response.status = 200.5  # type: ignore[assignment]


@pytest.mark.parametrize("text", ["200 OK\r\nx: y", "200 O\0K", "200 \x1b"])
def test_control_characters_in_a_status_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="A status must not contain"):
        Response("x", text)


@pytest.mark.parametrize("text", ["a\r\nb", "a\0b", "a\x1bb"])
def test_control_characters_in_types_and_cookies_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must not contain"):
        Response("x", content_type=text)
    with pytest.raises(ValueError, match="must not contain"):
        Response("x", mimetype=text)
    response = Response("x")
    with pytest.raises(ValueError, match="cookie's name must not contain"):
        response.set_cookie(text, "v")
    with pytest.raises(ValueError, match="cookie's domain must not contain"):
        response.set_cookie("k", domain=text)
    with pytest.raises(ValueError, match="cookie's path must not contain"):
        response.delete_cookie("k", path=text)
    assert "Set-Cookie" not in response.headers


def test_a_cookie_cannot_smuggle_attributes() -> None:
    with pytest.raises(ValueError, match="name must not contain ';'"):
        Response("x").set_cookie("a; Domain=evil.example")
    with pytest.raises(ValueError, match="domain must not contain ';'"):
        Response("x").set_cookie("a", domain="x.example; Secure")
    response = Response("x")
    response.set_cookie("a", "1; Domain=evil\r\n")
    assert response.headers["Set-Cookie"] == 'a="1\\073 Domain=evil\\015\\012"; Path=/'


def test_cookies_are_set_and_deleted() -> None:
    response = Response("x")
    response.set_cookie("a", "1", httponly=True, samesite="Lax")
    response.delete_cookie("b")

    assert response.headers.getlist("Set-Cookie") == [
        "a=1; HttpOnly; Path=/; SameSite=Lax",
        "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    ]


def test_the_cookie_size_is_a_setting() -> None:
    assert Response("x").max_cookie_size == 4093
    token = _cv.set(SimpleNamespace(app=SimpleNamespace(config={"MAX_COOKIE_SIZE": 10})))  # type: ignore[arg-type]
    try:
        assert Response("x").max_cookie_size == 10
        with pytest.warns(UserWarning, match="too large"):
            Response("x").set_cookie("a", "b" * 20)
    finally:
        _cv.reset(token)


# Subclasses


async def test_a_subclass_may_replace_whatever_werkzeug_lets_it() -> None:
    class Data(DataBody):
        def __aiter__(self) -> Any:
            return IterableBody([self.data.upper()]).__aiter__()

    class Own(Response):
        default_mimetype = "application/json"
        default_status = 201
        data_body_class = Data

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.headers["x-own"] = "1"

    response = Own("abc")
    assert response.status == "201 CREATED"
    assert headers_of(response) == {
        "content-type": "application/json", "content-length": "3", "x-own": "1"
    }  # fmt: skip
    assert [chunk async for chunk in response.iter_encode()] == [b"ABC"]


def test_a_subclass_without_a_mimetype_has_no_content_type() -> None:
    class Bare(Response):
        default_mimetype = None

    assert headers_of(Bare("x")) == {"content-length": "1"}
    assert headers_of(Bare("x", headers={"a": "b"})) == {"a": "b", "content-length": "1"}


def test_a_default_status_may_be_text() -> None:
    class Odd(Response):
        default_status = "299 Odd"  # type: ignore[assignment]

    assert (Odd("x").status, Odd("x").status_code) == ("299 Odd", 299)


async def test_a_copy_is_a_response() -> None:
    response = copy.copy(Response("x", 201))

    assert await response.get_data() == b"x"
    assert response.status == "201 CREATED"
    assert repr(response) == "<Response [201 CREATED]>"


# JSON


class Parsing(Response):
    import json as json_module


async def test_json_is_parsed_when_it_says_so() -> None:
    assert await Parsing('{"a": 1}', mimetype="application/json").json == {"a": 1}
    assert await Parsing('{"a": 1}', mimetype="application/vnd.x+json").get_json() == {"a": 1}
    assert await Parsing('{"a": 1}').get_json() is None
    assert await Parsing('{"a": 1}').get_json(force=True) == {"a": 1}
    assert await Parsing('{"a":').get_json(force=True, silent=True) is None
    with pytest.raises(ValueError, match="Expecting value"):
        await Parsing('{"a":').get_json(force=True)


# The end


async def test_every_function_is_called_on_close_even_if_another_fails() -> None:
    calls: list[str] = []
    response = Response("x")

    @response.call_on_close
    def first() -> None:
        calls.append("first")
        raise LookupError("first failed")

    @response.call_on_close
    async def second() -> None:
        calls.append("second")

    with pytest.raises(LookupError, match="first failed"):
        await response.close()
    assert sorted(calls) == ["first", "second"]
    await response.close()
    assert len(calls) == 2


async def test_closing_closes_a_stream_that_was_never_sent() -> None:
    closed = []

    class Source:
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("nobody asked for it")

        def close(self) -> None:
            closed.append(True)

    await Response(Source()).close()
    assert closed == [True]


async def test_an_etag_is_made_from_the_body() -> None:
    response = Response("x")
    await response.add_etag()
    first = response.get_etag()
    assert first == Response_etag("x")
    response.set_data("y")
    await response.add_etag()
    assert response.get_etag() == first
    await response.add_etag(overwrite=True, weak=True)
    assert response.get_etag() == (Response_etag("y")[0], True)


def Response_etag(text: str) -> tuple[str, bool]:
    from werkzeug.http import generate_etag

    return generate_etag(text.encode()), False


def test_the_body_classes_are_attributes() -> None:
    assert Response.data_body_class is DataBody
    assert Response.file_body_class is FileBody
    assert Response.io_body_class is IOBody
    assert Response.iterable_body_class is IterableBody
    assert Response("x").timeout is Ellipsis
