"""Aliases and protocols only: what views, functions and extensions may be, and the slots that plugins fill.

Knows no behaviour. The aliases carry Quart's names; the protocols at the end are the *slots*: the kernel calls a
slot through its protocol, so that another provider, engine or server fills it as well as the shipped one.
"""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, Union, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime, timedelta
    from http.cookiejar import CookieJar
    from types import TracebackType

    from werkzeug.datastructures import Authorization, FileStorage, Headers
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .app import Quart
    from .ctx import Context
    from .sessions import SessionMixin
    from .wrappers import Request, Response, Websocket

# ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html) -------------------------------------------------------

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# What views and functions may be and return ------------------------------------------------------------------------

FilePath = Union[bytes, str, "os.PathLike[str]"]

ResponseValue = Union[
    "Response",
    "WerkzeugResponse",
    bytes,
    str,
    Mapping[str, Any],
    list[Any],
    Iterator[bytes],
    Iterator[str],
    AsyncIterator[bytes],
    AsyncIterator[str],
]
StatusCode = int
HeaderName = str
HeaderValue = Union[str, list[str], tuple[str, ...]]
HeadersValue = Union["Headers", Mapping[HeaderName, HeaderValue], Sequence[tuple[HeaderName, HeaderValue]]]

ResponseReturnValue = Union[
    ResponseValue,
    tuple[ResponseValue, HeadersValue],
    tuple[ResponseValue, StatusCode],
    tuple[ResponseValue, StatusCode, HeadersValue],
]
ResponseTypes = Union["Response", "WerkzeugResponse"]

AppOrBlueprintKey = (
    str | None
)  # the key of the application's own functions is None, a blueprint's is its name

# A function of the application is a plain one or a coroutine function.
AfterRequestCallable = Union[
    Callable[["ResponseTypes"], "ResponseTypes"], Callable[["ResponseTypes"], Awaitable["ResponseTypes"]]
]
AfterServingCallable = Callable[[], None] | Callable[[], Awaitable[None]]
AfterWebsocketCallable = Union[
    Callable[["ResponseTypes | None"], "ResponseTypes | None"],
    Callable[["ResponseTypes | None"], Awaitable["ResponseTypes | None"]],
]
BeforeRequestCallable = Union[
    Callable[[], "ResponseReturnValue | None"], Callable[[], Awaitable["ResponseReturnValue | None"]]
]
BeforeServingCallable = Callable[[], None] | Callable[[], Awaitable[None]]
BeforeWebsocketCallable = BeforeRequestCallable
ErrorHandlerCallable = Union[Callable[[Any], ResponseReturnValue], Callable[[Any], Awaitable[ResponseReturnValue]]]
RouteCallable = Union[Callable[..., ResponseReturnValue], Callable[..., Awaitable[ResponseReturnValue]]]
ShellContextProcessorCallable = Callable[[], dict[str, Any]]
TeardownCallable = Callable[[BaseException | None], None] | Callable[[BaseException | None], Awaitable[None]]
TemplateContextProcessorCallable = Callable[[], dict[str, Any]] | Callable[[], Awaitable[dict[str, Any]]]
TemplateFilterCallable = Callable[..., Any]
TemplateGlobalCallable = Callable[..., Any]
TemplateTestCallable = Callable[..., bool]
URLDefaultCallable = Callable[[str, dict[str, Any]], None]
URLValuePreprocessorCallable = Callable[[str | None, dict[str, Any] | None], None]
WebsocketCallable = Union[
    Callable[..., "ResponseReturnValue | None"], Callable[..., Awaitable["ResponseReturnValue | None"]]
]
WhileServingCallable = Callable[[], AsyncGenerator[None, None]]

T_function = TypeVar("T_function", bound=Callable[..., Any])

ClosedBy = Literal["client", "server", "network"]
DisconnectMode = Literal["auto", "raise", "cancel"]

# Slots: each is filled by a plugin, or by an attribute that the application sets -------------------------------------


@runtime_checkable
class JSONProvider(Protocol):
    """Filled by the plugin `json`: JSON for request bodies, responses and websocket messages."""

    def dumps(self, obj: Any, **kwargs: Any) -> str: ...
    def loads(self, s: str | bytes, **kwargs: Any) -> Any: ...
    def dump(self, obj: Any, fp: Any, **kwargs: Any) -> None: ...
    def load(self, fp: Any, **kwargs: Any) -> Any: ...
    def response(self, *args: Any, **kwargs: Any) -> Response: ...


