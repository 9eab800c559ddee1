"""Rows: limits in time, count and size, and peers and views that do not read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from itertools import count
from typing import Any

from tests.support.clients import ending, receive
from tests.wire.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    DEFLATE,
    DEFLATED,
    PING,
    PONG,
    TEXT,
    Raw,
    deflated,
    frame,
    handshake,
    holds_socket,
)
from tests.wire.rows import LIMITS, QUIET, Instead, Wire, row

LARGEST = 1000  # bytes: WEBSOCKET_MAX_MESSAGE_SIZE of these rows
SMALL_BUFFER = 8192  # bytes that the kernel keeps for a peer that does not read


# Handshakes ----------------------------------------------------------------------------------------------------------


@row(
    "`WEBSOCKET_ACCEPT_TIMEOUT`: a view that neither accepts nor rejects is cancelled, and the handshake refused",
    group=LIMITS,
    holds=[403, "cancelled"],
)
async def accept_timeout(wire: Wire) -> object:
    key = wire.key()
    answer = await wire.refusal(f"/never?key={key}")
    return [answer.status, await wire.ended(key)]


# Sizes ---------------------------------------------------------------------------------------------------------------


async def _size_told(peer: Raw) -> Any:
    """What the view says has come, or the code with which the connection was closed."""
    opcode, payload = await peer.frame()
    return json.loads(payload)[1] if opcode == TEXT else int.from_bytes(payload[:2], "big")


@row(
    "`WEBSOCKET_MAX_MESSAGE_SIZE` is exact: one byte more closes with 1009; text counts in UTF-8, "
    "and fragments as the message that they make",
    group=LIMITS,
    holds={
        "text": [1000, 1009],
        "bytes": [1000, 1009],
        "text of two bytes a character": [500, 1009],
        "fragments": [1000, 1009],
    },
)
async def largest_message(wire: Wire) -> object:
    async def sent(*frames: bytes) -> Any:
        async with wire.raw("/sizes") as peer:
            peer.write(b"".join(frames))
            return await _size_told(peer)

    half = frame(BINARY, b"x" * 500, fin=False)
    return {
        "text": [await sent(frame(TEXT, b"x" * size)) for size in (LARGEST, LARGEST + 1)],
        "bytes": [await sent(frame(BINARY, b"x" * size)) for size in (LARGEST, LARGEST + 1)],
        "text of two bytes a character": [await sent(frame(TEXT, "ü".encode() * size)) for size in (500, 501)],
        "fragments": [await sent(half, frame(CONTINUATION, b"x" * size)) for size in (500, 501)],
    }


@row(
    "and it holds for what a deflated message is when it is inflated",
    group=LIMITS,
    holds=["permessage-deflate", 1000, 1009],
    otherwise=dict.fromkeys(("granian", "granian-own"), Instead(["none"], "deflate is not spoken")),
)
async def largest_inflated(wire: Wire) -> object:
    observed: list[Any] = []
    for size in (LARGEST, LARGEST + 1):
        async with wire.tcp() as peer:
            peer.write(handshake("/sizes", headers=DEFLATE))
            extension = (await peer.answer()).headers.get("sec-websocket-extensions", "none")
            if not observed:
                observed.append(extension.partition(";")[0])
            if extension == "none":
                return observed
            peer.write(frame(BINARY, deflated(b"x" * size), reserved=DEFLATED))
            observed.append(await _size_told(peer))
    return observed


@row(
    "the server itself holds it, before a message is complete",
    group=LIMITS,
    holds=1009,
    otherwise={
        "hypercorn-own": Instead("goes on", "16 MiB (a file's `websocket_max_message_size`)"),
        "uvicorn-own": Instead("goes on", "`--ws-max-size` (16 MiB)"),
        "granian": Instead("goes on", "16 MiB a frame, 64 MiB a message"),
        "granian-own": Instead("goes on", "16 MiB a frame, 64 MiB a message"),
    },
)
async def largest_unfinished(wire: Wire) -> object:
    async with wire.raw("/sizes") as peer:
        peer.write(frame(BINARY, b"x" * 500, fin=False))
        for _ in range(3):
            peer.write(frame(CONTINUATION, b"x" * 500, fin=False))
        for _ in range(3):
            peer.write(frame(PING, b"still here?"))
            opcode, payload = await peer.frame()
            if opcode != PONG:
                return int.from_bytes(payload[:2], "big")
        return "goes on"


# Peers and views that do not read -------------------------------------------------------------------------------------


@row(
    "`WEBSOCKET_SEND_TIMEOUT`: for a peer that never reads the view gets `ConnectionClosed`, 1013 by the server",
    group=LIMITS,
    holds=[1013, "the peer does not read", "server"],
)
async def send_timeout(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/flood?key={key}", receive_buffer=SMALL_BUFFER):
        return await wire.ended(key)


@row("meanwhile other connections go on", group=LIMITS, holds="went on")
async def nobody_delayed(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/flood?key={key}", receive_buffer=SMALL_BUFFER), wire.client("/echo") as other:
        ended = asyncio.ensure_future(wire.ended(key))
        for number in count():
            await other.send(str(number))
            assert await receive(other) == str(number)
            if ended.done():
                return "went on" if number > 5 else f"{number} messages"
    raise AssertionError("not reached")


@row(
    "and its socket is gone soon after",
    group=LIMITS,
    holds="gone",
    otherwise={
        "uvicorn-own": Instead("open", "no: as long as the peer keeps it"),
    },
)
async def socket_gone(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/flood?key={key}", receive_buffer=SMALL_BUFFER) as peer:
        port = wire.server.port
        assert holds_socket(port, peer.port)
        await wire.ended(key)
        for _ in range(25):  # two and a half seconds
            if not holds_socket(port, peer.port):
                return "gone"
            await asyncio.sleep(0.1)
        return "open"


@row(
    "`WEBSOCKET_RECEIVE_STALL`: a full queue that the view does not empty closes with 1008",
    group=LIMITS,
    holds=1008,
)
async def receive_stall(wire: Wire) -> object:
    async with wire.raw("/deaf") as peer:
        assert await peer.message() == b"ready"
        peer.write(frame(TEXT, b"x" * 100) * 200)
        found = await peer.close_frame()
        return found if isinstance(found, str) else found[0]


# Silence -------------------------------------------------------------------------------------------------------------


# Without pings the rows' peers stay until WEBSOCKET_IDLE_TIMEOUT.
IDLE = [1001, "server"]
SILENCE = {
    "hypercorn-own": Instead(IDLE, "no: `--websocket-ping-interval` (off), without a deadline"),
    "uvicorn-own": Instead([1005, None], "as 1005; `--ws-ping-interval`, `--ws-ping-timeout` (20 s, 20 s)"),
    "granian": Instead(IDLE, "no pings"),
    "granian-own": Instead(IDLE, "no pings"),
}


@row(
    "`WEBSOCKET_PING_INTERVAL`, `…_TIMEOUT`: a peer that answers no ping is lost: 1006 by the network",
    group=QUIET,
    holds=[1006, "network"],
    otherwise=SILENCE,
)
async def silence(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/end?key={key}") as peer:
        await peer.message()
        code, _, by = await wire.ended(key)
        return [code, by]


@row("and so is one whose process has been stopped", group=QUIET, holds=[1006, "network"], otherwise=SILENCE)
async def stopped_process(wire: Wire) -> object:
    key = wire.key()
    program = (
        "import sys\nfrom websockets.sync.client import connect\n"
        "with connect(sys.argv[1], proxy=None) as c:\n"
        "    print(c.recv(), flush=True)\n    c.recv()\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, wire.server.ws(f"/end?key={key}"), stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGSTOP)
        code, _, by = await wire.ended(key)
        return [code, by]
    finally:
        process.kill()
        await process.wait()


@row(
    "pings are sent, and a peer that answers them stays",
    group=QUIET,
    holds=[5, "open"],
    otherwise={
        "hypercorn-own": Instead([0, CLOSE], "no pings, if they are not asked for"),
        "granian": Instead([0, CLOSE], "no pings"),
        "granian-own": Instead([0, CLOSE], "no pings"),
    },
)
async def answered_pings(wire: Wire) -> object:
    async with wire.raw("/echo") as peer:
        for number in range(5):
            opcode, payload = await peer.frame()
            if opcode != PING:
                return [number, opcode]
            peer.write(frame(PONG, payload))
        peer.write(frame(TEXT, b"open"))
        return [5, (await peer.message()).decode()]


@row("`WEBSOCKET_IDLE_TIMEOUT`: no message in either direction closes with 1001", group=QUIET, holds=[1001, "idle"])
async def idle(wire: Wire) -> object:
    async with wire.client("/end") as peer:
        await receive(peer)
        return list(await ending(peer))


@row(
    "`heartbeat()` sends messages, and closes with 1001 when nothing comes back",
    group=QUIET,
    holds=['{"type":"heartbeat"}', 1001],
)
async def heartbeat(wire: Wire) -> object:
    async with wire.client("/beat") as peer:
        beat = (await receive(peer)).replace(" ", "")
        while True:
            try:
                code, _ = await ending(peer)
            except AssertionError:  # another beat
                continue
            return [beat, code]
