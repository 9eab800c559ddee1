"""The public methods of the app that are the steps of a connection.

Each has the lifecycle's step as its body, so that `super()` and direct calls in a test's context work, and takes
0.22's arguments as well as 0.23's (`ctx` first). They are made from one description for both kinds of connection.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from . import lifecycle
from .ctx import Context, context_of
from .globals import _NO_REQUEST, _NO_WEBSOCKET, _cv
from .kinds import REQUEST, WEBSOCKET, Kind
from .overrides import ARGUMENTS, adapt, complete_overrides, default_step, override_of
from .wrappers.reply import from_ready

if TYPE_CHECKING:
    from .app import Quart

Method = Callable[..., Coroutine[Any, Any, Any]]



def _log_exception(ctx: Context, exception_info: Any) -> None:
    """Log an error that nothing handled, with the connection that it happened on."""
    logger = ctx.app.logger
    ctx.app.plugin_setup.blame.note(exception_info[1])
    if ctx.kind is None:
        logger.error("Exception", exc_info=exception_info)
    elif ctx.kind is REQUEST:
        logger.error("Exception on request %s %s", ctx.scope["method"], ctx.scope["path"], exc_info=exception_info)
    else:
        id_ = getattr(ctx.websocket, "id", None)
        logger.error("Exception on websocket %s (%s)", ctx.scope["path"], id_, exc_info=exception_info)


async def _handle_background_exception(ctx: Context, error: Exception) -> None:
    """Tell the plugins of a background task's error and log it, through `log_exception` where that is overridden."""
    ctx.app.plugin_setup.blame.note(error)
    failed = ctx.app.plugin_hooks.call("background_failed")
    if failed is not None:
        try:
            await failed(ctx.app, error)
        except Exception:
            ctx.app.logger.exception("A plugin failed when it was told of a background task's error")
    log = override_of(ctx.app, "log_exception")
    if log is None:
        ctx.app.logger.error("Exception in a background task", exc_info=error)
    else:
        adapt(log, "log_exception")(ctx, (type(error), error, error.__traceback__))


async def _update_template_context(ctx: Context, context: dict[str, Any]) -> None:
    """Add what context processors and plugins give to a template's names; names that are there already stay."""
    await ctx.app.plugin_slot("template_engine").update_context(ctx.app, context)


_STEPS: dict[str, Callable[..., Any]] = {
    "preprocess": lifecycle.preprocess,
    "dispatch": lifecycle.dispatch,
    "finalize": lifecycle.finalize,
    "process": lifecycle.process,
    "handle_exception": lifecycle.handle_exception,
    "handle_user_exception": lifecycle.handle_user_exception,
    "handle_http_exception": lifecycle.handle_http_exception,
    "teardown": lifecycle.teardown,
    "teardown_app": lifecycle.teardown_app,
    "make_response": lifecycle.make_response,
    "log_exception": _log_exception,
    "handle_background_exception": _handle_background_exception,
    "update_template_context": _update_template_context,
}

# Steps that need no connection: called outside of any context, they have one of the app alone.
_ANYWHERE = {"teardown_app", "handle_user_exception", "handle_http_exception"}
_ANYWHERE |= {"log_exception", "handle_background_exception", "update_template_context"}

_OPTIONAL = {"from_error_handler": False}


def as_response(ctx: Context, reply: Any) -> Any:
    """Who calls a public method gets a Response, also where the connection would have got by without one."""
    return from_ready(ctx.app, reply) if type(reply) is tuple else reply


def read_arguments(
    app: Quart, step: str, context: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Context, list[Any]]:
    """The context and the values, from a call of a step in 0.22's form or in 0.23's.

    context  0.22's name for the context, which says for which kind of connection the method is.
    """
    names = ARGUMENTS[step]
    values = [name for name in names if name != "ctx"]
    order = ["ctx", *values] if args and isinstance(args[0], Context) else [*names]
    if len(args) > len(order):
        takes = f"takes {len(order)} arguments at most ({', '.join(order)})" if order else "takes no arguments"
        raise TypeError(f"{takes}, got {len(args)}")
    given = dict(zip(order, args, strict=False))
    for name, value in kwargs.items():
        name = "ctx" if name == context else name
        if name in given:
            raise TypeError(f"got two values for the argument {name}")
        if name != "ctx" and name not in values:
            raise TypeError(f"got an unknown argument: {name}")
        given[name] = value
    ctx = given.pop("ctx", None)
    missing = [name for name in values if name not in given and name not in _OPTIONAL]
    if missing:
        raise TypeError(f"missing argument: {', '.join(missing)}")
    return _complete(app, step, context, ctx), [given.get(name, _OPTIONAL.get(name)) for name in values]


def _complete(app: Quart, step: str, context: str, ctx: Context | None) -> Context:
    """The context that a step runs with: the given one or the current one, with its rule and plan."""
    if ctx is None:
        ctx = _cv.get(None)
    if ctx is None:
        if step not in _ANYWHERE:
            raise RuntimeError(_NO_WEBSOCKET if context == "websocket_context" else _NO_REQUEST)
        ctx = Context(app)
    if ctx.plans is None:  # it was never pushed
        ctx.plans = ctx.app.plans_for(ctx.kind)  # type: ignore[unreachable]  # for mypy it is never None
        if ctx.kind is not None:
            ctx.match_request()
    return ctx


