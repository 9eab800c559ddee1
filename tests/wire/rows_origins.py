"""Rows: whose pages may open a websocket (core plugin `security`), also behind a proxy that ends TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from websockets.exceptions import InvalidStatus

from tests.wire.rows import PROXIED, Instead, Wire, row

CERTIFICATE = Path(__file__).parents[1] / "plugins" / "hypercorn" / "localhost.pem"


async def statuses(wire: Wire, origins: dict[str, str | None], headers: dict[str, str]) -> dict[str, int]:
    """The status of a handshake for each origin."""
    host = f"127.0.0.1:{wire.server.port}"
    observed = {}
    for name, origin in origins.items():
        sent = headers if origin is None else {"Origin": origin.replace("HOST", host), **headers}
        observed[name] = (await wire.refusal("/end", sent)).status
    return observed


ORIGINS: dict[str, str | None] = {
    "its own": "http://HOST",
    "missing": None,
    "foreign": "http://evil.example",
    "wrong port": "http://127.0.0.1:1",
    "no port": "http://127.0.0.1",
    "wrong scheme": "https://HOST",
    "null": "null",
    "with more behind it": "http://HOST.evil.example",
    "nonsense": "://",
}


@row(
    "with cookies or credentials, the origin has to be the application's own, in scheme, host and port; "
    "what sends no origin is no browser",
    holds={name: 101 if name in ("its own", "missing") else 403 for name in ORIGINS},
)
async def origins(wire: Wire) -> object:
    cookie = await statuses(wire, ORIGINS, {"Cookie": "session=x"})
    credentials = await statuses(wire, ORIGINS, {"Authorization": "Basic eDp5"})
    assert cookie == credentials
    return cookie


@row("without either it is not looked at", holds=dict.fromkeys(ORIGINS, 101))
async def origins_without_cookies(wire: Wire) -> object:
    return await statuses(wire, ORIGINS, {})


@row("a refusal logs the origin seen, the one expected, and the setting", holds=[True, True, True])
async def refused_origin_logged(wire: Wire) -> object:
    await wire.refusal("/end", {"Origin": "http://logged.example", "Cookie": "a=b"})
    line = (await wire.server.printed(r"^.*'http://logged\.example'.*$"))[0]
    return [
        f"'http://127.0.0.1:{wire.server.port}'" in line,
        "WEBSOCKET_ALLOWED_ORIGINS" in line,
        "/end" in line,
    ]


# Behind a proxy -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def tls_proxy(port: int) -> AsyncIterator[int]:
    """A proxy that ends TLS, and says so in X-Forwarded-*; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    writers: list[asyncio.StreamWriter] = []

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        there, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, there_writer))
        there_writer.write(head[:-2] + b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n")
        with suppress(asyncio.CancelledError):  # the test is over
            await asyncio.gather(passed_on(reader, there_writer), passed_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def through_proxy(wire: Wire) -> dict[str, object]:
    """What becomes of a handshake with cookies, over TLS, for each origin."""
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    trust.check_hostname = False
    observed: dict[str, object] = {}
    async with tls_proxy(wire.server.port) as port:
        for origin in ("https://localhost:PORT", "http://localhost:PORT", "https://localhost", "https://evil.example"):
            sent = origin.replace("PORT", str(port))
            try:
                async with wire.client_at(
                    f"wss://localhost:{port}/end",
                    ssl=trust,
                    additional_headers={"Cookie": "session=x", "Origin": sent},
                ) as client:
                    observed[origin] = await client.recv()
            except InvalidStatus as error:
                observed[origin] = error.response.status_code
    return observed


@row(
    "behind a proxy that ends TLS, with `TRUSTED_PROXIES`, the page's own origin is the one with https",
    group=PROXIED,
    holds={
        "https://localhost:PORT": "ready",
        "http://localhost:PORT": 403,
        "https://localhost": 403,
        "https://evil.example": 403,
    },
)
async def trusted_proxy(wire: Wire) -> object:
    return await through_proxy(wire)


@row(
    "who is not in `TRUSTED_PROXIES` is not believed, so that https is refused",
    holds={
        "https://localhost:PORT": 403,
        "http://localhost:PORT": "ready",
        "https://localhost": 403,
        "https://evil.example": 403,
    },
    otherwise={
        "uvicorn-own": Instead(
            {
                "https://localhost:PORT": "ready",
                "http://localhost:PORT": 403,
                "https://localhost": 403,
                "https://evil.example": 403,
            },
            "uvicorn itself believes 127.0.0.1 if not told otherwise (`--no-proxy-headers`)",
        )
    },
)
async def nobody_trusted(wire: Wire) -> object:
    return await through_proxy(wire)
