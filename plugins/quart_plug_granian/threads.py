"""The threads of granian's worker: that they have ended before the program does.

A worker says that it has ended in one of its threads, and another goes on for a moment. One that wants Python's lock
while the interpreter ends brings the whole process down (SIGABRT), after everything else has ended well. Python does
not know these threads, the system does. Only Linux tells; elsewhere a moment has to do.
"""

from __future__ import annotations

import asyncio
import gc
import os

_FOLDER = "/proc/self/task"
_SECONDS = 0.005
STARTED = 3  # a worker's: for connections, for calls of Python, for the signal


def threads() -> set[str]:
    """The ids of all threads of the process; none where the system does not tell."""
    try:
        return {*os.listdir(_FOLDER)}
    except OSError:
        return set()


async def started_since(before: set[str]) -> set[str]:
    """A worker's threads, a moment after it was started."""
    for _ in range(10):
        started = threads() - before
        if len(started) >= STARTED or not before:
            return started
        await asyncio.sleep(_SECONDS)
    return started


async def ended(started: set[str], seconds: float) -> None:
    """Wait until these threads have ended, for some seconds at most."""
    if not started:
        await asyncio.sleep(10 * _SECONDS)
        return
    gc.collect()  # a thread lives as long as what handlers held of the worker
    deadline = asyncio.get_running_loop().time() + seconds
    while started & threads() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(_SECONDS)
