"""The application: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

import logging

import pytest
from helpers import text
from quart import (
    Quart,
    Response,
    abort,
    current_app,
    g,
    session,
    websocket,
)
from quart.testing import WebsocketResponseError


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_files_of_the_application(tmp_path):
    (tmp_path / "a.txt").write_text("resource")
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "b.txt").write_text("of the instance")
    app = Quart("files", root_path=str(tmp_path), instance_path=str(instance))
    async with await app.open_resource("a.txt") as file:
        assert await file.read() == b"resource"
    async with await app.open_instance_resource("b.txt", "r") as file:
        assert await file.read() == "of the instance"


async def test_the_logger(app, caplog):
    assert app.logger.name == "details"
    with caplog.at_level(logging.INFO, "details"):
        app.logger.info("told %s", "you")
    assert "told you" in caplog.text
    app.debug = True
    assert app.logger is logging.getLogger("details")


async def test_g_has_a_class(app):
    from quart.ctx import AppContext

    class Own(type(app).app_ctx_globals_class):
        def greet(self):
            return f"hello {self.name}"

    app.app_ctx_globals_class = Own
    async with app.app_context() as context:
        g.name = "Ada"
        assert g.greet() == "hello Ada"
        assert context is None or isinstance(context, AppContext)


async def test_extensions_are_kept(app):
    class Extension:
        def __init__(self, app=None):
            if app is not None:
                self.init_app(app)

        def init_app(self, app):
            app.extensions["own"] = self
            app.config.setdefault("OWN_SETTING", 5)
            app.before_request(self.before)

        async def before(self):
            g.own = current_app.config["OWN_SETTING"]

    Extension(app)
    app.add_url_rule("/", "view", lambda: str(g.own))
    assert await text(await app.test_client().get("/")) == "5"


async def test_the_response_class_of_a_view(app, client):
    class Own(Response):
        default_mimetype = "application/x-own"
        default_status = 203

    app.response_class = Own
    app.add_url_rule("/", "view", lambda: "x")
    response = await client.get("/")
    assert (response.status_code, response.mimetype) == (203, "application/x-own")


async def test_a_view_that_is_replaced(app, client):
    app.add_url_rule("/", "view", lambda: "before")
    assert await text(await client.get("/")) == "before"
    app.view_functions["view"] = lambda: "after"
    assert await text(await client.get("/")) == "after"


async def test_clients_without_cookies(app):
    app.add_url_rule("/", "view", lambda: session.update(n=session.get("n", 0) + 1) or str(session["n"]))
    client = app.test_client(use_cookies=False)
    assert [await text(await client.get("/")) for _ in range(2)] == ["1", "1"]
    client = app.test_client()
    assert [await text(await client.get("/")) for _ in range(2)] == ["1", "2"]
    client.delete_cookie("localhost.local", "session")


async def test_a_websocket_that_is_refused_by_closing(app, client):
    @app.websocket("/")
    async def socket():
        await websocket.close(1000)

    with pytest.raises(Exception) as caught:
        async with client.websocket("/") as connection:
            await connection.receive()
    assert not isinstance(caught.value, TimeoutError)


async def test_json_over_a_websocket(app, client):
    @app.websocket("/")
    async def socket():
        data = await websocket.receive_json()
        await websocket.send_json({"got": data})
        await websocket.send_json(1, 2)
        await websocket.send_json(a=1)

    async with client.websocket("/") as connection:
        await connection.send_json({"a": "ü"})
        assert await connection.receive_json() == {"got": {"a": "ü"}}
        assert await connection.receive_json() == [1, 2]
        assert await connection.receive_json() == {"a": 1}


async def test_what_a_websocket_knows(app, client):
    @app.websocket("/<int:n>")
    async def socket(n):
        await websocket.send_json(
            {
                "path": websocket.path, "args": websocket.args.getlist("a"), "header": websocket.headers["X-A"],
                "url": websocket.url, "host": websocket.host, "scheme": websocket.scheme, "values": websocket.view_args,
                "rule": websocket.url_rule.rule, "endpoint": websocket.endpoint, "cookies": dict(websocket.cookies),
                "blueprint": websocket.blueprint, "secure": websocket.is_secure, "full": websocket.full_path,
            }
        )  # fmt: skip

    client.set_cookie("localhost", "c", "v")
    async with client.websocket("/3?a=1&a=2", headers={"X-A": "x"}) as connection:
        assert await connection.receive_json() == {
            "path": "/3", "args": ["1", "2"], "header": "x", "url": "ws://localhost/3?a=1&a=2", "host": "localhost",
            "scheme": "ws", "values": {"n": 3}, "rule": "/<int:n>", "endpoint": "socket", "cookies": {"c": "v"},
            "blueprint": None, "secure": False, "full": "/3?a=1&a=2",
        }  # fmt: skip


async def test_a_websocket_whose_before_function_aborts(app, client):
    app.before_websocket(lambda: abort(403))

    @app.websocket("/")
    async def socket():
        await websocket.send("never")

    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/") as connection:
            await connection.receive()
    assert caught.value.response.status_code == 403
