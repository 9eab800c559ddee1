"""The plugin `granian`: a server in Rust, HTTP/1.1, HTTP/2 and websockets, that runs the app in asyncio's loop.

Light to import: granian itself is imported when its server is chosen.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import Server


@hookimpl
def server(app: Quart, name: str | None) -> Server | None:
    if name != "granian":  # never the default one
        return None
    try:
        import granian  # noqa: F401  # only whether it is there
    except ImportError as error:
        from quart_plug.running import ServerStartError

        raise ServerStartError("granian is not installed; pip install 'quart-plug[granian]'") from error
    from .serving import GranianServer

    return GranianServer()
