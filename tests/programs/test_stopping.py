"""A server that is told to stop stops, whatever its views do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIMIT = 30.0

APP = """
import asyncio, threading
from quart_plug import Quart

app = Quart(__name__)
app.config["SHUTDOWN_TIMEOUT"] = 0.3
app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.3


@app.after_serving
async def down():
    print("down", flush=True)


@app.route("/ignores")
async def ignores():
    print("came", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass


@app.route("/sleeps")
def sleeps():
    print("came", flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn", "granian"])
def test_views_that_never_end_do_not_keep_the_process(start: Callable[..., Any], tmp_path: Path, server: str) -> None:
    (tmp_path / "app.py").write_text(APP)
    program = start("run", "--port", "0", "--server", server)
    port = program.port()
    clients = []
    for path in (b"/ignores", b"/sleeps"):
        client = socket.create_connection(("127.0.0.1", port), LIMIT)
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        program.wait_for("^came$")
        clients.append(client)
    status, output = program.stop()
    for client in clients:
        client.close()
    assert status == 0
    assert "down" in output
    assert "goes on though it was cancelled; it is left behind" in output
    assert "does not return; it is left behind" in output
