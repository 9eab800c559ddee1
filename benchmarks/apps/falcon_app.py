"""The cases in Falcon."""

from __future__ import annotations

import asyncio
from typing import Any

import falcon.asgi
from falcon import WebSocketDisconnected


class Plain:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.text = "Hello, World!"
        resp.content_type = falcon.MEDIA_TEXT


class Json:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.media = {"message": "Hello, World!", "id": 7, "ok": True}


class Param:
    async def on_get(self, req: Any, resp: Any, id: int, slug: str) -> None:
        resp.media = {"id": id, "slug": slug}


class Echo:
    async def on_post(self, req: Any, resp: Any) -> None:
        resp.media = await req.get_media()


class Suspend:
    async def on_get(self, req: Any, resp: Any) -> None:
        await asyncio.sleep(0)
        resp.text = "Hello, World!"


class Header:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.text = req.get_header("User-Agent")


class Websocket:
    async def on_websocket(self, req: Any, ws: Any) -> None:
        await ws.accept()
        try:
            while True:
                await ws.send_media(await ws.receive_media())
        except WebSocketDisconnected:
            pass


class After:
    async def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        pass


class AfterHeader:
    async def process_response(self, req: Any, resp: Any, resource: Any, req_succeeded: bool) -> None:
        resp.set_header("X-After", "1")


def make(case: str) -> Any:
    if case == "page":
        return None  # Falcon has neither sessions nor templates
    middleware = {"after": [After()], "after, header": [AfterHeader()]}
    app = falcon.asgi.App(middleware=middleware.get(case))
    app.add_route("/", Plain())
    app.add_route("/json", Json())
    app.add_route("/user/{id:int}/posts/{slug}", Param())
    app.add_route("/echo", Echo())
    app.add_route("/suspend", Suspend())
    app.add_route("/header", Header())
    app.add_route("/ws", Websocket())
    return app
