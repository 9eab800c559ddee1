"""Steps of a connection in which plugins are asked for an answer before the step's own.

A plan holds them in the step's place where a plugin implements the hook, and only there. Knows no registration and no
ASGI message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from .answers import HookAnswer
from .kinds import REQUEST
from .lifecycle import find_error_handler, handles_closing, is_connection_closed

if TYPE_CHECKING:
    from .ctx import Context

Hook = Callable[..., Awaitable[Any]]


async def dispatch_unmatched(unmatched: Hook, dispatch: Hook, ctx: Context) -> Any:
    """The step `dispatch` where no rule was found: the plugins' answer (hook `route_unmatched`), else the error."""
    error = ctx.routing_exception
    answer = None if error is None else await unmatched(ctx, error)
    if answer is None:
        return await dispatch(ctx)
    ctx.hook_answer = HookAnswer(ctx.app.plugin_hooks, "route_unmatched", answer)
    return answer


async def handle_user_exception(step: Hook, ctx: Context, error: Exception) -> Any:
    """The step of this name, with the plugins' answer where the application has no handler for the error."""
    plan = ctx.plan
    if plan is not None and plan.error_hook is not None and not _is_settled(ctx, error):
        answer = await plan.error_hook(ctx, error)
        if answer is not None:
            ctx.hook_answer = HookAnswer(ctx.app.plugin_hooks, plan.kind.hooks["error"], answer)
            return answer
    return await step(ctx, error)


def _is_settled(ctx: Context, error: Exception) -> bool:
    """Whether it is clear without the plugins what becomes of an error: a handler's, a redirect, a normal end."""
    if isinstance(error, HTTPException) and (error.code is None or isinstance(error, RoutingException)):
        return True
    if ctx.kind is not REQUEST and is_connection_closed(error) and not handles_closing(ctx):
        return True
    return find_error_handler(ctx, error) is not None
