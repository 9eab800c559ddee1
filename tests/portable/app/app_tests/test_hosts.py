"""Hosts, subdomains, middleware, and other ways to put an application together."""

from __future__ import annotations

import pytest
from board.hosts import create_hosts, create_subdomains
from helpers import text
from quart import Quart
from quart.testing import WebsocketResponseError


async def test_hosts():
    client = create_hosts().test_client()
    seen = await (await client.get("/", headers={"Host": "a.example"})).get_json()
    assert seen == {"name": "a", "other": "http://b.example/"}
    assert await (await client.get("/", headers={"Host": "api.test"})).get_json() == {"api": "api.test"}
    assert (await client.get("/", headers={"Host": "elsewhere"})).status_code == 404
    assert (await client.get("/static/style.css", headers={"Host": "static.example"})).status_code == 200
    assert (await client.get("/static/style.css", headers={"Host": "a.example"})).status_code == 404
    async with client.websocket("/ws", headers={"Host": "b.example"}) as connection:
        assert await connection.receive() == "b"
    with pytest.raises(WebsocketResponseError):
        async with client.websocket("/ws", headers={"Host": "b.test"}) as connection:
            await connection.receive()


async def test_subdomains():
    client = create_subdomains().test_client()
    seen = await (await client.get("/", headers={"Host": "example.test:8000"})).get_json()
    assert seen["index"] == "example.test:8000"
    assert seen["shop"] == "http://shop.example.test:8000/s/shelf"
    seen = await (await client.get("/", subdomain="ada")).get_json()
    assert seen == {"user": "ada", "home": "http://example.test:8000/"}
    seen = await (await client.get("/s/shelf", subdomain="shop")).get_json()
    assert seen == {"shelf": "/s/shelf", "index": "http://example.test:8000/"}
    assert (await client.get("/s/shelf")).status_code == 404


async def test_middleware(client):
    response = await client.get("/scope")
    assert response.headers["X-Middleware"] == "yes"
    assert await response.get_json() == {"board": "passed through", "type": "http"}
    response = await client.get("/blocked/anything")
    assert (response.status_code, await text(response)) == (451, "blocked")


async def test_subclasses_of_what_an_app_uses(app, client):
    from board.framework import BoardClient, BoardRequest, BoardResponse

    assert isinstance(client, BoardClient)
    assert isinstance(await client.get("/"), BoardResponse)
    async with app.test_request_context("/"):
        from quart import request

        assert isinstance(request._get_current_object(), BoardRequest)


async def test_methods_replaced_on_the_instance():
    app = Quart("replaced")

    @app.get("/")
    async def index():
        return "index"

    original = app.full_dispatch_request

    async def full_dispatch_request(request_context=None):
        response = await original(request_context)
        response.headers["X-Replaced"] = "yes"
        return response

    app.full_dispatch_request = full_dispatch_request
    assert (await app.test_client().get("/")).headers["X-Replaced"] == "yes"


async def test_methods_replaced_in_a_subclass():
    calls = []

    class Own(Quart):
        async def dispatch_request(self, request_context=None):
            calls.append("dispatch")
            return await super().dispatch_request(request_context)

        async def finalize_request(self, result, request_context=None, from_error_handler=False):
            calls.append(f"finalize {from_error_handler}")
            return await super().finalize_request(result, request_context, from_error_handler)

        async def handle_user_exception(self, error):
            calls.append(type(error).__name__)
            return await super().handle_user_exception(error)

        async def do_teardown_request(self, exc, request_context=None):
            calls.append("teardown")
            await super().do_teardown_request(exc, request_context)

        async def make_response(self, result):
            calls.append("make_response")
            return await super().make_response(result)

    app = Own("own")

    @app.get("/")
    async def index():
        return "index"

    client = app.test_client()
    assert await text(await client.get("/")) == "index"
    assert calls == ["dispatch", "finalize False", "make_response", "teardown"]
    calls.clear()
    assert (await client.get("/nowhere")).status_code == 404
    assert calls[:2] == ["dispatch", "NotFound"]
    assert "finalize False" in calls


async def test_one_app_inside_another(app):
    inner = Quart("inner")

    @inner.get("/")
    async def index():
        from quart import request

        return {"root": request.root_path, "path": request.path}

    class Mount:
        def __init__(self, outer):
            self.outer = outer

        async def __call__(self, scope, receive, send):
            if scope.get("path", "").startswith("/inner"):
                scope = {**scope, "root_path": "/inner"}
                await inner(scope, receive, send)
            else:
                await self.outer(scope, receive, send)

    app.asgi_app = Mount(app.asgi_app)
    client = app.test_client()
    assert await (await client.get("/inner/")).get_json() == {"root": "/inner", "path": "/"}
    assert (await client.get("/methods")).status_code == 200
