"""A bare ASGI callable dressed as an app: the client is tested without the framework."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quart_plug.typing import Receive, Scope, Send
from quart_plug.wrappers import Response

ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]


class BareApp:
    """What the client needs of an app, around one coroutine function."""

    response_class = Response
    json = json

    def __init__(self, asgi: ASGI) -> None:
        self.asgi = asgi
        self.config: dict[str, Any] = {"SERVER_NAME": None}
        self.preserves_context = False
        self.preserved_context: Any = None

    def plans_changed(self) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)


@pytest.fixture
def bare_app() -> type[BareApp]:
    return BareApp
