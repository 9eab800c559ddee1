"""`quart.sessions`: what a session is, what its cookie is, and interfaces of one's own, for requests and websockets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer

from quart_plug import Quart, Response, session, websocket
from quart_plug.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
)
from tests.support.surface import shows

CookieSession = SecureCookieSession


def make_app(**settings: Any) -> Quart:
    """An app whose view does to the session what `app.act` does."""
    app = Quart(__name__)
    app.testing = True
    app.config.update({"SECRET_KEY": "secret", **settings})
    app.act = lambda session: ""

    @app.route("/")
    async def act() -> str:
        return str(app.act(session))

    @app.websocket("/ws")
    async def act_ws() -> None:
        await websocket.send(str(app.act(session)))

    return app


async def cookie_after(app: Quart, act: Callable[[Any], Any], client: Any = None) -> str | None:
    """The attributes of the cookie that a request sets, without name and value; None when it sets none."""
    app.act = act
    response = await (client or app.test_client()).get("/")
    cookie = response.headers.get("Set-Cookie")
    return None if cookie is None else "; ".join(sorted(cookie.split("; ")[1:]))


# The session as a dictionary -----------------------------------------------------------------------------------------


@shows(
    "sessions.SecureCookieSession",
    "sessions.SecureCookieSession.accessed",
    "sessions.SecureCookieSession.get",
    "sessions.SecureCookieSession.items",
    "sessions.SecureCookieSession.keys",
    "sessions.SecureCookieSession.values",
    "sessions.SecureCookieSession.copy",
)
@pytest.mark.parametrize(
    ("look", "result"),
    [
        (lambda s: s["a"], 1),
        (lambda s: s.get("a"), 1),
        (lambda s: s.get("b", 2), 2),
        (lambda s: list(s.keys()), ["a"]),
        (lambda s: list(s.values()), [1]),
        (lambda s: list(s.items()), [("a", 1)]),
        (lambda s: s.copy(), {"a": 1}),
        (lambda s: "a" in s, True),
        (len, 1),
        (list, ["a"]),
        (repr, "<SecureCookieSession {'a': 1}>"),
        (lambda s: s.permanent, False),
    ],
)
async def test_looking_at_a_session(look: Callable[[Any], Any], result: Any) -> None:
    """It does not change the session, and the response says that it depends on it."""
    session = SecureCookieSession({"a": 1})
    assert not session.accessed
    assert look(session) == result
    assert (session.accessed, session.modified) == (True, False)

    app = make_app()
    app.act = look
    headers = {"Cookie": f"session={SecureCookieSessionInterface().get_signing_serializer(app).dumps({'a': 1})}"}
    response = await app.test_client().get("/", headers=headers)
    assert await response.get_data(as_text=True) == str(result)
    assert (response.headers["Vary"], "Set-Cookie" in response.headers) == ("Cookie", False)


@shows(
    "sessions.SecureCookieSession.clear",
    "sessions.SecureCookieSession.modified",
    "sessions.SecureCookieSession.pop",
    "sessions.SecureCookieSession.popitem",
    "sessions.SecureCookieSession.setdefault",
    "sessions.SecureCookieSession.update",
)
@pytest.mark.parametrize(
    ("change", "result", "left"),
    [
        (lambda s: s.clear(), None, {}),
        (lambda s: s.pop("a"), 1, {}),
        (lambda s: s.popitem(), ("a", 1), {}),
        (lambda s: s.setdefault("b", 2), 2, {"a": 1, "b": 2}),
        (lambda s: s.update({"a": 2}, c=3), None, {"a": 2, "c": 3}),
        (lambda s: s.update([("a", 2)]), None, {"a": 2}),
        (lambda s: s.__setitem__("a", 2), None, {"a": 2}),
        (lambda s: s.__delitem__("a"), None, {}),
        (lambda s: setattr(s, "permanent", True), None, {"a": 1, "_permanent": True}),
    ],
)
def test_changing_a_session(change: Callable[[Any], Any], result: Any, left: dict[str, Any]) -> None:
    told: list[Any] = []
    session = SecureCookieSession({"a": 1})
    session.on_update = told.append
    assert not session.modified
    assert change(session) == result
    assert session == left
    assert (session.accessed, session.modified, len(told)) == (True, True, 1)


@pytest.mark.parametrize("method", ["pop", "setdefault"])
def test_what_finds_nothing_to_change_does_not_change(method: str) -> None:
    session = SecureCookieSession({"a": 1})
    getattr(session, method)("b" if method == "pop" else "a", None)
    assert (session, session.modified) == ({"a": 1}, False)


@shows("sessions.SecureCookieSession.on_update")
def test_being_told_of_a_change_means_changed() -> None:
    session = SecureCookieSession()
    session.on_update(session)  # type: ignore[misc]  # it may be None
    assert session.modified


async def test_a_change_inside_of_a_value_has_to_be_said() -> None:
    app = make_app()
    client = app.test_client()
    await cookie_after(app, lambda s: s.__setitem__("list", []), client)
    assert await cookie_after(app, lambda s: s["list"].append(1), client) is None

    def say(session: Any) -> None:
        session["list"].append(2)
        session.modified = True

    assert await cookie_after(app, say, client) is not None
    app.act = dict
    assert await (await client.get("/")).get_data(as_text=True) == "{'list': [2]}"


@shows(
    "sessions.NullSession",
    "sessions.NullSession.clear",
    "sessions.NullSession.pop",
    "sessions.NullSession.popitem",
    "sessions.NullSession.setdefault",
    "sessions.NullSession.update",
)
@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.clear(),
        lambda s: s.pop("a"),
        lambda s: s.pop("a", None),
        lambda s: s.popitem(),
        lambda s: s.setdefault("a", 1),
        lambda s: s.update(a=1),
        lambda s: s.__setitem__("a", 1),
        lambda s: s.__delitem__("a"),
        lambda s: setattr(s, "permanent", True),
    ],
)
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_without_a_secret_key_the_session_can_only_be_read(kind: str, change: Callable[[Any], Any]) -> None:
    app = make_app(SECRET_KEY=None)
    app.act = lambda s: (type(s._get_current_object()), dict(s), s.get("a"), "a" in s, s.permanent).__repr__()
    client = app.test_client()

    async def act() -> str:
        if kind == "request":
            return await (await client.get("/")).get_data(as_text=True)  # type: ignore[no-any-return]
        async with client.websocket("/ws") as connection:
            return str(await connection.receive())

    assert await act() == str((NullSession, {}, None, False, False))
    app.act = change
    with pytest.raises(RuntimeError, match=r"secret.*key"):
        await act()


class Stored(SessionMixin):
    """A mapping that is no dictionary, as an extension may write it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __getitem__(self, key: str) -> Any:
        return self.content[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.content[key] = value

    def __delitem__(self, key: str) -> None:
        del self.content[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)


@shows(
    "sessions.SessionMixin",
    "sessions.SessionMixin.accessed",
    "sessions.SessionMixin.clear",
    "sessions.SessionMixin.get",
    "sessions.SessionMixin.items",
    "sessions.SessionMixin.keys",
    "sessions.SessionMixin.modified",
    "sessions.SessionMixin.new",
    "sessions.SessionMixin.permanent",
    "sessions.SessionMixin.pop",
    "sessions.SessionMixin.popitem",
    "sessions.SessionMixin.setdefault",
    "sessions.SessionMixin.update",
    "sessions.SessionMixin.values",
)
async def test_a_session_of_ones_own() -> None:
    """The mixin makes a whole mapping of five methods; without more it counts as not new, looked at and changed."""
    stored: dict[str, Any] = {"a": 1}

    class Interface(SessionInterface):
        async def open_session(self, app: Quart, request: Any) -> Stored:
            return Stored(stored)

        async def save_session(self, app: Quart, session: Any, response: Any) -> None:
            response.headers["X-State"] = f"{session.new} {session.accessed} {session.modified} {session.permanent}"

    def use(s: Any) -> Any:
        seen = (s.get("a"), s.get("z", 0), list(s.keys()), list(s.values()), list(s.items()), s.permanent)
        s.update(b=2)
        popped = (s.pop("a"), s.setdefault("c", 3), s.popitem())
        s.clear()
        s.permanent = True
        return (*seen, *popped)

    app = make_app()
    app.session_interface = Interface()
    app.act = use
    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == str(
        (1, 0, ["a"], [1], [("a", 1)], False, 1, 3, ("b", 2))
    )
    assert stored == {"_permanent": True}
    assert response.headers["X-State"] == "False True True True"
    with pytest.raises(TypeError, match="abstract"):
        SessionMixin()  # type: ignore[abstract]


# The cookie ----------------------------------------------------------------------------------------------------------


@shows(
    "sessions.SessionInterface.get_cookie_domain",
    "sessions.SessionInterface.get_cookie_httponly",
    "sessions.SessionInterface.get_cookie_partitioned",
    "sessions.SessionInterface.get_cookie_path",
    "sessions.SessionInterface.get_cookie_samesite",
    "sessions.SessionInterface.get_cookie_secure",
)
@pytest.mark.parametrize(
    ("settings", "attributes"),
    [
        ({}, "HttpOnly; Path=/"),
        ({"SESSION_COOKIE_DOMAIN": "example.com"}, "Domain=example.com; HttpOnly; Path=/"),
        ({"SESSION_COOKIE_DOMAIN": False}, "HttpOnly; Path=/"),
        ({"SERVER_NAME": "example.com"}, "HttpOnly; Path=/"),
        ({"SESSION_COOKIE_PATH": "/a"}, "HttpOnly; Path=/a"),
        ({"APPLICATION_ROOT": "/b"}, "HttpOnly; Path=/b"),
        ({"APPLICATION_ROOT": "/b", "SESSION_COOKIE_PATH": "/a"}, "HttpOnly; Path=/a"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "Path=/"),
        ({"SESSION_COOKIE_SECURE": True}, "HttpOnly; Path=/; Secure"),
        ({"SESSION_COOKIE_SAMESITE": "Lax"}, "HttpOnly; Path=/; SameSite=Lax"),
        ({"SESSION_COOKIE_SAMESITE": "strict"}, "HttpOnly; Path=/; SameSite=Strict"),
        ({"SESSION_COOKIE_PARTITIONED": True}, "HttpOnly; Partitioned; Path=/; Secure"),
    ],
)
async def test_the_cookies_attributes(settings: dict[str, Any], attributes: str) -> None:
    """A cookie is set and deleted with the same attributes, or a browser would not delete it."""
    app = make_app(**settings)
    client = app.test_client()
    assert await cookie_after(app, lambda s: s.update(a=1), client) == attributes
    deleted = await cookie_after(app, lambda s: s.clear(), client)
    gone = {"Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"}
    assert deleted is not None and set(deleted.split("; ")) - gone == set(attributes.split("; "))

    interface = app.session_interface
    assert interface.get_cookie_domain(app) == (settings.get("SESSION_COOKIE_DOMAIN") or None)
    assert f"Path={interface.get_cookie_path(app)}" in attributes.split("; ")
    assert interface.get_cookie_httponly(app) is ("HttpOnly" in attributes)
    assert interface.get_cookie_secure(app) is bool(settings.get("SESSION_COOKIE_SECURE"))
    assert interface.get_cookie_samesite(app) == settings.get("SESSION_COOKIE_SAMESITE")
    assert interface.get_cookie_partitioned(app) is ("Partitioned" in attributes)


@shows("sessions.SessionInterface.get_cookie_name")
async def test_the_cookies_name() -> None:
    app = make_app(SESSION_COOKIE_NAME="other")
    app.act = lambda s: s.update(a=1)
    assert (await app.test_client().get("/")).headers["Set-Cookie"].startswith("other=")
    assert app.session_interface.get_cookie_name(app) == "other"


@shows("sessions.SessionInterface.get_expiration_time", "sessions.SessionInterface.should_set_cookie")
@pytest.mark.parametrize("lifetime", [timedelta(minutes=1), 60])
async def test_a_permanent_session(lifetime: Any) -> None:
    """It ends PERMANENT_SESSION_LIFETIME after its last use, since each response sets its cookie anew."""
    app = make_app(PERMANENT_SESSION_LIFETIME=lifetime)
    client = app.test_client()
    cookie = await cookie_after(app, lambda s: setattr(s, "permanent", True), client)
    assert cookie is not None and cookie.startswith("Expires=")
    assert await cookie_after(app, lambda s: "", client) is not None
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert await cookie_after(app, lambda s: "", client) is None

    interface, passing, permanent = app.session_interface, CookieSession(), CookieSession({"_permanent": True})
    assert interface.get_expiration_time(app, passing) is None
    left = interface.get_expiration_time(app, permanent) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(minutes=1)
    assert [interface.should_set_cookie(app, each) for each in (passing, permanent)] == [False, False]
    app.config["SESSION_REFRESH_EACH_REQUEST"] = True
    assert [interface.should_set_cookie(app, each) for each in (passing, permanent)] == [False, True]
    passing["a"] = 1
    assert interface.should_set_cookie(app, passing)


@shows(
    "sessions.SecureCookieSessionInterface",
    "sessions.SecureCookieSessionInterface.open_session",
    "sessions.SecureCookieSessionInterface.save_session",
    "sessions.SecureCookieSessionInterface.get_signing_serializer",
    "sessions.SecureCookieSessionInterface.digest_method",
    "sessions.SecureCookieSessionInterface.key_derivation",
    "sessions.SecureCookieSessionInterface.salt",
    "sessions.SecureCookieSessionInterface.serializer",
    "sessions.SecureCookieSessionInterface.session_class",
)
async def test_a_signed_cookie_made_another_way() -> None:
    """Each attribute counts: a serializer made by hand from the same values reads what the interface writes."""

    class OwnSession(SecureCookieSession):
        pass

    class Plain:
        def dumps(self, value: Any) -> str:
            return repr(value)

        def loads(self, text: str | bytes) -> Any:
            return {"read": text if isinstance(text, str) else text.decode()}

    class Own(SecureCookieSessionInterface):
        salt = "salt"
        digest_method = staticmethod(hashlib.sha256)
        key_derivation = "concat"
        serializer = Plain()
        session_class = OwnSession

    app = make_app()
    app.session_interface = Own()
    client = app.test_client()
    app.act = lambda s: s.update(a=1)
    value = (await client.get("/")).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    options = {"key_derivation": "concat", "digest_method": hashlib.sha256}
    by_hand = URLSafeTimedSerializer("secret", "salt", Plain(), signer_kwargs=options)
    assert by_hand.loads(value) == {"read": "{'a': 1}"}
    serializer = app.session_interface.get_signing_serializer(app)
    assert serializer is not None and serializer.loads(by_hand.dumps({"b": 2})) == {"read": "{'b': 2}"}

    app.act = lambda s: (type(s._get_current_object()).__name__, dict(s)).__repr__()
    assert await (await client.get("/")).get_data(as_text=True) == str(("OwnSession", {"read": "{'a': 1}"}))

    async with app.test_request_context("/", headers={"Cookie": f"session={value}"}) as ctx:
        opened = await app.session_interface.open_session(app, ctx.request)
        assert (type(opened), opened) == (OwnSession, {"read": "{'a': 1}"})
        response = Response("")
        await app.session_interface.save_session(app, OwnSession(), response)
        assert "Set-Cookie" not in response.headers
        opened["c"] = 3
        await app.session_interface.save_session(app, opened, response)
        assert response.headers["Set-Cookie"].startswith("session=")
    app.secret_key = None
    assert app.session_interface.get_signing_serializer(app) is None
