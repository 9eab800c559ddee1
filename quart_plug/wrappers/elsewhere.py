"""Calls in threads on something that has to be closed in the end: a file, a plain generator.

Knows no response.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Elsewhere:
    """Calls in threads, one after the other, on something that is closed in the end, whatever happens
    meanwhile.

    A thread cannot be cancelled. So when the awaiting task is, whoever closes does not wait for the call
    that is still running: that call closes at its end. Closing under its hands would be worse: a file's
    number may by then belong to another file, and a generator that runs cannot be closed.
    """

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close
        self._context = copy_context()
        self._lock = threading.Lock()
        self._running = False
        self._closed = False

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, self._call, function, args)

    def _call(self, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        with self._lock:
            if self._closed:
                raise RuntimeError("the response's body was closed")
            self._running = True
        try:
            return self._context.run(function, *args)
        finally:
            if self._stop_running():
                self._context.run(self._close)

    def _stop_running(self) -> bool:
        """The call is over; whether it has to close."""
        with self._lock:
            self._running = False
            return self._closed

    def close(self) -> None:
        """Close now, or let the running call do it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            at_once = not self._running
        if at_once:
            self._context.run(self._close)
