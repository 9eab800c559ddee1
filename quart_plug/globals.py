"""One ContextVar, and the names that stand for what is current in it.

The proxies are classes with real methods that forward what lies on the hot path, which costs a fraction of a proxy that
looks every name up; a forwarded coroutine method returns the real coroutine, so that a call costs one coroutine and not
two. Every other name goes to the current object too.

The one ContextVar holds a `Context` (see ctx.py) for an app, a request or a websocket alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, cast

from werkzeug.local import LocalProxy

from .kinds import REQUEST, WEBSOCKET, Kind

if TYPE_CHECKING:
    from .app import Quart
    from .ctx import Context
    from .namespace import Globals
    from .sessions import SessionMixin
    from .wrappers import Request, Websocket

_cv: ContextVar[Context] = ContextVar("quart_plug.context")

# Quart 0.22 kept three variables; extensions read them. Here one context answers for each.
_cv_app = _cv
_UNSET: Any = object()


def connection_around(ctx: Context | None, kind: Kind | None = None) -> Context | None:
    """The context itself, or the nearest one that it was entered in, which is of a connection; of this kind, if given.

    As in Quart, where an application context that is pushed while a request is handled, or in a task that was started
    then, leaves the request in place.
    """
    while ctx is not None and (ctx.kind is None or (kind is not None and ctx.kind is not kind)):
        outer = ctx.within if ctx.token is None else ctx.token.old_value
        ctx = None if outer is Token.MISSING else cast("Context | None", outer)
    return ctx


class KindVar:
    """The ContextVar as if it held the contexts of one kind of connection only."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = f"{_cv.name}.{kind.name}"

    def get(self, default: Any = _UNSET) -> Any:
        """The current context of this kind, else `default`, or LookupError without one."""
        ctx = connection_around(_cv.get(None), self.kind)
        if ctx is not None:
            return ctx
        if default is _UNSET:
            raise LookupError(self)
        return default

    def set(self, ctx: Context) -> Token[Context]:
        return _cv.set(ctx)

    def reset(self, token: Token[Context]) -> None:
        _cv.reset(token)

    def __repr__(self) -> str:
        return f"<KindVar {self.name!r}>"


_cv_request = KindVar(REQUEST)
_cv_websocket = KindVar(WEBSOCKET)

_get = _cv.get

_NO_APP = """Working outside of an application context.

This needs the current application. Enter a context first: `async with app.app_context(): ...`, or call this from a
view, a before/after function, or a test inside `app.test_request_context(...)`."""

_NO_REQUEST = """Working outside of a request context.

This needs an active HTTP request. It works in a view, in before/after/teardown functions, and in tests inside
`async with app.test_request_context("/path"): ...`. In a websocket's view use `websocket` instead."""

_NO_WEBSOCKET = """Working outside of a websocket context.

This needs an active websocket. It works in a view registered with `@app.websocket(...)`, in the tasks it starts, and
in tests inside `async with app.test_websocket_context("/path"): ...`. In a request's view use `request` instead."""

_HASHED = """`websocket` stands for the current connection: stored in a set or a dictionary it would mean another
connection in each task, so that a broadcast reaches nobody. Store the connection itself,
`websocket._get_current_object()`, or better, use a room."""


def _current_request() -> Request:
    try:
        ctx = _get()
    except LookupError:
        raise RuntimeError(_NO_REQUEST) from None
    return ctx._request or ctx.request


def _current_websocket() -> Websocket:
    try:
        ctx = _get()
    except LookupError:
        raise RuntimeError(_NO_WEBSOCKET) from None
    return ctx._websocket or ctx.websocket


def _current_session() -> Any:
    try:
        ctx = _get()
    except LookupError:
        raise RuntimeError(_NO_REQUEST) from None
    session = ctx._session
    return ctx.session if session is None else session


def _current_context() -> Context:
    try:
        return _get()
    except LookupError:
        raise RuntimeError(_NO_APP) from None


class _Proxy(LocalProxy[Any]):
    """What the proxies share: everything that is not a hot name goes to the current object.

    They are instances of werkzeug's LocalProxy, which code asks for that wants the object behind; what it proxies
    beyond the names here (operators, …) goes through `_get_current_object` as well.
    """

    __slots__ = ()

    def __init__(self) -> None:
        pass  # LocalProxy's wants to be told what it stands for; here the class says that

    def _get_current_object(self) -> Any:
        raise AssertionError("a proxy names its object")

    @property
    def __class__(self) -> Any:
        try:
            return type(self._get_current_object())
        except RuntimeError:
            return type(self)

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise TypeError("the class of a proxy cannot be assigned")

    @property
    def __wrapped__(self) -> Any:
        return self._get_current_object()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get_current_object(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._get_current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._get_current_object(), name)

    def __bool__(self) -> bool:
        try:
            return bool(self._get_current_object())
        except RuntimeError:
            return False

    def __eq__(self, other: object) -> bool:
        try:
            mine = self._get_current_object()
            theirs = object.__getattribute__(other, "_get_current_object")() if isinstance(other, _Proxy) else other
        except RuntimeError:  # there is nothing behind one of them
            return self is other
        return bool(mine == theirs)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._get_current_object())

    def __str__(self) -> str:
        return str(self._get_current_object())

    def __repr__(self) -> str:
        try:
            return repr(self._get_current_object())
        except RuntimeError:
            return f"<{type(self).__name__} unbound>"

    def __dir__(self) -> Iterator[str]:
        try:
            return iter(dir(self._get_current_object()))
        except RuntimeError:
            return iter(())


