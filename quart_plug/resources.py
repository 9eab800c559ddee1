"""Files of a folder that belongs to an app or blueprint, opened for reading."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

from .typing import FilePath


class Resource:
    """A file to read: `async with resource as file: …`; awaiting it first, as Quart's has to be, changes nothing."""

    def __init__(self, path: str, mode: str) -> None:
        self._path = path
        self._mode = mode
        self._opened: Any = None

    def __await__(self) -> Generator[Any, Any, Resource]:
        yield from ()
        return self

    async def __aenter__(self) -> Any:
        import aiofiles

        self._opened = aiofiles.open(self._path, self._mode)  # type: ignore[call-overload]
        return await self._opened.__aenter__()

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._opened.__aexit__(*exc_info)


def open_below(root: str | os.PathLike[str], path: FilePath, mode: str) -> Resource:
    """A file below `root`, for reading only."""
    if mode not in {"r", "rb", "rt"}:
        raise ValueError(f"resources can only be opened for reading, not with mode {mode!r}")
    return Resource(os.path.join(os.fspath(root), os.fsdecode(path)), mode)
