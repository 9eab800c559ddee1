"""One table of behaviours for requests and websockets: what differs between them is here, as data.

A behaviour is a test that takes `kind` (how to register a view, run a connection, observe it) and `make_app`. It is run
for both kinds, and in each of several `ways`: with every fast exit of the kernel open, and with them closed by
something that changes nothing (a function, a receiver, a hook, an overridden step, a subclass, an eager session).
The expectation is the same every time, so that the ways are equal to each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.datastructures import Headers

import quart_plug.signals
from quart_plug import Quart, Request, Response, Websocket, hookimpl, websocket
from quart_plug.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart_plug.kinds import KINDS
from quart_plug.sessions import SecureCookieSessionInterface
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError


@dataclass
class Outcome:
    """What the client saw.

    status   of the HTTP answer; None for a websocket that was accepted.
    said     the body, or the messages.
    closed   the close code of a websocket that was accepted.
    """

    status: int | None = None
    said: str = ""
    closed: int | None = None
    headers: Headers = field(default_factory=Headers)

    @property
    def succeeded(self) -> bool:
        return self.status == 200 or self.closed == 1000


class Requests:
    name = "request"

    def view(self, scaffold: Any, rule: str, **options: Any) -> Callable[[Any], Any]:
        return scaffold.route(rule, **options)  # type: ignore[no-any-return]

    async def reply(self, text: str) -> Any:
        return text

    def reply_sync(self, text: str) -> Any:
        return text

    async def run(self, app: Quart, path: str = "/", client: Any = None, **options: Any) -> Outcome:
        response = await (client or app.test_client()).get(path, **options)
        return Outcome(response.status_code, await response.get_data(as_text=True), None, response.headers)

    def messages(self) -> list[dict[str, Any]]:
        return [{"type": "http.request", "body": b"", "more_body": False}]

    def scope(self, path: str) -> dict[str, Any]:
        return {"type": "http", "method": "GET", "scheme": "http", **_SCOPE, "path": path}


class Websockets:
    name = "websocket"

    def view(self, scaffold: Any, rule: str, **options: Any) -> Callable[[Any], Any]:
        return scaffold.websocket(rule, **options)  # type: ignore[no-any-return]

    async def reply(self, text: str) -> Any:
        await websocket.send(text)

    async def run(self, app: Quart, path: str = "/", client: Any = None, **options: Any) -> Outcome:
        said = []
        try:
            async with (client or app.test_client()).websocket(path, **options) as connection:
                while True:
                    said.append(str(await connection.receive()))
        except WebsocketResponseError as refusal:
            response = refusal.response
            return Outcome(response.status_code, await response.get_data(as_text=True), None, response.headers)
        except WebsocketDisconnectError as end:
            return Outcome(None, "".join(said), end.code, connection.headers or Headers())

    def messages(self) -> list[dict[str, Any]]:
        return [{"type": "websocket.connect"}]

    def scope(self, path: str) -> dict[str, Any]:
        extensions = {"websocket.http.response": {}}
        own = {"type": "websocket", "scheme": "ws", "subprotocols": [], "extensions": extensions}
        return {**own, **_SCOPE, "path": path}


_SCOPE: dict[str, Any] = {
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}


class Kind:
    """An adapter and what both share."""

    def __init__(self, adapter: Any) -> None:
        self.name: str = adapter.name
        self.view = adapter.view
        self.reply = adapter.reply
        self.run = adapter.run
        self._adapter = adapter

    @property
    def is_request(self) -> bool:
        return self.name == "request"

    def on(self, scaffold: Any, moment: str) -> Callable[[Any], Any]:
        """`before_…`, `after_…`, `teardown_…` and their `…_app_…` forms."""
        return getattr(scaffold, f"{moment}_{self.name}")  # type: ignore[no-any-return]

    def function(self, name: str) -> Any:
        """A public name in which the kind's stands, such as `after_this_{kind}`."""
        return getattr(quart_plug, name.format(kind=self.name))

    def signal(self, moment: str) -> Any:
        names = {"failed": f"got_{self.name}_exception", "teardown": f"{self.name}_tearing_down"}
        return getattr(quart_plug.signals, names.get(moment, f"{self.name}_{moment}"))

    async def run_here(self, app: Quart, path: str = "/") -> list[dict[str, Any]]:
        """Call the app in this very task, as a server does; gives what it sent."""
        inbound, sent = self._adapter.messages(), []

        async def receive() -> Any:
            if inbound:
                return inbound.pop(0)
            return await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            sent.append(message)

        await app(self._adapter.scope(path), receive, send)
        return sent


