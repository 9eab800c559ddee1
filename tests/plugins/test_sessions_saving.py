"""The session in an application: when its cookie is set, sent again or deleted, and what `Vary` says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import pytest

from quart_plug import Quart, Response, flash, get_flashed_messages, session, websocket
from quart_plug.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"
    app.testing = True

    @app.get("/untouched")
    async def untouched() -> str:
        return "x"

    @app.get("/looks")
    async def looks() -> dict[str, Any]:
        return dict(session)

    @app.get("/in")
    async def contains() -> str:
        return str("a" in session)

    @app.get("/set/<key>/<value>")
    async def set_value(key: str, value: str) -> str:
        session[key] = value
        return "x"

    @app.get("/clear")
    async def clear() -> str:
        session.clear()
        return "x"

    return app


def sign(app: Quart, **content: Any) -> dict[str, str]:
    """Request headers with a cookie of this content."""
    serializer = app.session_interface.get_signing_serializer(app)
    assert serializer is not None
    return {"Cookie": f"session={serializer.dumps(content)}"}


def read(app: Quart, response: Response) -> dict[str, Any]:
    """The content of the cookie that the response sets."""
    value = response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    content: dict[str, Any] = app.session_interface.get_signing_serializer(app).loads(value)
    return content


async def get(app: Quart, path: str, headers: dict[str, str] | None = None) -> Response:
    response: Response = await app.test_client(use_cookies=False).get(path, headers=headers)
    assert response.status_code == 200
    return response


@pytest.mark.parametrize("content", [{}, {"a": 1}])
async def test_an_untouched_session_leaves_the_response_alone(app: Quart, content: dict[str, Any]) -> None:
    response = await get(app, "/untouched", sign(app, **content))
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


@pytest.mark.parametrize("path", ["/looks", "/in"])
@pytest.mark.parametrize("content", [{}, {"a": 1}])
async def test_a_session_that_was_looked_at_varies_the_response(app: Quart, path: str, content: dict[str, Any]) -> None:
    response = await get(app, path, sign(app, **content))
    assert "Set-Cookie" not in response.headers
    assert response.headers["Vary"] == "Cookie"


async def test_a_changed_session_is_written(app: Quart) -> None:
    response = await get(app, "/set/a/1", sign(app, b=2))
    assert read(app, response) == {"a": "1", "b": 2}
    assert response.headers["Set-Cookie"].endswith("; HttpOnly; Path=/")
    assert response.headers["Vary"] == "Cookie"


async def test_it_goes_from_request_to_request(app: Quart) -> None:
    client = app.test_client()
    for key in ("a", "b", "a"):
        await client.get(f"/set/{key}/1")
    assert await (await client.get("/looks")).get_json() == {"a": "1", "b": "1"}


async def test_modified_set_by_hand_counts(app: Quart) -> None:
    @app.get("/append")
    async def append() -> str:
        session["list"].append(2)
        session.modified = True
        return "x"

    assert read(app, await get(app, "/append", sign(app, list=[1]))) == {"list": [1, 2]}


@pytest.mark.parametrize(
    ("there", "then"),
    [
        ("Accept", ["accept", "cookie"]),
        ("cookie", ["cookie"]),
        ("Accept, Cookie", ["accept", "cookie"]),
    ],
)
async def test_vary_is_added_to_what_is_there(app: Quart, there: str, then: list[str]) -> None:
    @app.get("/varies")
    async def varies() -> tuple[str, dict[str, str]]:
        session["a"] = 1
        return "x", {"Vary": there}

    response = await get(app, "/varies")
    assert sorted(item.strip().lower() for item in response.headers["Vary"].split(",")) == then


async def test_an_emptied_session_deletes_the_cookie(app: Quart) -> None:
    app.config |= {
        "SESSION_COOKIE_PATH": "/p",
        "SESSION_COOKIE_DOMAIN": "example.com",
        "SESSION_COOKIE_SECURE": True,
    }
    response = await get(app, "/clear", sign(app, a=1))
    name_and_value, *parts = response.headers["Set-Cookie"].split("; ")
    assert name_and_value == "session="
    assert {"Max-Age=0", "Domain=example.com", "Path=/p", "Secure", "HttpOnly"} <= set(parts)
    assert response.headers["Vary"] == "Cookie"


async def test_the_cookie_is_as_configured(app: Quart) -> None:
    app.config |= {
        "SESSION_COOKIE_NAME": "sid",
        "SESSION_COOKIE_DOMAIN": "example.com",
        "SESSION_COOKIE_PATH": "/p",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": False,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PARTITIONED": True,
    }
    response = await get(app, "/set/a/1")
    name_and_value, *parts = response.headers["Set-Cookie"].split("; ")
    assert name_and_value.startswith("sid=")
    assert set(parts) == {"Domain=example.com", "Path=/p", "Secure", "SameSite=Lax", "Partitioned"}


async def test_the_path_is_the_application_root(app: Quart) -> None:
    app.config["APPLICATION_ROOT"] = "/mounted"
    assert (await get(app, "/set/a/1")).headers["Set-Cookie"].endswith("Path=/mounted")


async def test_a_permanent_session_is_sent_again_with_a_new_end(app: Quart) -> None:
    """Also by a view that does not touch it."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=1)
    response = await get(app, "/untouched", sign(app, _permanent=True, a=1))
    assert read(app, response) == {"_permanent": True, "a": 1}
    assert response.headers["Vary"] == "Cookie"
    (expires,) = [p for p in response.headers["Set-Cookie"].split("; ") if p.startswith("Expires=")]
    left = parsedate_to_datetime(expires.partition("=")[2]) - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)


