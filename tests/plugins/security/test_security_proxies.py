"""What proxies say is believed as far as they are trusted, and no further."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quart_plug import Quart, redirect, request, url_for, websocket
from quart_plug.exceptions import PluginLoadError
from quart_plug.origins import AS_RECEIVED
from quart_plug.testing import WebsocketResponseError
from quart_plug_security.proxies import HEADERS, scope_filter

PROXY = ("10.0.0.1", 40000)
ALL_X = [name for name in HEADERS if name != "forwarded"]


def make_app(proxies: Any, headers: Any = None, **config: Any) -> Quart:
    app = Quart("proxied")
    app.config.update(TRUSTED_PROXIES=proxies, **config)
    if headers is not None:
        app.config["TRUSTED_PROXY_HEADERS"] = headers

    def seen(connection: Any) -> dict[str, Any]:
        return {
            "client": connection.remote_addr,
            "scheme": connection.scheme,
            "host": connection.host,
            "root": connection.root_path,
            "path": connection.path,
            "url": connection.url,
        }

    @app.get("/")
    async def index() -> Any:
        return seen(request)

    @app.get("/built")
    async def built() -> Any:
        return {"url": url_for("index", _external=True), "secure": request.is_secure}

    @app.get("/away")
    async def away() -> Any:
        return redirect(url_for("index", _external=True))

    @app.get("/slash/")
    async def slash() -> str:
        return ""

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(seen(websocket))

    return app


async def seen_by(
    app: Quart, kind: str, peer: Any = PROXY, server: Any = ("127.0.0.1", 5000), **headers: str
) -> dict[str, Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {"client": peer, "server": server}
    if kind == "request":
        return await (await app.test_client().get("/", headers=given, scope_base=base)).get_json()  # type: ignore[no-any-return]
    async with app.test_client().websocket("/ws", headers=given, scope_base=base) as connection:
        return await connection.receive_json()  # type: ignore[no-any-return]


KINDS = pytest.mark.parametrize("kind", ["request", "websocket"])
SPOOFED = {
    "X_Forwarded_For": "203.0.113.9",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Port": "8443",
    "X_Forwarded_Prefix": "/evil",
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
}


@KINDS
@pytest.mark.parametrize(
    ("proxies", "peer", "server"),
    [
        (None, PROXY, None),
        ([], PROXY, None),
        (0, PROXY, None),
        (["10.0.0.2"], PROXY, None),
        (["10.0.0.0/32", "fd00::/8"], PROXY, None),
        (["10.0.0.0/8"], ("11.0.0.1", 1), None),
        (["10.0.0.0/8"], ("::1", 1), None),
        (["10.0.0.0/8"], ("10.0.0.1.evil.example", 1), None),
        (["10.0.0.0/8"], None, None),
        (["10.0.0.0/8"], None, ("/run/app.sock", None)),
        (["unix"], PROXY, ("/run/app.sock", None)),
        (["unix"], ("", 0), ("127.0.0.1", 5000)),
        (["unix"], None, ("127.0.0.1", 5000)),
    ],
)
@pytest.mark.parametrize("headers", [ALL_X, ["forwarded"]], ids=["x", "forwarded"])
async def test_others_are_not_believed(kind: str, proxies: Any, peer: Any, server: Any, headers: list[str]) -> None:
    found = await seen_by(make_app(proxies, headers), kind, peer, server, **SPOOFED)
    assert (found["client"], found["host"], found["root"]) == (peer[0] if peer else "<local>", "localhost", "")
    assert found["scheme"] in ("http", "ws")


@KINDS
@pytest.mark.parametrize(
    ("proxies", "peer", "server"),
    [
        (["10.0.0.1"], PROXY, None),
        ("10.0.0.1", PROXY, None),
        ("192.168.0.0/16, 10.0.0.0/8", PROXY, None),
        (["10.0.0.0/8"], ("::ffff:10.0.0.1", 1), None),
        (["fd00::/8"], ("fd00::1", 1), None),
        (["unix"], None, ("/run/app.sock", None)),
        (["unix"], ("", 0), ("/run/app.sock", None)),
        (["unix"], None, None),
        (["*"], ("192.0.2.1", 1), None),
        ("*", None, None),
        (1, ("192.0.2.1", 1), None),
        ("1", None, None),
    ],
)
async def test_a_trusted_proxy_is_believed(kind: str, proxies: Any, peer: Any, server: Any) -> None:
    found = await seen_by(make_app(proxies, ALL_X), kind, peer, server, **SPOOFED)
    secure = "https" if kind == "request" else "wss"
    path = "/" if kind == "request" else "/ws"
    assert found == {
        "client": "203.0.113.9",
        "scheme": secure,
        "host": "evil.example:8443",
        "root": "/evil",
        "path": path,
        "url": f"{secure}://evil.example:8443/evil{path}",
    }


@KINDS
async def test_what_is_believed_by_default(kind: str) -> None:
    """What every proxy sets, or is told to set; the others may be the client's."""
    found = await seen_by(make_app(["10.0.0.1"]), kind, **SPOOFED)
    assert (found["client"], found["scheme"][-1], found["host"], found["root"]) == ("203.0.113.9", "s", "localhost", "")


