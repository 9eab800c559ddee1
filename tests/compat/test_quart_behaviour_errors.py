"""Errors that nothing handles, the moments of teardown and of serving, and who is told of a client that left: as Quart
0.22 does it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from types import ModuleType
from typing import Any

import pytest

from quart_plug import Quart, websocket
from quart_plug.testing.connections import WebsocketResponseError


class Boom(Exception):
    pass


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.route("/")
    async def fails() -> str:
        raise Boom("of the view")

    @app.websocket("/")
    async def fails_websocket() -> None:
        raise Boom("of the view")

    return app


@pytest.fixture
def as_quart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quart_plug.compat.alias_is_active", lambda: True)


async def shown(app: Quart, kind: str) -> tuple[int, bool]:
    """The status, and whether the page tells of the error."""
    if kind == "request":
        response = await app.test_client().get("/")
    else:
        with pytest.raises(WebsocketResponseError) as refusal:
            async with app.test_client().websocket("/") as connection:
                await connection.receive()
        response = refusal.value.response  # type: ignore[assignment]
    return response.status_code, "of the view" in await response.get_data(as_text=True)


@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_in_testing_mode_an_error_is_raised_in_the_test(app: Quart, kind: str) -> None:
    app.testing = True
    with pytest.raises(Boom):
        await shown(app, kind)


@pytest.mark.parametrize("kind", ["request", "websocket"])
@pytest.mark.parametrize(
    "settings", [{"TESTING": True}, {"TESTING": True, "DEBUG": True}, {"TESTING": True, "PROPAGATE_EXCEPTIONS": True}]
)
@pytest.mark.usefixtures("as_quart")
async def test_under_quarts_name_testing_mode_answers_with_500(
    app: Quart, kind: str, settings: dict[str, Any]
) -> None:
    """Tests that were written for Quart count on that; no error handler is asked."""
    app.config.update(settings)
    app.register_error_handler(500, lambda error: ("handled", 418))
    assert await shown(app, kind) == (500, True)


@pytest.mark.parametrize("kind", ["request", "websocket"])
@pytest.mark.usefixtures("as_quart")
async def test_under_quarts_name_an_error_that_is_not_to_propagate_is_handled(app: Quart, kind: str) -> None:
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    app.register_error_handler(500, lambda error: ("handled", 500))
    assert await shown(app, kind) == (500, False)


@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_errors_propagate_to_the_server_when_asked_to(app: Quart, kind: str) -> None:
    """`PROPAGATE_EXCEPTIONS`, for both kinds of connection."""
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(Boom):
        await shown(app, kind)


async def test_the_end_of_serving() -> None:
    """`while_serving` generators end first, the last one begun first; then the `after_serving` functions in order."""
    app = Quart(__name__)
    calls: list[str] = []

    for name in ("one", "two"):

        @app.while_serving
        async def around(name: str = name) -> AsyncGenerator[None, None]:
            calls.append(f"begin {name}")
            yield
            calls.append(f"end {name}")

        app.after_serving(lambda name=name: calls.append(f"after {name}"))
    async with app.test_app():
        calls.append("serving")
    assert calls == [
        *("begin one", "begin two", "serving"),
        *("end two", "end one", "after one", "after two"),
    ]


# Who is told of a client that left ------------------------------------------------------------------------------------

STARRED = """
from quart_plug import *

app = Quart(__name__)
told = []

@app.websocket("/")
async def view():
    try:
        while True:
            await websocket.receive()
    except BaseException as error:
        told.append(type(error).__name__)
        raise
"""
HELPED = f"""{STARRED}
async def elsewhere():
    try:
        await websocket.receive()
    except ConnectionClosed:
        pass
"""
IN_A_CLASS = f"""{STARRED}
class Chat:
    async def run(self):
        try:
            await websocket.receive()
        except ConnectionClosed:
            pass
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [(STARRED, "CancelledError"), (HELPED, "ConnectionClosed"), (IN_A_CLASS, "ConnectionClosed")],
)
@pytest.mark.usefixtures("as_quart")
async def test_a_view_of_quarts_is_cancelled(
    source: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under Quart's name, unless its module's code names ConnectionClosed; `import *` brings the name only."""
    module = ModuleType("written_for_quart")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, module.__dict__)
    async with module.app.test_client().websocket("/") as connection:
        await connection.send("hello")
    for _ in range(50):
        if module.told:
            break
        await asyncio.sleep(0)
    assert module.told == [expected]
    assert websocket is not None


READS = """
from quart_plug import *

app = Quart(__name__)
told = []

@app.post("/")
async def view():
    try:
        async for data in request.body:
            told.append(data)
    except BaseException as error:
        told.append(type(error).__name__)
        raise

@app.teardown_request
async def teardown(error):
    told.append("torn down")
"""
KNOWS = f"""{READS}
def elsewhere():
    from quart_plug.wrappers import ClientDisconnectedError
    raise ClientDisconnectedError
"""


@pytest.mark.parametrize(
    ("source", "alias", "expected"),
    [(READS, True, "CancelledError"), (KNOWS, True, "ClientDisconnected"), (READS, False, "ClientDisconnected")],
)
@pytest.mark.parametrize("waits", [False, True], ids=["the end is there", "it has to be waited for"])
async def test_who_reads_a_body_is_told_that_the_client_has_left(
    source: str, alias: bool, expected: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under Quart's name with a cancellation, as Quart's documentation says, which stays inside of the app."""
    monkeypatch.setattr("quart_plug.compat.alias_is_active", lambda: alias)
    module = ModuleType("written_for_quart")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, module.__dict__)
    messages = [{"type": "http.request", "body": b"part", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        if waits:
            await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "root_path": "",
        "headers": [],
    }
    task = asyncio.ensure_future(module.app(scope, receive, send))
    await task
    assert module.told == [b"part", expected, "torn down"]
    assert task.cancelling() == 0
