"""What a backend tells: messages and gaps, and to whom in this process they go.

Must not know: backends, memberships.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from quart_plug.exceptions import MessageDropped

from .backend import Gap, Message
from .local import LocalRoom
from .settings import Settings

if TYPE_CHECKING:
    from quart_plug import Quart


class Listening:
    """What `Rooms` is for its backend: the larger part of a `backend.Listener`."""

    def __init__(self, app: Quart) -> None:
        self.app = app
        self.settings = app.plugin_config(Settings)
        self._rooms: dict[str, LocalRoom] = {}

    async def deliver(self, message: Message) -> None:
        """For backends: see `backend.Listener`."""
        await self._deliver(message)

    async def _deliver(self, message: Message, *, is_notice: bool = False) -> None:
        local = self._rooms.get(message.room)
        if local is not None:
            try:
                await local.deliver(message, is_notice=is_notice)
            except Exception as error:
                self._log(error)

    async def gap(self, gap: Gap) -> None:
        """For backends: see `backend.Listener`."""
        told = {"type": "gap", "room": gap.room, "missed": gap.missed}
        text = str(self.app.json.dumps(told))
        chain = self.app.chain_here("room_gap")
        if chain is not None:
            try:
                text = await chain(self.app, gap, text)
            except MessageDropped:
                return
            except Exception as error:
                self._log(error)
        if self.settings.gap_message and isinstance(text, str):
            notice = Message(gap.room, gap.epoch, gap.after, text, is_json=True, at=time.time())
            await self._deliver(notice, is_notice=True)

    async def _logged(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except Exception as error:
            self._log(error)

    def _log(self, error: BaseException) -> None:
        self.app.logger.error("Rooms: %s", error or type(error).__name__, exc_info=error)
