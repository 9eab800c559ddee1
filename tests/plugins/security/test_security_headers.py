"""Headers on responses where some are configured, and hosts."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart, Response, abort, request, url_for, websocket
from quart_plug.exceptions import PluginLoadError, PluginSettingsError
from quart_plug.testing import WebsocketResponseError

ALL = {
    "strict_transport_security": "max-age=31536000; includeSubDomains",
    "content_security_policy": "default-src 'self'",
    "content_security_policy_report_only": "default-src 'none'",
    "cross_origin_embedder_policy": "require-corp",
    "cross_origin_opener_policy": "same-origin",
    "cross_origin_resource_policy": "same-site",
    "permissions_policy": "camera=()",
    "referrer_policy": "no-referrer",
    "x_content_type_options": "nosniff",
    "x_frame_options": "DENY",
}
HEADERS = {name.replace("_", "-").title(): value for name, value in ALL.items()}


def make_app(**headers: Any) -> Quart:
    app = Quart("strict")
    app.config["PLUGIN_CONFIG"] = {"security": headers}
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/")
    async def index() -> str:
        return "text"

    @app.get("/own")
    async def own() -> Any:
        return "text", {"x-frame-options": "SAMEORIGIN", "Referrer-Policy": "origin"}

    @app.get("/fails")
    async def fails() -> str:
        raise LookupError

    @app.get("/refuses")
    async def refuses() -> str:
        abort(418)

    @app.get("/without", plugins_disabled={"security"})
    async def without() -> str:
        return "text"

    return app


def found_in(response: Response) -> dict[str, str]:
    return {name: response.headers[name] for name in HEADERS if name in response.headers}


@pytest.mark.parametrize("path", ["/", "/fails", "/refuses", "/nowhere"])
async def test_every_response_has_them(path: str) -> None:
    response = await make_app(**ALL).test_client().get(path, scheme="https")
    assert found_in(response) == HEADERS


async def test_strict_transport_is_for_https() -> None:
    response = await make_app(**ALL).test_client().get("/")
    assert found_in(response) == {name: HEADERS[name] for name in HEADERS if name != "Strict-Transport-Security"}


async def test_behind_a_proxy_with_tls() -> None:
    app = make_app(**ALL)
    app.config["TRUSTED_PROXIES"] = 1
    response = await app.test_client().get("/", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in response.headers


async def test_a_views_own_win() -> None:
    response = await make_app(**ALL).test_client().get("/own")
    assert response.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert response.headers.getlist("Referrer-Policy") == ["origin"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("early", [True, False])
async def test_an_after_functions_own_win(early: bool) -> None:
    """Registered before the plugins are set up, or after."""
    app = make_app(**ALL)
    if not early:
        app.setup_plugins()

    @app.after_request
    async def frames(response: Response) -> Response:
        response.headers.add("X-Frame-Options", "SAMEORIGIN")
        return response

    assert (await app.test_client().get("/")).headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]


async def test_a_route_without_them() -> None:
    assert found_in(await make_app(**ALL).test_client().get("/without")) == {}


async def test_none_by_default() -> None:
    """And nothing of it in the plan of a route."""
    app = make_app()
    assert found_in(await app.test_client().get("/", scheme="https")) == {}
    assert app.after_request_funcs.get(None, []) == []


async def test_only_what_is_configured() -> None:
    response = await make_app(referrer_policy="origin").test_client().get("/")
    assert found_in(response) == {"Referrer-Policy": "origin"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("strict_transport_security", "31536000", "write it as 'max-age=31536000', in seconds"),
        ("x_content_type_options", "sniff", "there is no other value than 'nosniff'"),
        ("x_frame_options", "ALLOW-FROM https://a.example", "set frame-ancestors in content_security_policy"),
        ("referrer_policy", "a\r\nSet-Cookie: b=c", "it has to be the value of a header: one line of ASCII"),
        ("permissions_policy", "", "it has to be the value of a header"),
        ("content_security_policy", " default-src", "it has to be the value of a header"),
        ("content_security_policy", 5, "content_security_policy"),
        ("x_frame_option", "DENY", "x_frame_options"),
    ],
)
async def test_a_bad_value_stops_the_start(name: str, value: Any, words: str) -> None:
    with pytest.raises((PluginLoadError, PluginSettingsError), match=words) as caught:
        await make_app(**{name: value}).startup()
    assert "security" in str(caught.value)


# Hosts: the kernel's, for both kinds --------------------------------------------------------------------------------


def make_hosts(**config: Any) -> Quart:
    app = Quart("hosts")
    app.config.update(config)
    app.add_url_rule("/<what>", "touch", lambda what: str(getattr(request, what)))
    app.add_url_rule("/", "index", lambda: url_for("index", _external=True))

    @app.websocket("/ws/<what>")
    async def ws(what: str) -> None:
        await websocket.send(str(getattr(websocket, what)))

    return app


async def answer(app: Quart, kind: str, what: str, host: str) -> tuple[int, str]:
    if kind == "request":
        response = await app.test_client().get(f"/{what}", headers={"Host": host})
        return response.status_code, await response.get_data(as_text=True)
    try:
        async with app.test_client().websocket(f"/ws/{what}", headers={"Host": host}) as connection:
            return 200, str(await connection.receive())
    except WebsocketResponseError as refused:
        return refused.response.status_code, ""


KINDS = pytest.mark.parametrize("kind", ["request", "websocket"])
BAD_HOSTS = ["evil/x?", "evil?x", "evil#x", "user@evil", "a b", "a,b", "a:b", "a:99999", "[::1", "ü"]


@KINDS
@pytest.mark.parametrize("what", ["host", "url", "base_url", "host_url", "root_url"])
@pytest.mark.parametrize("host", BAD_HOSTS, ids=ascii)
async def test_what_is_no_host(kind: str, what: str, host: str) -> None:
    """No address is made of it: it could have another path than the one that was matched."""
    assert (await answer(make_hosts(), kind, what, host))[0] == 400


@KINDS
@pytest.mark.parametrize("host", ["shop.example", "shop.example:8080", "127.0.0.1", "[::1]:80", ""])
async def test_what_is_a_host(kind: str, host: str) -> None:
    found = await answer(make_hosts(), kind, "host", host)
    assert found == (200, host.removesuffix(":80"))


async def test_an_external_address_of_what_is_no_host() -> None:
    response = await make_hosts().test_client().get("/", headers={"Host": "evil/x?"})
    assert response.status_code == 400


async def test_two_hosts() -> None:
    scope = {"headers": [(b"host", b"a.example"), (b"host", b"b.example")]}
    assert (await make_hosts().test_client().get("/host", scope_base=scope)).status_code == 400


@KINDS
@pytest.mark.parametrize(
    ("host", "status"),
    [("shop.example", 200), ("shop.example:8080", 200), ("www.shop.example", 400), ("a.open.example", 200),
     ("open.example", 200), ("evil.example", 400), ("shop.example.evil.example", 400), ("shop.example/x?", 400),
     ("", 400)],
)  # fmt: skip
async def test_trusted_hosts(kind: str, host: str, status: int) -> None:
    app = make_hosts(TRUSTED_HOSTS=["shop.example", ".open.example"])
    assert (await answer(app, kind, "method", host))[0] == status
