"""The three ASGI connections: http, websocket, lifespan; here a server's call arrives.

The classes can be replaced (`Quart.asgi_http_class` and its relatives). A subclass may override the steps that Quart
0.22's classes have: then those are called, and a task of its own reads the client's messages. As long as none is
overridden, a connection goes the short way in connections.py, which needs neither the class nor the task.

The ASGI specification: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from .concurrency import is_coroutine_function
from .connections import drive, http, websocket
from .ctx import connection_context
from .exceptions import PluginHookError
from .hooks.names import lazy_names
from .kinds import REQUEST, WEBSOCKET
from .reexports import ASGI
from .utils import cancel_tasks
from .wrappers import Request, Response, Websocket
from .wrappers.response_headers import wire_headers

if TYPE_CHECKING:
    from .app import Quart
    from .hooks.origins import Origin
    from .typing import Message, Receive, Scope, Send

__all__ = [
    "ASGIHTTPConnection",
    "ASGILifespan",
    "ASGIWebsocketConnection",
    "Request",
    "Response",
    "Websocket",
    "entry",
    "http",
]

__getattr__, __dir__ = lazy_names(__name__, ASGI)  # what Quart offers here as well


def entry(app: Quart, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    """The coroutine for a connection, by its type."""
    type_ = scope["type"]
    if type_ == "http":
        class_ = app.asgi_http_class
    elif type_ == "websocket":
        class_ = app.asgi_websocket_class
        if class_ is ASGIWebsocketConnection:
            return websocket(app, scope, receive, send)
    elif type_ == "lifespan":
        class_ = app.asgi_lifespan_class
    else:
        raise RuntimeError(
            f"the ASGI scope {type_!r} is not known here; it has to be http, websocket or lifespan"
        )
    return class_(app, scope)(receive, send)  # type: ignore[no-any-return]


def filtering(
    app: Quart, inner: Callable[[Scope, Receive, Send], Awaitable[None]]
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """`inner` behind the functions that plugins gave to the hook `scope_filters`; itself when there are none."""
    app.setup_plugins()
    results = app.plugin_hooks.results("scope_filters", app)
    filters = [(checked_filter(one.value, one.origin), one.origin) for one in results]
    if not filters:
        return inner

    def through(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "lifespan":
            for function, origin in filters:
                try:
                    scope = function(scope)
                except Exception as error:
                    error.add_note(f"In the function that {origin} gave to the hook 'scope_filters'.")
                    raise
        return inner(scope, receive, send)

    return through


def checked_filter(function: Any, origin: Origin) -> Callable[[Scope], Scope]:
    """What a plugin gave to the hook `scope_filters`; PluginHookError when it cannot be called."""
    if not callable(function) or is_coroutine_function(function):
        raise PluginHookError(
            f"{origin} gave {function!r} to the hook 'scope_filters'; it has to be a plain function that takes an ASGI"
            " scope and gives one"
        )
    return function  # type: ignore[no-any-return]  # it is called with a scope


class ASGIHTTPConnection:
    """One request; `Quart.asgi_http_class` may be a subclass."""

    def __init__(self, app: Quart, scope: Scope) -> None:
        self.app = app
        self.scope = scope

    async def __call__(self, receive: Receive, send: Send) -> None:
        if not _overrides(self, ASGIHTTPConnection):
            await http(self.app, self.scope, receive, send)
            return
        ctx = connection_context(self.app, REQUEST, self.scope)
        request = ctx.request
        # Pushed to, as Quart's is: whoever reads the messages gives the body its bytes.
        request.body = request.body_class(request.content_length, request.max_content_length)
        request.body.timeout = request.body_timeout
        async with _listening(self.handle_messages(request, receive)) as left:

            async def disconnect() -> Message:
                await left.wait()
                return {"type": "http.disconnect"}

            ctx.receive = disconnect
            await self.handle_request(request, send)

    async def handle_messages(self, request: Request, receive: Receive) -> None:
        """Give the body what the client sends; return when the client has left."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            request.body.append(message.get("body", b""))
            if not message.get("more_body"):
                request.body.set_complete()

    async def handle_request(self, request: Request, send: Send) -> None:
        """Handle the request, and send the response."""
        ctx = request._ctx
        assert ctx is not None, "a request that this class has made"
        ctx.send = send
        await drive(ctx)


