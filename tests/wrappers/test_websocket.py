"""A websocket's messages, as a view has them; and websockets that are made in other ways."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug.exceptions import BadRequest, ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, make_app, text, turns

# Messages --------------------------------------------------------------------------------------------------------


async def test_texts_and_bytes_come_and_go_as_they_are(connect: Connect) -> None:
    connection = connect()
    connection.server.put(
        {"type": "websocket.connect"},
        "text",
        {"type": "websocket.receive", "text": None, "bytes": b"bytes"},
        {"type": "websocket.receive", "text": ""},
        {"type": "websocket.receive", "bytes": b""},
    )

    async def view(websocket: Websocket) -> list[str | bytes]:
        found = [await websocket.receive() for _ in range(4)]
        for data in ("text", b"bytes", "", b"", bytearray(b"array"), memoryview(b"view")):
            await websocket.send(data)  # type: ignore[arg-type]
        await websocket.send_text("t")
        await websocket.send_bytes(b"b")
        return found

    assert await connection.run(view) == ["text", b"bytes", "", b""]
    assert [m.get("text", m.get("bytes")) for m in connection.server.sent[1:-1]] == [
        *("text", b"bytes", "", b"", b"array", b"view"),
        *("t", b"b"),
    ]


@pytest.mark.parametrize(
    ("call", "data", "hint"),
    [
        ("send", {"a": 1}, "send_json"),
        ("send", None, "NoneType"),
        ("send_text", b"x", "takes a str"),
        ("send_bytes", "x", "takes bytes"),
    ],
)
async def test_what_cannot_be_sent_says_so(connect: Connect, call: str, data: Any, hint: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        with pytest.raises(TypeError, match=hint):
            await getattr(websocket, call)(data)

    await connection.run(view)
    assert connection.server.types == ["accept", "close"]


@pytest.mark.parametrize(
    ("args", "kwargs", "sent"),
    [
        (({"a": 1},), {}, '{"a": 1}'),
        ((None,), {}, "null"),
        ((1, 2), {}, "[1, 2]"),
        ((), {"a": 1}, '{"a": 1}'),
        ((), {}, "{}"),
        (([1],), {"indent": 1}, "[\n 1\n]"),
        ((1, 2), {"separators": (",", ":")}, "[1,2]"),
    ],
)
@pytest.mark.parametrize("short", [True, False])
async def test_json_is_sent_from_what_is_given(
    connect: Connect, args: Any, kwargs: Any, sent: str, short: bool
) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        websocket._short = short
        await websocket.send_json(*args, **kwargs)

    await connection.run(view)
    assert connection.server.texts == [sent]


@pytest.mark.parametrize(
    "bad", ["{", "", "nope", "[" * 100_000, "1" * 5000], ids=["open", "empty", "word", "deep", "huge number"]
)
@pytest.mark.parametrize("short", [True, False])
async def test_invalid_json_is_a_bad_request_and_the_connection_stays_open(
    connect: Connect, bad: str, short: bool
) -> None:
    connection = connect()
    connection.server.put({"type": "websocket.connect"}, bad, {"type": "websocket.receive", "bytes": b"\xff"}, "[1]")

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        websocket._short = short
        for _ in range(2):
            with pytest.raises(BadRequest, match="not valid JSON"):
                await websocket.receive_json()
        return await websocket.receive_json()

    assert await connection.run(view) == [1]


async def test_json_is_the_application_s(connect: Connect) -> None:
    connection = connect()
    connection.app.json.loads = lambda data: ("loaded", data)
    connection.app.json.dumps = lambda data, **options: f"dumped {data} {options}"
    connection.server.put("x")

    async def view(websocket: Websocket) -> Any:
        await websocket.send_json([1], sort_keys=True)
        return await websocket.receive_json()

    assert await connection.run(view) == ("loaded", "x")
    assert connection.server.texts == ["dumped [1] {'sort_keys': True}"]


@pytest.mark.parametrize("call", ["receive", "receive_json"])
async def test_a_time_limit_leaves_the_connection_usable(connect: Connect, call: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        with pytest.raises(TimeoutError):
            await getattr(websocket, call)(timeout=0)
        connection.server.put("1")
        return await getattr(websocket, call)(timeout=60)

    assert await connection.run(view) in ("1", 1)


async def test_wait_for_around_receive_loses_nothing(connect: Connect) -> None:
    """The seed's heartbeat: a time-out, a ping, and the answer is there."""
    connection = connect()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        found = []
        for _ in range(3):
            try:
                found.append(await asyncio.wait_for(websocket.receive(), timeout=0.001))
            except TimeoutError:
                await websocket.send("ping")
                connection.server.put("pong", "more")
        return found

    task = await connection.start(view)
    assert await task == ["pong", "more"]


async def test_a_loop_over_the_messages_ends_with_a_normal_close(connect: Connect) -> None:
    for code in (1000, 1001, 1005):
        connection = connect()
        connection.server.put("a", "b")
        connection.server.leave(code)

        async def view(websocket: Websocket) -> list[Any]:
            return [message async for message in websocket]

        assert await connection.run(view) == ["a", "b"]


@pytest.mark.parametrize("code", [1002, 1006, 1011, 4000])
async def test_a_loop_over_the_messages_raises_for_another_end(connect: Connect, code: int) -> None:
    connection = connect()
    connection.server.leave(code, "why")

    async def view(websocket: Websocket) -> None:
        with pytest.raises(ConnectionClosed) as caught:
            async for _ in websocket:
                raise AssertionError
        assert (caught.value.code, caught.value.reason) == (code, "why")

    await connection.run(view)


