"""A websocket's message on its way through the hooks `websocket_received` and `websocket_sending`.

They may change it, drop it (MessageDropped), or close the websocket in its place (MessageRefused). None of this is used
where nobody implements them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..exceptions import MessageDropped, MessageRefused

if TYPE_CHECKING:
    from ..typing import Message
    from .connection import WebsocketConnection

Hook = Callable[..., Awaitable[Any]]


async def passed_in(
    websocket: WebsocketConnection, hook: Hook, message: Message, data: str | bytes
) -> str | bytes | None:
    """What the view is to get for a message, or None for one that was dropped. ConnectionClosed after a refusal."""
    try:
        return await hook(websocket._link, data)  # type: ignore[no-any-return]  # the message, or what replaces it
    except asyncio.CancelledError:
        websocket._inbox.put_back(message)  # `wait_for` gave up: the message is the next call's
        raise
    except MessageDropped:
        await asyncio.sleep(0)  # who floods us with such messages must not stop the loop
        return None
    except MessageRefused as refusal:
        await websocket._close(refusal.code, refusal.reason)
        await websocket._ended("receive")


async def passed_out(websocket: WebsocketConnection, hook: Hook, data: str | bytes) -> str | bytes | None:
    """What is to be sent for a message, or None for one that was dropped. ConnectionClosed after a refusal."""
    try:
        return await hook(websocket._link, data)  # type: ignore[no-any-return]  # as above
    except MessageDropped:
        return None
    except MessageRefused as refusal:
        await websocket._close(refusal.code, refusal.reason)
        await websocket._ended("send")
