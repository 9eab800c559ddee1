"""Every hook of the kernel: when it is called, with what, and what its answer does. Signatures and documentation only.

A plugin implements a hook by a function of the same name, marked `@hookimpl`, that names as many of the arguments as it
wants. `sync` hooks must be plain functions; `async` hooks may be plain or coroutine functions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .markers import hookspec

if TYPE_CHECKING:
    import asyncio

    from werkzeug.exceptions import HTTPException

    from ..app import Quart
    from ..blueprints import Blueprint
    from ..content_types import Codec
    from ..ctx import Context
    from ..typing import CommandLine, DebugPage, FileServer, JSONProvider, Server, SessionInterface, TemplateEngine
    from ..wrappers import Response
    from ..wrappers.handshake import Handshake

# Set-up: once for each app, at the first need of any plugin -------------------------------------------------------


@hookspec(kind="collect", colour="sync")
def configuration_schema(app: Quart) -> type | None:
    """The plugin's own configuration: a dataclass (the class), one for each plugin. It is filled from the environment
    (`QUART_PLUG_NAME__KEY`), `PLUGIN_CONFIG`, `[plugins.NAME]` of configuration files and pyproject.toml before any
    other hook is called; `app.plugin_config(TheClass)` gives it."""


@hookspec(kind="collect", colour="sync")
def configuration_defaults(app: Quart) -> Mapping[str, Any] | None:
    """Settings and their defaults; a value that the application set itself is never overwritten."""


@hookspec(kind="collect", colour="sync")
def url_converters(app: Quart) -> Mapping[str, type] | None:
    """URL converters by name (subclasses of `werkzeug.routing.BaseConverter`), for `<name:variable>` in rules."""


@hookspec(kind="collect", colour="sync")
def blueprints(app: Quart) -> Iterable[Blueprint | tuple[Blueprint, Mapping[str, Any]]] | None:
    """Blueprints to register, each alone or with the options of `register_blueprint`, such as `url_prefix`."""


@hookspec(kind="collect", colour="sync")
def signals(app: Quart) -> Mapping[str, str] | None:
    """Signals of the plugin's own: the name of each, and the hook that it is sent for, with the hook's arguments.

    The hook is any `async` one but for kind `around`, mostly of the plugin's own. Whoever listens gets the signal by
    `quart_plug.signals.signal(name)`; as long as nobody does, or with the plugin `signals` off, none is sent.
    """


@hookspec(kind="notify", colour="sync")
def setup(app: Quart) -> None:
    """Set the app up: add routes, blueprints, before and after functions. The configuration is complete."""


@hookspec(kind="notify", colour="sync")
def setup_finished(app: Quart) -> None:
    """Every plugin has been set up."""


@hookspec(kind="collect", colour="sync")
def cli_commands(app: Quart) -> Iterable[Any] | None:
    """Commands (click) to add to `quart-plug`; the application's own commands win over them."""


@hookspec(kind="collect", colour="sync")
def shell_context(app: Quart) -> Mapping[str, Any] | None:
    """Names for the interactive shell; the application's shell context processors win over them."""


# Slots: who fills a replaceable part of the framework ---------------------------------------------------------------


@hookspec(kind="first", colour="sync", provider="json")
def json_provider(app: Quart) -> JSONProvider | None:
    """The provider behind `app.json`, `jsonify`, `receive_json` and dictionaries returned by views."""


@hookspec(kind="first", colour="sync", provider="sessions")
def session_interface(app: Quart) -> SessionInterface | None:
    """The interface behind `session`: it opens each connection's session, and saves it."""


@hookspec(kind="first", colour="sync", provider="templates")
def template_engine(app: Quart) -> TemplateEngine | None:
    """The engine behind `render_template` and its relatives."""


@hookspec(kind="first", colour="sync", provider="static")
def file_server(app: Quart) -> FileServer | None:
    """What answers `send_file`, `send_from_directory` and static files."""


@hookspec(kind="first", colour="sync", provider="cli")
def command_line(app: Quart) -> CommandLine | None:
    """The command line behind `app.cli`."""


@hookspec(kind="first", colour="sync", provider="hypercorn")
def server(app: Quart, name: str | None) -> Server | None:
    """A server by name (`quart-plug run --server NAME`), or the default one when `name` is None."""


