"""Classes and functions of the app replaced, before and after the first connection; `Quart.__call__` patched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quart_plug import Quart, Request, Response, Websocket, g, request, websocket
from quart_plug.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart_plug.namespace import Globals
from quart_plug.sessions import SecureCookieSessionInterface


@pytest.fixture(params=["subclass", "class", "instance"])
def replace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces an attribute of an app: in its own class, on Quart, or on itself."""

    def do(app: Quart, name: str, value: Any) -> None:
        if request.param == "instance":
            setattr(app, name, value)
        else:
            monkeypatch.setattr(type(app) if request.param == "subclass" else Quart, name, value)

    return do


@pytest.fixture(params=[False, True], ids=["before", "after"])
async def app(request: pytest.FixtureRequest) -> Quart:
    """An app of a class of its own, before or after its first request and websocket."""

    class Sub(Quart):
        pass

    app = Sub(__name__)
    app.secret_key = "a key of the tests"

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/about")
    async def about() -> str:
        return f"{type(request_now()).__name__} {type(g._get_current_object()).__name__}"

    @app.get("/sync")
    def sync() -> str:
        return "sync"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(type(websocket._get_current_object()).__name__)

    if request.param:
        assert await said(app) == "index"
        assert await said_ws(app) == "Websocket"
        await said(app, "/about")
        await said(app, "/sync")
    return app


def request_now() -> Any:
    return request._get_current_object()


async def said(app: Quart, path: str = "/") -> str:
    response = await app.test_client().get(path)
    assert response.status_code == 200
    return await response.get_data(as_text=True)  # type: ignore[no-any-return]


async def said_ws(app: Quart) -> str:
    async with app.test_client().websocket("/ws") as connection:
        return str(await connection.receive())


class OtherRequest(Request):
    @property
    def extra(self) -> str:
        return "extra"


class ConstructedRequest(Request):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made = "by its constructor"


class OtherWebsocket(Websocket):
    pass


class OtherResponse(Response):
    default_mimetype = "text/x-other"


async def test_request_class(app: Quart, replace: Callable[..., None]) -> None:
    replace(app, "request_class", OtherRequest)
    assert await said(app, "/about") == "OtherRequest Globals"

    @app.get("/extra")
    async def extra() -> str:
        return str(request.extra)  # type: ignore[attr-defined]

    assert await said(app, "/extra") == "extra"


async def test_a_request_class_with_a_constructor(app: Quart, replace: Callable[..., None]) -> None:
    replace(app, "request_class", ConstructedRequest)

    @app.get("/made/<int:number>")
    async def made(number: int) -> str:
        return f"{request.made} {number} {request.path} {request.args['a']}"  # type: ignore[attr-defined]

    assert await said(app, "/made/1?a=b") == "by its constructor 1 /made/1 b"


async def test_websocket_class(app: Quart, replace: Callable[..., None]) -> None:
    replace(app, "websocket_class", OtherWebsocket)
    assert await said_ws(app) == "OtherWebsocket"


async def test_response_class(app: Quart, replace: Callable[..., None]) -> None:
    replace(app, "response_class", OtherResponse)
    response = await app.test_client().get("/")
    assert response.mimetype == "text/x-other"


async def test_app_ctx_globals_class(app: Quart, replace: Callable[..., None]) -> None:
    class OtherGlobals(Globals):
        pass

    replace(app, "app_ctx_globals_class", OtherGlobals)
    assert await said(app, "/about") == "Request OtherGlobals"


async def test_ensure_async(app: Quart, replace: Callable[..., None]) -> None:
    """Plain views go through it; so quart-flask-patch and its like work."""
    seen = []

    def ensure_async(*args: Any) -> Any:
        function = args[-1]

        async def call(*given: Any, **named: Any) -> Any:
            seen.append(function.__name__)
            result = function(*given, **named)
            return await result if hasattr(result, "__await__") else result

        return call

    replace(app, "ensure_async", ensure_async)
    assert await said(app, "/sync") == "sync"
    assert seen == ["sync"]


async def test_session_interface(app: Quart, replace: Callable[..., None]) -> None:
    opened = []

    class Noting(SecureCookieSessionInterface):
        async def open_session(self, app: Any, request: Any) -> Any:
            opened.append(request.path)
            return await super().open_session(app, request)

    replace(app, "session_interface", Noting())
    await said(app)
    await said_ws(app)
    assert opened == ["/", "/ws"]


async def test_asgi_http_class(app: Quart, replace: Callable[..., None]) -> None:
    seen = []

    class OtherHTTP(ASGIHTTPConnection):
        async def __call__(self, receive: Any, send: Any) -> None:
            seen.append(self.scope["path"])
            await super().__call__(receive, send)

    replace(app, "asgi_http_class", OtherHTTP)
    assert await said(app) == "index"
    assert seen == ["/"]


async def test_asgi_websocket_class(app: Quart, replace: Callable[..., None]) -> None:
    seen = []

    class OtherWS(ASGIWebsocketConnection):
        async def __call__(self, receive: Any, send: Any) -> None:
            seen.append(self.scope["path"])
            await super().__call__(receive, send)

    replace(app, "asgi_websocket_class", OtherWS)
    await said_ws(app)
    assert seen == ["/ws"]


async def test_create_url_adapter(app: Quart, replace: Callable[..., None]) -> None:
    """An override decides about matching, although paths were matched without it before."""
    original = app.create_url_adapter

    def adapter(*args: Any) -> Any:
        found = original(args[-1])
        if args[-1] is not None and args[-1].path == "/alias":
            assert found is not None
            found.path_info = "/"
        return found

    replace(app, "create_url_adapter", adapter)
    assert await said(app, "/alias") == "index"


async def test_make_default_options_response(app: Quart, replace: Callable[..., None]) -> None:
    async def options(*args: Any) -> Any:
        return app.response_class("options")

    replace(app, "make_default_options_response", options)
    response = await app.test_client().options("/")
    assert await response.get_data(as_text=True) == "options"


async def test_call_is_patched_on_the_class(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Sentry does, for every app, whether it has run or not."""
    seen = []
    original = Quart.__call__

    async def patched(self: Quart, scope: Any, receive: Any, send: Any) -> None:
        seen.append((self, scope["type"]))
        await original(self, scope, receive, send)

    monkeypatch.setattr(Quart, "__call__", patched)
    assert await said(app) == "index"
    await said_ws(app)
    assert seen == [(app, "http"), (app, "websocket")]


async def test_asgi_app_is_wrapped(app: Quart) -> None:
    """`app.asgi_app = Middleware(app.asgi_app)`"""
    seen = []
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]
    assert await said(app) == "index"
    assert seen == ["http"]


async def test_patches_are_undone(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Quart, "response_class", OtherResponse)
        assert (await app.test_client().get("/")).mimetype == "text/x-other"
    assert (await app.test_client().get("/")).mimetype == "text/html"