async def test_several_tasks_receive_different_messages(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        tasks = [asyncio.create_task(websocket.receive()) for _ in range(3)]
        tasks += [asyncio.create_task(websocket.receive_json())]
        await turns()
        connection.server.put("1", "2", "3", "4")
        return [await task for task in tasks]

    task = await connection.start(view)
    assert await task == ["1", "2", "3", 4]


async def test_a_tight_loop_of_sends_lets_the_loop_turn(connect: Connect) -> None:
    connection = connect()
    turned = []

    async def other() -> None:
        while True:
            await asyncio.sleep(0)
            turned.append(len(connection.server.sent))

    async def view(websocket: Websocket) -> None:
        task = asyncio.create_task(other())
        for number in range(200):
            await (websocket.send("x") if number % 2 else websocket.send_json(1))
        task.cancel()
        await asyncio.wait([task])

    await connection.run(view)
    assert len(turned) >= 2


# Hooks -----------------------------------------------------------------------------------------------------------


async def test_hooks_see_and_change_messages(connect: Connect) -> None:
    connection = connect()

    async def received(ctx: Any, message: str) -> str:
        assert ctx is connection.ctx
        await asyncio.sleep(0)
        return f"in {message}"

    async def sending(ctx: Any, message: str) -> str:
        await asyncio.sleep(0)
        return f"out {message}"

    connection.plan.received, connection.plan.sending = received, sending
    connection.server.put("a")

    async def view(websocket: Websocket) -> str | bytes:
        await websocket.send("b")
        await websocket.send_json({})
        return await websocket.receive()

    assert await connection.run(view) == "in a"
    assert connection.server.texts == ["out b", "out {}"]


async def test_a_message_whose_hook_was_cancelled_is_the_next_one(connect: Connect) -> None:
    connection = connect()
    calls = []

    async def received(ctx: Any, message: str) -> str:
        calls.append(message)
        if len(calls) == 1:
            await asyncio.get_running_loop().create_future()
        return message

    connection.plan.received = received
    connection.server.put("a", "b")

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        with pytest.raises(TimeoutError):
            await websocket.receive(timeout=0.001)
        return [await websocket.receive(), await websocket.receive()]

    task = await connection.start(view)
    assert await task == ["a", "b"] and calls == ["a", "a", "b"]


async def test_what_is_closed_during_a_hook_is_not_sent(connect: Connect) -> None:
    connection = connect()

    async def sending(ctx: Any, message: str) -> str:
        await ctx.websocket.close(4000)
        return message

    connection.plan.sending = sending

    async def view(websocket: Websocket) -> None:
        with pytest.raises(ConnectionClosed):
            await websocket.send("x")

    await connection.run(view)
    assert connection.server.types == ["accept", "close"]


# Made by hand, and subclasses ------------------------------------------------------------------------------------


async def test_a_websocket_made_with_quart_s_constructor() -> None:
    log: list[Any] = []
    inbound = ["a", b"b", '{"c": 1}']

    async def receive() -> str | bytes:
        return inbound.pop(0)

    async def send(data: str | bytes) -> None:
        log.append(data)

    async def accept(headers: Headers, subprotocol: str | None) -> None:
        log.append(("accept", list(headers), subprotocol))

    async def close(code: int, reason: str) -> None:
        log.append(("close", code, reason))

    scope = {"type": "websocket", "subprotocols": ["p"], "asgi": {"spec_version": "2.3"}}
    websocket = Websocket(
        "/path", b"a=b", "wss", Headers({"X": "y"}), "", "1.1", ["p"], receive, send, accept, close, scope
    )
    assert (websocket.path, websocket.scheme, websocket.args["a"], websocket.headers["X"]) == (
        "/path",
        "wss",
        "b",
        "y",
    )
    assert websocket.requested_subprotocols == ["p"]
    await websocket.accept({"A": "b"}, "p")
    assert [await websocket.receive(), await websocket.receive()] == ["a", b"b"]
    await websocket.send("text")
    await websocket.send(b"bytes")
    websocket._json = make_app().json
    assert await websocket.receive_json() == {"c": 1}
    await websocket.send_json([1])
    await websocket.close(4000, "done")
    assert log == [("accept", [("a", "b")], "p"), "text", b"bytes", "[1]", ("close", 4000, "done")]
    with pytest.raises(ConnectionClosed):
        await websocket.send("x")


async def test_a_subclass_with_a_constructor_of_its_own(connect: Connect) -> None:
    made = []

    class Mine(Websocket):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self.path)
            self.extra = 1

        async def receive(self, timeout: float | None = None) -> str | bytes:
            return f"mine {await super().receive(timeout)!r}"

    connection = connect(subprotocols=["a"])
    connection.app.websocket_class = Mine
    connection.server.put(text("x"))

    async def view(websocket: Any) -> Any:
        assert websocket.extra == 1 and websocket.requested_subprotocols == ["a"]
        return await websocket.receive()

    assert await connection.run(view) == "mine 'x'"
    assert made == ["/"]
    assert connection.server.types == ["accept", "close"]


async def test_each_websocket_has_its_own_id(connect: Connect) -> None:
    one, other = connect().websocket, connect().websocket
    assert one.id == one.id != other.id
    assert one.id in repr(one) and "has not been accepted" in repr(one)
