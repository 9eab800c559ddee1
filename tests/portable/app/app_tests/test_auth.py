"""Logging in: sessions, flashes, `g`."""

from __future__ import annotations

from board import create_app
from helpers import text
from quart import request, session
from quart.sessions import SecureCookieSession


async def test_logging_in_and_out(client):
    response = await client.login("ada", "engine")
    assert (response.status_code, response.location) == (303, "/")
    assert '<p class="message">Hello, ada!</p>' in await text(await client.get("/"))
    assert await (await client.get("/auth/me")).get_json() == {"user": "ada", "permanent": False, "new": False}
    assert await (await client.post("/auth/logout")).get_json() == {"gone": True}
    response = await client.get("/auth/me?a=b")
    assert response.location == "/auth/login?next=/auth/me?a%3Db"


async def test_a_wrong_password(client):
    response = await client.login("ada", "wrong")
    assert (response.status_code, await text(response)) == (403, "Wrong name or password.")


async def test_going_on_where_one_was(client):
    response = await client.post(
        "/auth/login",
        query_string={"next": "/auth/me"},
        form={"name": "ada", "password": "engine"},
        follow_redirects=True,
    )
    assert (await response.get_json())["user"] == "ada"


async def test_the_cookie(client):
    response = await client.login("ada", "engine")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(("board_session=ey", "board_session=.ey"))
    assert cookie.endswith("; HttpOnly; Path=/; SameSite=Lax")
    assert response.headers["Vary"] == "Cookie"


async def test_a_permanent_session_lasts_and_is_refreshed(client):
    response = await client.post("/auth/login", form={"name": "ada", "password": "engine", "remember": "1"})
    assert "Expires=" in response.headers["Set-Cookie"]
    assert "Set-Cookie" in (await client.get("/auth/me")).headers
    assert (await (await client.get("/auth/me")).get_json())["permanent"] is True


async def test_a_session_that_ends_takes_its_cookie_along(member):
    async with member.session_transaction() as stored:
        stored.clear()
        stored["user"] = "ada"
    response = await member.post("/auth/logout")
    assert "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in response.headers["Set-Cookie"]
    assert list(member.cookie_jar) == []


async def test_a_session_that_is_only_read_sets_no_cookie(member):
    await member.get("/")
    response = await member.get("/auth/me")
    assert "Set-Cookie" not in response.headers


async def test_a_forged_session_is_empty(app, member):
    other = create_app(SECRET_KEY="another").test_client()
    await other.login("grace", "compiler")
    [cookie] = other.cookie_jar
    member.set_cookie("localhost", "board_session", cookie.value)
    assert (await member.get("/auth/me")).status_code == 302


async def test_an_older_key_still_opens():
    old = create_app(SECRET_KEY="old").test_client()
    await old.login("ada", "engine")
    [cookie] = old.cookie_jar
    new = create_app(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "old"]).test_client()
    new.set_cookie("localhost", "board_session", cookie.value)
    assert (await (await new.get("/auth/me")).get_json())["user"] == "ada"


async def test_session_transactions(client):
    async with client.session_transaction() as stored:
        assert isinstance(stored, SecureCookieSession)
        stored["user"] = "grace"
        stored.permanent = True
    assert await (await client.get("/auth/me")).get_json() == {"user": "grace", "permanent": True, "new": False}


async def test_the_context_is_kept_in_a_with_block(client):
    async with client:
        await client.login("ada", "engine")
        assert session["user"] == "ada"
        await client.get("/auth/me")
        assert (request.path, session["user"]) == ("/auth/me", "ada")


async def test_flashes_are_filtered_and_shown_once(client):
    response = await client.get("/auth/flash", follow_redirects=True)
    assert await response.get_json() == {"errors": ["one"], "again": [["error", "one"], ["info", "two"]]}
    assert await (await client.get("/auth/messages")).get_json() == {"errors": [], "again": []}


async def test_basic_authorization(client):
    response = await client.get("/auth/basic", auth=("ada", "päss"))
    assert await response.get_json() == {"username": "ada", "password": "päss"}
    response = await client.get("/auth/basic")
    assert response.status_code == 401
    assert response.www_authenticate.type == "basic"
    assert response.www_authenticate.realm == "board"


async def test_the_kiosks_sessions_stay_on_the_server(app, client):
    assert await (await client.get("/kiosk/a")).get_json() == {"words": ["a"], "kind": "KioskSession"}
    response = await client.get("/kiosk/b")
    assert (await response.get_json())["words"] == ["a", "b"]
    assert response.headers["Set-Cookie"].startswith("kiosk=")
    async with client.session_transaction("/kiosk") as stored:
        assert stored["words"] == ["a", "b"]
        stored["words"] = ["changed"]
    assert (await (await client.get("/kiosk")).get_json())["words"] == ["changed"]
    await client.get("/kiosk/forget")
    assert {cookie.name for cookie in client.cookie_jar} == set()


async def test_a_session_that_could_not_be_opened_is_null(client):
    response = await client.get("/kiosk?without=1")
    assert await response.get_json() == {"words": [], "kind": "NullSession"}
    response = await client.get("/kiosk/word?without=1")
    assert response.status_code == 500


async def test_a_websocket_writes_a_session_that_the_server_keeps(client):
    await client.get("/kiosk/a")
    async with client.websocket("/kiosk/socket") as connection:
        assert await connection.receive_json() == ["from a websocket"]
    assert (await (await client.get("/kiosk")).get_json())["words"] == ["from a websocket"]