async def test_a_permanent_session_need_not_be_sent_again(app: Quart) -> None:
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    response = await get(app, "/untouched", sign(app, _permanent=True, a=1))
    assert "Set-Cookie" not in response.headers


async def test_a_cookie_that_browsers_would_drop_is_warned_of(app: Quart) -> None:
    @app.get("/noise")
    async def noise() -> str:
        session["noise"] = Random(1).randbytes(4000).hex()
        return "x"

    with pytest.warns(UserWarning, match="cookie is too large"):
        await get(app, "/noise")


async def test_without_a_key_the_session_can_be_read_only(app: Quart) -> None:
    app.secret_key = None
    assert await (await get(app, "/looks", {"Cookie": "session=x"})).get_json() == {}
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        await app.test_client().get("/set/a/1")


async def test_a_key_that_went_away_writes_nothing(app: Quart) -> None:
    async with app.test_request_context("/"):
        session["a"] = 1
        app.secret_key = None
        response = Response("x")
        await app.session_interface.save_session(app, session, response)
        assert "Set-Cookie" not in response.headers


async def test_flashed_messages_go_by_the_session(app: Quart) -> None:
    @app.get("/flash")
    async def flashes() -> str:
        await flash("hi", "info")
        return "x"

    @app.get("/flashed")
    async def flashed() -> list[Any]:
        return get_flashed_messages(with_categories=True)

    client = app.test_client()
    await client.get("/flash")
    assert await (await client.get("/flashed")).get_json() == [["info", "hi"]]
    assert await (await client.get("/flashed")).get_json() == []


# Websockets


async def test_a_websocket_reads_the_session(app: Quart) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(dict(session))

    async with app.test_client().websocket("/ws", headers=sign(app, a=1)) as connection:
        assert await connection.receive_json() == {"a": 1}


async def test_a_change_in_a_websocket_is_lost_and_logged(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        if await websocket.receive() == "change":
            session["a"] = 2
        await websocket.send(str(session["a"]))

    for message, answer in (("look", "1"), ("change", "2")):
        async with app.test_client().websocket("/ws", headers=sign(app, a=1)) as connection:
            await connection.send(message)
            assert await connection.receive() == answer
        assert ("the change is lost" in caplog.text) == (message == "change")


# Other interfaces


class Stored(SessionInterface):
    """A session kept in memory; tells the order of events."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.content: dict[str, Any] = {}

    async def open_session(self, app: Quart, request: Any) -> SecureCookieSession:
        self.events.append(f"open, rule {request.url_rule}")
        return SecureCookieSession(self.content)

    async def save_session(self, app: Quart, session: Any, response: Any) -> None:
        self.events.append("save")
        self.content = dict(session)


class StoredAtOnce(Stored):
    """The same by plain functions."""

    def open_session(self, app: Quart, request: Any) -> SecureCookieSession:  # type: ignore[override]
        self.events.append(f"open, rule {request.url_rule}")
        return SecureCookieSession(self.content)

    def save_session(self, app: Quart, session: Any, response: Any) -> None:  # type: ignore[override]
        self.events.append("save")
        self.content = dict(session)


@pytest.mark.parametrize("interface_class", [Stored, StoredAtOnce])
async def test_another_interface_is_opened_before_matching_and_always_saved(
    app: Quart, interface_class: type[Stored]
) -> None:
    app.session_interface = interface = interface_class()

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(dict(session))

    await get(app, "/untouched")
    assert interface.events == ["open, rule None", "save"]
    await get(app, "/set/a/1")
    async with app.test_client().websocket("/ws") as connection:
        assert await connection.receive_json() == {"a": "1"}
    assert interface.events == ["open, rule None", "save"] * 3


async def test_a_subclass_does_not_inherit_laziness(app: Quart) -> None:
    opened: list[str] = []

    class Interface(SecureCookieSessionInterface):
        async def open_session(self, app: Quart, request: Any) -> SecureCookieSession | None:
            opened.append(request.path)
            return await super().open_session(app, request)

    app.session_interface = Interface()
    await get(app, "/untouched")
    assert opened == ["/untouched"]
    Interface.lazy = True
    app.session_interface = Interface()
    await get(app, "/untouched")
    await get(app, "/looks")
    assert opened == ["/untouched", "/looks"]


async def test_no_session_is_a_null_session(app: Quart) -> None:
    class Nothing(SessionInterface):
        async def open_session(self, app: Quart, request: Any) -> None:
            return None

    app.session_interface = Nothing()
    async with app.test_request_context("/"):
        assert app.session_interface.is_null_session(session._get_current_object())  # type: ignore[attr-defined]
        assert isinstance(session, NullSession)
    assert await (await get(app, "/looks")).get_json() == {}
