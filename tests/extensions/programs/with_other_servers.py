"""Other ends of ASGI: httpx's transport as a client, Uvicorn as a server, asgi-lifespan for start-up and shutdown."""

import asyncio
import socket

import httpx
import uvicorn
from asgi_lifespan import LifespanManager
from quart import Quart, Response, request, session, websocket
from websockets.asyncio.client import connect


def make_app():
    app = Quart("ends")
    app.secret_key = "a secret"
    app.events = []

    @app.before_serving
    async def before():
        app.events.append("started")

    @app.after_serving
    async def after():
        app.events.append("ended")

    @app.post("/upload")
    async def upload():
        files, form = await request.files, await request.form
        session["seen"] = True
        return {"form": form.to_dict(), "file": files["file"].read().decode(), "name": files["file"].filename}

    @app.get("/stream")
    async def stream():
        async def parts():
            for number in range(3):
                yield f"part {number}\n"

        return Response(parts(), mimetype="text/plain")

    @app.get("/seen")
    async def seen():
        return {"seen": session.get("seen", False)}

    @app.websocket("/ws")
    async def ws():
        await websocket.send(f"echo {await websocket.receive()}")

    return app


async def use(client):
    response = await client.post("/upload", data={"a": "1"}, files={"file": ("a.txt", b"content")})
    assert response.json() == {"form": {"a": "1"}, "file": "content", "name": "a.txt"}
    assert (await client.get("/seen")).json() == {"seen": True}
    async with client.stream("GET", "/stream") as response:
        assert [line async for line in response.aiter_lines()] == ["part 0", "part 1", "part 2"]
    assert (await client.get("/nowhere")).status_code == 404


async def test_the_transport_of_httpx():
    app = make_app()
    async with LifespanManager(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            await use(client)
        assert app.events == ["started"]
    assert app.events == ["started", "ended"]


async def test_uvicorn():
    app = make_app()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="websockets-sansio"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.01)
            async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
                await use(client)
            async with connect(f"ws://{address}/ws") as connection:
                await connection.send("hello")
                assert await connection.recv() == "echo hello"
            server.should_exit = True
            await task
    assert app.events == ["started", "ended"]
