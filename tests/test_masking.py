"""What must not be shown, is not: in no text."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from quart_plug.faults import show
from quart_plug.masking import masked
from quart_plug.schemas import plain

PEM = "-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://a:p@ss@h/x", "postgres://a:…@h/x"),
        ("postgres://a:p/w@h", "postgres://a:…@h"),
        ("postgres://a:12345@h", "postgres://a:…@h"),
        ("postgres://u@corp:p/w@h", "postgres://…@h"),
        (f"postgres://a:{'x' * 3000}@h", "postgres://a:…@h"),
        ("https://tok123@github.com", "https://…@github.com"),
        ("http://localhost:80/x,https://tok@h,db://a:p@i", "http://localhost:80/x,https://…@i"),
        ("http://localhost:5000/a@b", "http://localhost:5000/a@b"),
        ("host=db user=ada password=hunter2", "host=db user=ada password=…"),
        ("password = 'hun ter\\'2' host=db", "password = … host=db"),
        ('pw="hunter2', "pw=…"),
        ("Server=db;Pwd={hun;ter2};Uid=ada", "Server=db;Pwd=…;Uid=ada"),
        ("Server=db;Pwd=hunter2;Uid=ada", "Server=db;Pwd=…;Uid=ada"),
        ("options=password=hunter2", "options=password=…"),
        ("?next=https://h/?token=hunter2&page=2", "?next=https://h/?token=…&page=2"),
        ("?code=hunter2&sig=hunter2&pw=hunter2&x=1", "?code=…&sig=…&pw=…&x=1"),
        ("{'password': 'hunter2', 'a': 1}", "{'password': …, 'a': 1}"),
        ("exit code=1, token == other, password: too short", "exit code=1, token == other, password: too short"),
        (f"a {PEM} b", "a … b"),
        (PEM[:40], "…"),
        (repr(PEM), "'…'"),
    ],
)
def test_secrets_in_texts(text: str, told: str) -> None:
    assert masked(text) == told
    assert plain(text) == told


@pytest.mark.parametrize(
    "part",
    [
        *("x", "a://", "a://b:", "a://b:@", "a://b:c@ ", "a://@", "pw=", 'pw="', "pw='\\", "pw={", "pw = ", "a="),
        *("%", "=", "@", "-----BEGIN PRIVATE KEY", "-----BEGIN ", "-----END ", "PRIVATE KEY", " ", '"', "a.b-", "\\"),
    ],
)
def test_long_texts_take_no_time(part: str) -> None:
    """Each would take minutes if one of the patterns went back and forth."""
    assert isinstance(masked(part * 50_000), str)
    assert isinstance(masked("PRIVATE KEY :// @ pw=" + part * 50_000 + "!"), str)


def test_a_text_in_an_error_has_no_secret() -> None:
    assert show("host=db password=hunter2") == "'host=db password=…'"
    assert show(["pw=hunter2"]) == "['pw=…"


def test_a_switch_with_a_secrets_name_is_shown() -> None:
    @dataclass
    class Made:
        auth: bool | str
        pin: int = 1234

    assert plain(Made(True)) == {"auth": True, "pin": "…"}
    assert plain(Made("hunter2")) == {"auth": "…", "pin": "…"}
