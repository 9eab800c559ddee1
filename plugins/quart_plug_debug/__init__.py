"""The plugin `debug`: the traceback page for an unhandled error in debug mode, and the reloader.

Light to import: the page and the reloader are modules beside this one, imported when used. There is no
interactive console, so nothing here runs what a visitor sends.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart, Response
    from quart_plug.typing import DebugPage

__all__ = ["TEMPLATE", "Debug", "traceback_response"]


class Debug:
    """Fills the slot `debug_page`."""

    async def render(self, app: Quart, error: BaseException) -> Response:
        """The page for an error (status 500); outside debug mode one without any detail."""
        from .page import hidden_response, traceback_response

        return await traceback_response(error) if app.debug else hidden_response()

    def run_with_reloader(self, run: Callable[[], None], app: Quart) -> None:
        """Run `run()` in a child process that is started again when code changes; see reloader.py."""
        from .reloader import run_with_reloader

        run_with_reloader(run, folders=[app.root_path])


@hookimpl
def debug_page(app: Quart) -> DebugPage | None:
    return Debug()


async def traceback_response(error: BaseException) -> Response:
    """The page that shows an error's traceback."""
    from .page import traceback_response

    return await traceback_response(error)


def __getattr__(name: str) -> Any:
    if name == "TEMPLATE":
        from .page import TEMPLATE

        return TEMPLATE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
