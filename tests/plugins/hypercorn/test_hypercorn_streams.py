"""What a websocket's app learns of its end, for each way a connection can end."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
import websockets

from quart_plug.servers import ServeOptions
from quart_plug_hypercorn import streams
from quart_plug_hypercorn.settings import server_config

LIMIT = 10.0


class Recorder:
    """An app that accepts, and keeps what it receives until the disconnect."""

    def __init__(self, then: Any = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ended = asyncio.Event()
        self.then = then

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self.then is not None:
            await send(self.then)
        while not self.messages or self.messages[-1]["type"] != "websocket.disconnect":
            self.messages.append(await receive())
        self.ended.set()

    async def end(self) -> tuple[int, str]:
        await asyncio.wait_for(self.ended.wait(), LIMIT)
        return self.messages[-1]["code"], self.messages[-1]["reason"]


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "leaving"), (1012, ""), (1014, "bad ü"), (4001, "token"), (4999, "ü" * 60)]
)
async def test_the_clients_code_and_reason_arrive(
    serve: Any, make_app: Any, connect: Any, code: int, reason: str
) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    await client.close(code, reason)
    assert await app.end() == (code, reason)
    assert app.messages[-1]["closed_by"] == "client"


async def test_a_close_frame_without_a_code_is_1005(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    writer.write(b"\x88\x80\x00\x00\x00\x00")
    assert await app.end() == (1005, "")
    assert await asyncio.wait_for(reader.read(), LIMIT) == b"\x88\x00"


async def test_a_lost_connection_is_1006(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    _, writer = await raw(server.port)
    writer.transport.abort()
    assert await app.end() == (1006, "")


async def test_the_apps_own_close_comes_back_to_it(serve: Any, make_app: Any, connect: Any) -> None:
    app = Recorder({"type": "websocket.close", "code": 4002, "reason": "enough"})
    server = await serve(make_app(websocket=app))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4002, "enough")
    assert await app.end() == (4002, "enough")


async def test_a_message_over_the_limit_is_1009_on_both_sides(serve: Any, make_app: Any, connect: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_MAX_MESSAGE_SIZE=10))
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/")
    await client.send("x" * 10)
    await client.send("x" * 11)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), LIMIT)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    assert await app.end() == (1009, "message too big")
    assert [message["text"] for message in app.messages[:-1]] == ["x" * 10]


async def test_nothing_after_a_message_over_the_limit_reaches_the_app(
    serve: Any, make_app: Any, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the peer goes on and never answers the close frame."""
    monkeypatch.setattr(streams, "CLOSE_REPLY_SECONDS", 0.05)
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_MAX_MESSAGE_SIZE=3))
    reader, writer = await raw(server.port)
    writer.write(b"\x81\x84\x00\x00\x00\x00long" + b"\x81\x82\x00\x00\x00\x00ok")
    assert await app.end() == (1009, "message too big")
    assert len(app.messages) == 1
    assert (await asyncio.wait_for(reader.read(), LIMIT))[2:4] == (1009).to_bytes(2, "big")


async def test_a_breach_of_the_protocol_is_answered_with_1002(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app))
    reader, writer = await raw(server.port)
    writer.write(b"\x81\x02ok")  # a client's frame without a mask
    code, _ = await app.end()
    assert code == 1002
    assert (await asyncio.wait_for(reader.read(), LIMIT))[2:4] == (1002).to_bytes(2, "big")


async def test_a_ping_is_answered(serve: Any, make_app: Any, connect: Any) -> None:
    server = await serve(make_app(websocket=Recorder()))
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/") as client:
        await asyncio.wait_for(await client.ping(), LIMIT)


async def test_a_peer_that_answers_no_ping_is_lost(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.02, WEBSOCKET_PING_TIMEOUT=0.02))
    _, _writer = await raw(server.port)
    assert await app.end() == (1006, "no answer to a ping")


async def test_a_peer_that_answers_pings_is_kept(serve: Any, make_app: Any, raw: Any) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app, WEBSOCKET_PING_INTERVAL=0.01, WEBSOCKET_PING_TIMEOUT=5.0))
    reader, writer = await raw(server.port)
    for _ in range(5):
        assert await asyncio.wait_for(reader.readexactly(2), LIMIT) == b"\x89\x00"
        writer.write(b"\x8a\x80\x00\x00\x00\x00")
    assert not app.ended.is_set()


def test_the_stream_fits_the_installed_hypercorn() -> None:
    """When this fails: compare the new `WSStream` with `PlugStream`, then raise SUPPORTED and the pin."""
    assert version("hypercorn").startswith(f"{streams.SUPPORTED}.")
    assert streams.install() is True


def test_another_hypercorn_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "version", lambda name: "0.19.0")
    with pytest.warns(UserWarning, match=r"hypercorn 0\.19\.0"):
        assert streams.install() is False


@pytest.mark.parametrize(
    ("settings", "attribute", "value"),
    [
        ({}, "websocket_max_message_size", 16 * 1024 * 1024),
        ({"WEBSOCKET_MAX_MESSAGE_SIZE": 5}, "websocket_max_message_size", 5),
        ({"WEBSOCKET_MAX_MESSAGE_SIZE": None}, "websocket_max_message_size", 2**63 - 1),
        ({"WEBSOCKET_PING_INTERVAL": 7}, "websocket_ping_interval", 7),
        ({"WEBSOCKET_PING_INTERVAL": None}, "websocket_ping_interval", None),
        ({"WEBSOCKET_PING_TIMEOUT": 9}, "websocket_ping_timeout", 9),
        ({"SHUTDOWN_TIMEOUT": 3}, "graceful_timeout", 3.0),
    ],
)
def test_settings_are_passed_on(settings: dict[str, Any], attribute: str, value: object) -> None:
    assert getattr(server_config(settings, ServeOptions()), attribute) == value


@pytest.mark.parametrize("on", [True, False])
async def test_the_access_log_is_the_common_one(
    serve: Any, make_app: Any, capfd: pytest.CaptureFixture[str], on: bool
) -> None:
    app = Recorder()
    server = await serve(make_app(websocket=app), access_log=on)
    client = await websockets.connect(f"ws://127.0.0.1:{server.port}/chat")
    await client.close()
    await app.end()
    assert ("GET /chat 1.1 101 - " in capfd.readouterr().out) is on
