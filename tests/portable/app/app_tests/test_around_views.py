"""Around a view: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

import asyncio

import pytest
from helpers import text
from quart import (
    Blueprint,
    Quart,
    after_this_request,
    g,
    render_template_string,
    websocket,
)
from quart.ctx import after_this_websocket


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_after_functions_run_in_reverse_and_change_the_response(app, client):
    app.after_request(lambda response: add(response, "first"))
    app.after_request(lambda response: add(response, "second"))

    def add(response, word):
        response.headers.add("X-Order", word)
        return response

    @app.route("/")
    async def index():
        after_this_request(lambda response: add(response, "this"))
        return "x"

    assert (await client.get("/")).headers.getlist("X-Order") == ["this", "second", "first"]


async def test_after_functions_of_a_websocket(app, client):
    seen = []

    @app.before_websocket
    async def before():
        g.begun = True

    @app.after_websocket
    async def after(response):
        seen.append(("after", response))
        return response

    @app.websocket("/")
    async def socket():
        @after_this_websocket
        async def this(response):
            seen.append(("this", response))
            return response

        await websocket.send(str(g.begun))

    async with client.websocket("/") as connection:
        assert await connection.receive() == "True"
    async with asyncio.timeout(5):
        while len(seen) < 2:
            await asyncio.sleep(0)
    assert seen == [("this", None), ("after", None)]


async def test_a_teardown_function_gets_the_error(app, client):
    errors = []
    app.teardown_request(lambda error: errors.append(type(error)))
    app.add_url_rule("/", "view", lambda: 1 / 0)
    assert (await client.get("/")).status_code == 500
    assert errors == [ZeroDivisionError]


async def test_functions_of_a_blueprint_for_all(app, client):
    part = Blueprint("part", __name__)
    calls = []
    part.before_app_request(lambda: calls.append("before"))
    part.after_app_request(lambda response: calls.append("after") or response)
    part.teardown_app_request(lambda error: calls.append("teardown"))
    part.app_context_processor(lambda: {"word": "given"})
    part.app_url_defaults(lambda endpoint, values: values.setdefault("q", "1"))
    part.app_url_value_preprocessor(lambda endpoint, values: calls.append(endpoint))
    part.app_errorhandler(404)(lambda error: ("app's", 404))
    app.register_blueprint(part)

    @app.route("/")
    async def index():
        return await render_template_string("{{ word }} {{ url_for('index') }}")

    assert await text(await client.get("/")) == "given /?q=1"
    assert calls == ["index", "before", "after", "teardown"]
    assert await text(await client.get("/nowhere")) == "app's"
