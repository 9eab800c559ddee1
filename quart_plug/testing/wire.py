"""What the app sends, checked against ASGI and turned into what the wire would carry.

Two small machines, one a kind of connection: `take(message)` is a move, and an illegal one raises an
ASGIError that names the message and the state. They hold the client's view: status, headers, body,
messages, close code. No I/O, no waiting, no app. Source: the ASGI specification
(https://asgi.readthedocs.io/en/latest/specs/www.html); what servers cut away (bodies of HEAD, 204 and 304)
is cut away here (RFC 9110, 6.4.1).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal

from werkzeug.datastructures import Headers

from ..typing import Message, Scope
from ..utils import header_text
from .errors import ASGIError

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")  # a token (RFC 9110, 5.6.2), in lower case as ASGI wants it
_VALUE = re.compile(rb"(?:[^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?")  # RFC 9110, 5.5
_LENGTH = re.compile(rb"[0-9]+")
_MAX_REASON = 123  # bytes: a control frame carries 125, two of them the code (RFC 6455, 5.5)


def checked_headers(kind: str, headers: Any) -> list[tuple[bytes, bytes]]:
    """Give a message's headers as pairs; raise ASGIError for what a server may refuse or garble."""
    if isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise ASGIError(f"{kind}: headers must be an iterable of [name, value] pairs, not {headers!r}")
    pairs = []
    for pair in headers:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ASGIError(f"{kind}: a header must be a pair [name, value], not {pair!r}")
        name, value = pair
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise ASGIError(f"{kind}: header names and values must be bytes, not {name!r}: {value!r}")
        if name != name.lower():
            raise ASGIError(f"{kind}: the header name {name!r} must be in lower case: {name.lower()!r}")
        if not _NAME.fullmatch(name):
            raise ASGIError(f"{kind}: {name!r} is not a legal header name")
        if not _VALUE.fullmatch(value):
            raise ASGIError(
                f"{kind}: {value!r} for header {name!r} holds control characters, or blanks at an end"
            )
        pairs.append((name, value))
    return pairs


def _as_headers(pairs: list[tuple[bytes, bytes]]) -> Headers:
    return Headers([(name.decode("latin-1"), header_text(value)) for name, value in pairs])


def _is_bodyless(method: str, status: int) -> bool:
    return method == "HEAD" or status < 200 or status in (204, 304)


class ResponseWire:
    """The response of one request, or of a refused handshake.

    status, headers  None until the response has started.
    chunks           body parts that nobody has taken yet; empty ones are not there, since the wire has
                     nothing of them.
    complete         whether the last part has been sent.
    pushes           (path, headers) of each push promise.
    """

    prefix = "http.response"

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope.get("method", "GET")
        self.extensions: Any = scope.get("extensions") or {}
        self.status: int | None = None
        self.headers: Headers | None = None
        self.chunks: deque[bytes] = deque()
        self.complete = False
        self.pushes: list[tuple[str, Headers]] = []
        self.parts = 0
        self._length: int | None = None
        self._sent = 0

    def take(self, message: Message) -> None:
        """Make the move that `message` is; raise ASGIError when it is illegal."""
        kind = message.get("type")
        if kind == f"{self.prefix}.start":
            self._start(kind, message)
        elif kind == f"{self.prefix}.body":
            self._body(kind, message)
        elif kind == "http.response.push" and kind in self.extensions:
            self._push(kind, message)
        else:
            raise ASGIError(f"{kind!r} is not a message for {self.told()}")

    def told(self) -> str:
        """Say in words what the response's state is."""
        if self.status is None:
            return "a response that has not started"
        if self.complete:
            return f"a response that is complete (status {self.status})"
        return f"a response that has started (status {self.status}, {self.parts} body parts)"

    def _start(self, kind: str, message: Message) -> None:
        if self.status is not None:
            raise ASGIError(f"{kind} came for {self.told()}; a response starts once")
        status = message.get("status")
        if not isinstance(status, int) or not 200 <= status <= 999:
            raise ASGIError(f"{kind}: the status must be an int from 200 to 999, not {status!r}")
        pairs = checked_headers(kind, message.get("headers", ()))
        lengths = {value for name, value in pairs if name == b"content-length"}
        if len(lengths) > 1 or not all(_LENGTH.fullmatch(value) for value in lengths):
            raise ASGIError(f"{kind}: content-length must be one number, not {sorted(lengths)!r}")
        if lengths and not _is_bodyless(self.method, status):
            self._length = int(lengths.pop())
        self.status = int(status)
        self.headers = _as_headers(pairs)

    def _body(self, kind: str, message: Message) -> None:
        if self.status is None or self.complete:
            raise ASGIError(f"{kind} came for {self.told()}")
        body = message.get("body", b"")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise ASGIError(f"{kind}: the body must be bytes, not {type(body).__name__}")
        more = bool(message.get("more_body", False))
        self.parts += 1
        self._sent += len(body)
        if self._length is not None and self._sent > self._length:
            raise ASGIError(f"{kind}: the body has {self._sent} bytes, content-length says {self._length}")
        if self._length is not None and not more and self._sent < self._length:
            raise ASGIError(
                f"{kind}: the body ended after {self._sent} bytes, content-length says {self._length}"
            )
        if body and not _is_bodyless(self.method, self.status):
            self.chunks.append(bytes(body))
        self.complete = not more

    def _push(self, kind: str, message: Message) -> None:
        if self.complete:
            raise ASGIError(f"{kind} came for {self.told()}")
        pairs = checked_headers(kind, message.get("headers", ()))
        self.pushes.append((str(message.get("path", "")), _as_headers(pairs)))


