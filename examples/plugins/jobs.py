"""Background tasks that can be seen: how many run, how long the last ones took, which failed.

`jobs` in `quart-plug shell` is the table; at the end the log tells what was cancelled because it took too long.

    >>> jobs.running
    {'background send_mails': Job(...)}
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quart_plug import Quart, hookimpl

KEPT = 100


@dataclass
class Job:
    name: str
    begun: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    outcome: str = "running"


class Jobs:
    """running  by task.
    over     the last ones, the latest first.
    """

    def __init__(self) -> None:
        self.running: dict[asyncio.Task[None], Job] = {}
        self.over: deque[Job] = deque(maxlen=KEPT)


def jobs_of(app: Quart) -> Jobs:
    jobs: Jobs = app.extensions["jobs"]
    return jobs


@hookimpl
def setup(app: Quart) -> None:
    app.extensions["jobs"] = Jobs()


@hookimpl
async def background_started(app: Quart, task: asyncio.Task[None]) -> None:
    jobs_of(app).running[task] = Job(task.get_name())


@hookimpl
async def background_failed(app: Quart, error: BaseException) -> None:
    task = asyncio.current_task()
    job = None if task is None else jobs_of(app).running.get(task)
    if job is not None:
        job.outcome = f"failed: {error!r}"


@hookimpl
async def background_finished(app: Quart, task: asyncio.Task[None]) -> None:
    job = jobs_of(app).running.pop(task, None)
    if job is not None:
        job.seconds = time.monotonic() - job.begun
        if job.outcome == "running":
            job.outcome = "cancelled" if task.cancelling() else "done"
        jobs_of(app).over.appendleft(job)


@hookimpl
async def shutdown(app: Quart) -> None:
    cancelled = [job.name for job in jobs_of(app).over if job.outcome == "cancelled"]
    if cancelled:
        app.logger.warning("Cancelled, since they took too long: %s", ", ".join(cancelled))


@hookimpl
def shell_context(app: Quart) -> Mapping[str, Any]:
    return {"jobs": jobs_of(app)}
