"""A test's end of one connection: what it can do and see there is what a client on the wire could.

`TestHTTPConnection` and `TestWebsocketConnection` have Quart's names and calls. Each is an async context
manager that runs the app while it is open. Every wait has the limit `timeout` (seconds, None for none).
What the app sends passes through `wire`, which checks it; what the app raises is raised in the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.datastructures import Headers

from ..json import loads
from ..typing import Message, Scope
from .errors import (
    ASGIError,
    HTTPDisconnectError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)
from .exchange import Exchange, SendAfterClose
from .utils import json_text
from .wire import ResponseWire, WebsocketWire, checked_close

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

NO_CODE = 1005  # a close frame without a code, such as a browser's `close()` sends (RFC 6455, 7.1.5)
LOST = 1006  # no close frame at all
TURNS = 8  # of the event loop; a refusal takes three


def _make_response(app: Quart, body: bytes, wire: ResponseWire) -> Response:
    """The app's kind of Response, with exactly the headers that were sent."""
    assert wire.status is not None and wire.headers is not None
    response: Response = app.response_class(body, wire.status, wire.headers.copy())
    response.headers.clear()  # a constructor may add a content type or a length that was never sent
    response.headers.extend(wire.headers)
    return response


class _Connection:
    """What both kinds share."""

    __test__ = False

    def __init__(
        self, app: Quart, scope: Scope, take: Callable[[Message], None], told: Callable[[], str]
    ) -> None:
        self.app = app
        self.scope = scope
        self._exchange = Exchange(app, scope, take, told)
        self.on_answer: Callable[[Headers], None] | None = None  # called once, with the answer's headers

    def _answered(self, headers: Headers | None) -> None:
        if headers is not None and self.on_answer is not None:
            on_answer, self.on_answer = self.on_answer, None
            on_answer(headers)

    @property
    def timeout(self) -> float | None:
        """The limit of every wait, in seconds; None for no limit."""
        return self._exchange.timeout

    @timeout.setter
    def timeout(self, timeout: float | None) -> None:
        self._exchange.timeout = timeout

    @property
    def send_after_close(self) -> SendAfterClose:
        """For an app that sends when the client has left: "ignore", as hypercorn, or "raise", as uvicorn."""
        return self._exchange.send_after_close

    @send_after_close.setter
    def send_after_close(self, choice: SendAfterClose) -> None:
        if choice not in ("ignore", "raise"):
            raise ValueError(f'send_after_close must be "ignore" or "raise", not {choice!r}')
        self._exchange.send_after_close = choice

    @property
    def _path(self) -> str:
        return str(self.scope.get("path", ""))


class TestHTTPConnection(_Connection):
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
        return _make_response(self.app, body, wire)

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


