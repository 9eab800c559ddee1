"""Where a task is suspended, as "file:line in function": for the errors of waits that reached their limit.

Follows the chain of awaits from a task's coroutine inwards, and into the tasks that it waits for. A frame
of the application is worth more than one of the framework or of the standard library, so the innermost of
the former wins.
"""

from __future__ import annotations

import asyncio
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_FRAMEWORK = str(Path(__file__).resolve().parent.parent)
_NOT_THE_APP = (_FRAMEWORK, *(sysconfig.get_path(name) for name in ("stdlib", "purelib")))


# what a coroutine, an async generator and a generator wait for
_NEXT = {"cr": "cr_await", "ag": "ag_await", "gi": "gi_yieldfrom"}


def _driven_by(frame: FrameType) -> Any:
    """The coroutine that the framework drives by hand in this frame, if it does (see wrappers/watch.py)."""
    if frame.f_code.co_name == "suspended" and not _is_of_the_app(frame):
        return frame.f_locals.get("coroutine")
    return None


def _frames(awaitable: Any) -> Iterator[FrameType]:
    """The frames of a coroutine (or async generator), outermost first, as far as the chain can be seen."""
    while awaitable is not None:
        for kind in _NEXT:
            frame = getattr(awaitable, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                awaitable = _driven_by(frame) or getattr(awaitable, _NEXT[kind], None)
                break
        else:
            return


def _task_frames(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    seen: set[int] = set()
    waiting_for: Any = task
    while isinstance(waiting_for, asyncio.Task) and id(waiting_for) not in seen:
        seen.add(id(waiting_for))
        yield from _frames(waiting_for.get_coro())
        waiting_for = getattr(waiting_for, "_fut_waiter", None)


def _is_of_the_app(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith(_NOT_THE_APP)


def where_suspended(task: asyncio.Task[Any], others: Iterable[asyncio.Task[Any]] = ()) -> str | None:
    """Say where `task` is suspended; None when it is not, or cannot be seen.

    others   tasks that it may have started: looked through when its own chain holds no frame of the
             application.
    """
    if task.done():
        return None
    own = list(_task_frames(task))
    for frames in (own, *(list(_task_frames(other)) for other in others)):
        for frame in reversed(frames):
            if _is_of_the_app(frame):
                return _told(frame)
    return _told(own[-1]) if own else None


def _told(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
