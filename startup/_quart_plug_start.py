"""What QUART_PLUG_AS_QUART=1 does when a Python starts: it waits for the first import of Quart, and then turns the
alias on.

quart_plug_as_quart.pth imports this module, and only when the variable is set. It must not import quart_plug before
one of these names is asked for, since every Python of the environment begins here: pip, linters, an editor's helpers.
What the alias is, is in quart_plug/compat.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False  # typing is not imported for its own
if TYPE_CHECKING:
    from typing import Any

# What the alias answers for: Quart, Flask's classes, and an extension that it refuses (OUT_OF_REACH in the finder).
_WAITED_FOR = {"quart", "flask", "quart_trio"}


class Starter:
    """Stands at the front of `sys.meta_path` until the alias takes its place."""

    def __init__(self) -> None:
        self._turning_on: set[int] = set()  # threads

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        finder = self._alias() if fullname.partition(".")[0] in _WAITED_FOR else None
        return None if finder is None else finder.find_spec(fullname, path, target)

    def find_distributions(self, context: Any) -> Any:
        """The distribution `quart`, for importlib.metadata."""
        finder = self._alias() if context.name is not None and context.name.lower() == "quart" else None
        return () if finder is None else finder.find_distributions(context)

    def _alias(self) -> Any:
        thread = get_ident()
        if thread in self._turning_on:
            return None  # imported by quart_plug itself
        self._turning_on.add(thread)
        try:
            from quart_plug import compat  # another thread waits here for the first

            compat.install_if_asked()
        finally:
            self._turning_on.discard(thread)
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        return compat.active_finder()


def begin() -> None:
    """Begin to wait; in a virtual environment Python reads each .pth file twice."""
    if not any(isinstance(finder, Starter) for finder in sys.meta_path):
        sys.meta_path.insert(0, Starter())