@hookspec(kind="first", colour="sync", provider="debug")
def debug_page(app: Quart) -> DebugPage | None:
    """What makes the page for an unhandled error in debug mode, and reloads on changes."""


# Serving ------------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def listening(app: Quart, url: str) -> None:
    """The server has its address, and starts the app next. Told by the plugin `hypercorn`, not by other servers."""


@hookspec(kind="notify", colour="async")
async def startup(app: Quart) -> None:
    """The server starts; before the app's own `before_serving` functions."""


@hookspec(kind="notify", colour="async")
async def draining(app: Quart) -> None:
    """The shutdown begins, once: a signal came, or the server says so. Requests are still answered.

    Under `quart-plug run`, `app.run()` and `run_task` the server goes on accepting until this has returned, for at most
    SHUTDOWN_TIMEOUT seconds, so that a health check can say so first. Other servers tell only when they have stopped.
    """


@hookspec(kind="notify", colour="async")
async def shutdown(app: Quart) -> None:
    """The server has stopped accepting and requests are done; after the app's `after_serving` functions."""


@hookspec(kind="around", colour="async")
async def lifespan(app: Quart) -> AsyncGenerator[None, None]:  # type: ignore[empty-body]  # never run
    """Around the app's life: the part before `yield` runs at start-up, the part after it at shutdown."""


@hookspec(kind="notify", colour="async")
async def serving_failed(app: Quart, error: BaseException) -> None:
    """A start-up or shutdown function raised; the error then goes to the server."""


# Every connection ---------------------------------------------------------------------------------------------------


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


# Requests -----------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def request_started(ctx: Context) -> None:
    """A request's handling begins; before every `before_request` function."""


@hookspec(kind="first", colour="async")
async def request_before(ctx: Context) -> Any | None:
    """Before the view and before the app's `before_request` functions; an answer takes the view's place."""


@hookspec(kind="pipe", colour="async")
async def request_after(ctx: Context, response: Response) -> Response | None:
    """After the app's `after_request` functions; an answer replaces the response."""


@hookspec(kind="first", colour="async")
async def request_error(ctx: Context, error: Exception) -> Any | None:
    """An error for which the application has no handler, be it an HTTP error; an answer is the response's value.

    Without one an HTTP error is its own response, and any other error is a 500 (`request_failed`). Not called for
    redirects.
    """


@hookspec(kind="notify", colour="async")
async def request_finished(ctx: Context, response: Response) -> None:
    """A response is complete and about to be sent."""


@hookspec(kind="notify", colour="async")
async def request_failed(ctx: Context, error: BaseException) -> None:
    """A request raised an error that nothing handled; the client gets status 500."""


@hookspec(kind="notify", colour="async")
async def request_teardown(ctx: Context, exc: BaseException | None) -> None:
    """A request's context ends; after the app's `teardown_request` functions."""


# Websockets ---------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def websocket_started(ctx: Context) -> None:
    """A websocket's handling begins; before every `before_websocket` function."""


@hookspec(kind="first", colour="async")
async def websocket_before(ctx: Context) -> Any | None:
    """Before the view and before the app's `before_websocket` functions; an answer refuses the handshake with it."""


@hookspec(kind="pipe", colour="async")
async def websocket_after(ctx: Context, response: Response | None) -> Response | None:
    """After the app's `after_websocket` functions."""


@hookspec(kind="first", colour="async")
async def websocket_error(ctx: Context, error: Exception) -> Any | None:
    """As `request_error`: before the handshake an answer refuses it, later the websocket is closed with 1011. Not
    called for ConnectionClosed, which is a normal end."""


@hookspec(kind="notify", colour="async")
async def websocket_finished(ctx: Context, response: Response | None) -> None:
    """A websocket's view has returned."""


@hookspec(kind="notify", colour="async")
async def websocket_failed(ctx: Context, error: BaseException) -> None:
    """A websocket raised an error that nothing handled; it is closed with 1011."""


@hookspec(kind="notify", colour="async")
async def websocket_teardown(ctx: Context, exc: BaseException | None) -> None:
    """A websocket's context ends; after the app's `teardown_websocket` functions."""


@hookspec(kind="first", colour="async")
async def websocket_accepting(ctx: Context, handshake: Handshake) -> Any | None:
    """A handshake is about to be accepted. `handshake.subprotocol` and `handshake.headers` may be changed.

    An answer, whatever a view may return, refuses the handshake with it; so does an HTTP error. The view's call then
    raises ConnectionClosed, which ends it.
    """


