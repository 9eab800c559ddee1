"""A real redis-server of a test's own: on a free port, in a folder of its own, always ended.

It can be stopped in order, killed, started again with or without its data, and paused as a machine that hangs. Where
the program is missing a test says so; in CI it has to be there. Never the system's server: the port is never 6379.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import redis

LIMIT = 20.0  # seconds, for whatever is waited for


def program() -> str:
    """The path of redis-server; without one the test is left out, with a line that says so, but never in CI."""
    found = shutil.which("redis-server", path=os.defpath + os.pathsep + os.environ.get("PATH", ""))
    if found is None:
        message = "redis-server is not installed (Debian: apt-get install redis-server)"
        assert not os.environ.get("CI"), message
        pytest.skip(message)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Redis:
    """A running redis-server.

    folder       where its data and its log are.
    persistence  whether what it has survives a stop or a kill: every write is on the disk before it is answered.
    password     what clients have to say; None for nothing.
    tls          certificate and key, both PEM, of a server that speaks nothing but TLS.
    options      further arguments of redis-server, "--maxmemory", "1mb".
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = False,
        password: str | None = None,
        tls: tuple[Path, Path] | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self._program = program()
        self.folder, self.password, self._tls = folder, password, tls
        self._options = ["--save", "", "--appendonly", "yes" if persistence else "no", "--appendfsync", "always"]
        self._options += ["--requirepass", password] if password else []
        self._options += options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        password = f":{self.password}@" if self.password else ""
        if self._tls:
            return f"rediss://{password}localhost:{self.port}/0?ssl_ca_certs={self._tls[0]}"
        return f"redis://{password}127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        path = self.folder / "redis.log"
        return path.read_text(errors="replace") if path.exists() else "(nothing)"

    def client(self, **options: Any) -> redis.Redis:
        """A client that blocks, for what a test does by hand; answers are bytes."""
        return redis.Redis.from_url(self.url, socket_timeout=LIMIT, **options)

    def start(self) -> None:
        """Start it, on the port that it had before; returns when it answers."""
        assert self._process is None, "it is running"
        for attempt in range(5):
            port = self.port or free_port()
            ports = ["--port", str(port)]
            if self._tls:
                certificate, key = map(str, self._tls)
                ports = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"]
                ports += ["--tls-cert-file", certificate, "--tls-key-file", key]
            with (self.folder / "redis.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [self._program, *ports, "--bind", "127.0.0.1", "--dir", str(self.folder), *self._options],
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            fresh, self.port = not self.port, port
            if self._answers():
                return
            self.kill()
            if not fresh or attempt == 4:
                raise AssertionError(f"redis-server does not answer on port {port}; its log:\n{self.log}")
            self.port = 0  # somebody else took the port meanwhile

    def _answers(self) -> bool:
        """Whether it answers in time, and is the one that was started: another may have the port."""
        assert self._process is not None
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with self.client() as client:
                    return bool(client.info("server")["process_id"] == self._process.pid)
            except redis.RedisError:
                time.sleep(0.01)
        return False

    def stop(self) -> None:
        """Stop it in order, as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once. A second time does nothing."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            process.wait(LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(LIMIT)

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within the block it does nothing, and its connections stay open: connecting works, answers do not come."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
