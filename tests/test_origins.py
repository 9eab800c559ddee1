"""Hosts and origins are read strictly, and compare equal when they are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quart_plug.origins import Host, Origin, host_of, origin_of, parse_host, parse_origin

ORIGINS = {
    "http://shop.example": Origin("http", "shop.example", 80),
    "http://shop.example:80": Origin("http", "shop.example", 80),
    "https://shop.example": Origin("https", "shop.example", 443),
    "https://shop.example:443": Origin("https", "shop.example", 443),
    "http://shop.example:443": Origin("http", "shop.example", 443),
    "HTTPS://Shop.EXAMPLE:0443": Origin("https", "shop.example", 443),
    "https://shop.example.": Origin("https", "shop.example", 443),
    "https://shop.example.:8443": Origin("https", "shop.example", 8443),
    "https://xn--bcher-kva.example": Origin("https", "xn--bcher-kva.example", 443),
    "http://a_b.internal": Origin("http", "a_b.internal", 80),
    "http://127.0.0.1:5000": Origin("http", "127.0.0.1", 5000),
    "http://[::1]:5000": Origin("http", "[::1]", 5000),
    "http://[0:0:0:0:0:0:0:1]": Origin("http", "[::1]", 80),
    "http://[2001:DB8::0:1]": Origin("http", "[2001:db8::1]", 80),
    "chrome-extension://abcdefgh": Origin("chrome-extension", "abcdefgh", None),
    "capacitor://localhost": Origin("capacitor", "localhost", None),
}


@pytest.mark.parametrize("text", ORIGINS)
def test_an_origin(text: str) -> None:
    assert parse_origin(text) == ORIGINS[text]


NO_ORIGINS = [
    *("", "null", "*", "shop.example", "//shop.example", "http:shop.example", "http:/shop.example", "http://"),
    *("http://shop.example/", "http://shop.example/x", "http://shop.example?", "http://shop.example#x"),
    *("http://user@shop.example", "http://user:pass@shop.example", "http://shop.example:", "http://shop.example:x"),
    *("http://shop.example:0", "http://shop.example:65536", "http://shop.example:123456", "http://shop.example:-1"),
    *("http://shop.example http://evil.example", "http://shop.example,http://evil.example", " http://shop.example"),
    *("http://shop.example ", "http://shop.example\n", "http://shop.example\0", "http://shop\x00.example"),
    *("http://sh op.example", "http://shop..example", "http://.shop.example", "http://.", "http://shop.example.."),
    *("http://bücher.example", "http://shop.example:８０", "http://[::1", "http://::1", "http://[::1]x", "http://[1.2]"),
    *("http://[::1%25eth0]", "http://[]", "1http://shop.example", "://shop.example", "http://*.example", "http://a%2eb"),
]


@pytest.mark.parametrize("text", NO_ORIGINS, ids=ascii)
def test_no_origin(text: str) -> None:
    assert parse_origin(text) is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost", None)),
        ("LOCALHOST:5000", Host("localhost", 5000)),
        ("localhost.", Host("localhost", None)),
        ("[::1]:80", Host("[::1]", 80)),
        ("evil/x?", None),
        ("", None),
        ("a,b", None),
        ("user@a", None),
        ("a:0", None),
    ],
)
def test_a_host(text: str, host: Host | None) -> None:
    assert parse_host(text) == host


def scope(headers: list[tuple[bytes, bytes]], **more: Any) -> dict[str, Any]:
    return {"type": "websocket", "scheme": "ws", "headers": headers, **more}


def test_the_origin_that_a_connection_is_of() -> None:
    assert origin_of(scope([(b"host", b"a.example")])) == Origin("http", "a.example", 80)
    assert origin_of(scope([(b"host", b"a.example:443")], scheme="wss")) == parse_origin("https://a.example")
    assert origin_of(scope([(b"host", b"a.example:81")], type="http", scheme="http")) == parse_origin(
        "http://a.example:81"
    )
    assert origin_of({"type": "websocket", "headers": [(b"host", b"a")]}) == parse_origin("http://a")
    assert origin_of(scope([])) is None
    assert origin_of(scope([(b"host", b"a"), (b"host", b"a")])) is None
    assert host_of(scope([(b"host", b"\xff")])) is None


@given(st.text())
@example("http://[" + ":" * 5000)
@example("http://" + "a." * 5000)
def test_nothing_raises(text: str) -> None:
    found = parse_origin(text)
    assert parse_host(text) is None or "/" not in text
    assert found is None or parse_origin(str(found)) == found


SCHEMES = st.sampled_from(["http", "https", "HTTPS", "app"])
LABELS = st.text("abcXYZ0189_-", min_size=1, max_size=10)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join) | st.ip_addresses(v=4).map(str)
SIX = st.ip_addresses(v=6).map(lambda address: f"[{address}]")


@given(SCHEMES, NAMES | SIX, st.none() | st.integers(1, 65535))
def test_an_origin_in_any_spelling_is_one(scheme: str, name: str, port: int | None) -> None:
    plain = f"{scheme}://{name}" + ("" if port is None else f":{port}")
    found = parse_origin(plain)
    assert found is not None and parse_origin(str(found)) == found
    assert found == parse_origin(plain.upper()) == parse_origin(plain.lower())
    usual = {"http": 80, "https": 443}.get(scheme.lower())
    assert found.port == (usual if port is None else port)
    assert str(found).endswith(f":{found.port}") is (found.port not in (usual, None))
    if name[0] != "[":
        assert found == parse_origin(plain.replace(f"//{name}", f"//{name}."))
