"""nonebot2: its Quart driver, with routes of an adapter for requests and websockets."""

import asyncio
from io import BytesIO

import nonebot
from nonebot.drivers import URL, HTTPServerSetup, Request, Response, WebSocketServerSetup
from nonebot.exception import WebSocketClosed
from quart import Quart
from quart.datastructures import FileStorage

closed = []


def make_driver():
    nonebot.init(driver="~quart", log_level="CRITICAL")
    driver = nonebot.get_driver()
    assert driver.type == "quart"
    assert isinstance(driver.server_app, Quart)
    started = []

    @driver.on_startup
    async def start():
        started.append("started")

    @driver.on_shutdown
    async def stop():
        started.append("stopped")

    async def handle(request: Request) -> Response:
        return Response(
            200,
            headers={"x-method": request.method},
            content=f"{request.url.path} {request.url.query.get('a')} {request.json} {request.data}",
        )

    async def files(request: Request) -> Response:
        return Response(200, content=str([(name, file[0], file[1].read()) for name, file in request.files]))

    async def echo(ws):
        await ws.accept()
        try:
            while True:
                data = await ws.receive()
                await (ws.send_text(data.upper()) if isinstance(data, str) else ws.send_bytes(data[::-1]))
        except WebSocketClosed as error:
            closed.append(error.code)

    async def refuse(ws):
        await ws.close(1008, "no")

    driver.setup_http_server(HTTPServerSetup(URL("/hook"), "POST", "hook", handle))
    driver.setup_http_server(HTTPServerSetup(URL("/files"), "POST", "files", files))
    driver.setup_websocket_server(WebSocketServerSetup(URL("/ws"), "echo", echo))
    driver.setup_websocket_server(WebSocketServerSetup(URL("/no"), "refuse", refuse))
    return driver, started


async def test_the_driver():
    driver, started = make_driver()
    async with driver.server_app.test_app() as test_app:
        assert started == ["started"]
        client = test_app.test_client()
        response = await client.post("/hook?a=1", json={"b": 2})
        assert await response.get_data(as_text=True) == "/hook 1 {'b': 2} None"
        assert response.headers["X-Method"] == "POST"
        response = await client.post("/files", files={"f": FileStorage(BytesIO(b"content"), filename="a.txt")})
        assert "('f', 'a.txt', b'content')" in await response.get_data(as_text=True)
        async with client.websocket("/ws") as connection:
            await connection.send("hello")
            assert await connection.receive() == "HELLO"
            await connection.send(b"abc")
            assert await connection.receive() == b"cba"
            await connection.disconnect()
        for _ in range(200):
            if closed:
                break
            await asyncio.sleep(0.01)
        assert len(closed) == 1
    assert started == ["started", "stopped"]
