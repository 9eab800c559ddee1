"""Who is told when something that hook chains depend on has changed.

A chain is compiled once and kept, so what its compilation asked (`hookimpl(when=...)`) must announce a
change. `notify_change()` tells every live listener of the process: each app's plugin manager is one.
Listeners are held weakly, so that an app that nobody uses any more is forgotten. Knows nothing of plugins.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

Listener = Callable[[], Any]


class ChangeListeners:
    """Bound methods (or functions) without arguments, held weakly; a dead one is dropped when it is met."""

    def __init__(self) -> None:
        self._references: list[weakref.ref[Listener]] = []
        self._lock = threading.Lock()

    def add(self, listener: Listener) -> None:
        """Remember `listener` for as long as its object lives.
        A lambda or local function dies at once: keep it.
        """
        reference: weakref.ref[Any]
        if hasattr(listener, "__self__"):
            reference = weakref.WeakMethod(listener)
        else:
            reference = weakref.ref(listener)
        with self._lock:
            self._references.append(reference)

    def discard(self, listener: Listener) -> None:
        """Forget `listener`; no error when it is not known."""
        with self._lock:
            self._references = [kept for kept in self._references if kept() not in (None, listener)]

    def __len__(self) -> int:
        return sum(1 for reference in self._references if reference() is not None)

    def notify(self) -> None:
        """Call every live listener."""
        dead = False
        for reference in tuple(self._references):
            listener = reference()
            if listener is None:
                dead = True
            else:
                listener()
        if dead:
            with self._lock:
                self._references = [kept for kept in self._references if kept() is not None]


change_listeners = ChangeListeners()


def notify_change() -> None:
    """Tell every live app that compiled chains and plans are out of date (a signal got its first receiver,
    …).
    """
    change_listeners.notify()
