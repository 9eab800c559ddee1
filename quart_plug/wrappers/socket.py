"""The states of a websocket and the moves between them, as a table.

    connecting   the handshake waits for an answer
    accepted     both sides may send
    closing      the close message is on its way to the server
    closed       the connection has ended, from whichever side
    rejected     the handshake was refused

A move is a call of the view's (`accept()`, `send()`, …) or an ASGI message of the server's. What the table
does not hold is illegal, and raises an error that names the move and the state. Does no I/O, and knows no
app: who makes the move sends the message.

Sources: ASGI, "WebSocket" (https://asgi.readthedocs.io/en/latest/specs/www.html#websocket); RFC 6455, 7.4.
"""

from __future__ import annotations

from typing import Final, cast

from ..exceptions import ConnectionClosed, WebsocketStateError
from ..typing import ClosedBy

CONNECTING: Final = "connecting"
ACCEPTED: Final = "accepted"
CLOSING: Final = "closing"
CLOSED: Final = "closed"
REJECTED: Final = "rejected"

STATES = (CONNECTING, ACCEPTED, CLOSING, CLOSED, REJECTED)

# move -> how an error names it
MOVES = {
    "accept": "accept()",
    "send": "send()",
    "receive": "receive()",
    "close": "close()",
    "reject": "reject()",
    "shut": "closing by the server",  # a limit was passed: no call of the view's
    "closed": "the end of close()",
    "connect": "the message websocket.connect",
    "message": "the message websocket.receive",
    "disconnect": "the message websocket.disconnect",
}

TABLE: dict[tuple[str, str], str] = {
    (CONNECTING, "connect"): CONNECTING,
    (CONNECTING, "accept"): ACCEPTED,
    (CONNECTING, "close"): REJECTED,  # ASGI: closed before it was accepted, the client sees HTTP 403
    (CONNECTING, "reject"): REJECTED,
    (CONNECTING, "shut"): CLOSED,
    (CONNECTING, "disconnect"): CLOSED,
    (ACCEPTED, "connect"): ACCEPTED,  # read late
    (ACCEPTED, "accept"): ACCEPTED,  # as in Quart, a second accept does nothing
    (ACCEPTED, "send"): ACCEPTED,
    (ACCEPTED, "receive"): ACCEPTED,
    (ACCEPTED, "message"): ACCEPTED,
    (ACCEPTED, "close"): CLOSING,
    (ACCEPTED, "shut"): CLOSED,
    (ACCEPTED, "disconnect"): CLOSED,
    (CLOSING, "connect"): CLOSING,
    (CLOSING, "message"): CLOSING,  # sent by the client before it saw the close; nobody reads it any more
    (CLOSING, "close"): CLOSING,
    (CLOSING, "shut"): CLOSED,
    (CLOSING, "closed"): CLOSED,
    (CLOSING, "disconnect"): CLOSED,
    (CLOSED, "connect"): CLOSED,
    (CLOSED, "message"): CLOSED,
    (CLOSED, "close"): CLOSED,
    (CLOSED, "shut"): CLOSED,
    (CLOSED, "closed"): CLOSED,
    (CLOSED, "disconnect"): CLOSED,
    (REJECTED, "connect"): REJECTED,
    (REJECTED, "close"): REJECTED,
    (REJECTED, "shut"): REJECTED,
    (REJECTED, "disconnect"): REJECTED,
}

_LONGEST_REASON = 123  # bytes: a control frame carries 125, of which the code takes two (RFC 6455, 5.5)
_NOT_FOR_SENDING = {
    1004: "is reserved",
    1005: "stands for a close frame without a code",
    1006: "stands for a connection that was lost without a close frame",
    1015: "stands for a failed TLS handshake",
}


def check_close(code: int, reason: str) -> None:
    """Raise ValueError for a code that must not be sent, or a reason that does not fit into a close frame."""
    if type(code) is int and (3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in _NOT_FOR_SENDING)):
        size = len(reason.encode())
        if size <= _LONGEST_REASON:
            return
        raise ValueError(
            f"the reason for closing has {size} bytes, and a close frame has room for {_LONGEST_REASON}: "
            f"{reason[:40]!r}…; send a message before closing instead"
        )
    why = _NOT_FOR_SENDING.get(
        code, "is not assigned" if type(code) is int and 1015 < code < 3000 else "is no close code"
    )
    raise ValueError(
        f"a websocket cannot be closed with the code {code!r}: it {why}; use 1000 to 1003, 1007 to 1014, or "
        "one of your own from 4000 to 4999 (RFC 6455, 7.4)"
    )


