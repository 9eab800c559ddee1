"""The response: werkzeug's sans-I/O response with Quart's bodies.

Most responses are a short text with a header or two, so that is the cheap case: the body stays bytes, the
status an int, and the headers are built when somebody asks for them. `asgi_headers` knows how to do
without them. Knows no app (but the setting MAX_COOKIE_SIZE of the current one), and no `send`: that is
reply.py.

Rule: what a subclass may change (`default_mimetype`, `default_status`, `data_body_class`, …) is read from the
instance, as werkzeug does.
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.http import generate_etag
from werkzeug.sansio.response import Response as SansIOResponse

from .bodies import DataBody, FileBody, IOBody, IterableBody, ResponseBody, chunk_bytes
from .response_headers import (
    FreshHeaders,
    Headers,
    Pair,
    check_text,
    content_type_of,
    content_type_pair,
    fresh_headers,
    length_pair,
    wire_headers,
)
from .set_cookie import SetsCookies

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from .request import Request

__all__ = ["DataBody", "FileBody", "Headers", "IOBody", "IterableBody", "Response", "ResponseBody"]

F = TypeVar("F", bound=Callable[[], Any])


class Response(SetsCookies):
    """An HTTP response.

    response      the body: str, bytes, an (asynchronous) iterable of these, a `ResponseBody`, or None.
    status        the code, or the code with its words ("201 MADE"); default `default_status`.
    headers       a mapping or pairs; a `Headers` is used as it is, and changed.
    mimetype      the type without parameters; text types get `charset=utf-8`. Default `default_mimetype`.
    content_type  the complete value of Content-Type; goes before `mimetype`.

    Raises TypeError for a body that is none, ValueError for control characters in status or headers.
    """

    automatically_set_content_length = True
    default_mimetype: str | None = "text/html"
    implicit_sequence_conversion = True
    timeout: float | int | EllipsisType | None = Ellipsis  # seconds; `...`: the setting RESPONSE_TIMEOUT

    data_body_class: type[DataBody] = DataBody
    file_body_class: type[FileBody] = FileBody
    io_body_class: type[IOBody] = IOBody
    iterable_body_class: type[IterableBody] = IterableBody

    # Either the bytes, or a body object.
    _data: bytes | None = None
    _body: ResponseBody | None = None
    _content_type: str | None = None
    _on_close: list[Callable[[], Any]] | None = None

    _headers: Headers | None = None

    @property  # type: ignore[override]  # an attribute of werkzeug's; here it can be assigned as well
    def headers(self) -> Headers:
        """The headers, built at the first look; may be assigned, also from a mapping or pairs."""
        headers = self._headers
        if headers is None:
            headers = self._headers = self._build_headers()
        return headers

    @headers.setter
    def headers(self, headers: Any) -> None:
        self._headers = headers if isinstance(headers, WerkzeugHeaders) else Headers(headers)  # type: ignore[assignment]

    def __init__(
        self,
        response: ResponseBody | str | bytes | Iterable[Any] | AsyncIterable[Any] | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] | WerkzeugHeaders | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
    ) -> None:
        # Not super().__init__: it would build everything that is to be left unbuilt.
        kind = type(response)
        if kind is str and self.data_body_class is DataBody:
            self._data = response.encode()  # type: ignore[union-attr]  # a str, says `kind`
        elif kind is bytes and self.data_body_class is DataBody:
            self._data = response  # type: ignore[assignment]
        else:
            self._take_body(response)
        if status is None:
            status = self.default_status
        if type(status) is int and 100 <= status <= 999:
            self._status_code = status
        else:
            self.status = status
        if content_type is not None:
            check_text(content_type, "A content type")
            self._content_type = content_type
        elif mimetype is not None:
            self._content_type = content_type_of(mimetype)
        if headers is not None:
            self._take_headers(headers, response is None)

    def _take_body(self, value: Any) -> None:
        if isinstance(value, ResponseBody):
            self._data, self._body = None, value
            return
        if value is None:
            value = b""
        elif isinstance(value, io.BytesIO):
            value = value.read()
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            data = chunk_bytes(value)
            if self.data_body_class is DataBody:
                self._data, self._body = data, None
            else:
                self._data, self._body = None, self.data_body_class(data)
        else:
            self._data, self._body = None, self.iterable_body_class(value)

    def _take_headers(self, given: Any, no_body: bool) -> None:
        if isinstance(given, WerkzeugHeaders):
            headers = given
        elif given:
            headers = Headers(given)
        else:
            return
        content_type = self._content_type
        if content_type is None and self.default_mimetype is not None and "content-type" not in headers:
            content_type = content_type_of(self.default_mimetype)
        if content_type is not None:
            headers["Content-Type"] = content_type
        self._headers = headers  # type: ignore[assignment]  # werkzeug's own are as good
        # Without a body a given length stands: it is that of a body which is not sent (HEAD).
        if self.automatically_set_content_length and not (no_body and "content-length" in headers):
            size = self.calculate_content_length()
            if size is not None:
                headers["Content-Length"] = str(size)

    def _build_headers(self) -> Headers:
        content_type = self._content_type
        if content_type is None and self.default_mimetype is not None:
            content_type = content_type_of(self.default_mimetype)
        size = None
        if self.automatically_set_content_length:
            size = len(self._data) if self._data is not None else self.calculate_content_length()
        return fresh_headers(content_type, size)

    def asgi_headers(self) -> list[Pair]:
        """A new list of ASGI's (lower-case name, value); ValueError for what HTTP does not allow."""
        headers = self._headers
        if headers is not None:
            if type(headers) is FreshHeaders and headers.beside is not None:
                return headers.wire()
            return wire_headers(headers)
        data = self._data
        if data is None or not self.automatically_set_content_length:
            return wire_headers(self.headers)
        content_type = self._content_type
        if content_type is None:
            if self.default_mimetype is None:
                return [length_pair(len(data))]
            content_type = content_type_of(self.default_mimetype)
        return [content_type_pair(content_type), length_pair(len(data))]

    @property
    def status(self) -> str:
        """The status as text, "200 OK"; may be set from a text or a code."""
        if "_status" not in self.__dict__:
            self._status, self._status_code = super()._clean_status(self._status_code)
        return self._status

    @status.setter
    def status(self, value: str | int | HTTPStatus) -> None:
        self._status, self._status_code = self._clean_status(value)

    @property
    def status_code(self) -> int:
        """The status as a number."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        self.status = code

    def _clean_status(self, value: str | int | HTTPStatus) -> tuple[str, int]:
        if isinstance(value, str):
            check_text(value, "A status")
        elif not isinstance(value, int):
            raise TypeError(f"A status is an int or a str such as '201 CREATED', not {value!r}")
        return super()._clean_status(value)

    @property
    def response(self) -> ResponseBody:
        """The body as an object; may be set."""
        if self._body is None:
            # From here on the object is the truth: it may be changed.
            self._body = self.data_body_class(self._data or b"")
            self._data = None
        return self._body

    @response.setter
    def response(self, body: ResponseBody) -> None:
        old = self.calculate_content_length()
        self._data, self._body = None, body
        headers = self._headers
        if headers is None or old is None or headers.get("content-length") != str(old):
            return
        # The length that was set for the old body would be wrong for the new one.
        size = self.calculate_content_length()
        if size is None:
            del headers["Content-Length"]
        else:
            headers["Content-Length"] = str(size)

    def calculate_content_length(self) -> int | None:
        """The body's length in bytes, or None for a stream."""
        if self._data is not None:
            return len(self._data)
        if isinstance(self._body, (DataBody, FileBody, IOBody)):
            return self._body.end - self._body.begin
        return None

    @overload
    async def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    async def get_data(self, as_text: Literal[True]) -> str: ...
    @overload
    async def get_data(self, as_text: bool = False) -> str | bytes: ...
    async def get_data(self, as_text: bool = False) -> str | bytes:
        """The whole body, as bytes or as text (UTF-8).

        A stream is read and kept, unless `implicit_sequence_conversion` is off: then it is used up.
        """
        if self.implicit_sequence_conversion:
            await self.make_sequence()
        data = self._data
        if data is None:
            data = b"".join([chunk async for chunk in self.iter_encode()])
        return data.decode() if as_text else data

    def set_data(self, data: str | bytes) -> None:
        """Replace the body, and the Content-Length with it."""
        self._take_body(data)
        if self.automatically_set_content_length and self._headers is not None:
            self.headers["Content-Length"] = str(self.calculate_content_length())

    @property
    def data(self) -> Awaitable[str | bytes]:
        """An awaitable for the body's bytes; set it to replace the body."""
        return self.get_data()

    @data.setter
    def data(self, value: str | bytes) -> None:
        self.set_data(value)

    async def make_sequence(self) -> None:
        """Read a streaming body, so that it is data from then on."""
        if self._data is None and not isinstance(self._body, DataBody):
            body = b"".join([chunk async for chunk in self.iter_encode()])
            self._take_body(body)

    async def iter_encode(self) -> AsyncGenerator[bytes, None]:
        """The body's chunks as bytes."""
        if self._data is not None:
            yield self._data
            return
        async with self.response as chunks:
            async for chunk in chunks:
                yield chunk_bytes(chunk)

    async def freeze(self) -> None:
        """Read a streaming body and set its length, so that the response can be stored."""
        await self.make_sequence()
        self.headers["Content-Length"] = str(self.calculate_content_length())

    @property
    def json_module(self) -> Any:
        """What `get_json` parses with: `quart_plug.json`; a subclass may name another."""
        from .. import json  # late: it lies above, but is not needed to make a response

        return json

    @property
    def json(self) -> Awaitable[Any]:
        """An awaitable for the parsed body; see `get_json`."""
        return self.get_json()

    async def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """The body parsed as JSON; None when the mimetype is another, unless `force`.

        Raises ValueError when it is not JSON, unless `silent`: then None.
        """
        if not (force or self.is_json):
            return None
        data = await self.get_data(as_text=True)
        try:
            return self.json_module.loads(data)
        except ValueError:
            if silent:
                return None
            raise

    async def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set an ETag made from the body, unless there is one."""
        if overwrite or "etag" not in self.headers:
            self.set_etag(generate_etag(await self.get_data(as_text=False)), weak)

    async def make_conditional(
        self, request: Request, accept_ranges: bool | str = False, complete_length: int | None = None
    ) -> Self:
        """Answer the request's conditions: 304, 412, a part (206), or unchanged. See conditional.py.

        accept_ranges    whether parts may be sent (True, or the unit "bytes").
        complete_length  the whole body's length in bytes; without it no part is sent.

        Raises RequestedRangeNotSatisfiable.
        """
        from .conditional import make_conditional

        await make_conditional(self, request, accept_ranges, complete_length)
        return self

    def call_on_close(self, function: F) -> F:
        """Call `function`, which may be a coroutine function, when all is sent or lost. A decorator."""
        if self._on_close is None:
            self._on_close = []
        self._on_close.append(function)
        return function

    async def close(self, body: bool = True) -> None:
        """Give back what the body holds, then call the `call_on_close` functions; each, even if another
        failed.

        body  whether the body has not been entered, and so still holds something.
        """
        async with AsyncExitStack() as stack:
            for function in reversed(self._on_close or ()):
                stack.push_async_callback(_call, function)
            self._on_close = None
            if body and self._body is not None:
                stack.push_async_callback(self._body.discard)

    async def discard_body(self) -> None:
        """Give back what the body holds, and go on without one."""
        if self._body is not None:
            await self._body.discard()
        self._data, self._body = b"", None

    @classmethod
    def force_type(cls, response: SansIOResponse | HTTPException, environ: Any = None) -> Response:
        """This framework's Response for any of werkzeug's responses; see reply.py."""
        from .reply import convert

        return convert(cls, response)


async def _call(function: Callable[[], Any]) -> None:
    result = function()
    if hasattr(result, "__await__"):
        await result