@pytest.mark.parametrize(
    ("proxies", "value", "client"),
    [
        (["10.0.0.0/8"], "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (["10.0.0.0/8"], "1.1.1.1, 2.2.2.2, 10.0.0.7, 10.0.0.8", "2.2.2.2"),
        (["10.0.0.0/8"], "10.0.0.6, 2.2.2.2, 10.0.0.7", "2.2.2.2"),
        (["10.0.0.0/8"], "10.0.0.6, 10.0.0.7", "10.0.0.6"),
        (["10.0.0.0/8"], "1.1.1.1, unknown, 10.0.0.7", "10.0.0.7"),
        (["10.0.0.0/8"], "1.1.1.1, unknown", "10.0.0.1"),
        (["10.0.0.0/8"], "", "10.0.0.1"),
        (["10.0.0.0/8"], " , ,2.2.2.2, ", "2.2.2.2"),
        (["10.0.0.0/8"], "2.2.2.2:8080", "2.2.2.2"),
        (["10.0.0.0/8"], "2001:DB8:0::1", "2001:db8::1"),
        (["10.0.0.0/8"], "[2001:db8::1]:8080", "2001:db8::1"),
        (["10.0.0.0/8"], "::ffff:2.2.2.2", "2.2.2.2"),
        (["10.0.0.0/8"], "1.1.1.1, ::ffff:10.9.9.9", "1.1.1.1"),
        (["10.0.0.0/8"], "2.2.2.2:99999", "10.0.0.1"),
        (["10.0.0.0/8"], "2.2.2", "10.0.0.1"),
        (["*"], "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "0.0.0.9, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (3, "1.1.1.1, 2.2.2.2", "10.0.0.1"),
        (1, "", "10.0.0.1"),
    ],
)
async def test_the_clients_address(proxies: Any, value: str, client: str) -> None:
    assert (await seen_by(make_app(proxies), "request", X_Forwarded_For=value))["client"] == client
    elements = ", ".join(f'for="{part.strip()}"' for part in value.split(",") if part.strip())
    if "2001:" not in value and "::" not in value:  # in brackets there
        found = await seen_by(make_app(proxies, "forwarded"), "request", Forwarded=elements)
        assert found["client"] == client


async def test_a_header_in_several_lines() -> None:
    """The lines are one list; else a client could hide the proxy's entry behind a line of its own."""
    filters = scope_filter({"TRUSTED_PROXIES": ["10.0.0.1"], "TRUSTED_PROXY_HEADERS": ["x-forwarded-for"]}, print)
    assert filters is not None
    lines = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2")]
    scope = {"type": "http", "client": PROXY, "path": "/", "headers": lines}
    found = filters(scope)
    assert found["client"] == ("2.2.2.2", 0)
    assert found[AS_RECEIVED] is scope and scope["client"] == PROXY


@KINDS
@pytest.mark.parametrize(
    ("proto", "secure"),
    [("https", True), ("HTTPS", True), ("wss", True), ("http", False), ("ws", False), ("ftp", False),
     ("https, http", False), ("http, https", True), ("", False), ("https;", False)],
)  # fmt: skip
async def test_the_scheme(kind: str, proto: str, secure: bool) -> None:
    found = await seen_by(make_app(["10.0.0.1"]), kind, X_Forwarded_Proto=proto)
    assert found["scheme"] == ("http" if kind == "request" else "ws") + ("s" if secure else "")


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"X_Forwarded_Host": "shop.example"}, "shop.example"),
        ({"X_Forwarded_Host": "evil.example, shop.example"}, "shop.example"),
        ({"X_Forwarded_Host": "Shop.Example:8080"}, "shop.example:8080"),
        ({"X_Forwarded_Host": "shop.example:80"}, "shop.example"),
        ({"X_Forwarded_Host": "shop.example:443", "X_Forwarded_Proto": "https"}, "shop.example"),
        ({"X_Forwarded_Host": "[::1]:8080"}, "[::1]:8080"),
        ({"X_Forwarded_Host": "evil/x?"}, "localhost"),
        ({"X_Forwarded_Host": "a b"}, "localhost"),
        ({"X_Forwarded_Port": "8443"}, "localhost:8443"),
        ({"X_Forwarded_Port": "443", "X_Forwarded_Proto": "https"}, "localhost"),
        ({"X_Forwarded_Port": "80"}, "localhost"),
        ({"X_Forwarded_Port": "0"}, "localhost"),
        ({"X_Forwarded_Port": "８０"}, "localhost"),
        ({"X_Forwarded_Port": "99999"}, "localhost"),
        ({"X_Forwarded_Host": "shop.example:1", "X_Forwarded_Port": "2"}, "shop.example:2"),
        ({"X_Forwarded_Host": "shop.example:1", "X_Forwarded_Port": "x"}, "shop.example:1"),
    ],
)
async def test_the_host(headers: dict[str, str], host: str) -> None:
    assert (await seen_by(make_app(["10.0.0.1"], ALL_X), "request", **headers))["host"] == host


