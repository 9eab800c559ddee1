"""Small functions that Quart offers to extensions: threads, headers, paths, tasks, and a watch on source files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from .concurrency import run_sync, run_sync_iterable

if TYPE_CHECKING:
    from .typing import Event, FilePath

__all__ = [
    "MustReloadError",
    "cancel_tasks",
    "decode_headers",
    "encode_headers",
    "file_path_to_path",
    "observe_changes",
    "raise_task_exceptions",
    "restart",
    "run_reloader",
    "run_sync",
    "run_sync_iterable",
]

_LOOK_AGAIN = 1.0  # seconds between two looks at the files


class MustReloadError(Exception):
    """A source file has changed: the program is to be started again (`restart`)."""


def file_path_to_path(*paths: FilePath) -> Path:
    """One Path of several parts, each a str, bytes or path."""
    return Path(*(os.fsdecode(path) for path in paths))


def encode_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """ASGI's pairs of bytes; names in lower case."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def decode_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers of ASGI's pairs of bytes; names get capitals, as in `Content-Type`."""
    return Headers([(name.decode("latin-1").title(), header_text(value)) for name, value in headers])


def header_text(value: bytes) -> str:
    """A header's value as it was set: `encode_headers` writes UTF-8; what is not UTF-8 is read as Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def cancel_tasks(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when all of them have ended; an error of one of them is raised."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    raise_task_exceptions(tasks)


def cancel_all_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on a loop that does not run, and run it until all has ended; errors are told to the loop."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            message = "an error while a task was cancelled at the end of the loop"
            loop.call_exception_handler({"message": message, "exception": task.exception(), "task": task})


def raise_task_exceptions(tasks: set[asyncio.Task[Any]]) -> None:
    """Raise the error of the first task that ended with one; those that were cancelled or still run have none."""
    for task in tasks:
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is not None:
                raise error


async def observe_changes(sleep: Callable[[float], Awaitable[Any]], shutdown_event: Event) -> None:
    """Return when `shutdown_event` is set; raise MustReloadError when the file of an imported module changes.

    sleep  `asyncio.sleep`, or what takes its place.
    """
    before: dict[str, float] = {}
    while not shutdown_event.is_set():
        for path in _module_files():
            try:
                modified = os.stat(path).st_mtime
            except OSError:
                continue
            if before.setdefault(path, modified) != modified:
                raise MustReloadError(path)
        await sleep(_LOOK_AGAIN)


def _module_files() -> Iterator[str]:
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            yield path


def restart() -> None:
    """Replace this process by a new one of the same program, with the same arguments. Never returns."""
    options = sys.orig_argv[1:] if sys.orig_argv else sys.argv
    os.execv(sys.executable, [sys.executable, *options])


def run_reloader(run: Callable[[], None] | None = None, folders: Iterable[str] = ()) -> None:
    """Start this program again in a child process whenever its code changes; the parent ends with the child's status.

    run      what the child is to do. Without it, as in Quart 0.23, the child finds QUART_RUN_MAIN=true in its
             environment and does not come here again.
    folders  where Python files are watched, though nothing has imported them yet.
    """
    from .hooks.names import plugin_attribute

    if run is None:
        os.environ["QUART_RUN_MAIN"] = "true"
    plugin_attribute("debug", "reloader").run_with_reloader(run or _nothing, folders)


def _nothing() -> None:
    return None
