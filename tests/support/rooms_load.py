"""Many members on several servers over one Redis: everybody gets every message of the room, once, and each sender's in
its order. A test runs it small; by hand it can be as large as wanted:

    python -m tests.support.rooms_load --sockets 1000 --messages 10000 --rooms 1
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.redis import Redis
from tests.support.servers import Server
from tests.support.sockets import Socket, allow_files, frame_size, messages, open_sockets

APP = """
from quart_plug import Quart, websocket

app = Quart(__name__, plugins=["rooms"])
app.config["WEBSOCKET_PING_INTERVAL"] = None


@app.websocket("/<room>")
async def talk(room):
    async with app.rooms.join(room):
        await websocket.send("in")
        async for message in websocket:
            await app.rooms.send(room, message)

"""

END = b"end"


@dataclass
class Figures:
    """Seconds, and what came."""

    sockets: int = 0
    sent: int = 0
    delivered: int = 0
    opening: float = 0.0
    talking: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.sockets} sockets opened in {self.opening:.1f} s; {self.sent} messages, {self.delivered} deliveries "
            f"in {self.talking:.1f} s: {self.delivered / self.talking:,.0f} a second"
        )


def environment(url: str, **settings: object) -> dict[str, str]:
    """What makes a server use this Redis; `settings` are of the plugin."""
    return {f"QUART_PLUG_ROOMS__{name.upper()}": str(value) for name, value in {"url": url, **settings}.items()}


def start(stack: ExitStack, folder: Path, url: str, **settings: object) -> Server:
    (folder / "many.py").write_text(APP)
    return stack.enter_context(Server("many", folder, environment=environment(url, **settings)))


async def talk(ports: list[int], sockets: int, count: int, rooms: int, limit: float) -> Figures:
    """So many sockets for each port, spread over rooms, that send `count` messages in all, in turn.

    Raises AssertionError for a message that is missing, twice or in the wrong order, TimeoutError after `limit` s.
    """
    allow_files(len(ports) * sockets + 200)
    figures, clock = Figures(sockets=len(ports) * sockets), time.perf_counter
    begun = clock()
    wanted = [(port, f"/room{n % rooms}", n < rooms and port == ports[0]) for port in ports for n in range(sockets)]
    async with asyncio.timeout(limit):
        opened = await open_sockets(wanted)
    figures.opening = clock() - begun
    members: dict[str, list[Socket]] = defaultdict(list)
    for socket in opened:
        members[socket.path].append(socket)
    texts = [
        (opened[n % len(opened)], f"{n % len(opened)} {n // len(opened)} {'.' * 20}".encode()) for n in range(count)
    ]
    sizes: dict[str, int] = defaultdict(int)
    for socket, text in texts:
        sizes[socket.path] += frame_size(len(text))
    begun = clock()
    for n, (socket, text) in enumerate(texts):
        socket.send(text)
        if n % 100 == 99:
            await asyncio.sleep(0)
    await complete(opened, sizes, limit)
    figures.talking, figures.sent = clock() - begun, count
    for path, there in members.items():  # behind which whatever came twice would be
        there[0].send(END)
        sizes[path] += frame_size(len(END))
    await complete(opened, sizes, limit)
    sent: dict[str, list[bytes]] = defaultdict(list)
    for socket, text in texts:
        sent[socket.path].append(text)
    figures.delivered = sum(len(members[path]) * len(there) for path, there in sent.items())
    for path, there in members.items():
        check(path, there, sent[path])
    for socket in opened:
        socket.transport.abort()
    return figures


async def complete(sockets: list[Socket], sizes: dict[str, int], limit: float) -> None:
    """Wait until each has so many bytes as its path is to have."""
    done = [socket.expect(sizes[socket.path]) for socket in sockets]
    try:
        async with asyncio.timeout(limit):
            await asyncio.gather(*done)
    except TimeoutError:
        missing = sum(max(socket.expected - socket.received, 0) for socket in sockets)
        raise AssertionError(f"{missing} bytes had not come after {limit:g} s") from None


def check(path: str, members: list[Socket], sent: list[bytes]) -> None:
    """Everybody got the same, and one of them got everything once, each sender's messages in its order."""
    assert {socket.received for socket in members} == {members[0].expected}, path
    assert len({socket.digest.digest() for socket in members}) == 1, f"{path}: members have had different messages"
    [kept] = [socket.kept for socket in members if socket.kept is not None]
    *received, end = messages(bytes(kept))
    assert end == END, f"{path}: something came twice"
    assert sorted(received) == sorted(sent), f"{path}: something is missing or there twice"
    following: dict[bytes, int] = defaultdict(int)
    for message in received:
        sender, number, _ = message.split()
        assert int(number) == following[sender], f"{path}: {message!r} is not in its sender's order"
        following[sender] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--sockets", type=int, default=1000, help="for each server")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rooms", type=int, default=1)
    parser.add_argument("--limit", type=float, default=1800, help="seconds")
    options = parser.parse_args()
    allow_files(options.servers * options.sockets + 200)
    with tempfile.TemporaryDirectory(prefix="redis-many-") as name, ExitStack() as stack:
        redis = stack.enter_context(Redis(Path(name)))
        waiting = {"outbox_messages": options.messages + 10, "outbox_bytes": 1 << 30}
        ports = [start(stack, Path(name), redis.url, **waiting).port for _ in range(options.servers)]
        print(asyncio.run(talk(ports, options.sockets, options.messages, options.rooms, options.limit)))


if __name__ == "__main__":
    main()
