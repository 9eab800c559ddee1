"""What answers `send_file`: a file's headers, and a body that reads it off the event loop.

Rules: nothing here touches the disk on the loop (one hop to a thread looks everything up); and headers are
Quart's: `Cache-Control: public` with the maximal age, Last-Modified, ETag, and Content-Disposition for
attachments alone. Knows no routes.
"""

from __future__ import annotations

import mimetypes
import os
import re
import stat
import time
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zlib import adler32

from werkzeug.http import http_date

from quart_plug import request
from quart_plug.concurrency import run_in_thread

if TYPE_CHECKING:
    from quart_plug import Quart, Response

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Files:
    """Fills the slot `file_server`."""

    async def send_file(
        self,
        app: Quart,
        filename_or_io: Any,
        mimetype: str | None = None,
        as_attachment: bool = False,
        attachment_filename: str | None = None,
        add_etags: bool = True,
        cache_timeout: int | None = None,
        conditional: bool = False,
        last_modified: datetime | None = None,
    ) -> Response:
        """See `quart_plug.send_file`."""
        class_: type[Response] = app.response_class
        found: os.stat_result | None = None
        path = None
        if hasattr(filename_or_io, "read"):
            body: Any = await run_in_thread(class_.io_body_class, filename_or_io)
        else:
            path = os.fsdecode(filename_or_io)
            found, body = await run_in_thread(_look_up, class_.file_body_class, path)
        if attachment_filename is None and path is not None:
            attachment_filename = os.path.basename(path)
        if mimetype is None:
            mimetype = await run_in_thread(_guess, attachment_filename)

        response = class_(body, mimetype=mimetype)
        headers = response.headers
        headers["Content-Length"] = str(body.size)
        if as_attachment:
            headers["Content-Disposition"] = content_disposition(attachment_filename)
        if last_modified is None and found is not None:
            headers["Last-Modified"] = http_date(found.st_mtime)
        elif last_modified is not None:
            headers["Last-Modified"] = http_date(last_modified)
        if cache_timeout is None and path is not None:
            cache_timeout = app.get_send_file_max_age(path)
        headers["Cache-Control"] = "public"
        if cache_timeout is not None:
            headers["Cache-Control"] = f"public, max-age={int(cache_timeout)}"
            headers["Expires"] = http_date(time.time() + cache_timeout)
        if add_etags and found is not None and path is not None:
            response.set_etag(f"{found.st_mtime_ns:x}-{found.st_size:x}-{adler32(os.fsencode(path)):x}")
        if conditional:
            await response.make_conditional(request, accept_ranges=True, complete_length=body.size)
        return response


def _look_up(body_class: type[Any], path: str) -> tuple[os.stat_result, Any]:
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path!r} is a folder; send_file sends files")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{path!r} is a pipe or a device; send_file sends regular files")
    return found, body_class(path)


def _guess(name: str | None) -> str:
    # The first guess reads the system's table of types from the disk.
    if name is None:
        raise ValueError(
            "send_file cannot guess the type of a stream without a name; pass `mimetype` or `attachment_filename`"
        )
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def content_disposition(name: str | None) -> str:
    """An attachment's Content-Disposition (RFC 6266); a name beyond ASCII also in RFC 8187's form."""
    if name is None:
        return "attachment"
    simple = unicodedata.normalize("NFKD", _CONTROL.sub("_", name)).encode("ascii", "ignore").decode()
    if _TOKEN.fullmatch(simple):
        value = f"attachment; filename={simple}"
    else:
        escaped = simple.replace("\\", "\\\\").replace('"', '\\"')
        value = f'attachment; filename="{escaped}"'
    if simple == name and "%22" not in name:  # which browsers, and Werkzeug, read as a quotation mark
        return value
    encoded = quote(_CONTROL.sub("_", name), safe="!#$&+-.^_`|~")  # RFC 8187: attr-char
    return f"{value}; filename*=UTF-8''{encoded}"
