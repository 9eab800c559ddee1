"""Rules that share an endpoint and differ in their options; before functions before 404 and 405; late converters."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import BaseConverter

from quart_plug import Quart, hookimpl, request, websocket
from quart_plug.ctx import Context


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def ask(app: Quart, path: str, method: str = "GET") -> tuple[int, str]:
    response = await app.test_client().open(path, method=method)
    return response.status_code, await response.get_data(as_text=True)


async def test_methods_of_rules_that_share_an_endpoint(app: Quart) -> None:
    async def view() -> str:
        return request.method

    app.add_url_rule("/read", "shared", view, methods=["GET"])
    app.add_url_rule("/write", "shared", view, methods=["POST"])
    for _ in range(2):
        assert await ask(app, "/read") == (200, "GET")
        assert await ask(app, "/write", "POST") == (200, "POST")
        assert (await ask(app, "/read", "POST"))[0] == 405
        assert (await ask(app, "/write"))[0] == 405


async def test_defaults_of_rules_that_share_an_endpoint(app: Quart) -> None:
    async def view(page: int, **values: Any) -> str:
        return f"{page} {values}"

    app.add_url_rule("/list/", "shared", view, defaults={"page": 1})
    app.add_url_rule("/list/<int:page>", "shared", view)
    app.add_url_rule("/all", "shared", view, defaults={"page": 0, "all": True})
    for _ in range(2):
        assert await ask(app, "/list/") == (200, "1 {}")
        assert await ask(app, "/list/2") == (200, "2 {}")
        assert await ask(app, "/all") == (200, "0 {'all': True}")
    response = await app.test_client().get("/list/1")
    assert (response.status_code, response.location) == (308, "http://localhost/list/")


async def test_values_of_a_rule_are_nobody_elses(app: Quart) -> None:
    """A view or a preprocessor may change the values it is given; the defaults stay as they are."""

    @app.url_value_preprocessor
    def change(endpoint: Any, values: Any) -> None:
        values["page"] += 1

    @app.get("/", defaults={"page": 1})
    async def view(page: int) -> str:
        return str(page)

    assert [await ask(app, "/") for _ in range(3)] == [(200, "2")] * 3


async def test_automatic_options_of_rules_that_share_an_endpoint(app: Quart) -> None:
    async def view() -> str:
        return f"view {request.method}"

    app.add_url_rule("/automatic", "shared", view)
    app.add_url_rule("/own", "shared", view, methods=["GET", "OPTIONS"], provide_automatic_options=False)
    app.add_url_rule("/none", "shared", view, provide_automatic_options=False)
    for _ in range(2):
        assert await ask(app, "/automatic", "OPTIONS") == (200, "")
        assert await ask(app, "/own", "OPTIONS") == (200, "view OPTIONS")
        assert (await ask(app, "/none", "OPTIONS"))[0] == 405
        assert await ask(app, "/automatic") == (200, "view GET")


async def test_subprotocols_and_disconnect_of_rules_that_share_an_endpoint(app: Quart) -> None:
    seen = []

    async def view() -> None:
        from quart_plug.globals import _cv

        ctx: Context = _cv.get()
        seen.append(ctx.plan.disconnect)
        await websocket.accept()

    app.add_websocket("/one", "shared", view, subprotocols=["v1", "v2"], disconnect="cancel")
    app.add_websocket("/two", "shared", view, subprotocols=["v2", "v1"])
    app.add_websocket("/none", "shared", view)
    client = app.test_client()
    chosen = []
    for path in ("/one", "/two", "/none"):
        async with client.websocket(path, subprotocols=["v1", "v2"]) as connection:
            await connection.accept()
            chosen.append(connection.subprotocol)
    assert chosen == ["v1", "v2", None]
    assert seen == ["cancel", "raise", "raise"]


async def test_a_request_and_a_websocket_share_path_and_endpoint(app: Quart) -> None:
    async def view() -> Any:
        if request:
            return "request"
        await websocket.send("websocket")
        return None

    app.add_url_rule("/", "shared", view)
    app.add_websocket("/", "shared", view)
    assert await ask(app, "/") == (200, "request")
    async with app.test_client().websocket("/") as connection:
        assert await connection.receive() == "websocket"


async def test_before_functions_run_before_a_404_and_a_405(app: Quart) -> None:
    calls = []

    @app.before_request
    async def before() -> Any:
        calls.append((request.routing_exception is not None, request.url_rule, request.endpoint))
        return ("maintenance", 503) if request.args.get("answer") else None

    @app.post("/post")
    async def post() -> str:
        return ""

    assert (await ask(app, "/nowhere"))[0] == 404
    assert (await ask(app, "/post"))[0] == 405
    assert await ask(app, "/nowhere?answer=1") == (503, "maintenance")
    assert await ask(app, "/post?answer=1") == (503, "maintenance")
    assert calls == [(True, None, None)] * 4


async def test_a_405_says_what_is_allowed(app: Quart) -> None:
    app.add_url_rule("/", "view", lambda: "", methods=["POST", "PUT"])
    response = await app.test_client().get("/")
    assert response.status_code == 405
    assert response.allow.as_set() == {"post", "put", "options"}


# Converters that plugins bring ------------------------------------------------------------------------------------


class Upper(BaseConverter):
    regex = "[A-Z]+"

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value.upper()


class BringsConverter:
    @hookimpl
    def url_converters(self) -> dict[str, type[BaseConverter]]:
        return {"upper": Upper}


@pytest.mark.parametrize("first", ["request", "websocket", "startup", "url_for", "iter_rules"])
async def test_a_plugins_converter_in_a_rule_before_set_up(first: str) -> None:
    """The rule waits until the plugins are set up, whatever leads to that."""
    app = Quart(__name__, plugins=[BringsConverter()])

    @app.get("/<upper:name>")
    async def view(name: str) -> str:
        return name

    @app.get("/ABC")
    async def fixed() -> str:
        return "fixed"

    @app.websocket("/ws/<upper:name>")
    async def ws(name: str) -> None:
        await websocket.send(name)

    assert not app.plugins_are_set_up
    if first == "websocket":
        async with app.test_client().websocket("/ws/ABC") as connection:
            assert await connection.receive() == "abc"
    elif first == "startup":
        await app.startup()
        await app.shutdown()
    elif first == "url_for":
        app.config["SERVER_NAME"] = "localhost"
        async with app.app_context():
            assert app.url_for("view", name="abc") == "http://localhost/ABC"
    elif first == "iter_rules":
        rules = {rule.rule for rule in app.url_map.iter_rules()}
        assert {"/<upper:name>", "/ABC", "/ws/<upper:name>"} <= rules
    assert await ask(app, "/XYZ") == (200, "xyz")
    assert await ask(app, "/ABC") == (200, "fixed")
    assert (await ask(app, "/xyz"))[0] == 404


async def test_an_unknown_converter_is_an_error_for_every_connection(app: Quart) -> None:
    """No silent half of an app: start-up fails, and so does each request, with the same words."""
    app.add_url_rule("/<upper:name>", "view", lambda name: name)
    app.add_url_rule("/", "index", lambda: "index")
    for path in ("/", "/ABC", "/"):
        with pytest.raises(LookupError, match="'upper', which does not exist"):
            await ask(app, path)
    with pytest.raises(LookupError, match="'upper', which does not exist"):
        await app.startup()
    app.url_map.converters["upper"] = Upper
    assert await ask(app, "/ABC") == (200, "abc")
    assert await ask(app, "/") == (200, "index")
