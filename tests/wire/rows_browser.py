"""Rows: what a script in a page sees, in headless Chromium."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.wire.peers import browser_socket
from tests.wire.rows import BROWSER, Instead, OneOf, Wire, row


@row(
    "text and binary messages go to a page and back",
    group=BROWSER,
    holds=[["open", ""], ["text", "ünï 🎉"], ["text", ""], ["bytes", [0, 255, 128]]],
)
async def page_messages(wire: Wire) -> object:
    socket = await browser_socket(wire.page, wire.server.ws("/echo"))
    observed = [await socket.event()]
    for message in ("ünï 🎉", "", b"\x00\xff\x80"):
        await socket.send(message)
        observed.append(await socket.event())
    await socket.close()
    return observed


@row(
    "a page's `close(4001, …)` and `close()` reach the view",
    group=BROWSER,
    holds=[[4001, "Grüße", "client"], [1005, "", "client"]],
    otherwise={
        "granian": Instead([[4001, "", "client"], [1005, "", "client"]], "the code, but no reason"),
        "granian-own": Instead([[4001, "", "client"], [1005, "", None]], "the code, but no reason"),
    },
)
async def page_closes(wire: Wire) -> object:
    observed = []
    for arguments in ((4001, "Grüße"), ()):
        key = wire.key()
        socket = await browser_socket(wire.page, wire.server.ws(f"/end?key={key}"))
        await socket.event()
        await socket.close(*arguments)
        observed.append(await wire.ended(key))
    return observed


@row(
    "the view's code and reason reach the page, and 1000 and 1011 by themselves",
    group=BROWSER,
    holds=[["closed", 4000, "genug 🎉"], ["closed", 1000, ""], ["closed", 1011, ""]],
)
async def page_is_closed(wire: Wire) -> object:
    observed = []
    for path in ("/close", "/return", "/fail"):
        socket = await browser_socket(wire.page, wire.server.ws(path))
        await socket.event()
        if path == "/close":
            await socket.send('{"code": 4000, "reason": "genug 🎉"}')
        observed.append((await socket.event())[:3])
    return observed


@row(
    "a page's subprotocols, and a bearer token among them",
    group=BROWSER,
    holds=[["open", "first"], ["open", "bearer"], ["closed", 1006, "", False]],
)
async def page_subprotocols(wire: Wire) -> object:
    observed = []
    for path, offered in (
        ("/headers", ["second", "first"]),
        ("/bearer", ["bearer", "secret.token~1"]),
        ("/bearer", ["bearer", "another"]),
    ):
        socket = await browser_socket(wire.page, wire.server.ws(path), offered)
        observed.append(await socket.event())
        await socket.close()
    return observed


@asynccontextmanager
async def foreign_site() -> AsyncIterator[str]:
    """A page at another port of the same host, to which a browser sends the same cookies."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><title>foreign</title>"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


@row(
    "a page of the application's own origin connects with its cookie; one at another port is refused",
    group=BROWSER,
    holds=[["open", ""], ["text", "ada"], ["closed", 1006, "", False], 403],
)
async def page_origins(wire: Wire) -> object:
    page, url = wire.page, wire.server.ws("/cookies")
    await page.goto(wire.server.url("/cookie"))
    socket = await browser_socket(page, url)
    observed = [await socket.event(), await socket.event()]
    before = len(wire.server.lines)
    async with foreign_site() as address:
        await page.goto(address)
        socket = await browser_socket(page, url)
        observed.append(await socket.event())
        origin = address.removesuffix("/")
    await wire.server.printed(f"Refused websocket .*{re.escape(origin)}", before)
    await page.goto(wire.server.url())
    return [*observed, (await wire.refusal("/cookies", {"Origin": origin, "Cookie": "user=ada"})).status]


@row(
    "SIGTERM: the page gets 1012, and connects again to the server that is started in its place",
    group=BROWSER,
    holds=["closed", 1012, True, "again"],
    otherwise={
        "uvicorn-own": Instead(["closed", 1012, False, "again"], "yes, without a reason"),
        "granian-own": Instead(
            OneOf(["closed", 1006, False, "again"], ["closed", 1012, True, "again"]),
            "1006 or 1012; it can connect again",
        ),
    },
)
async def page_reconnects(wire: Wire) -> object:
    """The last of these rows: it ends the server."""
    server = wire.server
    socket = await browser_socket(wire.page, server.ws("/echo"))
    await socket.event()
    await server.stopped(signal.SIGTERM)
    kind, code, reason, _ = await socket.event()
    with server.launch.start(port=server.port):
        socket = await browser_socket(wire.page, server.ws("/echo"))
        await socket.event()
        await socket.send("again")
        return [kind, code, bool(reason), (await socket.event())[1]]