@runtime_checkable
class ReadyJSON(Protocol):
    """A provider may also have this, and JSON replies are then made without building a Response.

    `encoder()` returns (function from an object to the body's bytes, the body's mimetype), or None when `response`
    has to be called because a subclass changed what it does. Asked once for each Plan.
    """

    def encoder(self) -> tuple[Callable[[Any], bytes], str] | None: ...


@runtime_checkable
class SessionInterface(Protocol):
    """Filled by the plugin `sessions`. Methods may be plain or coroutine functions.

    `lazy = True` promises that opening has no effect that anyone but the application's code sees, so that the
    session is opened when first touched, and saved only if it was opened. The default is False: opened before
    matching, and always saved.
    """

    def open_session(self, app: Quart, request: Any) -> Any: ...
    def save_session(self, app: Quart, session: Any, response: Any) -> Any: ...
    def make_null_session(self, app: Quart) -> Any: ...
    def is_null_session(self, obj: object) -> Any: ...


@runtime_checkable
class TemplateEngine(Protocol):
    """Filled by the plugin `templates`. `environment` is what `app.jinja_env` gives."""

    @property
    def environment(self) -> Any: ...
    async def render(
        self, app: Quart, template_name_or_list: str | Sequence[str], context: dict[str, Any]
    ) -> str: ...
    async def render_string(self, app: Quart, source: str, context: dict[str, Any]) -> str: ...
    async def stream(
        self, app: Quart, template_name_or_list: str | Sequence[str], context: dict[str, Any]
    ) -> AsyncIterator[str]: ...
    async def stream_string(self, app: Quart, source: str, context: dict[str, Any]) -> AsyncIterator[str]: ...
    def get_attribute(self, app: Quart, template_name: str, attribute: str) -> Any: ...


@runtime_checkable
class FileServer(Protocol):
    """Filled by the plugin `static`. The arguments are those of `quart_plug.send_file`."""

    async def send_file(
        self,
        app: Quart,
        filename_or_io: Any,
        mimetype: str | None = None,
        as_attachment: bool = False,
        attachment_filename: str | None = None,
        add_etags: bool = True,
        cache_timeout: int | None = None,
        conditional: bool = False,
        last_modified: datetime | None = None,
    ) -> Response: ...


@runtime_checkable
class CommandLine(Protocol):
    """Filled by the plugin `cli`. `group` is what `app.cli` and `blueprint.cli` give (a `click.Group`)."""

    def group(self, name: str | None = None) -> Any: ...
    def main(self, args: Sequence[str] | None = None) -> int: ...


@runtime_checkable
class Server(Protocol):
    """Filled by server plugins such as `hypercorn`.

    `serve` runs inside a running event loop until `shutdown_trigger()` returns; `options` are those of `app.run`.
    """

    name: str

    async def serve(
        self,
        app: Quart,
        *,
        host: str,
        port: int,
        debug: bool = False,
        certfile: str | None = None,
        keyfile: str | None = None,
        ca_certs: str | None = None,
        shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
        **options: Any,
    ) -> None: ...


@runtime_checkable
class DebugPage(Protocol):
    """Filled by the plugin `debug`: the traceback page, and the reloader."""

    async def render(self, app: Quart, error: BaseException) -> Response: ...
    def run_with_reloader(self, run: Callable[[], None], app: Quart) -> None: ...


# What a Context is to those above it ---------------------------------------------------------------------------------


class HasCurrent(Protocol):
    """A proxy such as `request` or `current_app`."""

    def _get_current_object(self) -> Any: ...


class Event(Protocol):
    """`event_class`: what `asyncio.Event` offers, as far as it is used."""

    def is_set(self) -> bool: ...
    def set(self) -> None: ...


class ASGIHTTPProtocol(Protocol):
    """`asgi_http_class`: made for each request, then called."""

    def __init__(self, app: Quart, scope: Scope) -> None: ...
    async def __call__(self, receive: Receive, send: Send) -> None: ...


class ASGIWebsocketProtocol(Protocol):
    """`asgi_websocket_class`: made for each websocket, then called."""

    def __init__(self, app: Quart, scope: Scope) -> None: ...
    async def __call__(self, receive: Receive, send: Send) -> None: ...


