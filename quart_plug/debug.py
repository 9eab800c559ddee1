"""Quart's `quart.debug`, by name: the traceback page is the plugin `debug`, imported on first use.

Enables nothing. Must not know how the page looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .wrappers import Response

__all__ = sorted({"TEMPLATE", "traceback_response"})


async def traceback_response(error: BaseException) -> Response:
    """The page (status 500) that shows an error's traceback; it is for developers, never for the public.

    error    the error; its causes, notes and grouped errors are shown too.
    """
    from .hooks.names import plugin_attribute

    response: Response = await plugin_attribute("debug", "traceback_response")(error)
    return response


def __getattr__(name: str) -> Any:
    if name != "TEMPLATE":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .hooks.names import plugin_attribute

    return plugin_attribute("debug", "TEMPLATE")
