"""One scenario for each hook: a plugin that implements only that hook, and a program that makes it be called.

A scenario uses the public API, and fails when the hook is not called, is given something else, or when its answer does
not have the effect that its documentation promises. Those of connections are run for both kinds.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from quart_plug import Quart, hookimpl, websocket
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError

KINDS = ("request", "websocket")


@dataclass(frozen=True)
class Scenario:
    hook: str
    function: Callable[..., Any]
    kind: str | None  # of connection, for hooks that both have

    @property
    def name(self) -> str:
        return self.hook if self.kind is None else f"{self.hook}-{self.kind}"

    async def run(self) -> None:
        """AssertionError, or another error, when the hook does not do what it is for."""
        result = self.function() if self.kind is None else self.function(self.kind)
        if inspect.isawaitable(result):
            await result


SCENARIOS: list[Scenario] = []


def scenario(function: Callable[..., Awaitable[None] | None]) -> Callable[..., Any]:
    """Make a function the scenario of the hook that it is called after; with an argument `kind`, one for each kind."""
    for_both = "kind" in inspect.signature(function).parameters
    SCENARIOS.extend(Scenario(function.__name__, function, kind) for kind in (KINDS if for_both else (None,)))
    return function


def only(hook: str, function: Callable[..., Any]) -> Any:
    """A plugin that implements one hook."""
    return type("Only", (), {"implementation": staticmethod(hookimpl(specname=hook)(function))})()


def app_with(hook: str, function: Callable[..., Any], **config: Any) -> Quart:
    """An application with that plugin, under the name "only"."""
    app = Quart("shop")
    app.config.update(config)
    app.hooks.register(only(hook, function), name="only")
    return app


@dataclass
class Seen:
    """What the client saw: the status of an HTTP answer or the close code of a websocket, and what was said."""

    code: int
    said: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def view(app: Quart, kind: str, rule: str = "/", says: str = "view", fails: Exception | None = None) -> None:
    """A view that says something, or fails."""

    async def answer(**values: Any) -> Any:
        if fails is not None:
            raise fails
        return says if kind == "request" else await websocket.send(says)

    (app.route if kind == "request" else app.websocket)(rule, endpoint=f"view {rule}")(answer)


async def visit(app: Quart, kind: str, path: str = "/", **options: Any) -> Seen:
    """Make a request, or a websocket that is read to its end."""
    client = app.test_client()
    if kind == "request":
        response = await client.get(path, **options)
        return Seen(response.status_code, await response.get_data(as_text=True), dict(response.headers))
    said = []
    try:
        async with client.websocket(path, **options) as connection:
            while True:
                said.append(str(await connection.receive()))
    except WebsocketResponseError as refusal:
        response = refusal.response
        return Seen(response.status_code, await response.get_data(as_text=True), dict(response.headers))
    except WebsocketDisconnectError as end:
        return Seen(end.code, "".join(said))


OK = {"request": 200, "websocket": 1000}
