"""Accepting a websocket where plugins have a say (hook `websocket_accepting`); else nothing of this is used.

While they are asked, the websocket still is `connecting`: who calls meanwhile waits, and they may refuse.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..exceptions import WebsocketStateError
from .response_headers import Pair, wire_headers
from .socket import CONNECTING, REJECTED

if TYPE_CHECKING:
    from ..typing import HeadersValue
    from .response import Response
    from .websocket import Websocket

DENIAL = "websocket.http.response"  # the ASGI extension for answering a handshake


class Handshake:
    """What a websocket is about to be accepted with.

    subprotocol             one of those that the client asked for, or None; may be assigned.
    headers                 to send with the acceptance; may be changed.
    requested_subprotocols  what the client speaks, in its order.
    """

    __slots__ = ("headers", "requested_subprotocols", "subprotocol")

    def __init__(
        self, subprotocol: str | None, headers: HeadersValue | None, requested_subprotocols: list[str]
    ) -> None:
        self.subprotocol = subprotocol
        self.headers = Headers(headers or ())
        self.requested_subprotocols = tuple(requested_subprotocols)

    def __repr__(self) -> str:
        return f"<Handshake subprotocol={self.subprotocol!r} headers={[*self.headers]!r}>"


def headers_to_accept(websocket: Websocket, headers: HeadersValue | None) -> list[Pair]:
    """The headers of an acceptance as they are sent. ValueError for one that is not the view's to send."""
    if not headers:
        return []
    pairs = wire_headers(Headers(headers))
    if any(name == b"sec-websocket-protocol" for name, _ in pairs):
        raise ValueError("give the subprotocol as accept(subprotocol=…), not as a header")
    if pairs and websocket._spec_version() <= (2, 0):
        warnings.warn("this ASGI server cannot send headers with the acceptance; they are left out", stacklevel=3)
        pairs = []
    return pairs


async def refuse(websocket: Websocket, response: Response) -> None:
    """Refuse the handshake with a response, as far as the server can; ValueError for a status that is no refusal."""
    if DENIAL in (websocket.scope.get("extensions") or {}):
        await websocket._deny(response)
        return
    websocket._socket.reject(response.status_code)
    websocket._socket.status = 403  # what the client sees
    await websocket._tell_close(1008, "")


async def shake_hands(websocket: Websocket, ask: Callable[..., Awaitable[Any]], handshake: Handshake) -> None:
    """Ask the plugins, then accept or refuse.

    Raises ConnectionClosed after a refusal, whatever an implementation raises (the websocket then still is connecting),
    ValueError for a subprotocol that the client did not ask for.
    """
    websocket._accepting = asked = asyncio.Event()
    websocket._asker = asyncio.current_task()
    try:
        answer = await ask(websocket._link, handshake)
        if websocket._socket.state is CONNECTING and answer is not None:
            from .reply import make_response

            await refuse(websocket, make_response(websocket._link.app, answer))
        if websocket._socket.state is REJECTED:  # here, or by a plugin itself
            websocket._note_own_end()
            raise websocket._socket.error()
        if websocket._socket.state is not CONNECTING:
            await websocket._ended("accept")  # meanwhile the client left
        chosen = websocket._subprotocol_for(handshake.subprotocol) if handshake.subprotocol is not None else None
        pairs = headers_to_accept(websocket, handshake.headers)
    finally:
        websocket._asker = None
        websocket._accepting = None
        asked.set()
    await websocket._send_accept({"type": "websocket.accept", "subprotocol": chosen, "headers": pairs})


async def wait_for_handshake(websocket: Websocket) -> None:
    """Wait while another task accepts. WebsocketStateError for a plugin that waits for its own answer."""
    while websocket._accepting is not None:
        if websocket._asker is not None and websocket._asker is asyncio.current_task():
            raise WebsocketStateError(
                "a websocket was used in the hook 'websocket_accepting', before it is accepted; return an answer, or"
                " call its reject()"
            )
        await websocket._accepting.wait()
