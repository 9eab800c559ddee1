"""Rows: what a server's process needs at most, by the kernel's account (VmHWM), against clients that offer 300 MB."""

from __future__ import annotations

import asyncio

from tests.wire.raw import BINARY, DEFLATE, DEFLATED, closing, deflated, forget_peak, frame, memory_of, peak_memory_of
from tests.wire.rows import MEMORY, Instead, Wire, row

MiB = 1 << 20
OFFERED = 300  # MiB
LIMIT = 64  # MiB
STUCK = 0.5  # seconds without a byte being taken


class Growth:
    """How much more memory than at its beginning the server's process has had at most, in MiB."""

    def __init__(self, wire: Wire) -> None:
        self.pid = wire.server.worker
        forget_peak(self.pid)
        self.before = memory_of(self.pid)

    def seen(self) -> str:
        return "flat" if peak_memory_of(self.pid) - self.before < LIMIT * MiB else "grows"


@row(
    "a deflated message of 300 MB is refused, and memory grows by less than 64 MB",
    group=MEMORY,
    holds=[1009, "flat"],
    otherwise={
        "granian": Instead([1002, "flat"], "yes: deflate is not spoken (1002)"),
        "granian-own": Instead([None, "flat"], "yes: deflate is not spoken"),
    },
)
async def bomb(wire: Wire) -> object:
    async with wire.raw("/sizes", DEFLATE) as peer:
        growth = Growth(wire)
        peer.write(frame(BINARY, deflated(bytes(MiB), OFFERED), reserved=DEFLATED))
        found = await peer.close_frame()
        return [found if isinstance(found, str) else found[0], growth.seen()]


@row(
    "a view that never reads: its client is held back, and memory stays flat against 300 MB",
    group=MEMORY,
    holds=["held back", "flat"],
)
async def deaf_view(wire: Wire) -> object:
    async with wire.raw("/deaf") as peer:
        assert await peer.message() == b"ready"
        growth = Growth(wire)
        message = frame(BINARY, bytes(64 * 1024))
        try:
            for _ in range(OFFERED * 16):
                peer.write(message)
                async with asyncio.timeout(STUCK):
                    await peer.writer.drain()
        except TimeoutError:
            return ["held back", growth.seen()]
        return ["took everything", growth.seen()]


@row("nothing of what the client was held back with is lost when the view reads at last", group=MEMORY, holds=40 * MiB)
async def deaf_view_reads(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/deaf?key={key}") as peer:
        assert await peer.message() == b"ready"
        for _ in range(40):
            peer.write(frame(BINARY, bytes(MiB)))
        try:
            async with asyncio.timeout(STUCK):
                await peer.writer.drain()
        except TimeoutError:
            pass
        await wire.go(key)
        assert await peer.message() == b"going on"
        size = 0
        while size < 40 * MiB:
            size = int(await peer.message())
        peer.write(closing(1000))
        return size
