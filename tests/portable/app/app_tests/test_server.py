"""The board behind a real server: what goes over the wire."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h11
import pytest
from wire import LIMIT, Http, Socket, free_port, pushes_of, reachable, serving

FOLDER = Path(__file__).parents[1]


@pytest.fixture
async def port(app):
    async with serving(app) as port:
        yield port


async def test_pages_over_one_connection(port, app):
    assert app.life == ["before_serving of board", "while_serving began"]
    async with Http(port) as http:
        status, headers, body = await http.ask("GET", "/")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert headers["x-middleware"] == "yes"
        assert b"<title>Notes of the house</title>" in body
        status, headers, body = await http.ask("HEAD", "/methods")
        assert (status, headers["content-length"], body) == (200, "4", b"")
        status, _, body = await http.ask("GET", "/nowhere")
        assert (status, json.loads(body)) == (404, {"code": 404, "name": "Not Found"})


async def test_uploads(port):
    async with Http(port) as http:
        status, _, body = await http.ask("POST", "/files/digest", body=[b"one", b"two"])
        assert (status, json.loads(body)) == (200, {"sha256": hashlib.sha256(b"onetwo").hexdigest()})
        form = b'--B\r\nContent-Disposition: form-data; name="picture"; filename="a.txt"\r\n\r\nfirst\r\n--B--\r\n'
        status, _, body = await http.ask(
            "POST", "/files/", [("Content-Type", "multipart/form-data; boundary=B")], form
        )
        assert (status, json.loads(body)["kept"][0]["name"]) == (201, "a.txt")
        status, headers, body = await http.ask("GET", "/files/a.txt", [("Range", "bytes=1-3")])
        assert (status, headers["content-range"], body) == (206, "bytes 1-3/5", b"irs")
        status, headers, body = await http.ask("GET", "/files/a.txt", [("If-None-Match", headers["etag"])])
        assert (status, body) == (304, b"")
    async with Http(port) as http:
        status, _, _ = await http.ask("POST", "/files/raw", body=b"x" * (64 * 1024 + 1))
        assert status == 413


async def test_a_session_over_the_wire(port):
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    async with Http(port) as http:
        status, headers, _ = await http.ask("POST", "/auth/login", form, b"name=ada&password=engine")
        assert status == 303
        cookie = headers["set-cookie"].partition(";")[0]
        _, _, body = await http.ask("GET", "/auth/me", [("Cookie", cookie)])
        assert json.loads(body)["user"] == "ada"
    async with Socket(port, "/live/sync", [("Cookie", cookie)]) as socket:
        assert json.loads(await socket.receive())["user"] == "ada"


async def test_events_until_the_reader_leaves(port, app):
    async with Http(port) as http:
        http.send("GET", "/live/events?count=2&forever=1", [("Accept", "text/event-stream")])
        response = await http.event()
        assert (response.status_code, dict(response.headers)[b"content-type"]) == (200, b"text/event-stream")
        received = b""
        while b": still here\n\n" not in received:
            event = await http.event()
            assert type(event) is h11.Data
            received += event.data
        assert received.startswith(b"event: tick\ndata: /live/events 0\nid: 0\n\n")
    async with Http(port) as http:
        http.send("GET", "/live/tasks")
        await http.event()
        http.vanish()
    await until(lambda: app.cancelled == ["stream"])


async def until(condition) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_room(port):
    async with Socket(port, "/live/rooms?room=wire") as one, Socket(port, "/live/rooms?room=wire") as two:
        assert one.accepted
        two.send('{"text": "hello"}')
        expected = {"from": "anonymous", "text": "hello", "members": 2}
        assert [json.loads(await one.receive()), json.loads(await two.receive())] == [expected, expected]


async def test_a_handshake_with_a_protocol(port):
    async with Socket(port, "/live/negotiate/ada?a=1", subprotocols=["board.v1", "board.v2"]) as socket:
        assert socket.handshake.subprotocol == "board.v2"
        headers = dict(socket.handshake.extra_headers)
        assert (headers[b"x-name"], headers[b"x-middleware"]) == (b"ada", b"yes")
        assert await socket.receive() == "/live/negotiate/ada 1 live.negotiate {'name': 'ada'} GET"


@pytest.mark.parametrize(
    ("target", "headers", "status", "body"),
    [
        ("/live/negotiate/ada", [], 400, b'{"error":"which protocol?"}\n'),
        ("/live/echo", [("Origin", "http://elsewhere")], 403, b"wrong origin"),
        ("/live/aborts/401", [], 401, b'{"code":401,"name":"Unauthorized"}\n'),
        ("/nowhere", [], 404, b'{"code":404,"name":"Not Found"}\n'),
    ],
)
async def test_handshakes_that_are_refused(port, target, headers, status, body):
    async with Socket(port, target, headers) as socket:
        code, _, received = await socket.rejection()
        assert (code, received) == (status, body)


async def test_a_close_of_the_views(port):
    async with Socket(port, "/live/closes") as socket:
        assert await socket.receive() == "bye"
        assert (await socket.end())[0] == 4001


async def test_a_client_that_leaves(port, app):
    async with Socket(port, "/live/watch") as socket:
        assert socket.accepted
        socket.close(4000, "enough")
    await until(lambda: app.cancelled == ["watch"])
    async with Socket(port, "/live/watch") as socket:
        socket.vanish()
    await until(lambda: app.cancelled == ["watch", "watch"])


async def test_both_directions(port):
    async with Socket(port, "/live/both") as socket:
        for word in ("a", "b"):
            socket.send(word)
        assert [await socket.receive(), await socket.receive()] == ["A", "B"]


async def test_a_push_over_http_2(port):
    promised, page = await pushes_of(port, "/")
    assert promised == ["/static/style.css"]
    assert b"<title>Notes of the house</title>" in page


async def test_the_shutdown(app):
    async with serving(app) as port, Http(port) as http:
        assert (await http.ask("POST", "/background"))[0] == 202
    assert app.life[2:] == ["while_serving ended", "after_serving"]
    assert ("from a request", None, "board") in app.written


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "quart", "--app", "board:create_app", "run", "--port", "PORT"],
        ["-m", "hypercorn", "--bind", "127.0.0.1:PORT", "board:create_app()"],
        ["-c", "from board import create_app; create_app().run(port=PORT, use_reloader=False)"],
    ],
    ids=["quart run", "hypercorn", "app.run"],
)
async def test_programs_that_serve(command):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *(word.replace("PORT", str(port)) for word in command)],
        cwd=FOLDER,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        await reachable(port)
        async with Http(port) as http:
            status, _, body = await http.ask("GET", "/methods")
            assert (status, body) == (200, b"GET")
        process.send_signal(signal.SIGINT)
        output, _ = await asyncio.to_thread(process.communicate, timeout=LIMIT)
    finally:
        process.kill()
    assert b"Traceback" not in output, output.decode()


def test_commands_of_the_program():
    done = subprocess.run(
        [sys.executable, "-m", "quart", "--app", "board:create_app", "seed", "--count", "1"],
        cwd=FOLDER, env=os.environ, capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1 notes in board\n"), done.stderr
