"""Who may see the inspector. Each test is an attack, or somebody who has to get in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart
from quart_plug.exceptions import PluginError
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError
from tests.plugins.inspector.conftest import ORIGIN, TOKEN

PATHS = ["/_inspector", "/_inspector/", "/_inspector/data.json", "/_inspector/static/base.css"]
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def refused(client: Any, headers: dict[str, str], path: str = "/_inspector/live") -> int:
    """The status with which a websocket's handshake is refused."""
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket(path, headers=headers) as connection:
            await connection.receive()
    status: int = caught.value.response.status_code
    return status


# Debug mode ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
async def test_without_debug_mode_nothing_of_it_is_there(make_app: Any, path: str) -> None:
    app = make_app(debug=False)
    client = app.test_client()
    assert (await client.get(path, headers=BEARER)).status_code == 404
    assert not [rule for rule in app.url_map.iter_rules() if "inspector" in rule.rule]
    assert app.hooks.names[-1] == "inspector"  # it is active, and has no hook of a connection
    assert not set(app.hooks.report()["inspector"].hooks) & {"connection", "context_pushed"}
    assert app.hooks.call("connection") is None


async def test_debug_mode_that_is_turned_off_later_takes_it_away(make_app: Any, sign_in: Any) -> None:
    app = make_app()
    client = await sign_in(app)
    await client.get("/")
    app.debug = False
    for path in PATHS:
        assert (await client.get(path, headers=BEARER)).status_code == 404
    assert app.hooks.call("connection") is None
    app.debug = True
    data = await (await client.get("/_inspector/data.json")).get_json()
    assert data["requests"] == []  # what was recorded is forgotten


