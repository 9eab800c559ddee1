"""Cookies are kept and sent as a browser does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quart_plug.testing import QuartClient
from quart_plug.typing import Receive, Scope, Send


class CookieApp:
    """Sets the cookies it is told to, and keeps those that it gets."""

    def __init__(self) -> None:
        self.sets: list[str] = []
        self.cookies: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = [value.decode() for name, value in scope["headers"] if name == b"cookie"]
        assert len(values) < 2, "all cookies in one header"
        self.cookies = set(values[0].split("; ")) if values else set()
        headers = [(b"set-cookie", cookie.encode()) for cookie in self.sets]
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": headers})
            await receive()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})
        self.sets = []


@pytest.fixture
def app() -> CookieApp:
    return CookieApp()


@pytest.fixture
def client(bare_app: Any, app: CookieApp) -> QuartClient:
    return QuartClient(bare_app(app))


async def test_a_cookie_comes_back(client: QuartClient, app: CookieApp) -> None:
    app.sets = ["a=1; Path=/; HttpOnly; SameSite=Lax", 'b="x\\054y"; Path=/']
    await client.get("/")
    assert app.cookies == set()
    await client.get("/x")
    assert app.cookies == {"a=1", 'b="x\\054y"'}


@pytest.mark.parametrize("clears", ["a=; Max-Age=0; Path=/", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"])
async def test_an_expired_cookie_is_dropped(client: QuartClient, app: CookieApp, clears: str) -> None:
    for cookie in ("a=1; Path=/", clears):
        app.sets = [cookie]
        await client.get("/")
    await client.get("/")
    assert app.cookies == set()


@pytest.mark.parametrize(
    ("cookie", "host", "path"),
    [
        ("a=1; Path=/sub", "localhost", "/sub/x"),
        ("a=1; Path=/sub", "localhost", "/"),
        ("a=1; Secure; Path=/", "localhost", "/"),
        ("a=1; Path=/", "other.example", "/"),
        ("a=1; Path=/", "localhost:5000", "/"),
    ],
)
async def test_a_kept_cookie_is_sent_everywhere(
    client: QuartClient, app: CookieApp, cookie: str, host: str, path: str
) -> None:
    """As Quart's client does: an app that is served elsewhere has its cookies in a test as well."""
    app.sets = [cookie]
    await client.get("/")
    await client.get(path, headers={"Host": host})
    assert app.cookies == {"a=1"}


async def test_a_domain_of_the_hosts_own(client: QuartClient, app: CookieApp) -> None:
    app.sets = ["a=1; Domain=example.com; Path=/"]
    await client.get("/", headers={"Host": "www.example.com"})
    await client.get("/")
    assert app.cookies == {"a=1"}


async def test_a_foreign_domain_is_refused(client: QuartClient, app: CookieApp) -> None:
    app.sets = ["a=1; Domain=example.com; Path=/"]
    await client.get("/")
    await client.get("/", headers={"Host": "example.com"})
    assert app.cookies == set()


async def test_a_header_of_the_tests_joins_and_wins(client: QuartClient, app: CookieApp) -> None:
    client.set_cookie("localhost", "a", "1")
    client.set_cookie("localhost", "b", "2")
    await client.get("/", headers={"Cookie": "a=9; c=3"})
    assert app.cookies == {"a=9", "b=2", "c=3"}


async def test_set_and_delete(client: QuartClient, app: CookieApp) -> None:
    client.set_cookie("localhost", "a", "ü ;", max_age=timedelta(hours=1))
    client.set_cookie("localhost", "b", "2", expires=datetime.now(UTC) + timedelta(hours=1))
    client.set_cookie("www.example.com", "c", domain="example.com", path="/sub")
    await client.get("/")
    assert {cookie.partition("=")[0] for cookie in app.cookies} == {"a", "b", "c"}
    client.delete_cookie("localhost", "a")
    client.delete_cookie("localhost", "not there")
    client.delete_cookie("www.example.com", "c", "/sub", "example.com")
    await client.get("/")
    assert app.cookies == {"b=2"}


async def test_a_cookie_of_no_server(client: QuartClient, app: CookieApp) -> None:
    """Extensions give the cookie's domain from the settings, which may be None."""
    client.set_cookie(None, "a", "1")  # type: ignore[arg-type]
    await client.get("/")
    assert app.cookies == {"a=1"}
    client.delete_cookie(None, "a")  # type: ignore[arg-type]
    await client.get("/")
    assert app.cookies == set()


async def test_a_websocket_sends_and_keeps_cookies(client: QuartClient, app: CookieApp) -> None:
    client.set_cookie("localhost", "a", "1")
    app.sets = ["b=2; Path=/"]
    async with client.websocket("/ws") as websocket:
        await websocket.accept()
        assert app.cookies == {"a=1"}
    await client.get("/")
    assert app.cookies == {"a=1", "b=2"}


async def test_a_streamed_request_keeps_cookies(client: QuartClient, app: CookieApp) -> None:
    app.sets = ["b=2; Path=/"]
    async with client.request("/"):
        pass
    await client.get("/")
    assert app.cookies == {"b=2"}


async def test_without_cookies(bare_app: Any, app: CookieApp) -> None:
    client = QuartClient(bare_app(app), use_cookies=False)
    app.sets = ["a=1; Path=/"]
    await client.get("/")
    await client.get("/")
    assert (app.cookies, client.cookie_jar) == (set(), None)
    for call in (client.set_cookie, client.delete_cookie):
        with pytest.raises(RuntimeError, match="use_cookies=False"):
            call("localhost", "a")
    with pytest.raises(RuntimeError, match="cookies enabled"):
        async with client.session_transaction():
            pass
