"""Hooks of background tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markers import hookspec

if TYPE_CHECKING:
    import asyncio

    from ...app import Quart

# Background tasks ---------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def background_started(app: Quart, task: asyncio.Task[None]) -> None:
    """A background task begins (`add_background_task`); called in it, before its function."""


@hookspec(kind="notify", colour="async")
async def background_failed(app: Quart, error: BaseException) -> None:
    """A background task ended with an error; called in it."""


@hookspec(kind="notify", colour="async")
async def background_finished(app: Quart, task: asyncio.Task[None]) -> None:
    """A background task is over, in whatever way; called in it, as the last."""
