"""What the app is compiled to: a Plan for each rule and kind, and one for connections that no rule matches.

    Plans (one for each kind)   what is known per app: the router, the steps, the hooks, whether anything is torn down
    Plan (one for each rule)    what is known per rule: the view, its before, after and teardown functions

A plan is made at its first use. Whatever changes the app throws all of them away (`Quart.plans_changed`); a
connection in flight keeps its own. `None` in a plan means: nothing to do there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound

from . import asking, lifecycle
from .content_types import codecs_of
from .ctx import NO_VALUES
from .kinds import REQUEST, Kind
from .moments import Moments, telling
from .overrides import adapt, adapt_async, override_of
from .routing import slow_match
from .scaffold import Scaffold
from .scoping import NOTHING, SwitchedOff, blueprints_of, in_call_order, left_on, switched_off
from .wrappers.base import BaseRequestWebsocket
from .wrappers.reply import from_ready
from .wrappers.scope import headers_of, path_of
from .wrappers.socket import CONNECTING

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from .app import Quart
    from .ctx import Context
    from .routing import Router

_SEND_STATIC_FILE = Scaffold.send_static_file

# step -> its default; the names are those of Kind.steps
_DEFAULTS: dict[str, Callable[..., Any]] = {
    "full_dispatch": lifecycle.full_dispatch,
    "preprocess": lifecycle.preprocess,
    "dispatch": lifecycle.dispatch,
    "finalize": lifecycle.finalize,
    "make_response": lifecycle.make_response,
    "process": lifecycle.process,
    "handle_exception": lifecycle.handle_exception,
    "handle_user_exception": lifecycle.handle_user_exception,
    "handle_http_exception": lifecycle.handle_http_exception,
    "teardown": lifecycle.teardown,
    "teardown_app": lifecycle.teardown_app,
}


class Steps:
    """Each step as `(ctx, *values)`: the default, or the override in the form it was written in."""

    def __init__(self, app: Quart, kind: Kind | None) -> None:
        self.overridden: set[str] = set()
        names = {"teardown_app": "do_teardown_appcontext"} if kind is None else kind.steps
        for step, default in _DEFAULTS.items():
            if step in names:
                bound = override_of(app, names[step])
                if bound is not None:
                    self.overridden.add(step)
                setattr(self, step, default if bound is None else adapt_async(bound, step))
        if kind is not None and app.plugin_hooks.call(kind.hooks["error"]) is not None:
            self.__dict__["handle_user_exception"] = partial(
                asking.handle_user_exception, self.__dict__["handle_user_exception"]
            )
        self.make_default_options_response = adapt_async(
            app.make_default_options_response, "make_default_options_response"
        )
        self.log_exception = adapt(app.log_exception, "log_exception")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


class Plans:
    """What is known per app and kind; `kind` None stands for application contexts."""

    def __init__(self, app: Quart, kind: Kind | None) -> None:
        call = app.plugin_hooks.call
        self.app = app
        self.kind = kind
        self.steps = Steps(app, kind)
        override = override_of(app, "update_template_context")
        self.updates_template_context = None if override is None else adapt(override, "update_template_context")
        self.pushed = telling(call("context_pushed"))
        self.popped = telling(call("context_popped"))
        self.context_teardown = telling(call("context_teardown"))
        self.tears_app_down = bool(
            app.teardown_appcontext_funcs
            or self.context_teardown is not None
            or "teardown_app" in self.steps.overridden
        )
        self.closes = bool(
            self.tears_app_down
            or self.popped is not None
            or app.preserves_context
            or "teardown" in self.steps.overridden
        )
        self.opens_session = False
        self.locate = locate
        self.direct: dict[str | None, dict[str, Plan]] = {}
        if kind is not None:
            self._compile_connection(app, kind)

    def _compile_connection(self, app: Quart, kind: Kind) -> None:
        self.by_rule: dict[int, Plan] = {}
        self._moments: dict[SwitchedOff, Moments] = {}
        torn_down = self.moments(NOTHING).teardown is not None or any(app._functions("teardown", kind).values())
        self.closes = bool(self.closes or torn_down)
        interface = app.session_interface_or_none()
        self.codecs = codecs_of(app)
        self.response_sent = app.plugin_hooks.call("response_sent")  # whether it is worth looking; a Plan knows which
        self.lazy_session = interface is None or bool(type(interface).__dict__.get("lazy", False))
        self.opens_session = not self.lazy_session
        class_ = app.request_class
        self.request_class = class_ if getattr(class_.__init__, "may_be_skipped", False) else None
        shipped = self.request_class is not None and class_.headers is BaseRequestWebsocket.headers
        self.fresh_headers = headers_of if shipped and kind is REQUEST else None
        self.router: Router | None = None
        if not app.routes_by_host() and override_of(app, "create_url_adapter") is None:
            self.router = app._router
        self.enters = self.pushed is not None or self.opens_session
        # A path may be taken to its plan at once only when nothing has to happen before matching.
        self.direct_allowed = self.router is not None and not self.enters
        # steps that are parts of others by default; None when they are not overridden
        overridden = self.steps.overridden
        self.makes_response = self.steps.make_response if "make_response" in overridden else None
        self.processes = self.steps.process if "process" in overridden else None
        self.full_dispatch = self.steps.full_dispatch if "full_dispatch" in overridden else None
        self.makes_context = override_of(app, f"{kind.name}_context")
        self.makes_app_context = override_of(app, "app_context")
        makes = self.makes_context is not None or self.makes_app_context is not None
        self.whole = _handle_pushed if makes else lifecycle.handle  # the default of `handle_request`
        override = override_of(app, kind.steps["handle"])
        self.handle = self.whole if override is None else partial(_overridden_handle, override)

    def moments(self, off: SwitchedOff) -> Moments:
        """The chains of a connection's hooks, less what is switched off."""
        moments = self._moments.get(off)
        if moments is None:
            assert self.kind is not None
            moments = self._moments[off] = Moments(self.app.plugin_hooks.call, self.kind, off)
        return moments

    def plan_for(self, rule: Rule | None) -> Plan:
        plan = self.by_rule.get(id(rule))  # rules that are equal may differ in what is not compared
        if plan is None:
            plan = self.by_rule[id(rule)] = Plan(self, rule)
        return plan


