"""An app with the inspector, and clients that may and may not look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quart_plug import Quart, websocket

TOKEN = "the-token-of-these-tests"
ORIGIN = {"Origin": "http://localhost"}


@pytest.fixture
def make_app() -> Callable[..., Quart]:
    def make(*plugins: Any, debug: bool = True, **settings: Any) -> Quart:
        app = Quart("inspected", plugins=["inspector", *plugins])
        app.debug = debug
        app.config["PLUGIN_CONFIG"] = {"inspector": {"token": TOKEN, **settings}}

        @app.get("/")
        async def index() -> str:
            return "hello"

        @app.websocket("/echo")
        async def echo() -> None:
            while True:
                await websocket.send(await websocket.receive())

        return app

    return make


@pytest.fixture
def app(make_app: Callable[..., Quart]) -> Quart:
    return make_app()


@pytest.fixture
def sign_in() -> Callable[[Quart], Any]:
    """A client that has exchanged the token for the cookie."""

    async def sign_in(app: Quart) -> Any:
        client = app.test_client()
        answer = await client.get(f"/_inspector/?token={TOKEN}")
        assert answer.status_code == 303
        return client

    return sign_in


@pytest.fixture
def look() -> Callable[..., Any]:
    """The data of an app's inspector."""

    async def look(app: Quart) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = await app.test_client().get("/_inspector/data.json", headers=headers)
        assert answer.status_code == 200, await answer.get_data(as_text=True)
        return await answer.get_json()

    return look
