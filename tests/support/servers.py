"""`quart-plug run` in a process of its own: started, read line by line, always ended.

Every wait has a limit, and says when it is over what it waited for and what the server had written until then.
Knows no application and no client, only addresses.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import threading
from pathlib import Path
from types import TracebackType

LIMIT = 20.0  # seconds


class Server:
    """A running server; its standard output and standard error are one list of lines.

    app      as for `--app`.
    folder   the folder it is started in.
    port     0 for a free one.
    path     folders for PYTHONPATH, beside `folder`.
    script   another environment's `quart-plug`; by default that of the environment that runs the tests.
    options  options for `quart-plug` itself, before `run`.
    arguments  options for `run`.
    command  another command line altogether, which names the app and the port itself (`port` is not looked at).
    """

    announced = r"unning on https?://127\.0\.0\.1:(\d+)"  # "Running on" of most servers, "Uvicorn running on"

    def __init__(
        self,
        app: str,
        folder: Path,
        *,
        port: int = 0,
        path: tuple[Path, ...] = (),
        environment: dict[str, str] | None = None,
        script: Path | None = None,
        options: tuple[str, ...] = (),
        arguments: tuple[str, ...] = (),
        command: tuple[str, ...] | None = None,
    ) -> None:
        if command is None:
            program = script or shutil.which("quart-plug", path=sysconfig.get_path("scripts"))
            assert program is not None, "the script quart-plug is not installed in the environment that runs the tests"
            command = (str(program), "--app", app, *options, "run", "--port", str(port), *arguments)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
        clean |= {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        clean |= {"PYTHONPATH": os.pathsep.join(map(str, path))} if path else {}
        self.lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {app}", daemon=True)
        self._reader.start()
        try:
            self.port = self._find_port()
        except BaseException:
            self.kill()
            raise

    def _find_port(self) -> int:
        """Once the server has said that it runs."""
        return int(self.wait_for(self.announced)[1])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def output(self) -> str:
        with self._news:
            return "\n".join(self.lines)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ws(self, path: str = "/") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def wait_for(self, pattern: str, since: int = 0) -> re.Match[str]:
        """The first line from number `since` on that matches, waited for. AssertionError when none comes."""

        def found() -> re.Match[str] | None:
            return next((match for line in self.lines[since:] if (match := re.search(pattern, line))), None)

        with self._news:
            self._news.wait_for(lambda: found() is not None or self._ended, LIMIT)
            match = found()
        if match is None:
            what = "before the server ended" if self._ended else f"within {LIMIT:g} seconds"
            raise AssertionError(f"no line matched {pattern!r} {what}; the server's output:\n{self.output}")
        return match

    async def printed(self, pattern: str, since: int = 0) -> re.Match[str]:
        """`wait_for`, for a test whose loop has to go on meanwhile."""
        return await asyncio.to_thread(self.wait_for, pattern, since)

    def send_signal(self, number: int) -> None:
        """To the process that was started, and to no other."""
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it, as Ctrl+C does if no other signal is named; the exit status."""
        self.send_signal(number)
        return self.status(f"after {signal.Signals(number).name}")

    def status(self, since: str = "later") -> int:
        """The exit status, waited for; then everything that it started is ended too."""
        try:
            return self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {LIMIT:g} seconds {since}; its output:\n{self.output}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, with everything that it started. A second time does nothing."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(LIMIT)
        self._reader.join(LIMIT)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
