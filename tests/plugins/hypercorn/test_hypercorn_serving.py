"""The server plugin's sequence: listen, start the app, accept, drain, stop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import websockets
from hypercorn.utils import ShutdownError

from quart_plug.running import AT_ONCE, ApplicationStartError, ServerStartError
from quart_plug_hypercorn import serving, streams

LIMIT = 10.0
PEM = Path(__file__).with_name("localhost.pem")


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


async def test_it_says_where_it_runs_once_it_does(serve: Any, make_app: Any, get: Any) -> None:
    """With port 0 the line has the real port, and that port answers."""
    server = await serve(make_app(hello))
    assert server.line == f"Running on http://127.0.0.1:{server.port} (CTRL + C to quit)"
    assert server.port != 0
    assert (await get(server.port)).endswith(b"hello")


async def test_ipv6_addresses_are_shown_as_urls(serve: Any, make_app: Any) -> None:
    server = await serve(make_app(hello), host="::1")
    assert server.url == f"http://[::1]:{server.port}"


async def test_https_with_key_and_certificate_in_one_file(serve: Any, make_app: Any, get: Any) -> None:
    server = await serve(make_app(hello), certfile=str(PEM))
    assert server.url.startswith("https://")
    tls = ssl.create_default_context(cafile=str(PEM))
    assert (await get(server.port, ssl=tls)).endswith(b"hello")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70_000}, ["port 70000", "65535"]),
        ({"host": "no.such.host.invalid"}, ["no.such.host.invalid", "--host"]),
        ({"host": "192.0.2.1"}, ["192.0.2.1", "not an address of this machine"]),
        ({"certfile": "/no/such/file.pem"}, ["--certfile", "/no/such/file.pem"]),
        ({"keyfile": str(PEM)}, ["--certfile"]),
        ({"certfile": __file__}, ["not usable"]),
        ({"colour": "red"}, ["colour"]),
    ],
    ids=["port", "host", "address", "missing file", "key alone", "bad certificate", "unknown option"],
)
async def test_what_cannot_be_served_is_said(
    serve: Any, make_app: Any, options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ServerStartError) as caught:
        await serve(make_app(hello), **options)
    assert [word for word in words if word not in str(caught.value)] == []


async def test_a_port_in_use_is_named_with_the_cure(serve: Any, make_app: Any) -> None:
    """Nothing of the app is started then."""
    app = make_app(hello)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerStartError) as caught:
            await serve(app, port=port)
    assert f"port {port} on 127.0.0.1 is already in use" in str(caught.value)
    assert "--port" in str(caught.value)
    assert app.events == []


async def test_an_app_that_does_not_start_is_said(serve: Any, make_app: Any) -> None:
    app = make_app(hello)
    app.start_error = "no database"
    with pytest.raises(ApplicationStartError, match="no database"):
        await serve(app)


async def test_a_stop_during_start_up_is_heeded(make_app: Any) -> None:
    app = make_app(hello)
    app.starting = asyncio.Event()
    stop = asyncio.Event()
    stop.set()
    server = serving.HypercornServer()
    await asyncio.wait_for(
        server.serve(app, host="127.0.0.1", port=0, shutdown_trigger=stop.wait, announce=pytest.fail), LIMIT
    )
    assert app.events == []


async def test_an_error_of_the_trigger_is_raised(make_app: Any) -> None:
    """In a group, as hypercorn's own function raises it; and the app's shutdown functions have run."""
    app = make_app(hello)

    async def trigger() -> None:
        raise LookupError("from the trigger")

    with pytest.raises(ExceptionGroup) as caught:
        await serving.HypercornServer().serve(app, host="127.0.0.1", port=0, shutdown_trigger=trigger, announce=print)
    assert [str(error) for error in caught.value.exceptions] == ["from the trigger"]


async def test_hypercorns_word_for_a_stop_is_one(make_app: Any) -> None:
    """A trigger may raise hypercorn's ShutdownError in place of returning."""
    app = make_app(hello)

    async def trigger() -> None:
        raise ShutdownError

    await serving.HypercornServer().serve(app, host="127.0.0.1", port=0, shutdown_trigger=trigger, announce=print)


