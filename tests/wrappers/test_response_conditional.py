"""Conditions and ranges of a request, answered on a response (RFC 9110, 13 and 14)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from quart_plug.wrappers.bodies import IterableBody
from quart_plug.wrappers.conditional import resolve_range
from quart_plug.wrappers.response import Response

DATA = b"0123456789"
THEN, EARLIER, LATER = (f"Wed, 01 Jan 20{year} 00:00:00 GMT" for year in (20, 19, 21))


def answer(
    asked: dict[str, str], method: str = "GET", body: Any = DATA, length: int | None = 10, **options: Any
) -> tuple[Response, bytes]:
    """What is sent to a request with the headers `asked`."""

    async def main() -> tuple[Response, bytes]:
        response = Response(body)
        response.set_etag("abc")
        response.last_modified = datetime(2020, 1, 1, tzinfo=UTC)
        request: Any = SimpleNamespace(method=method, headers=Headers(asked))
        options.setdefault("accept_ranges", True)
        same = await response.make_conditional(request, complete_length=length, **options)
        assert same is response
        return response, await response.get_data()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({"If-None-Match": '"abc"'}, 304),
        ({"If-None-Match": 'W/"abc"'}, 304),
        ({"If-None-Match": '"x", "abc"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": THEN}, 200),  # 13.1.3: then the date is ignored
        ({"If-Modified-Since": THEN}, 304),
        ({"If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Modified-Since": "gibberish"}, 200),
        ({"If-Match": '"abc"'}, 200),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": "*"}, 200),
        ({"If-None-Match": '"abc"', "Range": "bytes=0-1"}, 304),  # 13.2.2: conditions go before the range
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions(asked: dict[str, str], status: int, method: str) -> None:
    response, sent = answer(asked, method)

    assert response.status_code == status
    assert response.get_etag() == ("abc", False)
    if status == 304:
        assert sent == b""
        assert "Content-Length" not in response.headers
    else:
        assert sent == DATA


def test_other_methods_ask_no_conditions() -> None:
    response, sent = answer({"If-None-Match": '"abc"', "Range": "bytes=0-1"}, "POST")

    assert (response.status_code, sent) == (200, DATA)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-3", "0123"),
        ("bytes=0-0", "0"),
        ("bytes=5-", "56789"),
        ("bytes=9-9", "9"),
        ("bytes=-3", "789"),
        ("bytes=-10", "0123456789"),
        ("bytes=-20", "0123456789"),
        ("bytes=4-100", "456789"),
        ("bytes=0-", "0123456789"),
        ("BYTES=1-2", "12"),
    ],
)
def test_a_range_is_sent(header: str, part: str) -> None:
    response, sent = answer({"Range": header})
    first = DATA.index(part.encode())

    assert response.status == "206 PARTIAL CONTENT"
    assert sent == part.encode()
    assert response.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/10"
    assert response.content_length == len(part)
    assert response.accept_ranges == "bytes"


@pytest.mark.parametrize("header", ["lines=0-3", "lines=all", "bytes=0-1,4-5", "bytes=0-1,-1"])
def test_a_unit_not_known_and_several_ranges_get_the_whole(header: str) -> None:
    response, sent = answer({"Range": header})

    assert (response.status_code, sent) == (200, DATA)
    assert "Content-Range" not in response.headers


@pytest.mark.parametrize(
    "header", ["bytes=10-", "bytes=5-2", "bytes=-0", "gibberish", "bytes=", "bytes=a-b", "bytes=0-,-1"]
)
def test_what_cannot_be_satisfied_is_an_error_that_names_the_length(header: str) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        answer({"Range": header})
    assert dict(caught.value.get_headers())["Content-Range"] == "bytes */10"


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 206), ('"x"', 200), (THEN, 206), (LATER, 206), (EARLIER, 200), ("gibberish", 200)],
)
def test_if_range(condition: str, status: int) -> None:
    response, _ = answer({"Range": "bytes=0-3", "If-Range": condition})

    assert response.status_code == status


@pytest.mark.parametrize(
    ("options", "whole"),
    [
        ({"accept_ranges": False}, DATA),
        ({"length": None}, DATA),
        ({"length": 0, "body": b""}, b""),
    ],
)
def test_without_ranges_or_length_the_whole_is_sent(
    options: dict[str, Any], whole: bytes
) -> None:
    response, sent = answer({"Range": "bytes=0-3"}, **options)

    assert (response.status_code, sent) == (200, whole)


@pytest.mark.parametrize(
    ("asked", "part", "where"),
    [
        ("bytes=0-3", b"0123", "0-3"),
        ("bytes=3-6", b"3456", "3-6"),
        ("bytes=8-", b"89", "8-9"),
        ("bytes=-4", b"6789", "6-9"),
    ],
)
def test_a_part_of_a_stream_is_cut_out_of_it(asked: str, part: bytes, where: str) -> None:
    """It is not read into memory for that, and not read any further."""
    read: list[str] = []

    async def chunks() -> AsyncIterator[str]:
        for chunk in ("", "01", "2345", "6", "789"):
            read.append(chunk)
            yield chunk

    response, sent = answer({"Range": asked}, body=chunks())

    assert (response.status_code, sent) == (206, part)
    assert response.headers["Content-Range"] == f"bytes {where}/10"
    assert response.content_length == len(part)
    assert len("".join(read)) < int(where[-1]) + 4


def test_a_stream_that_is_shorter_than_announced_is_an_error() -> None:
    with pytest.raises(OSError, match="ended after 4 bytes"):
        answer({"Range": "bytes=2-5"}, body=["01", "23"])


def test_head_gets_the_headers_of_the_range() -> None:
    response, _ = answer({"Range": "bytes=0-3"}, "HEAD")

    assert response.status_code == 206
    assert response.content_length == 4


def test_not_modified_closes_the_stream_that_is_not_sent() -> None:
    closed = []

    async def stream() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            closed.append(True)

    class Body(IterableBody):
        async def discard(self) -> None:
            closed.append(True)
            await super().discard()

    response, sent = answer({"If-None-Match": '"abc"'}, body=Body(stream()))
    assert (response.status_code, sent, closed) == (304, b"", [True])


@given(begin=st.integers(0, 30), end=st.none() | st.integers(0, 30), length=st.integers(1, 20))
def test_a_range_is_what_the_rfc_says(begin: int, end: int | None, length: int) -> None:
    """RFC 9110, 14.1.2: from first to last, both included, as far as the body goes."""
    header = f"bytes={begin}-{'' if end is None else end}"
    expected = list(range(length))[begin : None if end is None else end + 1]
    if (end is not None and end < begin) or begin >= length:
        with pytest.raises(RequestedRangeNotSatisfiable):
            resolve_range(header, length)
    else:
        part = resolve_range(header, length)
        assert part is not None
        assert list(range(*part)) == expected


@given(count=st.integers(1, 30), length=st.integers(1, 20))
def test_a_suffix_is_the_end_of_the_body(count: int, length: int) -> None:
    part = resolve_range(f"bytes=-{count}", length)

    assert part is not None
    assert list(range(*part)) == list(range(length))[-count:]


@given(st.text(max_size=30), st.integers(1, 20))
def test_no_range_header_breaks_the_server(text: str, length: int) -> None:
    """Whatever comes: a part inside of the body, the whole, or 416."""
    for header in (text, f"bytes={text}"):
        try:
            part = resolve_range(header, length)
        except RequestedRangeNotSatisfiable:
            continue
        assert part is None or 0 <= part[0] < part[1] <= length
