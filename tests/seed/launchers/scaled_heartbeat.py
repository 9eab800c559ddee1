"""The example "heartbeat" with its own code and a faster clock: its 20 and 30 seconds are 0.2 and 0.3 here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import heartbeat

T = TypeVar("T")

SCALE = 0.01


class ScaledAsyncio:
    """asyncio, with its times multiplied."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, delay: float) -> None:
        await asyncio.sleep(delay * SCALE)

    async def wait_for(self, awaitable: Awaitable[T], timeout: float) -> T:
        return await asyncio.wait_for(awaitable, timeout * SCALE)


heartbeat.asyncio = ScaledAsyncio()
app = heartbeat.app
