"""The client with a whole application: sessions, contexts, errors, time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import Quart, g, request, session, websocket
from quart_plug.testing import (
    QuartClient,
    WaitTimeoutError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.get("/count")
    async def count() -> str:
        session["n"] = session.get("n", 0) + 1
        g.seen = True
        return str(session["n"])

    @app.get("/fails")
    async def fails() -> str:
        raise LookupError("of the view")

    @app.get("/waits")
    async def waits() -> str:
        await asyncio.Event().wait()
        return ""

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    @app.websocket("/denies")
    async def denies() -> tuple[str, int]:
        return "no", 401

    @app.websocket("/refuses")
    async def refuses() -> None:
        await websocket.close(4001, "token")

    @app.websocket("/closes")
    async def closes() -> None:
        await websocket.accept()
        await websocket.close(4000, "done")

    @app.websocket("/fails")
    async def websocket_fails() -> None:
        await websocket.accept()
        raise LookupError("of the view")

    @app.websocket("/hesitates")
    async def hesitates() -> None:
        await asyncio.Event().wait()

    return app


@pytest.fixture
def client(app: Quart) -> QuartClient:
    client: QuartClient = app.test_client(timeout=2)
    return client


async def count(client: QuartClient) -> str:
    return str(await (await client.get("/count")).get_data(as_text=True))


async def test_a_session_lives_in_the_clients_cookies(client: QuartClient, app: Quart) -> None:
    assert [await count(client), await count(client)] == ["1", "2"]
    assert await count(app.test_client()) == "1"


async def test_a_session_can_be_read_and_changed(client: QuartClient) -> None:
    async with client.session_transaction() as stored:
        stored["n"] = 10
    assert await count(client) == "11"
    async with client.session_transaction() as stored:
        assert stored["n"] == 11


async def test_a_transaction_that_raises_changes_nothing(client: QuartClient) -> None:
    await count(client)
    with pytest.raises(AssertionError, match="of the test"):
        async with client.session_transaction() as stored:
            stored["n"] = 10
            raise AssertionError("of the test")
    assert await count(client) == "2"


async def test_a_session_that_cannot_be_opened_is_an_error(app: Quart) -> None:
    app.secret_key = None
    with pytest.raises(RuntimeError, match="Check the secret_key"):
        async with app.test_client().session_transaction():
            pass


async def test_the_last_requests_context_is_kept(client: QuartClient) -> None:
    async with client:
        await client.get("/count")
        assert (request.path, session["n"], g.seen) == ("/count", 1, True)
    with pytest.raises(RuntimeError):
        request.path


async def test_an_error_of_a_view_is_a_500_unless_testing(client: QuartClient, app: Quart) -> None:
    assert (await client.get("/fails")).status_code == 500
    app.testing = True
    with pytest.raises(LookupError, match="of the view"):
        await client.get("/fails")
    with pytest.raises(LookupError, match="of the view"):
        async with client.websocket("/fails") as connection:
            await connection.receive()


async def test_under_the_alias_an_error_is_answered(
    client: QuartClient, app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Quart: with status 500 and the traceback, or the end of the websocket."""
    monkeypatch.setattr("quart_plug.compat.alias_is_active", lambda: True)
    app.testing = True
    response = await client.get("/fails")
    assert (response.status_code, "LookupError" in await response.get_data(as_text=True)) == (500, True)
    async with client.websocket("/fails") as connection:
        with pytest.raises(WebsocketDisconnectError):
            await connection.receive()


async def test_a_wait_names_the_views_line(client: QuartClient) -> None:
    client.timeout = 0.02
    with pytest.raises(WaitTimeoutError, match=r"suspended at .*test_with_quart.py:\d+ in waits"):
        await client.get("/waits")


async def test_a_websocket_goes_both_ways(client: QuartClient) -> None:
    async with client.websocket("/echo") as connection:
        await connection.send("a")
        await connection.send(b"b")
        assert [await connection.receive(), await connection.receive()] == ["a", b"b"]


@pytest.mark.parametrize(
    ("path", "error", "status"),
    [
        ("/denies", WebsocketResponseError, 401),
        ("/nowhere", WebsocketResponseError, 404),
        ("/refuses", WebsocketRefusedError, 403),
    ],
)
async def test_a_refusal_is_a_response(client: QuartClient, path: str, error: Any, status: int) -> None:
    async with client.websocket(path) as connection:
        with pytest.raises(error) as caught:
            await connection.receive()
    assert caught.value.response.status_code == status


async def test_a_close_has_code_and_reason(client: QuartClient) -> None:
    async with client.websocket("/closes") as connection:
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
    assert (caught.value.code, caught.value.reason) == (4000, "done")


async def test_time_limits_of_the_app_are_reached_without_waiting(client: QuartClient) -> None:
    async with client.websocket("/hesitates") as connection:
        await asyncio.sleep(0)
        await client.clock.advance(15)
        with pytest.raises(WebsocketResponseError):
            await connection.receive()


async def test_the_lifespan_runs_around_the_test(app: Quart) -> None:
    happened: list[str] = []
    app.before_serving(lambda: happened.append("started"))
    app.after_serving(lambda: happened.append("stopped"))
    async with app.test_app() as test_app:
        assert await count(test_app.test_client()) == "1"
        assert happened == ["started"]
    assert happened == ["started", "stopped"]
