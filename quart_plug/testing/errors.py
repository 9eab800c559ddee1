"""What a test sees when a connection does not go as it hoped.

    Exception
    ├── ASGIError                 the app sent a message that ASGI does not allow (a RuntimeError)
    ├── WaitTimeoutError          a wait of the client's reached its time limit (a TimeoutError)
    ├── ClientGone                in the app: it sent to a client that has left (an OSError)
    ├── HTTPDisconnectError       the connection ended before the response did
    ├── WebsocketResponseError    the handshake was answered with an HTTP response
    │   └── WebsocketRefusedError … because the app closed before it accepted; also a WebsocketDisconnectError
    └── WebsocketDisconnectError  the websocket is closed

Knows nothing of the package; `connections` gives the names that Quart has to their old place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..wrappers import Response


class ASGIError(RuntimeError):
    """The app broke the ASGI specification: a message that its state does not allow, or a malformed one."""


class WaitTimeoutError(TimeoutError):
    """A wait reached its time limit. The message says what was waited for, and what had happened by then."""


class ClientGone(OSError):
    """Raised in the app by `send` after the client has left, as uvicorn does, if the test asks for it."""


class HTTPDisconnectError(Exception):
    """There will be no (more of the) response: the client has disconnected."""


class WebsocketDisconnectError(Exception):
    """The websocket is closed.

    code    the close code (RFC 6455, 7.4), as the client would get it from the wire.
    reason  the peer's words, or "".
    """

    def __init__(self, code: int = 1005, reason: str = "") -> None:
        super().__init__(code)  # tests that were written for Quart compare `args`
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the websocket is closed: {self.code}{f' ({self.reason})' if self.reason else ''}"


class WebsocketResponseError(Exception):
    """The handshake was refused: the server answered with an ordinary HTTP response, which is `response`."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


class WebsocketRefusedError(WebsocketResponseError, WebsocketDisconnectError):
    """The app closed before it accepted, which is a 403 on the wire (ASGI, "Close - send event").

    response      what the client sees: status 403, no body.
    code, reason  what the app gave to `close`; a real client never learns of them.

    Quart's test client shows this as a WebsocketDisconnectError, so it is one as well.
    """

    def __init__(self, response: Response, code: int, reason: str) -> None:
        Exception.__init__(self, response)
        self.response = response
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"refused with {self.response.status_code}: the app closed with {self.code} before it accepted"
