"""An audit log: one line of JSON for each request, refused handshake, websocket and background task.

    {"at": "2026-02-03T10:00:00.000+00:00", "what": "GET /orders/<int:id>", "who": "10.0.0.7", "status": 200, …}

Routes are logged by their rule and not by their path, so that no secrets of URLs get into the file. It is written by
a thread of its own, in the order of the events, and is complete when the application has stopped.

    [plugins.audit]
    file = "audit.jsonl"
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_plug import Quart, hookimpl

if TYPE_CHECKING:
    from quart_plug.ctx import Context


@dataclass
class Audit:
    """file  to append to, relative to the application's instance folder."""

    file: Path = Path("audit.jsonl")


class Log:
    """The file, and the one thread that writes it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._thread = ThreadPoolExecutor(1, "audit")

    def write(self, **facts: Any) -> None:
        """Append a line, later."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._thread.submit(self._file.write, json.dumps({"at": at, **facts}, default=str) + "\n")

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._file.close()


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Audit


@hookimpl
async def lifespan(app: Quart) -> AsyncGenerator[None, None]:
    log = app.extensions["audit"] = Log(Path(app.instance_path, app.plugin_config(Audit).file))
    log.write(what="start")
    yield
    log.write(what="stop")
    del app.extensions["audit"]
    await log.close()


def tell(app: Quart, **facts: Any) -> None:
    log: Log | None = app.extensions.get("audit")
    if log is not None:  # None where the application was never started, as in some tests
        log.write(**facts)


@hookimpl(tryfirst=True)
async def route_matched(ctx: Context) -> None:
    rule = ctx.url_rule
    ctx.scope["audit.rule"] = None if rule is None else rule.rule
    ctx.scope["audit.begun"] = time.perf_counter()


def facts(ctx: Context) -> dict[str, Any]:
    """What is told of each connection."""
    scope = ctx.scope
    begun = scope.get("audit.begun")
    method = scope["method"] if scope["type"] == "http" else "websocket"
    return {
        "what": f"{method} {scope.get('audit.rule', 'no route')}",
        "who": (scope.get("client") or ("-",))[0],
        "seconds": None if begun is None else round(time.perf_counter() - begun, 3),
    }


@hookimpl
async def response_sent(ctx: Context, status: int | None, error: BaseException | None) -> None:
    broken = {} if error is None else {"broken": type(error).__name__}
    tell(ctx.app, **facts(ctx), status=status, **broken)


@hookimpl
async def websocket_closed(ctx: Context, code: int, reason: str, closed_by: str | None) -> None:
    tell(ctx.app, **facts(ctx), code=code, reason=reason, closed_by=closed_by)


@hookimpl
async def background_finished(app: Quart, task: asyncio.Task[None]) -> None:
    tell(app, what=task.get_name())
