"""A test's end of a request: part by part, as a client on the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.testing import (
    ASGIError,
    ClientGone,
    HTTPDisconnectError,
    TestHTTPConnection,
    WaitTimeoutError,
)
from quart_plug.typing import Message, Receive, Scope, Send

SCOPE = {"type": "http", "method": "GET", "path": "/p", "headers": []}
START = {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]}
PART = {"type": "http.response.body", "body": b"a", "more_body": True}


def body(data: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def open_to(bare_app: Any, asgi: Any, **scope: Any) -> TestHTTPConnection:
    connection = TestHTTPConnection(bare_app(asgi), {**SCOPE, **scope})
    connection.timeout = 1
    return connection


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer each part of the body with itself."""
    await send(START)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        await send(body(message["body"], message["more_body"]))
        if not message["more_body"]:
            return


async def until_left(scope: Scope, receive: Receive, send: Send) -> None:
    """Send without end, until the client leaves."""
    await send(START)
    left = asyncio.ensure_future(nothing_more(receive))
    try:
        while not left.done():
            await send(body(b"x", more=True))
    finally:
        left.cancel()


async def nothing_more(receive: Receive) -> None:
    """Read until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_parts_go_both_ways_while_the_request_is_open(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        for part in (b"a", b"b"):
            await connection.send(part)
            assert await connection.receive() == part
        await connection.send_complete()
        assert await connection.receive() == b""
        assert await connection.receive() == b"", "the end stays the end"


async def test_the_response_is_what_was_sent_exactly(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.send_body(b"abc")
        response = await connection.as_response()
    assert (response.status_code, await response.get_data(), list(response.headers)) == (
        200,
        b"abc",
        [("x-a", "1")],
    )


async def test_the_response_can_be_taken_after_the_context(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.send(b"a")
        await connection.send(b"b")
        await connection.send_complete()
    assert (connection.status_code, connection.response_data) == (200, b"ab")
    assert await (await connection.as_response()).get_data() == b"ab"


async def test_as_response_has_what_receive_has_not_taken(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.send(b"a")
        await connection.receive()
        await connection.send_body(b"b")
        assert await (await connection.as_response()).get_data() == b"b"


async def test_leaving_the_context_ends_the_body(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.send(b"a")
    assert await (await connection.as_response()).get_data() == b"a"


async def test_a_body_is_completed_once(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.send_body(b"a")
        with pytest.raises(RuntimeError, match="completed before"):
            await connection.send(b"b")
        await connection.send_complete()


async def test_a_part_has_to_be_bytes(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        with pytest.raises(TypeError, match="as bytes, not str"):
            await connection.send("a")  # type: ignore[arg-type]  # the mistake under test


async def test_disconnect_reaches_the_app(bare_app: Any) -> None:
    async with open_to(bare_app, until_left) as connection:
        assert await connection.receive() == b"x"
        await connection.disconnect()
    assert (await connection.as_response()).status_code == 200, "what had come until then"


async def test_after_disconnect_there_is_nothing_to_receive(bare_app: Any) -> None:
    async with open_to(bare_app, echo) as connection:
        await connection.disconnect()
        with pytest.raises(HTTPDisconnectError, match="the client disconnected"):
            await connection.receive()
            await connection.receive()


async def test_no_response_before_the_disconnect(bare_app: Any) -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await nothing_more(receive)

    async with open_to(bare_app, waits) as connection:
        await connection.disconnect()
        with pytest.raises(HTTPDisconnectError, match="has not started its response"):
            await connection.as_response()


async def test_after_the_response_receive_gives_a_disconnect(bare_app: Any) -> None:
    got: list[str] = []

    async def looks_again(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send(body())
        got.append((await receive())["type"])
        got.append((await receive())["type"])

    async with open_to(bare_app, looks_again):
        pass
    assert got == ["http.disconnect", "http.disconnect"]


@pytest.mark.parametrize("choice", ["ignore", "raise"])
async def test_sends_to_a_client_that_left_are_ignored_or_raise(bare_app: Any, choice: Any) -> None:
    raised: list[BaseException] = []

    async def goes_on(scope: Scope, receive: Receive, send: Send) -> None:
        await nothing_more(receive)
        try:
            await send(START)
        except OSError as error:
            raised.append(error)
            raise

    async with open_to(bare_app, goes_on) as connection:
        connection.send_after_close = choice
        await connection.disconnect()
    assert [type(error) for error in raised] == ([ClientGone] if choice == "raise" else [])


async def test_another_choice_is_an_error(bare_app: Any) -> None:
    with pytest.raises(ValueError, match='"ignore" or "raise"'):
        open_to(bare_app, echo).send_after_close = "drop"  # type: ignore[assignment]  # the mistake under test


@pytest.mark.parametrize("call", ["receive", "as_response", "nothing"])
async def test_what_the_app_raises_is_raised_in_the_test(bare_app: Any, call: str) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        async with open_to(bare_app, fails) as connection:
            if call != "nothing":
                await getattr(connection, call)()


async def test_an_exception_that_the_test_has_caught_is_not_raised_again(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("of the app")

    async with open_to(bare_app, fails) as connection:
        with pytest.raises(LookupError):
            await connection.receive()


async def test_the_apps_own_time_out_is_not_taken_for_the_clients(bare_app: Any) -> None:
    async def times_out(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("of the app")

    with pytest.raises(TimeoutError, match="of the app"):
        async with open_to(bare_app, times_out) as connection:
            await connection.receive()


async def test_the_tests_own_exception_wins_and_names_the_apps(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("of the app")

    with pytest.raises(AssertionError, match="of the test") as caught:
        async with open_to(bare_app, fails):
            await asyncio.sleep(0)
            raise AssertionError("of the test")
    assert "The app failed as well: LookupError: of the app" in caught.value.__notes__


async def test_an_illegal_message_is_an_error_even_if_the_app_swallows_it(bare_app: Any) -> None:
    async def confused(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(body(b"x"))
        except RuntimeError:
            await send(START)
            await send(body(b"x"))

    with pytest.raises(ASGIError, match="has not started"):
        async with open_to(bare_app, confused) as connection:
            await connection.as_response()


@pytest.mark.parametrize(
    ("messages", "said"), [([], "has not started its response"), ([START], "has sent status 200 and 0 parts")]
)
async def test_an_app_that_returns_too_early_is_an_error(bare_app: Any, messages: list[Message], said: str) -> None:
    async def returns(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    for waits in (True, False):
        with pytest.raises(ASGIError, match=f"the app returned from /p, but it {said}"):
            async with open_to(bare_app, returns) as connection:
                if waits:
                    await connection.as_response()


async def test_an_app_that_cancels_itself_is_an_error(bare_app: Any) -> None:
    async def cancels(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    with pytest.raises(ASGIError, match="ended with CancelledError"):
        async with open_to(bare_app, cancels) as connection:
            await connection.receive()


@pytest.mark.parametrize(("messages", "response"), [([], (500, b"")), ([START, PART], (200, b"a"))])
async def test_the_response_of_an_app_that_cancels_itself_is_what_came(
    bare_app: Any, messages: list[Message], response: tuple[int, bytes]
) -> None:
    """An ordinary request of the client's goes on, as with Quart's; 500 is what servers send for no response."""

    async def cancels(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        raise asyncio.CancelledError

    async with open_to(bare_app, cancels) as connection:
        received = await connection.as_response()
        assert (received.status_code, await received.get_data()) == response


async def test_a_response_without_end_reaches_the_limit_and_leaves_no_task(bare_app: Any) -> None:
    before = asyncio.all_tasks()
    connection = open_to(bare_app, until_left)
    connection.timeout = 0.05
    with pytest.raises(WaitTimeoutError, match=r"needs `disconnect\(\)`"):
        async with connection:
            await connection.receive()
    assert asyncio.all_tasks() == before


async def test_the_connection_has_to_be_entered(bare_app: Any) -> None:
    with pytest.raises(RuntimeError, match="is not open"):
        await open_to(bare_app, echo).receive()


async def test_push_promises_are_kept(bare_app: Any) -> None:
    async def pushes(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.push", "path": "/a.css", "headers": [(b"x", b"y")]})
        await send(body())

    async with open_to(bare_app, pushes, extensions={"http.response.push": {}}) as connection:
        pass
    assert [(path, list(headers)) for path, headers in connection.push_promises] == [("/a.css", [("x", "y")])]
