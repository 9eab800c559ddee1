"""What a websocket is and how it stands, as attributes: the part of `Websocket` that does nothing.

An application may assign those that Quart does not have (see `unless_assigned`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from ..namespace import unless_assigned
from .bearer import header_token, offered_token
from .connection import WebsocketConnection
from .socket import CLOSED, CLOSING, REJECTED

if TYPE_CHECKING:
    from ..typing import ClosedBy


class WebsocketAttributes(WebsocketConnection):
    """The attributes of `Websocket` that a request does not have."""

    _requested_subprotocols: list[str] | None = None
    _id: str | None = None

    @property
    def requested_subprotocols(self) -> list[str]:
        """The subprotocols that the client speaks, in its order."""
        if self._requested_subprotocols is None:
            self._requested_subprotocols = list(self.scope.get("subprotocols") or ())
        return self._requested_subprotocols

    @unless_assigned
    def subprotocol(self) -> str | None:
        """The subprotocol that was chosen when accepting, or None."""
        return self._subprotocol

    @unless_assigned
    def bearer_token(self) -> str | None:
        """The bearer token of the handshake: of the header Authorization, else of the subprotocols `bearer` and the
        token, or `base64url.bearer.authorization.<token>`, which is where a browser can put one. None without one.
        """
        given = header_token(self.headers.get("authorization", ""))
        return given or offered_token(self.requested_subprotocols, self._spoken_subprotocols())[1]

    @unless_assigned
    def id(self) -> str:
        """A name for this connection that no other has: in logs, in signals and hooks, in the inspector."""
        return self._name()

    def _name(self) -> str:
        if self._id is None:
            self._id = uuid4().hex
        return self._id

    @unless_assigned
    def state(self) -> str:
        """ "connecting", "accepted", "closing", "closed" or "rejected"."""
        return self._socket.state

    @unless_assigned
    def closed(self) -> bool:
        """Whether the connection has ended, is being closed, or was refused."""
        return self._socket.state in (CLOSING, CLOSED, REJECTED)

    @unless_assigned
    def close_code(self) -> int | None:
        """The close code (RFC 6455, 7.4), or None as long as the connection is open."""
        return self._socket.code

    @unless_assigned
    def close_reason(self) -> str:
        """The reason that came with the close code, or ""."""
        return self._socket.reason

    @unless_assigned
    def closed_by(self) -> ClosedBy | None:
        """ "client", "server", "network"; None while it is open, and where the server does not tell."""
        return self._socket.closed_by

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path!r} {self._name()} that {self._socket.told()}>"