class DenialWire(ResponseWire):
    """The HTTP answer to a handshake (ASGI extension "websocket.http.response")."""

    prefix = "websocket.http.response"


def checked_close(message: Message) -> tuple[int, str]:
    """Give (code, reason) of a close message; raise ASGIError for what may not be sent (RFC 6455, 7.4)."""
    code = message.get("code", 1000)
    code = 1000 if code is None else code
    reason = message.get("reason") or ""
    legal = isinstance(code, int) and (
        3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))
    )
    if not legal:
        raise ASGIError(
            f"websocket.close: {code!r} is no close code to send (they are 1000-1003, 1007-1014, 3000-4999)"
        )
    if not isinstance(reason, str) or len(reason.encode()) > _MAX_REASON:
        raise ASGIError(
            f"websocket.close: the reason must be a str of at most {_MAX_REASON} bytes, not {reason!r}"
        )
    return code, reason


class WebsocketWire:
    """One websocket, as the client sees it.

    state        "connecting", "accepted", "closed" (by the app, after accepting), "refused", "left" (by the
                 client).
    messages     what the app sent and nobody has taken yet.
    sent         how many messages the app has sent.
    close        (code, reason): whichever came first, the app's or the client's.
    denial       the response to a refused handshake.
    """

    def __init__(self, scope: Scope) -> None:
        self.state: Literal["connecting", "accepted", "closed", "refused", "left"] = "connecting"
        self.accepted = False
        self.headers: Headers | None = None
        self.subprotocol: str | None = None
        self.messages: deque[str | bytes] = deque()
        self.sent = 0
        self.close: tuple[int, str] | None = None
        self.denial = DenialWire({**scope, "method": "GET"})
        self._offered = list(scope.get("subprotocols") or ())
        self._deniable = "websocket.http.response" in (scope.get("extensions") or {})

    def take(self, message: Message) -> None:
        """Make the move that `message` is; raise ASGIError when it is illegal."""
        kind = str(message.get("type"))
        if kind == "websocket.accept" and self.state == "connecting" and self.denial.status is None:
            self._accept(message)
        elif kind == "websocket.send" and self.state == "accepted":
            self._send(message)
        elif kind == "websocket.close" and self.state == "accepted":
            self.close = checked_close(message)
            self.state = "closed"
        elif kind == "websocket.close" and self.state == "connecting" and self.denial.status is None:
            self.close = checked_close(message)
            self.denial.take(
                {
                    "type": "websocket.http.response.start",
                    "status": 403,
                    "headers": [(b"content-length", b"0")],
                }
            )
            self.denial.take({"type": "websocket.http.response.body"})
            self.state = "refused"
        elif kind.startswith("websocket.http.response.") and self.state == "connecting" and self._deniable:
            self.denial.take(message)
            if self.denial.complete:
                self.state = "refused"
        else:
            raise ASGIError(f"{kind!r} is not a message for {self.told()}")

    def leave(self, code: int, reason: str) -> None:
        """The client leaves; what the app sent before stays readable."""
        if self.state in ("connecting", "accepted"):
            self.state = "left"
            self.close = (code, reason)

    def told(self) -> str:
        """Say in words what the websocket's state is."""
        if self.state == "connecting" and self.denial.status is not None:
            return f"a websocket whose handshake is being answered with {self.denial.status}"
        if self.state == "connecting":
            extension = "" if self._deniable else " (the scope has no extension websocket.http.response)"
            return f"a websocket that has not been accepted{extension}"
        if self.state == "refused":
            return f"a websocket that was refused with {self.denial.status}"
        if self.state == "accepted":
            return f"a websocket that has been accepted, {self.sent} messages sent"
        code, reason = self.close or (1005, "")
        by = "the app" if self.state == "closed" else "the client"
        return f"a websocket that {by} has closed with {code}{f' ({reason})' if reason else ''}"

    def _accept(self, message: Message) -> None:
        pairs = checked_headers("websocket.accept", message.get("headers") or ())
        if any(name == b"sec-websocket-protocol" for name, _ in pairs):
            raise ASGIError("websocket.accept: give the subprotocol as `subprotocol`, not as a header")
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and subprotocol not in self._offered:
            raise ASGIError(
                f"websocket.accept: the client offered {self._offered!r}, not the subprotocol {subprotocol!r}"
            )
        self.headers = _as_headers(pairs)
        self.subprotocol = subprotocol
        self.accepted = True
        self.state = "accepted"

    def _send(self, message: Message) -> None:
        text, data = message.get("text"), message.get("bytes")
        if (text is None) == (data is None):
            raise ASGIError("websocket.send must have either text or bytes, and not both")
        if text is not None and not isinstance(text, str):
            raise ASGIError(f"websocket.send: text must be str, not {type(text).__name__}")
        if data is not None and not isinstance(data, (bytes, bytearray, memoryview)):
            raise ASGIError(f"websocket.send: bytes must be bytes, not {type(data).__name__}")
        self.messages.append(text if text is not None else bytes(data))  # type: ignore[arg-type]  # one is there
        self.sent += 1
