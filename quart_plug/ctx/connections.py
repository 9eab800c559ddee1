"""The contexts of requests and websockets: their classes, and how a connection comes to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kinds import REQUEST, WEBSOCKET, Kind
from .context import Context, _new, _nothing_to_receive, _nowhere_to_send

if TYPE_CHECKING:
    from ..app import Quart
    from ..typing import Receive, Scope, Send
    from ..wrappers import Request, Websocket


class RequestContext(Context):
    """The context of a request; `app.request_context(request)` makes one."""

    def __init__(self, app: Quart, request: Request, session: Any = None) -> None:
        super().__init__(app, request=request, session=session)


class WebsocketContext(Context):
    """The context of a websocket; `app.websocket_context(websocket)` makes one."""

    def __init__(self, app: Quart, request: Websocket, session: Any = None) -> None:
        super().__init__(app, websocket=request, session=session)


_CLASSES: dict[Kind, type[Context]] = {REQUEST: RequestContext, WEBSOCKET: WebsocketContext}


def connection_context(
    app: Quart,
    kind: Kind,
    scope: Scope,
    receive: Receive = _nothing_to_receive,
    send: Send = _nowhere_to_send,
) -> Context:
    """The context of a connection whose request or websocket is made when it is touched."""
    ctx = _new(_CLASSES[kind])
    ctx.app = app
    ctx.kind = kind
    ctx.scope = scope
    ctx.receive = receive
    ctx.send = send
    return ctx


def context_of(app: Quart, wrapper: Any, kind: Kind) -> Context:
    """The context of a request or websocket: the connection's own, or a new one if it was made by hand."""
    ctx: Context | None = getattr(wrapper, "_ctx", None)
    if ctx is None or ctx.kind is not kind:
        ctx = connection_context(app, kind, wrapper.scope)
    ctx.hold(wrapper)
    return ctx
