"""What a view may return, and what the client then gets: Flask's forms, and the asynchronous ones."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import AsyncGenerator, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

from quart_plug import Quart, Response, abort, jsonify, make_response, redirect

HTML, JSON = "text/html; charset=utf-8", "application/json"


def generator() -> Iterator[str | bytes]:
    yield "a"
    yield b"b"


async def async_generator() -> AsyncGenerator[str | bytes, None]:
    yield "a"
    yield b"b"


class Text(str):
    pass


class Teapot(Response):
    default_status = 418


Answer = namedtuple("Answer", ["body", "status"])

VALUES: dict[str, Any] = {
    "str": (lambda: "ä", 200, HTML, "ä"),
    "bytes": (lambda: b"a", 200, HTML, "a"),
    "empty": (lambda: "", 200, HTML, ""),
    "subclass of str": (lambda: Text("a"), 200, HTML, "a"),
    "dict": (lambda: {"a": 1}, 200, JSON, '{"a":1}\n'),
    "empty dict": (dict, 200, JSON, "{}\n"),
    "ordered dict": (lambda: OrderedDict(a=1), 200, JSON, '{"a":1}\n'),
    "list": (lambda: [1, None], 200, JSON, "[1,null]\n"),
    "generator": (generator, 200, HTML, "ab"),
    "async generator": (async_generator, 200, HTML, "ab"),
    "response": (lambda: Response("a", 202), 202, HTML, "a"),
    "response of a subclass": (lambda: Teapot("a"), 418, HTML, "a"),
    "werkzeug's response": (lambda: WerkzeugResponse("a", 203), 203, "text/plain; charset=utf-8", "a"),
    "jsonify": (lambda: jsonify(a=1), 200, JSON, '{"a":1}\n'),
    "redirect": (lambda: redirect("/there", 303), 303, HTML, None),
    "abort": (lambda: abort(409), 409, HTML, None),
    "abort with a response": (lambda: abort(Response("a", 410)), 410, HTML, "a"),
    "HTTP error": (lambda: NotFound("nowhere"), 404, HTML, None),
    "status": (lambda: ("a", 201), 201, HTML, "a"),
    "status with words": (lambda: ("a", "201 MADE"), 201, HTML, "a"),
    "status of http": (lambda: ("a", HTTPStatus.CREATED), 201, HTML, "a"),
    "status None": (lambda: ("a", None), 200, HTML, "a"),
    "named tuple": (lambda: Answer("a", 201), 201, HTML, "a"),
    "headers": (lambda: ("a", {"X-A": "1"}), 200, HTML, "a"),
    "content type": (lambda: ("a", {"content-type": "text/css"}), 200, "text/css", "a"),
    "list of headers": (lambda: ("a", [("X-A", "1")]), 200, HTML, "a"),
    "Headers": (lambda: ("a", Headers({"X-A": "1"})), 200, HTML, "a"),
    "status and headers": (lambda: ("a", 201, {"X-A": "1"}), 201, HTML, "a"),
    "status and no headers": (lambda: ("a", 201, None), 201, HTML, "a"),
    "dict, status and headers": (lambda: ({"a": 1}, 201, {"X-A": "1"}), 201, JSON, '{"a":1}\n'),
    "list and status": (lambda: ([1], 201), 201, JSON, "[1]\n"),
    "async generator and headers": (lambda: (async_generator(), {"X-A": "1"}), 200, HTML, "ab"),
    "response and status": (lambda: (Response("a", 202, {"X-A": "0"}), 203, {"X-A": "1"}), 203, HTML, "a"),
    "no content": (lambda: ("", 204), 204, None, ""),
}
RETURNED = [name for name in VALUES if not name.startswith("abort")]


def application(value: Any, where: str = "view") -> Quart:
    """An application that answers with `value`, from a view or from where else an answer may come."""
    app = Quart(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    if where == "plain view":
        app.add_url_rule("/", "view", lambda: value())
        return app

    @app.get("/")
    async def view() -> Any:
        return value() if where == "view" else 1 / 0

    if where == "before function":

        @app.before_request
        async def before() -> Any:
            return value()

    if where == "error handler":

        @app.errorhandler(ZeroDivisionError)
        async def handle(error: ZeroDivisionError) -> Any:
            return value()

    return app


@pytest.mark.parametrize(
    ("name", "where"),
    [
        *((name, where) for name in VALUES for where in ("view", "plain view", "before function")),
        *((name, "error handler") for name in RETURNED),  # an error in an error handler is not handled again
    ],
)
async def test_a_value_becomes_a_response_wherever_it_is_returned(name: str, where: str) -> None:
    value, status, content_type, body = VALUES[name]

    response = await application(value, where).test_client().get("/")

    assert (response.status_code, response.headers.get("content-type")) == (status, content_type)
    assert body is None or await response.get_data(as_text=True) == body
    if "headers" in name.lower() and "no headers" not in name:
        assert response.headers.getlist("x-a") == ["1"]


@pytest.mark.parametrize("name", RETURNED)
async def test_make_response_takes_the_same_values(name: str) -> None:
    value, status, content_type, body = VALUES[name]
    async with Quart(__name__).test_request_context("/"):
        given = value()
        response = await make_response(*given) if type(given) is tuple else await make_response(given)

        assert isinstance(response, Response)
        assert response.status_code == status
        assert content_type is None or response.content_type == content_type
        assert body is None or await response.get_data(as_text=True) == body


@pytest.mark.parametrize("name", VALUES)
async def test_head_gets_what_get_would_without_the_body(name: str) -> None:
    value, status, content_type, _ = VALUES[name]
    client = application(value).test_client()

    head, got = await client.head("/"), await client.get("/")

    assert (head.status_code, head.headers.get("content-type")) == (status, content_type)
    assert head.headers.get("content-length") == got.headers.get("content-length")
    assert await head.get_data() == b""


class MyAnswer:
    def __repr__(self) -> str:
        return "<mine>"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ["returned None", "ended without `return`"]),
        ((None, 204), ["returned None"]),
        (5, ["an int", "5"]),
        (1.5, ["a float"]),
        (True, ["a bool"]),
        ({1}, ["a set"]),
        (MyAnswer(), ["MyAnswer", "<mine>"]),
        (generator, ["not called"]),
        (("a",), ["tuple of 1"]),
        (("a", 1, {}, 2), ["tuple of 4"]),
        ((), ["empty tuple"]),
        (("a", {"X": "1"}, 201), ["status is {'X': '1'}"]),
    ],
)
async def test_anything_else_is_an_error_that_names_the_view(value: Any, words: list[str]) -> None:
    app = Quart(__name__)
    app.testing = True

    @app.get("/", endpoint="shop.cart")
    async def view() -> Any:
        return value

    with pytest.raises(TypeError) as caught:
        await app.test_client().get("/")

    for word in ["shop.cart", "view", "test_return_values.py", *words]:
        assert word in str(caught.value)


async def test_headers_of_a_tuple_replace_those_of_the_response_and_leave_the_rest() -> None:
    def value() -> Any:
        return Response("a", 202, {"X-A": "0", "X-B": "0"}), {"X-A": ["1", "2"]}

    response = await application(value).test_client().get("/")

    assert response.status_code == 202
    assert (response.headers.getlist("x-a"), response.headers.getlist("x-b")) == (["1", "2"], ["0"])


async def test_options_are_answered_with_the_methods() -> None:
    app = Quart(__name__)
    app.add_url_rule("/", "read", lambda: "", methods=["GET"])
    app.add_url_rule("/", "write", lambda: "", methods=["POST"])
    app.add_url_rule("/own", "own", lambda: "mine", methods=["OPTIONS"])
    app.add_url_rule("/none", "none", lambda: "", methods=["POST"], provide_automatic_options=False)
    client = app.test_client()

    answer = await client.options("/")
    assert (answer.status_code, set(answer.allow)) == (200, {"GET", "HEAD", "POST", "OPTIONS"})
    assert await (await client.options("/own")).get_data() == b"mine"
    refused = await client.options("/none")
    assert (refused.status_code, set(refused.allow)) == (405, {"POST"})


async def test_text_beyond_ascii_goes_through_everything() -> None:
    app = Quart(__name__)

    @app.get("/ü/<name>")
    async def view(name: str) -> Any:
        return {"name": name}, {"X-Name": name}

    response = await app.test_client().get("/ü/☃?q=ö")

    assert await response.get_json() == {"name": "☃"}
    assert response.headers["x-name"] == "☃"
    assert (await app.test_client().get("/nö")).status_code == 404


async def test_a_stream_is_closed_when_the_client_leaves() -> None:
    ended: list[str] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
        finally:
            ended.append("closed")

    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: Response(endless()))

    async with app.test_client().request("/") as connection:
        await connection.send_complete()
        assert await connection.receive() == b"x"
        await connection.disconnect()

    assert ended == ["closed"]
