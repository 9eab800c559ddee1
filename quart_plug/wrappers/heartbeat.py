"""The application's heartbeat of a websocket: what the protocol's pings cannot show to a script in a browser.

Sends through the websocket when the sweep says that it is time (see deadlines.py); has no timer of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..exceptions import ConnectionClosed

if TYPE_CHECKING:
    from .websocket import Websocket


class Heartbeat:
    """One websocket's heartbeat.

    interval  seconds without a message to the client, after which one is sent.
    timeout   seconds after a heartbeat in which the client has to send something, or None.
    sent      how many have been sent.
    """

    __slots__ = ("_task", "interval", "message", "sent", "timeout", "websocket")

    def __init__(self, websocket: Websocket, interval: float, message: str | bytes, timeout: float | None) -> None:
        if not interval > 0:
            raise ValueError(f"a heartbeat's interval is a number of seconds above 0, not {interval!r}")
        if timeout is not None and not timeout > 0:
            raise ValueError(f"a heartbeat's timeout is a number of seconds above 0, or None, not {timeout!r}")
        self.websocket = websocket
        self.interval = interval
        self.message = message
        self.timeout = timeout
        self.sent = 0
        self._task: asyncio.Task[None] | None = None

    def send(self) -> None:
        """Send one, unless the last one is still on its way."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send(), name="quart_plug.heartbeat")

    async def _send(self) -> None:
        try:
            await self.websocket.send(self.message)
        except ConnectionClosed:
            return  # whoever waits on the websocket is told as well
        self.sent += 1

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