async def test_a_cancelled_server_runs_the_apps_shutdown(serve: Any, make_app: Any) -> None:
    """A bot's program that serves in a task ends it by cancelling."""
    app = make_app(hello)
    server = await serve(app)
    server.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server.task
    assert app.events == ["startup", "shutdown"]


async def test_a_trigger_may_raise_hypercorns_word_for_the_end(make_app: Any) -> None:
    async def trigger() -> None:
        raise ShutdownError

    app = make_app(hello)
    server = serving.HypercornServer()
    await asyncio.wait_for(server.serve(app, host="127.0.0.1", port=0, shutdown_trigger=trigger, announce=print), LIMIT)


async def test_the_apps_shutdown_runs_after_the_last_connection(
    serve: Any, make_app: Any, connect: Any, get: Any
) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()
    app = make_app()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        arrived.set()
        await release.wait()
        await hello(scope, receive, send)
        app.events.append("answered")

    app.http = slow
    server = await serve(app)
    answer = asyncio.ensure_future(get(server.port))
    await asyncio.wait_for(arrived.wait(), LIMIT)
    stopping = asyncio.ensure_future(server.stop())
    with pytest.raises(ConnectionRefusedError):
        while True:  # from the moment the stop is noticed
            _, _writer = await connect(server.port)
            release.set()
    assert (await answer).endswith(b"hello")
    await stopping
    assert app.events == ["startup", "answered", "shutdown"]


async def test_a_request_that_never_ends_is_cancelled_at_the_limit(serve: Any, make_app: Any, get: Any) -> None:
    arrived = asyncio.Event()
    ends: list[str] = []

    async def never(scope: Any, receive: Any, send: Any) -> None:
        arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    server = await serve(make_app(never, SHUTDOWN_TIMEOUT=0.05))
    answer = asyncio.ensure_future(get(server.port))
    await asyncio.wait_for(arrived.wait(), LIMIT)
    await server.stop()
    assert ends == ["cancelled"]
    await asyncio.gather(answer, return_exceptions=True)


async def test_idle_connections_do_not_delay_the_end(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(hello, SHUTDOWN_TIMEOUT=60.0))
    reader, writer = await connect(server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"hello"), LIMIT)
    await server.stop()
    assert await asyncio.wait_for(reader.read(), LIMIT) == b""


async def test_websockets_are_told_to_come_back(serve: Any, make_app: Any, connect: Any) -> None:
    """1012 on a stop; the app gets the same code; the end does not wait for the limit."""
    server = await serve(make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0))
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/") as client:
        await client.send("x")
        assert await client.recv() == "x"
        await server.stop()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "the server stops")


async def test_a_peer_that_ignores_the_close_is_left(
    serve: Any, make_app: Any, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CLOSE_REPLY_SECONDS", 0.05)
    server = await serve(make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0))
    reader, _writer = await raw(server.port)
    await server.stop()
    assert (await asyncio.wait_for(reader.read(), LIMIT))[:4] == b"\x88\x12\x03\xf4"


async def test_a_view_that_ignores_the_disconnect_is_cancelled_at_the_limit(
    serve: Any, make_app: Any, connect: Any
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


async def test_cancelling_ends_at_once(serve: Any, make_app: Any, raw: Any) -> None:
    """What a second signal does: no waiting, neither for connections nor for the app's shutdown."""
    app = make_app(websocket=echo, SHUTDOWN_TIMEOUT=60.0)
    server = await serve(app)
    _, _writer = await raw(server.port)
    server.stop_event.set()
    server.task.cancel(AT_ONCE)
    await asyncio.wait((server.task,), timeout=LIMIT)
    assert server.task.cancelled()
    assert app.events == ["startup"]