@hookspec(kind="pipe", colour="async")
async def websocket_received(ctx: Context, message: str | bytes) -> str | bytes | None:
    """A message came in, before the view sees it; an answer replaces it. MessageDropped keeps it from the view,
    MessageRefused closes the websocket in its place."""


@hookspec(kind="pipe", colour="async")
async def websocket_sending(ctx: Context, message: str | bytes) -> str | bytes | None:
    """A message is about to be sent; an answer replaces it. MessageDropped, MessageRefused: as above."""


@hookspec(kind="notify", colour="async")
async def websocket_sent(ctx: Context, message: str | bytes) -> None:
    """A message was given to the server."""


@hookspec(kind="notify", colour="async")
async def websocket_closed(ctx: Context, code: int, reason: str, closed_by: str | None) -> None:
    """A websocket that had been accepted has ended."""


# Serialization ------------------------------------------------------------------------------------------------------


@hookspec(kind="first", colour="sync")
def json_default(app: Quart, obj: Any) -> Any | None:
    """Turn an object that JSON does not know into one that it knows."""


@hookspec(kind="pipe", colour="sync")
def json_dumping(app: Quart, obj: Any) -> Any | None:
    """An object is about to be written as JSON, by `app.json`; an answer takes its place.

    For responses, websockets and `app.json.dumps` alike. Asked by the plugin `json`; other providers do as they like.
    """


@hookspec(kind="pipe", colour="sync")
def json_loaded(app: Quart, obj: Any) -> Any | None:
    """JSON was read, by `app.json`: a body, a websocket's message; an answer takes its place. As `json_dumping`."""


@hookspec(kind="collect", colour="sync")
def content_types(app: Quart) -> Iterable[Codec] | None:
    """What can be spoken beside JSON; see `quart_plug.content_types.Codec`.

    A dictionary or list returned by a view is sent in the type that the client prefers (Accept). `get_json` reads a
    body of such a type. `send_json` and `receive_json` of a websocket with the codec's subprotocol use it, in binary
    messages.
    """


# Templates ----------------------------------------------------------------------------------------------------------


@hookspec(kind="collect", colour="sync")
def template_context(app: Quart) -> Mapping[str, Any] | None:
    """Names for every template, asked at each rendering; the application's context processors win over them."""


@hookspec(kind="collect", colour="sync")
def template_filters(app: Quart) -> Mapping[str, Callable[..., Any]] | None:
    """Filters for the template engine, by name: `{{ value | NAME }}`."""


@hookspec(kind="collect", colour="sync")
def template_tests(app: Quart) -> Mapping[str, Callable[..., bool]] | None:
    """Tests for the template engine, by name: `{% if value is NAME %}`."""


@hookspec(kind="collect", colour="sync")
def template_globals(app: Quart) -> Mapping[str, Any] | None:
    """Globals for the template engine, by name; they are there in imported templates too, unlike the context."""


@hookspec(kind="collect", colour="sync")
def template_folders(app: Quart) -> Iterable[str] | None:
    """Folders (paths) in which templates are looked for after the application's and the blueprints' own."""


@hookspec(kind="collect", colour="sync")
def template_loaders(app: Quart) -> Iterable[Any] | None:
    """Loaders of the template engine's (jinja2), asked after every folder. Made once for each app."""


@hookspec(kind="notify", colour="async")
async def template_rendering(app: Quart, template: Any, context: dict[str, Any]) -> None:
    """A template is about to be rendered; the context may be changed."""


@hookspec(kind="notify", colour="async")
async def template_rendered(app: Quart, template: Any, context: dict[str, Any]) -> None:
    """A template was rendered, with this context; of one that is streamed, to its end."""


# Background tasks ---------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def background_started(app: Quart, task: asyncio.Task[None]) -> None:
    """A background task begins (`add_background_task`); called in it, before its function."""


@hookspec(kind="notify", colour="async")
async def background_failed(app: Quart, error: BaseException) -> None:
    """A background task ended with an error; called in it."""


@hookspec(kind="notify", colour="async")
async def background_finished(app: Quart, task: asyncio.Task[None]) -> None:
    """A background task is over, in whatever way; called in it, as the last."""


# The rest -----------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def message_flashed(app: Quart, message: str, category: str) -> None:
    """`flash()` was called; the message is in the session by now."""
