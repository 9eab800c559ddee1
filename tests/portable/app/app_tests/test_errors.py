"""Errors: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

import json

import pytest
from helpers import text
from quart import (
    Blueprint,
    Quart,
    abort,
    request,
)
from werkzeug.exceptions import BadRequest, BadRequestKeyError, HTTPException, NotFound


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_the_best_handler(app, client):
    class Base(Exception):
        pass

    class Special(Base):
        pass

    app.register_error_handler(Exception, lambda error: "Exception")
    app.register_error_handler(Base, lambda error: "Base")
    app.register_error_handler(HTTPException, lambda error: (f"HTTPException {error.code}", error.code))
    app.register_error_handler(404, lambda error: ("404", 404))

    def raises(kind):
        raise {"special": Special(), "key": KeyError("k"), "404": NotFound(), "400": BadRequest()}[kind]

    app.add_url_rule("/<kind>", "raises", raises)
    said = [await text(await client.get(f"/{kind}")) for kind in ("special", "key", "404", "400")]
    assert said == ["Base", "Exception", "404", "HTTPException 400"]
    assert await text(await client.get("/a/b")) == "404"
    assert await text(await client.post("/special")) == "HTTPException 405"


async def test_a_handler_of_a_blueprint_for_a_class(app, client):
    part = Blueprint("part", __name__, url_prefix="/part")

    @part.errorhandler(Exception)
    async def any_error(error):
        return f"part: {type(error).__name__}", 418

    part.add_url_rule("/", "fails", lambda: 1 / 0)
    part.add_url_rule("/aborts", "aborts", lambda: abort(403))
    app.register_blueprint(part)
    app.add_url_rule("/", "fails", lambda: abort(403))
    assert await text(await client.get("/part/")) == "part: ZeroDivisionError"
    assert await text(await client.get("/part/aborts")) == "part: Forbidden"
    assert (await client.get("/")).status_code == 403


async def test_a_handler_that_raises(app, client):
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.errorhandler(ZeroDivisionError)
    async def handler(error):
        raise LookupError

    @app.errorhandler(500)
    async def failed(error):
        return f"{type(error.original_exception).__name__}", 500

    app.add_url_rule("/", "view", lambda: 1 / 0)
    assert await text(await client.get("/")) == "LookupError"


async def test_an_http_error_returned_by_a_handler(app, client):
    @app.errorhandler(ZeroDivisionError)
    async def handler(error):
        return NotFound("not here")

    app.add_url_rule("/", "view", lambda: 1 / 0)
    response = await client.get("/")
    assert (response.status_code, "not here" in await text(response)) == (404, True)


async def test_the_response_of_an_http_error_as_json(app, client):
    @app.errorhandler(HTTPException)
    async def as_json(error):
        response = error.get_response()
        response.data = json.dumps({"code": error.code})
        response.content_type = "application/json"
        return response

    response = await client.get("/nowhere")
    assert (response.status_code, await response.get_json()) == (404, {"code": 404})
    assert response.content_type == "application/json"


async def test_default_pages_of_errors(app, client):
    app.add_url_rule("/", "view", lambda: abort(401))
    response = await client.get("/")
    assert "<title>401 Unauthorized</title>" in await text(response)
    assert response.content_type == "text/html; charset=utf-8"
    response = await client.delete("/")
    assert (response.status_code, set(response.allow)) == (405, {"GET", "HEAD", "OPTIONS"})


async def test_keys_that_are_missing(app, client):
    @app.post("/")
    async def index():
        return request.args["a"] + (await request.form)["b"]

    response = await client.post("/", form={"b": "2"})
    assert response.status_code == 400
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True
    errors = []
    app.register_error_handler(BadRequestKeyError, lambda error: errors.append(error) or ("trapped", 499))
    response = await client.post("/?a=1", form={})
    assert (response.status_code, errors[0].args[0]) == (499, "b")


async def test_http_errors_are_trapped(app, client):
    app.config.update(TRAP_HTTP_EXCEPTIONS=True, PROPAGATE_EXCEPTIONS=False)
    app.add_url_rule("/", "view", lambda: abort(403))
    assert (await client.get("/")).status_code == 500
