"""An app with rooms: `/<room>` joins, and says to the room what the client says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from quart_plug import Quart, websocket
from quart_plug_rooms import rooms
from tests.support.peers import Peer, until

MakeApp = Callable[..., Quart]


def make(*plugins: Any, **settings: Any) -> Quart:
    app = Quart("shop", plugins=["rooms", *plugins])
    app.config["PLUGIN_CONFIG"] = {"rooms": settings}
    app.extensions["members"] = []

    @app.websocket("/<room>")
    async def visit(room: str) -> None:
        arguments = websocket.args
        options = {name: arguments.get(name, type=int) for name in ("history", "outbox_messages") if name in arguments}
        async with rooms.join(room, arguments.get("user"), arguments.get("info"), **options) as member:  # type: ignore[arg-type]
            app.extensions["members"].append(member)
            async for message in websocket:
                await member.send(message)

    return app


@pytest.fixture
async def make_app() -> AsyncIterator[MakeApp]:
    """Makes apps, and finds what they leave behind: tasks, rooms, entries."""
    made: list[Quart] = []

    def remember(*plugins: Any, **settings: Any) -> Quart:
        made.append(make(*plugins, **settings))
        return made[-1]

    yield remember
    await until(lambda: not [task for task in asyncio.all_tasks() if "quart_plug" in task.get_name()])
    for app in made:
        counts = await app.rooms.counts()
        assert counts["rooms"] == {}
        assert app.rooms.local_counts() == {}
        assert (counts["process"]["waiting"], counts["process"]["waiting_bytes"]) == (0, 0)
        await app.rooms.stop()


async def enter(app: Quart, path: str, **options: Any) -> Peer:
    """Somebody who is in a room."""
    count = len(app.extensions["members"])
    peer = Peer(app, path, **options)
    await until(lambda: len(app.extensions["members"]) > count or peer.task.done())
    return peer
