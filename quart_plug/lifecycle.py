"""The steps of a connection and their order, written once for requests and websockets.

    handle                          the context is current from here on
      enter                         session (unless lazy), rule and plan
      full_dispatch
        preprocess                  url value preprocessors, before functions; an answer takes the view's place
        dispatch                    the routing error, or the view
        handle_user_exception       error handlers
        finalize                    the view's value becomes a response
          make_response
          process                   after functions, session
      handle_exception              what no handler took: status 500
      leave                         teardown functions

Each step is the body of a public method of the app with the same meaning (see steps.py), in Quart's order. A Plan
(see plan.py) knows which of them have anything to do; the exits taken when they have not are exits from this one
path. What differs between the kinds is in `kinds.py`. Knows no ASGI message: that is asgi.py.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from typing import TYPE_CHECKING, Any, cast

from werkzeug.exceptions import BadRequestKeyError, HTTPException, InternalServerError
from werkzeug.routing import RoutingException

from .answers import RESPONSE, HookAnswer, check_response
from .exceptions import ConnectionClosed
from .globals import _cv
from .kinds import REQUEST
from .wrappers.negotiated import negotiated
from .wrappers.reply import from_text, ready
from .wrappers.reply import make_response as response_from

if TYPE_CHECKING:
    from .ctx import Context
    from .plan import Plan
    from .wrappers.reply import Ready
    from .wrappers.response import Response


async def handle(ctx: Context, within: bool = False) -> Ready | Response | None:
    """Take a connection through the whole of it. The answer is None only for a websocket without a refusal.

    within  enter at `full_dispatch`: the context is current, and the rule is known. That step is a part of this
            function and not one of its own, since on the hot path each coroutine counts.
    """
    plans = ctx.plans
    token = None
    unhandled: BaseException | None = None
    if not within:
        token = ctx.token = _cv.set(ctx)
    try:
        if not within:
            scope = ctx.scope
            try:
                plan = plans.direct[scope["method"]][scope["path"]]
            except KeyError:
                plan = None
            # The memo holds paths as they stand in the scope of an app that is not mounted anywhere.
            if plan is not None and not scope.get("root_path"):
                ctx.plan = plan
            elif plans.enters:
                await enter(ctx)
            else:
                plans.locate(ctx)
            if ctx.plan.full_dispatch is not None:  # overridden, or something is around it
                return await ctx.plan.full_dispatch(ctx)  # type: ignore[no-any-return]  # whatever the override gives
        plan = ctx.plan

        # full_dispatch
        try:
            if plan.view is not None:  # nothing comes before it
                values = ctx._view_args
                result = await (plan.view(**values) if values else plan.view())
            else:
                if plan.started is not None:
                    await plan.started(ctx)
                result = None if plan.preprocess is None else await plan.preprocess(ctx)
                if result is None:
                    result = await plan.dispatch(ctx)
        except Exception as error:
            result = await plan.steps.handle_user_exception(ctx, error)
            if plan.kind is not REQUEST and result is not None:
                note_failure(ctx, error, result)
        # Nobody wants a Response: the exit that most requests take.
        if (
            plan.plain
            and ctx.after_functions is None
            and ctx._session is None
            and (plan.refreshes is None or not has_session(ctx, plan.refreshes))
        ):
            reply = ready(result, plan)
            if reply is not None:
                return reply
        return await plan.finalize(ctx, result)  # type: ignore[no-any-return]  # a step may be overridden

    except Exception as error:
        if within:
            raise
        unhandled = error
        ctx.failed = True
        if not ctx.has_plan:
            ctx.plan = plans.plan_for(None)  # it failed before there was a rule
        return await plans.steps.handle_exception(ctx, error)  # type: ignore[no-any-return]  # may be overridden
    except BaseException as error:
        unhandled = error
        raise
    finally:
        if token is not None:
            try:
                if plans.closes or ctx.to_close is not None:
                    await leave(ctx, unhandled)
            finally:
                _cv.reset(token)
                unhandled = None  # its traceback holds this frame


async def full_dispatch(ctx: Context) -> Ready | Response | None:
    """From the first before function to the finished response; errors go to the error handlers."""
    return await handle(ctx, within=True)


async def enter(ctx: Context) -> None:
    """What pushing a context does: tell the plugins, open the session, find the rule and the plan."""
    plans = ctx.plans = ctx.app.plans_for(ctx.kind)
    if plans.pushed is not None:
        await plans.pushed(ctx)
    if ctx.kind is None:
        return
    if plans.opens_session and ctx._session is None:
        await open_session(ctx)
    if not ctx._located:
        ctx.match_request()


async def open_session(ctx: Context) -> None:
    """Open the session through an interface that did not promise to be lazy; it may be a coroutine function."""
    app = ctx.app
    interface = app.session_interface
    session = interface.open_session(app, ctx.request_websocket)
    if hasattr(session, "__await__"):
        session = await session
    if session is None:
        session = interface.make_null_session(app)
        if hasattr(session, "__await__"):
            session = await session
    ctx._session = session


async def leave(ctx: Context, exc: BaseException | None) -> None:
    """What popping a context does: every teardown function runs; one error is raised as it is, several in a group."""
    plans = ctx.plans
    if exc is not None and ctx.app.should_ignore_error(exc):
        exc = None
    if ctx.app.preserves_context and ctx.scope is not None and ctx.scope.get("_quart._preserve_context"):
        kept = ctx.app.preserved_context = ctx.copy()  # for the test client, which looks at it afterwards
        kept.kept = True
    failures = None
    if ctx.plan is not None and not ctx.of_app:
        try:
            await plans.steps.teardown(ctx, exc)
        except Exception as error:
            failures = [error]
    # Inside of the app's own context it belongs to that.
    if plans.tears_app_down and ((token := ctx.token) is None or token.old_value is Token.MISSING or ctx.outer is None):
        failures = await _try(failures, plans.steps.teardown_app, ctx, exc)
    if ctx.to_close is not None:
        for close in reversed(ctx.to_close):
            failures = await _try(failures, close)
        ctx.to_close = None
    if plans.popped is not None:
        failures = await _try(failures, plans.popped, ctx)
    if failures is not None:
        raise_together(f"teardown of {ctx!r} failed", failures)


async def _try(failures: list[Exception] | None, function: Callable[..., Any], *args: Any) -> list[Exception] | None:
    try:
        await function(*args)
    except Exception as error:
        return [*(failures or ()), error]
    return failures


def raise_together(message: str, failures: list[Exception]) -> None:
    """Raise the only failure as it is, and several as one ExceptionGroup."""
    if len(failures) == 1:
        raise failures[0]
    raise ExceptionGroup(message, failures)


def note_failure(ctx: Context, error: Exception, result: Any) -> None:
    """A websocket's view failed: accepted, it is closed with 1011, and what no handler took is logged."""
    ctx.failed = True
    if result is error and ctx.websocket._socket.state == "accepted":  # an HTTP error that has no response to become
        socket = ctx.websocket
        ctx.app.logger.error("The view of websocket %s (%s) failed: %s", socket.path, socket._name(), error)


