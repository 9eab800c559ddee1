"""Hooks of the app's life in a server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart

# Serving ------------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def listening(app: Quart, url: str) -> None:
    """The server has its address, and starts the app next. Told by the server plugins, not by servers' own commands."""


@hookspec(kind="notify", colour="async")
async def startup(app: Quart) -> None:
    """The server starts; before the app's own `before_serving` functions."""


@hookspec(kind="notify", colour="async")
async def draining(app: Quart) -> None:
    """The shutdown begins, once: a signal came, or the server says so. Requests are still answered.

    Under `quart-plug run`, `app.run()` and `run_task` the server goes on accepting until this has returned, for at most
    SHUTDOWN_TIMEOUT seconds, so that a health check can say so first. Other servers tell only when they have stopped.
    """


@hookspec(kind="notify", colour="async")
async def shutdown(app: Quart) -> None:
    """The server has stopped accepting and requests are done; after the app's `after_serving` functions."""


@hookspec(kind="around", colour="async")
async def lifespan(app: Quart) -> AsyncGenerator[None, None]:  # type: ignore[empty-body]  # never run
    """Around the app's life: the part before `yield` runs at start-up, the part after it at shutdown."""


@hookspec(kind="notify", colour="async")
async def serving_failed(app: Quart, error: BaseException) -> None:
    """A start-up or shutdown function raised; the error then goes to the server."""
