"""How a websocket ends when its view fails: before accept with an HTTP answer, after it with 1011, logged once."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from quart_plug import Quart, abort, websocket
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def close_code(app: Quart) -> int:
    async with app.test_client().websocket("/ws") as connection:
        await connection.accept()
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
    return int(caught.value.code)


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), 400, 404], ids=str)
async def test_a_view_that_fails_after_accepting_is_closed_with_1011_and_logged_once(
    app: Quart, error: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()
        if isinstance(error, int):
            abort(error)
        raise error

    with caplog.at_level(logging.ERROR):
        assert await close_code(app) == 1011
    assert len(caplog.records) == 1 and "/ws" in caplog.records[0].getMessage()


async def test_an_error_handler_is_asked_and_the_close_is_still_1011(app: Quart) -> None:
    seen: list[Exception] = []

    @app.errorhandler(ValueError)
    async def handle(error: ValueError) -> str:
        seen.append(error)
        return "handled"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()
        raise ValueError("what the handler sees")

    assert await close_code(app) == 1011
    assert [str(error) for error in seen] == ["what the handler sees"]


async def test_before_accepting_an_error_is_an_http_answer(app: Quart) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        abort(401)

    async with app.test_client().websocket("/ws") as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
    assert caught.value.response.status_code == 401


async def test_a_view_that_returns_is_closed_with_1000(app: Quart) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()

    assert await close_code(app) == 1000
