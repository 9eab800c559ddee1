"""A websocket made by hand: `Websocket(path, …, receive, send, accept, close, scope)`, as in Quart.

Turns Quart's four functions into ASGI's two, so that such a websocket has the same code behind its methods.
Nothing watches it: there is no sweep, no task that could be cancelled, and no plan of a rule.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from .inbox import Inbox

if TYPE_CHECKING:
    from ..app import Quart
    from ..typing import Message
    from .base import BaseRequestWebsocket


class _NoApp:
    config: dict[str, Any] = {}


class _NoPlan:
    """The plan of no rule."""

    disconnect = "raise"
    received = None
    sending = None
    subprotocols: tuple[str, ...] = ()


class Detached:
    """What a websocket made by hand has in place of a Context."""

    plan = _NoPlan
    plans = None
    task = None
    sweep = None
    cancels = 0
    gone = False
    told = False

    def __init__(
        self,
        websocket: BaseRequestWebsocket,
        receive: Callable[[], Awaitable[str | bytes]],
        send: Callable[[str | bytes], Awaitable[None]],
        accept: Callable[[Headers, str | None], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
    ) -> None:
        self._websocket = websocket
        self._receive = receive
        self._send = send
        self._accept = accept
        self._close = close
        self.inbox = Inbox(self)  # type: ignore[arg-type]  # a Context's part that it needs

    @property
    def app(self) -> Quart | Any:
        return self._websocket._app() or _NoApp

    async def receive(self) -> Message:
        data = await self._receive()
        return {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            text = message.get("text")
            await self._send(message["bytes"] if text is None else text)
        elif message["type"] == "websocket.accept":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            await self._accept(Headers(pairs), message["subprotocol"])
        else:
            await self._close(message.get("code", 1000), message.get("reason", ""))
