"""`quart.sessions.SessionInterface`: each method may be a plain or a coroutine function, for both kinds."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from quart_plug import Quart, session, websocket
from quart_plug.sessions import NullSession, SecureCookieSession, SessionInterface, SessionMixin
from quart_plug.testing.connections import WebsocketResponseError
from tests.support.surface import shows

METHODS = ("open_session", "save_session", "make_null_session", "is_null_session")


class Stored(dict[str, Any], SessionMixin):
    pass


class Nothing(Stored):
    """A null session of the interface's own."""


class Memory(SessionInterface):
    """Keeps one session; there is none for `/null…`."""

    null_session_class = Nothing

    def __init__(self) -> None:
        self.content: dict[str, Any] = {}
        self.saved: list[Any] = []

    def open_session(self, app: Quart, request: Any) -> Any:  # type: ignore[override]  # Flask's form
        return None if request.path.startswith("/null") else Stored(self.content)

    def save_session(self, app: Quart, session: Any, response: Any) -> None:  # type: ignore[override]
        self.content = dict(session)
        self.saved.append(None if response is None else response.status_code)

    def make_null_session(self, app: Quart) -> Any:  # type: ignore[override]
        return self.null_session_class(null=True)  # type: ignore[call-arg]

    def is_null_session(self, instance: object) -> bool:
        return isinstance(instance, Nothing)


def as_coroutine_function(method: Callable[..., Any]) -> Callable[..., Any]:
    async def awaited(*args: Any) -> Any:
        await asyncio.sleep(0)
        return method(*args)

    return awaited


def interface(coroutines: tuple[bool, ...]) -> Memory:
    """A Memory some of whose METHODS are coroutine functions."""
    methods = {
        name: as_coroutine_function(getattr(Memory, name))
        for name, is_coroutine in zip(METHODS, coroutines, strict=True)
        if is_coroutine
    }
    return type("Memory", (Memory,), methods)()  # type: ignore[no-any-return]


def make_app(session_interface: SessionInterface) -> Quart:
    app = Quart(__name__)
    app.session_interface = session_interface

    def count() -> str:
        session["count"] = session.get("count", 0) + 1
        return f"{type(session._get_current_object()).__name__} {session['count']}"  # type: ignore[attr-defined]

    for path in ("/", "/null"):

        @app.get(path, endpoint=f"get {path}")
        async def get() -> str:
            return count()

        @app.websocket(path, endpoint=f"ws {path}")
        async def ws() -> Any:
            if "refuse" in websocket.args:
                count()
                return "no", 403
            await websocket.send(count())
            return None

    return app


async def get(app: Quart, kind: str, path: str) -> str:
    if kind == "request":
        return await (await app.test_client().get(path)).get_data(as_text=True)  # type: ignore[no-any-return]
    async with app.test_client().websocket(path) as connection:
        return str(await connection.receive())


@shows(
    "sessions.SessionInterface",
    "sessions.SessionInterface.open_session",
    "sessions.SessionInterface.save_session",
    "sessions.SessionInterface.make_null_session",
    "sessions.SessionInterface.is_null_session",
    "sessions.SessionInterface.null_session_class",
)
@pytest.mark.parametrize("coroutines", list(product([False, True], repeat=4)))
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_every_form(kind: str, coroutines: tuple[bool, ...]) -> None:
    memory = interface(coroutines)
    app = make_app(memory)
    assert [await get(app, kind, "/") for _ in range(2)] == ["Stored 1", "Stored 2"]
    assert memory.saved == [200 if kind == "request" else None] * 2
    # A null session is not saved, so it counts from the beginning each time.
    assert [await get(app, kind, "/null") for _ in range(2)] == ["Nothing 1", "Nothing 1"]
    assert (memory.content, len(memory.saved)) == ({"count": 2}, 2)

    # What is not found has a session as well, and so has a refused websocket.
    client = app.test_client()
    if kind == "request":
        assert (await client.get("/nowhere")).status_code == 404
    else:
        for path in ("/nowhere", "/?refuse"):
            with pytest.raises(WebsocketResponseError):
                async with client.websocket(path) as connection:
                    await connection.receive()
        assert memory.content == {"count": 3}
    assert memory.saved[2:] == ([404] if kind == "request" else [404, 403])


@pytest.mark.parametrize("coroutines", list(product([False, True], repeat=4)))
async def test_every_form_in_a_session_transaction(coroutines: tuple[bool, ...]) -> None:
    memory = interface(coroutines)
    client = make_app(memory).test_client()
    async with client.session_transaction() as session:
        session["count"] = 10
    assert await (await client.get("/")).get_data(as_text=True) == "Stored 11"
    with pytest.raises(RuntimeError, match="opening the session"):
        async with client.session_transaction("/null"):
            pass


@pytest.mark.parametrize("coroutines", [(False,) * 4, (True,) * 4])
async def test_every_form_in_a_test_context(coroutines: tuple[bool, ...]) -> None:
    memory = interface(coroutines)
    memory.content["a"] = 1
    app = make_app(memory)
    async with app.test_request_context("/"):
        assert dict(session) == {"a": 1}
    async with app.test_websocket_context("/null"):
        assert dict(session) == {"null": True}


async def test_what_the_base_does() -> None:
    """It asks for the two methods that know where sessions are, and makes null sessions of its class."""
    app = Quart(__name__)
    base = SessionInterface()
    with pytest.raises(NotImplementedError):
        await base.open_session(app, None)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        await base.save_session(app, Stored(), None)
    made = await base.make_null_session(app)
    assert type(made) is NullSession is base.null_session_class
    assert [base.is_null_session(each) for each in (made, SecureCookieSession(), None)] == [True, False, False]
    assert inspect.iscoroutinefunction(base.make_null_session)


@shows("sessions.SessionInterface.pickle_based")
def test_pickle_based_is_for_extensions() -> None:
    """Nothing here reads it; one that stores pickles says so, and who writes to sessions can ask."""

    class Pickling(Memory):
        pickle_based = True

    app = Quart(__name__)
    assert app.session_interface.pickle_based is False
    app.session_interface = Pickling()
    assert app.session_interface.pickle_based is True
