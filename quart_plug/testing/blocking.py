"""Modules that cannot be imported for a while, and modules that are imported anew: for tests of missing extras and of
plugins that were edited.

Whatever is changed in `sys.modules`, `sys.path` and `sys.meta_path` is put back. Must not know: plugins, apps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from importlib import invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABSENT: Any = object()


def top_of(module: str) -> str:
    return module.partition(".")[0]


class Modules:
    """What a test does to the modules of the process.

    blocked  the modules whose import fails; those below them as well.
    """

    def __init__(self) -> None:
        self.blocked: set[str] = set()
        self._before: dict[str, Any] = {}
        self._folders: list[str] = []

    # A finder on sys.meta_path

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Refuse what is blocked, with the error of a module that is not there; leave the others to the others."""
        if self.is_blocked(fullname):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)

    def is_blocked(self, name: str) -> bool:
        return any(name == blocked or name.startswith(f"{blocked}.") for blocked in self.blocked)

    def block(self, names: Iterable[str]) -> None:
        """Let the import of these modules fail as if they were not installed."""
        self.blocked.update(names)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        self.forget(name for name in list(sys.modules) if self.is_blocked(name))

    def users_of_blocked(self) -> set[str]:
        """The top packages that keep something of a blocked module among the names of one of their modules."""
        gone = [name for name in self._before if self.is_blocked(name)]
        kept = {id(self._before[name]) for name in gone}
        found = set()
        for name, module in list(sys.modules.items()):
            for value in list(getattr(module, "__dict__", {}).values()):
                origin = value.__dict__.get("__module__") if isinstance(value, type) else None
                if id(value) in kept or (isinstance(origin, str) and self.is_blocked(origin)):
                    found.add(top_of(name))
                    break
        return found

    # sys.modules and sys.path

    def forget(self, names: Iterable[str]) -> None:
        """Take modules out of `sys.modules`, so that the next import runs them anew."""
        for name in names:
            module = sys.modules.pop(name, _ABSENT)
            self._before.setdefault(name, module)
            if isinstance(module, ModuleType):
                self._detach(name, module)

    @staticmethod
    def _detach(name: str, module: ModuleType) -> None:
        """From its package, where `from package import module` would find it."""
        package, _, own = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is not None and parent.__dict__.get(own) is module:
            del parent.__dict__[own]

    def forget_packages(self, tops: Iterable[str]) -> None:
        """Forget whole packages with everything below them, and the bytecode of their files."""
        wanted = set(tops)
        names = [name for name in list(sys.modules) if top_of(name) in wanted]
        for name in names:
            cached = getattr(sys.modules[name], "__cached__", None)
            if cached:  # it is taken for fresh when the file was changed within one second and kept its size
                with suppress(OSError):
                    os.unlink(cached)
        self.forget(names)
        invalidate_caches()

    def remember(self, tops: Iterable[str]) -> None:
        """Put packages back at the end as they are now: as they were imported, or not at all."""
        wanted = set(tops)
        for top in wanted:
            self._before.setdefault(top, sys.modules.get(top, _ABSENT))
        for name in list(sys.modules):
            if top_of(name) in wanted:
                self._before.setdefault(name, sys.modules[name])

    def add_folder(self, folder: Path) -> None:
        """Let modules be imported from a folder; they are forgotten at the end."""
        if str(folder) not in self._folders:
            self._folders.append(str(folder))
            sys.path.insert(0, str(folder))
            invalidate_caches()

    def restore(self) -> None:
        self.blocked.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        folders, self._folders = self._folders, []
        for folder in folders:
            if folder in sys.path:
                sys.path.remove(folder)
        tops = {top_of(name) for name, module in self._before.items() if module is _ABSENT}
        for name, module in list(sys.modules.items()):
            if _is_below(module, folders) or (top_of(name) in tops and name not in self._before):
                del sys.modules[name]
        before, self._before = self._before, {}
        for name, module in before.items():
            if module is _ABSENT or _is_below(module, folders):
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
                package, _, own = name.rpartition(".")
                if package in sys.modules:
                    sys.modules[package].__dict__.setdefault(own, module)
        invalidate_caches()


def _is_below(module: Any, folders: Iterable[str]) -> bool:
    file = str(getattr(module, "__file__", None) or "")
    return any(file.startswith(folder + os.sep) for folder in folders)


@contextmanager
def no_bytecode() -> Iterator[None]:
    """What is imported here leaves no bytecode behind: a file that changes within a second is read again."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def not_a_module(name: Any) -> NoReturn:
    raise TypeError(f"the name of a module is wanted, such as 'msgpack', not {name!r}")