class Socket:
    """Where one websocket stands.

    state      one of `STATES`.
    status     the HTTP status of a refused handshake, or None.
    code       the close code, or None while the connection is open.
    reason     the words that came with it, or "".
    closed_by  "client", "server", "network", or None where the server does not tell.
    """

    __slots__ = ("closed_by", "code", "reason", "state", "status")

    def __init__(self) -> None:
        self.state: str = CONNECTING
        self.status: int | None = None
        self.code: int | None = None
        self.reason = ""
        self.closed_by: ClosedBy | None = None

    def move(self, move: str) -> bool:
        """Make a move; whether the state changed. WebsocketStateError for an illegal one."""
        state = self.state
        after = TABLE.get((state, move))
        if after is None:
            raise self.illegal(move)
        self.state = after
        return after is not state

    def close(self, code: int = 1000, reason: str = "") -> bool:
        """Closing begins, or the handshake is refused; False when there is nothing left to close."""
        check_close(code, reason)
        if not self.move("close"):
            return False
        self._end(code, reason, "server")
        if self.state is REJECTED:
            self.status = 403
        return True

    def reject(self, status: int) -> None:
        """The handshake is refused with an HTTP answer."""
        if type(status) is not int or not 200 <= status <= 599:
            raise ValueError(f"a handshake cannot be refused with the status {status!r}; use 400 to 599, such as 403")
        self.move("reject")
        self.status = status
        self._end(1006, "", "server")

    def shut(self, code: int, reason: str) -> bool:
        """The server gives up: a limit was passed. False when the connection had ended before."""
        if not self.move("shut"):
            return False
        self._end(code, reason, "server")
        return True

    def disconnect(self, code: int, reason: str, closed_by: ClosedBy | None) -> bool:
        """The connection has ended; what was known before about how, stays. False when nothing changed."""
        if not self.move("disconnect"):
            return False
        self._end(code, reason, closed_by)
        return True

    def _end(self, code: int, reason: str, closed_by: ClosedBy | None) -> None:
        if self.code is None:
            self.code, self.reason, self.closed_by = code, reason, closed_by

    def error(self) -> ConnectionClosed:
        """What a call on an ended connection raises."""
        return ConnectionClosed(1006 if self.code is None else self.code, self.reason, self.closed_by)

    def illegal(self, move: str) -> WebsocketStateError:
        """The error for a move that the state does not allow."""
        return WebsocketStateError(f"{MOVES[move]} on a websocket that {self.told()}")

    def told(self) -> str:
        """The state in words, to follow "a websocket that"."""
        if self.state is CONNECTING:
            return "has not been accepted"
        if self.state is ACCEPTED:
            return "has been accepted"
        if self.state is REJECTED:
            return f"was rejected with {self.status}"
        by = f" by the {self.closed_by}" if self.closed_by else ""
        why = f" ({self.reason})" if self.reason else ""
        doing = "is being closed" if self.state is CLOSING else "was closed"
        return f"{doing}{by} with code {self.code}{why}"


def ending(message: dict[str, object]) -> tuple[int, str, ClosedBy | None]:
    """(code, reason, closed_by) of a disconnect message.

    Servers differ in what they tell. A server plugin may put `closed_by` into the message. Without it, a code
    can only have come in a close frame, from the client, but for these: 1012 is uvicorn's for its own stop,
    1006 means that there was no frame, and 1005 is a close frame without a code where a reason is told, else
    (uvicorn on a TCP reset) nobody knows.
    """
    code = message.get("code")
    reason = message.get("reason")
    closed_by = message.get("closed_by")
    if type(code) is not int:
        code = 1005
    if closed_by not in ("client", "server", "network"):
        if code == 1005 and reason is None:
            closed_by = None
        else:
            closed_by = {1006: "network", 1012: "server"}.get(code, "client")
    return code, reason if isinstance(reason, str) else "", cast("ClosedBy | None", closed_by)