class TestWebsocketConnection(_Connection):
    """A websocket's client.

    accepted                   whether the app has accepted.
    headers, subprotocol       the handshake's answer; None before.
    status_code, response_data the status and body of a refusal.
    close_code, close_reason   of whoever closed first; None while open.
    """

    def __init__(self, app: Quart, scope: Scope) -> None:
        self._wire = WebsocketWire(scope)
        super().__init__(app, scope, self._take, self._told)
        self._refusal_is_known = False

    @property
    def accepted(self) -> bool:
        return self._wire.accepted

    @property
    def headers(self) -> Headers | None:
        return self._wire.headers if self._wire.accepted else self._wire.denial.headers

    @property
    def subprotocol(self) -> str | None:
        return self._wire.subprotocol

    @property
    def status_code(self) -> int | None:
        return self._wire.denial.status

    @property
    def response_data(self) -> bytes:
        return b"".join(self._wire.denial.chunks)

    @property
    def close_code(self) -> int | None:
        return None if self._wire.close is None else self._wire.close[0]

    @property
    def close_reason(self) -> str | None:
        return None if self._wire.close is None else self._wire.close[1]

    async def __aenter__(self) -> Self:
        self._exchange.put({"type": "websocket.connect"})
        self._exchange.start()
        for _ in range(TURNS):  # an app that need not wait has answered when the block begins
            await asyncio.sleep(0)
            if self._wire.state != "connecting":
                break
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._leave(1000 if exc is None else LOST, "")
        await self._exchange.finish(
            f"the app to end after the client had left {self._path}",
            lambda: self._leave(LOST, ""),
            exc,
            grace=self.app.config.get("WEBSOCKET_DISCONNECT_GRACE") or 0,
        )
        if exc is None and self._wire.close is None and not self._refusal_is_known:
            self._raise_refusal()  # the test has not asked; a handshake that it meant to succeed has not

    async def accept(self) -> None:
        """Wait until the app has accepted. WebsocketResponseError when it refuses."""
        await self._exchange.until(
            lambda: self._wire.state != "connecting", f"the answer to the handshake of {self._path}"
        )
        self._raise_refusal()
        if not self._wire.accepted:
            raise self._closed("returned without accepting or refusing")

    async def receive(self) -> str | bytes:
        """The next message.

        Raises WebsocketResponseError when the handshake is refused, WebsocketDisconnectError when the
        websocket is closed and every message before that has been received.
        """
        wire = self._wire
        await self._exchange.until(
            lambda: bool(wire.messages) or wire.state not in ("connecting", "accepted"),
            f"a websocket message on {self._path}",
        )
        if wire.messages:
            return wire.messages.popleft()
        self._raise_refusal()
        raise self._closed("returned without closing")

    async def receive_json(self) -> Any:
        """The next message, decoded by the standard rules of JSON, or in an app context by the current app's."""
        return loads(await self.receive())

    async def send(self, data: str | bytes) -> None:
        """Send a message.

        Raises WebsocketResponseError when the handshake has been answered with a response, WebsocketDisconnectError
        when the websocket is closed and every message before that has been received.
        """
        wire = self._wire
        if isinstance(data, str):
            message: Message = {"type": "websocket.receive", "text": data}
        elif isinstance(data, (bytes, bytearray, memoryview)):
            message = {"type": "websocket.receive", "bytes": bytes(data)}
        else:
            raise TypeError(f"a message is str or bytes, not {type(data).__name__}; see `send_json`")
        if wire.close is None or self._refusal_is_known:  # of a close before accepting `receive` tells, as with Quart
            self._raise_refusal()
        if wire.state == "left" or (wire.state == "closed" and not wire.messages):
            raise self._closed("")
        self._exchange.put(message)
        await asyncio.sleep(0)

    async def send_json(self, data: Any) -> None:
        """Send a value as JSON; see `make_test_body_with_headers` for what encodes it."""
        await self.send(json_text(data, self.app))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a close frame. ValueError for a code or a reason that no client may send."""
        try:
            checked_close({"code": code, "reason": reason})
        except ASGIError as error:
            raise ValueError(str(error)) from None
        self._leave(code, reason)
        await asyncio.sleep(0)

    async def disconnect(self) -> None:
        """Close with a close frame that has no code, as a browser's `close()` does: the app gets 1005."""
        self._leave(NO_CODE, "")
        await asyncio.sleep(0)

    async def vanish(self) -> None:
        """Go without a close frame, as when the network is lost: the app gets 1006."""
        self._leave(LOST, "")
        await asyncio.sleep(0)

    def _take(self, message: Message) -> None:
        wire = self._wire
        wire.take(message)
        self._answered(self.headers)
        if wire.state == "closed" and wire.close is not None:  # the client answers with the same code
            code, reason = wire.close
            self._exchange.end({"type": "websocket.disconnect", "code": code, "reason": reason})
        elif wire.state == "refused":
            self._exchange.end({"type": "websocket.disconnect", "code": LOST, "reason": ""})

    def _leave(self, code: int, reason: str) -> None:
        # After the app's own close this does nothing: what it sends then stays an error.
        if self._wire.state in ("connecting", "accepted"):
            self._wire.leave(code, reason)
            self._exchange.gone = True
            self._exchange.end({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _told(self) -> str:
        wire = self._wire
        if wire.state == "connecting":
            return "has neither accepted nor refused"
        if wire.state == "refused":
            return f"has refused with {wire.denial.status}"
        accepted = "has accepted and" if wire.accepted else "has not accepted and"
        closed = f" and closed with {self.close_code}" if wire.state == "closed" else ""
        return f"{accepted} sent {wire.sent} messages{closed}"

    def _raise_refusal(self) -> None:
        wire = self._wire
        if wire.state == "refused":
            self._refusal_is_known = True
            response = _make_response(self.app, self.response_data, wire.denial)
            if wire.close is None:
                raise WebsocketResponseError(response)
            raise WebsocketRefusedError(response, *wire.close)

    def _closed(self, otherwise: str) -> Exception:
        if self._wire.close is None:
            return ASGIError(f"the app {otherwise} ({self._path}); it {self._told()}")
        return WebsocketDisconnectError(*self._wire.close)
