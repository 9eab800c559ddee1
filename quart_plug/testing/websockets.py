"""A test's end of a websocket: what it can do and see there is what a client on the wire could.

`TestWebsocketConnection` has Quart's name and calls. It is an async context manager that runs the app while it is open.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..json import loads
from ..typing import Message, Scope
from .base import Connection, make_response
from .errors import ASGIError, WebsocketDisconnectError, WebsocketRefusedError, WebsocketResponseError
from .utils import json_text
from .wire import WebsocketWire, checked_close

if TYPE_CHECKING:
    from typing import Self

    from ..app import Quart

NO_CODE = 1005  # a close frame without a code, such as a browser's `close()` sends (RFC 6455, 7.1.5)
LOST = 1006  # no close frame at all
TURNS = 8  # of the event loop; a refusal takes three


class TestWebsocketConnection(Connection):
    """A websocket's client.

    accepted                   whether the app has accepted.
    headers, subprotocol       the handshake's answer; None before.
    status_code, response_data the status and body of a refusal.
    close_code, close_reason   of whoever closed first; None while open.
    unread                     how many messages of the client's the app has not taken yet.
    held                       how many sends of the app's wait, since this client has stopped reading.
    """

    def __init__(self, app: Quart, scope: Scope) -> None:
        self._wire = WebsocketWire(scope)
        scope = {"quart_plug.abort": self._lose, **scope}
        super().__init__(app, scope, self._take, self._told)
        self._refusal_is_known = False
        self._silence: asyncio.TimerHandle | None = None

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

    @property
    def unread(self) -> int:
        return self._exchange.unread

    @property
    def held(self) -> int:
        return self._exchange.held

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
        self.answer_pings()
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

    def stop_reading(self, buffer: int = 0) -> None:
        """Read nothing more, as a client that is too slow, or hangs: what the app sends waits in its `send`.

        buffer  bytes of messages that still fit between the two; on the wire there are some 100,000 of them.

        What does not fit is not lost, and comes after `start_reading()`. A client that leaves waits for nothing.
        """
        if buffer < 0:
            raise ValueError(f"a buffer has a number of bytes of 0 or more, not {buffer!r}")
        self._exchange.read(buffer)

    def start_reading(self) -> None:
        """Read again."""
        self._exchange.read(None)

    def stop_answering_pings(self) -> None:
        """Answer the server's pings no more, as a client whose network has gone silent.

        WEBSOCKET_PING_INTERVAL and WEBSOCKET_PING_TIMEOUT of the app's configuration say when the server notices: the
        app then gets 1006. Without either there are no pings, or nothing comes of them.
        """
        self.answer_pings()
        config = self.app.config
        interval, timeout = (config.get(f"WEBSOCKET_PING_{name}", 20) for name in ("INTERVAL", "TIMEOUT"))
        if interval and timeout:
            self._silence = asyncio.get_running_loop().call_later(interval + timeout, self._lose)

    def answer_pings(self) -> None:
        """Answer them again, if the server has not given up before."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _lose(self) -> None:
        """The connection is lost: the server has ended it without a word (ASGI servers call it aborting)."""
        self._leave(LOST, "")

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
            self._exchange.leave()
            self._exchange.end({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _told(self) -> str:
        wire = self._wire
        if wire.state == "connecting":
            return "has neither accepted nor refused"
        if wire.state == "refused":
            return f"has refused with {wire.denial.status}"
        accepted = "has accepted and" if wire.accepted else "has not accepted and"
        closed = f" and closed with {self.close_code}" if wire.state == "closed" else ""
        held = f", and {self.held} wait for this client to read" if self.held else ""
        return f"{accepted} sent {wire.sent} messages{held}{closed}"

    def _raise_refusal(self) -> None:
        wire = self._wire
        if wire.state == "refused":
            self._refusal_is_known = True
            response = make_response(self.app, self.response_data, wire.denial)
            if wire.close is None:
                raise WebsocketResponseError(response)
            raise WebsocketRefusedError(response, *wire.close)

    def _closed(self, otherwise: str) -> Exception:
        if self._wire.close is None:
            return ASGIError(f"the app {otherwise} ({self._path}); it {self._told()}")
        return WebsocketDisconnectError(*self._wire.close)
