"""The plugin `uvicorn`: HTTP/1.1 and websockets on asyncio, for `quart-plug run --server uvicorn`.

Light to import: uvicorn itself is imported when it is asked for.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_plug.exceptions import PluginError
from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import Server


@hookimpl
def server(app: Quart, name: str | None) -> Server | None:
    if name != "uvicorn":
        return None
    try:
        from .serving import UvicornServer
    except ModuleNotFoundError as error:
        raise PluginError(
            f"the server uvicorn needs the package {(error.name or '').partition('.')[0]!r}, which is not installed;"
            " pip install 'quart-plug[uvicorn]'"
        ) from error
    return UvicornServer()
