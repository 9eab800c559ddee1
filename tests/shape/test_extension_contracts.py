"""What published extensions rely on beyond the public names of Quart.

Replaced classes and steps are in test_replaced_classes.py and test_steps.py, the client in testing/test_client.py;
the extensions themselves run in tests/extensions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, Response, g
from quart_plug.scaffold import Scaffold
from quart_plug.testing import QuartClient


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("a file")
    return Quart("contracts", root_path=str(tmp_path))


async def text(app: Quart, path: str) -> str:
    return await (await app.test_client().get(path)).get_data(as_text=True)


def test_marks_on_send_static_file_are_seen_on_the_static_view(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """quart-schema hides the static route from its document that way."""
    monkeypatch.setattr(app.send_static_file.__func__, "hidden", True, raising=False)  # type: ignore[attr-defined]
    assert getattr(app.view_functions["static"], "hidden", False) is True


@pytest.mark.parametrize("where", ["subclass", "class", "instance"])
async def test_send_static_file_is_replaced_at_any_time(
    app: Quart, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await text(app, "/static/a.txt") == "a file"

    async def own(*args: Any, filename: str) -> str:
        return f"own {filename}"

    if where == "subclass":

        class Own(Quart):
            send_static_file = own  # type: ignore[assignment]  # returns text

        app = Own("contracts", root_path=app.root_path)
    else:
        monkeypatch.setattr(Quart if where == "class" else app, "send_static_file", own)
    assert await text(app, "/static/a.txt") == "own a.txt"
    monkeypatch.undo()


async def test_a_client_class_whose_make_request_has_quarts_parameters(app: Quart) -> None:
    """quart-schema has one: all fifteen (with `self`) by position, in the order of Quart 0.22."""

    class Client(app.test_client_class):  # type: ignore[name-defined,misc]  # an attribute as base class
        async def _make_request(
            self,
            path: str,
            method: str,
            headers: Any,
            data: Any,
            form: Any,
            files: Any,
            query_string: Any,
            json: Any,
            scheme: str,
            root_path: str,
            http_version: str,
            scope_base: Any,
            auth: Any = None,
            subdomain: Any = None,
        ) -> Response:
            if json is not None:
                json = {"wrapped": json}
            response: Response = await super()._make_request(
                path, method, headers, data, form, files, query_string, json, scheme, root_path, http_version,
                scope_base, auth, subdomain,
            )  # fmt: skip
            return response

    app.test_client_class = Client

    @app.post("/")
    async def index() -> Any:
        from quart_plug import request

        return await request.get_json()

    response = await app.test_client().post("/", json=[1])
    assert await response.get_json() == {"wrapped": [1]}
    assert isinstance(app.test_client(), QuartClient)


async def test_route_is_replaced_on_the_class_of_app_and_blueprint(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """sentry-sdk wraps plain views that way, whichever decorator registers them."""
    wrapped: list[str] = []
    old = Scaffold.route

    def route(*args: Any, **options: Any) -> Callable[..., Any]:
        decorate = old(*args, **options)

        def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
            if iscoroutinefunction(view):
                return decorate(view)

            @wraps(view)
            def call(*given: Any, **named: Any) -> Any:
                wrapped.append(view.__name__)
                return view(*given, **named)

            return decorate(call)

        return decorator

    monkeypatch.setattr(Scaffold, "route", route)
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @app.route("/one")
    def one() -> str:
        return "1"

    @app.get("/two")
    def two() -> str:
        return "2"

    @blueprint.post("/three")
    def three() -> str:
        return "3"

    @app.get("/four")
    async def four() -> str:
        return "4"

    app.register_blueprint(blueprint)
    assert [await text(app, path) for path in ("/one", "/two", "/four")] == ["1", "2", "4"]
    await app.test_client().post("/bp/three")
    assert wrapped == ["one", "two", "three"]


async def test_a_step_on_the_class_calls_the_one_before_it(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """quart-flask-patch's: it reads the body first, and has plain functions run on the loop's thread."""
    import threading

    old = Quart.full_dispatch_request
    bodies: list[bytes] = []

    async def full_dispatch_request(self: Quart, request_context: Any = None) -> Any:
        bodies.append(await request_context.request.get_data())
        return await old(self, request_context)

    def ensure_async(self: Quart, function: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(function):
            return function

        async def call(*args: Any, **named: Any) -> Any:
            return function(*args, **named)

        return call

    monkeypatch.setattr(Quart, "full_dispatch_request", full_dispatch_request)
    monkeypatch.setattr(Quart, "ensure_async", ensure_async)
    monkeypatch.setattr(Quart, "ensure_sync", lambda self, function: function, raising=False)

    @app.before_request
    def before() -> None:
        g.thread = threading.current_thread()

    @app.post("/")
    def index() -> dict[str, bool]:
        return {"same": g.thread is threading.current_thread() is threading.main_thread()}

    response = await app.test_client().post("/", data=b"body")
    assert await response.get_json() == {"same": True}
    assert bodies == [b"body"]
    assert app.ensure_sync(len) is len  # type: ignore[attr-defined]


async def test_views_in_the_table_are_wrapped_in_place(app: Quart) -> None:
    """quart-rate-limiter and quart-cors read `view_functions`; dependency injectors replace what is in there."""

    @app.get("/<name>")
    async def index(name: str, greeting: str = "") -> str:
        return f"{greeting} {name}"

    assert await text(app, "/Ada") == " Ada"
    for endpoint, view in list(app.view_functions.items()):
        if endpoint == "index":

            @wraps(view)
            async def injected(*args: Any, view: Any = view, **values: Any) -> Any:
                return await view(*args, **values, greeting="Hello")

            app.view_functions[endpoint] = injected
    assert await text(app, "/Ada") == "Hello Ada"


def test_the_class_of_g_has_its_private_name_too(app: Quart) -> None:
    """quart-depends annotates with it."""
    from quart_plug.ctx import _AppCtxGlobals

    assert app.app_ctx_globals_class is _AppCtxGlobals


def test_the_asgi_callables_are_coroutine_functions(app: Quart) -> None:
    """OpenTelemetry's middleware, servers and adapters tell ASGI 3 from ASGI 2 and from WSGI by that."""
    assert iscoroutinefunction(app.asgi_app)
    assert iscoroutinefunction(app.__call__)


