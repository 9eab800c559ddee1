"""Several processes that serve one application on one socket: `quart-plug run --workers N`.

This process, the supervisor, listens, and starts the same program N times over; each of these finds the socket in what
it has inherited (see inherited.py), and serves on it as any single process does, whichever server it is. So a worker
that is started later runs the code of then.

- The first worker starts alone: an application that does not start says so once. The line that says where it runs
  comes when all serve.
- A worker that ends unasked is started again; one that does so soon after its start only after a while. When none
  stays alive, the supervisor ends with status 1.
- SIGTERM and SIGINT are passed on to the workers, as SIGTERM, and a second one as SIGQUIT, which ends them at once: so
  it does no harm when somebody sends SIGTERM to them as well. SIGHUP starts all anew, each before the one that it
  replaces stops. Workers ignore what the terminal sends to all processes of a program.
- Workers learn of the supervisor's end, by SIGKILL as well, and stop.

Knows no server and no application. POSIX only.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..leaving import FORCED_STOP_SECONDS
from ..running import ServerStartError
from .binding import listen
from .inherited import AT_ONCE_SIGNAL, SERVES, TERMINALS, Inherited
from .options import ServeOptions, url_of

__all__ = ["Supervisor", "check_workers"]

PROVEN_SECONDS = 10.0  # who has served so long did not end because of its start
FIRST_DELAY = 0.5  # seconds, doubled with each start that failed
LONGEST_DELAY = 30.0
MANY_STARTS = 5  # that failed, of each worker
_LIFESPAN_SECONDS = 70.0  # for start-up and shutdown functions, beside SHUTDOWN_TIMEOUT


def check_workers(count: Any) -> int:
    """The number of workers. ServerStartError when it is none, or when there cannot be several."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ServerStartError(f"--workers has to be a whole number from 1 up, not {count!r}")
    if count > 1 and os.name == "nt":
        raise ServerStartError(
            "--workers needs a system on which processes inherit sockets (Linux, macOS, BSD); on this one, start the"
            " program several times on different ports, behind a proxy"
        )
    if count > 1 and threading.current_thread() is not threading.main_thread():
        raise ServerStartError("several workers can be started in the main thread only, which has the signals")
    main = sys.modules.get("__main__")
    if count > 1 and "-c" not in sys.orig_argv[1:] and getattr(main, "__file__", None) is None:
        raise ServerStartError("several workers need a program that can be started again, not a prompt")
    return count


class _Worker:
    """A process, and this side of its channel."""

    def __init__(self, number: int, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.number = number
        self.process = process
        self.channel = channel
        self.serving_since: float | None = None
        self.replaces: _Worker | None = None
        self.is_retiring = False

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.process.pid})"

    def send(self, number: int) -> None:
        self.process.send_signal(number)  # does nothing when it has ended

    def ending(self) -> str:
        status = self.process.returncode
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"


