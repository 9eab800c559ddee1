"""What programs keep on the app, on a request and on a websocket, and what they put in the place of Quart's own."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from quart import Blueprint, Quart, Request, Response, current_app, g, request, websocket
from quart.cli import AppGroup
from quart.globals import app_ctx


async def text_of(app: Quart, path: str = "/", **options: Any) -> str:
    response = await app.test_client().get(path, **options)
    return await response.get_data(as_text=True)


def test_the_logger_is_replaced() -> None:
    app = Quart(__name__)
    app.logger = logging.getLogger("shop")
    assert app.logger.name == "shop"
    del app.logger
    assert app.logger.name == app.name


def test_the_name_is_replaced() -> None:
    app = Quart(__name__)
    app.name = "shop"
    assert app.name == "shop"


def test_the_commands_are_replaced() -> None:
    app, blueprint = Quart(__name__), Blueprint("admin", __name__)
    app.cli, blueprint.cli = AppGroup("shop"), AppGroup("admin")
    assert (app.cli.name, blueprint.cli.name) == ("shop", "admin")


async def test_the_template_environment_is_replaced() -> None:
    from jinja2 import DictLoader, Environment

    app = Quart(__name__)
    app.jinja_env = Environment(loader=DictLoader({"page": "from a dictionary"}), enable_async=True)
    from quart import render_template

    async with app.app_context():
        assert await render_template("page") == "from a dictionary"


NAMES = ["db", "hooks", "plugins", "router", "table", "slot", "sweep", "state", "clients", "__sockets__", "version"]


async def test_an_app_has_room_for_anything() -> None:
    """Whatever it is called: these names are free in Quart."""
    app = Quart(__name__)
    kept = {name: object() for name in NAMES}
    for name, value in kept.items():
        setattr(app, name, value)

    @app.before_request
    async def before() -> None:
        assert {name: getattr(current_app, name) for name in NAMES} == kept

    @app.route("/")
    async def index() -> str:
        return "served"

    @app.websocket("/")
    async def socket() -> None:
        await websocket.send("served")

    async with app.test_app():
        assert await text_of(app) == "served"
        async with app.test_client().websocket("/") as client:
            assert await client.receive() == "served"
    assert {name: getattr(app, name) for name in NAMES} == kept


async def test_a_subclass_has_room_for_anything() -> None:
    class Shop(Quart):
        hooks = ["on_order"]

        def router(self) -> str:
            return "its own"

        def table(self, name: str) -> str:
            return name

        def slot(self) -> int:
            return 7

    app = Shop(__name__)

    @app.route("/")
    async def index() -> dict[str, Any]:
        return {"all": [current_app.hooks, current_app.router(), current_app.table("x"), current_app.slot()]}

    response = await app.test_client().get("/")
    assert await response.get_json() == {"all": [["on_order"], "its own", "x", 7]}


async def test_a_subclass_sets_attributes_before_its_constructor() -> None:
    class Shop(Quart):
        def __init__(self, name: str) -> None:
            self.blueprints_of_mine: dict[str, Blueprint] = {}
            self.static_prefix = "/s"
            super().__init__(name, static_url_path=self.static_prefix)

    assert Shop(__name__).static_url_path == "/s"


async def test_a_request_carries_the_user() -> None:
    app = Quart(__name__)

    @app.before_request
    async def before() -> None:
        request.user = SimpleNamespace(name="ann")
        request.remote_addr = "203.0.113.9"

    @app.route("/")
    async def index() -> str:
        assert request._get_current_object().user is request.user
        assert getattr(request, "tenant", None) is None
        return f"{request.user.name} {request.remote_addr}"

    assert await text_of(app) == "ann 203.0.113.9"


@pytest.mark.parametrize("name", ["id", "state", "closed", "closed_by", "close_code", "user", "end", "left", "fail"])
async def test_a_websocket_carries_what_is_set_on_it(name: str) -> None:
    """Whatever it is called, through the proxy or on the object."""
    app = Quart(__name__)
    clients: set[Any] = set()

    @app.websocket("/")
    async def socket() -> None:
        connection = websocket._get_current_object()
        setattr(websocket, name, "mine")
        clients.add(connection)
        assert (getattr(connection, name), getattr(websocket, name)) == ("mine", "mine")
        try:
            while True:
                await websocket.send(await websocket.receive())
        finally:
            clients.remove(connection)

    async with app.test_client().websocket("/") as client:
        await client.send("x")
        assert await client.receive() == "x"
        assert [getattr(connection, name) for connection in clients] == ["mine"]
    for _ in range(100):
        if not clients:
            break
        await asyncio.sleep(0.001)
    assert not clients


async def test_connections_are_taken_out_of_a_list_through_the_proxy() -> None:
    """`clients.append(websocket._get_current_object())`, and later `clients.remove(websocket)`."""
    app = Quart(__name__)
    clients: list[Any] = []
    left = asyncio.Event()

    @app.websocket("/")
    async def socket() -> None:
        clients.append(websocket._get_current_object())
        try:
            while True:
                await websocket.send(await websocket.receive())
        except asyncio.CancelledError:
            assert websocket == clients[0]
            clients.remove(websocket)
            left.set()
            raise

    async with app.test_client().websocket("/") as client:
        await client.send("x")
        await client.receive()
    await asyncio.wait_for(left.wait(), 5)
    assert clients == []


async def test_a_context_gets_another_namespace() -> None:
    app = Quart(__name__)
    async with app.app_context():
        app_ctx.g = SimpleNamespace(user="ann")
        assert g.user == "ann"


async def test_a_subclass_of_request_adds_properties() -> None:
    class ShopRequest(Request):
        @property
        def user(self) -> str:
            return self.headers.get("X-User", "nobody")

    app = Quart(__name__)
    app.request_class = ShopRequest

    @app.route("/")
    async def index() -> str:
        return request.user

    assert await text_of(app, headers={"X-User": "ann"}) == "ann"


async def test_tables_are_replaced() -> None:
    """By plain dictionaries; what is registered afterwards counts as well."""
    app = Quart(__name__)
    log: list[str] = []

    @app.before_request
    async def old() -> None:
        log.append("old")

    app.before_request_funcs = {}
    app.view_functions = {}

    @app.before_request
    async def new() -> None:
        log.append("new")

    @app.route("/")
    async def index() -> Response:
        return Response("served")

    assert await text_of(app) == "served"
    assert log == ["new"]
