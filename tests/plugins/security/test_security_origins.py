"""Whose pages may open a websocket: the plugin's check of handshakes, through the client."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart, websocket
from quart_plug.exceptions import PluginLoadError
from quart_plug.testing import WebsocketResponseError
from quart_plug_security.origins import ANY, NULL, OWN, Policy, policy, refusal

COOKIE = ("Cookie", "session=x")
EVIL = "https://evil.example"


def make_app(**config: Any) -> Quart:
    app = Quart("guarded")
    app.config.update(config)

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send("hello")

    @app.websocket("/open", allowed_origins="*")
    async def opened() -> None:
        await websocket.send("hello")

    @app.websocket("/partners", allowed_origins=[EVIL])
    async def partners() -> None:
        await websocket.send("hello")

    @app.websocket("/without", plugins_disabled={"security"})
    async def without() -> None:
        await websocket.send("hello")

    return app


async def status(app: Quart, *headers: tuple[str, str], path: str = "/ws", **options: Any) -> int:
    """101 for a handshake that was accepted, or the status of its refusal."""
    try:
        async with app.test_client().websocket(path, headers=Headers(headers), **options) as connection:
            assert await connection.receive() == "hello"
    except WebsocketResponseError as refused:
        return refused.response.status_code
    return 101


# Scheme, host and port of (the scope, the header Host) and of Origin
SAME = [
    ("ws", "localhost", "http://localhost"),
    ("ws", "localhost", "HTTP://LOCALHOST:80"),
    ("ws", "localhost:80", "http://localhost"),
    ("ws", "localhost:5000", "http://localhost:5000"),
    ("ws", "Shop.Example", "http://shop.example"),
    ("ws", "shop.example.", "http://shop.example"),
    ("wss", "shop.example", "https://shop.example"),
    ("wss", "shop.example:443", "https://shop.example"),
    ("wss", "shop.example", "https://shop.example.:443"),
    ("http", "shop.example", "http://shop.example"),  # what some servers call a websocket's scheme
    ("https", "shop.example", "https://shop.example"),
    ("ws", "[::1]:5000", "http://[0:0::1]:5000"),
    ("ws", "xn--bcher-kva.example", "http://xn--bcher-kva.example"),
]
FOREIGN = [
    ("ws", "localhost", EVIL),
    ("ws", "localhost", "https://localhost"),
    ("wss", "localhost", "http://localhost"),
    ("ws", "localhost:5000", "http://localhost"),
    ("ws", "localhost", "http://localhost:5000"),
    ("wss", "shop.example", "https://shop.example:80"),
    ("ws", "shop.example", "http://www.shop.example"),
    ("ws", "shop.example", "http://shop.example.evil.example"),
    ("ws", "shop.example", "http://evilshop.example"),
    ("ws", "shop.example", "http://shop.example@evil.example"),
    ("ws", "shop.example", "http://evil.example/shop.example"),
    ("ws", "shop.example", "http://shop.example/"),
    ("ws", "shop.example", "null"),
    ("ws", "null", "null"),
    ("ws", "shop.example", ""),
    ("ws", "shop.example", "ws://shop.example"),
    ("ws", "shop.example", "shop.example"),
    ("ws", "shop.example", "*"),
    ("ws", "shop.example", "http://shop.example, http://evil.example"),
    ("ws", "", "http://localhost"),
    ("ws", "evil/x?", "http://evil"),
    ("ws", "[::1]:5000", "http://[::2]:5000"),
]
CREDENTIALS: dict[str, tuple[tuple[str, str], ...]] = {
    "cookie": (COOKIE,),
    "authorization": (("Authorization", "Basic eDp5"),),
    "both": (COOKIE, ("Authorization", "Bearer x")),
}


@pytest.mark.parametrize(("scheme", "host", "origin"), SAME)
async def test_the_applications_own_pages(scheme: str, host: str, origin: str) -> None:
    app = make_app()
    for name, credentials in CREDENTIALS.items():
        given = (("Host", host), ("Origin", origin), *credentials)
        assert await status(app, *given, scheme=scheme) == 101, name


@pytest.mark.parametrize(("scheme", "host", "origin"), FOREIGN)
async def test_pages_of_others(scheme: str, host: str, origin: str) -> None:
    """Refused with credentials of any kind, and only with them."""
    app = make_app()
    for name, credentials in CREDENTIALS.items():
        given = (("Host", host), ("Origin", origin), *credentials)
        assert await status(app, *given, scheme=scheme) == 403, name
    assert await status(app, ("Host", host), ("Origin", origin), scheme=scheme) == 101


async def test_a_client_certificate_is_a_credential() -> None:
    for tls, expected in (
        ({"client_cert_chain": ["-----BEGIN CERTIFICATE-----"]}, 403),
        ({"client_cert_name": "CN=ada"}, 403),
        ({"client_cert_chain": [], "client_cert_name": None}, 101),
    ):
        base = {"extensions": {"websocket.http.response": {}, "tls": tls}}
        assert await status(make_app(), ("Origin", EVIL), scope_base=base) == expected


async def test_a_token_as_a_subprotocol_is_none() -> None:
    """The page has to know it; the browser adds nothing."""
    assert await status(make_app(), ("Origin", EVIL), subprotocols=["chat", "t0ken"]) == 101


async def test_several_origins() -> None:
    own = ("Origin", "http://localhost")
    assert await status(make_app(), own, own, COOKIE) == 403
    assert await status(make_app(), own, ("Origin", EVIL), COOKIE) == 403
    assert await status(make_app(WEBSOCKET_ALLOWED_ORIGINS="*"), own, ("Origin", EVIL), COOKIE) == 101


# Without an origin --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credentials", CREDENTIALS)
async def test_no_origin(credentials: str) -> None:
    given = CREDENTIALS[credentials]
    assert await status(make_app(), *given) == 101
    assert await status(make_app(WEBSOCKET_REQUIRE_ORIGIN=True), *given) == 403
    assert await status(make_app(WEBSOCKET_REQUIRE_ORIGIN=True, WEBSOCKET_ALLOWED_ORIGINS="*"), *given) == 101


async def test_no_origin_and_no_credentials() -> None:
    assert await status(make_app(WEBSOCKET_REQUIRE_ORIGIN=True)) == 101


@pytest.mark.parametrize(("site", "expected"), [("cross-site", 403), ("same-site", 403), ("same-origin", 101)])
async def test_a_browser_whose_origin_was_taken_away(site: str, expected: int) -> None:
    assert await status(make_app(), COOKIE, ("Sec-Fetch-Site", site)) == expected


# Settings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        (None, EVIL, 403),
        ([], EVIL, 403),
        ("", EVIL, 403),
        ("same-origin", EVIL, 403),
        ("same-origin", "http://localhost", 101),
        ("*", EVIL, 101),
        ("*", "null", 101),
        ("*", "what is this", 101),
        (["*"], EVIL, 101),
        (EVIL, EVIL, 101),
        (EVIL, "http://localhost", 101),
        (EVIL, "http://evil.example", 403),
        (EVIL, "https://evil.example:8443", 403),
        (EVIL, "null", 403),
        (["https://a.example", EVIL], EVIL, 101),
        (("https://a.example", EVIL), "https://a.example", 101),
        ({"HTTPS://EVIL.example.:443"}, EVIL, 101),
        (f"https://a.example , {EVIL}", EVIL, 101),
        ("null", "null", 101),
        ("null", EVIL, 403),
        (["https://bücher.example:8443"], "https://xn--bcher-kva.example:8443", 101),
        (["https://xn--strae-oqa.example"], "https://xn--strae-oqa.example", 101),
        (["chrome-extension://abcdefgh"], "chrome-extension://abcdefgh", 101),
        (["chrome-extension://abcdefgh"], "chrome-extension://hgfedcba", 403),
        (["http://[::1]:3000"], "http://[0::1]:3000", 101),
    ],
)
async def test_the_setting(allowed: Any, origin: str, expected: int) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=allowed)
    assert await status(app, ("Origin", origin), COOKIE) == expected


BAD = {
    "shop.example": "which has no scheme: write 'https://shop.example'",
    "wss://shop.example": "write 'https://shop.example'",
    "ws://shop.example:1": "write 'http://shop.example:1'",
    "https://*.shop.example": "origins are compared exactly; name each, or '*' for all",
    "https://shop.example/": "leave the slash at the end out",
    "https://shop.example/chat": "which is no origin",
    "https://shop.example:99999": "which is no origin",
    "https://user@shop.example": "which is no origin",
    "https://straße.example": "write it as browsers do, as 'xn--…'",
    "https://" + "ü" * 70 + ".example": "write it as browsers do, as 'xn--…'",
}


@pytest.mark.parametrize("bad", BAD, ids=ascii)
async def test_a_bad_setting_stops_the_start(bad: str) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://good.example", bad])
    with pytest.raises(PluginLoadError) as caught:
        await app.startup()
    assert "WEBSOCKET_ALLOWED_ORIGINS has " in str(caught.value) and bad in str(caught.value)
    assert BAD[bad] in str(caught.value)


@pytest.mark.parametrize("bad", [5, True, [5], {"https://a.example": 5, 5: 5}, b"https://a.example", [None]])
async def test_a_setting_of_another_type(bad: Any) -> None:
    with pytest.raises(PluginLoadError, match="WEBSOCKET_ALLOWED_ORIGINS"):
        await make_app(WEBSOCKET_ALLOWED_ORIGINS=bad).startup()


async def test_a_bad_option_of_a_route_stops_the_start() -> None:
    app = make_app()
    app.add_websocket("/bad", "bad", lambda: None, allowed_origins=["shop.example"])
    with pytest.raises(PluginLoadError, match=r"allowed_origins of the rule '/bad' has 'shop\.example'"):
        await app.startup()


def test_the_option_is_for_websockets() -> None:
    with pytest.raises(TypeError, match="allowed_origins is for websockets"):
        make_app().add_url_rule("/x", "x", lambda: "", allowed_origins="*")


async def test_a_setting_is_changed_later() -> None:
    """The next handshake sees it; what makes no sense is told where it is set."""
    app = make_app()
    assert await status(app, ("Origin", EVIL), COOKIE) == 403
    app.config["WEBSOCKET_ALLOWED_ORIGINS"] = [EVIL]
    assert await status(app, ("Origin", EVIL), COOKIE) == 101
    with pytest.raises(ValueError, match="has no scheme"):
        app.config["WEBSOCKET_ALLOWED_ORIGINS"] = ["evil.example"]


@pytest.mark.parametrize(
    ("path", "origin", "expected"),
    [
        ("/open", EVIL, 101),
        ("/open", "null", 101),
        ("/partners", EVIL, 101),
        ("/partners", "http://localhost", 101),
        ("/partners", "https://a.example", 403),  # the setting does not count there
        ("/without", EVIL, 101),
        ("/ws", "https://a.example", 101),
        ("/nowhere", EVIL, 403),
    ],
)
async def test_a_route_has_its_own_answer(path: str, origin: str, expected: int) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://a.example"])
    assert await status(app, ("Origin", origin), COOKIE, path=path) == expected


async def test_the_plugin_is_off() -> None:
    assert await status(make_app(PLUGINS_DISABLED=["security"]), ("Origin", EVIL), COOKIE) == 101


async def test_requests_are_not_concerned() -> None:
    app = make_app()
    app.add_url_rule("/", "index", lambda: "text")
    answer = await app.test_client().get("/", headers={"Origin": EVIL, "Cookie": "session=x"})
    assert answer.status_code == 200
    assert app.hooks.call("request_before") is None and app.hooks.call("request_after") is None


UNDER_THE_ALIAS = """
import asyncio

