"""A request's conditions and ranges, answered on a response (RFC 9110, 13 and 14).

Order as in 13.2.2: first the conditions on the whole (If-Match, If-None-Match, If-Modified-Since), then
the range, if If-Range lets it. Differences from Quart 0.22, each where it broke or departed from the RFC:
a suffix range (`bytes=-5`) works; a unit that is not known is ignored (14.2: MUST); of several ranges none
is sent but the whole (14.2 lets a server ignore the field), where Quart answered 416.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_etags, parse_range_header
from werkzeug.sansio.http import is_resource_modified

from .bodies import PartBody

if TYPE_CHECKING:
    from .request import Request
    from .response import Response


async def make_conditional(
    response: Response, request: Request, accept_ranges: bool | str, complete_length: int | None
) -> None:
    """See `Response.make_conditional`."""
    if request.method not in ("GET", "HEAD"):
        return
    asked = request.headers
    if not _modified(response, asked, ignore_if_range=True):
        if parse_etags(asked.get("If-Match")):
            response.status_code = 412
        else:
            await response.discard_body()
            response.status_code = 304
            response.headers.pop("Content-Length", None)
        return
    if accept_ranges and complete_length:
        response.headers["Accept-Ranges"] = "bytes" if accept_ranges is True else accept_ranges
        header = asked.get("Range")
        if header is not None and _same_version(response, asked):
            await _send_part(response, header, complete_length)


def _modified(response: Response, asked: Any, ignore_if_range: bool) -> bool:
    if_match = asked.get("If-Match")
    if if_match is not None and if_match.strip() == "*":
        if_match = None  # true of whatever exists (13.1.1); werkzeug takes it for a tag
    return is_resource_modified(
        http_range=asked.get("Range"),
        http_if_range=asked.get("If-Range"),
        http_if_modified_since=asked.get("If-Modified-Since"),
        http_if_none_match=asked.get("If-None-Match"),
        http_if_match=if_match,
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        ignore_if_range=ignore_if_range,
    )


def _same_version(response: Response, asked: Any) -> bool:
    """If-Range: the client has a part of this very version."""
    return "If-Range" not in asked or not _modified(response, asked, ignore_if_range=False)


def resolve_range(header: str, length: int) -> tuple[int, int] | None:
    """The part of a body of `length` bytes that a Range header asks for, as (begin, end), the end not
    included.

    None when the header is to be ignored. RequestedRangeNotSatisfiable when it is malformed, or lies outside.
    """
    unit, equals, _ = header.partition("=")
    if equals and unit.strip().lower() != "bytes":
        return None
    parsed = parse_range_header(header)
    if parsed is None:
        raise RequestedRangeNotSatisfiable(length)
    if len(parsed.ranges) != 1:
        return None
    begin, end = parsed.ranges[0]
    if begin < 0:  # the last -begin bytes; of a shorter body all of them
        begin, end = max(0, begin + length), length
    end = length if end is None else min(end, length)
    if begin >= end:
        raise RequestedRangeNotSatisfiable(length)
    return begin, end


async def _send_part(response: Response, header: str, length: int) -> None:
    try:
        part = resolve_range(header, length)
        if part is None:
            return
        if not hasattr(response.response, "make_conditional"):
            response.response = PartBody(response.response, length)
        body: Any = response.response
        # The body says what it sends, and how large the whole is: it may know better than `complete_length`.
        length = await body.make_conditional(*part)
    except RequestedRangeNotSatisfiable:
        await response.close()
        raise
    begin, end = part
    begin, end = getattr(body, "begin", begin), getattr(body, "end", end)
    response.content_length = end - begin
    response.headers["Content-Range"] = ContentRange("bytes", begin, end, length).to_header()
    response.status_code = 206