class Supervisor:
    """Starts and watches the workers; `run` gives the exit status.

    seconds  SHUTDOWN_TIMEOUT of the application.
    """

    def __init__(self, count: int, options: ServeOptions, seconds: float) -> None:
        self.count = count
        self.options = options
        self.limit = 2 * seconds + _LIFESPAN_SECONDS
        self.command = [sys.executable or sys.orig_argv[0], *sys.orig_argv[1:]]
        self.workers: list[_Worker] = []
        self.due: dict[int, float] = {}  # numbers of workers, and when they are to be started
        self.failures = dict.fromkeys(range(1, count + 1), 0)
        self.is_running = False  # the line was printed
        self.to_replace: list[_Worker] = []
        self.replacement: _Worker | None = None  # that has not served yet
        self.status = 0
        self.stops: list[int] = []  # signals
        self.is_stopping = self.is_stopping_at_once = False
        self.kill_at: float | None = None
        self.reloads = False

    def run(self) -> int:
        self.listener = listen(self.options.host, self.options.port, self.options.backlog)
        self.selector = selectors.DefaultSelector()
        with self.listener, self.selector, _Signals(self) as woken:
            self.selector.register(woken, selectors.EVENT_READ)
            try:
                self.due[1] = 0.0
                while not (self.is_stopping and not self.workers):
                    self.turn()
            finally:
                for worker in self.workers:  # there are some when this process itself fails
                    worker.send(signal.SIGKILL)
                    worker.process.wait()
        return 128 + self.stops[1] if len(self.stops) > 1 else self.status

    def turn(self) -> None:
        """Wait for what happens next, for a second at most, and see to it."""
        for key, _ in self.selector.select(self._patience()):
            if isinstance(key.data, _Worker):
                self._hear(key.data)
            else:
                key.fileobj.recv(4096)  # type: ignore[union-attr]  # the signals' socket
        for worker in self.workers.copy():
            if worker.process.poll() is not None:
                self._ended(worker)
        if self.stops and not self.is_stopping:
            self._stop()
        if len(self.stops) > 1 and not self.is_stopping_at_once:
            self._stop_at_once()
        now = time.monotonic()
        if self.kill_at is not None and now >= self.kill_at:
            self._kill()
        if self.is_stopping:
            return
        for number in [number for number, when in self.due.items() if when <= now]:
            del self.due[number]
            self._start(number)
        if self.reloads and self.replacement is None:  # one under way is waited for: it may have older code
            self.reloads = False
            self.to_replace = [worker for worker in self.workers if not worker.is_retiring]
            self._say(f"SIGHUP: {len(self.to_replace)} workers are replaced, one by one")
            self._replace_next()

    def _patience(self) -> float:
        """Seconds until something is due, or the processes are looked at in any case."""
        moments = list(self.due.values()) if not self.is_stopping else []
        if self.kill_at is not None:
            moments.append(self.kill_at)
        return max(0.0, min([time.monotonic() + 1.0, *moments]) - time.monotonic())

    # Workers

    def _start(self, number: int) -> _Worker:
        ours, theirs = socket.socketpair()
        descriptors = (self.listener.fileno(), theirs.fileno())
        with theirs, _kept_from_the_terminal():
            process = subprocess.Popen(
                self.command, env=Inherited.environment(os.environ, *descriptors, number), pass_fds=descriptors
            )
        worker = _Worker(number, process, ours)
        self.workers.append(worker)
        self.selector.register(ours, selectors.EVENT_READ, worker)
        return worker

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.channel.recv(16)
        except OSError:
            said = b""
        if not said:
            self.selector.unregister(worker.channel)  # it has ended, or is about to
        elif SERVES in said:
            worker.serving_since = time.monotonic()
            self._serves(worker)

    def _serves(self, worker: _Worker) -> None:
        if worker is self.replacement:
            self.replacement = None
            if worker.replaces is not None:  # it has not ended meanwhile
                worker.replaces.is_retiring = True
                worker.replaces.send(signal.SIGTERM)
                worker.replaces = None
            self._replace_next()
        if self.is_running or self.is_stopping:
            return
        started = {each.number for each in self.workers}
        self.due |= {number: 0.0 for number in self.failures if number not in started}
        if len(started) == self.count and all(each.serving_since is not None for each in self.workers):
            self.is_running = True
            url = url_of(self.listener, self.options.scheme)
            self.options.announce(f"Running on {url} with {self.count} workers (CTRL + C to quit)")

    def _ended(self, worker: _Worker) -> None:
        self._hear_the_last(worker)
        self.workers.remove(worker)
        replacement = self.replacement
        is_replaced = replacement is not None and replacement.replaces is worker
        if replacement is not None and is_replaced:
            replacement.replaces = None
        if self.is_stopping or worker.is_retiring:
            # By SIGTERM: it was starting, and had nothing to finish.
            if self.is_stopping and worker.process.returncode not in (0, -signal.SIGTERM) and not self.status:
                self._say(f"{worker} {worker.ending()} when it was to stop")
                self.status = 1
            return
        if worker is replacement:
            self.replacement = None
            self.to_replace = []
            self._say(f"{worker} {worker.ending()} before it served; the workers that are left are not replaced")
            if worker.replaces is not None:
                return  # which goes on in its place
        if is_replaced:
            return
        if not self.is_running:
            self._give_up(f"{worker} {worker.ending()} before all workers served")
        else:
            self._start_again(worker)

    def _hear_the_last(self, worker: _Worker) -> None:
        if worker.channel in self.selector.get_map():
            self.selector.unregister(worker.channel)
        worker.channel.close()

    def _start_again(self, worker: _Worker) -> None:
        now = time.monotonic()
        number = worker.number
        is_proven = worker.serving_since is not None and now - worker.serving_since >= PROVEN_SECONDS
        self.failures[number] = 0 if is_proven else self.failures[number] + 1
        if not self.workers and min(self.failures.values()) >= MANY_STARTS:
            self._give_up(f"{worker} {worker.ending()}, as each did {MANY_STARTS} times in a row, soon after its start")
            return
        delay = 0.0 if is_proven else min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.failures[number] - 1))
        self.due[number] = now + delay
        self._say(f"{worker} {worker.ending()}; it is started again{f' in {delay:g} s' if delay else ''}")

    def _replace_next(self) -> None:
        while self.to_replace and not self.reloads:  # then all are replaced once more, from the first on
            worker = self.to_replace.pop(0)
            if worker in self.workers:
                self.replacement = self._start(worker.number)
                self.replacement.replaces = worker
                return

    # The end

    def _give_up(self, why: str) -> None:
        self._say(f"Error: {why}", prefix="")
        self.status = 1
        self._stop()

    def _stop(self) -> None:
        self.is_stopping = True
        self.kill_at = time.monotonic() + self.limit
        self.listener.close()  # the last worker takes who waits to be accepted; here nobody would
        for worker in self.workers:
            worker.send(signal.SIGTERM)

    def _stop_at_once(self) -> None:
        self.is_stopping_at_once = True
        self.kill_at = time.monotonic() + FORCED_STOP_SECONDS
        for worker in self.workers:
            # One that is starting does not know of any signals yet.
            worker.send(signal.SIGKILL if worker.serving_since is None else AT_ONCE_SIGNAL or signal.SIGKILL)

    def _kill(self) -> None:
        self.kill_at = None
        for worker in self.workers:
            if not self.is_stopping_at_once:
                self._say(f"{worker} does not stop, and is killed")
            worker.send(signal.SIGKILL)

    def _say(self, line: str, prefix: str = "quart-plug: ") -> None:
        print(f"{prefix}{line}", file=sys.stderr, flush=True)


@contextmanager
def _kept_from_the_terminal() -> Iterator[None]:
    """What is started within gets no signal of the terminal's until it allows that (see inherited.py)."""
    # Ctrl+C goes to all processes of the program, and the supervisor passes it on: workers would get two signals.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Signals:
    """While the supervisor runs, signals are written down, and wake it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> socket.socket:
        woken, self.waker = self.pair = socket.socketpair()
        for end in self.pair:
            end.setblocking(False)
        self.previous_waker = signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if not _has_terminal():  # whose end sends SIGHUP as well, and then this program is to end
            wanted.append(signal.SIGHUP)
        for number in wanted:
            self.previous[number] = signal.signal(number, self._received)
        return woken

    def __exit__(self, *error: object) -> None:
        for number, previous in self.previous.items():
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self.previous_waker)
        for end in self.pair:
            end.close()

    def _received(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.supervisor.reloads = True
        elif number != signal.SIGCHLD:
            self.supervisor.stops.append(number)


def _has_terminal() -> bool:
    try:
        with open("/dev/tty", "rb"):
            return True
    except OSError:
        return False
