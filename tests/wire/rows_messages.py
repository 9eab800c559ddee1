"""Rows: messages in both directions, and what is no message."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise, product

from tests.support.clients import receive, receive_json, send_json
from tests.wire.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame
from tests.wire.rows import Instead, OneOf, Wire, row

SIZES = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 1 << 20, 1 << 24]  # each way in which a frame tells its length


@row(
    "messages of 0 bytes to 16 MiB arrive whole, text and binary",
    holds=[[kind, size] for size in SIZES for kind in ("str", "bytes")],
)
async def sizes_in(wire: Wire) -> object:
    async with wire.raw("/sizes") as client:
        observed = []
        for size in SIZES:
            for opcode in (TEXT, BINARY):
                client.write(frame(opcode, b"x" * size))
                observed.append(json.loads(await client.message()))
        return observed


@row("and in the other direction", holds=[[kind, size] for size in SIZES for kind in ("str", "bytes")])
async def sizes_out(wire: Wire) -> object:
    observed = []
    async with wire.client("/give", compression=None) as client:
        for size in SIZES:
            for kind in ("text", "binary"):
                await send_json(client, [kind, size])
                message = await receive(client)
                if kind == "text":
                    observed.append(["str", 2 * len(message) + size % 2])
                else:
                    observed.append(["bytes", len(message)])
    return observed


@row("messages that tasks send at once are each whole and in their sender's order", holds=[True, 500])
async def concurrent_sends(wire: Wire) -> object:
    async with wire.client("/many") as client:
        heard = [(await receive(client)).split() for _ in range(500)]
    by_name = {name: [int(number) for each, number in heard if each == name] for name, _ in heard}
    ordered = all(before < after for numbers in by_name.values() for before, after in pairwise(numbers))
    return [ordered, sum(map(len, by_name.values()))]


@row("messages come to the view in the client's order, and nothing of other connections comes in between", holds=True)
async def order_and_isolation(wire: Wire) -> object:
    async def talk(name: int) -> bool:
        async with wire.client("/echo") as client:
            said = [f"{name} {number}" for number in range(100)]
            for message in said:
                await client.send(message)
            return [await receive(client) for _ in said] == said

    return all(await asyncio.gather(*map(talk, range(10))))


@row("fragments are put together, with control frames amid them", holds=[[PONG, "a"], [TEXT, "ün"]])
async def fragments(wire: Wire) -> object:
    async with wire.raw("/echo") as client:
        first, second = "ün".encode()[:1], "ün".encode()[1:]
        client.write(frame(TEXT, first, fin=False))
        client.write(frame(PING, b"a") + frame(PONG, b"unasked"))
        client.write(frame(CONTINUATION, b"", fin=False) + frame(CONTINUATION, second))
        return [[opcode, payload.decode()] for opcode, payload in [await client.frame(), await client.frame()]]


@row("a ping is answered with its own payload, also while the view does not read", holds=[PONG, 125])
async def pings_answered(wire: Wire) -> object:
    async with wire.raw("/raise") as client:
        await client.message()
        client.write(frame(PING, b"p" * 125))
        opcode, payload = await client.frame()
        return [opcode, len(payload)]


@row(
    "`receive_json()` of what is no JSON is a `BadRequest`, and the connection goes on",
    holds=[{"error": "no JSON"}, {"got": [1]}, {"error": "no JSON"}, {"got": {"ü": None}}],
)
async def bad_json(wire: Wire) -> object:
    async with wire.client("/json") as client:
        observed = []
        for message in ("{", "[1]", b"\xff\xfe", '{"ü": null}'):
            await client.send(message)
            observed.append(await receive_json(client))
        return observed


@row("`receive(timeout=…)` loses no message, and the connection goes on", holds=["timeout", "0", "timeout", "1"])
async def receive_timeout(wire: Wire) -> object:
    async with wire.client("/patience") as client:
        observed = []
        for number in range(2):
            observed.append(await receive(client))
            await client.send(str(number))
            while (message := await receive(client)) == "timeout":
                pass
            observed.append(message)
        return observed


# Breaches of the protocol: what the client sends, and the code with which it is sent away.
BREACHES: dict[str, tuple[bytes, int]] = {
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a message amid fragments": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"), 1002),
    "reserved bits": (frame(TEXT, b"x", reserved=2), 1002),
    "a reserved opcode": (frame(3, b"x"), 1002),
    "no mask": (frame(TEXT, b"x", masked=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a ping in fragments": (frame(PING, b"x", fin=False), 1002),
    "a length over 63 bits": (frame(BINARY, b"", length=1 << 63), 1002),
    "the close code 1005": (closing(1005), 1002),
    "the close code 999": (closing(999), 1002),
    "a close frame of one byte": (frame(CLOSE, b"x"), 1002),
    "a close reason that is no UTF-8": (closing(1000, b"\xff"), 1007),
    "text that is no UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "text that is no UTF-8, in fragments": (frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"x"), 1007),
}


async def _sent_away(wire: Wire, breach: str) -> object:
    async with wire.raw("/end") as client:
        assert await client.message() == b"ready"
        client.write(BREACHES[breach][0])
        found = await client.close_frame()
        code = found if isinstance(found, str) else found[0]
        # RFC 6455 names no code for a length that there cannot be: websockets says that it is too big.
        return 1002 if (breach, code) == ("a length over 63 bits", 1009) else code


@row(
    "a breach of the protocol is answered with a close frame: 1002, or 1007 for what is no UTF-8",
    holds={name: code for name, (_, code) in BREACHES.items()},
    otherwise={
        "granian": Instead(dict.fromkeys(BREACHES, 1002), "1002 for all"),
        "granian-own": Instead(
            {**dict.fromkeys(BREACHES), "the close code 1005": 1002, "the close code 999": 1002},
            "a close frame without a code; 1002 for a wrong close code",
        ),
    },
)
async def breaches(wire: Wire) -> object:
    found = await asyncio.gather(*(_sent_away(wire, breach) for breach in BREACHES))
    return dict(zip(BREACHES, found, strict=True))


@row(
    "the view learns of a breach: `ConnectionClosed` with that code, and the connection's end",
    holds=[1002, 1007],
    otherwise={
        "uvicorn-own": Instead([1005, 1007], "1005 for 1002"),
        "granian": Instead(OneOf(*map(list, product((1002, 1005, 1006), repeat=2))), "its end: 1002, 1005 or 1006"),
        "granian-own": Instead([1005, 1005], "1005"),
    },
)
async def breaches_told(wire: Wire) -> object:
    codes = []
    for breach in ("no mask", "text that is no UTF-8"):
        key = wire.key()
        async with wire.raw(f"/end?key={key}") as client:
            await client.message()
            client.write(BREACHES[breach][0])
            codes.append((await wire.ended(key))[0])
            await client.ended()
    return codes