async def _overridden_handle(override: Callable[..., Any], ctx: Context) -> Any:
    result = override(ctx.request_websocket)
    return await result if hasattr(result, "__await__") else result


async def _handle_pushed(ctx: Context) -> Any:
    """`lifecycle.handle` where the application makes contexts itself: they are pushed and popped as they see fit."""
    plans = ctx.plans
    made = ctx if plans.makes_context is None else plans.makes_context(ctx.request_websocket)
    unhandled: BaseException | None = None
    try:
        await made.push()
        ctx.take_from(made)
        full_dispatch = made.plan.full_dispatch if made.has_plan else plans.full_dispatch
        return await (full_dispatch or lifecycle.full_dispatch)(made)
    except Exception as error:
        unhandled = error
        made.failed = True
        if not made.has_plan:
            made.plan, made.plans = plans.plan_for(None), plans
        return await plans.steps.handle_exception(made, error)
    except BaseException as error:
        unhandled = error
        raise
    finally:
        ctx.take_from(made)
        if made.is_pushed:
            await made.pop(unhandled)
        unhandled = None  # its traceback holds this frame


async def _around(around: Callable[..., Any], inner: Callable[..., Any], ctx: Context) -> Any:
    """`inner`, and what the plugins do around it: they are given a Response, however the reply was made."""
    async with around(ctx) as entered:
        result = await inner(ctx)
        if type(result) is tuple:
            result = from_ready(ctx.app, result)
        if ctx.kind is REQUEST or ctx.websocket._socket.state == CONNECTING:  # else the client gets no response
            entered.result = result
    return result


class Plan:
    """What is known per rule and kind; `rule` None stands for connections that no rule matches."""

    # Read many times for each connection; CPython 3.11 reads a dictionary of more than 30 attributes more slowly.
    __slots__ = (
        *("plans", "kind", "steps", "rule", "blueprints", "off", "url_value_preprocessors", "before", "after"),
        *("teardown", "started", "before_hook", "after_hook", "error_hook", "finished", "failed", "teardown_hook"),
        *("response_sent", "full_dispatch", "answers_options", "function", "dispatch", "finalize", "preprocess"),
        *("view", "plain", "codecs", "refreshes", "reply", "subprotocols", "disconnect", "accepting", "received"),
        *("sending", "sent", "closed", "options_plan"),
    )

    def __init__(self, plans: Plans, rule: Rule | None, options: bool = False) -> None:
        app = plans.app
        kind = plans.kind
        assert kind is not None
        steps = plans.steps
        self.plans = plans
        self.kind = kind
        self.steps = steps
        self.rule = rule
        self.blueprints = () if rule is None else tuple(blueprints_of(rule.endpoint))
        self.off = switched_off(app, rule)

        def functions(table: Any, outwards: bool = False) -> list[Any]:
            found = [function for _, function in in_call_order(table, self.blueprints, outwards)]
            return left_on(app, self.off, found)

        ensure_async = app.ensure_async
        self.url_value_preprocessors = functions(app.url_value_preprocessors)
        self.before = [ensure_async(f) for f in functions(app._functions("before", kind))]
        self.after = [ensure_async(f) for f in functions(app._functions("after", kind), outwards=True)]
        self.teardown = [ensure_async(f) for f in functions(app._functions("teardown", kind), outwards=True)]
        moments = plans.moments(self.off)
        self.started = moments.started if rule is None else moments.matched
        self.before_hook = moments.before
        self.after_hook = moments.after
        self.error_hook = moments.error
        self.finished = moments.finished
        self.failed = moments.failed
        self.teardown_hook = moments.teardown
        self.response_sent = moments.response_sent
        self.full_dispatch = plans.full_dispatch
        if moments.around is not None:
            self.full_dispatch = partial(_around, moments.around, plans.full_dispatch or lifecycle.full_dispatch)

        self.answers_options = bool(getattr(rule, "provide_automatic_options", False))
        self.function: Any = None if rule is None else _view_function(app, rule)
        unmatched = app.plugin_hooks.call("route_unmatched") if rule is None else None
        self.dispatch: Callable[..., Any] = steps.dispatch
        if unmatched is not None:
            self.dispatch = partial(asking.dispatch_unmatched, unmatched, steps.dispatch)
        self.finalize = steps.finalize
        has_before = self.url_value_preprocessors or self.before or self.before_hook is not None
        self.preprocess = steps.preprocess if has_before or "preprocess" in steps.overridden else None
        # the view, where nothing is on the way to it
        straight = rule is not None and self.preprocess is None and self.started is None and not options
        self.view = self.function if straight and "dispatch" not in steps.overridden else None
        self.plain = not (
            self.after
            or self.after_hook is not None
            or self.finished is not None
            or plans.opens_session
            or {"finalize", "make_response", "process"} & steps.overridden
        )
        self.codecs = None if plans.codecs is None else plans.codecs.without(self.off.of("content_types"))
        self.refreshes = app.session_refreshing() if plans.lazy_session else None
        self._compile_reply(app)
        options_of_rule: dict[str, Any] = getattr(rule, "connection_options", {})
        self.subprotocols: list[str] = list(options_of_rule.get("subprotocols") or ())
        self.disconnect = disconnect_mode(app, kind, options_of_rule.get("disconnect"), self.function)
        self.accepting = moments.accepting
        self.received = moments.received
        self.sending = moments.sending
        self.sent = moments.sent
        self.closed = moments.closed
        self.options_plan: Plan | None = (
            Plan(plans, rule, True) if self.answers_options and not options else None
        )

    def _compile_reply(self, app: Quart) -> None:
        """What `reply.ready` needs to make ASGI messages without a Response, if the classes are as shipped."""
        from .wrappers.reply import reply_headers

        self.reply = reply_headers(app)
        if self.reply is None:
            self.plain = False
        elif self.codecs is not None:
            self.reply.encode = None  # of a dictionary there may be something else to make


