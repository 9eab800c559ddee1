"""Rows: the seed's six examples, as they stand, from the library `websockets` and from a page in Chromium."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.wire.peers import Peer, browser_peer, library_peer
from tests.wire.rows import EXAMPLES, Wire, row

Open = Callable[[str], AbstractAsyncContextManager[Peer | None]]


async def both(wire: Wire, talk: Callable[[Open], Awaitable[Any]]) -> dict[str, Any]:
    """The same conversation by both clients."""
    ws = wire.server.ws
    return {
        "library": await talk(lambda path: library_peer(ws(path))),
        "browser": await talk(lambda path: browser_peer(wire.page, ws(path))),
    }


def same(talk: Any) -> dict[str, Any]:
    return {"library": talk, "browser": talk}


async def answers(peer: Peer, *messages: str) -> list[Any]:
    """What the server says to each message."""
    heard = []
    for message in messages:
        await peer.send(message)
        heard.append(await peer.receive())
    return heard


@row("the seed's echo", group=EXAMPLES, holds=same(["Echo: hello", "Echo: ünï 🎉", "Echo: "]))
async def example_basic(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        async with open_("/ws") as peer:
            assert peer is not None
            return await answers(peer, "hello", "ünï 🎉", "")

    return await both(wire, talk)


@row(
    "the seed's authentication: refused without the token",
    group=EXAMPLES,
    holds=same(["refused", {"status": "processed", "data": [1], "user": "ada"}]),
)
async def example_authentication(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        async with open_("/secure/ws?token=wrong") as peer:
            refused = "refused" if peer is None else "let in"
        async with open_("/secure/ws?token=valid_token") as peer:
            assert peer is not None
            (heard,) = await answers(peer, "[1]")
            return [refused, json.loads(heard)]

    return await both(wire, talk)


@row(
    "the seed's JSON messages: invalid JSON gets a message, then the close code 1003",
    group=EXAMPLES,
    holds=same([{"a": 1}, "Invalid JSON format", ["closed", 1003, "Invalid data format"]]),
)
async def example_json_messages(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        async with open_("/api/ws") as peer:
            assert peer is not None
            good, bad = await answers(peer, '{"a": 1}', "{")
            return [json.loads(good)["original"], json.loads(bad)["message"], await peer.receive()]

    return await both(wire, talk)


@row(
    "the seed's broadcasting: who comes, speaks and leaves is heard of",
    group=EXAMPLES,
    holds=same(["system", "system", "user_joined", "message", "user_left"]),
)
async def example_broadcasting(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        async with open_("/chat") as ada:
            assert ada is not None
            heard = [json.loads(str(await ada.receive()))["type"]]
            async with open_("/chat") as grace:
                assert grace is not None
                heard.append(json.loads(str(await grace.receive()))["type"])
                heard.append(json.loads(str(await ada.receive()))["type"])
                await grace.send('{"user": "grace", "message": "hello"}')
                heard.append(json.loads(str(await ada.receive()))["type"])
            heard.append(json.loads(str(await ada.receive()))["type"])
            return heard

    return await both(wire, talk)


@row(
    "the seed's error handling: bad messages are answered, and the connection goes on",
    group=EXAMPLES,
    holds=same(["INVALID_JSON", "INVALID_FORMAT", "UNKNOWN_TYPE", "still here"]),
)
async def example_errors(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        async with open_("/ws/robust") as peer:
            assert peer is not None
            *bad, good = await answers(peer, "{", "[]", '{"type": "?"}', '{"type": "echo", "message": "still here"}')
            return [*(json.loads(each)["code"] for each in bad), json.loads(good)["original"]]

    return await both(wire, talk)


@row(
    "the seed's heartbeat, a hundred times as fast",
    group=EXAMPLES,
    holds=same({"heartbeat", "ping", "pong", "Received: x"}),
)
async def example_heartbeat(wire: Wire) -> object:
    async def talk(open_: Open) -> Any:
        heard = set()
        async with open_("/ws/heartbeat") as peer:
            assert peer is not None
            await peer.send("ping")
            await peer.send("x")
            while len(heard) < 4:
                message = str(await peer.receive())
                heard.add(json.loads(message)["type"] if message.startswith("{") else message)
        return heard

    return await both(wire, talk)
