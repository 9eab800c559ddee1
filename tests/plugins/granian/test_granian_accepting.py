"""A websocket that ends in the moment of its acceptance: granian has sent the answer, the app does not know it yet."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug_granian.channels import Channel


class Protocol:
    """granian's side: it takes messages, and is slow with the first one."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, message: Any) -> None:
        self.given.append(message["type"])
        if message["type"] == "websocket.accept":
            await self.answer

    async def receive(self) -> Any:
        await asyncio.get_running_loop().create_future()


@pytest.fixture
async def channel() -> Channel:
    transports = SimpleNamespace(find=lambda peer: None, forget=lambda peer: None)
    channels: Any = SimpleNamespace(open=set(), transports=transports)
    task: Any = None
    return Channel(channels, Protocol(), ("127.0.0.1", 1), task)


async def accepting(channel: Channel) -> tuple[asyncio.Task[Any], Protocol]:
    protocol: Any = channel._give.__self__
    task = asyncio.ensure_future(channel.send({"type": "websocket.accept"}))
    await asyncio.sleep(0)
    return task, protocol  # type: ignore[return-value]  # `send` returns coroutines


async def test_who_was_cancelled_while_accepting_closes_a_websocket(channel: Channel) -> None:
    task, protocol = await accepting(channel)
    task.cancel()
    await asyncio.wait((task,))
    await channel.send({"type": "websocket.close", "code": 1012, "reason": "x"})
    assert protocol.given == ["websocket.accept", "websocket.close"]


async def test_who_could_not_accept_refuses(channel: Channel) -> None:
    task, protocol = await accepting(channel)
    protocol.answer.set_exception(RuntimeError("the client has left"))
    with pytest.raises(OSError, match="before its websocket was accepted"):
        await task
    await channel.send({"type": "websocket.close", "code": 1000})
    assert protocol.given[1:] == ["websocket.http.response.start", "websocket.http.response.body"]
