"""Who asks an ended websocket a few times is told each time, and is not taken for one who does not stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, websocket

LIMIT = 10.0
SCOPE: dict[str, Any] = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
    "subprotocols": [],
}


async def connect(app: Quart) -> None:
    """A client that has left before the view looks: nothing here has to be waited for."""
    messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 4001, "reason": "x"}]

    async def receive() -> Any:
        if not messages:
            await asyncio.get_running_loop().create_future()
        return messages.pop(0)

    async def send(message: Any) -> None:
        pass

    await app(SCOPE, receive, send)  # type: ignore[arg-type]  # a scope as servers give it


@pytest.mark.parametrize("calls", [2, 3, 4, 8])
@pytest.mark.parametrize("idle", [False, True], ids=["first", "after a pause"])
async def test_each_call_is_told(calls: int, idle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Quart(__name__)
    told: list[tuple[int | None, str, str | None]] = []

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        ways: list[Callable[[], Awaitable[Any]]] = [websocket.receive, lambda: websocket.send("x")]
        for number in range(calls):
            try:
                await ways[number % 2]()
            except ConnectionClosed as error:
                told.append((error.code, error.reason, error.closed_by))
            if number:  # from the second call on
                await asyncio.sleep(0)
                sweep.tick(sweep.loop.time())  # the connections are looked at meanwhile

    sweep = app._current_sweep()
    if idle:
        sweep.now = sweep.loop.time() - 3600  # nobody was connected for an hour
    await asyncio.wait_for(connect(app), LIMIT)
    assert told == [(4001, "x", "client")] * calls
