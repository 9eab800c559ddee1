"""After 10,000 connections, ended in every way there is, everything is back to where it was."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections import Counter
from typing import Any

from quart_plug import ConnectionClosed, Quart, abort, websocket
from quart_plug.testing.clock import Clock
from quart_plug.wrappers import readers

CONNECTIONS = 10_000
AT_ONCE = 1_000
LIMITS = {
    "WEBSOCKET_ACCEPT_TIMEOUT": 1,
    "WEBSOCKET_SEND_TIMEOUT": 1,
    "WEBSOCKET_RECEIVE_QUEUE": 2,
    "WEBSOCKET_RECEIVE_STALL": 1,
    "WEBSOCKET_DISCONNECT_GRACE": 0.5,
    "WEBSOCKET_MAX_MESSAGE_SIZE": 10,
}
LONG = 3.5  # seconds: more than any of these, twice

# What happens on the wire, and how the application's close looks there: a close code, the status of a refusal, or None
# where the client ends it.
WAYS: dict[str, int | None] = {
    "/returns": 1000,
    "/fails": 1011,
    "/ends": 1000,
    "/closes": 4000,
    "/closed-from-outside": 4001,
    "/read-in-a-task": 4001,
    "/rejects": 451,
    "/rejects undeniable": 403,
    "/closes-early": 403,
    "/aborts": 401,
    "/nowhere": 404,
    "/never-accepts": 403,
    "/reads too large": 1009,
    "/writes unread": 1013,
    "/never-reads flood": 1008,
    "/beats": 1001,
    "/idle": 1001,
    "/joins 1000": None,
    "/joins vanishes": None,
    "/joins unread": 1013,
    "/joins-cancel vanishes": None,
    "/reads 1000": None,
    "/reads 1001": None,
    "/reads 1005": None,
    "/reads 4000": None,
    "/reads vanishes": None,
    "/reads-tasks vanishes": None,
    "/never-reads vanishes": None,
    "/never-reads-cancel vanishes": None,
    "/reads-cancel 1000": None,
    "/never-accepts vanishes": None,
}


class Server:
    """A server's end, and a client that does one thing."""

    def __init__(self, way: str) -> None:
        path, _, self.does = way.partition(" ")
        self.way = way
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "ws",
            "http_version": "1.1",
            "headers": [],
            "subprotocols": [],
            "asgi": {"spec_version": "2.3"},
            "extensions": {} if self.does == "undeniable" else {"websocket.http.response": {}},
        }
        self.connected = self.accepted = False
        self.given = 0
        self.end: int | None = None
        self._news = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self.connected:
            self.connected = True
            return {"type": "websocket.connect"}
        if self.does == "flood" and self.given < 5:
            self.given += 1
            return {"type": "websocket.receive", "text": "x"}
        if self.does == "too large" and not self.given:
            self.given = 1
            return {"type": "websocket.receive", "text": "x" * 11}
        if self.does.isdigit():
            return {"type": "websocket.disconnect", "code": int(self.does), "reason": ""}
        if self.does == "vanishes":
            return {"type": "websocket.disconnect", "code": 1006}
        await self._news.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self.accepted = True
        elif kind == "websocket.close" and self.end is None:
            self.end = message["code"] if self.accepted else 403  # as ASGI has it
        elif kind == "websocket.http.response.start":
            self.end = message["status"]
        elif kind == "websocket.send" and self.does == "unread":
            await self._news.wait()


