"""An ASGI scope's headers, path, peer and declared length."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, BadRequestKeyError

from quart_plug.wrappers.scope import (
    ScopeHeaders,
    declared_length,
    full_path,
    path_of,
    remote_address,
    server_address,
)

RAW = [(b"host", b"x.y"), (b"x-many", b"1"), (b"accept", b"\xe9"), (b"x-many", b"2")]


def headers_of(raw: list[tuple[bytes, bytes]] = RAW, client: Any = ("1.2.3.4", 5)) -> ScopeHeaders:
    return ScopeHeaders({"headers": raw, "client": client})


def test_one_header_is_found_whatever_the_case_of_its_name() -> None:
    headers = headers_of()
    assert headers.get("HOST") == headers["host"] == headers.get("Host") == "x.y"
    assert "hOsT" in headers
    assert headers.get("Accept") == "é"  # latin-1, as ASGI servers pass it
    assert headers.getlist("X-Many") == ["1", "2"]
    assert headers.get("X-Many", type=int) == 1
    assert headers.getlist("X-Many", type=int) == [1, 2]


def test_a_missing_header_gives_the_default_or_a_bad_request() -> None:
    headers = headers_of()
    assert headers.get("X-No") is None
    assert headers.get("X-No", "other") == "other"
    assert "X-No" not in headers
    assert headers.getlist("X-No") == []
    with pytest.raises(BadRequestKeyError):
        headers["X-No"]


def test_looking_at_one_header_decodes_no_other() -> None:
    class Undecodable(bytes):
        def decode(self, *args: Any) -> str:
            raise AssertionError("decoded")

    headers = headers_of([(Undecodable(b"x-a"), Undecodable(b"1")), (b"x-b", b"2")])
    assert headers.get("X-B") == headers["X-B"] == "2"
    assert "X-A" in headers


def test_the_whole_reads_as_in_quart() -> None:
    """Names in Title-Case, and the peer's address first, so that a client cannot make it up."""
    headers = headers_of([(b"remote-addr", b"evil"), (b"x-b3-id", b"1")])
    assert headers["Remote-Addr"] == "1.2.3.4"
    assert headers.getlist("remote-addr") == ["1.2.3.4", "evil"]
    assert list(headers) == [("Remote-Addr", "1.2.3.4"), ("Remote-Addr", "evil"), ("X-B3-Id", "1")]
    assert headers.to_wsgi_list() == list(headers)
    assert len(headers) == 3
    assert headers[2] == ("X-B3-Id", "1")
    assert isinstance(headers, Headers)
    assert str(headers).startswith("Remote-Addr: 1.2.3.4\r\n")


def test_changes_are_kept_and_do_not_reach_the_scope() -> None:
    raw = list(RAW)
    headers = headers_of(raw)
    headers["Host"] = "other"
    headers.add("X-New", "1")
    del headers["X-Many"]
    assert headers.get("host") == "other"
    assert "x-new" in headers
    assert headers.getlist("X-Many") == []
    assert raw == RAW


def test_a_copy_is_of_its_own() -> None:
    headers = headers_of()
    for other in (headers.copy(), copy.copy(headers), copy.deepcopy(headers)):
        assert other == headers
        other.add("X-New", "1")
        assert "X-New" not in headers
    assert headers[1:2] == Headers([("Host", "x.y")])
    assert (headers | {"X-New": "1"})["X-New"] == "1"


def test_equal_to_werkzeugs_headers_from_both_sides() -> None:
    headers, same = headers_of(), Headers([("Remote-Addr", "1.2.3.4"), ("host", "x.y"), ("Accept", "é")])
    assert headers != same
    same.extend([("X-Many", "1"), ("X-Many", "2")])
    assert headers == same
    assert same == headers
    assert headers == headers_of()
    assert headers != dict(same)


NAMES = st.text("abKx-é\u212a", min_size=1, max_size=4) | st.sampled_from(["Remote-Addr", "HOST"])


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"k", b"x-a", b"host", b"\xe9"]), st.binary(max_size=3))),
    st.lists(NAMES),
    st.booleans(),
)
def test_lookups_equal_werkzeugs(raw: list[tuple[bytes, bytes]], names: list[str], whole: bool) -> None:
    mine = headers_of(raw)
    theirs = Headers([("Remote-Addr", "1.2.3.4")])
    for name, value in raw:
        theirs._list.append((name.decode("latin-1").title(), value.decode("latin-1")))
    if whole:
        assert list(mine) == list(theirs)
    for key in names:
        assert mine.get(key) == theirs.get(key)
        assert mine.getlist(key) == theirs.getlist(key)
        assert (key in mine) is (key in theirs)
        assert mine.get(key, 0, type=int) == theirs.get(key, 0, type=int)


def test_names_that_a_client_made_up_do_not_fill_memory() -> None:
    from quart_plug.wrappers.scope import _NAMES

    headers = headers_of()
    for number in range(2000):
        headers.get(f"x-{number}")
    assert len(_NAMES) <= 512


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/", "", "/"),
        ("/a/b", "", "/a/b"),
        ("/a/", "", "/a/"),
        ("//evil//x", "", "/evil//x"),
        ("", "", "/"),
        ("a", "", "/a"),
        ("/app/a", "/app", "/a"),
        ("/app/a", "/app/", "/a"),
        ("/app", "/app", "/"),
        ("/app/", "/app", "/"),
        ("/app/app/x", "/app", "/app/x"),
        ("/app//evil", "/app", "/evil"),
        ("/application/x", "/app", None),
        ("/other", "/app", None),
        ("/x/app/a", "/app", None),
        ("http://host/a", "", "/a"),
        ("http://host", "", "/"),
        ("http://host/app/a", "/app", "/a"),
        ("http://[::1", "", None),
        ("*", "", None),
        ("*", "/app", None),
    ],
)
def test_the_path_that_is_matched_is_below_the_root_path(
    path: str, root_path: str, expected: str | None
) -> None:
    assert path_of({"path": path, "root_path": root_path}) == expected


def test_a_path_that_nothing_matches_is_still_shown() -> None:
    assert full_path({"path": "/other", "root_path": "/app"}) == "/other"
    assert full_path({"path": "*"}) == "/*"
    assert full_path({"path": "/app/a", "root_path": "/app"}) == "/a"


def test_addresses() -> None:
    assert remote_address({"client": ["1.2.3.4", 5]}) == "1.2.3.4"
    assert remote_address({"client": None}) == remote_address({}) == "<local>"
    assert server_address({"server": ["h", 80]}) == ("h", 80)
    assert server_address({"server": ["/run/socket", None]}) == ("/run/socket", None)
    assert server_address({}) is None


def test_the_declared_length_is_that_of_content_length() -> None:
    assert declared_length([(b"host", b"x"), (b"content-length", b"12")]) == 12
    assert declared_length([(b"content-length", b"12"), (b"content-length", b"12")]) == 12
    assert declared_length([(b"host", b"x")]) is None
    assert declared_length([(b"content-length", b"12"), (b"transfer-encoding", b"chunked")]) is None


@pytest.mark.parametrize(
    "values",
    [[b"x"], [b""], [b"-1"], [b"+1"], [b"1_0"], [b"1 "], [b"1, 1"], [b"\xb2"], [b"9" * 5000], [b"1", b"2"]],
)
def test_a_malformed_length_is_a_bad_request(values: list[bytes]) -> None:
    with pytest.raises(BadRequest, match="Content-Length has to be one number"):
        declared_length([(b"content-length", value) for value in values])