def _view_function(app: Quart, rule: Rule) -> Callable[..., Any]:
    function = app.view_functions.get(rule.endpoint)
    if function is not None:
        if getattr(function, "__func__", None) is _SEND_STATIC_FILE and function.__self__ is app:
            function = app.send_static_file  # it may have been replaced since the rule was made
        return app.ensure_async(function)

    async def missing(**values: Any) -> Any:
        raise LookupError(
            f"the rule {rule.rule!r} leads to the endpoint {rule.endpoint!r}, for which there is no view function; "
            f"register one with @app.endpoint({rule.endpoint!r}), or pass view_func to add_url_rule"
        )

    return missing


def disconnect_mode(app: Quart, kind: Kind, mode: str | None, function: Any) -> str:
    """`raise` or `cancel`: how who reads learns that the client has left; see "Disconnects" in the reference.

    For a request it is Quart's way under Quart's name, unless the view knows the error.
    """
    mode = "auto" if kind is REQUEST else mode or app.config["WEBSOCKET_DISCONNECT"]
    if mode == "auto":
        from .compat import alias_is_active, knows_the_end

        return "cancel" if alias_is_active() and not knows_the_end(function, kind) else "raise"
    if mode not in ("raise", "cancel"):
        raise ValueError(f"disconnect is {mode!r}; it has to be 'auto', 'raise' or 'cancel'")
    return mode


def locate(ctx: Context) -> None:
    """Find the rule for the connection's path and set its plan, values and routing error."""
    plans = ctx.plans
    kind = ctx.kind
    assert kind is not None
    scope = ctx.scope
    path: str | None = scope["path"]
    if scope.get("root_path") or scope["path"][:1] != "/":
        path = path_of(scope)  # None outside of the root path: nothing may match there
    if path is not None and (ctx._request is not None or ctx._websocket is not None):
        path = ctx.request_websocket.path  # it may have been changed
    method = scope["method"] if kind is REQUEST else "GET"
    router = plans.router
    found = None if router is None or path is None else router.match(kind.name, method, path)
    if path is None or (found is None and router is not None and router.is_missing(path)):
        ctx.routing_exception = NotFound()
    elif found is None:
        try:
            adapter = ctx.url_adapter  # an untrusted host is refused here
            if adapter is not None:
                found = slow_match(adapter)
        except HTTPException as error:
            ctx.routing_exception = error
    ctx._located = True
    if found is None:
        ctx.plan = plans.plan_for(None)
        ctx.head = method == "HEAD"
        return
    rule, values = found
    plan = plans.by_rule.get(id(rule)) or plans.plan_for(rule)
    if values:
        ctx._view_args = values
    if method == "HEAD":
        ctx.head = True
    elif method == "OPTIONS":
        plan = plan.options_plan or plan
    elif (
        not values
        and kind is REQUEST
        and plans.direct_allowed
        and ctx._view_args is NO_VALUES
        and path == scope["path"]
        and not scope.get("root_path")
        and rule.rule == path
    ):
        plans.direct.setdefault(method, {})[path] = plan
    ctx.plan = plan
