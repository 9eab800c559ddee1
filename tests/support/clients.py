"""A real websocket client (the `websockets` package), in words that the tests share; every wait has a limit."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .servers import LIMIT


def client(url: str, **options: Any) -> connect:
    """`async with client(url) as connection:`; the options are those of `connect`."""
    return connect(url, open_timeout=LIMIT, close_timeout=LIMIT, proxy=None, **options)


async def receive(connection: ClientConnection) -> Any:
    """The next message; AssertionError when none comes."""
    try:
        async with asyncio.timeout(LIMIT):
            return await connection.recv()
    except TimeoutError:
        raise AssertionError(f"the server sent no message within {LIMIT:g} seconds") from None


async def receive_json(connection: ClientConnection) -> Any:
    return json.loads(await receive(connection))


async def send_json(connection: ClientConnection, data: Any) -> None:
    await connection.send(json.dumps(data))


async def ending(connection: ClientConnection) -> tuple[int, str]:
    """Close code and reason as the server sent them; AssertionError when a message comes instead."""
    try:
        message = await receive(connection)
    except ConnectionClosed as error:
        assert error.rcvd is not None, "the connection ended without a close frame"
        return error.rcvd.code, error.rcvd.reason
    raise AssertionError(f"expected the end of the connection, not the message {message!r}")


def vanish(connection: ClientConnection) -> None:
    """Leave without a close frame: the server gets a TCP reset."""
    raw = connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