class ASGIWebsocketConnection:
    """One websocket; `Quart.asgi_websocket_class` may be a subclass.

    queue  what the client sent and the view has not read yet: str, bytes, or the ASGI message of the end.
    """

    def __init__(self, app: Quart, scope: Scope) -> None:
        self.app = app
        self.scope = scope
        self.queue: asyncio.Queue[str | bytes | Message] = asyncio.Queue()

    async def __call__(self, receive: Receive, send: Send) -> None:
        if not _overrides(self, ASGIWebsocketConnection):
            await websocket(self.app, self.scope, receive, send)
            return
        ctx = connection_context(self.app, WEBSOCKET, self.scope)
        self.queue.put_nowait({"type": "websocket.connect"})
        async with _listening(self._listen(receive)):
            ctx.receive = self._next_message
            await self.handle_websocket(ctx.websocket, send)

    async def _listen(self, receive: Receive) -> None:
        try:
            await self.handle_messages(receive)
        finally:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1005})  # after the client's own, if any

    async def _next_message(self) -> Message:
        data = await self.queue.get()
        if isinstance(data, str):
            return {"type": "websocket.receive", "text": data}
        if isinstance(data, bytes):
            return {"type": "websocket.receive", "bytes": data}
        return data

    async def handle_messages(self, receive: Receive) -> None:
        """Put what the client sends into the queue; return when the client has left."""
        while True:
            message = await receive()
            if message["type"] == "websocket.receive":
                text = message.get("text")
                await self.queue.put(message["bytes"] if text is None else text)
            elif message["type"] == "websocket.disconnect":
                await self.queue.put(message)
                return

    async def handle_websocket(self, websocket: Websocket, send: Send) -> None:
        """Handle the websocket from its handshake to its end."""
        ctx = websocket._ctx
        assert ctx is not None, "a websocket that this class has made"

        async def by_steps(message: Message) -> None:
            if message["type"] == "websocket.send":
                text = message.get("text")
                await self.send_data(send, message["bytes"] if text is None else text)
            elif message["type"] == "websocket.accept":
                pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
                await self.accept_connection(send, Headers(pairs), message["subprotocol"])
            elif message["type"] == "websocket.close":
                await self.close_connection(send, message.get("code", 1000), message.get("reason", ""))
            else:  # an HTTP answer to the handshake
                await send(message)

        ctx.send = by_steps
        await drive(ctx)

    async def accept_connection(self, send: Send, headers: Headers, subprotocol: str | None) -> None:
        """Send that the handshake is accepted."""
        await send({"type": "websocket.accept", "headers": wire_headers(headers), "subprotocol": subprotocol})

    async def send_data(self, send: Send, data: str | bytes) -> None:
        """Send a message."""
        await send({"type": "websocket.send", "text" if isinstance(data, str) else "bytes": data})

    async def close_connection(self, send: Send, code: int, reason: str) -> None:
        """Send that the connection is closed, or the handshake refused."""
        await send({"type": "websocket.close", "code": code, "reason": reason})


_STEPS = ("accept_connection", "close_connection", "handle_messages", "handle_request", "handle_websocket", "send_data")
_SHIPPED: dict[type, dict[str, Any]] = {
    class_: {name: vars(class_)[name] for name in _STEPS if name in vars(class_)}
    for class_ in (ASGIHTTPConnection, ASGIWebsocketConnection)
}


def _overrides(connection: object, shipped: type) -> bool:
    """Whether a subclass has a step of its own, or somebody has assigned one."""
    return any(getattr(type(connection), name) is not step for name, step in _SHIPPED[shipped].items())


@asynccontextmanager
async def _listening(listener: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Event]:
    """Read the client's messages in a task; the event is set when that has ended. An error of it is raised."""
    left = asyncio.Event()
    task = asyncio.ensure_future(listener)
    task.add_done_callback(lambda task: left.set())
    try:
        yield left
    finally:
        await cancel_tasks({task})


class ASGILifespan:
    """Start-up and shutdown, as told by the server."""

    def __init__(self, app: Quart, scope: Scope) -> None:
        self.app = app

    async def __call__(self, receive: Receive, send: Send) -> None:
        steps = {"startup": self.app.startup, "shutdown": self.app.shutdown}
        while True:
            message = await receive()
            moment = message["type"].removeprefix("lifespan.")
            step = steps.get(moment)
            if step is None:
                continue
            try:
                await step()
            except Exception as error:
                await send({"type": f"lifespan.{moment}.failed", "message": str(error)})
            else:
                await send({"type": f"lifespan.{moment}.complete"})
            if moment == "shutdown":
                return
