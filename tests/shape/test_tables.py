"""The public tables, mutated and assigned after the first connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.routing import Map

from quart_plug import Blueprint, Quart, Response, url_for, websocket
from quart_plug.routing import QuartRule


@pytest.fixture
async def app() -> Quart:
    """An app that had its first request and its first websocket, with a blueprint."""
    app = Quart(__name__)
    part = Blueprint("part", __name__, url_prefix="/part")

    for scaffold in (app, part):

        @scaffold.route("/")
        async def index() -> str:
            return "index"

        @scaffold.websocket("/ws")
        async def ws() -> None:
            await websocket.send("ws")

    app.register_blueprint(part)
    assert await get(app) == "index"
    assert await get(app, "/part/") == "index"
    assert await connect(app) == "ws"
    return app


async def get(app: Quart, path: str = "/") -> str:
    response = await app.test_client().get(path)
    return await response.get_data(as_text=True)  # type: ignore[no-any-return]


async def connect(app: Quart, path: str = "/ws") -> str:
    async with app.test_client().websocket(path) as connection:
        return str(await connection.receive())


def _append(table: Any, key: Any, value: Any) -> None:
    table[key].append(value)


def _extend(table: Any, key: Any, value: Any) -> None:
    table.setdefault(key, []).extend([value])


def _assign(table: Any, key: Any, value: Any) -> None:
    table[key] = [value]


def _insert(table: Any, key: Any, value: Any) -> None:
    table[key].insert(0, value)


def _add(table: Any, key: Any, value: Any) -> None:
    table[key] += [value]


def _update(table: Any, key: Any, value: Any) -> None:
    table.update({key: [value]})


MUTATIONS = [_append, _extend, _assign, _insert, _add, _update]


@pytest.mark.parametrize("mutate", MUTATIONS)
@pytest.mark.parametrize("key", [None, "part"])
@pytest.mark.parametrize("stage", ["before", "after", "teardown"])
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_functions(app: Quart, kind: str, stage: str, key: Any, mutate: Callable[..., None]) -> None:
    """Take effect from the next connection on, and no longer once they are gone."""
    calls: list[Any] = []
    table = getattr(app, f"{stage}_{kind}_funcs")

    def function(*args: Any) -> Any:
        calls.append(stage)
        return args[0] if stage == "after" else None

    async def run() -> None:
        prefix = "" if key is None else "/part"
        await (get(app, f"{prefix}/") if kind == "request" else connect(app, f"{prefix}/ws"))

    mutate(table, key, function)
    await run()
    assert calls == [stage]
    table[key].remove(function)
    await run()
    assert calls == [stage]
    mutate(table, key, function)
    table.clear()
    await run()
    assert calls == [stage]


@pytest.mark.parametrize("stage", ["before", "after", "teardown"])
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_function_tables_are_assigned(app: Quart, kind: str, stage: str) -> None:
    """As a plain dictionary, or as what they are (`|=`); what is added to them later counts as well."""
    calls: list[Any] = []
    name = f"{stage}_{kind}_funcs"

    def noting(number: int) -> Any:
        def function(*args: Any) -> Any:
            calls.append(number)
            return args[0] if stage == "after" else None

        return function

    async def run() -> list[Any]:
        calls.clear()
        await (get(app) if kind == "request" else connect(app))
        return sorted(calls)

    setattr(app, name, {None: [noting(1)]})
    assert await run() == [1]
    getattr(app, name)[None].append(noting(2))
    assert await run() == [1, 2]
    setattr(app, name, getattr(app, name))
    assert await run() == [1, 2]
    app.__setattr__(name, getattr(app, name).__ior__({"part": [noting(3)]}))
    assert await run() == [1, 2]
    setattr(app, name, {})
    assert await run() == []


async def test_view_functions(app: Quart) -> None:
    async def other() -> str:
        return "other"

    async def third() -> str:
        return "third"

    app.view_functions["index"] = other
    assert await get(app) == "other"
    app.view_functions.update(index=third)
    assert await get(app) == "third"
    original = app.view_functions.pop("index")
    app.view_functions.setdefault("index", other)
    assert await get(app) == "other"
    app.view_functions = {"index": original}
    assert await get(app) == "third"
    app.view_functions["index"] = other
    assert await get(app) == "other"


async def test_decorated_views(app: Quart) -> None:
    """What rate limiters and the like do: wrap every view after the routes were made."""
    for endpoint, function in list(app.view_functions.items()):

        async def wrapped(function: Any = function, **values: Any) -> Any:
            return f"wrapped {await function(**values)}"

        app.view_functions[endpoint] = wrapped
    assert await get(app) == "wrapped index"
    assert await get(app, "/part/") == "wrapped index"


async def test_error_handlers(app: Quart) -> None:
    async def lost(error: Exception) -> tuple[str, int]:
        return "lost", 404

    async def gone(error: Exception) -> tuple[str, int]:
        return "gone", 404

    from quart_plug.exceptions import NotFound

    app.error_handler_spec[None][404][NotFound] = lost
    assert await get(app, "/nowhere") == "lost"
    app.error_handler_spec[None][404] = {NotFound: gone}
    assert await get(app, "/nowhere") == "gone"
    app.error_handler_spec = {None: {404: {NotFound: lost}}}
    assert await get(app, "/nowhere") == "lost"
    app.register_error_handler(404, gone)
    assert await get(app, "/nowhere") == "gone"
    app.error_handler_spec[None].clear()
    assert "not found" in (await get(app, "/nowhere")).lower()


@pytest.mark.parametrize("assigned", [False, True])
async def test_url_value_preprocessors(app: Quart, assigned: bool) -> None:
    seen: list[Any] = []
    if assigned:
        app.url_value_preprocessors = {None: [lambda endpoint, values: seen.append(endpoint)]}
    else:
        app.url_value_preprocessors[None].append(lambda endpoint, values: seen.append(endpoint))
    await get(app)
    await connect(app)
    app.url_value_preprocessors["part"].append(lambda endpoint, values: seen.append("part"))
    await get(app, "/part/")
    assert seen == ["index", "ws", "part.index", "part"]


@pytest.mark.parametrize("assigned", [False, True])
async def test_url_default_functions(app: Quart, assigned: bool) -> None:
    @app.get("/page/<language>")
    async def page(language: str) -> str:
        return url_for("page")

    def language(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("language", "de")

    if assigned:
        app.url_default_functions = {None: [language]}
    else:
        app.url_default_functions[None].append(language)
    assert await get(app, "/page/en") == "/page/de"


@pytest.mark.parametrize("assigned", [False, True])
async def test_teardown_appcontext_funcs(app: Quart, assigned: bool) -> None:
    calls: list[Any] = []
    if assigned:
        app.teardown_appcontext_funcs = [lambda error: calls.append(1)]
    else:
        app.teardown_appcontext_funcs.append(lambda error: calls.append(1))
    await get(app)
    app.teardown_appcontext_funcs.append(lambda error: calls.append(2))
    await connect(app)
    async with app.app_context():
        pass
    assert calls == [1, 1, 2, 1, 2]
    app.teardown_appcontext_funcs.clear()
    await get(app)
    assert calls == [1, 1, 2, 1, 2]


async def test_rules_are_added(app: Quart) -> None:
    """With `add_url_rule`, and to the map itself."""
    assert (await app.test_client().get("/late")).status_code == 404
    app.add_url_rule("/late", "index")
    assert await get(app, "/late") == "index"
    app.url_map.add(QuartRule("/later", endpoint="index", methods={"GET"}))
    assert await get(app, "/later") == "index"
    app.url_map.add(QuartRule("/late-ws", endpoint="ws", methods={"GET"}, websocket=True))
    assert await connect(app, "/late-ws") == "ws"
    assert isinstance(app.url_map, Map)


async def test_a_rule_that_is_added_late_may_win(app: Quart) -> None:
    """A path that led to one rule leads to a better one, though it was asked for before."""

    @app.get("/<name>")
    async def any_name(name: str) -> str:
        return name

    assert await get(app, "/special") == "special"

    @app.get("/special")
    async def special() -> str:
        return "its own"

    assert await get(app, "/special") == "its own"


async def test_error_handlers_and_functions_by_decorator(app: Quart) -> None:
    """Registering late is allowed for the app, and counts."""
    app.before_request(lambda: Response("before"))
    assert await get(app) == "before"
    app.before_request_funcs[None].clear()

    @app.after_request
    async def after(response: Response) -> Response:
        response.headers["x-late"] = "1"
        return response

    assert (await app.test_client().get("/")).headers["x-late"] == "1"


async def test_a_connection_in_flight_keeps_what_it_began_with(app: Quart) -> None:
    calls: list[str] = []

    @app.get("/changes")
    async def changes() -> str:
        app.after_request(lambda response: calls.append("after") or response)
        return "x"

    await get(app, "/changes")
    assert calls == []
    await get(app)
    assert calls == ["after"]
