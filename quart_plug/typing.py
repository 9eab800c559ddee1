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

from . import typing_of_tests as _tests

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.datastructures import Headers
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .app import Quart
    from .ctx import Context
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


@runtime_checkable
class Rooms(Protocol):
    """Filled by the plugin `rooms`: who hears what is said where. What is given and raised is in that plugin's
    reference."""

    def join(self, room: str, user: Any = None, info: Any = None, history: int = 0) -> Any: ...
    def subscribe(self, room: str, history: int = 0) -> Any: ...
    async def send(self, room: str, message: str | bytes, exclude: Any = None) -> int: ...
    async def send_json(self, room: str, value: Any, exclude: Any = None) -> int: ...
    async def members(self, room: str) -> Any: ...
    async def presence(self, room: str) -> Any: ...
    async def history(self, room: str, count: int) -> Any: ...
    async def counts(self) -> Any: ...


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

# What `test_app_class` and `test_client_class` have to offer
TestAppProtocol = _tests.TestAppProtocol
TestClientProtocol = _tests.TestClientProtocol
TestHTTPConnectionProtocol = _tests.TestHTTPConnectionProtocol
TestWebsocketConnectionProtocol = _tests.TestWebsocketConnectionProtocol
