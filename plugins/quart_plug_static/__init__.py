"""The plugin `static`: `send_file` and `send_from_directory`, and with them the static folders.

Light to import: what reads files is the module beside this one, imported when the first file is sent.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import FileServer


@hookimpl
def file_server(app: Quart) -> FileServer | None:
    from .files import Files

    return Files()
