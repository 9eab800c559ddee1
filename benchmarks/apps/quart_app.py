"""The cases in Quart: the code of quart-plug, with the other import."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import quart

from apps.flasklike import build
from apps.rooms import VALUE, Room


def make(case: str) -> Any:
    return build(quart, case, asyncio.CancelledError)


def room() -> Room:
    app = quart.Quart("bench")
    websocket = quart.websocket
    queues: set[asyncio.Queue[str]] = set()

    async def broadcast(value: Any) -> None:
        text = json.dumps(value)
        for queue in queues:
            queue.put_nowait(text)

    async def hear() -> None:
        while True:
            if await websocket.receive() == "go":
                await broadcast(VALUE)

    @app.websocket("/room")
    async def enter() -> None:
        await websocket.accept()
        hearing = asyncio.ensure_future(hear())
        queue: asyncio.Queue[str] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                await websocket.send(await queue.get())
        finally:
            queues.discard(queue)
            hearing.cancel()

    return Room(app, broadcast)
