"""`quart.ctx` and `quart.globals`: what is current, where, and how it is taken along."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from quart_plug import Quart, Response
from quart_plug.ctx import (
    AppContext,
    HTTPException,
    RequestContext,
    WebsocketContext,
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
)
from quart_plug.globals import (
    _cv_app,
    _cv_request,
    _cv_websocket,
    app_ctx,
    current_app,
    g,
    request,
    request_ctx,
    session,
    websocket,
    websocket_ctx,
)
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.route("/item/<int:id>")
    async def item(id: int) -> str:
        return str(id)

    @app.websocket("/ws/<name>")
    async def ws(name: str) -> None:
        await websocket.send(name)

    return app


# Contexts ------------------------------------------------------------------------------------------------------------


@shows("ctx.AppContext", "ctx.AppContext.push", "ctx.AppContext.pop", "globals.app_ctx", "globals._cv_app")
async def test_an_app_context_is_pushed_and_popped(app: Quart) -> None:
    seen: list[Any] = []

    @app.teardown_appcontext
    async def note(error: BaseException | None) -> None:
        seen.append((error, current_app.name))

    context = AppContext(app)
    assert _cv_app.get(None) is None
    await context.push()
    assert current_app._get_current_object() is app  # type: ignore[attr-defined]
    assert app_ctx._get_current_object() is context is _cv_app.get()  # type: ignore[attr-defined]
    assert app_ctx.app is app
    error = LookupError()
    await context.pop(error)

    assert seen == [(error, __name__)]
    with pytest.raises(RuntimeError, match="application context"):
        current_app.name


async def test_contexts_nest_and_end_in_order(app: Quart) -> None:
    other = Quart("other")
    async with app.app_context():
        async with other.app_context():
            assert current_app.name == "other"
        assert current_app.name == __name__
        context = app.app_context()
        with pytest.raises(RuntimeError, match="not pushed"):
            await context.pop()


@shows("ctx.AppContext.copy")
async def test_a_copied_app_context_shares_g(app: Quart) -> None:
    async with app.app_context() as context:
        g.value = "kept"
        copy = context.copy()

    async def elsewhere() -> Any:
        async with copy:
            return g.value

    assert copy is not context
    assert await asyncio.create_task(elsewhere()) == "kept"


@shows("ctx.RequestContext", "ctx.RequestContext.request", "ctx.RequestContext.match_request", "globals.request_ctx")
async def test_a_request_context_matches_its_request(app: Quart) -> None:
    async with app.test_request_context("/item/7", method="GET"):
        made = request._get_current_object()  # type: ignore[attr-defined]
    context = RequestContext(app, made)
    assert context.request is made
    assert context.app is app

    context.match_request()
    assert made.view_args == {"id": 7}
    async with context:
        assert request_ctx._get_current_object() is context  # type: ignore[attr-defined]
        assert request.endpoint == "item"
        assert has_app_context() and current_app.name == __name__

    missing = app.test_request_context("/nothing")
    async with missing:
        assert isinstance(request.routing_exception, NotFound)
        assert request.url_rule is None


async def test_a_request_context_may_be_given_its_session(app: Quart) -> None:
    async with app.test_request_context("/item/7"):
        made = request._get_current_object()  # type: ignore[attr-defined]
    given: Any = {"given": True}
    async with RequestContext(app, made, given):
        assert session["given"] is True


@shows("ctx.RequestContext.auto_pop", "globals._cv_request")
async def test_auto_pop_ends_a_request_context(app: Quart) -> None:
    seen: list[Any] = []

    @app.teardown_request
    async def note(error: BaseException | None) -> None:
        seen.append(error)

    context = app.test_request_context("/item/1")
    await context.push()
    assert _cv_request.get() is context
    assert _cv_websocket.get(None) is None
    await context.auto_pop(None)
    assert seen == [None]
    assert not has_request_context()


@shows(
    "ctx.WebsocketContext",
    "ctx.WebsocketContext.websocket",
    "ctx.WebsocketContext.match_request",
    "ctx.WebsocketContext.auto_pop",
    "globals.websocket_ctx",
    "globals._cv_websocket",
)
async def test_a_websocket_context_matches_its_websocket(app: Quart) -> None:
    async with app.test_websocket_context("/ws/room"):
        made = websocket._get_current_object()  # type: ignore[attr-defined]
    context = WebsocketContext(app, made)
    assert context.websocket is made

    context.match_request()
    assert made.view_args == {"name": "room"}
    await context.push()
    assert websocket_ctx._get_current_object() is context is _cv_websocket.get()  # type: ignore[attr-defined]
    assert _cv_request.get(None) is None
    assert websocket.endpoint == "ws"
    await context.auto_pop(None)
    assert not has_websocket_context()


@shows("ctx.HTTPException")
async def test_a_contexts_routing_exception_is_an_http_exception(app: Quart) -> None:
    async with app.test_request_context("/item/1", method="DELETE"):
        error = request.routing_exception
    assert isinstance(error, HTTPException)
    assert error.code == 405


@shows("ctx.has_app_context", "ctx.has_request_context", "ctx.has_websocket_context")
async def test_which_context_there_is(app: Quart) -> None:
    def there() -> tuple[bool, bool, bool]:
        return has_app_context(), has_request_context(), has_websocket_context()

    assert there() == (False, False, False)
    async with app.app_context():
        assert there() == (True, False, False)
    async with app.test_request_context("/"):
        assert there() == (True, True, False)
    async with app.test_websocket_context("/"):
        assert there() == (True, False, True)


# Functions -----------------------------------------------------------------------------------------------------------


@shows("ctx.after_this_request")
@pytest.mark.parametrize("is_async", [False, True])
async def test_after_this_request_changes_this_response_only(app: Quart, is_async: bool) -> None:
    @app.route("/changed")
    async def changed() -> str:
        def plain(response: Response) -> Response:
            response.headers["X-Changed"] = "yes"
            return response

        async def waiting(response: Response) -> Response:
            return plain(response)

        after_this_request(waiting if is_async else plain)
        return "a"

    client = app.test_client()
    assert (await client.get("/changed")).headers["X-Changed"] == "yes"
    assert "X-Changed" not in (await client.get("/item/1")).headers


async def test_after_this_request_needs_a_request(app: Quart) -> None:
    async with app.app_context():
        with pytest.raises(RuntimeError, match="request context"):
            after_this_request(lambda response: response)


@shows("ctx.after_this_websocket")
async def test_after_this_websocket_is_called_after_the_view(app: Quart) -> None:
    seen: list[Any] = []

    @app.websocket("/after")
    async def after() -> None:
        @after_this_websocket
        async def note(response: Response | None) -> Response | None:
            seen.append(response)
            return response

        await websocket.send("a")
        seen.append("view")

    async with app.test_client().websocket("/after") as test:
        assert await test.receive() == "a"
    assert seen == ["view", None]


@shows("ctx.copy_current_request_context")
@pytest.mark.parametrize("is_async", [False, True])
async def test_a_request_is_taken_along(app: Quart, is_async: bool) -> None:
    @app.route("/along/<value>")
    async def along(value: str) -> Any:
        g.value = value
        session["value"] = value

        def plain() -> Any:
            return [request.path, g.value, session["value"]]

        async def waiting() -> Any:
            return plain()

        function: Any = copy_current_request_context(waiting if is_async else plain)
        return await asyncio.create_task(function())

    response = await app.test_client().get("/along/a")
    assert await response.get_json() == ["/along/a", "a", "a"]

    with pytest.raises(RuntimeError, match="request context"):
        copy_current_request_context(lambda: None)


@shows("ctx.copy_current_websocket_context")
async def test_a_websocket_is_taken_along(app: Quart) -> None:
    @app.websocket("/along")
    async def along() -> None:
        @copy_current_websocket_context
        async def send() -> None:
            await websocket.send(websocket.path)

        await asyncio.create_task(send())

    async with app.test_client().websocket("/along") as test:
        assert await test.receive() == "/along"
    with pytest.raises(RuntimeError, match="websocket context"):
        copy_current_websocket_context(lambda: None)


@shows("ctx.copy_current_app_context")
async def test_an_app_is_taken_along(app: Quart) -> None:
    async with app.app_context():
        g.value = 1

        @copy_current_app_context
        async def read() -> Any:
            return current_app.name, g.value

    assert await asyncio.create_task(read()) == (__name__, 1)
    with pytest.raises(RuntimeError, match="application context"):
        copy_current_app_context(read)


# Globals -------------------------------------------------------------------------------------------------------------


@shows("globals.current_app", "globals.g", "globals.request", "globals.session")
async def test_the_globals_of_a_request(app: Quart) -> None:
    async with app.test_request_context("/item/1?a=b"):
        assert current_app.config is app.config
        assert request.args["a"] == "b"
        session["x"] = 1
        assert session.get("x") == 1 and "x" in session and session.modified
        assert "value" not in g
        g.value = 2
        assert "value" in g and g.get("value") == 2 and list(g) == ["value"]
        assert g.pop("value") == 2 and g.setdefault("other", 3) == 3
        assert g.get("value", "none") == "none"
        with pytest.raises(RuntimeError, match="websocket context"):
            websocket.path


@shows("globals.websocket")
async def test_the_globals_of_a_websocket(app: Quart) -> None:
    async with app.test_websocket_context("/ws/a?b=c"):
        assert websocket.args["b"] == "c"
        session["x"] = 1
        assert session["x"] == 1
        with pytest.raises(RuntimeError, match="request context"):
            request.path


PROXIES = [app_ctx, current_app, g, request, request_ctx, session, websocket, websocket_ctx]


@pytest.mark.parametrize("index", range(len(PROXIES)))
async def test_a_proxy_without_its_context(index: int) -> None:
    proxy: Any = PROXIES[index]
    assert not proxy
    with pytest.raises(RuntimeError, match="context"):
        proxy.anything
