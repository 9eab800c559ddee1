"""Hooks of nothing else's subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart

# The rest -----------------------------------------------------------------------------------------------------------


@hookspec(kind="notify", colour="async")
async def message_flashed(app: Quart, message: str, category: str) -> None:
    """`flash()` was called; the message is in the session by now."""
