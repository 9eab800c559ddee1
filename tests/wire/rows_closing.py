"""Rows: how a connection ends, and who learns what of it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from tests.support.clients import ending, receive, receive_json, vanish
from tests.wire.raw import CLOSE, closing, frame
from tests.wire.rows import LIMITS, Instead, OneOf, Wire, row

CODES = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
REASON = "Grüße, 世界 🎉"
LONGEST = "ü" * 61 + "x"  # 123 bytes


WITHOUT_1014 = [code for code in CODES if code != 1014]
CLOSINGS = [(code, reason) for code in CODES for reason in ("", REASON, LONGEST)]


def seen(found: list[Any]) -> dict[str, Any]:
    """What became of the codes and reasons of `CLOSINGS`; what differs is told by the values that came instead."""
    observed: dict[str, Any] = {}
    for index, name in enumerate(("code", "reason", "closed_by")[: len(found[0])]):
        values = [each[index] for each in found]
        as_sent = index < 2 and values == [closing[index] for closing in CLOSINGS]
        observed[name] = "as sent" if as_sent else sorted(set(values), key=str)
    return observed


@row(
    "each close code that a client may send, and its reason of up to 123 bytes, reach the view, "
    'with `closed_by` "client"',
    holds={"code": "as sent", "reason": "as sent", "closed_by": ["client"]},
    otherwise={
        "uvicorn-own": Instead(
            {"code": "as sent", "reason": "as sent", "closed_by": ["client", "server"]},
            "yes, but 1012 is taken for the server's",
        ),
        "granian": Instead(
            OneOf(
                {"code": WITHOUT_1014, "reason": [""], "closed_by": ["client", "server"]},
                {"code": WITHOUT_1014, "reason": [""], "closed_by": ["client"]},
            ),
            "the code, but no reason; 1014 is taken for a breach of the protocol",
        ),
        "granian-own": Instead(
            {"code": WITHOUT_1014, "reason": [""], "closed_by": ["client", "server"]},
            "the code, but no reason; 1014 is taken for a breach of the protocol, and 1012 for the server's",
        ),
    },
)
async def codes_in(wire: Wire) -> object:
    async def leave(code: int, reason: str) -> Any:
        key = wire.key()
        async with wire.raw(f"/end?key={key}") as peer:
            await peer.message()
            peer.write(closing(code, reason.encode()))
            return await wire.ended(key)

    return seen(await asyncio.gather(*(leave(*each) for each in CLOSINGS)))


@row(
    "each close code and reason of `close()` arrive at the client as they were sent",
    holds={"code": "as sent", "reason": "as sent"},
)
async def codes_out(wire: Wire) -> object:
    async def close(code: int, reason: str) -> Any:
        async with wire.raw("/close") as peer:
            peer.write(frame(1, json.dumps({"code": code, "reason": reason}).encode()))
            return await peer.close_frame()

    return seen(await asyncio.gather(*(close(*each) for each in CLOSINGS)))


@row(
    "after `close()` the websocket is closed, by the server; a second `close()` does nothing",
    holds=[[4000, "enough"], [4000, "enough", "server", "closed"]],
)
async def closed_by_view(wire: Wire) -> object:
    key = wire.key()
    async with wire.client(f"/close?key={key}") as peer:
        await peer.send('{"code": 4000, "reason": "enough"}')
        return [list(await ending(peer)), await wire.ended(key)]


@row(
    "codes that must not be sent, and reasons over 123 bytes, are a `ValueError`, and the connection goes on",
    holds=[[1005, 0], [1006, 0], [1015, 0], [999, 0], [5000, 0], [2000, 0], [1000, 124]],
)
async def illegal_codes(wire: Wire) -> object:
    async with wire.client("/illegal") as peer:
        return await receive_json(peer)


@row(
    "a close frame without a code, which a browser's `close()` sends, is 1005 by the client; `async for` ends",
    holds=[[1005, "", "client"], ["ended", 1005]],
    otherwise={
        "granian-own": Instead([[1005, "", None], ["ended", 1005]], "yes, but by whom is not known"),
    },
)
async def no_code(wire: Wire) -> object:
    observed = []
    for path in ("/end", "/iterate"):
        key = wire.key()
        async with wire.raw(f"{path}?key={key}") as peer:
            peer.write(frame(CLOSE))
            observed.append(await wire.ended(key))
    return observed


@row(
    "`async for` ends for 1000 and 1001, and raises for others",
    holds=[["ended", 1000], ["ended", 1001], ["raised", 4000]],
)
async def iteration(wire: Wire) -> object:
    observed = []
    for code in (1000, 1001, 4000):
        key = wire.key()
        async with wire.raw(f"/iterate?key={key}") as peer:
            peer.write(closing(code))
            observed.append(await wire.ended(key))
    return observed


@row("the server answers the client's close frame, and closes the connection", holds=[[4000, ""], "closed"])
async def close_answered(wire: Wire) -> object:
    async with wire.raw("/end") as peer:
        await peer.message()
        peer.write(closing(4000, b"x"))
        answer = await peer.close_frame()
        assert not isinstance(answer, str), answer
        await peer.ended()
        return [[answer[0], ""], "closed"]


NO_FRAME = {
    "uvicorn-own": Instead([1005, "", None], "noticed, as 1005"),
    "granian-own": Instead([1005, "", None], "noticed, as 1005"),
}


@row("a TCP reset is 1006 by the network", holds=[1006, "", "network"], otherwise=NO_FRAME)
async def reset(wire: Wire) -> object:
    key = wire.key()
    async with wire.client(f"/end?key={key}") as peer:
        await receive(peer)
        vanish(peer)
        return await wire.ended(key)


@row("and so is an end of TCP without a close frame", holds=[1006, "", "network"], otherwise=NO_FRAME)
async def cut(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/end?key={key}") as peer:
        await peer.message()
        peer.writer.close()
        return await wire.ended(key)


@row(
    "and who waits in `send` meanwhile is told, too",
    holds=[1006, "", "network"],
    otherwise=NO_FRAME,
)
async def reset_while_sending(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/flood?key={key}", receive_buffer=8192) as peer:
        await peer.message()
        peer.reset()
        return await wire.ended(key)


@row(
    "`ConnectionClosed` comes from `receive` and `send`, at the first call and at each later one",
    holds=[[4001, "x", "client"]] * 4,
    otherwise={
        "granian": Instead([[4001, "", "client"]] * 4, "yes, without the reason"),
        "granian-own": Instead([[4001, "", "client"]] * 4, "yes, without the reason"),
    },
)
async def repeated(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/repeated?key={key}") as peer:
        peer.write(closing(4001, b"x"))
        return await wire.ended(key)


@row(
    "a view that returns closes with 1000, one that fails with 1011, and so one that aborts",
    holds=[1000, 1011, 1011],
)
async def view_ends(wire: Wire) -> object:
    codes = []
    for path in ("/return", "/fail", "/fail-http"):
        async with wire.client(path) as peer:
            codes.append((await ending(peer))[0])
    return codes


@row("the failure of a view is logged once, with the connection's id", holds=[1, True])
async def failure_logged(wire: Wire) -> object:
    before = len(wire.server.lines)
    async with wire.client("/fail?logged=1") as peer:
        await ending(peer)
    await wire.server.printed(r"RuntimeError: meant: \w+", before)
    await wire.get("/")  # a second log entry would have come by now
    lines = wire.server.lines[before:]
    ids = [found[1] for line in lines if (found := re.search(r"^RuntimeError: meant: (\w+)", line))]
    return [1 if ids else 0, any(ids[0] in line and "RuntimeError" not in line for line in wire.server.lines)]


@row("`ConnectionClosed` that leaves a view inside of a group is a normal end", holds=["left", False])
async def closed_in_group(wire: Wire) -> object:
    key = wire.key()
    before = len(wire.server.lines)
    async with wire.raw(f"/leave?key={key}") as peer:
        peer.write(closing(4000))
        told = await wire.ended(key)
        await peer.ended()
    await wire.get("/")
    return [told, any("ExceptionGroup" in line for line in wire.server.lines[before:])]


# The modes of learning of a disconnect -------------------------------------------------------------------------------


@row(
    "mode `raise`: a view that waits for something else is cancelled after `WEBSOCKET_DISCONNECT_GRACE`",
    group=LIMITS,
    holds=["cancelled", True],
)
async def mode_raise(wire: Wire) -> object:
    key = wire.key()
    async with wire.client(f"/raise?key={key}") as peer:
        await receive(peer)
        vanish(peer)
        told, seconds, _ = await wire.ended(key)
        return [told, seconds >= 0.4]


@row(
    "and one that touches the websocket meanwhile gets `ConnectionClosed`",
    group=LIMITS,
    holds=[4000, "x", "client"],
    otherwise={
        "granian": Instead([4000, "", "client"], "yes, without the reason"),
        "granian-own": Instead([4000, "", "client"], "yes, without the reason"),
    },
)
async def mode_raise_touched(wire: Wire) -> object:
    key = wire.key()
    async with wire.raw(f"/touch?key={key}") as peer:
        await peer.message()
        await wire.go(key)
        peer.write(closing(4000, b"x"))
        return await wire.ended(key)


@row("one that swallows `ConnectionClosed` in a loop is cancelled, and does not spin", group=LIMITS, holds="cancelled")
async def swallowed(wire: Wire) -> object:
    key = wire.key()
    async with wire.client(f"/swallow?key={key}") as peer:
        await receive(peer)
        await peer.close()
        return await wire.ended(key)


@row(
    "mode `cancel`: the view is cancelled, while it receives and while it waits for something else",
    group=LIMITS,
    holds=["cancelled", "cancelled"],
)
async def mode_cancel(wire: Wire) -> object:
    observed = []
    for path in ("/cancel", "/cancel-receive"):
        key = wire.key()
        async with wire.client(f"{path}?key={key}") as peer:
            await receive(peer)
            await peer.close()
            observed.append((await wire.ended(key))[0])
    return observed