def _signature(names: tuple[str, ...], context: str) -> inspect.Signature:
    """0.22's signature, for help() and for whoever looks."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("self", kind)]
    seen_default = False
    for name in names:
        default: Any = inspect.Parameter.empty
        if name == "ctx":
            name, default = context, None
        elif name in _OPTIONAL or seen_default:
            default = _OPTIONAL.get(name)
        seen_default = seen_default or default is not inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=default))
    return inspect.Signature(parameters)


# The public method of each step -> the step, and 0.22's name for its context.
METHODS = {
    "full_dispatch_request": ("full_dispatch", "request_context"),
    "full_dispatch_websocket": ("full_dispatch", "websocket_context"),
    "make_default_options_response": ("make_default_options_response", "request_context"),
}


def _method(public: str, step: str, context: str) -> Method:
    METHODS[public] = (step, context)
    function = _STEPS[step]

    def read(self: Quart, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Context, list[Any]]:
        try:
            return read_arguments(self, step, context, args, kwargs)
        except TypeError as error:
            raise TypeError(f"{public}() {error}") from None

    async def awaited(self: Quart, *args: Any, **kwargs: Any) -> Any:
        ctx, values = read(self, args, kwargs)
        return await function(ctx, *values)

    def at_once(self: Quart, *args: Any, **kwargs: Any) -> Any:
        ctx, values = read(self, args, kwargs)
        return function(ctx, *values)

    call: Any = awaited if inspect.iscoroutinefunction(function) else at_once
    call.__name__ = public
    call.__qualname__ = f"Quart.{public}"
    call.__doc__ = function.__doc__
    call.__signature__ = _signature(ARGUMENTS[step], context)
    return default_step(call)  # type: ignore[no-any-return]


class ConnectionSteps:
    """Mixed into `Quart`. What each step does is written in lifecycle.py."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_overrides(cls, METHODS)

    preprocess_request = _method("preprocess_request", "preprocess", "request_context")
    preprocess_websocket = _method("preprocess_websocket", "preprocess", "websocket_context")
    dispatch_request = _method("dispatch_request", "dispatch", "request_context")
    dispatch_websocket = _method("dispatch_websocket", "dispatch", "websocket_context")
    finalize_request = _method("finalize_request", "finalize", "request_context")
    finalize_websocket = _method("finalize_websocket", "finalize", "websocket_context")
    process_response = _method("process_response", "process", "request_context")
    postprocess_websocket = _method("postprocess_websocket", "process", "websocket_context")
    do_teardown_request = _method("do_teardown_request", "teardown", "request_context")
    do_teardown_websocket = _method("do_teardown_websocket", "teardown", "websocket_context")
    do_teardown_appcontext = _method("do_teardown_appcontext", "teardown_app", "app_context")
    handle_exception = _method("handle_exception", "handle_exception", "request_context")
    handle_websocket_exception = _method(
        "handle_websocket_exception", "handle_exception", "websocket_context"
    )
    handle_user_exception = _method("handle_user_exception", "handle_user_exception", "request_context")
    handle_http_exception = _method("handle_http_exception", "handle_http_exception", "request_context")
    log_exception = _method("log_exception", "log_exception", "request_context")
    handle_background_exception = _method(
        "handle_background_exception", "handle_background_exception", "app_context"
    )
    update_template_context = _method("update_template_context", "update_template_context", "app_context")

    @default_step
    async def make_response(self: Quart, result: Any) -> Any:
        """A Response from whatever a view may return; TypeError, which names the view, for anything else."""
        ctx = _cv.get(None)
        if ctx is None or ctx.app is not self:
            from .wrappers.reply import make_response

            return make_response(self, result)
        return await lifecycle.make_response(ctx, result)

    @default_step
    async def full_dispatch_request(
        self: Quart, request_context: Context | None = None, ctx: Context | None = None
    ) -> Any:
        """From the first before function to the finished response; errors go to the error handlers."""
        current = _complete(self, "full_dispatch", "request_context", request_context or ctx)
        return as_response(current, await lifecycle.full_dispatch(current))

    @default_step
    async def full_dispatch_websocket(
        self: Quart, websocket_context: Context | None = None, ctx: Context | None = None
    ) -> Any:
        """As `full_dispatch_request`; the answer is None unless the handshake is refused."""
        current = _complete(self, "full_dispatch", "websocket_context", websocket_context or ctx)
        return as_response(current, await lifecycle.full_dispatch(current))

    @default_step
    async def handle_request(self: Quart, request: Any) -> Any:
        """Everything between a request and its response."""
        return await _handle(self, request, REQUEST)

    @default_step
    async def handle_websocket(self: Quart, websocket: Any) -> Any:
        """Everything between a websocket's handshake and its end; a response only when the handshake is refused."""
        return await _handle(self, websocket, WEBSOCKET)


async def _handle(app: Quart, wrapper: Any, kind: Kind) -> Any:
    ctx = context_of(app, wrapper, kind)
    ctx.plans = app.plans_for(kind)
    return as_response(ctx, await ctx.plans.whole(ctx))
