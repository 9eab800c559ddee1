"""Many websockets: what a broadcast costs, and what one costs that nobody uses.

    ws broadcast            one message to 10,000 members of a room, in this process
    ws broadcast, uvicorn   the same over loopback, until the last client has it; by uvicorn's own command
    ws idle memory          bytes of an accepted websocket that waits for a message, beyond bare ASGI; 10,000 open

Each row is for a table of run.py: times by framework, or bytes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apps.rooms import MODULES, VALUE, Room, make
from members import Clients, Members

HERE = Path(__file__).parent
MEMBERS = 10_000
BROADCAST_TARGET = 3.0  # × a bare loop of sends
SERVED_TARGET = 1.2  # × a bare loop of sends on the same server
IDLE_TARGET = 4096  # bytes beyond bare ASGI

BROADCAST, SERVED, IDLE = "ws broadcast", "ws broadcast, uvicorn", "ws idle memory"
SOCKET_CASES = [BROADCAST, SERVED, IDLE]


async def measure_broadcast(names: list[str], rounds: int, count: int = MEMBERS) -> dict[str, list[float]]:
    """Seconds for each member, by framework, in turn."""
    rooms: dict[str, tuple[Room, Members]] = {}
    for name in names:
        if name in MODULES:
            room = make(name)
            if hasattr(room.app, "start"):
                await room.app.start()
            members = Members(room.app, "/room", count)
            await members.open()
            rooms[name] = room, members
    times: dict[str, list[float]] = {name: [] for name in rooms}
    gc.collect()
    for round_ in range(rounds + 1):
        for name, (room, members) in rooms.items():
            await room.broadcast(VALUE)  # in a server no other framework ran before
            await members.everybody_got(2 * round_ + 1)
            start = time.perf_counter()
            await room.broadcast(VALUE)
            await members.everybody_got(2 * round_ + 2)
            elapsed = (time.perf_counter() - start) / count
            if round_:
                times[name].append(elapsed)
    for _, members in rooms.values():
        await members.close()
    return times


async def measure_served(names: list[str], rounds: int, count: int = MEMBERS) -> dict[str, list[float]]:
    """The same with a server and sockets; the clients are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    servers = [name for name in names if name in MODULES]
    each = count + 100
    if hard < each * len(servers):  # all clients are in this process
        count = hard // len(servers) - 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, each * len(servers)), hard))
    times: dict[str, list[float]] = {name: [] for name in servers}
    running: dict[str, Clients] = {}
    stack = [_server(name) for name in servers]
    try:
        for name, server in zip(servers, stack, strict=True):
            running[name] = Clients(await server.__aenter__(), count)
            await running[name].open()
        gc.collect()
        for round_ in range(rounds + 1):
            for name, clients in running.items():
                elapsed = await clients.broadcast() / count
                if round_:
                    times[name].append(elapsed)
    finally:
        for clients in running.values():
            await clients.close()
        for server in stack[: len(running)]:
            await server.__aexit__(None, None, None)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return times


@asynccontextmanager
async def _server(framework: str) -> AsyncIterator[int]:
    """uvicorn in a process of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "apps.rooms:served"]
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(port), "--log-level", "error", cwd=HERE, env=os.environ | {"BENCH_FRAMEWORK": framework}
    )
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield port
    finally:
        process.kill()
        await process.wait()


def measure_idle(names: list[str], count: int = MEMBERS) -> dict[str, float]:
    """Bytes of one open websocket, by framework."""
    found = {}
    for name in names:
        command = [sys.executable, str(HERE / "idle.py"), name, str(count)]
        found[name] = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def idle_row(found: dict[str, float], names: list[str], ours: str) -> list[str]:
    """A line of the table: of bare ASGI all, of the others what is beyond that."""
    bare = found["bare"]
    beyond = {name: found[name] - bare for name in names[1:]}
    verdict = f"{IDLE_TARGET / 1024:.0f} KB {'reached' if beyond[ours] <= IDLE_TARGET else 'MISSED'}"
    return [IDLE, f"{bare / 1024:.1f} KB", *(f"+{beyond[name] / 1024:.1f} KB" for name in names[1:]), verdict]
