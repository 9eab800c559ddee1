"""The server plugin's sequence with uvicorn: listen, start the app, accept, drain, stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import websockets

import quart_plug_uvicorn
from quart_plug import Quart
from quart_plug.exceptions import PluginError
from quart_plug.running import AT_ONCE, ApplicationStartError, ServerStartError, choose_server
from quart_plug.servers import ServeOptions
from quart_plug_uvicorn import serving, settings
from quart_plug_uvicorn import websockets as connections

LIMIT = 10.0
PEM = Path(__file__).parents[1] / "hypercorn" / "localhost.pem"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


# Versions --------------------------------------------------------------------------------------------------------


def test_the_installed_uvicorn_was_tried() -> None:
    """When this fails: compare uvicorn's H11Protocol and HttpToolsProtocol with what http.py overrides, then add the
    version to TRIED, and raise the limit in pyproject.toml."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert serving.is_known() is True
    assert version("uvicorn").startswith("{}.{}.".format(*serving.TRIED[1]))


@pytest.mark.parametrize("installed", ["0.39.9", "0.55.0", "1.0.0"])
def test_of_another_uvicorn_is_warned(monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    monkeypatch.setattr(serving, "version", lambda name: installed)
    with pytest.warns(UserWarning, match=f"uvicorn {installed} is installed.* 0.40 to 0.54"):
        assert serving.is_known() is False


@pytest.mark.parametrize("package", ["uvicorn", "websockets"])
def test_without_its_packages_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for name in [name for name in sys.modules if name.startswith(("quart_plug_uvicorn.", f"{package}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PluginError, match=rf"'{package}'.*pip install 'quart-plug\[uvicorn\]'"):
        quart_plug_uvicorn.server(Quart("shop", plugins=[]), "uvicorn")


def test_it_is_not_the_default_and_is_found_by_its_name() -> None:
    assert choose_server(Quart("shop")).name == "hypercorn"
    assert choose_server(Quart("shop"), "uvicorn").name == "uvicorn"


@pytest.mark.parametrize(
    ("given", "attribute", "value"),
    [
        ({}, "ws_max_size", 16 * 1024 * 1024),
        ({"WEBSOCKET_MAX_MESSAGE_SIZE": None}, "ws_max_size", None),
        ({"WEBSOCKET_PING_INTERVAL": 7}, "ws_ping_interval", 7),
        ({"WEBSOCKET_PING_INTERVAL": None}, "ws_ping_interval", None),
        ({"WEBSOCKET_PING_TIMEOUT": 9}, "ws_ping_timeout", 9),
    ],
)
def test_settings_are_passed_on(given: dict[str, Any], attribute: str, value: object) -> None:
    assert getattr(settings.server_config(hello, given, ServeOptions(access_log=False)), attribute) == value


def test_uvicorns_environment_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would believe every proxy on this machine, and count its own workers."""
    monkeypatch.setenv("WEB_CONCURRENCY", "7")
    config = settings.server_config(hello, {}, ServeOptions(access_log=False))
    assert (config.proxy_headers, config.workers) == (False, 1)


# Start -----------------------------------------------------------------------------------------------------------


async def test_it_says_where_it_runs_once_it_does(serve: Any, make_app: Any, get: Any) -> None:
    server = await serve(make_app(hello))
    assert server.line == f"Running on http://127.0.0.1:{server.port} (CTRL + C to quit)"
    answer = await get(server.port)
    assert answer.endswith(b"hello") and answer.count(b"\r\ndate: ") == 1


async def test_a_socket_may_be_handed_over(serve: Any, make_app: Any, get: Any) -> None:
    """As to a worker, which does not listen by itself."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = await serve(make_app(hello), sock=sock)
    assert server.port == sock.getsockname()[1]
    assert (await get(server.port)).endswith(b"hello")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70_000}, ["port 70000", "65535"]),
        ({"host": "192.0.2.1"}, ["192.0.2.1", "not an address of this machine"]),
        ({"certfile": __file__}, ["not usable"]),
        ({"certfile": str(PEM), "ca_certs": __file__}, ["authorities", "not usable"]),
        ({"colour": "red"}, ["colour"]),
    ],
    ids=["port", "address", "bad certificate", "bad authorities", "unknown option"],
)
async def test_what_cannot_be_served_is_said(
    serve: Any, make_app: Any, options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ServerStartError) as caught:
        await serve(make_app(hello), **options)
    assert [word for word in words if word not in str(caught.value)] == []


async def test_a_port_in_use_is_named(serve: Any, make_app: Any) -> None:
    app = make_app(hello)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerStartError, match=f"port {port} on 127.0.0.1 is already in use"):
            await serve(app, port=port)
    assert app.events == []


async def test_an_app_that_does_not_start_is_said(serve: Any, make_app: Any) -> None:
    app = make_app(hello)
    app.start_error = "no database"
    with pytest.raises(ApplicationStartError, match="no database"):
        await serve(app)


