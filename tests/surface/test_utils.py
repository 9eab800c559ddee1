"""`quart.utils`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart, current_app
from quart_plug.utils import (
    MustReloadError,
    cancel_tasks,
    decode_headers,
    encode_headers,
    file_path_to_path,
    observe_changes,
    raise_task_exceptions,
    run_sync,
    run_sync_iterable,
)
from tests.support.surface import shows


@shows("utils.file_path_to_path")
def test_file_path_to_path() -> None:
    assert file_path_to_path(b"a", "b", Path("c")) == Path("a/b/c")
    assert file_path_to_path("a") == Path("a")


@shows("utils.encode_headers", "utils.decode_headers")
def test_headers_to_pairs_and_back() -> None:
    headers = Headers([("Content-Type", "text/plain"), ("X-A", "1"), ("x-a", "2")])

    pairs = encode_headers(headers)

    assert pairs == [(b"content-type", b"text/plain"), (b"x-a", b"1"), (b"x-a", b"2")]
    assert decode_headers(pairs).getlist("X-A") == ["1", "2"]
    assert next(iter(decode_headers(pairs).keys())) == "Content-Type"
    assert decode_headers([(b"x-a", "ü€".encode()), (b"x-b", b"\xfc")]) == Headers({"X-A": "ü€", "X-B": "ü"})


@shows("utils.run_sync")
async def test_run_sync_calls_in_a_thread_with_the_context() -> None:
    app = Quart(__name__)

    def plain(value: int) -> Any:
        return value, current_app.name, threading.current_thread() is threading.main_thread()

    async with app.app_context():
        assert await run_sync(plain)(3) == (3, __name__, False)


@shows("utils.run_sync_iterable")
async def test_run_sync_iterable_steps_in_threads() -> None:
    def generate() -> Any:
        yield threading.current_thread() is threading.main_thread()
        yield 2

    assert [item async for item in run_sync_iterable(generate())] == [False, 2]
    assert [item async for item in run_sync_iterable(iter("ab"))] == ["a", "b"]


@shows("utils.cancel_tasks", "utils.raise_task_exceptions")
async def test_tasks_are_cancelled_and_their_errors_raised() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise LookupError("in the task")

    waiting = {asyncio.ensure_future(forever()), asyncio.ensure_future(forever())}
    raise_task_exceptions(waiting)  # none has ended
    await cancel_tasks(waiting)
    assert all(task.cancelled() for task in waiting)
    raise_task_exceptions(waiting)  # cancelled is no error

    failed = asyncio.ensure_future(fail())
    await asyncio.wait([failed])
    with pytest.raises(LookupError, match="in the task"):
        raise_task_exceptions({failed})
    with pytest.raises(LookupError, match="in the task"):
        await cancel_tasks({failed})


@shows("utils.observe_changes", "utils.MustReloadError")
async def test_a_changed_module_has_to_be_reloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "observed_module.py"
    source.write_text("a = 1")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("observed_module")
    monkeypatch.setitem(sys.modules, "observed_module", sys.modules["observed_module"])
    looks: list[float] = []

    async def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            os.utime(source, (1, 1))
        assert len(looks) < 5, "the change was not noticed"

    with pytest.raises(MustReloadError):
        await observe_changes(sleep, asyncio.Event())
    assert len(looks) == 2


async def test_observing_ends_with_the_event() -> None:
    event = asyncio.Event()

    async def sleep(seconds: float) -> None:
        event.set()

    await observe_changes(sleep, event)
    assert event.is_set()


@shows("utils.restart")
@pytest.mark.parametrize("way", ["script", "module"])
def test_restart_runs_the_same_program_again(tmp_path: Path, way: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        "from quart_plug.utils import restart\n"
        "print(sys.argv[1:], __name__, flush=True)\n"
        "if os.environ.get('AGAIN') is None:\n"
        "    os.environ['AGAIN'] = '1'\n"
        "    restart()\n"
    )
    command = [str(program)] if way == "script" else ["-m", "program"]
    run = subprocess.run(
        [sys.executable, *command, "one", "two"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.splitlines() == ["['one', 'two'] __main__"] * 2
