"""The plugin `hypercorn`: the default server, HTTP/1.1, HTTP/2 and websockets on asyncio.

Light to import: hypercorn itself is imported when a server is started.

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
    if name not in (None, "hypercorn"):
        return None
    from .serving import HypercornServer

    return HypercornServer()
