"""Writes down what happens to a connection, in its order.

An app in which every place that Quart has for a function notes that it was called; a client that notes what is sent.

An event is a line such as `before_request parent` or `after_request app.1 (200)`. A scenario lets chosen places do
something (raise an error, return an answer) after they were noted, and chooses the error handlers that there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from blinker import ANY

from quart_plug import Blueprint, Quart, signals
from quart_plug.sessions import SecureCookieSession, SessionInterface

LIMIT = 10.0  # seconds; nothing here waits for the clock


class Boom(Exception):
    pass


class ServerStopped(Exception):
    pass


@dataclass(frozen=True)
class Scenario:
    """A connection, and what happens during it.

    path, method  of the request; the method WEBSOCKET is a websocket, LIFESPAN a start-up and a shutdown.
    acts          place -> what it does: an exception class to raise, a value to return, or a function to call with the
                  recorder.
    handlers      who ("app", "parent", "child") -> what error handlers are for, codes and exception classes.
    says          what the client of a websocket sends.
    """

    path: str = "/"
    method: str = "GET"
    acts: dict[str, Any] = field(default_factory=dict)
    handlers: dict[str, list[Any]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()

    async def play(self) -> list[str]:
        """The events, in their order."""
        recorder = Recorder(self)
        app = recorder.app(**self.config)
        if self.method == "WEBSOCKET":
            return await recorder.websocket(app, self.path, self.says)
        if self.method == "LIFESPAN":
            return await recorder.lifespan(app)
        return await recorder.http(app, self.path, self.method)


def events(text: str) -> list[str]:
    """The events that a text lists, with commas between them."""
    return [" ".join(event.split()) for event in text.split(",")]


class Recorder:
    """The events of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.events: list[str] = []
        self.acts = scenario.acts
        self.handlers = scenario.handlers
        self.leaves = asyncio.Event()  # set: the client leaves

    def note(self, place: str, detail: Any = None) -> Any:
        """Write an event down, and do what the scenario wants there; what is returned is for the place to return."""
        if isinstance(detail, BaseException):
            detail = type(detail).__name__
        self.events.append(place if detail is None else f"{place} ({detail})")
        act = self.acts.get(place)
        if isinstance(act, type):
            raise act
        return act(self) if callable(act) else act

    async def anote(self, place: str, detail: Any = None) -> Any:
        result = self.note(place, detail)
        return await result if hasattr(result, "__await__") else result

    # The app --------------------------------------------------------------------------------------------------------

    def app(self, **config: Any) -> Quart:
        app = Quart(__name__)
        app.config.update(config)
        app.session_interface = NotedSessions(self)
        parent = Blueprint("parent", __name__, url_prefix="/parent")
        child = Blueprint("child", __name__, url_prefix="/child")
        for name, scaffold in (("app", app), ("parent", parent), ("child", child)):
            self._add_functions(name, scaffold)
        self._add_app_functions(app, parent)
        for scaffold, prefix in ((app, ""), (child, "child ")):
            self._add_views(scaffold, prefix)
        parent.register_blueprint(child)
        app.register_blueprint(parent)
        inner = app.asgi_app

        async def noted(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, lambda message: self._sent(send, message))

        app.asgi_app = noted  # type: ignore[method-assign]
        app.logger.disabled = True
        return app

    def _add_functions(self, name: str, scaffold: Any) -> None:
        """Two functions of each sort: a coroutine function and a plain one."""

        def values(endpoint: str | None, values: Any) -> None:
            self.note(f"url_value_preprocessor {name}", endpoint)

        def context() -> dict[str, Any]:
            self.note(f"context_processor {name}")
            return {}

        scaffold.url_value_preprocessor(values)
        scaffold.context_processor(context)
        for number in (1, 2):
            for kind in ("request", "websocket"):
                getattr(scaffold, f"before_{kind}")(self._before(f"before_{kind} {name}.{number}", number == 2))
                getattr(scaffold, f"after_{kind}")(self._after(f"after_{kind} {name}.{number}", number == 2))
                getattr(scaffold, f"teardown_{kind}")(self._teardown(f"teardown_{kind} {name}.{number}", number == 2))
        for what in self.handlers.get(name, ()):
            title = what if isinstance(what, int) else what.__name__
            scaffold.register_error_handler(what, self._handler(f"errorhandler {name} {title}"))

    def _add_app_functions(self, app: Quart, parent: Blueprint) -> None:
        for kind in ("request", "websocket"):
            getattr(parent, f"before_app_{kind}")(self._before(f"before_app_{kind} parent", False))
            getattr(parent, f"after_app_{kind}")(self._after(f"after_app_{kind} parent", False))
            getattr(parent, f"teardown_app_{kind}")(self._teardown(f"teardown_app_{kind} parent", False))
        app.teardown_appcontext(self._teardown("teardown_appcontext 1", False))
        app.teardown_appcontext(self._teardown("teardown_appcontext 2", True))
        for number in (1, 2):
            app.before_serving(self._before(f"before_serving {number}", number == 2))
            app.after_serving(self._before(f"after_serving {number}", number == 2))
            app.while_serving(self._while(f"while_serving {number}"))

    def _before(self, place: str, plain: bool) -> Callable[[], Any]:
        async def before() -> Any:
            return await self.anote(place)

        return (lambda: self.note(place)) if plain else before

    def _after(self, place: str, plain: bool) -> Callable[[Any], Any]:
        async def after(response: Any) -> Any:
            made = await self.anote(place, getattr(response, "status_code", response))
            return response if made is None else made

        def plain_after(response: Any) -> Any:
            self.note(place, getattr(response, "status_code", response))
            return response

        return plain_after if plain else after

    def _teardown(self, place: str, plain: bool) -> Callable[[Any], Any]:
        async def teardown(error: BaseException | None) -> None:
            await self.anote(place, error)

        return (lambda error: self.note(place, error)) if plain else teardown

    def _while(self, place: str) -> Callable[[], Any]:
        async def during() -> Any:
            await self.anote(f"{place} starts")
            yield
            await self.anote(f"{place} ends")

        return during

    def _handler(self, place: str) -> Callable[[Any], Any]:
        async def handler(error: Exception) -> Any:
            made = await self.anote(place, error)
            return ("handled", 418) if made is None else made

        return handler

    def _add_views(self, scaffold: Any, prefix: str) -> None:
        @scaffold.get("/")
        async def index() -> Any:
            made = await self.anote(f"{prefix}view")
            return "index" if made is None else made

        @scaffold.post("/only-post/")
        async def only_post() -> str:
            self.note(f"{prefix}view")
            return "posted"

        @scaffold.websocket("/ws")
        async def ws() -> Any:
            made = await self.anote(f"{prefix}view")
            self.note(f"{prefix}view ends")
            return made

    # Signals and messages ---------------------------------------------------------------------------------------------

    @contextmanager
    def listening(self, app: Quart) -> Iterator[None]:
        """Note every signal."""
        with ExitStack() as stack:
            for name in SIGNALS:
                signal = getattr(signals, name)
                # These two have the message as sender.
                sender = ANY if name in ("websocket_received", "websocket_sent") else app
                receiver = self._receiver(name)
                signal.connect(receiver, sender)
                stack.callback(signal.disconnect, receiver)
            yield

    def _receiver(self, name: str) -> Callable[..., Any]:
        async def receiver(sender: Any, **values: Any) -> None:
            detail = values.get("message", values.get("exception", values.get("exc")))
            if values.get("response") is not None:
                detail = values["response"].status_code
            await self.anote(name, detail if isinstance(sender, Quart) else sender)

        return receiver

    async def _sent(self, send: Any, message: Any) -> None:
        """Note what is sent; of a body its end."""
        detail = message.get("status", message.get("text", message.get("code")))
        if not message.get("more_body"):
            await self.anote(f"-> {message['type']}", detail)
        await send(message)

    # Connections, as a server makes them ----------------------------------------------------------------------------

    async def http(self, app: Quart, path: str, method: str) -> list[str]:
        """The events of a request; the last one is the error that came out of the app, if one did."""
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.leaves.set()

        return await self._call(app, {**_scope("http", path), "method": method}, messages, send)

    async def websocket(self, app: Quart, path: str, says: tuple[str, ...]) -> list[str]:
        """The events of a websocket, whose client leaves when the app has closed it."""
        messages = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": text} for text in says)]

        async def send(message: Any) -> None:
            if message["type"] in ("websocket.close", "websocket.http.response.body"):
                self.leaves.set()

        scope = {**_scope("websocket", path), "subprotocols": [], "extensions": {"websocket.http.response": {}}}
        return await self._call(app, scope, messages, send)

    async def lifespan(self, app: Quart) -> list[str]:
        """The events of a start-up and a shutdown."""
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def send(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                raise ServerStopped

        return await self._call(app, {"type": "lifespan", "asgi": {"version": "3.0"}}, messages, send)

    async def _call(self, app: Quart, scope: Any, messages: list[Any], send: Any) -> list[str]:
        async def receive() -> Any:
            if messages:
                return messages.pop(0)
            await self.leaves.wait()
            return {"type": f"{scope['type']}.disconnect", "code": 1001}

        with self.listening(app):
            try:
                async with asyncio.timeout(LIMIT):
                    await app(scope, receive, send)
            except ServerStopped:
                pass  # it does not tell of the shutdown of what did not start
            except Exception as error:
                self.note("raised", error)
        return self.events


def _scope(type_: str, path: str) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": type_,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http" if type_ == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


SIGNALS = (
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_background_exception",
    "got_request_exception",
    "got_serving_exception",
    "got_websocket_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "template_rendered",
    "websocket_finished",
    "websocket_received",
    "websocket_sent",
    "websocket_started",
    "websocket_tearing_down",
)


class NotedSessions(SessionInterface):
    """Opens a session for everybody and saves it nowhere."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    async def open_session(self, app: Any, request: Any) -> SecureCookieSession:
        await self.recorder.anote("open_session")
        return SecureCookieSession()

    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        await self.recorder.anote("save_session", getattr(response, "status_code", response))
