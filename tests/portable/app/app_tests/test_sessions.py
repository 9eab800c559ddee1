"""Sessions: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

import pytest
from helpers import text
from quart import (
    Quart,
    request,
    session,
)
from quart.json.tag import JSONTag


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_a_tag_of_ones_own(app, client):
    class Point:
        def __init__(self, x):
            self.x = x

    class TagPoint(JSONTag):
        key = " p"

        def check(self, value):
            return isinstance(value, Point)

        def to_json(self, value):
            return self.serializer.tag(value.x)

        def to_python(self, value):
            return Point(value)

    app.session_interface.serializer.register(TagPoint)
    try:
        app.add_url_rule("/write", "write", lambda: session.update(p=Point(7)) or "")
        app.add_url_rule("/read", "read", lambda: str(session["p"].x))
        await client.get("/write")
        assert await text(await client.get("/read")) == "7"
    finally:
        app.session_interface.serializer.tags.pop(" p")
        app.session_interface.serializer.order[:] = [
            tag for tag in app.session_interface.serializer.order if not isinstance(tag, TagPoint)
        ]


async def test_settings_of_the_cookie(app, client):
    app.config.update(
        SESSION_COOKIE_NAME="s", SESSION_COOKIE_PATH="/shop", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_DOMAIN="shop.example",
    )  # fmt: skip
    app.add_url_rule("/shop/", "view", lambda: session.update(a=1) or "")
    cookie = (await client.get("/shop/", headers={"Host": "shop.example"})).headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("s=")
    assert set(attributes) == {"Domain=shop.example", "Secure", "Path=/shop", "SameSite=Strict"}


async def test_mutable_values_of_a_session(app, client):
    app.add_url_rule("/start", "start", lambda: session.update(l=[]) or "")

    @app.get("/add")
    async def add():
        session["l"].append(1)
        session.modified = request.args.get("tell") == "1"
        return str(session["l"])

    await client.get("/start")
    await client.get("/add")
    assert await text(await client.get("/add?tell=1")) == "[1]"
    assert await text(await client.get("/add")) == "[1, 1]"


async def test_a_session_without_a_key(app, client):
    app.secret_key = None
    app.add_url_rule("/read", "read", lambda: str(session.get("a")))
    app.add_url_rule("/write", "write", lambda: session.update(a=1) or "")
    assert await text(await client.get("/read")) == "None"
    assert (await client.get("/write")).status_code == 500
