"""Session cookies are Quart's and Flask's: each reads what the other wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import itsdangerous
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from quart_plug import Quart, Response, session
from quart_plug.json.tag import TaggedJSONSerializer

KEY = "a key of the tests"
NOW = 1_700_000_000  # the time of the cookies below, as seconds since 1970

# Written by Quart 0.22.0 with Flask 3.1.3 and itsdangerous 2.2.0, with the key and at the time above.
QUART_COOKIES: dict[str, tuple[dict[str, Any], str]] = {
    "text and numbers": (
        {"user": "Zoë", "n": 1, "pi": 1.5, "none": None, "yes": True},
        "eyJ1c2VyIjoiWm9cdTAwZWIiLCJuIjoxLCJwaSI6MS41LCJub25lIjpudWxsLCJ5ZXMiOnRydWV9.ZVPxAA."
        "Kv-fNjSIbRyqYiHk7GpC0iazSOE",
    ),
    "nested": (
        {"list": [1, [2, {"a": "b"}]], "dict": {"x": {"y": []}}},
        "eyJsaXN0IjpbMSxbMix7ImEiOiJiIn1dXSwiZGljdCI6eyJ4Ijp7InkiOltdfX19.ZVPxAA.vP27MTyto_YqKEZn5wclbd6V3lA",
    ),
    "tuple": (
        {"t": (1, ("a", 2)), "in": [(1,)]},
        ".eJyrVipRsqpWUgCS0YY6UIZSopKOUWxtbK2OUmYekA-TBwkBAE8mDfs.ZVPxAA.bnylL8RhfE7gK8L9uvl_Skcwe1Y",
    ),
    "bytes": (
        {"b": b"\x00\xffbytes"},
        "eyJiIjp7IiBiIjoiQVA5aWVYUmxjdz09In19.ZVPxAA.9VcWJV2FhxHB3kB2IuatKWMCmls",
    ),
    "markup": (
        {"m": Markup("<b>bold</b>")},
        "eyJtIjp7IiBtIjoiPGI-Ym9sZDwvYj4ifX0.ZVPxAA.9d16sY_8yxDfOTHaAyUuOft2VWo",
    ),
    "uuid": (
        {"u": UUID("12345678123456781234567812345678")},
        ".eJyrVipVsqpWUgCSSoZGxiamZuYWuGil2loABOwKyw.ZVPxAA.knbYzyIr_FJKHSl1HGcsfjJH7BM",
    ),
    "datetime": (
        {"d": datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)},
        "eyJkIjp7IiBkIjoiVGh1LCAyOSBGZWIgMjAyNCAxMjozMDoxNSBHTVQifX0.ZVPxAA.HBSumln8HUb0uOtZrhsryGSy9TQ",
    ),
    "looks like a tag": (
        {"x": {" t": [1, 2]}, "y": {" di": 1}, "z": {" u__": "v"}},
        ".eJyrVqpQsqpWUkjJBFMl8fFKVtGGOkaxtbU6SpXIUimZIDlDkHgVWKAUxFcqU6qtBQCvBRPg.ZVPxAA.KGmC1m4j3U1Xdg68yRpbLE3I2TM",
    ),
    "its only key is a tag": (
        {" b": "AA=="},
        "eyIgZGkiOnsiIGJfXyI6IkFBPT0ifX0.ZVPxAA.1pcrPmJY6a3PtjE8Mx_MxcJqeIM",
    ),
    "compressed": (
        {"text": "again and " * 40},
        ".eJyrVipJrShRslJKTE_MzFNIzEtRGGUNBpZSLQDxtI14.ZVPxAA.Cn5EBcScTfZL9ViW-rJ22WJBFWA",
    ),
    "flashes": (
        {"_flashes": [("message", "hi"), ("error", "no")]},
        ".eJyrVopPy0kszkgtVrKKrlZSKAFSSrmpxcWJ6alKOkoZmUqxtTow8dSiovwioGhePlA0thYAUHYTSQ.ZVPxAA."
        "wWIdFAU5cADeBgJ36DokBZXD-h4",
    ),
    "permanent": (
        {"_permanent": True, "a": 1},
        "eyJfcGVybWFuZW50Ijp0cnVlLCJhIjoxfQ.ZVPxAA.I6ESsgA8y00GJHxlLdVIcWdAtmE",
    ),
}


def make_app() -> Quart:
    app = Quart(__name__)
    app.secret_key = KEY
    return app


def stock_serializer() -> Any:
    """What Flask signs with, as its documentation gives it."""
    return itsdangerous.URLSafeTimedSerializer(
        KEY,
        salt="cookie-session",
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac"},
    )


@pytest.fixture
def at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda self: NOW)


@pytest.mark.parametrize("name", QUART_COOKIES)
async def test_reads_what_quart_wrote(at_that_time: None, name: str) -> None:
    content, cookie = QUART_COOKIES[name]
    async with make_app().test_request_context("/", headers={"Cookie": f"session={cookie}"}):
        assert repr(dict(session)) == repr(content)


@pytest.mark.parametrize("name", QUART_COOKIES)
async def test_writes_what_quart_reads(at_that_time: None, name: str) -> None:
    """The bytes are Quart's, except where it compresses: what is small is not worth it."""
    content, cookie = QUART_COOKIES[name]
    app = make_app()
    response = Response("x")
    async with app.test_request_context("/"):
        session.update(content)
        await app.session_interface.save_session(app, session, response)
    written = response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    if not cookie.startswith("."):
        assert written == cookie
    assert len(written) <= max(len(cookie), 130)
    assert repr(stock_serializer().loads(written)) == repr(content)


@given(text=st.text(), more=st.binary(max_size=3000))
def test_any_content_can_be_read_by_itsdangerous(text: str, more: bytes) -> None:
    app = make_app()
    ours = app.session_interface.get_signing_serializer(app)
    stock = stock_serializer()
    content = {"text": text, "more": more}
    assert stock.loads(ours.dumps(content)) == content
    assert ours.loads(stock.dumps(content), max_age=60) == content
    assert ours.loads(stock.dumps(content)) == content
    assert len(ours.dumps(content)) <= max(len(stock.dumps(content)) + 4, 130)


def test_itsdangerous_own_options() -> None:
    app = make_app()
    ours = app.session_interface.get_signing_serializer(app)
    content, when = ours.loads(stock_serializer().dumps({"a": 1}), max_age=60, return_timestamp=True)
    assert content == {"a": 1}
    assert abs((datetime.now(UTC) - when).total_seconds()) < 60
    signed = ours.dumps({"a": 1}, salt="another")
    assert ours.loads(signed, max_age=60, salt="another") == {"a": 1}
    with pytest.raises(itsdangerous.BadSignature):
        ours.loads(signed, max_age=60)
    with pytest.raises(itsdangerous.SignatureExpired):
        ours.loads(stock_serializer().dumps({"a": 1}), max_age=-1)
