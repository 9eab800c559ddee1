"""What must not be seen, is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug import Quart
from quart_plug.masking import hides
from quart_plug_inspector.masking import HIDDEN, masked_headers, masked_query, masked_text, shown

SECRET_NAMES = [
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_PASSWORD", "db_passwd", "STRIPE_API_KEY", "api-key", "ApiKey"),
    *("GITHUB_TOKEN", "access_token", "csrf_token", "AWS_SECRET_ACCESS_KEY", "PRIVATE_KEY_PEM", "SENTRY_DSN", "JWT"),
    *("CREDENTIALS", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Auth-Key", "x-csrf-token"),
    *("SECURITY_PASSWORD_SALT", "sessionid", "session_id", "sid", "otp", "PWD", "passphrase", "signature", "key"),
    *("DB_PW", "STRIPE_KEY_LIVE", "BASIC_AUTH_USERS", "SESSION_COOKIE_SECRET", "db_pass", "sig"),
]
OPEN_NAMES = [
    *("DEBUG", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "MAX_COOKIE_SIZE", "SERVER_NAME", "keyboard", "monkey"),
    *("Host", "User-Agent", "Accept", "Content-Type", "PLUGINS", "page", "MAX_CONTENT_LENGTH", "author", "COMPASS_X"),
    *("Sec-WebSocket-Key", "SESSION_KEY_PREFIX", "tokenizer", "status_code", "PWA"),
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_that_hides_its_value(name: str) -> None:
    assert hides(name)
    assert shown(name, "geheim") == HIDDEN
    assert shown(name, ["geheim", {"x": "geheim"}]) == HIDDEN
    assert shown("SETTINGS", {name: "geheim"}) == f"{{{name!r}: {HIDDEN}}}"


@pytest.mark.parametrize("name", OPEN_NAMES)
def test_a_name_that_does_not(name: str) -> None:
    assert shown(name, "open") == "'open'"


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_that_a_secret_is_not_set_may_be_seen(value: Any) -> None:
    assert shown("SECRET_KEY", value) != HIDDEN


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://ada:geheim@db:5432/shop", "postgres://ada:••••••@db:5432/shop"),
        ("redis://:geheim@cache/0", "redis://:••••••@cache/0"),
        ("https://ghp_geheim@example.org/x", "https://••••••@example.org/x"),
        ("amqp://u:pa:ss@h, amqp://v:w@i", "amqp://u:••••••@h, amqp://v:••••••@i"),
        ("amqp://u:p@ss@h", "amqp://u:••••••@h"),
        ("amqp://u:p/s?s@h/x", "amqp://u:••••••@h/x"),
        ("http://localhost:5000/a@b", "http://localhost:5000/a@b"),
        ("https://h/cb?code=1&access_token=geheim&x=2", "https://h/cb?code=••••••&access_token=••••••&x=2"),
        ("postgres://db/shop?password=geheim", "postgres://db/shop?password=••••••"),
        ("https://example.org/a@b?page=2", "https://example.org/a@b?page=2"),
        ("no address here: ada@example.org", "no address here: ada@example.org"),
    ],
)
def test_addresses_with_credentials(text: str, masked: str) -> None:
    assert masked_text(text) == masked


@pytest.mark.parametrize("part", ["x", "://", "a://", "a://b:", "@", "=", "a.b-", "a=", "a://b:@", " "])
def test_long_texts_are_cut(part: str) -> None:
    """Whatever they are made of, and at once: each would take minutes if one of the patterns went back and forth."""
    assert len(masked_text(part * 100_000)) < 500


def test_what_is_long_is_cut() -> None:
    assert len(shown("LIST", ["x" * 1000] * 1000)) < 2000
    assert len(masked_query("a=b&" * 100_000)) < 1000


def test_a_secret_that_stands_elsewhere_too() -> None:
    assert shown("BACKUP_COMMAND", "backup --with geheim", secrets=["geheim"]) == "'backup --with ••••••'"


class Refuses:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class NoItems(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Refuses(), "<Refuses>"),
        ([1, Refuses()], "[1, <Refuses>]"),
        ({Refuses(): 1}, "<dict>"),
        ({"a": {Refuses(): 1}, "b": 2}, "{'a': <dict>, 'b': 2}"),
        (NoItems(a=1), "<NoItems>"),
        (10**5000, "<int>"),
    ],
    ids=["object", "in a list", "key", "key within", "mapping", "number"],
)
def test_what_cannot_be_looked_at_is_told_by_its_type(value: Any, text: str) -> None:
    assert shown("ODD", value) == text


class Account:
    password = "geheim"

    def __repr__(self) -> str:
        return "Account(password='geheim')"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Account(), "<tests.plugins.inspector.test_inspector_masking.Account>"),
        (Account, "tests.plugins.inspector.test_inspector_masking.Account"),
        (b"geheim", "6 bytes"),
        (timedelta(days=31), "31 days, 0:00:00"),
        (PurePosixPath("/srv/app"), "/srv/app"),
        ((1, "a"), "(1, 'a')"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "{'a': {'b': {'c': {'d': {…}}}}}"),
        (len, "builtins.len"),
    ],
)
def test_how_values_are_written(value: Any, text: str) -> None:
    assert shown("THING", value) == text


def test_a_value_that_holds_itself_is_written() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert shown("LOOP", value).startswith("[1, [1, [1,")


def test_headers() -> None:
    given = [(b"host", b"localhost"), (b"cookie", b"session=1"), (b"authorization", b"Basic x"), (b"x-api-key", b"k")]
    given += [(b"referer", b"http://h/?token=geheim"), (b"x-evil", b"<script>\xff")]
    assert masked_headers(given) == [
        ["host", "localhost"], ["cookie", HIDDEN], ["authorization", HIDDEN], ["x-api-key", HIDDEN],
        ["referer", "http://h/?token=••••••"], ["x-evil", "<script>ÿ"],
    ]  # fmt: skip
    assert len(masked_headers([(b"x", b"y" * 10_000)] * 500)) == 50


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("bearer, eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln", f"bearer, {HIDDEN}"),
        ("graphql-transport-ws, access_token, geheim", f"graphql-transport-ws, access_token, {HIDDEN}"),
        ("chat, Zm9vYmFyMTIzNDU2Nzg5", f"chat, {HIDDEN}"),
        ("base64url.bearer.authorization.k8s.io.geheim, v4.channel.k8s.io", f"{HIDDEN}, v4.channel.k8s.io"),
        ("wamp.2.json, ocpp1.6, v12.stomp, JSON, actioncable-v1-json", None),
    ],
)
def test_tokens_among_subprotocols(given: str, told: str | None) -> None:
    assert masked_headers([(b"Sec-WebSocket-Protocol", given.encode())]) == [["Sec-WebSocket-Protocol", told or given]]


def test_many_subprotocols_take_no_time() -> None:
    assert len(masked_headers([(b"sec-websocket-protocol", b"a.b.c.d.e.f.g.h!," * 100_000)] * 50)) == 50


def test_query_strings() -> None:
    assert masked_query("code=geheim&sig=geheim&pw=geheim&x=1") == "code=••••••&sig=••••••&pw=••••••&x=1"
    assert masked_query("page=2&token=geheim&q=a%20b&password=") == "page=2&token=••••••&q=a b&password=••••••"


@given(st.text(), st.text(min_size=4, alphabet=st.characters(codec="ascii", categories=["L", "N"])))
def test_a_password_in_an_address_is_never_seen(before: str, password: str) -> None:
    password = f"pw{password}wp"
    assert password not in masked_text(f"{before[:50]} db://ada:{password}@host/x") or password in before


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip  # noqa: E501
def test_every_value_can_be_written(value: Any) -> None:
    assert isinstance(shown("VALUE", value), str)


async def test_the_apps_secrets_are_in_no_data(make_app: Any, look: Any) -> None:
    app: Quart = make_app()
    app.secret_key = "the-secret-key"
    app.config.update(
        DATABASE_URL="postgres://ada:the-db-password@db/shop",
        MAIL={"host": "mail", "password": "the-mail-password"},
        COMMAND="sign --with the-secret-key",
        PLUGIN_CONFIG=app.config["PLUGIN_CONFIG"] | {},
    )
    client = app.test_client()
    headers = {"Cookie": "session=the-cookie", "Authorization": "Basic the-basic", "X-Api-Key": "the-api-key"}
    await client.get("/?api_key=the-query-key&page=2", headers=headers)
    text = str(await look(app))
    for secret in ("secret-key", "db-password", "mail-password", "cookie", "basic", "api-key", "query-key"):
        secret = f"the-{secret}"
        assert secret not in text, secret
    assert "page=2" in text
