"""Rooms over Redis with real servers: two processes of `quart-plug run`, a real Redis, websockets on both."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support import rooms_load
from tests.support.redis import LIMIT, Redis
from tests.support.servers import Server

APP = """
from quart_plug import Quart, request, websocket
from quart_plug_rooms import rooms
from quart_plug_rooms.errors import RoomsUnavailable

app = Quart(__name__, plugins=["rooms"])


@app.websocket("/<room>")
async def talk(room):
    policy = websocket.args.get("policy")
    small = {"policy": policy, "outbox_messages": 8} if policy else {}
    history = int(websocket.args.get("history", 0))
    async with rooms.join(room, user=websocket.args.get("user"), history=history, **small):
        await websocket.send("in")
        async for message in websocket:
            await rooms.send(room, message)


@app.post("/<room>")
async def say(room):
    try:
        return {"number": await rooms.send(room, (await request.get_data()).decode())}
    except RoomsUnavailable as error:
        return {"error": str(error)}, 503


@app.get("/<room>")
async def users(room):
    return {"users": [present.user for present in await rooms.presence(room)]}


@app.get("/")
async def counts():
    return await rooms.counts()
"""

SHORT = {"redis_wait": 1.0, "redis_timeout": 0.5, "redis_presence_expiry": 1.0}


def start(stack: ExitStack, folder: Path, url: str, servers: int = 2, **settings: object) -> list[Server]:
    (folder / "talking.py").write_text(APP)
    environment = rooms_load.environment(url, **settings)
    return [stack.enter_context(Server("talking", folder, environment=environment)) for _ in range(servers)]


def ask(server: Server, path: str, data: str | None = None) -> dict:
    """A request's answer, which is JSON; a failure has it in `error`."""
    try:
        with urllib.request.urlopen(server.url(path), data and data.encode(), timeout=LIMIT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


async def answer(server: Server, path: str, data: str | None = None) -> dict:
    return await asyncio.to_thread(ask, server, path, data)


async def until(server: Server, path: str, wanted: dict) -> None:
    got = None
    async with asyncio.timeout(LIMIT):
        while (got := await answer(server, path)) != wanted:
            pass
    assert got == wanted


@asynccontextmanager
async def member(server: Server, path: str) -> AsyncIterator[ClientConnection]:
    """A websocket that is in its room."""
    async with connect(server.ws(path), ping_interval=None, open_timeout=LIMIT) as connection:
        async with asyncio.timeout(LIMIT):
            while await connection.recv() != "in":
                pass
        yield connection


async def told(connection: ClientConnection, last: str) -> list[str]:
    """What the member is sent, until this."""
    got: list[str] = []
    async with asyncio.timeout(LIMIT):
        while not got or got[-1] != last:
            got.append(await connection.recv())
    return got


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Redis, list[Server]]]:
    """A Redis and two servers that tests share; each test has a room of its own."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(folder))
        yield redis, start(stack, folder, redis.url, **SHORT)


async def test_a_thousand_sockets_on_each_of_two_servers(tmp_path):
    """10,000 messages: each member gets every message of its room, once, and each sender's in its order."""
    rooms_load.allow_files(2300)
    (tmp_path / "many.py").write_text(rooms_load.APP)
    with Redis(tmp_path) as redis, ExitStack() as stack:
        environment = rooms_load.environment(redis.url)
        servers = [stack.enter_context(Server("many", tmp_path, environment=environment)) for _ in range(2)]
        figures = await rooms_load.talk([server.port for server in servers], 1000, 10_000, 200, limit=120)
    assert (figures.sockets, figures.sent, figures.delivered) == (2000, 10_000, 100_000)


