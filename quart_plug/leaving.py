"""The end of a loop and of a program, which waits for nobody who does not end.

asyncio waits for every task that it has cancelled, and for every thread, however long that takes: a view that ignores
its cancellation, or a plain function that never returns, would keep the process alive. Must not know servers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

__all__ = ["FORCED_STOP_SECONDS", "LoopRunner", "end_program"]

FORCED_STOP_SECONDS = 1.0

logger = logging.getLogger("quart_plug.running")


class LoopRunner:
    """What `asyncio.Runner` is for one coroutine, with limits in time at its end."""

    def __init__(self, debug: bool) -> None:
        self._runner = asyncio.Runner(debug=debug)
        self.loop = self._runner.get_loop()
        self._threads = ThreadPoolExecutor(thread_name_prefix="asyncio")
        self.loop.set_default_executor(self._threads)

    def __enter__(self) -> LoopRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            left = self._cancel_tasks()
            for task in left:
                logger.error("%r goes on though it was cancelled; it is left behind", task)
            if self._threads_end() and not left:
                self._runner.close()
        finally:
            self.loop.close()  # a second time does nothing
            asyncio.set_event_loop(None)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine to its end."""
        self._runner.run(main)

    def _cancel_tasks(self) -> set[asyncio.Task[Any]]:
        """Cancel what is left, and give what does not end."""
        tasks = asyncio.all_tasks(self.loop)
        if not tasks:
            return set()
        for task in tasks:
            task.cancel()
        ended, left = self.loop.run_until_complete(asyncio.wait(tasks, timeout=FORCED_STOP_SECONDS))
        for task in ended:
            if not task.cancelled() and task.exception() is not None:
                told = {"message": "a task failed while the loop was closed", "exception": task.exception()}
                self.loop.call_exception_handler({**told, "task": task})
        return left

    def _threads_end(self) -> bool:
        """End the threads of plain functions; whether they do."""
        waiting = threading.Thread(target=self._threads.shutdown, name="quart_plug.leaving", daemon=True)
        waiting.start()
        waiting.join(FORCED_STOP_SECONDS)
        if waiting.is_alive():
            logger.error("A plain function that runs in a thread does not return; it is left behind")
        return not waiting.is_alive()


def end_program(status: int = 0) -> None:
    """When the main thread has nothing more to do, end the program soon, though threads that do not end are left.

    Without such threads this does nothing, nor as long as the program goes on, as one does that calls a command.
    """
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if left:
        through = threading.Event()
        # Called when the main thread is through, before executors wait for their threads; `atexit` comes after that.
        threading._register_atexit(through.set)  # type: ignore[attr-defined]
        # Started now: it would be too late then (Python 3.12).
        threading.Thread(target=_exit, args=(through, status), name="quart_plug.leaving", daemon=True).start()


def _exit(through: threading.Event, status: int) -> None:
    through.wait()
    time.sleep(FORCED_STOP_SECONDS)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more
    os._exit(status)
