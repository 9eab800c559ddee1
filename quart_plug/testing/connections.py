"""A test's end of a request: what it can do and see there is what a client on the wire could.

`TestHTTPConnection` has Quart's name and calls. It is an async context manager that runs the app while it is open. The
other names are here because Quart has them here.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from werkzeug.datastructures import Headers

from ..typing import Message, Scope
from .base import Connection, make_response
from .errors import (
    ASGIError,
    HTTPDisconnectError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)
from .websockets import TestWebsocketConnection
from .wire import ResponseWire

if TYPE_CHECKING:
    from typing import Self

    from ..app import Quart
    from ..wrappers import Response

__all__ = [
    "HTTPDisconnectError",
    "TestHTTPConnection",
    "TestWebsocketConnection",
    "WebsocketDisconnectError",
    "WebsocketRefusedError",
    "WebsocketResponseError",
]


class TestHTTPConnection(Connection):
    """A request that is sent, and a response that is received, part by part.

    status_code, headers  None until the response has started.
    response_data         what has come of the body and was not given by `receive`.
    push_promises         (path, headers) of each push promise (HTTP/2).
    """

    def __init__(self, app: Quart, scope: Scope, _preserve_context: bool = False) -> None:
        self._wire = ResponseWire(scope)
        super().__init__(app, scope, self._take, self._told)
        self._preserve_context = _preserve_context
        self._is_complete = False

    @property
    def status_code(self) -> int | None:
        return self._wire.status

    @property
    def headers(self) -> Headers | None:
        return self._wire.headers

    @property
    def response_data(self) -> bytes:
        return b"".join(self._wire.chunks)

    @property
    def push_promises(self) -> list[tuple[str, Headers]]:
        return self._wire.pushes

    async def __aenter__(self) -> Self:
        self._exchange.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc is None and not self._exchange.gone:
            await self.send_complete()
        await self._exchange.finish(
            f"the end of the app's work for {self._path} (a response without end needs `disconnect()`)",
            self._leave,
            exc,
        )
        exchange = self._exchange
        done = self._wire.complete or exchange.gone or exchange.has_failed or exchange.was_cancelled
        if exc is None and not done:
            self._raise_incomplete()

    async def send(self, data: bytes) -> None:
        """Send a part of the request's body."""
        self._put_body(data, more=True)
        await asyncio.sleep(0)

    async def send_complete(self) -> None:
        """End the request's body; leaving the context does so, too."""
        if not self._is_complete:
            self._put_body(b"", more=False)
            await asyncio.sleep(0)

    async def send_body(self, data: bytes) -> None:
        """Send the whole body of the request as one message."""
        self._put_body(data, more=False)
        await asyncio.sleep(0)

    async def receive(self) -> bytes:
        """The next part of the response's body as the app sent it; b"" at its end.

        Raises HTTPDisconnectError when the client disconnected, and nothing more is there.
        """
        wire = self._wire
        await self._exchange.until(
            lambda: bool(wire.chunks) or wire.complete or self._exchange.gone,
            f"a part of the body of {self._path}",
        )
        if wire.chunks:
            return wire.chunks.popleft()
        if not wire.complete:
            self._raise_incomplete()
        return b""

    async def disconnect(self) -> None:
        """Leave: the app's `receive` gives http.disconnect."""
        self._leave()
        await asyncio.sleep(0)

    async def as_response(self) -> Response:
        """Wait for the end of the response; give it with what `receive` has not taken of the body.

        After `disconnect` it is what had come until then. HTTPDisconnectError when that is nothing.
        The same for a view that raised CancelledError, but without anything there is status 500: what servers send
        when an app ends without a response.
        """
        wire = self._wire
        self._exchange.may_be_cancelled = True
        await self._exchange.until(
            lambda: wire.complete or self._exchange.gone, f"the whole response of {self._path}"
        )
        if self._exchange.was_cancelled and wire.status is None:
            nothing: Response = self.app.response_class(b"", status=500)
            return nothing
        if wire.status is None or not (wire.complete or self._exchange.gone or self._exchange.was_cancelled):
            self._raise_incomplete()
        body = self.response_data
        wire.chunks.clear()
        return make_response(self.app, body, wire)

    def _take(self, message: Message) -> None:
        self._wire.take(message)
        self._answered(self.headers)
        if self._wire.complete:
            self._exchange.end({"type": "http.disconnect"})

    def _told(self) -> str:
        wire = self._wire
        if wire.status is None:
            return "has not started its response"
        if wire.complete:
            return f"has sent its whole response ({wire.status})"
        return f"has sent status {wire.status} and {wire.parts} parts of the body"

    def _put_body(self, data: bytes, more: bool) -> None:
        if self._is_complete:
            raise RuntimeError("the body of this request was completed before")
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"the body of a request is sent as bytes, not {type(data).__name__}")
        self._is_complete = not more
        if not self._exchange.gone:
            self._exchange.put({"type": "http.request", "body": bytes(data), "more_body": more})

    def _leave(self) -> None:
        self._exchange.gone = True
        self._exchange.end({"type": "http.disconnect"})

    def _raise_incomplete(self) -> NoReturn:
        if self._exchange.gone:
            raise HTTPDisconnectError(f"the client disconnected; the app {self._told()}")
        raise ASGIError(f"the app returned from {self._path}, but it {self._told()}")
