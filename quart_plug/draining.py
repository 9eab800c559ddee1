"""The end of an app's open connections when the server stops, whichever server holds them.

A server plugin that has stopped accepting calls `close_websockets(app)`, waits SHUTDOWN_TIMEOUT seconds for what is in
flight, and then calls `cancel_connections(app)`. New handshakes are refused (503) from the moment at which draining
begins. All of it is about the connections of the running event loop. Must not know any server.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .wrappers.deadlines import cancel
from .wrappers.handshake import DENIAL
from .wrappers.socket import ACCEPTED, CONNECTING, check_close

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .app import Quart
    from .ctx import Context

__all__ = ["SERVICE_RESTART", "cancel_connections", "close_websockets", "refuse_handshake"]

SERVICE_RESTART = 1012  # RFC 6455's registry: the client may try again
FAREWELL_SECONDS = 2.0  # the sweep ends a farewell after one, and looks ten times a second
CANCEL_SECONDS = 1.0
_A_TURN = 100  # connections, after which the loop gets a turn
_BODY = b"The server is stopping; try again.\n"


def _open(app: Quart) -> Iterator[Context]:
    """The connections of the running loop that are being handled, as they are now.

    All of them are suspended, and so in the table of the sweep: else they would be running, and not this.
    """
    loop = asyncio.get_running_loop()
    sweep = app._sweeps.get(loop)
    if sweep is not None:
        yield from [*sweep.suspended]


async def close_websockets(app: Quart, code: int = SERVICE_RESTART, reason: str = "the server stops") -> None:
    """Close every open websocket of the app, and refuse with 503 those that are not accepted yet.

    Each view gets ConnectionClosed with this code and reason, and closed_by "server". Returns when the close frames are
    with the server; a peer that does not read delays this by no more than two seconds, and nobody else's frame.

    Raises ValueError for a code that must not be sent, or a reason that is too long.
    """
    check_close(code, reason)
    farewells: list[asyncio.Task[None]] = []
    for number, ctx in enumerate(_open(app)):
        if ctx.scope["type"] != "websocket":
            continue
        websocket = ctx.websocket
        if websocket._socket.state is CONNECTING:
            websocket._shut(code, reason, refuse_handshake(ctx))
        elif websocket._socket.state is ACCEPTED:
            websocket._shut(code, reason)
        else:
            continue
        if websocket._farewell is not None:
            farewells.append(websocket._farewell)
        if number % _A_TURN == _A_TURN - 1:
            await asyncio.sleep(0)
    if farewells:
        await asyncio.wait(farewells, timeout=FAREWELL_SECONDS)


async def refuse_handshake(ctx: Context) -> None:
    """Answer the handshake of a websocket with 503, as far as the server can: else the client sees 403."""
    with suppress(OSError):  # who is not there needs not be told
        if DENIAL in (ctx.scope.get("extensions") or {}):
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(_BODY)).encode()),
                (b"connection", b"close"),
            ]
            if str(ctx.scope.get("http_version", "1.1")) >= "2":
                del headers[-1]  # HTTP/2 has no such header (RFC 9113, 8.2.2)
            await ctx.send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
            await ctx.send({"type": "websocket.http.response.body", "body": _BODY})
        else:
            await ctx.send({"type": "websocket.close", "code": SERVICE_RESTART})


async def cancel_connections(app: Quart, seconds: float = CANCEL_SECONDS) -> int:
    """Cancel every connection that is still being handled, and wait for their ends; how many did not end.

    seconds  how long to wait: a view may ignore its cancellation.
    """
    left: dict[asyncio.Task[Any], Context] = {}
    for ctx in _open(app):
        if ctx.task is not None:
            left[ctx.task] = ctx
            cancel(ctx)
    if not left:
        return 0
    app.logger.warning("%d connections were still open when the server had to stop; they are cancelled", len(left))
    _, pending = await asyncio.wait(left, timeout=seconds)
    for task in pending:
        app.logger.error("%r goes on though it was cancelled; it is left behind", left[task])
    return len(pending)
