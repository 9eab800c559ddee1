"""granian as a server plugin: how it starts, what it is told, how it ends."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, request
from quart_plug.hooks import hookimpl
from quart_plug.running import ApplicationStartError, ServerStartError
from quart_plug_granian.settings import SUPPORTED, check_version

HERE = Path(__file__).parent
CERTIFICATE = HERE.parent / "hypercorn" / "localhost.pem"
AUTHORITY = HERE / "authority.pem"
CLIENT = HERE / "client.pem"  # signed by the authority
LIMIT = 10.0


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def hello() -> str:
        return "hello"

    return app


def test_this_is_the_granian_that_the_plugin_was_made_for() -> None:
    """It uses what granian does not document. Another version: try everything here, then set SUPPORTED."""
    assert version("granian").rsplit(".", 1)[0] == SUPPORTED


def test_another_granian_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quart_plug_granian.settings.SUPPORTED", "1.0")
    with pytest.warns(UserWarning, match=r"granian 2\.\S+ is installed, but .* only known of 1\.0; install 'granian"):
        check_version()


def test_without_granian_the_extra_is_named() -> None:
    """In a process of its own: what was imported stays imported."""
    program = (
        "import sys; sys.modules['granian'] = None\n"
        "from quart_plug import Quart\n"
        "Quart('app').run(server='granian', use_reloader=False, port=0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: granian is not installed; pip install 'quart-plug[granian]'\n")


async def test_it_serves_in_the_running_loop(app: Quart, serve: Any, get: Any) -> None:
    loops: list[Any] = []

    @app.get("/loop")
    async def loop() -> str:
        loops.append(asyncio.get_running_loop())
        return "here"

    server = await serve(app)
    assert (await get(server.port, "/loop")).endswith(b"\r\n\r\nhere")
    assert loops == [asyncio.get_running_loop()]
    await server.stop()


async def test_it_is_announced_with_its_real_port_and_the_hook_told_before(app: Quart, serve: Any, get: Any) -> None:
    told: list[str] = []

    class Listening:
        @hookimpl
        async def listening(self, app: Quart, url: str) -> None:
            told.append(url)

    app.hooks.register(Listening(), "listening")
    server = await serve(app)
    assert server.line == f"Running on http://127.0.0.1:{server.port} (CTRL + C to quit)"
    assert told == [f"http://127.0.0.1:{server.port}"]
    assert b"hello" in await get(server.port)


async def test_a_port_in_use_is_said_in_the_common_words(app: Quart, serve: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerStartError, match=rf"^port {port} on 127\.0\.0\.1 is already in use; use --port"):
            await serve(app, port=port)


async def test_after_the_end_the_port_is_free_again(app: Quart, serve: Any, get: Any) -> None:
    server = await serve(app)
    await get(server.port)
    await server.stop()
    again = await serve(app, port=server.port)
    assert b"hello" in await get(again.port)


async def test_an_app_that_does_not_start_is_an_error(app: Quart, serve: Any) -> None:
    @app.before_serving
    async def fail() -> None:
        raise ValueError("no database")

    with pytest.raises(ApplicationStartError, match="the application did not start: no database"):
        await serve(app)


async def test_start_and_shutdown_functions_run_once_and_in_order(app: Quart, serve: Any, get: Any) -> None:
    events: list[str] = []

    @app.while_serving
    async def life() -> Any:
        events.append("start")
        yield
        events.append("stop")

    server = await serve(app)
    await get(server.port)
    assert events == ["start"]
    await server.stop()
    assert events == ["start", "stop"]


async def test_a_trigger_that_fails_ends_it_and_is_raised(app: Quart) -> None:
    from quart_plug.running import run_task

    async def fail() -> None:
        raise KeyError("trigger")

    with pytest.raises(ExceptionGroup) as caught:
        await run_task(app, port=0, server="granian", access_log=False, announce=print, shutdown_trigger=fail)
    assert isinstance(caught.value.exceptions[0], KeyError)


async def test_scopes_have_ports_as_numbers_and_the_lifespans_state(serve: Any, get: Any) -> None:
    app = Quart(__name__)
    seen: list[Any] = []
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "a pool"
        else:
            seen.append((scope["client"], scope["server"], scope["state"], scope["root_path"]))
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign,assignment]
    server = await serve(app)
    await get(server.port)
    [(client, own, state, root)] = seen
    assert (client[0], type(client[1]), own, state, root) == (
        *("127.0.0.1", int, ("127.0.0.1", server.port)),
        *({"pool": "a pool"}, ""),
    )


async def test_a_view_gets_the_whole_body_and_its_answer_is_streamed(app: Quart, serve: Any, dial: Any) -> None:
    @app.post("/echo")
    async def echo() -> Any:
        body = await request.get_data()

        async def parts() -> Any:
            for start in range(0, len(body), 50_000):
                yield body[start : start + 50_000]

        return parts()

    server = await serve(app)
    reader, writer = await dial(server.port)
    body = bytes(range(256)) * 1000
    writer.write(
        f"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    writer.write(body)
    answer = await asyncio.wait_for(reader.read(), LIMIT)
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"".join(re.split(rb"(?:\A|\r\n)[0-9A-F]+\r\n", rest)).removesuffix(b"\r\n") == body


async def test_a_request_is_a_line_of_the_access_log(
    app: Quart, serve: Any, get: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await serve(app, access_log=True)
    await get(server.port, "/?secret=1")
    await server.stop()
    assert re.search(r"\[INFO\] 127\.0\.0\.1:\d+ GET / 1\.1 200 5 \d+\n", capsys.readouterr().out)


# TLS


async def test_it_speaks_tls(app: Quart, serve: Any, get: Any) -> None:
    server = await serve(app, certfile=str(CERTIFICATE))
    assert server.line.startswith("Running on https://127.0.0.1:")
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    assert b"hello" in await get(server.port, ssl=context, server_hostname="localhost")


async def test_clients_show_a_certificate_where_authorities_are_given(app: Quart, serve: Any, get: Any) -> None:
    server = await serve(app, certfile=str(CERTIFICATE), ca_certs=str(AUTHORITY))
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    try:
        answer = await get(server.port, ssl=context, server_hostname="localhost")
    except OSError:  # ssl.SSLError is one
        answer = b""
    assert answer == b""
    context.load_cert_chain(CLIENT)
    assert b"hello" in await get(server.port, ssl=context, server_hostname="localhost")


async def test_a_certificate_that_is_none_is_an_error(app: Quart, serve: Any, tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    file.write_text("no certificate")
    with pytest.raises(ServerStartError, match=r"the certificate .* is not usable"):
        await serve(app, certfile=str(file))