async def test_each_connection_has_a_copy_of_the_apps_state(serve: Any, make_app: Any, get: Any, raw: Any) -> None:
    seen: list[Any] = []

    class Stateful(make_app):  # type: ignore[misc]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                scope["state"]["pool"] = "a pool"
            else:
                seen.append(scope["state"]["pool"])
                scope["state"]["pool"] = "spoiled"
            await super().__call__(scope, receive, send)

    server = await serve(Stateful(hello, echo))
    await get(server.port)
    await raw(server.port)
    assert seen == ["a pool", "a pool"]


# TLS -------------------------------------------------------------------------------------------------------------


async def test_websockets_and_requests_over_tls(serve: Any, make_app: Any, get: Any) -> None:
    server = await serve(make_app(hello, echo, WEBSOCKET_MAX_MESSAGE_SIZE=1000), certfile=str(PEM))
    tls = ssl.create_default_context(cafile=str(PEM))
    assert (await get(server.port, ssl=tls)).endswith(b"hello")
    client = await websockets.connect(f"wss://localhost:{server.port}/", ssl=tls, compression=None)
    await client.send("x")
    assert await asyncio.wait_for(client.recv(), LIMIT) == "x"
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.send(bytes(3_000_000)), LIMIT)
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


async def test_with_authorities_a_client_has_to_show_a_certificate(serve: Any, make_app: Any, get: Any) -> None:
    server = await serve(make_app(hello), certfile=str(PEM), ca_certs=str(PEM))
    tls = ssl.create_default_context(cafile=str(PEM))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        if await get(server.port, ssl=tls) == b"":
            raise ConnectionResetError
    tls.load_cert_chain(PEM)
    assert (await get(server.port, ssl=tls)).endswith(b"hello")


# The end ---------------------------------------------------------------------------------------------------------


async def test_websockets_are_told_to_come_back(serve: Any, make_app: Any) -> None:
    """1012 on a stop; the end does not wait for the limit."""
    server = await serve(make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0))
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/") as client:
        await client.send("x")
        assert await client.recv() == "x"
        await server.stop()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "the server stops")


async def test_a_handshake_without_an_answer_is_refused(serve: Any, make_app: Any, connect: Any) -> None:
    called = asyncio.Event()
    ends: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        called.set()
        ends.append(await receive())

    server = await serve(make_app(websocket=app, SHUTDOWN_TIMEOUT=60.0))
    reader, writer = await connect(server.port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await asyncio.wait_for(called.wait(), LIMIT)
    stopping = asyncio.ensure_future(server.stop())
    assert (await asyncio.wait_for(reader.read(), LIMIT)).startswith(b"HTTP/1.1 503")
    writer.close()
    await stopping
    assert (ends[0]["code"], ends[0]["closed_by"]) == (1012, "server")


async def test_a_peer_that_ignores_the_close_is_left(
    serve: Any, make_app: Any, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STOP_SECONDS", 0.05)
    server = await serve(make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0))
    reader, _writer = await raw(server.port)
    await server.stop()
    assert await asyncio.wait_for(reader.readexactly(4), LIMIT) == b"\x88\x12\x03\xf4"


async def test_a_view_that_ignores_the_disconnect_is_cancelled_at_the_limit(
    serve: Any, make_app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    accepted = asyncio.Event()
    ends: list[str] = []

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        accepted.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("ended")

    server = await serve(make_app(websocket=deaf, SHUTDOWN_TIMEOUT=0.05))
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/"):
        await asyncio.wait_for(accepted.wait(), LIMIT)
        await server.stop()
    assert ends == ["ended"]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("message", ["", AT_ONCE])
async def test_a_cancelled_server_ends_at_once(serve: Any, make_app: Any, raw: Any, message: str) -> None:
    """A second signal is such a cancellation, and skips the app's shutdown functions too."""
    app = make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0)
    server = await serve(app)
    _, _writer = await raw(server.port)
    server.task.cancel(message)
    await asyncio.wait((server.task,), timeout=LIMIT)
    assert server.task.cancelled()
    assert app.events == ["startup"] if message else ["startup", "shutdown"]


async def test_signals_are_left_alone(serve: Any, make_app: Any, get: Any) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    server = await serve(make_app(hello))
    await get(server.port)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    await server.stop()


async def test_nothing_is_left_behind(serve: Any, make_app: Any, get: Any) -> None:
    server = await serve(make_app(hello, echo))
    await get(server.port)
    clients = [await websockets.connect(f"ws://127.0.0.1:{server.port}/") for _ in range(5)]
    await server.stop()
    for client in clients:
        await client.wait_closed()
    names = {task.get_name() for task in asyncio.all_tasks() if "quart_plug" in repr(task.get_coro())}
    assert names == set()
