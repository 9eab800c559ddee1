"""How the supervisor of several workers decides, with processes made up here (real ones: programs/test_workers.py)."""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug.servers import serve_options, workers
from quart_plug.servers.inherited import SERVES, VARIABLE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="workers are for POSIX")


class Process:
    """What the supervisor takes for a worker's process."""

    def __init__(self, program: Program, number: int, channel: socket.socket) -> None:
        self.program = program
        self.number = number
        self.channel = channel
        self.pid = len(program.processes) + 1
        self.returncode: int | None = None
        self.signals: list[int] = []

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def serves(self) -> None:
        self.channel.send(SERVES)
        self.program.supervisor.turn()

    def ends(self, status: int = 0) -> None:
        self.returncode = status
        self.channel.close()
        self.program.supervisor.turn()


class Program:
    def __init__(self, count: int, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        self.processes: list[Process] = []
        self.lines: list[str] = []
        self.supervisor = workers.Supervisor(count, serve_options(announce=self.lines.append), 1.0)
        self.supervisor.listener = listener
        self.supervisor.selector = selector
        self.woken, self.waker = socket.socketpair()
        selector.register(self.woken, selectors.EVENT_READ)

    def start(self, command: list[str], env: dict[str, str], pass_fds: Any) -> Process:
        _, channel, number = map(int, env[VARIABLE].split(":"))
        self.processes.append(Process(self, number, socket.socket(fileno=os.dup(channel))))
        return self.processes[-1]

    def reload(self) -> None:
        self.supervisor.reloads = True
        self.waker.send(b"\1")
        self.supervisor.turn()

    @property
    def alive(self) -> list[int]:
        """The numbers of the processes that run and were not told to stop."""
        return sorted(each.number for each in self.processes if each.returncode is None and not each.signals)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """Three workers, which serve: processes 0, 1 and 2."""
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as selector:
        program = Program(3, listener, selector)
        monkeypatch.setattr(workers, "subprocess", SimpleNamespace(Popen=program.start))
        program.supervisor.due[1] = 0.0
        program.supervisor.turn()
        for place in range(3):
            program.processes[place].serves()
        assert len(program.lines) == 1 and program.alive == [1, 2, 3]
        yield program
        for process in program.processes:
            process.channel.close()
        for worker in program.supervisor.workers:
            worker.channel.close()
        program.woken.close()
        program.waker.close()


def serve_all(program: Program) -> None:
    """Each process that was started serves, and each that was told to stop ends, until nothing happens any more."""
    served = 3
    while program.processes[served].returncode is not None:
        served += 1
    while served < len(program.processes):
        program.processes[served].serves()
        served += 1
        for process in program.processes:
            if process.signals and process.returncode is None:
                process.ends()


def test_all_are_replaced_one_by_one(program: Program) -> None:
    program.reload()
    assert len(program.processes) == 4
    serve_all(program)
    assert len(program.processes) == 6 and program.alive == [1, 2, 3]
    assert [process.signals for process in program.processes] == [[signal.SIGTERM]] * 3 + [[]] * 3


def test_a_second_signal_meanwhile_replaces_all_once_more_and_makes_no_more_of_them(program: Program) -> None:
    program.reload()
    program.reload()
    assert len(program.processes) == 4
    serve_all(program)
    # The one that was under way may have the code of before the second signal.
    assert len(program.processes) == 3 + 1 + 3 and program.alive == [1, 2, 3]
    assert program.processes[3].signals == [signal.SIGTERM]


def test_the_end_of_an_old_one_meanwhile_does_not_end_the_replacing(program: Program) -> None:
    program.reload()
    program.processes[0].ends(1)
    assert len(program.processes) == 4  # it has its replacement already
    serve_all(program)
    assert len(program.processes) == 6 and program.alive == [1, 2, 3]
    assert all(process.returncode is not None for process in program.processes[:3])


def test_one_that_does_not_start_leaves_the_old_ones(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    program.reload()
    program.processes[3].ends(1)
    assert "worker 1 (process 4) ended with status 1 before it served" in capsys.readouterr().err
    assert program.supervisor.due == {}
    assert program.alive == [1, 2, 3] and len(program.processes) == 4
    program.reload()  # and it can be tried again
    serve_all(program)
    assert len(program.processes) == 7 and program.alive == [1, 2, 3]


def test_old_and_new_that_end_are_started_again(program: Program) -> None:
    program.reload()
    program.processes[0].ends(1)
    program.processes[3].ends(1)
    assert list(program.supervisor.due) == [1]
    program.supervisor.due[1] = 0.0
    program.supervisor.turn()
    program.processes[4].serves()
    assert program.alive == [1, 2, 3] and len(program.processes) == 5
