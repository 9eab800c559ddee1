"""Responses: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from helpers import text
from quart import (
    Quart,
    Response,
    jsonify,
    make_response,
    redirect,
    request,
    url_for,
)


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_a_response_is_built(app, client):
    @app.get("/")
    async def index():
        response = Response("body", status=202, headers={"X-A": "1"}, mimetype="text/plain")
        response.headers["X-B"] = "2"
        response.headers.extend({"X-C": "3"})
        response.last_modified = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
        response.expires = datetime(2024, 3, 1, tzinfo=UTC)
        response.retry_after = 120
        response.cache_control.no_store = True
        response.content_language = ["en", "de"]
        response.access_control_allow_origin = "*"
        response.content_security_policy.default_src = "'self'"
        response.allow.add("GET")
        response.set_cookie("c", "v", max_age=timedelta(minutes=1))
        return response

    response = await client.get("/")
    assert response.status_code == 202
    kept = {name.lower(): value for name, value in response.headers if name.lower() != "set-cookie"}
    assert kept == {
        "content-type": "text/plain; charset=utf-8", "content-length": "4", "x-a": "1", "x-b": "2", "x-c": "3",
        "last-modified": "Thu, 29 Feb 2024 12:30:15 GMT", "expires": "Fri, 01 Mar 2024 00:00:00 GMT",
        "retry-after": "120", "cache-control": "no-store", "content-language": "en, de",
        "access-control-allow-origin": "*", "content-security-policy": "default-src 'self'", "allow": "GET",
    }  # fmt: skip
    assert "Max-Age=60" in response.headers["Set-Cookie"]


async def test_data_of_a_response_is_set(app, client):
    @app.get("/")
    async def index():
        response = await make_response("before")
        assert await response.get_data() == "before" or await response.get_data() == b"before"
        response.set_data("äfter")
        assert response.content_length == 6
        return response

    response = await client.get("/")
    assert (await text(response), response.content_length) == ("äfter", 6)


async def test_a_stream_has_no_length(app, client):
    @app.get("/")
    async def index():
        async def parts():
            yield "a"
            yield b"b"

        response = await make_response(parts())
        assert response.content_length is None
        return response

    response = await client.get("/")
    assert await text(response) == "ab"


async def test_kinds_of_content(app, client):
    app.add_url_rule("/json", "a", lambda: Response('{"a": 1}', content_type="application/json"))
    app.add_url_rule("/own", "b", lambda: Response("x", mimetype="application/x-own"))
    app.add_url_rule("/none", "c", lambda: Response())
    app.add_url_rule("/xml", "d", lambda: Response("<x/>", mimetype="application/xml"))
    app.add_url_rule("/status", "e", lambda: Response("x", status="499 Odd"))
    assert await (await client.get("/json")).get_json() == {"a": 1}
    assert (await client.get("/json")).is_json
    assert (await client.get("/own")).content_type == "application/x-own"
    assert ((await client.get("/none")).status_code, await text(await client.get("/none"))) == (200, "")
    assert (await client.get("/xml")).content_type == "application/xml; charset=utf-8"
    assert (await client.get("/status")).status_code == 499


async def test_json_of_many_types(app, client):
    @app.get("/")
    async def index():
        return jsonify(
            at=datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC), on=date(2024, 2, 29), price=Decimal("1.10"),
            id=UUID(int=1), text="ü", none=None, nested={"b": [1.5, True]},
        )  # fmt: skip

    assert await (await client.get("/")).get_json() == {
        "at": "Thu, 29 Feb 2024 12:30:15 GMT", "on": "Thu, 29 Feb 2024 00:00:00 GMT", "price": "1.10",
        "id": "00000000-0000-0000-0000-000000000001", "text": "ü", "none": None, "nested": {"b": [1.5, True]},
    }  # fmt: skip
    assert '"text":"\\u00fc"' in (await text(await client.get("/"))).replace(": ", ":")


async def test_the_json_provider_is_set_up(app):
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    assert app.json.dumps({"b": "ü", "a": 1}) == '{"b": "ü", "a": 1}'
    out = StringIO()
    app.json.dump([1], out)
    assert out.getvalue() == "[1]"
    assert app.json.load(StringIO("[2]")) == [2]
    assert app.json.loads(b"[3]") == [3]
    assert await text(app.json.response({"b": 1})) in ('{"b":1}\n', '{"b": 1}\n')


async def test_redirects(app, client):
    app.add_url_rule("/a", "a", lambda: redirect(url_for("b", q="ü")))
    app.add_url_rule("/b", "b", lambda: f"b {request.args.get('q')} {request.method}", methods=["GET", "POST"])
    app.add_url_rule("/post", "post", lambda: redirect("/b", 307), methods=["POST"])
    app.add_url_rule("/see", "see", lambda: redirect("/b", 303), methods=["POST"])
    app.add_url_rule("/away", "away", lambda: redirect("http://elsewhere.example/"))
    assert (await client.get("/a")).location == "/b?q=%C3%BC"
    assert await text(await client.get("/a", follow_redirects=True)) == "b ü GET"
    assert await text(await client.post("/post", follow_redirects=True)) == "b None POST"
    assert await text(await client.post("/see", follow_redirects=True)) == "b None GET"
    assert (await client.get("/away")).location == "http://elsewhere.example/"
