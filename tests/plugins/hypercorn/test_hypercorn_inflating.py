"""The limit of a message's size where messages are compressed: exact, over all frames, and held while inflating."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc
import zlib
from typing import Any

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

LIMIT = 10.0
SIZE = 200_000  # more than is inflated in one piece


class Sizes:
    """An app that tells the size of each message."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            size = len(message["bytes"] if message["text"] is None else message["text"])
            await send({"type": "websocket.send", "text": str(size)})


async def connected(serve: Any, make_app: Any, compressed: bool = True, **options: Any) -> Any:
    server = await serve(make_app(websocket=Sizes(), WEBSOCKET_MAX_MESSAGE_SIZE=SIZE))
    url = f"ws://127.0.0.1:{server.port}/"
    extensions = [ClientPerMessageDeflateFactory(**options)] if compressed else None
    return await websockets.connect(url, extensions=extensions, compression=None)


def pieces(size: int) -> Any:
    return itertools.repeat(b"x" * 1_000, size // 1_000) if size % 1_000 == 0 else (b"x" * (size - 1), b"x")


MESSAGES = {
    "binary": lambda size: b"x" * size,
    "text": lambda size: "x" * size,
    "frames": pieces,
}


@pytest.mark.parametrize("no_context_takeover", [False, True], ids=["context", "no_context"])
@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "plain"])
@pytest.mark.parametrize("kind", MESSAGES)
async def test_a_message_of_the_limit_passes_and_one_byte_more_does_not(
    serve: Any, make_app: Any, kind: str, compressed: bool, no_context_takeover: bool
) -> None:
    client = await connected(serve, make_app, compressed, client_no_context_takeover=no_context_takeover)
    async with client:
        for _ in range(2):  # the limit is each message's
            await client.send(MESSAGES[kind](SIZE))
            assert await asyncio.wait_for(client.recv(), LIMIT) == str(SIZE)
        with pytest.raises(websockets.ConnectionClosed):
            await client.send(MESSAGES[kind](SIZE + 1))
            await asyncio.wait_for(client.recv(), LIMIT)
        assert (client.close_code, client.close_reason) == (1009, "message too big")


async def test_a_ping_between_the_frames_of_a_compressed_message_leaves_it_whole(serve: Any, make_app: Any) -> None:
    client = await connected(serve, make_app)

    async def frames() -> Any:
        for _ in range(3):
            yield b"x" * 1_000
            await asyncio.wait_for(await client.ping(), LIMIT)

    async with client:
        await client.send(frames())
        assert await asyncio.wait_for(client.recv(), LIMIT) == "3000"


def masked(head: bytes, payload: bytes) -> bytes:
    length = len(payload)
    size = bytes([0x80 | 126]) + length.to_bytes(2) if length < 65_536 else bytes([0x80 | 127]) + length.to_bytes(8)
    return head + size + b"\x00\x00\x00\x00" + payload


async def test_a_bomb_is_refused_while_it_is_inflated(serve: Any, make_app: Any, connect: Any) -> None:
    """300 MB in 300 KB: refused with the code that says why, with no more memory than the limit is."""
    server = await serve(make_app(websocket=Sizes(), WEBSOCKET_MAX_MESSAGE_SIZE=16 * 1024 * 1024))
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(300)) + squeeze.flush(zlib.Z_SYNC_FLUSH)[:-4]
    reader, writer = await connect(server.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    assert b"permessage-deflate" in head
    tracemalloc.start()
    try:
        writer.write(masked(b"\xc2", bomb))
        answer = await asyncio.wait_for(reader.readexactly(19), LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer == b"\x88\x11\x03\xf1message too big"
    assert peak < 40 * 1024 * 1024
    writer.close()


async def test_what_cannot_be_inflated_is_said(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(websocket=Sizes()))
    reader, writer = await connect(server.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    writer.write(masked(b"\xc2", b"\xff" * 200))
    assert (await asyncio.wait_for(reader.readexactly(4), LIMIT))[2:] == (1007).to_bytes(2)
