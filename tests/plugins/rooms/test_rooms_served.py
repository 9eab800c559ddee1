"""Rooms under `quart-plug run`: real sockets, and the command that asks the running process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.support.peers import until
from tests.support.servers import Server

APP = '''
from quart_plug import Quart, make_response, websocket
from quart_plug_rooms import rooms

app = Quart(__name__, plugins=["rooms"])


@app.websocket("/<room>")
async def visit(room):
    async with rooms.join(room, outbox_messages=3):
        async for message in websocket:
            await rooms.send(room, message)


@app.get("/flood/<room>")
async def flood(room):
    for _ in range(200):
        await rooms.send(room, "x" * 100_000)
    return ""


@app.get("/events/<room>")
async def events(room):
    async def stream():
        async with app.rooms.subscribe(room) as messages:
            yield b": hello\\n\\n"
            async for message in messages:
                yield message.as_event()

    response = await make_response(stream(), {"content-type": "text/event-stream"})
    response.timeout = None
    return response
'''


async def report(folder: Path, environment: dict[str, str]) -> dict[str, dict[str, dict[str, int]]]:
    """What `quart-plug rooms --json` says."""
    program = shutil.which("quart-plug", path=sysconfig.get_path("scripts"))
    assert program is not None
    ended = await asyncio.to_thread(
        subprocess.run, [program, "--app", "hall", "rooms", "--json"],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)  # type: ignore[no-any-return]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
async def test_live_counts_of_a_running_server(tmp_path: Path) -> None:
    """Members, a peer that does not read, a listener that leaves; and a process that was killed is not counted."""
    (tmp_path / "hall.py").write_text(APP)
    with tempfile.TemporaryDirectory(prefix="qp-") as runtime:
        environment = {"XDG_RUNTIME_DIR": runtime}
        with Server("hall", tmp_path, environment=environment) as server:
            unread = {"max_size": None, "max_queue": 1, "compression": None, "close_timeout": 0.1}
            async with (
                connect(server.ws("/lobby")) as ann,
                connect(server.ws("/lobby")) as bob,
                connect(server.ws("/flooded"), **unread) as slow,  # type: ignore[arg-type]  # of several types
            ):
                await ann.send("hello")
                assert [await ann.recv(), await bob.recv()] == ["hello", "hello"]
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(b"GET /events/lobby HTTP/1.1\r\nhost: localhost\r\n\r\n")
                await reader.readuntil(b": hello\n\n")
                flooding, flooder = await asyncio.open_connection("127.0.0.1", server.port)
                flooder.write(b"GET /flood/flooded HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                await flooding.read()
                flooder.close()
                found = await report(tmp_path, environment)
                assert found["rooms"] == {
                    "flooded": {"members": 1, "here": 1, "subscribers": 0},
                    "lobby": {"members": 2, "here": 2, "subscribers": 1},
                }
                counts = found["processes"][0]["process"]  # type: ignore[index]
                assert (counts["sent"] + counts["dropped"] + counts["waiting"]) in (201, 202)  # one may be on its way
                assert counts["dropped"] > 100 and counts["waiting"] == 3
                writer.close()

                async def listeners() -> int:
                    rooms = (await report(tmp_path, environment))["rooms"]
                    return rooms["lobby"]["subscribers"]

                while await listeners():  # it leaves when the server notices
                    pass
                assert (await slow.recv()) == "x" * 100_000
                os.killpg(server._process.pid, signal.SIGKILL)
                await until(lambda: server._process.poll() is not None)
        assert len(list((Path(runtime) / "quart-plug").glob("*.sock"))) == 1
        assert (await report(tmp_path, environment))["processes"] == []
        assert not list((Path(runtime) / "quart-plug").glob("*.sock"))
