"""`FileStorage`: Werkzeug's uploaded file, with a `save` and a `load` that do not block the event loop."""

from __future__ import annotations

import os
from shutil import copyfileobj
from typing import IO, Any

from werkzeug.datastructures import FileStorage as WerkzeugFileStorage
from werkzeug.datastructures import Headers as Headers

from .concurrency import run_in_thread

__all__ = ["FileStorage", "Headers", "WerkzeugFileStorage"]

BUFFER_SIZE = 16384  # bytes; Quart's default
LEAST = 256 * 1024  # bytes copied at once even so: half the time of BUFFER_SIZE


class FileStorage(WerkzeugFileStorage):
    """An uploaded file: its `stream`, and what the client says of it.

    `filename` is the client's word and may be "../../x": pass it through `werkzeug.utils.secure_filename`
    before it becomes part of a path. Attributes that are not here are those of the stream (`read`, `seek`,
    …), which block.
    """

    def __init__(
        self,
        stream: IO[bytes] | None = None,
        filename: str | None = None,
        name: str | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        super().__init__(stream, filename, name, content_type, content_length, headers)

    async def save(  # type: ignore[override]  # Quart's signature: a coroutine
        self, destination: str | os.PathLike[str] | IO[bytes], buffer_size: int = BUFFER_SIZE
    ) -> None:
        """Write the file, from its current position on, to a path or an open binary file.

        `buffer_size`: bytes copied at once, if more than 256 KiB. Raises OSError.
        """
        await run_in_thread(_write_to, self.stream, destination, buffer_size)

    async def load(self, source: str | os.PathLike[str], buffer_size: int = BUFFER_SIZE) -> None:
        """Add the content of the file at the path `source` to the stream. Raises OSError."""
        await run_in_thread(_read_from, self.stream, source, buffer_size)


def _write_to(stream: IO[bytes], destination: Any, buffer_size: int) -> None:
    if isinstance(destination, (str, bytes, os.PathLike)):
        with open(destination, "wb") as file:
            copyfileobj(stream, file, max(buffer_size, LEAST))
    else:
        copyfileobj(stream, destination, max(buffer_size, LEAST))


def _read_from(stream: IO[bytes], source: str | os.PathLike[str], buffer_size: int) -> None:
    with open(source, "rb") as file:
        copyfileobj(file, stream, max(buffer_size, LEAST))
