"""A process that answers one request and says so: `startup.py core|kernel|quart`. Timed from outside."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

which = sys.argv[1]
if which == "quart":
    from quart import Quart
else:
    from quart_plug import Quart

app = Quart("startup")
if which == "kernel":
    app.config["PLUGINS_DISABLED"] = [
        *("json", "sessions", "templates", "signals", "static", "cli", "hypercorn", "debug", "security"),
    ]


@app.get("/")
async def index() -> str:
    return "Hello, World!"


async def main() -> bytes:
    inbound: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return inbound.pop() if inbound else await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 5000),
    }
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


sys.stdout.buffer.write(asyncio.run(main()))
sys.stdout.flush()
