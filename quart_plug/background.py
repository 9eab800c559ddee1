"""Background tasks: supervised, drained at shutdown, their failures reported.

A task sees a copy of an application context. Plain functions run in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .overrides import adapt_async

if TYPE_CHECKING:
    from .app import Quart


def start(app: Quart, function: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.Task[None]:
    """Run `function(*args, **kwargs)` in a task of its own; a failure is reported, never lost."""
    name = getattr(function, "__qualname__", repr(function))
    task = asyncio.get_running_loop().create_task(
        _run(app, function, args, kwargs), name=f"background {name}"
    )
    app.background_tasks.add(task)
    task.add_done_callback(app.background_tasks.discard)
    return task


async def _run(
    app: Quart, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    ctx = app.app_context()
    try:
        async with ctx:
            await _tell(app, "background_started")
            await app.ensure_async(function)(*args, **kwargs)
    except Exception as error:
        # The method, which may be overridden in 0.22's form or in 0.23's.
        await adapt_async(app.handle_background_exception, "handle_background_exception")(ctx, error)
    finally:
        await _tell(app, "background_finished")


async def _tell(app: Quart, hook: str) -> None:
    """Tell the plugins of the current task; a failure of theirs is not the task's."""
    chain = app.plugin_hooks.call(hook)
    if chain is not None:
        try:
            await chain(app, asyncio.current_task())
        except Exception:
            app.logger.exception("A plugin failed when it was told of a background task (%s)", hook)


async def drain(app: Quart) -> None:
    """Wait for the tasks for BACKGROUND_TASK_SHUTDOWN_TIMEOUT seconds, then cancel and collect what is left."""
    tasks = [task for task in app.background_tasks if not task.done()]
    if not tasks:
        return
    _, pending = await asyncio.wait(tasks, timeout=app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"])
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.gather(*pending, return_exceptions=True)
