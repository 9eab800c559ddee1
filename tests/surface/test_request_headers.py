"""What a request and a websocket tell of their headers. Each is tried on both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.datastructures import (
    EnvironHeaders,
    Headers,
    ImmutableList,
    ImmutableMultiDict,
    RequestCacheControl,
)
from werkzeug.user_agent import UserAgent

from quart_plug import Quart, request, websocket
from quart_plug.wrappers import BaseRequestWebsocket, Request, Websocket
from tests.support.surface import shows

Read = Callable[[Any], Any]
A_DATE = "Tue, 02 Jan 2024 03:04:05 GMT"
THE_DATE = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=["request", "websocket"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def read_in_view(kind: str, read: Read, path: str = "/", app: Quart | None = None, **options: Any) -> Any:
    """What `read` gives for the request, or the websocket, in a view."""
    app = Quart(__name__) if app is None else app
    found: list[Any] = []

    @app.route("/", methods=["GET", "POST"])
    async def view() -> str:
        found.append(read(request))
        return ""

    @app.websocket("/")
    async def websocket_view() -> None:
        found.append(read(websocket))
        await websocket.accept()

    if kind == "request":
        await app.test_client().get(path, **options)
    else:
        if "scheme" in options:
            options["scheme"] = options["scheme"].replace("http", "ws")
        async with app.test_client().websocket(path, **options):
            pass
    return found[0]


@shows(
    "wrappers.base.BaseRequestWebsocket.accept_charsets",
    "wrappers.base.BaseRequestWebsocket.accept_encodings",
    "wrappers.base.BaseRequestWebsocket.accept_languages",
    "wrappers.base.BaseRequestWebsocket.accept_mimetypes",
)
@pytest.mark.parametrize(
    ("name", "value", "read", "expected"),
    [
        ("Accept", "text/html;q=0.5, application/json", lambda r: r.accept_mimetypes.best, "application/json"),
        ("Accept", "text/html", lambda r: r.accept_mimetypes.accept_json, False),
        ("Accept-Charset", "latin-1;q=0.1, utf-8", lambda r: list(r.accept_charsets.values()), ["utf-8", "latin-1"]),
        ("Accept-Encoding", "gzip, br;q=0.5", lambda r: r.accept_encodings["br"], 0.5),
        ("Accept-Language", "de, en;q=0.3", lambda r: r.accept_languages.best_match(["en", "de"]), "de"),
    ],
)
async def test_accept_headers_choose_by_quality(kind: str, name: str, value: str, read: Read, expected: Any) -> None:
    assert await read_in_view(kind, read, headers={name: value}) == expected
    assert await read_in_view(kind, lambda r: bool(r.accept_languages)) is False


@shows(
    "wrappers.base.BaseRequestWebsocket.access_control_request_headers",
    "wrappers.base.BaseRequestWebsocket.access_control_request_method",
    "wrappers.base.BaseRequestWebsocket.content_encoding",
    "wrappers.base.BaseRequestWebsocket.content_length",
    "wrappers.base.BaseRequestWebsocket.content_md5",
    "wrappers.base.BaseRequestWebsocket.content_type",
    "wrappers.base.BaseRequestWebsocket.date",
    "wrappers.base.BaseRequestWebsocket.if_modified_since",
    "wrappers.base.BaseRequestWebsocket.if_unmodified_since",
    "wrappers.base.BaseRequestWebsocket.max_forwards",
    "wrappers.base.BaseRequestWebsocket.origin",
    "wrappers.base.BaseRequestWebsocket.referrer",
)
@pytest.mark.parametrize(
    ("attribute", "header", "value", "expected"),
    [
        ("access_control_request_method", "Access-Control-Request-Method", "PUT", "PUT"),
        ("content_encoding", "Content-Encoding", "gzip", "gzip"),
        ("content_length", "Content-Length", "0", 0),
        ("content_md5", "Content-MD5", "Q2hlY2s=", "Q2hlY2s="),
        ("content_type", "Content-Type", "text/plain; charset=ascii", "text/plain; charset=ascii"),
        ("date", "Date", A_DATE, THE_DATE),
        ("if_modified_since", "If-Modified-Since", A_DATE, THE_DATE),
        ("if_unmodified_since", "If-Unmodified-Since", A_DATE, THE_DATE),
        ("max_forwards", "Max-Forwards", "7", 7),
        ("origin", "Origin", "https://example.org", "https://example.org"),
        ("referrer", "Referer", "/before", "/before"),
    ],
)
async def test_a_header_is_an_attribute_of_the_right_type(
    kind: str, attribute: str, header: str, value: str, expected: Any
) -> None:
    """And None without the header."""
    assert await read_in_view(kind, lambda r: getattr(r, attribute), headers={header: value}) == expected
    assert await read_in_view(kind, lambda r: getattr(r, attribute)) is None


async def test_headers_that_cannot_be_read_are_as_if_they_were_not_there(kind: str) -> None:
    headers = {"Date": "yesterday", "Max-Forwards": "many", "If-Modified-Since": "x"}

    assert await read_in_view(kind, lambda r: (r.date, r.max_forwards, r.if_modified_since), headers=headers) == (
        None,
        None,
        None,
    )


@shows(
    "wrappers.base.BaseRequestWebsocket.access_control_request_headers",
    "wrappers.base.BaseRequestWebsocket.pragma",
)
async def test_lists_of_tokens_are_sets_that_ignore_case(kind: str) -> None:
    headers = {"Access-Control-Request-Headers": "X-One, X-Two", "Pragma": "no-cache"}

    assert await read_in_view(
        kind,
        lambda r: ("x-two" in r.access_control_request_headers, "No-Cache" in r.pragma, "x" in r.pragma),
        headers=headers,
    ) == (True, True, False)


@shows(
    "wrappers.base.BaseRequestWebsocket.if_match",
    "wrappers.base.BaseRequestWebsocket.if_none_match",
    "wrappers.base.BaseRequestWebsocket.if_range",
)
async def test_conditions_hold_etags_or_a_date(kind: str) -> None:
    headers = {"If-Match": '"a", "b"', "If-None-Match": 'W/"c"', "If-Range": A_DATE}

    assert await read_in_view(
        kind,
        lambda r: (
            "b" in r.if_match,
            "c" in r.if_none_match,
            r.if_none_match.contains_weak("c"),
            r.if_range.date,
            r.if_range.etag,
        ),
        headers=headers,
    ) == (True, False, True, THE_DATE, None)
    assert await read_in_view(kind, lambda r: r.if_range.etag, headers={"If-Range": '"e"'}) == "e"


@shows("wrappers.base.BaseRequestWebsocket.range")
async def test_a_range_has_units_and_pairs(kind: str) -> None:
    headers = {"Range": "bytes=0-3,5-"}

    assert await read_in_view(kind, lambda r: (r.range.units, r.range.ranges), headers=headers) == (
        "bytes",
        [(0, 4), (5, None)],
    )
    assert await read_in_view(kind, lambda r: r.range) is None


@shows("wrappers.base.BaseRequestWebsocket.cache_control")
async def test_cache_control_has_its_directives_as_attributes(kind: str) -> None:
    cache = await read_in_view(kind, lambda r: r.cache_control, headers={"Cache-Control": "no-cache, max-age=5"})

    assert isinstance(cache, RequestCacheControl)
    assert (cache.no_cache, cache.max_age, cache.no_store) == (True, 5, False)


@shows("wrappers.base.BaseRequestWebsocket.authorization")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Basic dXNlcjpww6Rzcw==", ("basic", "user", "päss", None)),
        ("Bearer abc.def", ("bearer", None, None, "abc.def")),
        ('Digest username="u", realm="r", nonce="n", uri="/", response="x"', ("digest", "u", None, None)),
    ],
)
async def test_credentials_are_parsed(kind: str, header: str, expected: tuple[Any, ...]) -> None:
    def read(connection: Any) -> Any:
        given = connection.authorization
        return given.type, given.get("username"), given.get("password"), given.token

    assert await read_in_view(kind, read, headers={"Authorization": header}) == expected


@pytest.mark.parametrize("header", [None, "", "Basic !!!"])
async def test_credentials_that_are_none_are_none(kind: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    assert await read_in_view(kind, lambda r: r.authorization, headers=headers) is None


@shows(
    "wrappers.base.BaseRequestWebsocket.is_json",
    "wrappers.base.BaseRequestWebsocket.mimetype",
    "wrappers.base.BaseRequestWebsocket.mimetype_params",
)
@pytest.mark.parametrize(
    ("content_type", "mimetype", "params", "is_json"),
    [
        (None, "", {}, False),
        ("TEXT/Html; Charset=Latin-1", "text/html", {"charset": "Latin-1"}, False),
        ("application/json; charset=utf-8", "application/json", {"charset": "utf-8"}, True),
        ("application/problem+json", "application/problem+json", {}, True),
        ("text/json", "text/json", {}, False),
    ],
)
async def test_the_media_type_comes_without_its_parameters(
    kind: str, content_type: str | None, mimetype: str, params: dict[str, str], is_json: bool
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    assert await read_in_view(kind, lambda r: (r.mimetype, r.mimetype_params, r.is_json), headers=headers) == (
        mimetype,
        params,
        is_json,
    )


@shows(
    "wrappers.base.BaseRequestWebsocket.user_agent",
    "wrappers.base.BaseRequestWebsocket.user_agent_class",
)
async def test_the_user_agent_is_text_that_a_class_of_ones_own_may_parse(kind: str) -> None:
    class Parsed(UserAgent):
        def __init__(self, string: str) -> None:
            super().__init__(string)
            self.browser = string.partition("/")[0].lower()

    class MyRequest(Request):
        user_agent_class = Parsed

    class MyWebsocket(Websocket):
        user_agent_class = Parsed

    app = Quart(__name__)
    app.request_class, app.websocket_class = MyRequest, MyWebsocket
    headers = {"User-Agent": "Firefox/5"}

    assert await read_in_view(kind, lambda r: (str(r.user_agent), r.user_agent.browser), app=app, headers=headers) == (
        "Firefox/5",
        "firefox",
    )
    assert await read_in_view(kind, lambda r: r.user_agent.string, headers=headers) == "Firefox/5"


@shows("wrappers.base.BaseRequestWebsocket.cookies", "wrappers.base.BaseRequestWebsocket.dict_storage_class")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a=1; b=2; a=3", [("a", "1"), ("a", "3"), ("b", "2")]),
        ('quoted="x y; z"', [("quoted", "x y; z")]),
        (r'octal="\303\274"', [("octal", "ü")]),
        ("encoded=%C3%BC", [("encoded", "%C3%BC")]),
        ("name; =value", [("name", "")]),
    ],
)
async def test_cookies_are_a_dictionary_with_several_values(
    kind: str, header: str, expected: list[tuple[str, str]]
) -> None:
    cookies = await read_in_view(kind, lambda r: r.cookies, headers={"Cookie": header})

    assert isinstance(cookies, ImmutableMultiDict)
    assert list(cookies.items(multi=True)) == expected


@shows(
    "wrappers.base.BaseRequestWebsocket.access_route",
    "wrappers.base.BaseRequestWebsocket.list_storage_class",
)
async def test_the_access_route_is_what_proxies_say_or_the_peer(kind: str) -> None:
    headers = {"X-Forwarded-For": "203.0.113.5, 198.51.100.1"}
    base = {"client": ("192.0.2.1", 5000)}
    route = await read_in_view(kind, lambda r: r.access_route, headers=headers, scope_base=base)

    assert route == ["203.0.113.5", "198.51.100.1"]
    assert isinstance(route, ImmutableList)
    assert await read_in_view(kind, lambda r: (list(r.access_route), r.remote_addr), scope_base=base) == (
        ["192.0.2.1"],
        "192.0.2.1",
    )


@shows(
    "wrappers.base.BaseRequestWebsocket.dict_storage_class",
    "wrappers.base.BaseRequestWebsocket.list_storage_class",
    "wrappers.base.BaseRequestWebsocket.parameter_storage_class",
)
async def test_the_classes_of_containers_can_be_chosen(kind: str) -> None:
    class Parameters(ImmutableMultiDict[str, str]):
        pass

    class Cookies(ImmutableMultiDict[str, str]):
        pass

    class Route(ImmutableList[str]):
        pass

    class MyRequest(Request):
        parameter_storage_class = Parameters
        dict_storage_class = Cookies
        list_storage_class = Route

    class MyWebsocket(Websocket):
        parameter_storage_class = Parameters
        dict_storage_class = Cookies
        list_storage_class = Route

    app = Quart(__name__)
    app.request_class, app.websocket_class = MyRequest, MyWebsocket
    made = await read_in_view(
        kind,
        lambda r: (type(r.args), type(r.cookies), type(r.access_route)),
        app=app,
        headers={"X-Forwarded-For": "203.0.113.5"},
    )

    assert made == (Parameters, Cookies, Route)


@shows("wrappers.base.SansIORequest")
async def test_headers_are_werkzeugs_with_the_peers_address_first(kind: str) -> None:
    from werkzeug.sansio.request import Request as SansIORequest

    from quart_plug.wrappers import base

    assert vars(base)["SansIORequest"] is SansIORequest
    assert issubclass(BaseRequestWebsocket, SansIORequest)
    headers = await read_in_view(
        kind,
        lambda r: r.headers,
        headers={"X-A": "1", "Remote-Addr": "6.6.6.6"},
        scope_base={"client": ("192.0.2.1", 5000)},
    )

    assert isinstance(headers, Headers)
    assert not isinstance(headers, EnvironHeaders)
    assert next(iter(headers)) == ("Remote-Addr", "192.0.2.1")
    assert (headers["x-a"], headers.get("nope"), headers.getlist("X-A")) == ("1", None, ["1"])
    assert dict(headers.copy())["X-A"] == "1"
