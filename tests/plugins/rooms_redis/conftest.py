"""A real Redis, and processes that use it: backends with a listener that notes what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from quart_plug_rooms.backend import Gap, Message
from quart_plug_rooms.redis.backend import RedisBackend
from tests.support.redis import LIMIT, Redis


class Process:
    """A backend as one process has it, and what it was told, in order: data of messages, and gaps."""

    def __init__(self, process: str = "process") -> None:
        self.process = process
        self.told: list[Any] = []
        self.messages: list[Message] = []
        self._news = asyncio.Condition()

    async def deliver(self, message: Message) -> None:
        self.messages.append(message)
        await self._note(message.data)

    async def gap(self, gap: Gap) -> None:
        await self._note(gap)

    async def _note(self, what: Any) -> None:
        self.told.append(what)
        async with self._news:
            self._news.notify_all()

    async def until(self, done: Callable[[list[Any]], object], what: str) -> list[Any]:
        """What it was told, as soon as that is enough."""
        try:
            async with asyncio.timeout(LIMIT), self._news:
                await self._news.wait_for(lambda: done(self.told))
        except TimeoutError:
            raise AssertionError(f"waited {LIMIT:g} s for {what}; told so far: {self.told[-50:]}") from None
        return self.told

    async def has(self, data: str | bytes) -> list[Any]:
        return await self.until(lambda told: data in told, f"the message {data!r}")

    async def count(self, number: int) -> list[Any]:
        return await self.until(lambda told: len(told) >= number, f"{number} messages or gaps")


_running: list[RedisBackend] = []


@asynccontextmanager
async def process(url: str, name: str = "process", **options: Any) -> AsyncIterator[tuple[RedisBackend, Process]]:
    """A started backend, and its listener; nothing is left after the last of them, no task either."""
    listener = Process(name)
    backend = RedisBackend(url, "test", **{"wait": 10.0, **options})
    _running.append(backend)
    try:
        await backend.start(listener)
        yield backend, listener
    finally:
        await backend.stop()
        _running.remove(backend)
        left = {task for task in asyncio.all_tasks() if "rooms" in task.get_name()}
        assert _running or not left, left


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path) as server:
        yield server
