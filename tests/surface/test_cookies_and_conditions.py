"""Cookies of a response, and its answers to conditional and range requests."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from werkzeug.http import parse_cookie, parse_date

from quart_plug import Quart, request
from quart_plug.wrappers import Response
from quart_plug.wrappers.response import IOBody
from tests.support.surface import shows

# Cookies ----------------------------------------------------------------------------------------------------


def attributes(response: Response) -> tuple[str, set[str]]:
    """The pair, and the attributes, of the one cookie that a response sets."""
    (cookie,) = response.headers.getlist("Set-Cookie")
    pair, *rest = cookie.split("; ")
    return pair, set(rest)


@shows("wrappers.response.Response.set_cookie")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {"Path=/"}),
        ({"path": "/admin"}, {"Path=/admin"}),
        ({"path": None}, set()),
        ({"domain": "example.org"}, {"Path=/", "Domain=example.org"}),
        ({"secure": True, "httponly": True}, {"Path=/", "Secure", "HttpOnly"}),
        ({"samesite": "lax"}, {"Path=/", "SameSite=Lax"}),
        ({"partitioned": True}, {"Path=/", "Secure", "Partitioned"}),
        (
            {"expires": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)},
            {"Path=/", "Expires=Tue, 02 Jan 2024 03:04:05 GMT"},
        ),
        ({"expires": 0}, {"Path=/", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"}),
    ],
)
def test_a_cookie_has_the_attributes_that_are_asked_for(arguments: dict[str, Any], expected: set[str]) -> None:
    response = Response("")
    response.set_cookie("name", "value", **arguments)

    assert attributes(response) == ("name=value", expected)


@shows("wrappers.response.Response.set_cookie")
@pytest.mark.parametrize("age", [60, timedelta(minutes=1)])
def test_a_cookies_age_sets_its_expiry_too(age: int | timedelta) -> None:
    response = Response("")
    before = datetime.now(UTC).replace(microsecond=0)
    response.set_cookie("name", "value", max_age=age)

    _, given = attributes(response)
    assert "Max-Age=60" in given
    (expires,) = (each.removeprefix("Expires=") for each in given if each.startswith("Expires="))
    moment = parse_date(expires)
    assert moment is not None
    assert before + timedelta(seconds=60) <= moment <= datetime.now(UTC) + timedelta(seconds=60)


@shows("wrappers.response.Response.set_cookie", "wrappers.response.Response.delete_cookie")
async def test_cookies_go_round() -> None:
    """Whatever a value holds, and until they are deleted."""
    app = Quart(__name__)
    values = {"plain": "a", "odd": 'x y;"z", ü\\', "empty": ""}

    @app.get("/set")
    async def set_them() -> Response:
        response = Response("")
        for name, value in values.items():
            response.set_cookie(name, value)
        return response

    @app.get("/delete")
    async def delete_one() -> Response:
        response = Response("")
        response.delete_cookie("odd")
        return response

    @app.get("/")
    async def show() -> dict[str, str]:
        return dict(request.cookies)

    client = app.test_client()
    await client.get("/set")
    assert await (await client.get("/")).get_json() == values
    await client.get("/delete")
    assert await (await client.get("/")).get_json() == {"plain": "a", "empty": ""}


@shows("wrappers.response.Response.delete_cookie")
def test_deleting_takes_the_attributes_that_the_cookie_was_set_with() -> None:
    response = Response("")
    response.delete_cookie("name", "/a", "example.org", secure=True, httponly=True, samesite="Strict", partitioned=True)

    assert attributes(response) == (
        "name=",
        {
            "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "Max-Age=0",
            "Path=/a",
            "Domain=example.org",
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
            "Partitioned",
        },
    )


async def test_each_cookie_is_a_header_of_its_own() -> None:
    response = Response("")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", max_age=5)
    response.delete_cookie("c")

    assert [cookie.partition("=")[0] for cookie in response.headers.getlist("Set-Cookie")] == ["a", "b", "c"]


def test_a_cookies_name_beyond_ascii_is_written_once() -> None:
    short, long = Response(""), Response("")
    short.set_cookie("ä", "1")
    long.set_cookie("ä", "1", max_age=1)

    assert attributes(short)[0] == attributes(long)[0]
    assert parse_cookie(attributes(short)[0])["ä"] == "1"


@shows("wrappers.response.Response.max_cookie_size")
async def test_a_cookie_that_browsers_may_ignore_is_warned_of() -> None:
    app = Quart(__name__)
    app.config["MAX_COOKIE_SIZE"] = 100
    assert Response("").max_cookie_size == 4093

    async with app.app_context():
        assert Response("").max_cookie_size == 100
        with pytest.warns(UserWarning, match="'big' cookie is too large"):
            Response("").set_cookie("big", "x" * 100)
        app.config["MAX_COOKIE_SIZE"] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Response("").set_cookie("big", "x" * 10_000)


# Conditions and ranges --------------------------------------------------------------------------------------


async def ask(asked: dict[str, str], method: str = "GET", body: Any = b"0123456789", **options: Any) -> Response:
    """The answer to a request, of a view that answers its conditions."""
    app = Quart(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.route("/", methods=["GET", "POST"])
    async def view() -> Response:
        response = Response(body() if callable(body) else body)
        response.set_etag("v1")
        response.last_modified = datetime(2024, 1, 1, tzinfo=UTC)
        assert await response.make_conditional(request, **options) is response
        return response

    return await app.test_client().open("/", method=method, headers=asked)


@shows("wrappers.response.Response.make_conditional")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({"If-None-Match": '"v1"'}, 304),
        ({"If-None-Match": 'W/"v1", "v0"'}, 304),
        ({"If-None-Match": '"v0"'}, 200),
        ({"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Sun, 31 Dec 2023 00:00:00 GMT"}, 200),
        ({"If-Match": '"v1"'}, 200),
        ({"If-Match": '"v0"'}, 412),
    ],
)
async def test_a_condition_decides_whether_the_body_is_sent(asked: dict[str, str], status: int) -> None:
    response = await ask(asked)

    assert response.status_code == status
    assert response.get_etag() == ("v1", False)
    if status == 304:
        assert await response.get_data() == b""
        assert "content-length" not in response.headers


@shows("wrappers.response.Response.make_conditional")
async def test_conditions_are_for_get_and_head() -> None:
    assert (await ask({"If-None-Match": '"v1"'}, "POST")).status_code == 200
    assert (await ask({"If-None-Match": '"v1"'}, "HEAD")).status_code == 304


async def stream() -> AsyncGenerator[bytes, None]:
    yield b"01234"
    yield b"56789"


@shows("wrappers.response.Response.make_conditional")
@pytest.mark.parametrize("body", [b"0123456789", lambda: IOBody(BytesIO(b"0123456789")), stream])
@pytest.mark.parametrize(
    ("asked", "status", "part", "where"),
    [
        ("bytes=2-5", 206, b"2345", "bytes 2-5/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=50-", 416, None, "bytes */10"),
    ],
)
async def test_a_part_is_sent_when_it_is_asked_for(
    body: Any, asked: str, status: int, part: bytes | None, where: str
) -> None:
    response = await ask({"Range": asked}, body=body, accept_ranges=True, complete_length=10)

    assert response.status_code == status
    assert response.headers["content-range"] == where
    if part is not None:
        assert await response.get_data() == part
        assert response.content_length == len(part)
        assert response.accept_ranges == "bytes"


@shows("wrappers.response.Response.make_conditional")
@pytest.mark.parametrize("options", [{}, {"accept_ranges": True}])
async def test_without_a_length_or_leave_the_whole_is_sent(options: dict[str, Any]) -> None:
    response = await ask({"Range": "bytes=2-5"}, **options)

    assert (response.status_code, await response.get_data()) == (200, b"0123456789")


@pytest.mark.parametrize(("condition", "status"), [('"v1"', 206), ('"v0"', 200)])
async def test_a_part_is_only_sent_of_the_version_that_the_client_has(condition: str, status: int) -> None:
    asked = {"Range": "bytes=2-5", "If-Range": condition}

    assert (await ask(asked, accept_ranges=True, complete_length=10)).status_code == status


async def test_a_body_of_ones_own_says_what_part_it_sends() -> None:
    """As in Quart: `make_conditional` returns the size of the whole, and `begin` and `end` tell the part."""

    class Paged(IOBody):
        async def make_conditional(self, begin: int, end: int | None) -> int:
            await super().make_conditional(begin // 4 * 4, self.size if end is None else -(-end // 4) * 4)
            return self.size

    response = await ask(
        {"Range": "bytes=5-6"}, body=lambda: Paged(BytesIO(b"0123456789")), accept_ranges=True, complete_length=10
    )

    assert (response.status_code, response.headers["content-range"]) == (206, "bytes 4-7/10")
    assert (await response.get_data(), response.content_length) == (b"4567", 4)
