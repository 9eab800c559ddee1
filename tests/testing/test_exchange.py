"""Every wait is limited, and says what it waited for and where the app is."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any

import pytest

from quart_plug.testing import TestHTTPConnection, TestWebsocketConnection, WaitTimeoutError
from quart_plug.testing.exchange import DEFAULT_TIMEOUT, TIMEOUT_VARIABLE, default_timeout
from quart_plug.testing.whereabouts import where_suspended
from quart_plug.typing import Receive, Scope, Send

ACCEPT = {"type": "websocket.accept"}


async def stay() -> None:
    await asyncio.Event().wait()  # here


HERE = f"{re.escape(__file__)}:{inspect.getsourcelines(stay)[1] + 1} in stay"


async def accepts_and_stays(scope: Scope, receive: Receive, send: Send) -> None:
    await send(ACCEPT)
    await stay()


async def accepts_and_stays_in_a_task(scope: Scope, receive: Receive, send: Send) -> None:
    await send(ACCEPT)
    await asyncio.wait([asyncio.create_task(stay(), name="view")])


def websocket(bare_app: Any, asgi: Any) -> TestWebsocketConnection:
    connection = TestWebsocketConnection(bare_app(asgi), {"type": "websocket", "path": "/ws", "headers": []})
    connection.timeout = 0.02
    return connection


@pytest.fixture
async def no_stray_tasks() -> Any:
    """Ends the tasks that the app of a test has started by itself."""
    before = asyncio.all_tasks()
    yield
    for task in asyncio.all_tasks() - before:
        if task.get_name() == "view":
            task.cancel()


async def test_the_error_says_what_happened_and_where_the_view_is(bare_app: Any) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        async with websocket(bare_app, accepts_and_stays) as connection:
            await connection.receive()
    assert re.match(
        "waited 0.02 s for a websocket message on /ws; the app has accepted and sent 0 messages; "
        rf"its view is suspended at {HERE}\.",
        str(caught.value),
    )
    assert isinstance(caught.value, TimeoutError)
    assert TIMEOUT_VARIABLE in str(caught.value)


async def test_a_view_in_another_task_is_found(bare_app: Any, no_stray_tasks: None) -> None:
    with pytest.raises(WaitTimeoutError, match="suspended at") as caught:
        async with websocket(bare_app, accepts_and_stays_in_a_task) as connection:
            await connection.receive()
    assert re.search("suspended at .*test_exchange.py:", str(caught.value))


async def test_a_wait_for_a_response_is_limited(bare_app: Any) -> None:
    async def starts(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await stay()

    connection = TestHTTPConnection(bare_app(starts), {"type": "http", "method": "GET", "path": "/p", "headers": []})
    connection.timeout = 0.02
    with pytest.raises(WaitTimeoutError, match="the whole response of /p; the app has sent status 200 and 0 parts"):
        async with connection:
            await connection.as_response()


async def test_the_connection_is_usable_after_a_limit_was_reached(bare_app: Any) -> None:
    async def echoes(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

    async with websocket(bare_app, echoes) as connection:
        with pytest.raises(WaitTimeoutError):
            await connection.receive()
        connection.timeout = 1
        await connection.send("a")
        assert await connection.receive() == "a"


async def test_an_app_that_refuses_to_end_is_named(bare_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quart_plug.testing.exchange.LAST_MOMENTS", 0.02)
    release = asyncio.Event()

    async def clings(scope: Scope, receive: Receive, send: Send) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                pass

    with pytest.raises(WaitTimeoutError, match="it was cancelled and goes on"):
        async with websocket(bare_app, clings):
            pass
    release.set()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, DEFAULT_TIMEOUT), ("", DEFAULT_TIMEOUT), ("30", 30.0), ("0.5", 0.5), ("0", None), ("None", None)],
)
def test_the_default_limit_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, given: str | None, seconds: float | None
) -> None:
    monkeypatch.delenv(TIMEOUT_VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(TIMEOUT_VARIABLE, given)
    assert default_timeout() == seconds


@pytest.mark.parametrize("given", ["soon", "-1", "inf", "nan"])
def test_a_bad_limit_is_an_error(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, given)
    with pytest.raises(ValueError, match=f"{TIMEOUT_VARIABLE}={given!r}: expected seconds"):
        default_timeout()


async def test_where_follows_tasks_that_are_awaited() -> None:
    async def outer() -> None:
        await inner

    inner = asyncio.create_task(stay())
    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    assert re.fullmatch(HERE, where_suspended(task) or "")
    task.cancel()
    await asyncio.wait([task, inner])
    assert where_suspended(task) is None


async def test_where_falls_back_on_what_it_sees() -> None:
    """A task without a frame of the application is where its innermost frame is."""
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    assert "locks.py" in (where_suspended(task) or "")
    task.cancel()
    await asyncio.wait([task])
