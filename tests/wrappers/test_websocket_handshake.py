"""A websocket's handshake: accepted, refused, and with which words."""

from __future__ import annotations

import asyncio

import pytest

from quart_plug.exceptions import WebsocketStateError
from quart_plug.wrappers import Response, Websocket

from .conftest import Connect, turns

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
        both = asyncio.gather(websocket.accept(), websocket.accept(), websocket.send("x"), websocket.send("y"))
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


@pytest.mark.parametrize("headers", [{"X": "a\r\nSet-Cookie: b"}, {"X\r\nY": "a"}, {"Sec-WebSocket-Protocol": "a"}])
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
        with pytest.raises(WebsocketStateError, match=r"receive\(\) on a websocket that was rejected with 403"):
            await websocket.receive()
        with pytest.raises(WebsocketStateError, match=r"accept\(\) on"):
            await websocket.accept()
        await websocket.close(4000)

    await connection.run(view)
    assert connection.server.sent == [{"type": "websocket.close", "code": 1008, "reason": "Authentication required"}]
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
    assert (b"www-authenticate", b"Basic") in start["headers"] and (b"content-length", b"12") in start["headers"]
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
        with pytest.raises(WebsocketStateError, match=r"reject\(\) on a websocket that was rejected with 403"):
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
    await connection.websocket._fail(Response("oh", 500))
    assert connection.server.sent[0]["status"] == 500
