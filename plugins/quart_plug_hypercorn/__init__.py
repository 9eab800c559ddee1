"""The plugin `hypercorn`: the default server, HTTP/1.1, HTTP/2 and websockets on asyncio.

Light to import: hypercorn itself is imported when a server is started. Where hypercorn's own command runs the
application, it gets the plugin's streams: close codes, limits and the end of websockets are as with `quart-plug run`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import Server


@hookimpl
def server(app: Quart, name: str | None) -> Server | None:
    if name not in (None, "hypercorn"):
        return None
    from .serving import HypercornServer

    return HypercornServer()


@hookimpl
def setup(app: Quart) -> None:
    if "hypercorn.asyncio.run" in sys.modules:  # it serves the app, or is about to
        from .streams import install, is_supported

        if is_supported():
            install()
