"""Hooks of every connection, be it a request or a websocket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from ...app import Quart
    from ...ctx import Context
    from ...typing import Scope

# Every connection ---------------------------------------------------------------------------------------------------


@hookspec(kind="collect", colour="sync")
def scope_filters(app: Quart) -> Callable[[Scope], Scope] | None:
    """A plain function that is given the ASGI scope of each request and websocket before anything else, middleware
    included, and gives the scope to go on with: the same one, or a changed copy. None, for not needed, costs nothing.

    Asked for again when plans are compiled anew: after a change of plugins, registrations or TRUSTED_PROXIES, and after
    `app.plans_changed()`.
    """


@hookspec(kind="around", colour="async")
async def connection(ctx: Context) -> AsyncGenerator[None, Any]:  # type: ignore[empty-body]  # never run
    """Around the handling of a request or websocket, after its context was pushed and before it is popped.

    `result = yield` gives the Response, which may be changed; None for a websocket that was accepted. An error that
    nothing handled is raised at the `yield`.
    """


@hookspec(kind="notify", colour="async")
async def route_matched(ctx: Context) -> None:
    """A rule was found (`ctx.url_rule`, `ctx.view_args`); after `request_started` or `websocket_started`. An error
    raised here goes to the error handlers, and the view is not called."""


@hookspec(kind="first", colour="async")
async def route_unmatched(ctx: Context, error: HTTPException) -> Any | None:
    """No rule was found; after every before function. An answer takes the error's place, as a view's would.

    error  what would be raised: 404, 405 (`error.valid_methods`), or the redirect to the path with a slash at its end.
    """


@hookspec(kind="notify", colour="async")
async def response_sent(ctx: Context, status: int | None, error: BaseException | None) -> None:
    """A response was sent: that of a request, or the one that refuses a handshake. After the context was popped.

    status  of the response; None when it did not come to that.
    error   what kept it from being sent whole, or from being made; an asyncio.CancelledError when the client left.
    """


@hookspec(kind="notify", colour="async")
async def context_pushed(ctx: Context) -> None:
    """A context (app, request or websocket) became the current one."""


@hookspec(kind="notify", colour="async")
async def context_teardown(ctx: Context, exc: BaseException | None) -> None:
    """A context is about to end, and no other one of the app is around it; `exc` is the unhandled error, if any.

    After the app's `teardown_appcontext` functions.
    """


@hookspec(kind="notify", colour="async")
async def context_popped(ctx: Context) -> None:
    """A context is no longer the current one."""
