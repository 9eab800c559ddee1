"""The end of a loop does not wait for who does not end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from quart_plug import leaving
from quart_plug.leaving import LoopRunner


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "FORCED_STOP_SECONDS", 0.05)


def test_what_ends_is_waited_for() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("task")

    async def main() -> None:
        tasks.append(asyncio.ensure_future(slow()))
        await asyncio.to_thread(ended.append, "thread")

    tasks: list[asyncio.Future[None]] = []
    with LoopRunner(debug=False) as runner:
        runner.run(main())
    assert ended == ["thread", "task"]
    assert runner.loop.is_closed()


def test_who_ignores_a_cancellation_is_left_and_named(caplog: pytest.LogCaptureFixture) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass

    async def main() -> None:
        tasks.append(asyncio.create_task(stubborn(), name="mule"))
        await asyncio.sleep(0)

    with LoopRunner(debug=False) as runner:
        runner.run(main())
    assert runner.loop.is_closed()
    assert "mule" in caplog.text and "left behind" in caplog.text
    tasks[0]._log_destroy_pending = False  # type: ignore[attr-defined]  # else its end is reported, as a forgotten one's
    tasks[0].get_coro().close()  # type: ignore[union-attr]


def test_a_thread_that_does_not_return_is_left(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().run_in_executor(None, release.wait)
        await asyncio.sleep(0)

    try:
        with LoopRunner(debug=False) as runner:
            runner.run(main())
        assert runner.loop.is_closed()
        assert "does not return; it is left behind" in caplog.text
    finally:
        release.set()


ENDING = """
import threading, time
from quart_plug.leaving import end_program
threading.Thread(target=threading.Event().wait).start()
end_program()
time.sleep({goes_on})
print("went on", flush=True)
"""


@pytest.mark.parametrize("goes_on", [0, 1.5])
def test_a_program_ends_when_it_is_through_and_not_before(goes_on: float) -> None:
    """It may have called a command, as tests do, and go on for longer than a thread would be waited for."""
    program = [sys.executable, "-c", ENDING.format(goes_on=goes_on)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=20)
    assert (ended.returncode, ended.stdout) == (0, "went on\n")


def test_what_fails_as_it_is_cancelled_is_told() -> None:
    told: list[str] = []

    async def fails() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise LookupError("on the way out")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, about: told.append(str(about["exception"])))
        tasks.append(asyncio.ensure_future(fails()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Future[None]] = []
    with LoopRunner(debug=False) as runner:
        runner.run(main())
    assert told == ["on the way out"]
