"""A websocket's client: what it sees is what the wire would carry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.testing import (
    ASGIError,
    ClientGone,
    TestWebsocketConnection,
    WaitTimeoutError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)
from quart_plug.typing import Message, Receive, Scope, Send

SCOPE = {
    "type": "websocket",
    "path": "/ws",
    "headers": [],
    "subprotocols": ["chat"],
    "extensions": {"websocket.http.response": {}},
}
ACCEPT = {"type": "websocket.accept"}


def open_to(bare_app: Any, asgi: Any, **scope: Any) -> TestWebsocketConnection:
    connection = TestWebsocketConnection(bare_app(asgi), {**SCOPE, **scope})
    connection.timeout = 1
    return connection


async def nothing_more(receive: Receive) -> Message:
    """Read until the client has left."""
    while (message := await receive())["type"] != "websocket.disconnect":
        pass
    return message


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive()) == {"type": "websocket.connect"}
    await send(ACCEPT)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def sends(*messages: Message) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        await nothing_more(receive)

    return app


@pytest.fixture
def goodbyes() -> list[Message]:
    return []


@pytest.fixture
def listens(goodbyes: list[Message]) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        goodbyes.append(await nothing_more(receive))

    return app


async def test_messages_go_both_ways(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as websocket:
        for message in ("text", b"bytes", "", b""):
            await websocket.send(message)
            assert await websocket.receive() == message
        await websocket.send_json({"a": [1]})
        assert await websocket.receive_json() == {"a": [1]}


async def test_accept_waits_for_the_answer(bare_app: Any) -> None:
    allowed = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await allowed.wait()
        await send({**ACCEPT, "subprotocol": "chat", "headers": [(b"x-a", b"1")]})
        await nothing_more(receive)

    async with open_to(bare_app, app) as websocket:
        assert (websocket.accepted, websocket.headers) == (False, None)
        allowed.set()
        await websocket.accept()
        assert websocket.accepted
        assert websocket.subprotocol == "chat"
        assert list(websocket.headers or ()) == [("x-a", "1")]


async def test_a_message_is_str_or_bytes(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as websocket:
        with pytest.raises(TypeError, match="send_json"):
            await websocket.send({"a": 1})  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize("call", ["receive", "accept"])
async def test_a_denial_is_a_response(bare_app: Any, call: str) -> None:
    denial = sends(
        {"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"1")]},
        {"type": "websocket.http.response.body", "body": b"no", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"!"},
    )
    async with open_to(bare_app, denial) as websocket:
        with pytest.raises(WebsocketResponseError) as caught:
            await getattr(websocket, call)()
    response = caught.value.response
    assert (response.status_code, await response.get_data(), list(response.headers)) == (
        401,
        b"no!",
        [("x-a", "1")],
    )
    assert (websocket.status_code, websocket.response_data, websocket.accepted) == (401, b"no!", False)


@pytest.mark.parametrize("call", [None, "send", "close", "disconnect"])
async def test_a_denial_that_nobody_asked_for_is_raised_all_the_same(bare_app: Any, call: str | None) -> None:
    """By the end of the block at the latest, as with Quart; an error of the test's own is not replaced by it."""
    denial = sends(
        {"type": "websocket.http.response.start", "status": 401, "headers": []},
        {"type": "websocket.http.response.body"},
    )
    with pytest.raises(WebsocketResponseError) as caught:
        async with open_to(bare_app, denial) as websocket:
            if call is not None:
                await getattr(websocket, call)(*(["x"] if call == "send" else []))
    assert caught.value.response.status_code == 401
    with pytest.raises(LookupError):
        async with open_to(bare_app, denial):
            raise LookupError


async def test_a_close_before_accept_is_a_403(bare_app: Any) -> None:
    async with open_to(bare_app, sends({"type": "websocket.close", "code": 4001, "reason": "token"})) as websocket:
        with pytest.raises(WebsocketRefusedError) as caught:
            await websocket.receive()
        with pytest.raises(WebsocketResponseError):
            await websocket.send("x")
    assert (caught.value.response.status_code, await caught.value.response.get_data()) == (403, b"")
    assert isinstance(caught.value, WebsocketDisconnectError), "what Quart's client raises"
    assert (caught.value.code, caught.value.reason) == (4001, "token")
    assert str(caught.value) == "refused with 403: the app closed with 4001 before it accepted"


async def test_a_close_comes_after_the_messages_before_it(bare_app: Any) -> None:
    app = sends(
        ACCEPT,
        {"type": "websocket.send", "text": "last"},
        {"type": "websocket.close", "code": 4000, "reason": "r"},
    )
    async with open_to(bare_app, app) as websocket:
        await websocket.send("still open, as far as is known here")
        assert await websocket.receive() == "last"
        for _ in range(2):
            with pytest.raises(WebsocketDisconnectError, match=r"closed: 4000 \(r\)") as caught:
                await websocket.receive()
            assert (caught.value.code, caught.value.reason) == (4000, "r")
        with pytest.raises(WebsocketDisconnectError):
            await websocket.send("too late")
    assert (websocket.close_code, websocket.close_reason) == (4000, "r")


async def test_the_app_hears_of_its_own_close(bare_app: Any, goodbyes: list[Message]) -> None:
    async def closes(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 4000})
        goodbyes.append(await nothing_more(receive))

    async with open_to(bare_app, closes) as websocket:
        with pytest.raises(WebsocketDisconnectError):
            await websocket.receive()
    assert goodbyes == [{"type": "websocket.disconnect", "code": 4000, "reason": ""}]


