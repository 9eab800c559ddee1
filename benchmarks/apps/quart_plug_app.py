"""The cases in quart-plug, all core plugins on."""

from __future__ import annotations

from typing import Any

import quart_plug
from apps.flasklike import build
from apps.rooms import VALUE, Room


def make(case: str) -> Any:
    return build(quart_plug, case, quart_plug.ConnectionClosed)


def room() -> Room:
    app = quart_plug.Quart("bench", plugins=["rooms"])
    websocket = quart_plug.websocket

    async def broadcast(value: Any) -> None:
        await app.rooms.send_json("everybody", value)

    @app.websocket("/room")
    async def enter() -> None:
        await websocket.accept()
        async with app.rooms.join("everybody"):
            async for message in websocket:
                if message == "go":
                    await broadcast(VALUE)

    return Room(app, broadcast)