async def test_a_host_where_the_client_sent_none() -> None:
    filters = scope_filter({"TRUSTED_PROXIES": 1, "TRUSTED_PROXY_HEADERS": "x-forwarded-host"}, print)
    assert filters is not None
    scope = {"type": "http", "path": "/", "headers": [(b"x-forwarded-host", b"shop.example")]}
    assert filters(scope)["headers"][0] == (b"host", b"shop.example")


@pytest.mark.parametrize(
    ("prefix", "root"),
    [("/app", "/app"), ("/app/", "/app"), ("/a/b", "/a/b"), ("/evil, /app", "/app"), ("/", ""), ("app", ""),
     ("//evil", ""), ("/a//b", ""), ("/../x", ""), ("/a/./b", ""), ("/a?b", ""), ("/a b", ""), ("/%2e", ""),
     ("http://evil.example", "")],
)  # fmt: skip
async def test_the_prefix(prefix: str, root: str) -> None:
    found = await seen_by(make_app(["10.0.0.1"], ALL_X), "request", X_Forwarded_Prefix=prefix)
    assert (found["root"], found["path"], found["url"]) == (root, "/", f"http://localhost{root}/")


@pytest.mark.parametrize(
    ("value", "client", "scheme", "host"),
    [
        ("for=2.2.2.2;proto=https;host=shop.example", "2.2.2.2", "https", "shop.example"),
        ("For=2.2.2.2 ; Proto=https", "2.2.2.2", "https", "localhost"),
        ('for="[2001:db8::1]:80";host="shop.example:8080"', "2001:db8::1", "http", "shop.example:8080"),
        ('for="2.2.2\\.2"', "2.2.2.2", "http", "localhost"),
        ("for=1.1.1.1;proto=https;host=evil.example, for=2.2.2.2", "2.2.2.2", "http", "localhost"),
        ("for=2.2.2.2;proto=https, for=10.0.0.7;proto=http", "2.2.2.2", "https", "localhost"),
        ("for=2.2.2.2, for=10.0.0.7;proto=https", "2.2.2.2", "https", "localhost"),
        ('for="evil, for=2.2.2.2', "2.2.2.2", "http", "localhost"),
        ('for=1.1.1.1;x="evil, for=2.2.2.2;proto=https;y="', "10.0.0.1", "http", "localhost"),
        ('for="evil, for=10.0.0.7;proto=https', "10.0.0.7", "https", "localhost"),
        ("for=_hidden;proto=https, for=10.0.0.7", "10.0.0.7", "https", "localhost"),
        ("for=unknown;proto=https", "10.0.0.1", "https", "localhost"),
        ("proto=https", "10.0.0.1", "https", "localhost"),
        ("for=1.1.1.1;for=2.2.2.2", "10.0.0.1", "http", "localhost"),
        ("2.2.2.2", "10.0.0.1", "http", "localhost"),
        ("", "10.0.0.1", "http", "localhost"),
    ],
)
async def test_forwarded(value: str, client: str, scheme: str, host: str) -> None:
    found = await seen_by(make_app(["10.0.0.0/8"], ["forwarded"]), "request", Forwarded=value)
    assert (found["client"], found["scheme"], found["host"]) == (client, scheme, host)


