"""Hooks of websockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from ...ctx import Context
    from ...wrappers import Response
    from ...wrappers.handshake import Handshake

# Websockets ---------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def websocket_started(ctx: Context) -> None:
    """A websocket's handling begins; before every `before_websocket` function."""


@hookspec(kind="first", colour="async")
async def websocket_before(ctx: Context) -> Any | None:
    """Before the view and before the app's `before_websocket` functions; an answer refuses the handshake with it."""


@hookspec(kind="pipe", colour="async")
async def websocket_after(ctx: Context, response: Response | None) -> Response | None:
    """After the app's `after_websocket` functions."""


@hookspec(kind="first", colour="async")
async def websocket_error(ctx: Context, error: Exception) -> Any | None:
    """As `request_error`: before the handshake an answer refuses it, later the websocket is closed with 1011. Not
    called for ConnectionClosed, which is a normal end."""


@hookspec(kind="notify", colour="async")
async def websocket_finished(ctx: Context, response: Response | None) -> None:
    """A websocket's view has returned."""


@hookspec(kind="notify", colour="async")
async def websocket_failed(ctx: Context, error: BaseException) -> None:
    """A websocket raised an error that nothing handled; it is closed with 1011."""


@hookspec(kind="notify", colour="async")
async def websocket_teardown(ctx: Context, exc: BaseException | None) -> None:
    """A websocket's context ends; after the app's `teardown_websocket` functions."""


@hookspec(kind="first", colour="async")
async def websocket_accepting(ctx: Context, handshake: Handshake) -> Any | None:
    """A handshake is about to be accepted. `handshake.subprotocol` and `handshake.headers` may be changed.

    An answer, whatever a view may return, refuses the handshake with it; so does an HTTP error. The view's call then
    raises ConnectionClosed, which ends it.
    """


@hookspec(kind="pipe", colour="async")
async def websocket_received(ctx: Context, message: str | bytes) -> str | bytes | None:
    """A message came in, before the view sees it; an answer replaces it. MessageDropped keeps it from the view,
    MessageRefused closes the websocket in its place."""


@hookspec(kind="pipe", colour="async")
async def websocket_sending(ctx: Context, message: str | bytes) -> str | bytes | None:
    """A message is about to be sent; an answer replaces it. MessageDropped, MessageRefused: as above."""


@hookspec(kind="notify", colour="async")
async def websocket_sent(ctx: Context, message: str | bytes) -> None:
    """A message was given to the server."""


@hookspec(kind="notify", colour="async")
async def websocket_closed(ctx: Context, code: int, reason: str, closed_by: str | None) -> None:
    """A websocket that had been accepted has ended."""