class ASGILifespanProtocol(Protocol):
    """`asgi_lifespan_class`."""

    def __init__(self, app: Quart, scope: Scope) -> None: ...
    async def __call__(self, receive: Receive, send: Send) -> None: ...


class Step(Protocol):
    """A step of a connection's way through the app, as a Plan holds it."""

    async def __call__(self, ctx: Context, *args: Any) -> Any: ...


AnyWrapper = Union["Request", "Websocket"]

# What `test_app_class` and `test_client_class` have to offer; testing/ has the shipped ones --------------------------


class TestHTTPConnectionProtocol(Protocol):
    """A request that a test sends piece by piece, and whose response it receives the same way."""

    @property
    def push_promises(self) -> list[tuple[str, Headers]]: ...

    def __init__(self, app: Quart, scope: Scope, _preserve_context: bool = False) -> None: ...
    async def send(self, data: bytes) -> None: ...
    async def send_complete(self) -> None: ...
    async def receive(self) -> bytes: ...
    async def disconnect(self) -> None: ...
    async def __aenter__(self) -> TestHTTPConnectionProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...
    async def as_response(self) -> Response: ...


class TestWebsocketConnectionProtocol(Protocol):
    """A websocket of a test's."""

    def __init__(self, app: Quart, scope: Scope) -> None: ...
    async def __aenter__(self) -> TestWebsocketConnectionProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...
    async def receive(self) -> str | bytes: ...
    async def send(self, data: str | bytes) -> None: ...
    async def receive_json(self) -> Any: ...
    async def send_json(self, data: Any) -> None: ...
    async def close(self, code: int) -> None: ...
    async def disconnect(self) -> None: ...


class TestClientProtocol(Protocol):
    """A client for tests; the arguments are those of `quart_plug.testing.QuartClient`."""

    app: Quart
    cookie_jar: CookieJar | None

    @property
    def http_connection_class(self) -> type[TestHTTPConnectionProtocol]: ...
    @property
    def push_promises(self) -> list[tuple[str, Headers]]: ...
    @property
    def websocket_connection_class(self) -> type[TestWebsocketConnectionProtocol]: ...

    def __init__(self, app: Quart, use_cookies: bool = True) -> None: ...
    async def open(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        data: str | bytes | None = None,
        form: dict[str, Any] | None = None,
        files: dict[str, FileStorage] | None = None,
        query_string: dict[str, Any] | None = None,
        json: Any = ...,
        scheme: str = "http",
        follow_redirects: bool = False,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response: ...
    def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "http",
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> TestHTTPConnectionProtocol: ...
    def websocket(
        self,
        path: str,
        *,
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "ws",
        subprotocols: list[str] | None = None,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> TestWebsocketConnectionProtocol: ...
    async def delete(self, *args: Any, **kwargs: Any) -> Response: ...
    async def get(self, *args: Any, **kwargs: Any) -> Response: ...
    async def head(self, *args: Any, **kwargs: Any) -> Response: ...
    async def options(self, *args: Any, **kwargs: Any) -> Response: ...
    async def patch(self, *args: Any, **kwargs: Any) -> Response: ...
    async def post(self, *args: Any, **kwargs: Any) -> Response: ...
    async def put(self, *args: Any, **kwargs: Any) -> Response: ...
    async def trace(self, *args: Any, **kwargs: Any) -> Response: ...
    def set_cookie(
        self,
        server_name: str,
        key: str,
        value: str = "",
        max_age: int | timedelta | None = None,
        expires: int | float | datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
    ) -> None: ...
    def delete_cookie(self, server_name: str, key: str, path: str = "/", domain: str | None = None) -> None: ...
    def session_transaction(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "http",
        data: str | bytes | None = None,
        form: dict[str, Any] | None = None,
        json: Any = None,
        root_path: str = "",
        http_version: str = "1.1",
    ) -> AbstractAsyncContextManager[SessionMixin]: ...


class TestAppProtocol(Protocol):
    """An app that has been started up, for tests."""

    def __init__(self, app: Quart) -> None: ...
    def test_client(self, *args: Any, **kwargs: Any) -> TestClientProtocol: ...
    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...
    async def __aenter__(self) -> TestAppProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...


for _protocol in (TestAppProtocol, TestClientProtocol, TestHTTPConnectionProtocol, TestWebsocketConnectionProtocol):
    _protocol.__test__ = False  # type: ignore[union-attr]  # pytest is not to collect them
