"""Sending files: thin functions over the slot `file_server`, and the joining of paths that come from outside.

`helpers` offers these names. Knows no headers and reads no file: that is the plugin `static`.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from werkzeug.security import safe_join as _join

from .concurrency import run_in_thread
from .exceptions import NotFound
from .globals import current_app

if TYPE_CHECKING:
    from io import BytesIO

    from .typing import FilePath, FileServer
    from .wrappers import Response

# Names that Windows keeps for devices in every folder, whatever follows the first dot or colon:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file. Opening one waits for the device.
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789\u00b9\u00b2\u00b3"
}


def names_device(path: str) -> bool:
    """Whether a part of `path` is the name of a Windows device: `NUL`, `a/con.txt`, `COM1 .x:y`."""
    parts = path.replace("\\", "/").split("/")
    return any(part.partition(":")[0].partition(".")[0].strip().upper() in _DEVICES for part in parts)


def safe_join(directory: str, *untrusted: str) -> str | None:
    """Join path components that come from outside to a trusted directory; None when the result would leave
    it.

    Also None for absolute paths, for NUL characters, and on Windows for names of devices. It looks at
    names only: what a symbolic link inside of the directory points to is the application's affair.
    """
    untrusted = tuple(map(os.fspath, untrusted))
    if any("\0" in part for part in untrusted):
        return None
    if os.name == "nt" and any(names_device(part) for part in untrusted):
        return None  # werkzeug has this only since 3.1.6
    return _join(directory, *untrusted)


async def send_file(
    filename_or_io: FilePath | BytesIO,
    mimetype: str | None = None,
    as_attachment: bool = False,
    attachment_filename: str | None = None,
    add_etags: bool = True,
    cache_timeout: int | None = None,
    conditional: bool = False,
    last_modified: datetime | None = None,
) -> Response:
    """A response with the contents of a file. Never pass it a path that comes from outside: see the next
    function.

    filename_or_io       a path, an `io.BytesIO` or another binary stream that can seek.
    mimetype             guessed from the name when not given.
    as_attachment        ask the browser to save it, under the name `attachment_filename` (default: the
                         file's).
    add_etags            set an ETag from the file's time, size and path.
    cache_timeout        seconds for which it may be cached; default `app.get_send_file_max_age(filename)`.
    conditional          answer the request's conditions (304) and ranges (206).
    last_modified        default: the file's time.

    Raises FileNotFoundError, IsADirectoryError, PermissionError; ValueError when the mimetype cannot be
    guessed; RequestedRangeNotSatisfiable; PluginNotEnabled when no plugin serves files.
    """
    server = cast("FileServer", current_app.plugin_slot("file_server"))
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # a LocalProxy
    return await server.send_file(
        app,
        filename_or_io,
        mimetype,
        as_attachment,
        attachment_filename,
        add_etags,
        cache_timeout,
        conditional,
        last_modified,
    )


async def send_from_directory(
    directory: FilePath,
    file_name: str,
    *,
    mimetype: str | None = None,
    as_attachment: bool = False,
    attachment_filename: str | None = None,
    add_etags: bool = True,
    cache_timeout: int | None = None,
    conditional: bool = True,
    last_modified: datetime | None = None,
) -> Response:
    """A response with the file `file_name`, which may come from outside, of `directory`, which must not.

    The arguments are those of `send_file`. Raises NotFound for what is no regular file inside of the
    directory.
    """
    path = safe_join(os.fsdecode(directory), file_name)
    if path is None or not await run_in_thread(_is_file, path):
        raise NotFound()
    return await send_file(
        path,
        mimetype=mimetype,
        as_attachment=as_attachment,
        attachment_filename=attachment_filename,
        add_etags=add_etags,
        cache_timeout=cache_timeout,
        conditional=conditional,
        last_modified=last_modified,
    )


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a name that the operating system cannot even look for
        return False
