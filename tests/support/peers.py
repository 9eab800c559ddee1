"""Peers of websockets that a test lets read, or not: an app is driven with ASGI messages, without client or server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from quart_plug import Quart

Message = dict[str, Any]


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    """Wait for a condition, turn by turn of the loop. AssertionError when it does not come true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, f"waited {seconds} seconds in vain"
        await asyncio.sleep(0 if loop.time() < end - seconds + 1 else 0.01)


class Peer:
    """A websocket to an app.

    sent     every message of the app's, in order.
    reading  while it is not set, what the app sends waits.
    wrap     what makes another `send` of the peer's own: a middleware.
    fails    an error that `send` raises.
    """

    def __init__(
        self, app: Quart, path: str = "/", wrap: Callable[[Any], Any] = lambda send: send, **scope: Any
    ) -> None:
        self.sent: list[Message] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.fails: BaseException | None = None
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})
        path, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "path": path,
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
            "scheme": "ws",
            "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            **scope,
        }
        self.task = asyncio.create_task(app(scope, self._messages.get, wrap(self._send)))

    async def _send(self, message: Message) -> None:
        if self.fails is not None and message["type"] == "websocket.send":
            raise self.fails
        if not self.reading.is_set():
            await self.reading.wait()
        self.sent.append(message)

    def say(self, text: str) -> None:
        """Send a text message to the app."""
        self._messages.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self, code: int = 1000) -> None:
        """Close the connection from the client's side."""
        self._messages.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    @property
    def heard(self) -> list[Any]:
        """The data of the messages that were sent."""
        return [
            message["bytes"] if message.get("text") is None else message["text"]
            for message in self.sent
            if message["type"] == "websocket.send"
        ]

    @property
    def closing(self) -> tuple[int, str] | None:
        """Code and reason with which the app closed it."""
        found = [message for message in self.sent if message["type"] == "websocket.close"]
        return (found[0]["code"], found[0].get("reason", "")) if found else None

    async def gone(self) -> None:
        """The client leaves, and everything of the connection is over."""
        self.leave()
        self.reading.set()
        await asyncio.wait_for(asyncio.wait([self.task]), 20)