async def test_redis_stopped_and_started_again_under_traffic(tmp_path):
    """With its data and without: members on both servers are told that they may have missed something, delivery goes on
    by itself, and nothing comes twice."""
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path, persistence=True))
        servers = start(stack, tmp_path, redis.url, **SHORT | {"redis_wait": LIMIT})
        async with member(servers[0], "/lobby?user=ada") as one, member(servers[1], "/lobby?user=bob") as two:
            sent = 0

            async def talk(messages: int = 25) -> None:
                nonlocal sent
                for _ in range(messages):
                    assert "error" not in await answer(servers[sent % 2], "/lobby", f"{sent}")
                    sent += 1

            await talk()
            for forget in (False, True):
                talking = asyncio.ensure_future(talk(50))
                await asyncio.to_thread(redis.stop)
                if forget:
                    shutil.rmtree(tmp_path / "appendonlydir")
                await asyncio.to_thread(redis.start)
                await talking
            await talk(1)
            for connection in (one, two):
                got = await told(connection, f"{sent - 1}")
                gaps = [json.loads(text) for text in got if text.startswith("{")]
                assert gaps == [{"type": "gap", "room": "lobby", "missed": None}] * 2
                numbers = [int(text) for text in got if not text.startswith("{")]
                assert numbers == sorted(set(numbers))
                assert numbers[:25] == list(range(25)) and sent - len(numbers) <= 4
            await until(servers[0], "/lobby", {"users": ["ada", "bob"]})


async def test_who_is_on_a_server_that_was_killed_vanishes(tmp_path, pair):
    redis, servers = pair
    with ExitStack() as stack:
        [doomed] = start(stack, tmp_path, redis.url, 1, **SHORT)
        async with member(servers[0], "/vanishing?user=ada"), member(doomed, "/vanishing?user=bob"):
            await until(servers[1], "/vanishing", {"users": ["ada", "bob"]})
            doomed.kill()
            await until(servers[1], "/vanishing", {"users": ["ada"]})
    await until(servers[1], "/vanishing", {"users": []})


async def test_history_of_what_another_process_sent(pair):
    _, servers = pair
    for number in range(10):
        assert await answer(servers[0], "/remembered", f"{number}") == {"number": number + 1}
    async with connect(servers[1].ws("/remembered?history=3"), ping_interval=None) as connection:
        assert await told(connection, "in") == ["7", "8", "9", "in"]
        await answer(servers[0], "/remembered", "later")
        assert await told(connection, "later") == ["later"]


async def test_a_redis_that_hangs_fails_what_is_sent_and_goes_on_later(pair):
    redis, servers = pair
    async with member(servers[0], "/hanging") as one, member(servers[1], "/hanging") as two:
        with redis.paused():
            failed = await answer(servers[0], "/hanging", "never")
            assert "a message to the room 'hanging': " in failed["error"] and redis.url in failed["error"]
        async with asyncio.timeout(LIMIT):
            while "error" in await answer(servers[0], "/hanging", "after"):
                pass
        for connection in (one, two):
            assert [text for text in await told(connection, "after") if not text.startswith("{")] == ["after"]


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "disconnect"])
async def test_a_slow_consumer_delays_nobody_and_is_counted(tmp_path, policy):
    """It reads nothing while the other server sends more than the network keeps: the others get everything, and what
    became of the slow one's messages can be seen."""
    count, size = 120, 100_000
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path))
        slow_one, other = start(stack, tmp_path, redis.url, **SHORT | {"redis_wait": LIMIT})
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        small.connect(("127.0.0.1", slow_one.port))
        slow = await connect(
            slow_one.ws(f"/lobby?policy={policy}"),
            sock=small,
            max_queue=1,
            max_size=None,
            ping_interval=None,
            compression=None,
        )
        assert await slow.recv() == "in"
        async with member(slow_one, "/lobby") as fast:
            slow.transport.pause_reading()
            for number in range(count):
                await answer(other, "/lobby", f"{number} ".ljust(size, "."))
                assert (await fast.recv()).split()[0] == f"{number}"
            process = (await answer(slow_one, "/"))["process"]
            assert process["dropped"] > 0 and process["sent"] + process["dropped"] + process["waiting"] == 2 * count
            slow.transport.resume_reading()
            got = []
            async with asyncio.timeout(LIMIT):
                try:
                    while len(got) < count - process["dropped"]:
                        got.append(int((await slow.recv()).split()[0]))
                except Exception:
                    assert policy == "disconnect"
            if policy == "disconnect":
                assert slow.close_code in (1013, 1006) and got == list(range(len(got)))
                await until(slow_one, "/lobby", {"users": [None]})
            else:
                assert got == sorted(set(got)) and len(got) == count - process["dropped"]
                assert (got[-1] == count - 1) == (policy == "drop_oldest")
        await slow.close()
