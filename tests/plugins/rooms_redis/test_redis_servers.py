"""Rooms over Redis with real servers: two processes of `quart-plug run`, a real Redis, websockets on both."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sysconfig
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support import rooms_load
from tests.support.redis import LIMIT, Redis
from tests.support.servers import Server
from tests.support.sockets import Socket, frame_size, messages

APP = """
from quart_plug import Quart, request, websocket
from quart_plug_rooms import rooms
from quart_plug_rooms.errors import RoomsUnavailable

app = Quart(__name__, plugins=["rooms"])
app.config.update(WEBSOCKET_PING_INTERVAL=None, WEBSOCKET_SEND_TIMEOUT=120)


@app.websocket("/<room>")
async def talk(room):
    policy = websocket.args.get("policy")
    outbox = {"policy": policy, "outbox_messages": 8} if policy else {"outbox_bytes": 1 << 30}
    history = int(websocket.args.get("history", 0))
    async with rooms.join(room, user=websocket.args.get("user"), history=history, **outbox):
        await websocket.send("in")
        async for message in websocket:
            await rooms.send(room, message)


@app.post("/<room>")
async def say(room):
    size = int(request.args.get("size", 0))
    try:
        for text in (await request.get_data()).decode().split(","):
            number = await rooms.send(room, text.ljust(size, "."))
        return {"number": number}
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


@dataclass
class Pair:
    """A Redis with persistence, and two servers that use it. Tests share them; each has rooms of its own."""

    redis: Redis
    servers: list[Server]

    def __iter__(self) -> Iterator[Server]:
        return iter(self.servers)


def start(stack: ExitStack, folder: Path, url: str) -> Server:
    (folder / "talking.py").write_text(APP)
    return stack.enter_context(Server("talking", folder, environment=rooms_load.environment(url, **SHORT)))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(folder, persistence=True))
        yield Pair(redis, together(lambda: start(stack, folder, redis.url)))


def together(start: Callable[[], Server]) -> list[Server]:
    """Two servers that are started at the same time."""
    with ThreadPoolExecutor() as threads:
        return [each.result() for each in [threads.submit(start) for _ in range(2)]]


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
    try:
        async with asyncio.timeout(LIMIT):
            while (got := await answer(server, path)) != wanted:
                pass
    except TimeoutError:
        raise AssertionError(f"after {LIMIT:g} s {path} is still {got}, not {wanted}") from None


@asynccontextmanager
async def member(server: Server, path: str) -> AsyncIterator[ClientConnection]:
    """A websocket that is in its room."""
    options = {"ping_interval": None, "open_timeout": LIMIT, "compression": None, "max_size": None}
    async with connect(server.ws(path), **options) as connection:
        await told(connection, "in")
        yield connection


async def told(connection: ClientConnection, last: str) -> list[str]:
    """What the member is sent, until this."""
    got: list[str] = []
    try:
        async with asyncio.timeout(LIMIT):
            while not got or got[-1] != last:
                got.append(await connection.recv())
    except TimeoutError:
        raise AssertionError(f"{last!r} had not come after {LIMIT:g} s, but {got}") from None
    return got


def without_gaps(got: list[str]) -> list[str]:
    return [text for text in got if not text.startswith("{")]


async def test_a_thousand_sockets_on_each_of_two_servers(tmp_path):
    """10,000 messages: each member gets every message of its room, once, and each sender's in its order."""
    rooms_load.allow_files(2300)
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path))
        servers = together(lambda: rooms_load.start(stack, tmp_path, redis.url))
        figures = await rooms_load.talk([server.port for server in servers], 1000, 10_000, 200, limit=120)
    assert (figures.sockets, figures.sent, figures.delivered) == (2000, 10_000, 100_000)


async def test_redis_stopped_and_started_again_under_traffic(pair):
    """With its data and without: members on both servers are told that they may have missed something, delivery goes on
    by itself, and nothing comes twice."""
    first, second = pair
    async with member(first, "/lobby?user=ada") as one, member(second, "/lobby?user=bob") as two:
        accepted: list[int] = []
        tried = 0

        async def talk(messages: int) -> None:
            """So many that are accepted, by the servers in turn."""
            nonlocal tried
            goal = len(accepted) + messages
            while len(accepted) < goal:
                tried += 1
                if "number" in await answer((first, second)[tried % 2], "/lobby", f"{tried}"):
                    accepted.append(tried)

        async def hear_of_a_gap(connection: ClientConnection, got: list[str]) -> None:
            """Before the next restart: two that follow each other at once may be one gap."""
            async with asyncio.timeout(LIMIT):
                while True:
                    got.append(await connection.recv())
                    if got[-1].startswith("{"):
                        return

        got_by: dict[ClientConnection, list[str]] = {one: [], two: []}
        await talk(10)
        before = len(accepted)
        for forget in (False, True):
            talking = asyncio.ensure_future(talk(20))
            await asyncio.to_thread(pair.redis.stop)
            if forget:
                shutil.rmtree(pair.redis.folder / "appendonlydir")
            await asyncio.to_thread(pair.redis.start)
            for connection, got in got_by.items():
                await hear_of_a_gap(connection, got)
            await talking
        await talk(1)
        for connection, got in got_by.items():
            got += await told(connection, f"{accepted[-1]}")
            gaps = [json.loads(text) for text in got if text.startswith("{")]
            assert [(gap["room"], gap["missed"]) for gap in gaps] == [("lobby", None)] * 2
            numbers = [int(text) for text in without_gaps(got)]
            assert numbers == sorted(set(numbers)), "twice, or out of order"
            assert numbers[:before] == accepted[:before]
            assert len(set(accepted) - set(numbers)) <= 4, "more is missing than two restarts may cost"
        await until(first, "/lobby", {"users": ["ada", "bob"]})