# The ways ---------------------------------------------------------------------------------------------------------


STEPS = (
    *("handle_{}", "full_dispatch_{}", "preprocess_{}", "dispatch_{}", "finalize_{}", "do_teardown_{}"),
    *("make_response", "process_response", "postprocess_websocket", "handle_exception", "log_exception"),
    *("handle_websocket_exception", "handle_user_exception", "handle_http_exception", "do_teardown_appcontext"),
)
NAMES = tuple(dict.fromkeys(step.format(kind) for step in STEPS for kind in ("request", "websocket")))


def _forwarding(name: str, base: type) -> Any:
    if name == "log_exception":
        return lambda self, *args: getattr(base, name)(self, *args)

    async def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await getattr(base, name)(self, *args, **kwargs)

    return step


class SteppingQuart(Quart):
    """Every step overridden, and handed on."""


for _name in NAMES:
    setattr(SteppingQuart, _name, _forwarding(_name, Quart))


class OtherRequest(Request):
    pass


class OtherResponse(Response):
    pass


class OtherWebsocket(Websocket):
    pass


class OtherHTTP(ASGIHTTPConnection):
    pass


class OtherWS(ASGIWebsocketConnection):
    pass


class ClassyQuart(Quart):
    request_class = OtherRequest
    response_class = OtherResponse
    websocket_class = OtherWebsocket
    asgi_http_class = OtherHTTP
    asgi_websocket_class = OtherWS

    def ensure_async(self, func: Any) -> Any:
        return super().ensure_async(func)


class EagerSessions(SecureCookieSessionInterface):
    """Not lazy, as that promise is not inherited."""


class Bystander:
    """A plugin with every hook of a connection, that does nothing in any of them."""

    @hookimpl
    async def connection(self) -> Any:
        yield

    @hookimpl
    def content_types(self) -> list[Any]:
        return [Unspoken()]


class Unspoken:
    """A codec that no client asks for."""

    media_types = ("application/x-unspoken",)
    subprotocol = "unspoken"

    def dumps(self, obj: Any) -> bytes:
        pytest.fail("an answer was written in a type that nobody asked for")

    def loads(self, data: bytes) -> Any:
        pytest.fail("a message was read in a type that nobody spoke")


async def _look_on() -> None: ...


for _hook in {hook for each in KINDS.values() for hook in each.hooks.values()} - {"connection"} | {
    *("context_pushed", "context_teardown", "context_popped", "route_unmatched"),
}:
    setattr(Bystander, f"in_{_hook}", staticmethod(hookimpl(specname=_hook)(_look_on)))


def _functions(app: Quart) -> None:
    for kind in ("request", "websocket"):
        getattr(app, f"before_{kind}")(lambda: None)
        getattr(app, f"after_{kind}")(lambda response: response)
        getattr(app, f"teardown_{kind}")(lambda error: None)
    app.teardown_appcontext(lambda error: None)
    app.url_value_preprocessor(lambda endpoint, values: None)


def _nothing(sender: Any, **values: Any) -> None:
    pass


@pytest.fixture(params=["open", "functions", "signals", "hooks", "steps", "classes", "sessions", "hosts"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_app(way: str) -> Iterator[Callable[..., Quart]]:
    """Makes an app in whose way every fast exit is open or closed."""
    class_ = {"steps": SteppingQuart, "classes": ClassyQuart}.get(way, Quart)
    with ExitStack() as stack:

        def make(**options: Any) -> Quart:
            app = class_("contract", **options)
            app.secret_key = "a key of the tests"
            if way == "functions":
                _functions(app)
            elif way == "hooks":
                app.hooks.register(Bystander(), "bystander")
            elif way == "sessions":
                app.session_interface = EagerSessions()
            elif way == "hosts":
                app.config["TRUSTED_HOSTS"] = ["localhost"]  # werkzeug's map is asked, and not the hit path
            elif way == "signals":
                for name in quart_plug.signals.__all__:
                    signal = getattr(quart_plug.signals, name)
                    if hasattr(signal, "connected_to"):
                        stack.enter_context(signal.connected_to(_nothing, sender=app))
            return app

        yield make


@pytest.fixture
def app(make_app: Callable[..., Quart]) -> Quart:
    return make_app()


@pytest.fixture(params=[Requests, Websockets], ids=["request", "websocket"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param())