def has_session(ctx: Context, may_be_refreshed: Callable[[Any, bytes], bool]) -> bool:
    """Whether the client sent the cookie of a session that may have to be sent again; a false alarm costs time only."""
    for key, value in ctx.scope["headers"]:  # noqa: SIM110 - `any` with a generator takes twice as long
        if key == b"cookie" and may_be_refreshed(ctx.app, value):
            return True
    return False


async def preprocess(ctx: Context) -> Any:
    """URL value preprocessors, then before functions: the app's, then each blueprint's from the outside in."""
    plan = ctx.plan
    if plan.url_value_preprocessors:
        endpoint = None if ctx.url_rule is None else ctx.url_rule.endpoint
        values = None if ctx.url_rule is None else ctx.view_args
        for function in plan.url_value_preprocessors:
            function(endpoint, values)
    if plan.before_hook is not None:
        result = await plan.before_hook(ctx)
        if result is not None:
            ctx.hook_answer = HookAnswer(ctx.app.plugin_hooks, plan.kind.hooks["before"], result)
            return result
    for before in plan.before:
        result = await before()
        if result is not None:
            return result
    return None


async def dispatch(ctx: Context) -> Any:
    """Raise the routing error if there is one; answer OPTIONS; else call the view."""
    plan = ctx.plan
    if ctx.routing_exception is not None:
        ctx.app.raise_routing_exception(ctx.request_websocket)
    if ctx.kind is REQUEST and plan.answers_options and ctx.scope["method"] == "OPTIONS":
        return await plan.steps.make_default_options_response(ctx)
    return await plan.function(**ctx._view_args)


