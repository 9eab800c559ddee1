"""`quart-plug run --workers`: several real processes on one socket, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.load import Load

pytestmark = pytest.mark.skipif(os.name == "nt", reason="workers are for POSIX")

LIMIT = 30.0

APP = """
import asyncio, os
from quart_plug import Quart
from quart_plug.servers import worker_number

app = Quart(__name__)
app.config["SHUTDOWN_TIMEOUT"] = 1.0


@app.before_serving
async def up():
    print("worker", worker_number(), flush=True)
    print("up", os.getpid(), flush=True)


@app.after_serving
async def down():
    print("down", os.getpid(), flush=True)


@app.route("/")
async def index():
    return str(os.getpid())


@app.route("/stuck")
async def stuck():
    print("stuck", os.getpid(), flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("ignored", flush=True)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def run(start: Callable[..., Any], workers: int = 2, server: str = "hypercorn", **options: Any) -> Any:
    words = ("--no-access-log", "--server", server, "--workers", str(workers))
    return start("run", "--port", "0", *words, **options)


def get(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT) as response:
        return str(response.read().decode())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # one that has ended, and is waited for by nobody, is no process any more
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return Path("/proc/self").exists() is False


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def pids(program: Any, count: int) -> list[int]:
    return [int(program.wait_for(r"up (\d+)")[1]) for _ in range(count)]


def test_they_serve_together_and_are_started_again_and_replaced(start: Callable[..., Any], app: Path) -> None:
    program = run(start, 2)
    first, second = pids(program, 2)
    line = program.wait_for(r"Running on http://127\.0\.0\.1:(\d+) with 2 workers \(CTRL \+ C to quit\)")
    port = int(line[1])
    assert int(get(port)) in (first, second)

    os.kill(first, signal.SIGKILL)
    program.wait_for(rf"worker 1 \(process {first}\) was ended by SIGKILL; it is started again in 0\.5 s")
    assert int(get(port)) == second
    (third,) = pids(program, 1)

    program.send(signal.SIGHUP)
    program.wait_for("2 workers are replaced, one by one")
    replaced = []
    while len(replaced) < 2:
        found = program.wait_for(r"(up|down) (\d+)")
        if found[1] == "down":
            replaced.append(int(found[2]))
            get(port)
    assert set(replaced) == {second, third}
    until(lambda: not is_alive(second) and not is_alive(third))
    assert int(get(port)) not in (first, second, third)

    status, output = program.stop()
    assert status == 0
    assert output.count("Running on") == 1
    assert output.count("down") == 4
    assert [output.count(f"worker {number}\n") for number in (1, 2)] == [3, 2]
    assert "Traceback" not in output


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn", "granian"])
async def test_no_request_fails_when_they_stop_under_load(start: Callable[..., Any], app: Path, server: str) -> None:
    program = run(start, 2, server=server)
    load = Load(await asyncio.to_thread(program.port), 10)
    await load.reach(200, LIMIT)
    program.send(signal.SIGTERM)
    await load.end(LIMIT)
    assert load.failures == []
    status, output = await asyncio.to_thread(program.wait)
    assert status == 0
    assert output.count("down") == 2


def test_an_app_that_does_not_start_is_said_once(start: Callable[..., Any], app: Path) -> None:
    app.write_text(APP.replace('print("up", os.getpid(), flush=True)', 'raise RuntimeError("no database")'))
    status, output = run(start, 4).wait()
    assert status == 1
    assert output.count("Error: the application did not start: no database") == 1
    assert "ended with status 1 before all workers served" in output
    assert "Running on" not in output


def test_the_end_of_the_supervisor_is_that_of_its_workers(start: Callable[..., Any], app: Path) -> None:
    program = run(start, 2)
    workers = pids(program, 2)
    program.port()
    program.process.kill()
    until(lambda: not any(map(is_alive, workers)))
    _, output = program.wait()
    assert output.count("down") == 2  # they have stopped in order


def press_ctrl_c(program: Any) -> None:
    program.press_ctrl_c()


def signal_all(program: Any) -> None:
    os.killpg(program.process.pid, signal.SIGTERM)


@pytest.mark.parametrize("stop", [press_ctrl_c, signal_all], ids=lambda stop: stop.__name__)
def test_a_signal_to_all_processes_is_one_to_each_worker(
    start: Callable[..., Any], app: Path, stop: Callable[[Any], None]
) -> None:
    """As a terminal and a service manager send it; and the supervisor passes it on."""
    program = run(start, 2, terminal=True)
    pids(program, 2)
    program.port()
    stop(program)
    status, output = program.wait()
    assert status == 0
    assert output.count("down") == 2
    assert "Traceback" not in output


def test_a_second_signal_stops_at_once(start: Callable[..., Any], app: Path) -> None:
    app.write_text(APP.replace('SHUTDOWN_TIMEOUT"] = 1.0', 'SHUTDOWN_TIMEOUT"] = 600'))
    program = run(start, 2)
    workers = pids(program, 2)
    port = program.port()
    with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/stuck", timeout=0.5):
        pass
    program.wait_for("stuck")
    program.send(signal.SIGTERM)
    program.wait_for("down")  # the other one had nothing to finish
    status, output = program.stop(signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert output.count("down") == 1
    until(lambda: not any(map(is_alive, workers)))


def test_workers_that_do_not_stay_alive_end_the_program(start: Callable[..., Any], tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(
        "import asyncio, os\n"
        "from quart_plug import Quart\n"
        "from quart_plug.servers import workers\n"
        "workers.FIRST_DELAY = 0.001\n"
        "workers.MANY_STARTS = 2\n"
        "app = Quart(__name__)\n"
        "@app.before_serving\n"
        "async def up():\n"
        "    asyncio.get_running_loop().call_later(0.3, os._exit, 7)\n"
        "app.run(port=0, workers=2)\n"
    )
    status, output = start(command=[str(script)]).wait()
    assert status == 1
    assert "ended with status 7" in output
