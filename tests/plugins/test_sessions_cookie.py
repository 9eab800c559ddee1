"""`SecureCookieSessionInterface`: cookies in and out; one that cannot be trusted does nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.sansio.request import Request
from werkzeug.wrappers import Response

from quart_plug_sessions.cookie import SecureCookieSessionInterface
from quart_plug_sessions.interface import SessionInterface
from quart_plug_sessions.session import NullSession, SecureCookieSession
from quart_plug_sessions.tag import TaggedJSONSerializer

KEY = "a key of the tests"
NOW = 1_700_000_000  # the time of the cookies below, as seconds since 1970

# Of a permanent session {"a": 1}, and of one that is not; signed with the key and at the time above.
COOKIE = "eyJfcGVybWFuZW50Ijp0cnVlLCJhIjoxfQ.ZVPxAA.I6ESsgA8y00GJHxlLdVIcWdAtmE"
PASSING = "eyJiIjp7IiBiIjoiQVA5aWVYUmxjdz09In19.ZVPxAA.9VcWJV2FhxHB3kB2IuatKWMCmls"
COMPRESSED = ".eJyrVipRsqpWUgCS0YY6UIZSopKOUWxtbK2OUmYekA-TBwkBAE8mDfs.ZVPxAA.bnylL8RhfE7gK8L9uvl_Skcwe1Y"

CONFIG: dict[str, Any] = {
    "APPLICATION_ROOT": "/",
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "SECRET_KEY_FALLBACKS": None,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_REFRESH_EACH_REQUEST": True,
}


def make_app(secret_key: Any = KEY, **config: Any) -> Any:
    """As much of an application as the interface knows."""
    full = CONFIG | config
    return SimpleNamespace(
        secret_key=secret_key,
        config=full,
        permanent_session_lifetime=full["PERMANENT_SESSION_LIFETIME"],
        logger=logging.getLogger("app"),
    )


def make_request(*cookie_headers: str) -> Any:
    headers = Headers([("Cookie", header) for header in cookie_headers])
    return Request("GET", "http", None, "", "/", b"", headers, None)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    now = SimpleNamespace(now=NOW)
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda self: now.now)
    yield now


@pytest.fixture
def interface() -> SecureCookieSessionInterface:
    return SecureCookieSessionInterface()


async def open_cookie(interface: SecureCookieSessionInterface, value: str, app: Any = None) -> SecureCookieSession:
    session = await interface.open_session(app or make_app(), make_request(f"session={value}"))
    assert session is not None
    assert (session.accessed, session.modified) == (False, False)
    return session


async def save(interface: SecureCookieSessionInterface, session: Any, app: Any = None) -> Response:
    response = Response("x")
    await interface.save_session(app or make_app(), session, response)
    return response


def cookie_value(response: Response) -> str:
    return response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]


# Cookies that cannot be trusted


def sign(content: Any, key: str = KEY, salt: str = "cookie-session") -> str:
    serializer: Any = itsdangerous.URLSafeTimedSerializer(key, salt=salt, signer_kwargs={"key_derivation": "hmac"})
    value: str = serializer.dumps(content)
    return value


@pytest.mark.parametrize("end", range(len(COOKIE)))
async def test_a_truncated_cookie_is_an_empty_session(interface: SecureCookieSessionInterface, end: int) -> None:
    assert dict(await open_cookie(interface, COOKIE[:end])) == {}


@pytest.mark.parametrize("place", range(len(COOKIE) - 1))  # the last character holds bits that mean nothing
async def test_a_changed_cookie_is_an_empty_session(interface: SecureCookieSessionInterface, place: int) -> None:
    changed = COOKIE[:place] + ("A" if COOKIE[place] != "A" else "B") + COOKIE[place + 1 :]
    assert dict(await open_cookie(interface, changed)) == {}


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "x" * 1_000_000,
        "." * 100_000,
        COOKIE + "A" * 100_000,
        "\xe9",
        '"' + COOKIE[:-2] + '"',
        sign({"a": 1}, key="another key"),
        sign({"a": 1}, salt="another salt"),
        sign([1, 2]),
        sign("text"),
        sign(None),
        sign({"u": {" u": "no uuid"}}),
        sign({" t": 5}),
        sign({" di": {}}),
    ],
    ids=range(17),  # not the values: those that are signed carry the time
)
async def test_a_foreign_cookie_is_an_empty_session(interface: SecureCookieSessionInterface, value: str) -> None:
    assert dict(await open_cookie(interface, value)) == {}


@given(value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters=";")))
async def test_any_text_is_an_empty_session(value: str) -> None:
    assert dict(await open_cookie(SecureCookieSessionInterface(), value)) == {}


async def test_a_signed_payload_that_is_no_json_is_an_empty_session(
    interface: SecureCookieSessionInterface,
) -> None:
    signer = interface.get_signing_serializer(make_app()).make_signer("cookie-session")  # type: ignore[union-attr]
    for payload in (b"e30x", b".eJw", b"!!", itsdangerous.base64_encode(b"[" * 100_000)):
        assert dict(await open_cookie(interface, signer.sign(payload).decode())) == {}


async def test_a_cookie_ends_with_the_lifetime(interface: SecureCookieSessionInterface, clock: SimpleNamespace) -> None:
    app = make_app(PERMANENT_SESSION_LIFETIME=timedelta(seconds=60))
    clock.now = NOW + 60
    assert await open_cookie(interface, COOKIE, app) == {"_permanent": True, "a": 1}
    clock.now = NOW + 61
    assert await open_cookie(interface, COOKIE, app) == {}
    clock.now = NOW - 1  # signed in the future
    assert await open_cookie(interface, COOKIE, app) == {}


# Which cookie


@pytest.mark.parametrize(
    "headers",
    [
        [f"session={COOKIE}"],
        [f"a=1; session={COOKIE}; b=2"],
        [f"a=1;session={COOKIE}"],
        [f"  session = {COOKIE} ;"],
        ["a=1", f"session={COOKIE}"],  # HTTP/2 may split them (RFC 9113, 8.2.3)
        [f"session={COOKIE}; session=other"],
        [f'session="{COOKIE}"'],
        [f'a="x;y"; session={COOKIE}'],
        [f"a=\xe9; session={COOKIE}"],
        [f"xsession=1; session={COOKIE}; session2=3"],
    ],
)
async def test_the_cookie_is_found(interface: SecureCookieSessionInterface, headers: list[str]) -> None:
    request = make_request(*headers)
    session = await interface.open_session(make_app(), request)
    assert session == {"_permanent": True, "a": 1}
    assert make_request(*headers).cookies["session"] == COOKIE


cookie_pairs = st.lists(
    st.tuples(st.sampled_from(["session", "a", "sess", "session ", ""]), st.text("ab=\"; \\'é,", max_size=6))
)


@given(headers=st.lists(cookie_pairs, max_size=3))
def test_the_cookie_is_the_one_that_the_request_gives(headers: list[list[tuple[str, str]]]) -> None:
    from quart_plug_sessions.cookie import _read_cookie

    raw = ["; ".join(f"{name}={value}" for name, value in pairs) for pairs in headers]
    assert _read_cookie(make_request(*raw), "session") == make_request(*raw).cookies.get("session")


async def test_cookies_that_somebody_set_on_the_request_count(
    interface: SecureCookieSessionInterface,
) -> None:
    request = make_request()
    request.cookies = {"session": COOKIE}
    assert await interface.open_session(make_app(), request) == {"_permanent": True, "a": 1}
    other: Any = SimpleNamespace(cookies={"session": COOKIE})
    assert await interface.open_session(make_app(), other) == {"_permanent": True, "a": 1}


async def test_no_cookie_is_an_empty_session(interface: SecureCookieSessionInterface) -> None:
    assert await interface.open_session(make_app(), make_request()) == {}


REFRESHES = [
    ("", False),
    (f"session={COOKIE}", True),
    (f"a=1; session={COOKIE}; b=2", True),
    (f"session={PASSING}", False),
    (f"session={PASSING}; other=_permanent", False),
    ("session=not.a.cookie", False),
    ("session=x", False),
    (f"session={COMPRESSED}", True),  # compressed: it has to be opened to see
    (f"other={COOKIE}", False),
    (f"xsession=1; session={COOKIE}", True),
    (f"session=1; session={COOKIE}", True),
    (f'session="{COOKIE}"', True),
    (f"session =\t{COOKIE}", True),
]


@pytest.mark.parametrize(("header", "refreshes"), REFRESHES)
def test_a_cookie_may_have_to_be_sent_again(
    interface: SecureCookieSessionInterface, header: str, refreshes: bool
) -> None:
    assert interface.may_be_refreshed(make_app(), header.encode()) is refreshes
    assert not interface.may_be_refreshed(make_app(SESSION_REFRESH_EACH_REQUEST=False), header.encode())


@given(headers=cookie_pairs, place=st.integers(0, 3))
async def test_no_permanent_session_is_missed(headers: list[tuple[str, str]], place: int) -> None:
    interface = SecureCookieSessionInterface()
    headers.insert(place, ("session", COOKIE))
    header = "; ".join(f"{name}={value}" for name, value in headers)
    session = await interface.open_session(make_app(), make_request(header))
    assert session is not None
    if session.permanent:
        assert interface.may_be_refreshed(make_app(), header.encode("latin-1"))


def test_what_others_change_is_opened_to_see() -> None:
    class Interface(SecureCookieSessionInterface):
        pass

    header = f"session={PASSING}".encode()
    assert Interface().may_be_refreshed(make_app(), header)
    assert not Interface().may_be_refreshed(make_app(), b"a=1")
    interface = SecureCookieSessionInterface()
    interface.serializer = TaggedJSONSerializer()
    assert interface.may_be_refreshed(make_app(), header)


# Keys


@pytest.mark.parametrize("secret_key", [None, "", b""])
async def test_no_key_no_session(interface: SecureCookieSessionInterface, secret_key: Any) -> None:
    app = make_app(secret_key)
    assert await interface.open_session(app, make_request(f"session={COOKIE}")) is None
    session = await interface.make_null_session(app)
    assert type(session) is NullSession
    assert interface.is_null_session(session)
    assert not interface.is_null_session(SecureCookieSession())


async def test_fallback_keys_are_read_but_never_sign(interface: SecureCookieSessionInterface) -> None:
    app = make_app("the new key", SECRET_KEY_FALLBACKS=["older", KEY])
    session = await open_cookie(interface, COOKIE, app)
    assert session == {"_permanent": True, "a": 1}
    session["a"] = 2
    value = cookie_value(await save(interface, session, app))
    assert await open_cookie(interface, value, make_app("the new key")) == {"_permanent": True, "a": 2}
    assert await open_cookie(interface, value, make_app(KEY)) == {}


async def test_a_key_changed_while_running_counts_at_once(interface: SecureCookieSessionInterface) -> None:
    app = make_app()
    assert await open_cookie(interface, COOKIE, app)
    for number in range(20):
        app.secret_key = f"key {number}"
        assert await open_cookie(interface, COOKIE, app) == {}
    app.secret_key = KEY.encode()
    assert await open_cookie(interface, COOKIE, app)


@pytest.mark.parametrize(
    ("attribute", "value"), [("salt", "another"), ("key_derivation", "concat"), ("digest_method", "sha256")]
)
async def test_the_signature_can_be_changed(attribute: str, value: Any) -> None:
    import hashlib

    class Interface(SecureCookieSessionInterface):
        pass

    signer_kwargs: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    salt = "cookie-session"
    if attribute == "digest_method":
        signer_kwargs[attribute] = value = hashlib.sha256
        Interface.digest_method = staticmethod(value)
    else:
        setattr(Interface, attribute, value)
    if attribute == "key_derivation":
        signer_kwargs[attribute] = value
    if attribute == "salt":
        salt = value
    session = SecureCookieSession()
    session["a"] = 1
    written = cookie_value(await save(Interface(), session))
    stock: Any = itsdangerous.URLSafeTimedSerializer(KEY, salt=salt, signer_kwargs=signer_kwargs)
    assert stock.loads(written) == {"a": 1}
    assert await open_cookie(Interface(), COOKIE) == {}


# The base class


def test_only_the_shipped_class_is_lazy() -> None:
    class Interface(SecureCookieSessionInterface):
        pass

    assert SecureCookieSessionInterface.__dict__["lazy"] is True
    assert "lazy" not in Interface.__dict__
    assert SessionInterface.__dict__["lazy"] is False


async def test_the_base_class_says_what_to_write() -> None:
    interface = SessionInterface()
    with pytest.raises(NotImplementedError, match="open_session"):
        await interface.open_session(make_app(), make_request())
    with pytest.raises(NotImplementedError, match="save_session"):
        await interface.save_session(make_app(), SecureCookieSession(), Response())
