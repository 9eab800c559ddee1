"""The ways to start a server that the tests on the wire compare: `quart-plug run`, and the server's own command."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers import LIMIT, Server

ROOT = Path(__file__).parents[2]

# As short as a loaded machine allows, for what is waited for. Idle connections of these rows live shorter than that.
SHORT: dict[str, Any] = {
    "WEBSOCKET_ACCEPT_TIMEOUT": 0.5,
    "WEBSOCKET_SEND_TIMEOUT": 0.5,
    "WEBSOCKET_RECEIVE_STALL": 0.7,
    "WEBSOCKET_RECEIVE_QUEUE": 4,
    "WEBSOCKET_DISCONNECT_GRACE": 0.4,
    "WEBSOCKET_MAX_MESSAGE_SIZE": 1000,
}


@dataclass(frozen=True)
class Launch:
    """One way to start a server.

    server  its name.
    own     whether by its own command.
    """

    server: str
    own: bool = False

    @property
    def command(self) -> str:
        """As it is written in the documentation."""
        if not self.own:
            return f"quart-plug run --server {self.server}"
        return {"granian": "granian --interface asgi app:app"}.get(self.server, f"{self.server} app:app")

    @property
    def short(self) -> str:
        """The command, for the head of a column."""
        return self.server if self.own else f"run --server {self.server}"

    @property
    def name(self) -> str:
        return f"{self.server}-own" if self.own else self.server

    def start(
        self,
        settings: dict[str, Any] | None = None,
        *,
        app: str = "tests.wire.app:app",
        options: tuple[str, ...] = (),
        port: int = 0,
    ) -> Started:
        """A process with the application. `options` are of the command that is used."""
        return Started(self, settings or {}, app, options, port)


class Started(Server):
    """A server's process, by whichever command."""

    def __init__(self, launch: Launch, settings: dict[str, Any], app: str, options: tuple[str, ...], port: int) -> None:
        self.launch = launch
        environment = {"WIRE_SETTINGS": json.dumps(settings)}
        command: tuple[str, ...] | None = None
        if launch.own:
            program = str(Path(sys.executable).parent / launch.server)
            address = {
                "hypercorn": ("--bind", f"127.0.0.1:{port}"),
                "uvicorn": ("--port", str(port), "--no-access-log"),
                "granian": ("--interface", "asgi", "--port", str(port)),
            }[launch.server]
            command = (program, *address, *options, app)
        run = ("--server", launch.server, "--no-access-log", *options)
        super().__init__(app, ROOT, port=port, path=(ROOT,), environment=environment, arguments=run, command=command)

    def _find_port(self) -> int:
        if self.launch != Launch("granian", own=True):
            return super()._find_port()
        self.wait_for("^started ")  # granian's own command says port 0 when it was given that
        deadline = time.monotonic() + LIMIT
        while (port := listening_port(self._process.pid)) is None:
            assert time.monotonic() < deadline, f"granian does not listen; its output:\n{self.output}"
            time.sleep(0.01)
        return port

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def worker(self) -> int:
        """The process that has the application."""
        return int(self.wait_for(r"^started (\d+)")[1])

    async def ended_within(self, seconds: float) -> int | None:
        """The exit status, or None when it has not ended by then."""
        try:
            status = await asyncio.to_thread(self._process.wait, seconds)
        except subprocess.TimeoutExpired:
            return None
        await asyncio.to_thread(self.kill)  # what it started, and what it wrote until the end
        return status

    async def stopped(self, number: int) -> int:
        """`stop`, for a test whose loop has to go on meanwhile."""
        return await asyncio.to_thread(self.stop, number)


def listening_port(session: int) -> int | None:
    """The port on which a process of this session listens."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file]
    listening = {f"socket:[{row[9]}]": int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A"}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) != session:
                continue
            for descriptor in (process / "fd").iterdir():
                port = listening.get(os.readlink(descriptor))
                if port is not None:
                    return port
        except OSError:  # it has ended meanwhile, or is somebody else's
            pass
    return None


# Under `quart-plug run`, and each server's own command.
RUN = [Launch("hypercorn"), Launch("uvicorn"), Launch("granian")]
OWN = [Launch("hypercorn", own=True), Launch("uvicorn", own=True), Launch("granian", own=True)]
LAUNCHES = [*RUN, *OWN]
