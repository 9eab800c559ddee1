"""What granian's worker calls for each connection: the app, with scopes as ASGI has them.

Must not know the framework.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from .channels import Channel, Channels

logger = logging.getLogger("quart_plug.granian")


class Calls:
    """Calls of one app.

    state  what the app's start-up has left; each connection gets a copy.
    last   whether a request that begins now is its connection's last one.
    """

    last = False

    def __init__(self, app: Any, state: dict[str, Any], channels: Channels) -> None:
        self.app = app
        self.state = state
        self.channels = channels

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Those that handle a connection now. Looked for when it is needed: it is once, and there are many calls."""
        code = Calls.handle.__code__
        return {task for task in asyncio.all_tasks() if getattr(task.get_coro(), "cr_code", None) is code}

    async def handle(self, watcher: Any) -> None:
        """One connection: `watcher` has its scope and its protocol, and is told of the end."""
        try:
            scope, protocol = watcher.scope, watcher.proto
            scope["state"] = self.state.copy()
            scope["root_path"] = ""
            # granian gives the ports as text.
            host, port = scope["client"]
            peer = scope["client"] = (host, int(port))
            host, port = scope["server"]
            scope["server"] = (host, int(port))
            if scope["type"] == "websocket":
                await self._websocket(scope, protocol, peer)
            else:
                send = _saying_goodbye(protocol.send) if self._ends(scope) else protocol.send
                await self.app(scope, protocol.receive, send)
        except asyncio.CancelledError:
            pass  # by the end of the server
        except Exception:
            logger.exception("Error in the ASGI app")
        finally:
            watcher.done()  # who has no answer yet gets a 500

    def _ends(self, scope: Any) -> bool:
        return self.last and scope["http_version"] < "2"  # HTTP/2 has another way (RFC 9113, 8.2.2)

    async def _websocket(self, scope: Any, protocol: Any, peer: tuple[str, int]) -> None:
        task = asyncio.current_task()
        assert task is not None  # granian calls in one
        channel = Channel(self.channels, protocol, peer, task)
        scope["quart_plug.abort"] = channel.abort
        try:
            await self.app(scope, channel.receive, channel.send)
        finally:
            await channel.leave()


def _saying_goodbye(send: Any) -> Any:
    """A `send` whose response tells the client that the connection ends with it."""

    def sending(message: Any) -> Any:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*(message.get("headers") or ()), (b"connection", b"close")]}
        return send(message)

    return sending
