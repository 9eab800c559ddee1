"""Other clients and adapters of ASGI: async-asgi-testclient, Mangum's events of AWS, a2wsgi around an app of WSGI."""

import asyncio

from a2wsgi import WSGIMiddleware
from async_asgi_testclient import TestClient
from hypercorn.middleware import DispatcherMiddleware
from mangum import Mangum
from quart import Quart, request, session, websocket


def make_app():
    app = Quart("adapters")
    app.secret_key = "a secret"
    app.started = []

    @app.before_serving
    async def before():
        app.started.append(True)

    @app.post("/echo")
    async def echo():
        session["n"] = session.get("n", 0) + 1
        return {"json": await request.get_json(), "n": session["n"], "args": request.args.to_dict()}

    @app.get("/stream")
    async def stream():
        async def parts():
            yield b"a"
            yield b"b"

        return parts()

    @app.websocket("/ws")
    async def ws():
        await websocket.send(await websocket.receive())

    return app


async def test_async_asgi_testclient():
    app = make_app()
    async with TestClient(app) as client:
        assert app.started == [True]
        for number in (1, 2):
            response = await client.post("/echo?a=1", json={"x": number})
            assert response.json() == {"json": {"x": number}, "n": number, "args": {"a": "1"}}
        assert (await client.get("/stream")).text == "ab"
        async with client.websocket_connect("/ws") as connection:
            await connection.send_text("hello")
            assert await connection.receive_text() == "hello"


def test_mangum():
    asyncio.set_event_loop(asyncio.new_event_loop())
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/echo",
        "rawQueryString": "a=1",
        "headers": {"content-type": "application/json", "host": "example.com"},
        "requestContext": {
            "http": {"method": "POST", "path": "/echo", "sourceIp": "10.0.0.1", "protocol": "HTTP/1.1"},
            "domainName": "example.com",
        },
        "body": '{"x": 1}',
        "isBase64Encoded": False,
    }
    app = make_app()
    answer = Mangum(app)(event, {})
    assert answer["statusCode"] == 200
    assert answer["body"] == '{"args":{"a":"1"},"json":{"x":1},"n":1}\n'
    assert app.started == [True]


async def test_wsgi_beside_the_app():
    def wsgi(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    both = DispatcherMiddleware({"/old": WSGIMiddleware(wsgi), "": make_app()})
    async with TestClient(both) as client:
        assert (await client.get("/old/path")).text == "/path"
        assert (await client.get("/stream")).text == "ab"