class RequestProxy(_Proxy):
    """`request`: the current `Request`."""

    __slots__ = ()

    def _get_current_object(self) -> Request:
        return _current_request()

    @property
    def method(self) -> str:
        return _current_request().method

    @property
    def path(self) -> str:
        return _current_request().path

    @property
    def headers(self) -> Any:
        try:
            ctx = _get()
        except LookupError:
            raise RuntimeError(_NO_REQUEST) from None
        if ctx.kind is not REQUEST:
            return _current_request().headers
        headers = ctx._headers
        return ctx.headers if headers is None else headers

    @property
    def args(self) -> Any:
        return _current_request().args

    @property
    def cookies(self) -> Any:
        return _current_request().cookies

    @property
    def json(self) -> Any:
        return _current_request().json

    @property
    def form(self) -> Any:
        return _current_request().form

    @property
    def files(self) -> Any:
        return _current_request().files

    @property
    def data(self) -> Any:
        return _current_request().data

    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        return _current_request().get_json(*args, **kwargs)

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        return _current_request().get_data(*args, **kwargs)


class WebsocketProxy(_Proxy):
    """`websocket`: the current `Websocket`."""

    __slots__ = ()

    def _get_current_object(self) -> Websocket:
        return _current_websocket()

    # Called for every message: the usual arguments are passed on as they are, which costs half of passing on any.

    def receive(self, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return _current_websocket().receive(*args, **kwargs)
        return _current_websocket().receive()

    def send(self, data: Any, **kwargs: Any) -> Any:
        if kwargs:
            return _current_websocket().send(data, **kwargs)
        return _current_websocket().send(data)

    def receive_json(self, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return _current_websocket().receive_json(*args, **kwargs)
        return _current_websocket().receive_json()

    def send_json(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 1:
            return _current_websocket().send_json(*args, **kwargs)
        return _current_websocket().send_json(args[0])

    def accept(self, *args: Any, **kwargs: Any) -> Any:
        return _current_websocket().accept(*args, **kwargs)

    def close(self, *args: Any, **kwargs: Any) -> Any:
        return _current_websocket().close(*args, **kwargs)

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return _current_websocket().__aiter__()

    def __hash__(self) -> int:
        if hash_the_proxy:
            import warnings

            warnings.warn(_HASHED, RuntimeWarning, stacklevel=2)
            return hash(_current_websocket())
        raise TypeError(_HASHED)


class ContextProxy(_Proxy):
    """`app_ctx`: the current `Context`."""

    __slots__ = ()

    def _get_current_object(self) -> Context:
        return _current_context()


class RequestContextProxy(_Proxy):
    """`request_ctx`: the current `Context`, if it is a request's."""

    __slots__ = ()

    def _get_current_object(self) -> Context:
        ctx = _cv_request.get(None)
        if ctx is None:
            raise RuntimeError(_NO_REQUEST)
        return ctx  # type: ignore[no-any-return]


class WebsocketContextProxy(_Proxy):
    """`websocket_ctx`: the current `Context`, if it is a websocket's."""

    __slots__ = ()

    def _get_current_object(self) -> Context:
        ctx = _cv_websocket.get(None)
        if ctx is None:
            raise RuntimeError(_NO_WEBSOCKET)
        return ctx  # type: ignore[no-any-return]


class AppProxy(_Proxy):
    """`current_app`: the current application."""

    __slots__ = ()

    def _get_current_object(self) -> Quart:
        return _current_context().app

    def __call__(self, *args: Any) -> Any:
        return _current_context().app(*args)


class GlobalsProxy(_Proxy):
    """`g`: the namespace of the current context."""

    __slots__ = ()

    def _get_current_object(self) -> Globals:
        return _current_context().g

    def __contains__(self, name: object) -> bool:
        return name in _current_context().g

    def __iter__(self) -> Iterator[str]:
        return iter(_current_context().g)


class SessionProxy(_Proxy):
    """`session`: the session of the current request or websocket, a mapping."""

    __slots__ = ()

    def _get_current_object(self) -> Any:
        return _current_session()

    def __getitem__(self, key: str) -> Any:
        return _current_session()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        _current_session()[key] = value

    def __delitem__(self, key: str) -> None:
        del _current_session()[key]

    def __contains__(self, key: object) -> bool:
        return key in _current_session()

    def __iter__(self) -> Iterator[str]:
        return iter(_current_session())

    def __len__(self) -> int:
        return len(_current_session())

    def get(self, key: str, default: Any = None) -> Any:
        return _current_session().get(key, default)


# Set by `install_as_quart()`: with Quart, `d[websocket] = queue` works, so there it is a warning and not an error.
hash_the_proxy = False


app_ctx = cast("Context", ContextProxy())
current_app = cast("Quart", AppProxy())
g = cast("Globals", GlobalsProxy())
session = cast("SessionMixin", SessionProxy())
request = cast("Request", RequestProxy())
websocket = cast("Websocket", WebsocketProxy())

# Quart 0.22 has a context of its own for each kind; here it is the one context.
request_ctx = cast("Context", RequestContextProxy())
websocket_ctx = cast("Context", WebsocketContextProxy())