import quart_plug

quart_plug.install_as_quart()
from quart import Quart, websocket
from quart.testing import WebsocketResponseError

EVIL = "https://evil.example"


async def status(**config):
    app = Quart("app")
    app.config.update(config)

    @app.websocket("/ws")
    async def ws():
        await websocket.send("hello")

    try:
        async with app.test_client().websocket("/ws", headers={"Origin": EVIL, "Cookie": "a=b"}) as connection:
            await connection.receive()
    except WebsocketResponseError as refused:
        return refused.response.status_code
    return 101


async def main():
    print(await status(), *[await status(WEBSOCKET_ALLOWED_ORIGINS=value) for value in ("same-origin", [], [EVIL])])


asyncio.run(main())
"""


def test_under_the_alias() -> None:
    """An application for Quart runs as it stands; what it configures holds."""
    done = subprocess.run(
        [sys.executable, "-c", UNDER_THE_ALIAS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "101 403 403 101\n", done.stderr


# What a refusal is --------------------------------------------------------------------------------------------------


async def test_nothing_of_the_application_runs_before_it() -> None:
    app = make_app()
    called: list[str] = []
    app.before_websocket(lambda: called.append("before"))
    app.errorhandler(403)(lambda error: called.append("handler"))
    assert await status(app, ("Origin", EVIL), COOKIE) == 403
    assert called == []
    assert await status(app, COOKIE) == 101
    assert called == ["before"]


async def test_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://a.example"])
    with caplog.at_level(logging.WARNING), pytest.raises(WebsocketResponseError) as caught:
        async with app.test_client().websocket("/ws", headers=dict([COOKIE]) | {"Origin": EVIL}) as connection:
            await connection.receive()
    response = caught.value.response
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "not open to pages of another origin" in await response.get_data(as_text=True)
    [record] = caplog.records
    message = record.getMessage()
    assert message.startswith("Refused websocket ") and message.endswith(
        " for /ws: its origin is 'https://evil.example'; expected 'http://localhost' or 'https://a.example'; "
        "see WEBSOCKET_ALLOWED_ORIGINS."
    )


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([("Origin", "https://localhost")], ["Only the scheme differs", "TRUSTED_PROXIES"]),
        ([("Origin", "http://localhost:1")], ["Only the port differs"]),
        ([("Origin", EVIL), ("Host", "x y")], ["header Host, which cannot be read"]),
        ([("Origin", "x\x1b[31m" * 100)], ["\\x1b[31m", "…"]),
        ([("Origin", EVIL), ("Origin", EVIL)], ["is given 2 times"]),
        ([("Sec-Fetch-Site", "cross-site")], ["is missing"]),
    ],
)
async def test_what_the_log_suspects(
    headers: list[tuple[str, str]], words: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert await status(make_app(), *headers, COOKIE) == 403
    [record] = caplog.records
    assert all(word in record.getMessage() for word in words), record.getMessage()
    assert "\x1b" not in record.getMessage() and len(record.getMessage()) < 700


def test_the_policy_alone() -> None:
    """Open, own, null: the words of the setting."""
    assert policy(ANY, "X") == Policy(open=True)
    assert policy([OWN, NULL], "X") == Policy(null=True)
    scope = {"type": "websocket", "headers": [(b"cookie", b"a=b"), (b"origin", b"http://a")]}
    refused = refusal(scope, Policy(), False)
    assert refused is not None and refused.seen == "'http://a'"
