"""A view's return value: the ready parts of a reply, or a Response."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.sansio.response import Response as SansIOResponse
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as WSGIResponse

from quart_plug.wrappers.reply import convert, from_ready, make_response, ready, reply_headers
from quart_plug.wrappers.response import Response


class FakeJSON:
    def response(self, value: Any) -> Response:
        return Response(json.dumps(value), mimetype="application/json")

    def encoder(self) -> Any:
        return lambda value: json.dumps(value).encode(), "application/json"


class FakeApp:
    json: Any = FakeJSON()

    def __init__(self, response_class: type[Response] = Response) -> None:
        self.response_class = response_class

    def json_provider_or_none(self) -> Any:
        return self.json


class Own(Response):
    pass


APP: Any = FakeApp()
PLAN: Any = SimpleNamespace(reply=reply_headers(APP))


def generate() -> Iterator[str]:
    yield "a"


async def generate_async() -> AsyncIterator[str]:
    yield "a"


class Chunks:
    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raise StopIteration


TEXT = ("content-type", "text/html; charset=utf-8")
JSON = ("content-type", "application/json")

FORMS: list[tuple[Any, int, bytes, list[tuple[str, str]]]] = [
    ("é", 200, "é".encode(), [TEXT]),
    (b"b", 200, b"b", [TEXT]),
    (bytearray(b"b"), 200, b"b", [TEXT]),
    (Markup("<p>"), 200, b"<p>", [TEXT]),
    ("", 200, b"", [TEXT]),
    ({"a": 1}, 200, b'{"a": 1}', [JSON]),
    ({}, 200, b"{}", [JSON]),
    ([1, "a"], 200, b'[1, "a"]', [JSON]),
    (("x", 201), 201, b"x", [TEXT]),
    (("x", HTTPStatus.CREATED), 201, b"x", [TEXT]),
    (("x", "201 MADE"), 201, b"x", [TEXT]),
    (("x", "299"), 299, b"x", [TEXT]),
    (("x", b"202"), 202, b"x", [TEXT]),
    (("x", 202.0), 202, b"x", [TEXT]),
    (("x", None), 200, b"x", [TEXT]),
    (("x", None, None), 200, b"x", [TEXT]),
    (("x", 201, None), 201, b"x", [TEXT]),
    (({"a": 1}, 418), 418, b'{"a": 1}', [JSON]),
    (([1], {"a": "b"}), 200, b"[1]", [JSON, ("a", "b")]),
    (("x", {"a": "b"}), 200, b"x", [TEXT, ("a", "b")]),
    (("x", {"a": ["b", "c"]}), 200, b"x", [TEXT, ("a", "b"), ("a", "c")]),
    (("x", [("a", "b"), ("c", "d")]), 200, b"x", [TEXT, ("a", "b"), ("c", "d")]),
    (("x", (("a", "b"),)), 200, b"x", [TEXT, ("a", "b")]),
    (("x", WerkzeugHeaders({"a": "b"})), 200, b"x", [TEXT, ("a", "b")]),
    (("x", 201, {"Content-Type": "a/b"}), 201, b"x", [("content-type", "a/b")]),
    ((Response("x", 202), 203, {"a": "b"}), 203, b"x", [TEXT, ("a", "b")]),
    (Response("x", 202), 202, b"x", [TEXT]),
    (Own("x"), 200, b"x", [TEXT]),
    (WSGIResponse("x", 201), 201, b"x", [("content-type", "text/plain; charset=utf-8")]),
    (SansIOResponse(204), 204, b"", [("content-type", "text/plain; charset=utf-8")]),
    ((redirect("/a"), 301), 301, b"", [TEXT, ("location", "/a")]),
]


@pytest.mark.parametrize(("value", "status", "body", "headers"), FORMS, ids=lambda value: repr(value)[:40])
async def test_every_form(value: Any, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
    response = make_response(APP, value)

    assert response.status_code == status
    sent = [(name.decode(), text.decode()) for name, text in response.asgi_headers()]
    assert [pair for pair in sent if pair[0] != "content-length"] == headers
    data = await response.get_data()
    assert data == body or (headers[-1][0] == "location" and data)
    assert dict(sent).get("content-length") == str(len(data))


@pytest.mark.parametrize(("value", "status", "body", "headers"), FORMS, ids=lambda value: repr(value)[:40])
async def test_the_fast_exit_answers_as_the_complete_way(
    value: Any, status: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    """Where `ready` answers at all, it answers what `make_response` does."""
    reply = ready(value, PLAN)
    if reply is None:
        assert type(value) not in (str, bytes, dict, list)
        return
    response = make_response(APP, value)
    assert reply == (response.status_code, response.asgi_headers(), await response.get_data())
    again = from_ready(APP, reply)
    assert (again.status, again.asgi_headers(), await again.get_data()) == (
        response.status, response.asgi_headers(), await response.get_data()
    )  # fmt: skip


@given(st.binary(max_size=5000), st.sampled_from([200, 201, 404, 500, 599]))
def test_a_ready_reply_says_its_length(body: bytes, status: int) -> None:
    reply = ready((body, status), PLAN)

    assert reply is not None
    assert reply[0] == status
    assert reply[1][1] == (b"content-length", b"%d" % len(body))
    assert reply[2] is body


@pytest.mark.parametrize(
    "value",
    [
        ("x", 204), ("x", 205), ("x", 304), ("x", 100), ("x", 0), ("x", 99999), ("x", True), ("x", "201"),
        ("x", 201, {}), ("x",), (), None, 5, Markup("x"), Response("x"), (None, 200), bytearray(b"x"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_not_ready(value: Any) -> None:
    assert ready(value, PLAN) is None


def test_each_ready_list_of_headers_is_new() -> None:
    first = ready("x", PLAN)
    assert first is not None
    first[1].append((b"a", b"b"))

    assert ready("x", PLAN) == (200, first[1][:2], b"x")


def test_a_class_of_ones_own_makes_its_own_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reply_headers(FakeApp(Own)) is None  # type: ignore[arg-type]
    monkeypatch.setattr(Response, "default_mimetype", "text/plain")
    known = reply_headers(APP)
    assert known is not None
    assert known.text == (b"content-type", b"text/plain; charset=utf-8")
    monkeypatch.setattr(Response, "__init__", lambda *args, **kwargs: None)
    assert reply_headers(APP) is None


def test_without_an_encoder_json_is_left_to_the_provider() -> None:
    for provider in (None, SimpleNamespace(encoder=lambda: None)):
        app = SimpleNamespace(response_class=Response, json_provider_or_none=lambda found=provider: found)
        plan: Any = SimpleNamespace(reply=reply_headers(app))  # type: ignore[arg-type]
        assert ready({"a": 1}, plan) is None
        assert ready("x", plan) is not None


def test_a_ready_reply_becomes_the_apps_class() -> None:
    reply = ready({"a": 1}, PLAN)
    assert reply is not None
    response = from_ready(FakeApp(Own), reply)  # type: ignore[arg-type]

    assert type(response) is Own
    assert response.content_type == "application/json"


# Streams


@pytest.mark.parametrize("make", [generate, generate_async, lambda: iter(["a"]), lambda: map(str, "a")])
async def test_generators_and_iterators_are_streamed(make: Any) -> None:
    response = make_response(APP, (make(), 201))

    assert response.status_code == 201
    assert response.calculate_content_length() is None
    assert await response.get_data() == b"a"


def test_an_iterator_class_is_streamed() -> None:
    assert make_response(APP, Chunks()).calculate_content_length() is None


# Errors as values


async def test_an_http_exception_is_its_page() -> None:
    response = make_response(APP, NotFound("gone fishing"))

    assert response.status == "404 NOT FOUND"
    assert b"gone fishing" in await response.get_data()
    assert make_response(APP, MethodNotAllowed(["GET"])).headers["Allow"] == "GET"
    assert make_response(APP, (NotFound(), 410)).status_code == 410


async def test_an_http_exception_may_carry_a_response() -> None:
    carried = Response("x", 202)

    assert make_response(APP, HTTPException(response=carried)) is carried  # type: ignore[arg-type]
    made = make_response(APP, HTTPException(response=WSGIResponse("y", 203)))
    assert (made.status_code, await made.get_data()) == (203, b"y")


# What is no response


def view() -> None:
    """The view that the messages name."""


LINE = view.__code__.co_firstlineno


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "returned None, or ended without `return`; return a str"),
        ((None, 200), "returned None"),
        (5, "returned an int: 5; return a str"),
        (True, "returned a bool: True"),
        (2.5, "returned a float"),
        ({1}, "returned a set"),
        (object(), "returned an object"),
        (view, "which is not called here"),
        (Response, "which is not called here"),
        ((), r"returned an empty tuple; a tuple has to be \(value, status\)"),
        (("x",), "returned a tuple of 1"),
        (("x", 200, {}, 1), "returned a tuple of 4"),
        (("x", 200, 5), "headers are 5; they have to be a dict"),
        (("x", {}, 5), r"status is \{\}; a status is an int"),
        (("x", 2.5), "status is 2.5"),
    ],
)
def test_what_is_no_response_is_a_type_error_with_the_cure(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        make_response(APP, value, "shop.view", view)
    said = str(caught.value)
    assert said.startswith("The view function for 'shop.view' (view, ")
    assert f"test_reply.py:{LINE}) did not return a valid response." in said
    with pytest.raises(TypeError, match=rf"^The value is not a valid response\..*{message}"):
        make_response(APP, value)


@pytest.mark.parametrize("status", [0, 99, 1000, 99999, "teapot", "-1"])
def test_a_status_that_is_none_is_named(status: Any) -> None:
    with pytest.raises(ValueError, match="such as 404, or '404 NOT FOUND'"):
        make_response(APP, ("x", status), "view", view)


def test_the_message_sees_through_wrappers() -> None:
    @functools.wraps(view)
    def wrapped() -> None: ...

    for function in (wrapped, functools.partial(view)):
        with pytest.raises(TypeError, match=f"test_reply.py:{LINE}"):
            make_response(APP, None, "view", function)

    class View:
        def __call__(self) -> None: ...

    with pytest.raises(TypeError, match=r"for 'view' .*View object.* did not return"):
        make_response(APP, None, "view", View())


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(TypeError) as caught:
        make_response(APP, set(range(1000)))
    assert len(str(caught.value)) < 400


# Responses of other classes


async def test_a_plain_response_becomes_the_apps_class_and_a_subclass_stays() -> None:
    class Other(Response):
        pass

    app: Any = FakeApp(Own)
    assert type(make_response(app, Response("x"))) is Own
    assert type(make_response(app, "x")) is Own
    assert type(make_response(app, Other("x"))) is Other
    assert type(make_response(app, WSGIResponse("x"))) is Own
    assert type(Own.force_type(WSGIResponse("x"))) is Own


async def test_a_werkzeug_response_keeps_headers_body_and_what_is_called_on_close() -> None:
    calls = []
    source = WSGIResponse("x", 299, [("a", "1"), ("a", "2")])
    source.call_on_close(lambda: calls.append("closed"))
    response = convert(Response, source)
    assert response.headers.getlist("a") == ["1", "2"]
    assert await response.get_data() == b"x"
    await response.close()
    assert calls == ["closed"]


async def test_a_streaming_werkzeug_response_stays_a_stream() -> None:
    closed = []

    def stream() -> Iterator[str]:
        try:
            yield "a"
            yield "é"
        finally:
            closed.append(True)

    response = convert(Response, WSGIResponse(stream()))
    assert response.calculate_content_length() is None
    assert [chunk async for chunk in response.iter_encode()] == [b"a", "é".encode()]
    await response.close()
    assert closed == [True]


def test_a_split_header_from_a_view_is_refused() -> None:
    with pytest.raises(ValueError, match="control characters"):
        make_response(APP, ("x", {"a": "b\r\nc: d"}))
    with pytest.raises(ValueError, match="A status must not contain"):
        make_response(APP, ("x", "200 OK\r\na: b"))
