"""The cases in Starlette."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from cases import ITEMS, PAGE
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket, WebSocketDisconnect

from apps.rooms import VALUE, Room


class After:
    """A pure ASGI middleware, the fastest way that Starlette has."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def after(message: Any) -> None:
            await send(message)

        await self.app(scope, receive, after)


class AfterHeader:
    """The same, with a header."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_header(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-after", b"1"))
            await send(message)

        await self.app(scope, receive, with_header)


class Moments:
    """What before, after and teardown functions are in the case `page`."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["user"] = "Ada"
        try:
            await self.app(scope, receive, send)
        finally:
            del scope["state"]["user"]


def make(case: str) -> Any:
    folder = Path(tempfile.mkdtemp())
    (folder / "page.html").write_text(PAGE)
    templates = Jinja2Templates(directory=folder)

    async def plain(request: Request) -> Response:
        return PlainTextResponse("Hello, World!")

    async def as_json(request: Request) -> Response:
        return JSONResponse({"message": "Hello, World!", "id": 7, "ok": True})

    async def param(request: Request) -> Response:
        return JSONResponse({"id": request.path_params["id"], "slug": request.path_params["slug"]})

    async def echo(request: Request) -> Response:
        return JSONResponse(await request.json())

    async def suspend(request: Request) -> Response:
        await asyncio.sleep(0)
        return PlainTextResponse("Hello, World!")

    async def header(request: Request) -> Response:
        return PlainTextResponse(request.headers["user-agent"])

    async def page(request: Request) -> Response:
        request.session["visits"] = request.session.get("visits", 0) + 1
        context = {"title": "Items", "items": ITEMS, "visits": request.session["visits"]}
        return templates.TemplateResponse(request, "page.html", context)

    async def ws(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_json(await websocket.receive_json())
        except WebSocketDisconnect:
            pass

    middleware = []
    if case == "after":
        middleware = [Middleware(After)]
    if case == "after, header":
        middleware = [Middleware(AfterHeader)]
    if case == "page":
        middleware = [
            Middleware(SessionMiddleware, secret_key="a secret of the benchmark"),
            Middleware(Moments),
        ]
    return Starlette(
        routes=[
            Route("/", plain),
            Route("/json", as_json),
            Route("/user/{id:int}/posts/{slug}", param),
            Route("/echo", echo, methods=["POST"]),
            Route("/suspend", suspend),
            Route("/header", header),
            Route("/page", page),
            WebSocketRoute("/ws", ws),
        ],
        middleware=middleware,
    )


def room() -> Room:
    members: list[WebSocket] = []

    async def broadcast(value: Any) -> None:
        text = json.dumps(value)
        for member in members:
            await member.send_text(text)

    async def enter(websocket: WebSocket) -> None:
        await websocket.accept()
        members.append(websocket)
        try:
            while True:
                if await websocket.receive_text() == "go":
                    await broadcast(VALUE)
        except WebSocketDisconnect:
            members.remove(websocket)

    return Room(Starlette(routes=[WebSocketRoute("/room", enter)]), broadcast)
