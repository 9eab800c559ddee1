"""A websocket made by hand: `Websocket(path, …, receive, send, accept, close, scope)`, as in Quart 0.22, or without
`receive`, as in 0.23: then what the client sends is put into its `buffer`.

Turns Quart's four functions into ASGI's two, so that such a websocket has the same code behind its methods.
Nothing watches it: there is no sweep, no task that could be cancelled, and no plan of a rule.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from ..exceptions import ClientDisconnected
from .inbox import Inbox

if TYPE_CHECKING:
    from ..app import Quart
    from ..typing import Message
    from .base import BaseRequestWebsocket


class Buffer:
    """The messages of the client that were not received yet; who holds the connection puts them in."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._gone = False

    async def put(self, data: str | bytes) -> None:
        """Add a message."""
        await self._messages.put(data)

    async def get(self) -> str | bytes:
        """The next message, once there is one. ClientDisconnectedError: the client has left, and none is left."""
        data = None if self._gone and self._messages.empty() else await self._messages.get()
        if data is None:
            raise ClientDisconnected("The client has closed the websocket.")
        return data

    def disconnect(self) -> None:
        """The client has left: what is here can be read, then there is nothing more."""
        self._gone = True
        self._messages.put_nowait(None)

    def __aiter__(self) -> Buffer:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.get()
        except ClientDisconnected:
            raise StopAsyncIteration from None


@cache
def takes_receive(class_: type) -> bool:
    """Whether the constructor of a class of websockets has 0.22's arguments, of which 0.23 dropped `receive`."""
    parameters = inspect.signature(class_).parameters.values()
    return any(each.name == "receive" or each.kind is each.VAR_POSITIONAL for each in parameters)


class _NoApp:
    config: dict[str, Any] = {}


class _NoPlan:
    """The plan of no rule."""

    disconnect = "raise"
    received = None
    sending = None
    sent = None
    closed = None
    accepting = None
    codecs = None
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
        try:
            data = await self._receive()
        except ClientDisconnected:
            return {"type": "websocket.disconnect", "code": 1005, "reason": ""}
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
