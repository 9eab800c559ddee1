"""Rows: what happens on SIGTERM, with websockets open and requests coming all the time."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.servers import LIMIT
from tests.wire.raw import Raw, connected, frame
from tests.wire.rows import DRAINED, HANGING, HURRIED, Instead, OneOf, Wire, row

SOCKETS = 30
WORKERS = 4  # of each kind: on one connection, and on a new one for each request
WARM = 40  # answers after which the signal is sent


@dataclass
class Load:
    """What clients saw of a server that was told to stop."""

    closed: list[Any] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    status: int | None = None
    late: int | str = ""


async def _request(peer: Raw, number: int, load: Load, warm: asyncio.Event) -> bool:
    """Whether another request may follow on the connection."""
    peer.write(f"GET /work/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answer = await peer.answer()
    if answer.status == 503:
        return False  # refused; if it had been begun with all the same, it is missed among the answers
    assert answer.status == 200 and answer.body == str(number).encode(), answer
    load.answered.add(number)
    if len(load.answered) >= WARM:
        warm.set()
    return answer.headers.get("connection", "").lower() != "close"


async def _work(port: int, keep: bool, numbers: Iterator[int], load: Load, warm: asyncio.Event) -> None:
    """Ask until no connection is to be had any more."""
    while True:
        try:
            async with connected(port) as peer:
                for number in numbers:
                    if not await _request(peer, number, load, warm) or not keep:
                        break
        except ConnectionRefusedError:
            return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the server closed an idle connection; whether it had begun with the request, it has printed


async def _closing(peer: Raw) -> Any:
    """The close frame, answered; a socket that answers pings like any client."""
    while True:
        found = await peer.close_frame()
        if not isinstance(found, str):
            peer.write(frame(8, b"" if found[0] is None else found[0].to_bytes(2, "big")))
        return found


async def under_load(wire: Wire) -> Load:
    load, warm, numbers = Load(), asyncio.Event(), count()
    port = wire.server.port
    async with asyncio.TaskGroup() as group:
        stack = [connected(port) for _ in range(SOCKETS)]
        peers = [await each.__aenter__() for each in stack]
        try:
            for peer in peers:
                await peer.open("/end")
                await peer.message()
            closings = [group.create_task(_closing(peer)) for peer in peers]
            for index in range(2 * WORKERS):
                group.create_task(_work(port, index < WORKERS, numbers, load, warm))
            await warm.wait()
            load.status = await wire.server.stopped(signal.SIGTERM)
            load.closed = [await each for each in closings]
        finally:
            for each in stack:
                await each.__aexit__(None, None, None)
    load.begun = {int(number) for number in re.findall(r"^begun (\d+)$", wire.server.output, re.M)}
    return load


@row(
    "SIGTERM under load: every websocket is closed with 1012 and a reason",
    group=DRAINED,
    holds={"codes": [1012], "with a reason": True},
    otherwise={
        "uvicorn-own": Instead({"codes": [1012], "with a reason": False}, "1012, without a reason"),
        "granian-own": Instead(
            OneOf(
                {"codes": ["cut"], "with a reason": False},
                {"codes": [1012], "with a reason": True},
                {"codes": [1012, "cut"], "with a reason": True},
            ),
            "not surely: connections may be cut without a close frame",
        ),
    },
)
async def drained_sockets(wire: Wire) -> object:
    load: Load = await wire.once(under_load)
    frames = [each for each in load.closed if not isinstance(each, str)]
    codes = sorted({each if isinstance(each, str) else each[0] for each in load.closed}, key=str)
    return {"codes": codes, "with a reason": bool(frames) and all(reason for _, reason in frames)}


@row(
    "and every request that the application had begun with is answered",
    group=DRAINED,
    holds=[True, "all"],
    otherwise={
        "hypercorn-own": Instead(
            OneOf([True, "all"], [True, "not all"]), "not surely: on a busy machine the last ones may be cut"
        ),
    },
)
async def drained_requests(wire: Wire) -> object:
    load: Load = await wire.once(under_load)
    return [len(load.begun) >= WARM, "all" if load.begun <= load.answered else "not all"]


@row(
    "the shutdown functions run, and the exit status is 0",
    group=DRAINED,
    holds=[True, 0],
    otherwise={"uvicorn-own": Instead([True, -15], "they run; it ends by the signal (-15)")},
)
async def drained_status(wire: Wire) -> object:
    load: Load = await wire.once(under_load)
    return ["shut down" in wire.server.lines, load.status]


# What does not end by itself ------------------------------------------------------------------------------------------


async def with_hanging(wire: Wire) -> dict[str, Any]:
    async with wire.tcp() as request, wire.raw("/stubborn"):
        request.write(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await wire.server.printed("^hanging$")
        await wire.server.printed("^waiting$")
        wire.server.send_signal(signal.SIGTERM)
        # Longer than each of the time limits here; who has not ended by then waits for its clients.
        status = await wire.server.ended_within(5.0 if wire.server.launch.own else LIMIT)
    lines = wire.server.lines
    return {
        "cancelled": [what for what in ("request", "websocket") if f"the {what} was cancelled" in lines],
        "shutdown functions": "shut down" in lines,
        "status": status,
    }


@row(
    "what has not ended within `SHUTDOWN_TIMEOUT` is cancelled; the shutdown functions run, and the exit status is 0",
    group=HANGING,
    holds={"cancelled": ["request", "websocket"], "shutdown functions": True, "status": 0},
    otherwise={
        "hypercorn-own": Instead(
            {"cancelled": ["request", "websocket"], "shutdown functions": True, "status": 0}
            if sys.version_info < (3, 12)
            else {"cancelled": [], "shutdown functions": False, "status": None},
            "yes, after `--graceful-timeout`; but on Python 3.12 and later it waits for its clients",
        ),
        "uvicorn-own": Instead(
            {"cancelled": ["request", "websocket"], "shutdown functions": True, "status": -15},
            "after `--timeout-graceful-shutdown` (off); it ends by the signal (-15)",
        ),
        "granian-own": Instead(
            {"cancelled": [], "shutdown functions": False, "status": 0},
            "the process is killed after `--workers-kill-timeout` (off)",
        ),
    },
)
async def hanging(wire: Wire) -> object:
    return await wire.once(with_hanging)


async def twice_signalled(wire: Wire) -> dict[str, Any]:
    async with wire.tcp() as request:
        request.write(b"GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await wire.server.printed("^hanging$")
        wire.server.send_signal(signal.SIGTERM)
        while await _listens(wire.server.port):
            await asyncio.sleep(0.01)
        running = wire.server.runs
        return {"running": running, "status": await wire.server.stopped(signal.SIGTERM)}


@row(
    "new connections are refused while requests are still being answered",
    group=HURRIED,
    holds=True,
    own=False,
)
async def drained_refuses(wire: Wire) -> object:
    return (await wire.once(twice_signalled))["running"]


@row("a second signal stops at once, with the status 143", group=HURRIED, holds=143, own=False)
async def second_signal(wire: Wire) -> object:
    return (await wire.once(twice_signalled))["status"]


async def _listens(port: int) -> bool:
    try:
        async with connected(port):
            return True
    except OSError:
        return False