async def handle_user_exception(ctx: Context, error: Exception) -> Any:
    """The error handler's answer for an error of the application, or the error again when there is no handler."""
    app = ctx.app
    if ctx.kind is not REQUEST and is_connection_closed(error) and not handles_closing(ctx):
        return None  # a normal end: the view does not have to catch it
    if isinstance(error, BadRequestKeyError) and (app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return await ctx.plans.steps.handle_http_exception(ctx, error)
    handler = find_error_handler(ctx, error)
    if handler is None:
        raise error
    return await app.ensure_async(handler)(error)


def handles_closing(ctx: Context) -> bool:
    """Whether somebody registered an error handler for ConnectionClosed itself; one for Exception does not count."""
    spec = ctx.app.error_handler_spec
    return any(ConnectionClosed in spec.get(name, {}).get(None, {}) for name in (*ctx.plan.blueprints, None))


async def handle_http_exception(ctx: Context, error: HTTPException) -> Any:
    """The error handler's answer for an HTTP error, or the error itself, which is a response."""
    if error.code is None or isinstance(error, RoutingException):
        return error
    handler = find_error_handler(ctx, error)
    if handler is None:
        return error
    return await ctx.app.ensure_async(handler)(error)


def find_error_handler(ctx: Context, error: BaseException) -> Callable[[Any], Any] | None:
    """The handler that fits best: by status code before by class, the innermost blueprint before the app."""
    spec = ctx.app.error_handler_spec
    code = getattr(type(error), "code", None) if isinstance(error, HTTPException) else None
    names = (*ctx.plan.blueprints, None) if ctx.plan is not None else (None,)
    for key in (code, None) if code is not None else (None,):
        for name in names:
            handlers = spec.get(name, {}).get(key)
            if not handlers:
                continue
            for class_ in type(error).__mro__:
                if class_ in handlers:
                    return cast("Callable[[Any], Any]", handlers[class_])
    return None


async def handle_exception(ctx: Context, error: Exception) -> Any:
    """An error that nothing handled: told to the plugins and the log, and answered with status 500.

    In tests and in debug mode it is raised again (`PROPAGATE_EXCEPTIONS`).
    """
    app = ctx.app
    app.plugin_setup.blame.note(error)
    if ctx.plan.failed is not None:
        await ctx.plan.failed(ctx, error)
    propagate = app.config["PROPAGATE_EXCEPTIONS"]
    if propagate is None:
        propagate = app.testing or app.debug
    if propagate:
        raise error
    ctx.plans.steps.log_exception(ctx, (type(error), error, error.__traceback__))
    server_error = InternalServerError(original_exception=error)
    handler = find_error_handler(ctx, server_error)
    result: Any = server_error
    if handler is not None:
        result = await app.ensure_async(handler)(server_error)
    return await ctx.plans.steps.finalize(ctx, result, True)


def is_connection_closed(error: BaseException) -> bool:
    """Whether an error, or everything in an ExceptionGroup, only says that the websocket has ended."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_connection_closed(inner) for inner in error.exceptions)
    return isinstance(error, ConnectionClosed)


async def finalize(ctx: Context, result: Any, from_error_handler: bool = False, made: bool = False) -> Any:
    """Make the response, and run what comes after the view.

    made  enter at `process`: `result` is the response. A part of this function for the same reason as in `handle`.
    """
    plans = ctx.plans
    plan = ctx.plan
    response = result
    if not made and (result is not None or plan.kind.reply_required):
        if plans.makes_response is not None:
            response = await plans.makes_response(ctx, result)
        else:
            response = response_of(ctx, result)
    try:
        if not made and plans.processes is not None:
            response = await plans.processes(ctx, response)
        else:
            # process
            if ctx.after_functions is not None:
                for function in ctx.after_functions:
                    given = await ctx.app.ensure_async(function)(response)
                    if given is not response and not isinstance(given, RESPONSE):
                        check_response(ctx, function, given)
                    response = given
            for after in plan.after:
                if (given := await after(response)) is not response and not isinstance(given, RESPONSE):
                    check_response(ctx, after, given)
                response = given
            if plan.after_hook is not None:
                if (given := await plan.after_hook(ctx, response)) is not response and not isinstance(given, RESPONSE):
                    check_response(ctx, plan.kind.hooks["after"], given)
                response = given
            session = ctx._session
            if session is None and plan.refreshes is not None and has_session(ctx, plan.refreshes):
                session = ctx.session  # a permanent session's cookie is sent again
            if session is not None:
                await save_session(ctx, session, response)
        if not made and plan.finished is not None:
            await plan.finished(ctx, response)
    except Exception:
        if not from_error_handler:
            raise
        ctx.app.logger.exception("Finalizing failed while an error was handled, of the %r", ctx)
    return response


async def process(ctx: Context, response: Any) -> Any:
    """After functions (this connection's, then each blueprint's outwards, then the app's); the session."""
    return await finalize(ctx, response, made=True)


async def save_session(ctx: Context, session: Any, response: Any) -> None:
    """Save the session, unless it is a null session; each method of the interface may be a coroutine function."""
    interface = ctx.app.session_interface
    is_null = interface.is_null_session(session)
    if not (await is_null if hasattr(is_null, "__await__") else is_null):
        saved = interface.save_session(ctx.app, session, response)
        if hasattr(saved, "__await__"):
            await saved


async def make_response(ctx: Context, result: Any) -> Any:
    """The Response for what a view returned."""
    return response_of(ctx, result)


def response_of(ctx: Context, result: Any) -> Any:
    """The Response for what a view or a hook returned; TypeError, which names it, when it is none."""
    plan: Plan | None = ctx.plan
    if plan is None:
        return response_from(ctx.app, result)
    if type(result) is str and plan.reply is not None:
        return from_text(result, plan.reply)
    endpoint = None if plan.rule is None else plan.rule.endpoint
    whose = plan.function if ctx.hook_answer is None else ctx.hook_answer.whose(result, plan.function)
    if plan.codecs is not None:
        return negotiated(ctx, plan.codecs, result, endpoint, whose)
    return response_from(ctx.app, result, endpoint, whose)


async def teardown(ctx: Context, exc: BaseException | None) -> None:
    """Each blueprint's teardown functions from the inside out, then the app's, then the plugins'."""
    failures = None
    for function in ctx.plan.teardown:
        try:
            await function(exc)
        except Exception as error:
            failures = [*(failures or ()), error]
    if ctx.plan.teardown_hook is not None:
        failures = await _try(failures, ctx.plan.teardown_hook, ctx, exc)
    if failures is not None:
        raise_together("teardown functions failed", failures)


async def teardown_app(ctx: Context, exc: BaseException | None) -> None:
    """`teardown_appcontext` functions in the order in which they were registered, as in Quart."""
    failures = None
    for function in ctx.app.teardown_appcontext_funcs:
        failures = await _try(failures, ctx.app.ensure_async(function), exc)
    if ctx.plans.context_teardown is not None:
        failures = await _try(failures, ctx.plans.context_teardown, ctx, exc)
    if failures is not None:
        raise_together("teardown functions of the application context failed", failures)