@pytest.mark.parametrize(
    ("leave", "code", "reason"),
    [
        (lambda websocket: websocket.close(4001, "bye"), 4001, "bye"),
        (lambda websocket: websocket.close(), 1000, ""),
        (lambda websocket: websocket.disconnect(), 1005, ""),
        (lambda websocket: websocket.vanish(), 1006, ""),
        (lambda websocket: asyncio.sleep(0), 1000, ""),
    ],
)
async def test_how_the_client_left_reaches_the_app(
    bare_app: Any, listens: Any, goodbyes: list[Message], leave: Any, code: int, reason: str
) -> None:
    """The last way is to leave the context."""
    async with open_to(bare_app, listens) as websocket:
        await websocket.accept()
        await leave(websocket)
    assert goodbyes == [{"type": "websocket.disconnect", "code": code, "reason": reason}]
    assert (websocket.close_code, websocket.close_reason) == (code, reason)


async def test_what_was_sent_before_the_close_arrives_before_it(bare_app: Any) -> None:
    got: list[Any] = []

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        while (message := await receive())["type"] != "websocket.disconnect":
            got.append(message.get("text"))

    async with open_to(bare_app, reads) as websocket:
        await websocket.send("a")
        await websocket.send("b")
        await websocket.close(1000)
    assert got == [None, "a", "b"]


async def test_the_client_learns_of_its_own_close(bare_app: Any, listens: Any) -> None:
    async with open_to(bare_app, listens) as websocket:
        await websocket.close(4001, "bye")
        for call in (websocket.receive, lambda: websocket.send("x")):
            with pytest.raises(WebsocketDisconnectError, match=r"4001 \(bye\)"):
                await call()
        await websocket.close(4002)
        assert websocket.close_code == 4001


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (1006, ""), (99, ""), (1000, "x" * 124)])
async def test_an_illegal_close_is_an_error(bare_app: Any, listens: Any, code: int, reason: str) -> None:
    async with open_to(bare_app, listens) as websocket:
        with pytest.raises(ValueError, match=r"websocket\.close"):
            await websocket.close(code, reason)
        await websocket.accept()


@pytest.mark.parametrize("choice", ["ignore", "raise"])
async def test_sends_to_a_client_that_left_are_ignored_or_raise(bare_app: Any, choice: Any) -> None:
    outcome: list[str] = []

    async def goes_on(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await nothing_more(receive)
        try:
            await send({"type": "websocket.send", "text": "x"})
            outcome.append("ignored")
        except ClientGone as error:
            assert isinstance(error, OSError)
            outcome.append("raised")
        await send({"type": "websocket.close"})

    async with open_to(bare_app, goes_on) as websocket:
        websocket.send_after_close = choice
        await websocket.accept()
        await websocket.vanish()
    assert outcome == ["ignored" if choice == "ignore" else "raised"]


async def test_an_error_of_the_app_is_raised_in_the_test(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        async with open_to(bare_app, fails) as websocket:
            await websocket.receive()


async def test_an_error_that_follows_the_apps_close_is_raised_instead_of_the_close(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 1011})
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app") as caught:
        async with open_to(bare_app, fails) as websocket:
            await websocket.receive()
    assert isinstance(caught.value.__cause__, WebsocketDisconnectError)


async def test_the_apps_grace_is_added_to_the_limit(bare_app: Any) -> None:
    """The view may be left alone for a while after the disconnect: that is no fault."""
    ended: list[bool] = []

    async def lingers(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await nothing_more(receive)
        await asyncio.sleep(0.05)
        ended.append(True)

    websocket = open_to(bare_app, lingers)
    websocket.app.config["WEBSOCKET_DISCONNECT_GRACE"] = 5
    websocket.timeout = 0.01
    async with websocket:
        pass
    assert ended


async def test_an_error_after_the_client_left_is_raised_as_well(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await nothing_more(receive)
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        async with open_to(bare_app, fails) as websocket:
            await websocket.accept()


async def test_a_message_after_the_apps_close_is_an_error(bare_app: Any) -> None:
    app = sends(ACCEPT, {"type": "websocket.close"}, {"type": "websocket.send", "text": "x"})
    with pytest.raises(ASGIError, match=r"'websocket.send' is not .* a websocket that the app has closed"):
        async with open_to(bare_app, app) as websocket:
            with pytest.raises(WebsocketDisconnectError):
                await websocket.receive()


@pytest.mark.parametrize(
    ("messages", "call", "said"),
    [
        ([], "accept", "returned without accepting or refusing"),
        ([], "receive", "returned without closing"),
        ([ACCEPT], "receive", "has accepted and sent 0 messages"),
    ],
)
async def test_an_app_that_returns_in_the_middle_is_an_error(
    bare_app: Any, messages: list[Message], call: str, said: str
) -> None:
    async def returns(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(ASGIError, match=said):
        async with open_to(bare_app, returns) as websocket:
            await getattr(websocket, call)()


async def test_a_view_that_stays_is_stopped_and_named(bare_app: Any) -> None:
    before = asyncio.all_tasks()
    stopped: list[bool] = []

    async def stays(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    websocket = open_to(bare_app, stays)
    websocket.timeout = 0.05
    with pytest.raises(WaitTimeoutError, match=r"waited 0.05 s for the app to end after the client had left /ws"):
        async with websocket:
            await websocket.accept()
    assert (stopped, asyncio.all_tasks()) == ([True], before)


async def test_a_test_that_fails_leaves_no_task(bare_app: Any, listens: Any, goodbyes: list[Message]) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(AssertionError, match="of the test"):
        async with open_to(bare_app, listens) as websocket:
            await websocket.accept()
            raise AssertionError("of the test")
    assert asyncio.all_tasks() == before
    assert goodbyes == [{"type": "websocket.disconnect", "code": 1006, "reason": ""}]