async def test_what_rests_on_it() -> None:
    app = make_app(["10.0.0.1"], ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"])
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Forwarded-Prefix": "/app"}
    client = app.test_client()

    async def get(path: str) -> Any:
        return await client.get(path, headers=said, scope_base={"client": PROXY})

    assert await (await get("/built")).get_json() == {"url": "https://shop.example/app/", "secure": True}
    assert (await get("/away")).headers["Location"] == "https://shop.example/app/"
    assert (await get("/slash")).headers["Location"].endswith("/app/slash/")


@pytest.mark.parametrize(("proxies", "expected"), [(["10.0.0.1"], 101), (["10.0.0.2"], 403), (None, 403)])
async def test_the_origin_of_a_page_behind_tls(proxies: Any, expected: int) -> None:
    """The scope says ws, the page is https."""
    app = make_app(proxies)
    headers = {"Origin": "https://localhost", "Cookie": "a=b", "X-Forwarded-Proto": "https"}
    status = 101
    try:
        async with app.test_client().websocket("/ws", headers=headers, scope_base={"client": PROXY}) as connection:
            await connection.receive()
    except WebsocketResponseError as refused:
        status = refused.response.status_code
    assert status == expected


@KINDS
@pytest.mark.parametrize(("host", "status"), [("shop.example", 200), ("evil.example", 400)])
async def test_trusted_hosts_are_asked_about_what_the_proxy_said(kind: str, host: str, status: int) -> None:
    app = make_app(["10.0.0.1"], ["x-forwarded-host"], TRUSTED_HOSTS=["shop.example"])
    try:
        found = await seen_by(app, kind, X_Forwarded_Host=host)
        assert found is None or found["host"] == host
        answered = 400 if found is None else 200
    except WebsocketResponseError as refused:
        answered = refused.response.status_code
    assert answered == status


async def test_middleware_sees_it() -> None:
    app = make_app(["10.0.0.1"])
    inner, seen = app.asgi_app, []

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(scope["client"])
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]  # as middleware does
    async with app.test_app() as serving:
        await serving.test_client().get("/", headers={"X-Forwarded-For": "2.2.2.2"}, scope_base={"client": PROXY})
    assert seen == [("2.2.2.2", 0)]


async def test_nothing_is_in_the_way_when_nobody_is_trusted() -> None:
    app = make_app(None)
    await app.test_client().get("/")
    assert app._entrance == app._connection
    app.config["TRUSTED_PROXIES"] = ["10.0.0.1"]  # the next connection sees it
    assert (await seen_by(app, "request", X_Forwarded_For="2.2.2.2"))["client"] == "2.2.2.2"
    app.config["TRUSTED_PROXIES"] = None
    assert (await seen_by(app, "request", X_Forwarded_For="2.2.2.2"))["client"] == "10.0.0.1"


async def test_a_value_that_is_ignored_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await seen_by(make_app(["10.0.0.1"]), "request", X_Forwarded_For="1.1.1.1, what", X_Forwarded_Proto="gopher")
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "Ignored what a proxy has said: x-forwarded-for has 'what', which is no address",
        "Ignored what a proxy has said: the scheme is said to be 'gopher', which is neither http nor https",
    ]


