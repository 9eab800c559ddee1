"""A request's and a websocket's way from ASGI's messages to ASGI's messages.

What happens between is `lifecycle.handle`, the same for both kinds. The coroutine that handles a connection is driven
by hand: if its first step finishes it, no future, task or timer was made. If it suspends, `watch.suspended` goes on
with it and learns when the client leaves (see wrappers/watch.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from .ctx import RequestContext, connection_context
from .debug import traceback_response
from .draining import refuse_handshake
from .globals import _cv
from .kinds import REQUEST, WEBSOCKET
from .wrappers.reply import deliver, from_ready, parts_of
from .wrappers.watch import suspended

if TYPE_CHECKING:
    from .app import Quart
    from .ctx import Context
    from .typing import Message, Receive, Scope, Send
    from .wrappers.reply import Ready


_new = object.__new__
_STARTS = frozenset(("http.response.start", "websocket.http.response.start"))


async def http(app: Quart, scope: Scope, receive: Receive, send: Send) -> None:
    """`drive` for a request, in one coroutine."""
    # What `connection_context` does, without the call of a class, which costs more than all of these (CPython 3.11).
    ctx = _new(RequestContext)
    ctx.app = app
    ctx.kind = REQUEST
    ctx.scope = scope
    ctx.receive = receive
    ctx.send = send
    plans = ctx.plans = app.plans_http or app.plans_for(REQUEST)
    coroutine = _respond(ctx) if plans.response_sent is None else _connect_and_tell(ctx)
    for future in coroutine.__await__():  # the first step, and the cheapest way to make it
        await suspended(coroutine, future, ctx)
        return


async def _respond(ctx: Context) -> None:
    try:
        reply: Any = await ctx.plans.handle(ctx)
    except Exception as error:
        reply = await _failed(ctx, error)
    ctx.sending = True
    parts: Ready | None
    if type(reply) is tuple and not ctx.head:
        parts = reply
    else:
        ctx.response_timeout = getattr(reply, "timeout", ...)
        parts = parts_of(reply, ctx.head)
    if parts is None:
        if ctx.response_timeout is ...:
            ctx.response_timeout = None  # RESPONSE_TIMEOUT is for the whole; a stream may take any time
        await deliver(reply, ctx.send, ctx.scope["method"])
    else:
        send = ctx.send
        await send({"type": "http.response.start", "status": parts[0], "headers": parts[1]})
        await send({"type": "http.response.body", "body": parts[2]})
    request = ctx._request
    if request is not None:
        # The two hold each other; undone, both are freed at once. It keeps what was found for it.
        request._plan, request._view_args, request._ctx = ctx.plan, ctx._view_args, None
        if ctx.routing_exception is not None:
            ctx.routing_exception.__traceback__ = None
    if ctx._inbox is not None and ctx.task is None:
        ctx._inbox = None


def websocket(app: Quart, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
    """`drive` for a websocket; no coroutine of its own, which each open connection would hold."""
    return drive(connection_context(app, WEBSOCKET, scope, receive, send))


async def drive(ctx: Context) -> None:
    """Handle the connection of a context, whichever kind it is of."""
    plans = ctx.plans = ctx.app.plans_for(ctx.kind)
    coroutine = _connect(ctx) if plans.response_sent is None else _connect_and_tell(ctx)
    for future in coroutine.__await__():
        await suspended(coroutine, future, ctx)
        return


def _connect(ctx: Context) -> Coroutine[Any, Any, None]:
    return _respond(ctx) if ctx.kind is REQUEST else _converse(ctx)


async def _connect_and_tell(ctx: Context) -> None:
    """`_connect` where plugins are told of responses; what was sent is seen in the messages."""
    app, kind, send = ctx.app, ctx.kind, ctx.send
    status: int | None = None
    accepted = False
    failure: BaseException | None = None

    async def noting(message: Message) -> None:
        nonlocal accepted, status
        await send(message)
        type_ = message["type"]
        if type_ == "websocket.accept":
            accepted = True
        elif type_ in _STARTS:
            status = message["status"]
        elif type_ == "websocket.close" and not accepted and status is None:
            status = 403  # ASGI: what the client of a websocket sees that was closed before it was accepted

    ctx.send = noting
    try:
        await _connect(ctx)
    except BaseException as error:
        failure = error
        raise
    finally:
        # Of a websocket that was accepted, or whose client did not wait for an answer, there is no response.
        if (status is not None or kind is REQUEST) and not isinstance(failure, GeneratorExit):
            plan = ctx.plan or ctx.plans.plan_for(None)
            try:
                if plan.response_sent is not None:
                    await plan.response_sent(ctx, status, failure)
            except Exception:
                app.logger.exception("A plugin failed when it was told of the response to %r", ctx)
        failure = None  # its traceback holds this frame


async def _converse(ctx: Context) -> None:
    message: Message = await ctx.receive()
    if message["type"] != "websocket.connect":
        return  # the client left before its handshake was read
    if ctx.app._is_draining:
        await refuse_handshake(ctx)
        return
    socket = ctx.websocket
    try:
        reply = await ctx.plans.handle(ctx)
    except asyncio.CancelledError:
        await socket._leave()
        raise
    except Exception as error:
        await socket._fail(await _failed(ctx, error, raising=False))
        if _raises(ctx.app):
            raise
    else:
        response = from_ready(ctx.app, reply) if type(reply) is tuple else reply
        await (socket._fail(response) if ctx.failed else socket._finish(response))


def _raises(app: Quart) -> bool:
    """Whether an error that nothing handled goes on to the server, or to the test.

    In testing mode it does, as with Flask's test client. Quart answers 500 even then, and so it is under its name, for
    the sake of tests that were written for it.
    """
    if app.testing:
        from .compat import alias_is_active

        return not alias_is_active()
    return not app.debug and bool(app.config["PROPAGATE_EXCEPTIONS"])


async def _failed(ctx: Context, error: Exception, raising: bool = True) -> Any:
    """The answer when even the handling of the error failed, or was to propagate it."""
    app = ctx.app
    if raising and _raises(app):
        raise error
    if app.testing and not _raises(app):
        return await traceback_response(error)
    if app.debug:
        page = app.plugin_slot_or_none("debug_page")
        if page is not None:
            ctx.plans.steps.log_exception(ctx, (type(error), error, error.__traceback__))
            token = _cv.set(ctx)  # the page looks at the request
            try:
                return await page.render(app, error)
            finally:
                _cv.reset(token)
    ctx.plans.steps.log_exception(ctx, (type(error), error, error.__traceback__))
    from werkzeug.exceptions import InternalServerError

    return app.response_class(
        InternalServerError().get_body(), status=500, headers={"content-type": "text/html; charset=utf-8"}
    )
