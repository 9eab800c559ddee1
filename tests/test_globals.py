"""The names that stand for what is current."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from werkzeug.local import LocalProxy

import quart_plug.globals
from quart_plug import Quart, Request, Websocket, current_app, g, request, session, websocket
from quart_plug.globals import app_ctx, request_ctx, websocket_ctx


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"
    return app


@pytest.mark.parametrize("name", ["current_app", "g", "request", "websocket", "session", "app_ctx", "request_ctx"])
def test_outside_of_any_context(name: str) -> None:
    """A message that says what to enter; asking whether there is one is no error."""
    proxy = getattr(quart_plug.globals, name)
    with pytest.raises(RuntimeError, match="outside of") as caught:
        proxy.anything
    assert "async with" in str(caught.value)
    assert not proxy
    assert "unbound" in repr(proxy)
    assert proxy == proxy
    assert proxy != 1
    assert proxy not in [1, "x"]
    assert dir(proxy) is not None


@pytest.mark.parametrize("name", ["current_app", "g", "request", "websocket", "session", "app_ctx", "request_ctx"])
async def test_the_proxies_are_werkzeugs_to_who_asks(app: Quart, name: str) -> None:
    """Code that wants the object asks `isinstance(x, LocalProxy)`, and takes `x._get_current_object()`."""
    assert isinstance(getattr(quart_plug.globals, name), LocalProxy)
    async with app.app_context():
        assert isinstance(current_app, LocalProxy)
        assert current_app._get_current_object() is app
        assert isinstance(current_app, Quart)


@pytest.mark.parametrize(
    "name",
    ["method", "path", "headers", "args", "cookies", "json", "form", "files", "data", "scheme", "url", "blueprint"],
)
async def test_request_is_the_current_request(app: Quart, name: str) -> None:
    async with app.test_request_context("/path?a=b") as ctx:
        here, there = getattr(request, name), getattr(ctx.request, name)
        for value in (here, there):
            if hasattr(value, "close") and hasattr(value, "__await__"):
                value.close()
        assert type(here) is type(there)
        if not hasattr(here, "__await__"):
            assert here == there


async def test_the_proxies_pass_for_their_object(app: Quart) -> None:
    async with app.test_request_context("/") as ctx:
        assert isinstance(request, Request)
        assert request._get_current_object() is ctx.request  # type: ignore[attr-defined]
        assert request.__wrapped__ is ctx.request  # type: ignore[attr-defined]
        assert (request == ctx.request, request != ctx.request) == (True, False)
        assert hash(request) == hash(ctx.request)
        assert repr(request) == repr(ctx.request)
        assert "path" in dir(request)
        assert bool(request)
        request.mark = 1  # type: ignore[attr-defined]
        assert ctx.request.mark == 1  # type: ignore[attr-defined]
        del request.mark  # type: ignore[attr-defined]
        assert not hasattr(ctx.request, "mark")
        assert request_ctx._get_current_object() is app_ctx._get_current_object() is ctx  # type: ignore[attr-defined]
        assert isinstance(current_app, Quart)
    async with app.test_websocket_context("/") as ctx:
        assert isinstance(websocket, Websocket)
        assert websocket == ctx.websocket
        assert websocket_ctx._get_current_object() is ctx  # type: ignore[attr-defined]


async def test_the_websocket_proxy_is_not_to_be_stored(app: Quart) -> None:
    """In a set or as a key it would mean another connection in each task: an error that says what to store."""
    async with app.test_websocket_context("/") as ctx:
        with pytest.raises(TypeError, match="_get_current_object"):
            {websocket}
        with pytest.raises(TypeError, match="_get_current_object"):
            {websocket: 1}
        assert {ctx.websocket} == {websocket._get_current_object()}  # type: ignore[attr-defined]


async def test_under_the_alias_it_is_a_warning(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quart_plug.globals, "hash_the_proxy", True)
    async with app.test_websocket_context("/") as ctx:
        with pytest.warns(RuntimeWarning, match="_get_current_object"):
            assert {websocket: 1}[ctx.websocket] == 1


async def test_g(app: Quart) -> None:
    async with app.app_context():
        with pytest.raises(AttributeError, match=r"g has no attribute 'user'; set it first, or use g.get"):
            g.user
        assert g.get("user") is None
        assert g.get("user", "x") == "x"
        g.user = "me"
        assert ("user" in g, list(g), g.get("user")) == (True, ["user"], "me")
        assert g.setdefault("user", "other") == "me"
        assert g.pop("user") == "me"
        assert g.pop("user", None) is None
        with pytest.raises(KeyError):
            g.pop("user")
        with pytest.raises(AttributeError, match="'user'"):
            del g.user
        assert repr(g) == "<g of []>"


async def test_session_is_a_mapping(app: Quart) -> None:
    async with app.test_request_context("/"):
        session["a"] = 1
        assert (session["a"], dict(session), len(session)) == (1, {"a": 1}, 1)
        assert copy.copy(dict(session)) == {"a": 1}
        assert session.modified


async def test_quarts_three_variables_hold_the_contexts_of_their_kind(app: Quart) -> None:
    variables = quart_plug.globals._cv_app, quart_plug.globals._cv_request, quart_plug.globals._cv_websocket
    for context, expected in (
        (app.app_context(), (True, False, False)),
        (app.test_request_context("/"), (True, True, False)),
        (app.test_websocket_context("/"), (True, False, True)),
    ):
        async with context as ctx:
            assert tuple(variable.get(None) is ctx for variable in variables) == expected
    for variable in variables:
        with pytest.raises(LookupError):
            variable.get()


async def test_a_forwarded_coroutine_method(app: Quart) -> None:
    async with app.test_request_context("/", method="POST", json={"a": 1}):
        assert await request.get_json() == {"a": 1}
        assert await request.json == {"a": 1}
        assert await request.get_data(as_text=True) == await request.get_data(as_text=True)


async def test_await_attributes_of_proxies(app: Quart) -> None:
    seen: list[Any] = []
    async with app.test_request_context("/", method="POST", form={"a": "b"}):
        seen.append((await request.form)["a"])
        seen.append(dict(await request.files))
    assert seen == ["b", {}]
