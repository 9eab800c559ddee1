"""A websocket's message on its way through the hooks `websocket_received` and `websocket_sending`.

They may change it, drop it (MessageDropped), or close the websocket in its place (MessageRefused). None of this is used
where nobody implements them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..answers import wrong_answer
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
        return _message(websocket, "websocket_received", await hook(websocket._link, data))
    except asyncio.CancelledError:
        websocket._inbox.put_back(message)  # `wait_for` gave up: the message is the next call's
        raise
    except MessageDropped:
        await asyncio.sleep(0)  # who floods us with such messages must not stop the loop
        return None
    except MessageRefused as refusal:
        await websocket._close(refusal.code, refusal.reason)
        await websocket._ended("receive")
        return None


async def passed_out(websocket: WebsocketConnection, hook: Hook, data: str | bytes) -> str | bytes | None:
    """What is to be sent for a message, or None for one that was dropped. ConnectionClosed after a refusal."""
    try:
        return _message(websocket, "websocket_sending", await hook(websocket._link, data))
    except MessageDropped:
        return None
    except MessageRefused as refusal:
        await websocket._close(refusal.code, refusal.reason)
        await websocket._ended("send")
        return None


def _message(websocket: WebsocketConnection, hook: str, data: Any) -> str | bytes:
    """What the plugins made of a message; TypeError, which names them, when it is none."""
    if isinstance(data, (str, bytes)):
        return data
    raise wrong_answer(websocket._link.app.plugin_hooks, hook, data, "a str or bytes")