def make_app(**config: Any) -> Quart:
    app = Quart(__name__, plugins=["rooms"])
    app.config.update(LIMITS, PLUGIN_CONFIG={"rooms": {"reports": False, "history": 0}}, **config)
    app.logger.setLevel(logging.CRITICAL + 1)
    tasks: set[asyncio.Task[Any]] = set()

    @app.websocket("/returns")
    async def returns() -> None:
        await websocket.accept()

    @app.websocket("/fails")
    async def fails() -> None:
        await websocket.accept()
        raise LookupError("an error of the view's")

    @app.websocket("/ends")
    async def ends() -> None:
        await websocket.accept()
        raise ExceptionGroup("several", [ConnectionClosed(1000)])

    @app.websocket("/closes")
    async def closes() -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")

    def soon(function: Any) -> None:
        task = asyncio.create_task(function)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    @app.websocket("/closed-from-outside")
    async def closed_from_outside() -> None:
        await websocket.accept()
        soon(websocket.close(4001))
        await websocket.receive()

    @app.websocket("/read-in-a-task")
    async def read_in_a_task() -> None:
        await websocket.accept()
        reader = asyncio.create_task(websocket.receive())
        await asyncio.sleep(0)
        soon(websocket.close(4001))
        await reader

    @app.websocket("/rejects")
    async def rejects() -> None:
        await websocket.reject(451, "no")

    @app.websocket("/closes-early")
    async def closes_early() -> None:
        await websocket.close(1008)

    @app.websocket("/aborts")
    async def aborts() -> None:
        abort(401)

    @app.websocket("/never-accepts")
    async def never_accepts() -> None:
        await asyncio.sleep(1000)

    @app.websocket("/writes")
    async def writes() -> None:
        while True:
            await websocket.send_json({"a": 1})

    @app.websocket("/beats")
    async def beats() -> None:
        await websocket.accept()
        websocket.heartbeat(0.5, timeout=0.5)
        await websocket.receive()

    async def never_reads() -> None:
        await websocket.accept()
        await asyncio.sleep(1000)

    async def reads() -> None:
        while True:
            await websocket.receive_json()

    async def reads_tasks() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reads())
            group.create_task(asyncio.sleep(1000))

    async def joins() -> None:
        async with app.rooms.join("lobby", user="ada"):
            await app.rooms.send("lobby", "hello")
            await websocket.receive()

    app.websocket("/idle")(reads)
    views = {"/reads": reads, "/never-reads": never_reads, "/reads-tasks": reads_tasks, "/joins": joins}
    for name, view in views.items():
        app.websocket(name, endpoint=name)(view)
        app.websocket(f"{name}-cancel", endpoint=f"{name}-cancel", disconnect="cancel")(view)
    return app


async def connect_many(app: Quart, clock: Clock, ways: list[str]) -> Counter[tuple[str, int | None]]:
    servers = [Server(way) for way in ways]
    calls = [asyncio.create_task(app(each.scope, each.receive, each.send)) for each in servers]  # type: ignore[arg-type]
    await clock.advance(LONG)
    done = [call.done() and not call.cancelled() and call.exception() is None for call in calls]
    assert all(done), {server.way for server, over in zip(servers, done, strict=True) if not over}
    return Counter((server.way, server.end) for server in servers)


def kept() -> tuple[int, int]:
    """How many objects there are that may hold others, and how many blocks of memory."""
    gc.collect()
    return len(gc.get_objects()), sys.getallocatedblocks()


async def test_nothing_is_left_of_ten_thousand_connections() -> None:
    clock = Clock()
    apps = [make_app(), make_app(WEBSOCKET_IDLE_TIMEOUT=1)]
    ways = [way for way in WAYS if way != "/idle"]
    tasks = asyncio.all_tasks()
    for _ in range(2):  # what is made once, such as plans and the sweep
        await connect_many(apps[0], clock, ways)
        await connect_many(apps[1], clock, ["/idle"] * 10)
    objects, blocks = kept()
    seen: Counter[tuple[str, int | None]] = Counter()
    for number in range(CONNECTIONS // AT_ONCE):
        some = [ways[each % len(ways)] for each in range(number, number + AT_ONCE - 50)]
        seen += await connect_many(apps[0], clock, some)
        seen += await connect_many(apps[1], clock, ["/idle"] * 50)
    assert sum(seen.values()) == CONNECTIONS
    # The handshake's time may be over before the sweep has seen that the client has left.
    assert set(seen) - {("/never-accepts vanishes", 403)} == set(WAYS.items()), "each way ends as it should"
    for app in apps:
        counts = await app.rooms.counts()
        assert counts["rooms"] == {}
    assert asyncio.all_tasks() == tasks
    for app in apps:
        assert all(not sweep.suspended and sweep.timer is None for sweep in app._sweeps.values())
    seen.clear()
    after = kept()
    assert after[0] - objects < 500 and after[1] - blocks < 2500, "of so many connections that is nothing"
    assert not any(search._found or search._wanted for search in readers._searches.values())