async def test_the_page_is_left_when_debug_mode_is_turned_off(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive()
        app.debug = False
        await client.get("/")
        with pytest.raises(WebsocketDisconnectError) as caught:
            while True:
                await connection.receive()
    assert caught.value.args[0] == 1001


# The token ----------------------------------------------------------------------------------------------------------


async def test_the_token_is_exchanged_for_a_cookie(app: Quart) -> None:
    client = app.test_client()
    answer = await client.get(f"/_inspector/?token={TOKEN}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/_inspector/")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/_inspector/"} <= set(re.split("; *", cookie))
    assert TOKEN not in cookie
    page = await client.get("/_inspector/")
    assert page.status_code == 200
    assert "inspector.js" in await page.get_data(as_text=True)


async def test_the_cookie_is_for_https_only_where_it_was_given_there(app: Quart) -> None:
    answer = await app.test_client().get(f"/_inspector/?token={TOKEN}", scheme="https")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/_inspector/", "/_inspector/data.json"])
async def test_without_the_token_there_is_nothing_to_see(app: Quart, path: str) -> None:
    answer = await app.test_client().get(path)
    assert answer.status_code == 401
    text = await answer.get_data(as_text=True)
    assert "token" in text and "SECRET" not in text and TOKEN not in text


async def test_the_token_can_be_typed_in(app: Quart) -> None:
    client = app.test_client()
    answer = await client.post("/_inspector/login", form={"token": f" {TOKEN} "}, headers=ORIGIN)
    assert answer.status_code == 303
    assert (await client.get("/_inspector/")).status_code == 200


async def test_programs_give_the_token_in_a_header(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/_inspector/data.json", headers=BEARER)).status_code == 200
    wrong = {"Authorization": "Bearer wrong"}
    assert (await client.get("/_inspector/data.json", headers=wrong)).status_code == 401


async def test_tokens_cannot_be_guessed_without_end(app: Quart) -> None:
    """Ten wrong ones, by whichever way and whoever says to be, and even the right one has to wait."""
    client = app.test_client()
    for number in range(10):
        if number % 2:
            answer = await client.get(f"/_inspector/?token=guess{number}")
        else:
            headers = {"Authorization": f"Bearer guess{number}", "X-Forwarded-For": f"10.0.0.{number}"}
            answer = await client.get("/_inspector/data.json", headers=headers)
        assert answer.status_code == 401
    answer = await client.get(f"/_inspector/?token={TOKEN}")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert "Set-Cookie" not in answer.headers


async def test_who_is_signed_in_stays_so_while_others_guess(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    for number in range(12):
        await app.test_client().get(f"/_inspector/?token={number}")
    assert (await client.get("/_inspector/")).status_code == 200


async def test_a_right_token_begins_the_count_again(app: Quart) -> None:
    client = app.test_client()
    for _ in range(3):
        for _ in range(9):
            assert (await client.get("/_inspector/?token=wrong")).status_code == 401
        assert (await client.get(f"/_inspector/?token={TOKEN}")).status_code == 303


@pytest.mark.parametrize("value", ["", "\x00", "ä" * 600, "%ff%fe", TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
async def test_what_is_not_the_token(app: Quart, value: str) -> None:
    client = app.test_client()
    answer = await client.get("/_inspector/", query_string={"token": value})
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "x", "\\", TOKEN, "a=b; inspector_00000000=1"])
async def test_a_cookie_that_was_not_given_is_worth_nothing(app: Quart, cookie: str) -> None:
    client = app.test_client()
    known = (await client.get(f"/_inspector/?token={TOKEN}")).headers["Set-Cookie"].partition("=")[0]
    headers = {"Cookie": f"{known}={cookie}"}
    assert (await app.test_client().get("/_inspector/data.json", headers=headers)).status_code == 401


async def test_the_tokens_of_two_apps_differ_in_their_cookies(make_app: Any) -> None:
    one, other = make_app(), make_app(token="another-token-of-these-tests")
    client = one.test_client()
    cookie = (await client.get(f"/_inspector/?token={TOKEN}")).headers["Set-Cookie"].partition(";")[0]
    headers = {"Cookie": cookie}
    assert (await one.test_client().get("/_inspector/data.json", headers=headers)).status_code == 200
    assert (await other.test_client().get("/_inspector/data.json", headers=headers)).status_code == 401


async def test_a_random_token_is_told_in_the_log(caplog: Any) -> None:
    app = Quart("told", plugins=["inspector"])
    app.debug = True
    async with app.test_app() as running:
        told = [record.getMessage() for record in caplog.records if "inspector" in record.getMessage()]
        assert len(told) == 1
        found = re.search(r"(/_inspector/\?token=(\w{40}))$", told[0])
        assert found is not None, told
        answer = await running.test_client().get(found[1])
        assert answer.status_code == 303


async def test_without_debug_mode_the_log_tells_nothing(caplog: Any) -> None:
    app = Quart("quiet", plugins=["inspector"])
    async with app.test_app():
        assert "token" not in caplog.text


# Hosts --------------------------------------------------------------------------------------------------------------

GOOD_HOSTS = ["localhost", "LOCALHOST:5000", "127.0.0.1:1", "[::1]:8000", "shop.localhost", "a.b.localhost:80"]
BAD_HOSTS = [
    *("evil.example", "localhost.evil.example", "localhostx", "127.0.0.1.nip.io", "127.0.0.2", "0.0.0.0", "[::]"),
    *("localhost@evil.example", "evil.example#localhost", "localhost/x?", "localhost:5000:5000", "", "local host"),
    *(".localhost.", "localhost:99999999", "notlocalhost", "[::1", "localhost,evil.example"),
]


@pytest.mark.parametrize("host", GOOD_HOSTS)
async def test_a_trusted_host(app: Quart, host: str) -> None:
    answer = await app.test_client().get("/_inspector/data.json", headers=BEARER | {"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", BAD_HOSTS)
async def test_another_host(app: Quart, host: str, path: str) -> None:
    """DNS rebinding: the name of somebody's site leads to this machine."""
    answer = await app.test_client().get(path, headers=BEARER | {"Host": host, "X-Forwarded-Host": "localhost"})
    assert answer.status_code in (400, 403, 404)
    assert "hooks" not in await answer.get_data(as_text=True)


async def test_a_host_header_that_comes_twice(app: Quart) -> None:
    headers = Headers([("Host", "localhost"), ("Host", "evil.example"), ("Authorization", f"Bearer {TOKEN}")])
    answer = await app.test_client().get("/_inspector/data.json", headers=headers)
    assert answer.status_code == 403


async def test_the_refusal_of_a_host_tells_the_cure(app: Quart) -> None:
    answer = await app.test_client().get("/_inspector/", headers={"Host": "devbox.lan:5000"})
    assert answer.status_code == 403
    assert await answer.get_data(as_text=True) == (
        "The inspector is not shown to the host 'devbox.lan': use localhost or 127.0.0.1, or add the host's name to "
        "trusted_hosts of the plugin 'inspector'.\n"
    )


@pytest.mark.parametrize(
    ("trusted", "host", "status"),
    [
        ("devbox.lan", "devbox.lan:5000", 200),
        ("DevBox.lan", "devbox.LAN", 200),
        ("devbox.lan", "a.devbox.lan", 403),
        ("*.devbox.lan", "a.devbox.lan", 200),
        ("*.devbox.lan", "devbox.lan", 403),
        ("*.devbox.lan", "evildevbox.lan", 403),
    ],
)
async def test_configured_hosts(make_app: Any, trusted: str, host: str, status: int) -> None:
    app = make_app(trusted_hosts=[trusted])
    answer = await app.test_client().get("/_inspector/data.json", headers=BEARER | {"Host": host})
    assert answer.status_code == status


# Origins ------------------------------------------------------------------------------------------------------------

BAD_ORIGINS = ["http://evil.example", "null", "http://localhost:5001", "https://localhost:5000", "http://localhost", ""]


@pytest.mark.parametrize("origin", BAD_ORIGINS)
async def test_a_websocket_of_another_origin(app: Quart, sign_in: Any, origin: str) -> None:
    """Cross-site websocket hijacking; another port of the same host is sent the cookie, too."""
    client = await sign_in(app)
    assert await refused(client, {"Host": "localhost:5000", "Origin": origin}) == 403


async def test_a_websocket_without_an_origin(app: Quart, sign_in: Any) -> None:
    assert await refused(await sign_in(app), {}) == 403


async def test_a_websocket_of_another_host(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    assert await refused(client, {"Host": "evil.example", "Origin": "http://evil.example"}) == 403


async def test_a_websocket_without_the_token(app: Quart) -> None:
    assert await refused(app.test_client(), ORIGIN) == 401


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("ws", "localhost", "http://localhost"),
        ("ws", "localhost:80", "http://localhost"),
        ("ws", "127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("wss", "localhost:5000", "https://localhost:5000"),
        ("wss", "localhost:443", "https://localhost"),
    ],
)
async def test_a_websocket_of_its_own_origin(app: Quart, scheme: str, host: str, origin: str) -> None:
    headers = BEARER | {"Host": host, "Origin": origin}
    async with app.test_client().websocket("/_inspector/live", headers=headers, scheme=scheme) as connection:
        assert "hooks" in await connection.receive_json()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of the same host
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
@pytest.mark.parametrize("path", ["/_inspector/data.json", "/_inspector/static/inspector.js"])
async def test_a_request_of_another_site(app: Quart, headers: dict[str, str], path: str) -> None:
    answer = await app.test_client().get(path, headers=BEARER | headers)
    assert answer.status_code == 403


async def test_the_token_of_another_sites_form(app: Quart) -> None:
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = await app.test_client().post("/_inspector/login", form={"token": TOKEN}, headers=headers)
    assert answer.status_code == 403


async def test_a_link_on_another_site_leads_in(app: Quart) -> None:
    """A terminal in a browser is another site. A redirect would come without the new cookie, since that is Strict."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    client = app.test_client()
    answer = await client.get(f"/_inspector/?token={TOKEN}", headers=headers)
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/_inspector/"' in await answer.get_data(as_text=True)
    assert (await client.get("/_inspector/")).status_code == 200


# Headers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PATHS, "/_inspector/?token=wrong", f"/_inspector/?token={TOKEN}"])
async def test_every_answer_has_a_strict_policy(app: Quart, path: str) -> None:
    answer = await app.test_client().get(path, headers=BEARER)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://localhost"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"] or path.endswith(".css")
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


async def test_the_apps_own_functions_cannot_open_it_for_others(app: Quart) -> None:
    """An app that allows every origin on every path, as apps in development do."""

    @app.after_request
    async def allow(response: Any) -> Any:
        response.headers["Access-Control-Allow-Origin"] = "http://localhost:3000"
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Content-Security-Policy"] = "default-src *"
        return response

    client = app.test_client()
    assert (await client.get("/")).headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    answer = await client.get("/_inspector/data.json", headers=BEARER)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["page.html", "login.html", "..%2fviews.py", "../views.py", "nothing.js", ".css"])
async def test_only_its_own_files_are_served(app: Quart, name: str) -> None:
    answer = await app.test_client().get(f"/_inspector/static/{name}", headers=BEARER)
    assert answer.status_code == 404


async def test_the_login_page_says_what_others_made_of_it(make_app: Any) -> None:
    """The app's name is somebody's text, too."""
    app = make_app()
    app.name = "<script>alert(1)</script>"
    text = await (await app.test_client().get("/_inspector/")).get_data(as_text=True)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


# Settings -----------------------------------------------------------------------------------------------------------


async def test_another_path(make_app: Any) -> None:
    client = make_app(path="/tools/looking-glass").test_client()
    assert (await client.get("/_inspector/")).status_code == 404
    answer = await client.get(f"/tools/looking-glass?token={TOKEN}", follow_redirects=True)
    assert answer.status_code == 200
    assert "inspector.js" in await answer.get_data(as_text=True)


async def test_below_another_app(app: Quart) -> None:
    """Mounted somewhere, the cookie is for the path that the browser sees."""
    answer = await app.test_client().get(f"/mounted/_inspector/?token={TOKEN}", root_path="/mounted")
    assert answer.headers["Location"] == "/mounted/_inspector/"
    assert "Path=/mounted/_inspector/" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "/"}, "path is '/'; it has to be a path such as '/_inspector'"),
        ({"path": "inspector"}, "path is 'inspector'"),
        ({"token": "short"}, "token has 5 characters; it has to have 16 at least"),
        ({"history": 0}, "history is 0; it has to be a number from 1 to 10000"),
        ({"trusted_hosts": ["*"]}, "trusted_hosts has '*'"),
        ({"trusted_hosts": ["a.example:5000"]}, "give names without port"),
    ],
)
def test_settings_that_make_no_sense(make_app: Any, settings: dict[str, Any], message: str) -> None:
    app = make_app(**settings)
    with pytest.raises(PluginError, match=re.escape(message)):
        app.setup_plugins()
