"""Session interfaces of one's own: opened before matching and saved though untouched; and permanent sessions."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart, request, session, websocket
from quart_plug.sessions import SecureCookieSession, SessionInterface
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError


class StoredSession(dict[str, Any]):
    permanent = False
    modified = False
    accessed = False
    new = False


class Memory:
    """What both forms do; notes the order of things."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        self.stored: dict[str, Any] = {}

    def open(self, connection: Any) -> Any:
        self.calls.append(f"open {connection.path}")
        assert connection.url_rule is None  # nothing has been matched
        return None if connection.path == "/null" else StoredSession(self.stored)

    def save(self, saved: Any, response: Any) -> None:
        self.calls.append(f"save {'without' if response is None else 'with'} a response")
        self.stored = dict(saved)


class AsyncInterface(SessionInterface):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def open_session(self, app: Quart, request: Any) -> Any:
        return self.memory.open(request)

    async def save_session(self, app: Quart, session: Any, response: Any) -> None:
        self.memory.save(session, response)


class SyncInterface(SessionInterface):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def open_session(self, app: Quart, request: Any) -> Any:  # type: ignore[override]  # Flask's form
        return self.memory.open(request)

    def save_session(self, app: Quart, session: Any, response: Any) -> None:  # type: ignore[override]
        self.memory.save(session, response)


def make_app(calls: list[str]) -> Quart:
    app = Quart(__name__)

    @app.url_value_preprocessor
    def note(endpoint: Any, values: Any) -> None:
        calls.append(f"matched {endpoint}")

    @app.get("/untouched")
    async def untouched() -> str:
        return "x"

    @app.get("/counts")
    async def counts() -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/null")
    async def null() -> str:
        return "x"

    @app.websocket("/untouched")
    async def untouched_ws() -> None:
        await websocket.send("x")

    @app.websocket("/counts")
    async def counts_ws() -> None:
        session["count"] = session.get("count", 0) + 1
        await websocket.send(str(session["count"]))

    @app.websocket("/null")
    async def null_ws() -> None:
        await websocket.send("x")

    return app


async def run(app: Quart, kind: str, path: str) -> str:
    client = app.test_client()
    if kind == "request":
        return await (await client.get(path)).get_data(as_text=True)  # type: ignore[no-any-return]
    try:
        async with client.websocket(path) as connection:
            said = str(await connection.receive())
            with pytest.raises(WebsocketDisconnectError):
                await connection.receive()
    except WebsocketResponseError as refusal:
        return await refusal.response.get_data(as_text=True)
    return said


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("interface", [AsyncInterface, SyncInterface])
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_a_custom_interface(kind: str, interface: Any, late: bool) -> None:
    """Opened before anything is matched, saved once after the view, whether it was touched or not."""
    calls: list[str] = []
    app = make_app(calls)
    if late:
        await run(app, kind, "/untouched")
        calls.clear()
    app.session_interface = interface(Memory(calls))
    assert await run(app, kind, "/untouched") == "x"
    name = "untouched" if kind == "request" else "untouched_ws"
    save = f"save {'with' if kind == 'request' else 'without'} a response"
    assert calls == ["open /untouched", f"matched {name}", save]
    assert [await run(app, kind, "/counts") for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_a_custom_interface_where_nothing_matches(kind: str) -> None:
    """The session is opened and saved for a 404 as well."""
    calls: list[str] = []
    app = make_app(calls)
    app.session_interface = AsyncInterface(Memory(calls))
    assert "404" in await run(app, kind, "/nowhere")
    assert calls == ["open /nowhere", "matched None", "save with a response"]


@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_a_null_session_is_not_saved(kind: str) -> None:
    calls: list[str] = []
    app = make_app(calls)
    app.session_interface = AsyncInterface(Memory(calls))
    await run(app, kind, "/null")
    assert [call for call in calls if not call.startswith("matched")] == ["open /null"]


async def test_an_interface_in_a_subclass() -> None:
    calls: list[str] = []

    class Sub(Quart):
        session_interface = AsyncInterface(Memory(calls))

    app = Sub(__name__)
    app.add_url_rule("/", "index", lambda: "x")
    assert (await app.test_client().get("/")).status_code == 200
    assert calls == ["open /", "save with a response"]


async def test_a_custom_interface_in_a_test_context() -> None:
    calls: list[str] = []
    app = make_app(calls)
    app.session_interface = AsyncInterface(Memory(calls))
    async with app.test_request_context("/untouched"):
        assert calls == ["open /untouched"]
        assert request.endpoint == "untouched"
        assert dict(session) == {}
        await app.full_dispatch_request()
    assert calls[-1] == "save with a response"


async def test_an_error_while_opening(caplog: pytest.LogCaptureFixture) -> None:
    """Is an error of the connection like any other."""

    class Failing(SessionInterface):
        async def open_session(self, app: Quart, request: Any) -> Any:
            raise LookupError("no store")

    app = make_app([])
    app.session_interface = Failing()
    assert (await app.test_client().get("/untouched")).status_code == 500
    assert "no store" in caplog.text


# Permanent sessions -----------------------------------------------------------------------------------------------


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"

    @app.get("/permanent")
    async def permanent() -> str:
        session.permanent = True
        session["name"] = "me"
        return ""

    @app.get("/passing")
    async def passing() -> str:
        session["name"] = "me"
        return ""

    @app.get("/untouched")
    async def untouched() -> str:
        return "x"

    return app


async def test_a_permanent_session_is_sent_again(app: Quart) -> None:
    """With each response, so that it does not run out while it is used; though no view touched it."""
    client = app.test_client()
    assert "Set-Cookie" not in (await client.get("/untouched")).headers
    await client.get("/permanent")
    for _ in range(2):
        cookie = (await client.get("/untouched")).headers["Set-Cookie"]
        assert cookie.startswith("session=")
        assert "Expires=" in cookie
    assert "Set-Cookie" in (await client.get("/nowhere")).headers


async def test_refreshing_turned_off_and_on_again(app: Quart) -> None:
    client = app.test_client()
    await client.get("/permanent")
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert "Set-Cookie" not in (await client.get("/untouched")).headers
    app.config["SESSION_REFRESH_EACH_REQUEST"] = True
    assert "Set-Cookie" in (await client.get("/untouched")).headers


async def test_a_passing_session_is_not_sent_again(app: Quart) -> None:
    client = app.test_client()
    await client.get("/passing")
    assert "Set-Cookie" not in (await client.get("/untouched")).headers


async def test_a_cookie_under_another_name(app: Quart) -> None:
    client = app.test_client()
    app.config["SESSION_COOKIE_NAME"] = "other"
    await client.get("/permanent")
    assert (await client.get("/untouched")).headers["Set-Cookie"].startswith("other=")


async def test_a_session_that_was_replaced(app: Quart) -> None:
    """What a before function puts into the context is what the view sees."""
    from quart_plug.globals import request_ctx

    @app.before_request
    async def replace() -> None:
        request_ctx.session = SecureCookieSession({"name": "replaced"})

    @app.get("/name")
    async def name() -> str:
        return str(session["name"])

    assert await (await app.test_client().get("/name")).get_data(as_text=True) == "replaced"