@pytest.mark.parametrize("where", ["subclass", "class", "instance"])
async def test_asgi_app_is_wrapped_at_any_time(app: Quart, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    old = Quart.asgi_app

    async def wrapped(self: Quart, scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        await old(self, scope, receive, send)

    assert await text(app, "/static/a.txt") == "a file"
    if where == "subclass":

        class Own(Quart):
            asgi_app = wrapped

        app = Own("contracts", root_path=app.root_path)
    elif where == "class":
        monkeypatch.setattr(Quart, "asgi_app", wrapped)
    else:
        monkeypatch.setattr(app, "asgi_app", wrapped.__get__(app))
    assert await text(app, "/static/a.txt") == "a file"
    assert seen == ["http"]
    monkeypatch.undo()
    assert await text(app, "/static/a.txt") == "a file"
    assert seen == (["http"] if where != "subclass" else ["http"] * 2)


async def test_a_body_tells_whether_it_is_complete(app: Quart) -> None:
    """asfquart reads what is left of the body before it answers with an error; the name is a private one of Quart's."""
    from quart_plug import request

    @app.post("/")
    async def index() -> list[bool]:
        before = request.body._complete.is_set()
        async for _ in request.body:
            pass
        return [before, request.body._complete.is_set()]

    response = await app.test_client().post("/", data=b"a body")
    assert await response.get_json() == [False, True]


def test_all_tasks_of_a_loop_are_cancelled() -> None:
    """asfquart has its own `run`, which ends with this private function of Quart's."""
    from quart_plug.app import _cancel_all_tasks

    ended: list[str] = []
    told: list[dict[str, Any]] = []
    left: list[asyncio.Task[None]] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("at the end")

    async def begin() -> None:
        left.extend((loop.create_task(waits()), loop.create_task(fails())))
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    try:
        loop.set_exception_handler(lambda _, context: told.append(context))
        loop.run_until_complete(begin())
        _cancel_all_tasks(loop)
        assert asyncio.all_tasks(loop) == set()
        _cancel_all_tasks(loop)
    finally:
        loop.close()
    assert ended == ["waits"]
    assert [str(context["exception"]) for context in told] == ["at the end"]
