"""Real processes: in a folder of their own, read line by line, waited for with a limit, never left behind."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LIMIT = 30.0

# Makes standard input the terminal of the new session, as a shell's window is, then becomes the program.
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


class Program:
    """A running process; its standard output and standard error are one stream of lines."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str], terminal: bool = False) -> None:
        self.keyboard, screen = os.openpty() if terminal else (None, None)
        if terminal:
            command = ["-c", OWN_TERMINAL, *command]
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL if screen is None else screen,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        if screen is not None:
            os.close(screen)
        self.seen: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The next line that matches."""
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line matched {pattern!r} in:\n" + "\n".join(self.seen))
            self.seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def port(self) -> int:
        """The port of the next "Running on" line."""
        return int(self.wait_for(r"Running on https?://.*:(\d+) ")[1])

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def press_ctrl_c(self) -> None:
        assert self.keyboard is not None
        os.write(self.keyboard, b"\x03")

    def wait(self) -> tuple[int, str]:
        """The exit status, and everything that was written."""
        status = self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None:
                self.seen.append(line)
        return status, "\n".join(self.seen)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.send(number)
        return self.wait()

    def close(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(LIMIT)
        self._reader.join(LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self.keyboard is not None:
            os.close(self.keyboard)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """`start("run", "--port", "0")` starts `quart-plug`; `start(command=[…])` another Python program."""
    running: list[Program] = []

    def launch(
        *arguments: str, command: list[str] | None = None, terminal: bool = False, **environment: str
    ) -> Program:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
        # No bytecode: its check of a source's time is too coarse for two edits within a second.
        clean |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **environment}
        words = ["-m", "quart_plug", *arguments] if command is None else command
        program = Program(words, tmp_path, clean, terminal)
        running.append(program)
        return program

    yield launch
    for program in running:
        program.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """`write("app.py", text)` writes a file into the program's folder, at once and whole."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        return path

    return put
