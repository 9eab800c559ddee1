"""Routing: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

from uuid import UUID

import pytest
from helpers import text
from quart import (
    Quart,
    websocket,
)
from quart.routing import QuartRule
from werkzeug.routing import Map


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_slashes(app, client):
    app.add_url_rule("/loose/", "loose", lambda: "loose", strict_slashes=False)
    app.add_url_rule("/a/b", "ab", lambda: "ab")
    assert await text(await client.get("/loose")) == "loose"
    response = await client.get("/a//b")
    assert (response.status_code, response.location) == (308, "http://localhost/a/b")
    app = Quart("loose")
    app.url_map.strict_slashes = False
    app.add_url_rule("/x/", "x", lambda: "x")
    assert await text(await app.test_client().get("/x")) == "x"


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("/<int:n>", "/007", "7"),
        ("/<int(fixed_digits=3):n>", "/007", "7"),
        ("/<int(min=5):n>", "/4", None),
        ("/<int(signed=True):n>", "/-4", "-4"),
        ("/<float:n>", "/1.50", "1.5"),
        ("/<path:n>", "/a/b/c", "'a/b/c'"),
        ("/<any(a, b):n>", "/b", "'b'"),
        ("/<any(a, b):n>", "/c", None),
        ("/<uuid:n>", "/00000000-0000-0000-0000-000000000001", repr(UUID(int=1))),
        ("/<string(length=2):n>", "/abc", None),
        ("/<string(minlength=2, maxlength=3):n>", "/abc", "'abc'"),
        ("/<n>", "/%C3%BC%20%2F", None),
        ("/<n>", "/%C3%BC%20", "'ü '"),
        ("/a-<int:n>.html", "/a-3.html", "3"),
    ],
)
async def test_variables_of_a_rule(app, client, rule, path, expected):
    app.add_url_rule(rule, "view", lambda n: repr(n))
    response = await client.get(path)
    assert (await text(response) if response.status_code == 200 else None) == expected


async def test_the_more_special_rule_wins(app, client):
    for rule in ("/<path:x>", "/<x>", "/<int:x>", "/7"):
        app.add_url_rule(rule, rule, lambda x=None, rule=rule: rule)
    assert await text(await client.get("/7")) == "/7"
    assert await text(await client.get("/8")) == "/<int:x>"
    assert await text(await client.get("/x")) == "/<x>"
    assert await text(await client.get("/x/y")) == "/<path:x>"


async def test_a_request_and_a_websocket_at_one_path(app, client):
    app.add_url_rule("/both", "request", lambda: "request")

    @app.websocket("/both")
    async def socket():
        await websocket.send("websocket")

    assert await text(await client.get("/both")) == "request"
    async with client.websocket("/both") as connection:
        assert await connection.receive() == "websocket"


async def test_rules_are_listed(app):
    app.add_url_rule("/a/<int:n>", "a", lambda n: "", methods=["POST"])
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "a")
    assert isinstance(rule, QuartRule)
    assert (rule.rule, rule.methods, rule.arguments, rule.websocket) == (
        "/a/<int:n>",
        {"POST", "OPTIONS"},
        {"n"},
        False,
    )
    assert isinstance(app.url_map, Map)
    assert list(app.url_map.iter_rules("a")) == [rule]


async def test_an_endpoint_is_taken_once(app):
    app.add_url_rule("/", "view", lambda: "")
    with pytest.raises(AssertionError, match="view"):
        app.add_url_rule("/b", "view", lambda: "")


async def test_methods_are_listed_not_spelled(app):
    with pytest.raises(TypeError):
        app.add_url_rule("/", "view", lambda: "", methods="POST")


async def test_decorators_for_methods(app, client):
    for method in ("get", "post", "put", "patch", "delete"):
        getattr(app, method)(f"/{method}", endpoint=method)(lambda method=method: method)
    for method in ("get", "post", "put", "patch", "delete"):
        assert await text(await getattr(client, method)(f"/{method}")) == method
        assert (await client.trace(f"/{method}")).status_code == 405
