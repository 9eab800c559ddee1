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
    """

    def __init__(self, app: Any, state: dict[str, Any], channels: Channels) -> None:
        self.app = app
        self.state = state
        self.channels = channels

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
                await self.app(scope, protocol.receive, protocol.send)
        except asyncio.CancelledError:
            pass  # by the end of the server
        except Exception:
            logger.exception("Error in the ASGI app")
        finally:
            watcher.done()  # who has no answer yet gets a 500

    async def _websocket(self, scope: Any, protocol: Any, peer: tuple[str, int]) -> None:
        task = asyncio.current_task()
        assert task is not None  # granian calls in one
        channel = Channel(self.channels, protocol, peer, task)
        scope["quart_plug.abort"] = channel.abort
        try:
            await self.app(scope, channel.receive, channel.send)
        finally:
            channel.leave()
