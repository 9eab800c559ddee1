"""What the lines of moving_from_quart.md share: whose API is tried, and short ways to ask it."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import import_module
from typing import Any

from ..rows import Rows

row = Rows()

# The package that the functions try: `quart`, which is the real one or the alias, or `quart_plug`.
quart: Any = import_module(os.environ.get("GUIDES_PACKAGE", "quart_plug"))


def part(name: str) -> Any:
    """A submodule of that package."""
    return import_module(f"{quart.__name__}.{name}")


def make_app(**settings: Any) -> Any:
    app = quart.Quart("shop", root_path=os.getcwd())
    app.secret_key = "secret"
    app.config.update(settings)
    return app


async def within(seconds: float, awaitable: Any) -> Any:
    """Its result, or "waits" when there is none in time."""
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except TimeoutError:
        return "waits"


async def soon(condition: Any) -> None:
    """Wait until it holds, or for a second: what has not happened by then does not."""
    end = asyncio.get_running_loop().time() + 1
    while not condition() and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.01)


def quiet() -> None:
    """What a line provokes is not to be seen."""
    import logging

    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None
