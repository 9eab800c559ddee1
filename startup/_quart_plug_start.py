"""What QUART_PLUG_AS_QUART=1 does when a Python starts: it waits for the first import of Quart, and then turns the
alias on.

quart_plug_as_quart.pth imports this module, and only when the variable is set. It must not import quart_plug before
`quart` or `flask` is asked for, since every Python of the environment begins here: pip, linters, an editor's helpers.
What the alias is, is in quart_plug/compat.
"""

from __future__ import annotations

import sys
from typing import Any


class Starter:
    """Stands at the front of `sys.meta_path` until the alias takes its place."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        finder = self._alias() if fullname.partition(".")[0] in ("quart", "flask") else None
        return None if finder is None else finder.find_spec(fullname, path, target)

    def find_distributions(self, context: Any) -> Any:
        """The distribution `quart`, for importlib.metadata."""
        finder = self._alias() if context.name is not None and context.name.lower() == "quart" else None
        return () if finder is None else finder.find_distributions(context)

    def _alias(self) -> Any:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        from quart_plug import compat

        compat.install_if_asked()
        return compat.active_finder()


def begin() -> None:
    """Begin to wait; in a virtual environment Python reads each .pth file twice."""
    if not any(isinstance(finder, Starter) for finder in sys.meta_path):
        sys.meta_path.insert(0, Starter())
