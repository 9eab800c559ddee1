"""Files of a folder that belongs to an app or blueprint, opened for reading; and where a package lies."""

from __future__ import annotations

import os
import sys
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


def package_folder(import_name: str) -> str:
    """The folder that holds the top-level package or module of an import name.

    It is the working directory for a script, and for a name that nothing is found for. Imports nothing.
    """
    from importlib.util import find_spec

    top, *rest = import_name.split(".")
    module = sys.modules.get(top)
    try:
        spec = getattr(module, "__spec__", None) if top == "__main__" else find_spec(top)
    except (ImportError, ValueError):  # ValueError: a module made by hand
        spec = None
        if getattr(module, "__file__", None):
            file = os.path.abspath(str(module.__file__))  # type: ignore[union-attr]  # it has a file
            return os.path.dirname(os.path.dirname(file) if hasattr(module, "__path__") else file)
    if spec is None:
        return os.getcwd()
    folders = [os.path.abspath(folder) for folder in spec.submodule_search_locations or ()]
    if folders:  # several for a namespace package: the one with the module decides
        places = [os.path.join(folder, *rest) for folder in folders]
        found = [os.path.exists(place) or os.path.exists(f"{place}.py") for place in places]
        return os.path.dirname(folders[found.index(True) if True in found else 0])
    return os.path.dirname(os.path.abspath(str(spec.origin))) if spec.has_location else os.getcwd()


def install_prefix(folder: str) -> str | None:
    """The prefix below which a package in `folder` is installed; None for a package that is not."""
    if lies_below(folder, sys.prefix):
        return sys.prefix
    parent, name = os.path.split(folder)
    if name.lower() != "site-packages":
        return None
    for candidate in (parent, os.path.dirname(parent)):  # Windows: Lib/; elsewhere: lib/python3.X/
        if os.path.basename(candidate).lower() == "lib":
            return os.path.dirname(candidate)
    return parent


def lies_below(folder: str, prefix: str) -> bool:
    """Whether a folder is the other one or inside of it, wherever links lead."""
    folder, prefix = os.path.realpath(folder), os.path.realpath(prefix)
    return folder == prefix or folder.startswith(prefix.rstrip(os.sep) + os.sep)
