"""The ceiling: an ASGI callable that does the same by hand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from apps.rooms import VALUE, Room

TEXT = (b"content-type", b"text/plain; charset=utf-8")
JSON = (b"content-type", b"application/json")


async def reply(send: Any, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def plain(scope: Any, receive: Any, send: Any) -> None:
    await reply(send, b"Hello, World!", TEXT)


async def as_json(scope: Any, receive: Any, send: Any) -> None:
    await reply(send, json.dumps({"message": "Hello, World!", "id": 7, "ok": True}).encode(), JSON)


async def param(scope: Any, receive: Any, send: Any) -> None:
    _, _, id_, _, slug = scope["path"].split("/")
    await reply(send, json.dumps({"id": int(id_), "slug": slug}).encode(), JSON)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await reply(send, json.dumps(json.loads(body)).encode(), JSON)


async def suspend(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0)
    await reply(send, b"Hello, World!", TEXT)


async def header(scope: Any, receive: Any, send: Any) -> None:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            await reply(send, value, TEXT)
            return


async def after(scope: Any, receive: Any, send: Any) -> None:
    await reply(send, b"Hello, World!", TEXT, (b"x-after", b"1"))


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": json.dumps(json.loads(message["text"]))})


APPS = {
    "plain": plain,
    "json": as_json,
    "param": param,
    "echo": echo,
    "suspend": suspend,
    "header": header,
    "after": plain,
    "after, header": after,
    "websocket": websocket,
}


def make(case: str) -> Any:
    return APPS.get(case)


def room() -> Room:
    sends: list[Any] = []

    async def broadcast(value: Any) -> None:
        text = json.dumps(value)
        for send in sends:
            await send({"type": "websocket.send", "text": text})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        sends.append(send)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                sends.remove(send)
                return
            if message.get("text") == "go":
                await broadcast(VALUE)

    return Room(app, broadcast)