BAD: dict[str, tuple[Any, Any, str]] = {
    "true": (True, None, "TRUSTED_PROXIES is True; it has to be a list"),
    "negative": (-1, None, "TRUSTED_PROXIES is -1"),
    "float": (1.5, None, "TRUSTED_PROXIES is 1.5"),
    "mapping": ({"10.0.0.1": 1}, None, "TRUSTED_PROXIES is "),
    "host bits": (["10.0.0.1/8"], None, "TRUSTED_PROXIES has '10.0.0.1/8' (10.0.0.1/8 has host bits set)"),
    "a name": (["proxy.internal"], None, "give addresses and networks"),
    "a number in a list": ([1], None, "TRUSTED_PROXIES has 1 (it is no text)"),
    "unknown header": (1, ["x-real-ip"], "TRUSTED_PROXY_HEADERS has 'x-real-ip'; there are forwarded, x-forwarded-for"),
    "not a list": (1, 5, "TRUSTED_PROXY_HEADERS is 5"),
    "both kinds": (1, ["forwarded", "x-forwarded-host"], "TRUSTED_PROXY_HEADERS has 'forwarded' beside others"),
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_setting_stops_the_start(bad: str) -> None:
    proxies, headers, words = BAD[bad]
    with pytest.raises(PluginLoadError) as caught:
        await make_app(proxies, headers).startup()
    assert words in str(caught.value)


async def test_a_bad_setting_is_told_where_it_is_set() -> None:
    app = make_app(None)
    app.setup_plugins()
    with pytest.raises(ValueError, match="TRUSTED_PROXIES has 'nobody'"):
        app.config["TRUSTED_PROXIES"] = ["nobody"]


# Whatever is sent ---------------------------------------------------------------------------------------------------

ADDRESSES = st.one_of(
    st.ip_addresses(network="10.0.0.0/8").map(str),
    st.ip_addresses(network="198.51.100.0/24").map(str),
    st.ip_addresses(v=6).map(str),
    st.sampled_from(["unknown", "_x", "", "1.2.3", '"', "for=", "[::1]:5", "1.1.1.1:1", "\\", ";", "="]),
    st.text(st.characters(max_codepoint=255), max_size=8),
)
NAMES = st.sampled_from([name.encode() for name in HEADERS])
RAW = st.lists(
    st.tuples(NAMES, st.one_of(st.lists(ADDRESSES, max_size=4).map(", ".join), st.text(max_size=20)).map(
        lambda text: text.encode("latin-1", "replace"))),
    max_size=5,
)  # fmt: skip
TRUST = st.sampled_from([1, 2, ["10.0.0.0/8"], ["*"], ["unix"], ["fd00::/8", "10.0.0.1"]])
PEERS = st.one_of(st.none(), st.tuples(st.ip_addresses().map(str) | st.text(max_size=5), st.integers(0, 65535)))


def filters_for(proxies: Any, headers: Any) -> Any:
    return scope_filter({"TRUSTED_PROXIES": proxies, "TRUSTED_PROXY_HEADERS": headers}, lambda text: None)


@settings(max_examples=300)
@given(TRUST, st.booleans(), PEERS, RAW, st.sampled_from(["http", "websocket"]))
@example(["*"], False, None, [(b"forwarded", b'for="' + b"," * 5000)], "http")
def test_nothing_raises(proxies: Any, x: bool, peer: Any, raw: list[tuple[bytes, bytes]], kind: str) -> None:
    scope = {"type": kind, "client": peer, "path": "/", "root_path": "", "raw_path": b"/", "headers": raw}
    before = repr(scope)
    found = filters_for(proxies, ALL_X if x else ["forwarded"])(scope)
    assert repr(scope) == before
    assert found is scope or found[AS_RECEIVED] is scope
    assert found.get("scheme") in (None, "http", "https", "ws", "wss")
    assert found["path"].startswith(found["root_path"])


@given(st.booleans(), st.ip_addresses(network="198.51.100.0/24").map(str), RAW)
def test_a_peer_that_is_not_trusted_is_never_believed(x: bool, peer: str, raw: list[tuple[bytes, bytes]]) -> None:
    scope = {"type": "http", "client": (peer, 1), "server": ("a", 1), "path": "/", "headers": raw}
    assert filters_for(["10.0.0.0/8", "unix"], ALL_X if x else ["forwarded"])(scope) is scope


@settings(max_examples=200)
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    st.ip_addresses(network="198.51.100.0/24").map(str),
    st.lists(st.ip_addresses(network="10.0.0.0/8").map(str), max_size=3),
    st.booleans(),
)
def test_what_a_client_sends_does_not_move_its_address(said: str, client: str, inner: list[str], x: bool) -> None:
    """Whatever stands in front of what the proxies have added."""
    if x:
        raw = [(b"x-forwarded-for", ", ".join([said, client, *inner]).encode())]
    else:
        raw = [(b"forwarded", ", ".join([said, *(f"for={address}" for address in (client, *inner))]).encode())]
    scope = {"type": "http", "client": PROXY, "path": "/", "headers": raw}
    found = filters_for(["10.0.0.0/8"], ["x-forwarded-for"] if x else ["forwarded"])(scope)
    assert found["client"][0] == client
    assert found.get("scheme") is None
