"""The cases in BlackSheep."""

from __future__ import annotations

import asyncio
import json as encoder
from typing import Any

from blacksheep import Application, Request, Response, Router, WebSocket, WebSocketDisconnectError, json, text
from cases import ITEMS, PAGE
from jinja2 import DictLoader, Environment

from apps.rooms import VALUE, Room


def make(case: str) -> Any:
    app = Application(router=Router())
    environment = Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True, enable_async=True)

    @app.router.get("/")
    async def plain() -> Response:
        return text("Hello, World!")

    @app.router.get("/json")
    async def as_json() -> Response:
        return json({"message": "Hello, World!", "id": 7, "ok": True})

    @app.router.get("/user/{int:id}/posts/{slug}")
    async def param(id: int, slug: str) -> Response:
        return json({"id": id, "slug": slug})

    @app.router.post("/echo")
    async def echo(request: Request) -> Response:
        return json(await request.json())

    @app.router.get("/suspend")
    async def suspend() -> Response:
        await asyncio.sleep(0)
        return text("Hello, World!")

    @app.router.get("/header")
    async def header(request: Request) -> Response:
        value = request.get_first_header(b"user-agent")
        assert value is not None
        return text(value.decode())

    @app.router.ws("/ws")
    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_json(await websocket.receive_json())
        except WebSocketDisconnectError:
            pass

    if case == "after":

        async def after(request: Request, handler: Any) -> Response:
            response: Response = await handler(request)
            return response

        app.middlewares.append(after)

    if case == "after, header":

        async def after_header(request: Request, handler: Any) -> Response:
            response: Response = await handler(request)
            response.add_header(b"x-after", b"1")
            return response

        app.middlewares.append(after_header)

    if case == "page":
        app.use_sessions("a secret of the benchmark")

        async def moments(request: Request, handler: Any) -> Response:
            user = "Ada"
            try:
                response: Response = await handler(request)
                return response
            finally:
                del user

        app.middlewares.append(moments)

        @app.router.get("/page")
        async def page(request: Request) -> Response:
            request.session["visits"] = request.session.get("visits", 0) + 1
            template = environment.get_template("page.html")
            body = await template.render_async(title="Items", items=ITEMS, visits=request.session["visits"])
            return text(body)

    return app


def room() -> Room:
    app = Application(router=Router())
    members: list[WebSocket] = []

    async def broadcast(value: Any) -> None:
        text = encoder.dumps(value)
        for member in members:
            await member.send_text(text)

    @app.router.ws("/room")
    async def enter(websocket: WebSocket) -> None:
        await websocket.accept()
        members.append(websocket)
        try:
            while True:
                if await websocket.receive_text() == "go":
                    await broadcast(VALUE)
        except WebSocketDisconnectError:
            members.remove(websocket)

    return Room(app, broadcast)
