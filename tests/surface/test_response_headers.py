"""The headers of a `Response`, as attributes that can be read, set and deleted."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.datastructures import ContentRange, Headers, WWWAuthenticate

from quart_plug import Quart
from quart_plug.wrappers import Response
from tests.support.surface import shows

A_DATE = "Tue, 02 Jan 2024 03:04:05 GMT"
THE_DATE = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@shows(
    "wrappers.response.Response.accept_ranges",
    "wrappers.response.Response.access_control_allow_origin",
    "wrappers.response.Response.access_control_max_age",
    "wrappers.response.Response.age",
    "wrappers.response.Response.content_encoding",
    "wrappers.response.Response.content_length",
    "wrappers.response.Response.content_location",
    "wrappers.response.Response.content_md5",
    "wrappers.response.Response.content_type",
    "wrappers.response.Response.date",
    "wrappers.response.Response.expires",
    "wrappers.response.Response.last_modified",
    "wrappers.response.Response.location",
)
@pytest.mark.parametrize(
    ("attribute", "header", "value", "text"),
    [
        ("accept_ranges", "Accept-Ranges", "bytes", "bytes"),
        ("access_control_allow_origin", "Access-Control-Allow-Origin", "*", "*"),
        ("access_control_max_age", "Access-Control-Max-Age", 600, "600"),
        ("age", "Age", timedelta(minutes=1), "60"),
        ("content_encoding", "Content-Encoding", "gzip", "gzip"),
        ("content_length", "Content-Length", 7, "7"),
        ("content_location", "Content-Location", "/there", "/there"),
        ("content_md5", "Content-MD5", "Q2hlY2s=", "Q2hlY2s="),
        ("content_type", "Content-Type", "text/plain; charset=ascii", "text/plain; charset=ascii"),
        ("date", "Date", THE_DATE, A_DATE),
        ("expires", "Expires", THE_DATE, A_DATE),
        ("last_modified", "Last-Modified", THE_DATE, A_DATE),
        ("location", "Location", "/elsewhere", "/elsewhere"),
    ],
)
@pytest.mark.parametrize("headers", [None, {"X-Other": "1"}])
def test_a_header_is_an_attribute_of_the_right_type(
    attribute: str, header: str, value: Any, text: str, headers: dict[str, str] | None
) -> None:
    response = Response("", headers=headers)

    setattr(response, attribute, value)
    assert (response.headers[header], getattr(response, attribute)) == (text, value)
    assert len(response.headers.getlist(header)) == 1

    delattr(response, attribute)
    assert header not in response.headers
    assert getattr(response, attribute) is None

    response.headers[header] = text
    assert getattr(response, attribute) == value


@shows(
    "wrappers.response.Response.access_control_allow_headers",
    "wrappers.response.Response.access_control_allow_methods",
    "wrappers.response.Response.access_control_expose_headers",
)
@pytest.mark.parametrize("which", ["allow_headers", "allow_methods", "expose_headers"])
def test_cors_lists_are_sets_of_tokens(which: str) -> None:
    response = Response("")

    setattr(response, f"access_control_{which}", ["X-One", "X-Two"])

    assert response.headers[f"access-control-{which}".replace("_", "-")] == "X-One, X-Two"
    assert "x-two" in getattr(response, f"access_control_{which}")


@shows("wrappers.response.Response.access_control_allow_credentials")
def test_credentials_are_allowed_or_not() -> None:
    response = Response("")
    assert response.access_control_allow_credentials is False

    response.access_control_allow_credentials = True
    assert response.headers["Access-Control-Allow-Credentials"] == "true"

    response.access_control_allow_credentials = None
    assert "Access-Control-Allow-Credentials" not in response.headers


@shows(
    "wrappers.response.Response.allow",
    "wrappers.response.Response.content_language",
    "wrappers.response.Response.vary",
)
@pytest.mark.parametrize(
    ("attribute", "header"), [("allow", "Allow"), ("content_language", "Content-Language"), ("vary", "Vary")]
)
def test_a_set_of_tokens_writes_its_header_when_it_changes(attribute: str, header: str) -> None:
    response = Response("")
    assert header not in response.headers

    getattr(response, attribute).add("one")
    getattr(response, attribute).update(["two", "three"])
    assert response.headers[header] == "one, two, three"

    getattr(response, attribute).discard("two")
    assert response.headers[header] == "one, three"

    setattr(response, attribute, ["four"])
    assert list(getattr(response, attribute)) == ["four"]
    setattr(response, attribute, None)
    assert header not in response.headers


@shows("wrappers.response.Response.cache_control")
def test_cache_control_writes_its_header_when_it_changes() -> None:
    response = Response("")

    response.cache_control.max_age = 60
    response.cache_control.public = True
    assert sorted(response.headers["Cache-Control"].split(", ")) == ["max-age=60", "public"]
    assert (response.cache_control.max_age, response.cache_control.no_store) == (60, False)

    response.cache_control.clear()
    assert "Cache-Control" not in response.headers


@shows(
    "wrappers.response.Response.content_security_policy",
    "wrappers.response.Response.content_security_policy_report_only",
)
@pytest.mark.parametrize(
    ("attribute", "header"),
    [
        ("content_security_policy", "Content-Security-Policy"),
        ("content_security_policy_report_only", "Content-Security-Policy-Report-Only"),
    ],
)
def test_a_content_policy_has_its_directives_as_attributes(attribute: str, header: str) -> None:
    response = Response("")

    getattr(response, attribute).default_src = "'self'"
    getattr(response, attribute).img_src = "*"
    assert response.headers[header] == "default-src 'self'; img-src *"

    setattr(response, attribute, "script-src x")
    assert getattr(response, attribute).script_src == "x"
    setattr(response, attribute, None)
    assert header not in response.headers


@shows(
    "wrappers.response.Response.cross_origin_embedder_policy",
    "wrappers.response.Response.cross_origin_opener_policy",
)
def test_policies_across_origins_are_values_of_an_enumeration() -> None:
    from werkzeug.http import COEP, COOP

    response = Response("")
    assert response.cross_origin_embedder_policy is COEP.UNSAFE_NONE
    assert response.cross_origin_opener_policy is COOP.UNSAFE_NONE

    response.cross_origin_embedder_policy = COEP.REQUIRE_CORP
    response.cross_origin_opener_policy = COOP.SAME_ORIGIN

    assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.cross_origin_opener_policy is COOP.SAME_ORIGIN


@shows("wrappers.response.Response.content_range")
def test_a_content_range_has_start_stop_and_length() -> None:
    response = Response("")
    response.content_range.set(0, 5, 10)
    assert response.headers["Content-Range"] == "bytes 0-4/10"

    response.content_range = ContentRange("bytes", 5, 10, 20)
    assert (response.content_range.start, response.content_range.stop) == (5, 10)

    response.content_range.unset()
    assert "Content-Range" not in response.headers


@shows("wrappers.response.Response.retry_after")
@pytest.mark.parametrize("value", [60, "60", THE_DATE])
def test_retry_after_is_a_moment_set_by_seconds_or_date(value: Any) -> None:
    response = Response("")
    assert response.retry_after is None

    response.retry_after = value

    assert response.headers["Retry-After"] == (A_DATE if value is THE_DATE else "60")
    moment = response.retry_after
    assert moment == THE_DATE or moment > datetime.now(UTC)
    response.retry_after = None
    assert "Retry-After" not in response.headers


@shows("wrappers.response.Response.www_authenticate")
def test_a_challenge_is_written_when_it_changes() -> None:
    response = Response("", 401)
    response.www_authenticate = WWWAuthenticate("basic", {"realm": "here"})
    assert response.headers["WWW-Authenticate"] == "Basic realm=here"

    response.www_authenticate.realm = "there"
    assert response.headers["WWW-Authenticate"] == "Basic realm=there"

    response.www_authenticate = [WWWAuthenticate("basic", {"realm": "a"}), WWWAuthenticate("bearer")]
    assert len(response.headers.getlist("WWW-Authenticate")) == 2


@shows("wrappers.response.Response.mimetype", "wrappers.response.Response.mimetype_params")
def test_the_mimetype_is_the_content_type_without_parameters() -> None:
    response = Response("", content_type="Text/CSV; header=present")
    assert (response.mimetype, response.mimetype_params) == ("Text/CSV", {"header": "present"})

    response.mimetype = "text/plain"
    assert response.content_type == "text/plain; charset=utf-8"
    response.mimetype = "image/png"
    assert response.content_type == "image/png"

    response.mimetype_params["version"] = "2"
    assert response.content_type == "image/png; version=2"


@shows("wrappers.response.Response.set_etag", "wrappers.response.Response.get_etag")
def test_an_etag_is_strong_or_weak() -> None:
    response = Response("")
    assert response.get_etag() == (None, None)

    response.set_etag("v1")
    assert (response.headers["ETag"], response.get_etag()) == ('"v1"', ("v1", False))

    response.set_etag("v2", weak=True)
    assert (response.headers["ETag"], response.get_etag()) == ('W/"v2"', ("v2", True))


@shows("wrappers.response.Response.add_etag")
async def test_an_etag_is_made_of_the_body_unless_there_is_one() -> None:
    first, same, other = Response("one"), Response(["o", b"ne"]), Response("two")
    for response in (first, same, other):
        await response.add_etag()

    assert first.get_etag() == same.get_etag() != other.get_etag()
    assert first.get_etag()[0]

    first.set_etag("mine")
    await first.add_etag()
    assert first.get_etag() == ("mine", False)
    await first.add_etag(overwrite=True, weak=True)
    assert first.get_etag() == (same.get_etag()[0], True)


def test_the_headers_are_werkzeugs() -> None:
    headers = Response("x").headers
    assert isinstance(headers, Headers)

    headers["X-One"] = "1"
    headers.add("X-One", "2")
    headers.setdefault("X-Two", "3")
    headers.extend({"X-Three": ["4", "5"]})
    headers.add("Content-Disposition", "attachment", filename="a b.txt")

    assert headers.getlist("x-one") == ["1", "2"]
    assert headers.getlist("X-Three") == ["4", "5"]
    assert headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert headers.pop("X-Two") == "3"
    headers.remove("X-One")
    assert "x-one" not in headers


@pytest.mark.parametrize(
    "duplicate",
    [
        lambda headers: headers.copy(),
        copy.copy,
        copy.deepcopy,
        lambda headers: pickle.loads(pickle.dumps(headers)),
        lambda headers: headers | {},
        Headers,
    ],
)
def test_headers_can_be_copied(duplicate: Any) -> None:
    """Those of a response just made as well, which are not built yet."""
    response = Response("x", mimetype="text/plain")
    response.headers["X-One"] = "1"

    copied = duplicate(response.headers)
    copied["X-Two"] = "2"

    assert dict(copied) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "1",
        "X-One": "1",
        "X-Two": "2",
    }
    assert "X-Two" not in response.headers


@pytest.mark.parametrize("given", [{"X-A": "1"}, [("X-A", "1")], Headers({"X-A": "1"})])
async def test_all_headers_can_be_replaced(given: Any) -> None:
    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: "text")

    @app.after_request
    async def replace(response: Response) -> Response:
        response.headers = given
        response.headers["X-B"] = "2"
        return response

    assert dict((await app.test_client().get("/")).headers) == {"x-a": "1", "x-b": "2"}


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\x00"])
def test_a_value_cannot_begin_another_header(value: str) -> None:
    with pytest.raises(ValueError):
        Response("x").headers["X-A"] = value
    with pytest.raises(ValueError):
        Response("x", headers={"X-A": value})
