"""A websocket's handshake and messages, as a view has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug.exceptions import BadRequest, ConnectionClosed, WebsocketStateError
from quart_plug.wrappers import Response, Websocket

from .conftest import Connect, make_app, text, turns

DENIAL = {"extensions": {"websocket.http.response": {}}}


# Handshake -------------------------------------------------------------------------------------------------------


async def test_accepting_and_returning_closes_normally(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        assert (websocket.state, websocket.closed, websocket.close_code) == ("connecting", False, None)
        await websocket.accept()
        assert websocket.state == "accepted"

    await connection.run(view)
    assert connection.server.sent == [
        {"type": "websocket.accept", "subprotocol": None, "headers": []},
        {"type": "websocket.close", "code": 1000, "reason": ""},
    ]
    assert connection.told == [(1000, "", "server")]
    websocket = connection.websocket
    assert (websocket.state, websocket.closed, websocket.close_code) == ("closed", True, 1000)
    assert (websocket.close_reason, websocket.closed_by) == ("", "server")


async def test_a_second_accept_does_nothing(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await websocket.accept()

    await connection.run(view)
    assert connection.server.types == ["accept", "close"]


@pytest.mark.parametrize("call", ["receive", "send", "receive_json", "send_json", "send_text", "send_bytes"])
async def test_messages_accept_by_themselves(connect: Connect, call: str) -> None:
    connection = connect()
    connection.server.put({"type": "websocket.connect"}, '"hello"')

    async def view(websocket: Websocket) -> None:
        arguments = {"send_bytes": (b"x",), "receive": (), "receive_json": ()}.get(call, ("x",))
        await getattr(websocket, call)(*arguments)

    await connection.run(view)
    assert connection.server.types[0] == "accept"


async def test_two_tasks_may_accept_at_the_same_time(connect: Connect) -> None:
    """As `gather(producer(), consumer())` does; the message waits until the acceptance is through."""
    connection = connect()

    async def view(websocket: Websocket) -> None:
        connection.server.blocked = True
        both = asyncio.gather(
            websocket.accept(), websocket.accept(), websocket.send("x"), websocket.send("y")
        )
        await turns(4)
        assert connection.server.types == ["accept"]
        connection.server.blocked = False
        await both

    await connection.start(view)
    await turns()
    assert connection.server.types == ["accept", "send", "send", "close"]


async def test_headers_go_with_the_acceptance(connect: Connect) -> None:
    connection = connect()
    await connection.run(lambda websocket: websocket.accept(headers={"X-Name": "value"}))
    assert connection.server.sent[0]["headers"] == [(b"x-name", b"value")]


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nSet-Cookie: b"}, {"X\r\nY": "a"}, {"Sec-WebSocket-Protocol": "a"}]
)
async def test_headers_that_may_not_be_sent(connect: Connect, headers: dict[str, str]) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        with pytest.raises(ValueError):
            await websocket.accept(headers=headers)
        assert websocket.state == "connecting"

    await connection.run(view)
    assert connection.server.types == ["close"]


async def test_a_server_that_cannot_send_headers_is_warned_about(connect: Connect) -> None:
    connection = connect(asgi={"spec_version": "2.0"})

    async def view(websocket: Websocket) -> None:
        with pytest.warns(UserWarning, match="cannot send headers"):
            await websocket.accept(headers={"X": "y"})

    await connection.run(view)
    assert connection.server.sent[0]["headers"] == []
    assert connection.server.sent[1] == {"type": "websocket.close", "code": 1000}


@pytest.mark.parametrize(
    ("offered", "ours", "asked", "chosen"),
    [
        ([], [], None, None),
        (["a", "b"], [], None, None),
        (["a", "b"], ["b", "a"], None, "b"),
        (["a", "b"], ["c", "a"], None, "a"),
        (["a", "b"], ["c"], None, None),
        (["a", "b"], ["b"], "a", "a"),
        (["a"], [], "a", "a"),
    ],
)
async def test_the_subprotocol_is_chosen_in_the_server_s_order(
    connect: Connect, offered: list[str], ours: list[str], asked: str | None, chosen: str | None
) -> None:
    connection = connect(subprotocols=offered)
    connection.plan.subprotocols = ours

    async def view(websocket: Websocket) -> None:
        assert websocket.requested_subprotocols == offered
        await websocket.accept(subprotocol=asked)
        assert websocket.subprotocol == chosen

    await connection.run(view)
    assert connection.server.sent[0]["subprotocol"] == chosen


async def test_a_subprotocol_that_the_client_did_not_ask_for(connect: Connect) -> None:
    connection = connect(subprotocols=["a", "b"])

    async def view(websocket: Websocket) -> None:
        with pytest.raises(ValueError, match=r"subprotocol='c'.*asked for 'a', 'b'"):
            await websocket.accept(subprotocol="c")
        await websocket.accept(subprotocol="b")

    await connection.run(view)
    assert connection.server.types == ["accept", "close"]


# Refusals --------------------------------------------------------------------------------------------------------


async def test_closing_before_accepting_refuses(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.close(1008, "Authentication required")
        assert (websocket.state, websocket.closed) == ("rejected", True)
        with pytest.raises(WebsocketStateError, match=r"send\(\) on a websocket that was rejected with 403"):
            await websocket.send("x")
        with pytest.raises(
            WebsocketStateError, match=r"receive\(\) on a websocket that was rejected with 403"
        ):
            await websocket.receive()
        with pytest.raises(WebsocketStateError, match=r"accept\(\) on"):
            await websocket.accept()
        await websocket.close(4000)

    await connection.run(view)
    assert connection.server.sent == [
        {"type": "websocket.close", "code": 1008, "reason": "Authentication required"}
    ]
    assert connection.told == []


async def test_a_view_that_does_nothing_refuses(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        return None

    await connection.run(view)
    assert connection.server.types == ["close"] and connection.websocket.state == "rejected"


async def test_rejecting_with_an_http_answer(connect: Connect) -> None:
    connection = connect(**DENIAL)

    async def view(websocket: Websocket) -> None:
        await websocket.reject(401, "who are you?", {"WWW-Authenticate": "Basic"})
        with pytest.raises(WebsocketStateError, match="was rejected with 401"):
            await websocket.send("x")

    await connection.run(view)
    start, body = connection.server.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert (b"www-authenticate", b"Basic") in start["headers"] and (b"content-length", b"12") in start[
        "headers"
    ]
    assert body == {"type": "websocket.http.response.body", "body": b"who are you?"}


async def test_rejecting_with_json(connect: Connect) -> None:
    connection = connect(**DENIAL)
    await connection.run(lambda websocket: websocket.reject(403, {"error": "no"}))
    assert connection.server.sent[1]["body"] == b'{"error": "no"}'


async def test_rejecting_where_the_server_has_no_extension_is_a_plain_refusal(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.reject(401, "who are you?")
        with pytest.raises(WebsocketStateError, match="rejected with 403"):
            await websocket.accept()

    await connection.run(view)
    assert connection.server.types == ["close"]


@pytest.mark.parametrize("status", [101, 600, 20])
async def test_rejecting_with_an_impossible_status(connect: Connect, status: int) -> None:
    connection = connect(**DENIAL)

    async def view(websocket: Websocket) -> None:
        with pytest.raises(ValueError, match=str(status)):
            await websocket.reject(status)

    await connection.run(view)
    assert connection.server.types == ["close"]


async def test_rejecting_after_accepting_or_rejecting_is_an_error(connect: Connect) -> None:
    connection, other = connect(**DENIAL), connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        with pytest.raises(WebsocketStateError, match=r"reject\(\) on a websocket that has been accepted"):
            await websocket.reject()

    await connection.run(view)
    await other.run(view)
    assert connection.server.types == other.server.types == ["accept", "close"]

    async def twice(websocket: Websocket) -> None:
        await websocket.reject()
        with pytest.raises(
            WebsocketStateError, match=r"reject\(\) on a websocket that was rejected with 403"
        ):
            await websocket.reject()

    await connect(**DENIAL).run(twice)


@pytest.mark.parametrize("extension", [True, False])
async def test_a_response_that_the_view_returns_refuses_with_it(connect: Connect, extension: bool) -> None:
    connection = connect(**(DENIAL if extension else {}))

    async def view(websocket: Websocket) -> Response:
        return Response("not you", 402)

    await connection.run(view)
    if extension:
        assert connection.server.sent[0]["status"] == 402
    else:
        assert connection.server.types == ["close"]
    assert connection.websocket.state == "rejected"


async def test_a_response_after_accepting_is_not_sent(connect: Connect) -> None:
    connection = connect(**DENIAL)

    async def view(websocket: Websocket) -> Response:
        await websocket.accept()
        return Response("too late")

    await connection.run(view)
    assert connection.server.types == ["accept", "close"] and connection.server.close == (1000, "")


async def test_a_failure_after_accepting_closes_with_1011(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await connection.run(view)
    assert connection.server.close == (1011, "")
    assert connection.told == [(1011, "", "server")]


async def test_a_failure_before_accepting_is_an_http_answer(connect: Connect) -> None:
    connection = connect(**DENIAL)
    await connection.websocket.fail(Response("oh", 500))
    assert connection.server.sent[0]["status"] == 500


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
    connection.server.put(
        {"type": "websocket.connect"}, bad, {"type": "websocket.receive", "bytes": b"\xff"}, "[1]"
    )

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
