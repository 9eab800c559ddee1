"""Writes and reads session cookies with one framework; which `quart` is meant is decided from outside.

python exchange.py write flask|quart          JSON on standard output: each case's cookie
python exchange.py read flask|quart FILE      each cookie's session, as Python writes it; FILE is what was written
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

from markupsafe import Markup

MOMENT = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
CONTENTS = {
    "text": {"user": "Zoë \U0001f600 \x00", "empty": ""},
    "numbers": {"n": -1, "big": 2**70, "pi": 1.5, "none": None, "yes": True},
    "nested": {"list": [1, [2, {"a": "b"}]], "dict": {"x": {"y": []}}, "nothing": {}},
    "tuple": {"t": (1, ("a", 2)), "in": [(1,)], "empty": ()},
    "bytes": {"b": b"\x00\xffbytes", "in": {"x": [b""]}},
    "markup": {"m": Markup("<b>bold</b>"), "in": (Markup("&amp;"),)},
    "uuid": {"u": UUID("12345678123456781234567812345678")},
    "datetime": {
        "d": MOMENT,
        "zone": MOMENT.astimezone(timezone(timedelta(hours=5))),
        "naive": MOMENT.replace(tzinfo=None),
    },
    "all of them": {"x": [(MOMENT, b"b", {"m": Markup("<"), "u": (UUID(int=1),)})]},
    "like a tag": {"x": {" t": [1, 2]}, "y": {" di": 1}, "z": {" u__": "v"}},
    "a tag": {" b": "AA=="},
    "large": {"text": "again and " * 300, "key" * 20: [1] * 100},
    "numbers as keys": {"d": {1: "a"}},
    "flashes": {"_flashes": [("message", "hi"), ("error", "no")]},
}

# Settings and attributes of the interface for each case, written with the first and read with the second.
SETTINGS = {
    "plain": ({"SECRET_KEY": "text"}, {"SECRET_KEY": "text"}),
    "key of bytes": ({"SECRET_KEY": b"\x00key\xff"}, {"SECRET_KEY": b"\x00key\xff"}),
    "fallbacks": ({"SECRET_KEY": "old"}, {"SECRET_KEY": "new", "SECRET_KEY_FALLBACKS": ["older", "old"]}),
    "another key": ({"SECRET_KEY": "one"}, {"SECRET_KEY": "two", "SECRET_KEY_FALLBACKS": ["three"]}),
    "too old": (
        {"SECRET_KEY": "text", "PERMANENT_SESSION_LIFETIME": 60},
        {"SECRET_KEY": "text", "PERMANENT_SESSION_LIFETIME": -1},
    ),
    **{
        name: ({"SECRET_KEY": "text", **changes}, {"SECRET_KEY": "text", **changes})
        for name, changes in {
            "concat": {"key_derivation": "concat"},
            "django-concat": {"key_derivation": "django-concat"},
            "hmac": {"key_derivation": "hmac"},
            "none": {"key_derivation": "none"},
            "sha256": {"digest_method": hashlib.sha256},
            "salt": {"salt": "another salt"},
            "stated defaults": {"key_derivation": "hmac", "digest_method": hashlib.sha1, "salt": "cookie-session"},
        }.items()
    },
}

CASES = {
    **{f"content: {name}": (content, SETTINGS["plain"]) for name, content in CONTENTS.items()},
    **{f"settings: {name}": ({"a": (1, b"2")}, settings) for name, settings in SETTINGS.items()},
    "permanent": ({"_permanent": True, "a": 1}, SETTINGS["plain"]),
}


def make_app(framework: str, settings: dict):
    """An app with views that write and read the session."""
    if framework == "flask":
        from flask import Flask as App
        from flask import request, session
        from flask.sessions import SecureCookieSessionInterface
    else:
        from quart import Quart as App
        from quart import request, session
        from quart.sessions import SecureCookieSessionInterface

    own = {
        name: staticmethod(value) if callable(value) else value for name, value in settings.items() if name.islower()
    }
    app = App("cookies")
    app.config.update({name: value for name, value in settings.items() if name.isupper()})
    app.session_interface = type("Own", (SecureCookieSessionInterface,), own)()

    @app.route("/write")
    def write():
        content = CASES[request.args["case"]][0]
        session.update(content)
        session.permanent = bool(content.get("_permanent"))
        if "_permanent" not in content:
            session.pop("_permanent", None)
        return ""

    @app.route("/read")
    def read():
        return f"{session.permanent}: {sorted(session.items())!r}"  # Flask sorts when it writes

    return app


async def ask(framework: str, settings: dict, path: str, case: str, cookie: str | None = None):
    client = make_app(framework, settings).test_client()
    if cookie is not None:
        client.set_cookie(*([] if framework == "flask" else ["localhost"]), "session", cookie)
    response = client.get(path, query_string={"case": case})
    return response if framework == "flask" else await response


async def written(framework: str, case: str) -> str:
    response = await ask(framework, CASES[case][1][0], "/write", case)
    assert response.status_code == 200, case
    [cookie] = response.headers.getlist("Set-Cookie")
    assert ("Expires=" in cookie) == (case == "permanent"), cookie
    return cookie.partition("=")[2].partition(";")[0]


async def read(framework: str, case: str, cookie: str) -> str:
    response = await ask(framework, CASES[case][1][1], "/read", case, cookie)
    assert response.status_code == 200, case
    data = response.get_data(as_text=True)
    return data if framework == "flask" else await data


async def main(mode: str, framework: str, file: str = "") -> None:
    if mode == "write":
        result = {case: await written(framework, case) for case in CASES}
    else:
        cookies = json.loads(Path(file).read_text())
        result = {name: await read(framework, name.rpartition(" of ")[0], cookie) for name, cookie in cookies.items()}
    print(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