async def test_the_command_counts_over_both_processes(pair):
    program = shutil.which("quart-plug", path=sysconfig.get_path("scripts"))
    first, second = pair
    async with member(first, "/counted") as one, member(second, "/counted") as two:
        await answer(first, "/counted", "hello")
        await asyncio.gather(told(one, "hello"), told(two, "hello"))
        asking = await asyncio.create_subprocess_exec(
            *(program, "--app", "talking", "rooms", "--json"),
            cwd=pair.redis.folder,
            env=os.environ | rooms_load.environment(pair.redis.url),
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(LIMIT):
            found = json.loads((await asking.communicate())[0])
    assert (found["backend"], found["shared"], found["notes"]) == ("redis", True, [])
    assert found["rooms"]["counted"] == {"members": 2, "here": 2, "subscribers": 0}
    assert len(found["processes"]) == 2
    for process in found["processes"]:
        assert process["rooms"]["counted"] == {"here": 1, "subscribers": 0}
        assert process["status"]["url"] == pair.redis.url and process["status"]["messages"]["up"]


async def test_who_is_on_a_server_that_was_killed_vanishes(tmp_path, pair):
    first, second = pair
    with ExitStack() as stack:
        doomed = start(stack, tmp_path, pair.redis.url)
        async with member(first, "/vanishing?user=ada"), member(doomed, "/vanishing?user=bob"):
            await until(second, "/vanishing", {"users": ["ada", "bob"]})
            doomed.kill()
            await until(second, "/vanishing", {"users": ["ada"]})
    await until(second, "/vanishing", {"users": []})


async def test_history_of_what_another_process_sent(pair):
    first, second = pair
    for number in range(10):
        assert await answer(first, "/remembered", f"{number}") == {"number": number + 1}
    async with connect(second.ws("/remembered?history=3"), ping_interval=None) as connection:
        assert await told(connection, "in") == ["7", "8", "9", "in"]
        await answer(first, "/remembered", "later")
        assert await told(connection, "later") == ["later"]


async def test_a_redis_that_hangs_fails_what_is_sent_and_goes_on_later(pair):
    first, second = pair
    async with member(first, "/hanging") as one, member(second, "/hanging") as two:
        with pair.redis.paused():
            failed = await answer(first, "/hanging", "never")
            assert "a message to the room 'hanging': it " in failed["error"] and pair.redis.url in failed["error"]
        async with asyncio.timeout(LIMIT):
            while "error" in await answer(first, "/hanging", "after"):
                pass
        for connection in (one, two):
            assert without_gaps(await told(connection, "after")) == ["after"]


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "disconnect"])
async def test_a_slow_consumer_delays_nobody_and_is_counted(pair, policy):
    """It reads nothing while the other server sends more than the network keeps: the others get everything, and what
    became of the slow one's messages can be seen."""
    near, far = pair
    path, count, size = f"/slow-{policy}", 70, 100_000
    before = (await answer(near, "/"))["process"]
    slow = await reluctant(near.port, f"{path}?user=slow&policy={policy}")
    async with member(near, f"{path}?user=fast") as fast:
        await answer(far, f"{path}?size={size}", ",".join(f"{number} " for number in range(count)))
        assert [(await fast.recv()).split()[0] for _ in range(count)] == [f"{number}" for number in range(count)]
        dropped = (await answer(near, "/"))["process"]["dropped"] - before["dropped"]
        assert dropped > 0
        slow.transport.resume_reading()
        async with asyncio.timeout(LIMIT):
            if policy == "disconnect":
                await asyncio.wait([slow.complete])
            else:
                await slow.expect((count - dropped) * frame_size(size))
        got = list(numbers(slow, size))
        assert got == sorted(set(got))
        if policy == "disconnect":
            assert got == list(range(len(got))) and len(got) < count
            await until(near, path, {"users": ["fast"]})
        else:
            assert len(got) == count - dropped and (got[-1] == count - 1) == (policy == "drop_oldest")
            after = (await answer(near, "/"))["process"]
            assert after["sent"] - before["sent"] == count + len(got)
            assert after["dropped"] - before["dropped"] == dropped
    slow.transport.abort()


async def reluctant(port: int, path: str) -> Socket:
    """A member that does not read, and has little room for what comes."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    small.connect(("127.0.0.1", port))
    small.setblocking(False)
    _, slow = await asyncio.get_running_loop().create_connection(lambda: Socket(path, keep=True), sock=small)
    await slow.opened
    slow.transport.pause_reading()
    return slow


def numbers(slow: Socket, size: int) -> Iterator[int]:
    """Of the messages that came whole."""
    stream = bytes(slow.kept or b"")
    for message in messages(stream[: len(stream) // frame_size(size) * frame_size(size)]):
        yield int(message.split()[0])
