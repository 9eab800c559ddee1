"""One context for an app, a request or a websocket.

A server's connection makes a `Context` and goes through `lifecycle.handle`; whoever holds a context outside of one
(tests, commands, tasks) pushes and pops it. Either way one ContextVar holds it, and what it offers (request,
websocket, session, g) is built when first touched.

Rule: attributes with a class-level default are stored on the instance only when used; that keeps a connection that
touches nothing cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from functools import cache
from typing import TYPE_CHECKING, Any

from ..concurrency import run_at_once
from ..globals import _NO_REQUEST, _NO_WEBSOCKET, _cv, connection_around
from ..kinds import REQUEST, WEBSOCKET, Kind
from ..namespace import Globals

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from werkzeug.datastructures import Headers
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import MapAdapter, Rule

    from ..app import Quart
    from ..plan import Plan, Plans
    from ..typing import Message, Receive, Scope, Send
    from ..wrappers import Request, Websocket
    from ..wrappers.inbox import Inbox
    from ..wrappers.watch import Sweep

NO_VALUES: dict[str, Any] = {}  # shared by every connection whose rule has no variables; never handed out

_MISSING: Any = object()

# What a copy shares with the context that it was made from.
_COPIED = (
    "app",
    "kind",
    "scope",
    "receive",
    "send",
    "_request",
    "_websocket",
    "_session",
    "_url_adapter",
    "routing_exception",
)
_new = object.__new__


@cache
def _inbox_class() -> type[Inbox]:
    from ..wrappers.inbox import Inbox  # below this module; an import statement that is run again is not free

    return Inbox


async def _nothing_to_receive() -> Message:
    return {"type": "http.disconnect"}


async def _nowhere_to_send(message: Message) -> None:
    return None


class Context:
    """What is current while a request, a websocket, or code outside of both, is handled.

    app         the application.
    kind        `kinds.REQUEST`, `kinds.WEBSOCKET`, or None for an application context.
    scope       the ASGI scope (None for an application context).
    view_args   the values of the rule's variables.
    """

    app: Quart
    kind: Kind | None
    scope: Scope
    receive: Receive
    send: Send
    plan: Plan = None  # type: ignore[assignment]  # set once the rule is found
    plans: Plans = None  # type: ignore[assignment]  # set by the adapter, or when it is pushed
    token: Token[Context] | None = None
    within: Context | None = None  # an application context's connection, once it was popped
    _app_context: Context | None = None  # the application context that was pushed with this one
    of_app = False  # a copy that stands for the application's context alone, though the request can be seen in it
    kept = False  # for a test to look at, after the connection: nothing happens inside of it

    # the connection's I/O; see wrappers/watch.py
    task: asyncio.Task[Any] | None = None
    sweep: Sweep | None = None
    cancels = 0
    gone = False
    told = False
    timed_out = False
    sending = False
    failed = False
    response_timeout: Any = ...
    head = False
    to_close: list[Callable[[], Any]] | None = None

    # built when touched
    _headers: Headers | None = None
    _request: Request | None = None
    _websocket: Websocket | None = None
    _session: Any = None
    _g: Globals | None = None
    _inbox: Inbox | None = None
    _url_adapter: MapAdapter | None = None
    _view_args: dict[str, Any] = NO_VALUES

    routing_exception: HTTPException | None = None
    after_functions: list[Callable[..., Any]] | None = None
    flashes: list[tuple[str, str]] | None = None
    hook_answer: Any = None  # a HookAnswer
    _located = False
    _tokens: list[Token[Context]] | None = None

    def __init__(
        self,
        app: Quart,
        *,
        request: Request | None = None,
        session: Any = None,
        websocket: Websocket | None = None,
    ) -> None:
        """A context for an app, or for a request or websocket that was made by hand.

        Raises ValueError for a request and a websocket at once: a context is for one connection.
        """
        if request is not None and websocket is not None:
            raise ValueError("a context is for one connection: give it a request or a websocket, not both")
        self.app = app
        self.receive = _nothing_to_receive
        self.send = _nowhere_to_send
        self._session = session
        wrapper = request if websocket is None else websocket
        if wrapper is None:
            self.kind = None
            self.scope = None  # type: ignore[assignment]  # only an application context has none
            return
        self.scope = wrapper.scope
        self.kind = WEBSOCKET if request is None else REQUEST
        self.hold(wrapper)

    def hold(self, wrapper: Request | Websocket) -> None:
        """Be the context of this request or websocket. One that was made by hand learns from it what matched."""
        if self.kind is REQUEST:
            self._request = wrapper  # type: ignore[assignment]  # the kind says which it is
        else:
            self._websocket = wrapper  # type: ignore[assignment]
        if wrapper._ctx is None:
            if self._request is not None:
                self._request.body  # noqa: B018 - its own is made now: later it would be the connection's
            wrapper._ctx = self

    # What is built when touched -------------------------------------------------------------------------------------

    @property
    def request(self) -> Request:
        request = self._request
        if request is None:
            if self.kind is not REQUEST:
                return self._around(REQUEST).request
            class_ = None if self.plans is None else self.plans.request_class
            if class_ is None:
                request = self.app.request_class.from_context(self)
            else:  # what `from_context` does, without its questions
                request = _new(class_)
                request._ctx = self
                request.scope = self.scope
            self._request = request
        return request

    @request.setter
    def request(self, request: Request) -> None:
        self._request = request

    @property
    def headers(self) -> Headers:
        """The headers of the request or websocket; a request need not be built for them."""
        headers = self._headers
        if headers is None:
            make = None if self.plans is None else self.plans.fresh_headers
            if make is not None and self._request is None:
                headers = self._headers = make(self.scope)
            else:
                headers = self.request_websocket.headers
        return headers

    @property
    def websocket(self) -> Websocket:
        websocket = self._websocket
        if websocket is None:
            if self.kind is not WEBSOCKET:
                return self._around(WEBSOCKET).websocket
            websocket = self._websocket = self.app.websocket_class.from_context(self)
        return websocket

    @websocket.setter
    def websocket(self, websocket: Websocket) -> None:
        self._websocket = websocket

    @property
    def request_websocket(self) -> Request | Websocket:
        """The request or the websocket, whichever this context is for."""
        if self.kind is None:
            return self._around(None).request_websocket
        return self.websocket if self.kind is WEBSOCKET else self.request

    def _around(self, kind: Kind | None) -> Context:
        ctx = connection_around(self, kind)
        if ctx is None:
            raise RuntimeError(_NO_WEBSOCKET if kind is WEBSOCKET else _NO_REQUEST)
        return ctx

    @property
    def has_request(self) -> bool:
        return connection_around(self, REQUEST) is not None

    @property
    def has_websocket(self) -> bool:
        return connection_around(self, WEBSOCKET) is not None

    @property
    def session(self) -> Any:
        session = self._session
        if session is None:
            if self.kind is None:
                return self._around(None).session
            app = self.app
            interface = app.session_interface
            opened = interface.open_session(app, self.request_websocket)
            if hasattr(opened, "__await__"):
                opened = run_at_once(opened, f"{type(interface).__name__}.open_session")
            if opened is None:
                opened = interface.make_null_session(app)
                if hasattr(opened, "__await__"):
                    opened = run_at_once(opened, f"{type(interface).__name__}.make_null_session")
            session = self._session = opened
        return session

    @session.setter
    def session(self, session: Any) -> None:
        self._session = session

    @property
    def g(self) -> Globals:
        if self._g is None:
            outer = self.outer
            self._g = self.app.app_ctx_globals_class() if outer is None else outer.g
        return self._g

    @g.setter
    def g(self, values: Any) -> None:
        self._g = values

    @property
    def outer(self) -> Context | None:
        """The context of the same app inside of which this connection's one became current: it keeps `g` for both.

        As in Flask, where a request's context pushes one of the app only when there is none. None for an application
        context, which always is one of its own.
        """
        if self.kind is None or self.of_app or self.token is None:
            return None
        outer = self.token.old_value
        if not isinstance(outer, Context) or outer.app is not self.app or outer is self or outer.kept:
            return None
        return outer

    @property
    def inbox(self) -> Inbox:
        inbox = self._inbox
        if inbox is None:
            inbox = self._inbox = _inbox_class()(self)
        return inbox

    @property
    def url_adapter(self) -> MapAdapter | None:
        if self._url_adapter is None:
            wrapper = None if self.kind is None else self.request_websocket
            self._url_adapter = self.app.create_url_adapter(wrapper)
        return self._url_adapter

    @property
    def view_args(self) -> dict[str, Any]:
        if self._view_args is NO_VALUES:
            self._view_args = {}
        return self._view_args

    @view_args.setter
    def view_args(self, values: dict[str, Any] | None) -> None:
        self._view_args = {} if values is None else values

    @property
    def url_rule(self) -> Rule | None:
        """The rule that matched; None before matching, and when no rule did."""
        return None if self.plan is None else self.plan.rule

    @property
    def is_pushed(self) -> bool:
        return bool(self._tokens)

    def take_from(self, other: Context) -> None:
        """Take over what the handling in another context, made for the same connection, has found."""
        if other is not self and other.plan is not None:
            self.plan, self._located, self._view_args = other.plan, True, other.view_args
            self.routing_exception, self.head, self.failed = other.routing_exception, other.head, other.failed

    @property
    def has_plan(self) -> bool:
        """Whether matching is done, with whatever result."""
        return self.plan is not None

    def raw_header(self, name: bytes) -> bytes | None:
        """The first header of this lower-case name as the server gave it, without building Headers."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value  # type: ignore[no-any-return]
        return None

    # Outside of a server's connection -------------------------------------------------------------------------------

    def match_request(self) -> None:
        """Find the rule and the plan for the path of the request or websocket."""
        self.plans = self.plans or self.app.plans_for(self.kind)  # it may not be pushed yet
        self.plans.locate(self)

    async def push(self) -> None:
        """Make this context the current one, open the session where that is due, and match the rule."""
        from .. import lifecycle

        if self._tokens is None:
            self._tokens = []
        if not self._tokens and self.kind is not None:
            await self._push_app_context()
        self._tokens.append(_cv.set(self))
        if len(self._tokens) == 1:
            self.token = self._tokens[0]
            await lifecycle.enter(self)

    async def pop(self, exc: BaseException | Any | None = _MISSING) -> None:
        """Run the teardown functions and make the context before this one current again."""
        import sys

        from .. import lifecycle

        if not self._tokens:
            raise RuntimeError(f"{self!r} cannot be popped: it is not pushed")
        if exc is _MISSING:
            exc = sys.exc_info()[1]
        if _cv.get(None) is not self:
            raise RuntimeError(f"{self!r} cannot be popped: it is not the current context")
        try:
            if len(self._tokens) == 1:
                await lifecycle.leave(self, exc)
        finally:
            token = self._tokens.pop()
            try:
                _cv.reset(token)
            except ValueError:  # pushed in another task: there the variable is left as it is
                _cv.set(token.old_value if token.old_value is not Token.MISSING else self)
            if self.kind is None and not self._tokens:
                # Tasks that were started in here may still ask for the connection around it; but a chain of them, each
                # started by the one before, must not keep all their contexts.
                self.within, self.token = connection_around(self), None
            around = self._app_context
            if around is not None and not self._tokens:
                self._app_context = None
                await around.pop(exc)

    async def _push_app_context(self) -> None:
        """Push the application context that an override of `app_context` makes, unless there is one of the app."""
        make = self.app.plans_for(self.kind).makes_app_context
        current = _cv.get(None)
        if make is not None and (current is None or current.app is not self.app or current.kept):
            self._app_context = make()
            await self._app_context.push()

    async def auto_pop(self, exc: BaseException | None) -> None:
        await self.pop(exc)

    async def __aenter__(self) -> Context:
        await self.push()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.pop(exc)

    def copy(self) -> Context:
        """A context of the same connection for another task: the same request, session and g, pushed on its own."""
        other = _new(type(self))
        for name in _COPIED:
            setattr(other, name, getattr(self, name))
        other._g = self.g
        other._view_args = self._view_args
        other._inbox = self._inbox
        if self.plan is not None:
            other.plan, other.plans, other._located = self.plan, self.plans, True
        return other

    def __repr__(self) -> str:
        if self.kind is None:
            return f"<app context of {self.app.name!r}>"
        which = self.scope["method"] if self.kind is REQUEST else getattr(self.websocket, "id", "")
        return f"<{self.kind.name} context of {self.app.name!r}: {which} {self.scope['path']}>"

    # Quart 0.22 has an application context inside of a request's; here they are one.
    @property
    def app_ctx(self) -> Context:
        return self
