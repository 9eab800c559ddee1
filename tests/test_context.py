"""Contexts outside of a connection: pushing, popping, sharing, copying."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import (
    Quart,
    after_this_request,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    has_websocket_context,
    request,
    session,
    websocket,
)
from quart_plug.ctx import AppContext, Context


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"
    app.add_url_rule("/<int:number>", "view", lambda number: str(number))
    app.add_websocket("/ws", "ws", lambda: None)
    return app


def which() -> tuple[bool, bool, bool]:
    return has_app_context(), has_request_context(), has_websocket_context()


async def test_an_app_context(app: Quart) -> None:
    assert which() == (False, False, False)
    async with app.app_context():
        assert which() == (True, False, False)
        with pytest.raises(RuntimeError, match="outside of a request context"):
            request.path
    assert which() == (False, False, False)


async def test_a_request_context(app: Quart) -> None:
    async with app.test_request_context("/3?a=b", method="GET") as ctx:
        assert isinstance(ctx, AppContext)
        assert which() == (True, True, False)
        assert (request.view_args, request.args["a"], request.endpoint) == ({"number": 3}, "b", "view")
        assert (ctx.has_request, ctx.has_websocket) == (True, False)
        with pytest.raises(RuntimeError, match="outside of a websocket context"):
            websocket.path
    assert repr(ctx) == f"<request context of {__name__!r}: GET /3>"


async def test_a_websocket_context(app: Quart) -> None:
    async with app.test_websocket_context("/ws") as ctx:
        assert which() == (True, False, True)
        assert websocket.endpoint == "ws"
        with pytest.raises(RuntimeError, match="outside of a request context"):
            request.path
    assert repr(ctx) == f"<websocket context of {__name__!r}: {ctx.websocket.id} /ws>"


async def test_a_context_where_nothing_matches(app: Quart) -> None:
    async with app.test_request_context("/nowhere"):
        assert request.url_rule is None
        assert request.routing_exception is not None


async def test_g_of_an_app_context_is_shared_with_what_is_in_it(app: Quart) -> None:
    """A request's context inside of the app's has the same `g`, as in Flask; another app's has not."""
    async with app.app_context():
        g.mark = 1
        async with app.test_request_context("/1"):
            assert g.mark == 1
            g.more = 2
        assert g.more == 2
        async with Quart("other").app_context():
            assert "mark" not in g
        async with app.app_context():
            assert "mark" not in g


async def test_g_of_a_request_is_shared_with_another_in_it(app: Quart) -> None:
    """As in Flask: an application context is pushed with a request's only when there is none of the app."""
    calls: list[str] = []
    app.teardown_appcontext(lambda error: calls.append("app"))
    app.teardown_request(lambda error: calls.append("request"))
    async with app.test_request_context("/1"):
        g.mark = 1
        async with app.test_request_context("/2"):
            assert g.mark == 1
        assert calls == ["request"]
    assert calls == ["request", "request", "app"]


async def test_nested_pushes_of_one_context(app: Quart) -> None:
    """Teardown runs once, at the last pop."""
    calls: list[Any] = []
    app.teardown_appcontext(lambda error: calls.append(error))
    ctx = app.app_context()
    async with ctx:
        async with ctx:
            assert current_app
        assert calls == []
        assert current_app
    assert calls == [None]


async def test_teardown_gets_the_error_of_the_block(app: Quart) -> None:
    calls: list[Any] = []
    app.teardown_appcontext(lambda error: calls.append(error))
    app.teardown_request(lambda error: calls.append(error))
    error = LookupError()
    with pytest.raises(LookupError):
        async with app.test_request_context("/1"):
            raise error
    assert calls == [error, error]


async def test_misused_pops(app: Quart) -> None:
    one, two = app.app_context(), app.test_request_context("/1")
    with pytest.raises(RuntimeError, match="it is not pushed"):
        await one.pop()
    await one.push()
    await two.push()
    with pytest.raises(RuntimeError, match="it is not the current context"):
        await one.pop()
    await two.pop()
    await one.pop()
    assert not has_app_context()


async def test_the_session_of_a_context(app: Quart) -> None:
    async with app.test_request_context("/1"):
        session["a"] = 1
        assert dict(session) == {"a": 1}
    async with app.app_context():
        with pytest.raises(RuntimeError, match="request context"):
            session["a"]


async def test_after_this_request_needs_one(app: Quart) -> None:
    with pytest.raises(RuntimeError, match="outside of a request context"):
        after_this_request(lambda response: response)
    async with app.test_websocket_context("/ws"):
        with pytest.raises(RuntimeError, match="outside of a request context"):
            after_this_request(lambda response: response)


# Copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_copied_request_context(app: Quart, is_async: bool) -> None:
    async def look() -> tuple[str, int]:
        return request.path, g.mark

    def look_sync() -> tuple[str, int]:
        return request.path, g.mark

    async with app.test_request_context("/1"):
        g.mark = 1
        copied = copy_current_request_context(look if is_async else look_sync)
    assert not has_app_context()
    assert await copied() == ("/1", 1)
    assert await asyncio.create_task(copied()) == ("/1", 1)
    assert not has_app_context()


async def test_a_copied_websocket_context(app: Quart) -> None:
    async def look() -> str:
        return websocket.path

    async with app.test_websocket_context("/ws"):
        copied = copy_current_websocket_context(look)
    assert await copied() == "/ws"


async def test_a_copied_app_context(app: Quart) -> None:
    async def look() -> Any:
        return current_app.name, g.mark

    async with app.app_context():
        g.mark = 2
        copied = copy_current_app_context(look)
    assert await copied() == (__name__, 2)


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (copy_current_app_context, "application context"),
        (copy_current_request_context, "request context"),
        (copy_current_websocket_context, "websocket context"),
    ],
)
async def test_nothing_to_copy(copy: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"outside of an? {message}"):
        copy(lambda: None)


async def test_teardown_is_for_a_copy_as_well(app: Quart) -> None:
    """Each call of a copied function ends a context of its own, as in Quart: what it has opened is put away."""
    calls: list[Any] = []
    app.teardown_request(lambda error: calls.append("teardown"))

    async def nothing() -> None: ...

    async with app.test_request_context("/1"):
        copied = copy_current_request_context(nothing)
    assert calls == ["teardown"]
    await copied()
    await copied()
    assert calls == ["teardown"] * 3


async def test_preserved_by_the_client(app: Quart) -> None:
    """`async with app.test_client() as client:` keeps the last request's context to look at."""
    async with app.test_client() as client:
        await client.get("/5")
        assert request.view_args == {"number": 5}
        await client.get("/6")
        assert request.view_args == {"number": 6}
    assert not has_request_context()


async def test_matching_by_hand(app: Quart) -> None:
    """`ctx.match_request()` after the path was changed (0.23)."""
    async with app.test_request_context("/1") as ctx:
        assert isinstance(ctx, Context)
        request.path = "/7"  # type: ignore[misc]
        ctx.match_request()
        assert request.view_args == {"number": 7}
