"""Contexts made by hand, copies of contexts, URLs, templates outside of a request."""

from __future__ import annotations

import asyncio

import pytest
from helpers import text
from quart import (
    Markup,
    abort,
    after_this_request,
    copy_current_app_context,
    copy_current_request_context,
    current_app,
    escape,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    has_websocket_context,
    json,
    jsonify,
    make_response,
    redirect,
    render_template,
    render_template_string,
    request,
    session,
    stream_template_string,
    url_for,
)
from quart.ctx import after_this_websocket
from quart.utils import run_sync
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BuildError


async def test_a_request_context(app):
    async with app.test_request_context(
        "/notes/3?x=1", method="POST", headers={"X-Device": "tv"}, json={"a": 1}, scheme="https"
    ):
        assert (has_app_context(), has_request_context(), has_websocket_context()) == (True, True, False)
        assert (request.method, request.path, request.args["x"], request.device) == ("POST", "/notes/3", "1", "tv")
        assert request.scheme == "https"
        assert await request.get_json() == {"a": 1}
        assert current_app._get_current_object() is app
    assert (has_app_context(), has_request_context()) == (False, False)


async def test_preprocessing_by_hand(app):
    async with app.test_request_context("/notes/de/hello"):
        assert request.endpoint == "notes.hello"
        assert await app.preprocess_request() is None
        assert (g.lang, g.trail) == ("de", ["app.before", "app.thread", "notes.before"])
    async with app.test_request_context("/?stop=1"):
        assert await app.preprocess_request() == {"stopped": "index"}


async def test_the_whole_way_by_hand(app):
    async with app.test_request_context("/methods", method="PUT"):
        response = await app.full_dispatch_request()
        assert (response.status_code, await text(response)) == (200, "PUT")
    async with app.test_request_context("/nowhere"):
        with pytest.raises(NotFound):
            await app.dispatch_request()


async def test_urls(app):
    async with app.test_request_context("/notes/3", headers={"Host": "board.example"}):
        assert url_for("index") == "/"
        assert url_for(".show", number=1) == "/notes/1"
        assert url_for("notes.show", number=1, q=["a", "b c"], _anchor="ü x") == "/notes/1?q=a&q=b+c#%C3%BC%20x"
        assert url_for("index", _external=True) == "http://board.example/"
        assert url_for("index", _scheme="https", _external=True) == "https://board.example/"
        assert url_for("live.echo", _external=True).endswith("://board.example/live/echo?token=t")
        assert url_for("methods", _method="PUT") == "/methods"
        assert url_for("cdn:lib.js") == "https://cdn.example/lib.js"
        with pytest.raises(BuildError, match="nowhere"):
            url_for("nowhere")
        with pytest.raises(BuildError):
            url_for("notes.show")
    async with app.app_context():
        with pytest.raises(RuntimeError, match="SERVER_NAME"):
            url_for("index")
    app.config.update(SERVER_NAME="board.example", PREFER_SECURE_URLS=True)
    async with app.app_context():
        assert url_for("index") == "https://board.example/"
        assert url_for("index", _external=False) == "/"


async def test_copies(app):
    async with app.test_request_context("/?word=w"):
        g.value = "g"

        @copy_current_request_context
        async def of_request():
            return request.args["word"]

        @copy_current_app_context
        async def of_app():
            return g.value, current_app.name

        assert await asyncio.create_task(of_request()) == "w"
        assert await asyncio.create_task(of_app()) == ("g", "board")
        assert await run_sync(lambda: request.args["word"])() == "w"


async def test_copies_need_a_context():
    with pytest.raises(RuntimeError):
        copy_current_request_context(lambda: None)
    with pytest.raises(RuntimeError):
        copy_current_app_context(lambda: None)
    with pytest.raises(RuntimeError):
        after_this_request(lambda response: response)
    with pytest.raises(RuntimeError):
        after_this_websocket(lambda response: response)


async def test_proxies_without_a_context():
    for proxy in (current_app, request, g, session):
        with pytest.raises(RuntimeError):
            proxy.something
    assert not request
    assert not current_app


async def test_templates_without_a_request(app):
    async with app.app_context():
        assert await render_template_string("{{ version }} {{ g is defined }}") == "1.0 True"
        parts = await stream_template_string("{% for n in [1, 2] %}{{ n }}{% endfor %}")
        assert "".join([part async for part in parts]) == "12"
        assert "no note 4, says" in await render_template("notes/missing.html", number=4)


async def test_flashing_by_hand(app):
    async with app.test_request_context("/"):
        await flash("one")
        await flash("two", "warning")
        assert get_flashed_messages(with_categories=True) == [("message", "one"), ("warning", "two")]
        assert get_flashed_messages() == ["one", "two"]


async def test_responses_by_hand(app):
    async with app.test_request_context("/"):
        response = await make_response(("b", 201, {"X": "1"}))
        assert (response.status_code, response.headers["X"], await text(response)) == (201, "1", "b")
        assert (await make_response()).status_code == 200
        assert await text(await make_response("x", 404)) == "x"
        response = jsonify(a=1)
        assert (response.mimetype, await response.get_json()) == ("application/json", {"a": 1})
        assert redirect("/x", 301).location == "/x"
        with pytest.raises(HTTPException) as caught:
            abort(409, "twice")
        assert (caught.value.code, caught.value.description) == (409, "twice")
        with pytest.raises(LookupError):
            abort(999)


async def test_json_by_hand(app):
    async with app.app_context():
        assert json.dumps({"b": {3, 1}, "a": 1}) == '{"b": [1, 3], "a": 1}'
        assert json.loads('{"a": [1]}') == {"a": [1]}
        with pytest.raises(TypeError, match="not JSON serializable"):
            json.dumps(object())


def test_markup():
    assert escape("<b>") == "&lt;b&gt;"
    assert Markup("<b>") + "<i>" == "<b>&lt;i&gt;"


async def test_contexts_nest(app):
    async with app.test_request_context("/?n=1"):
        async with app.test_request_context("/?n=2"):
            assert request.args["n"] == "2"
        assert request.args["n"] == "1"


async def test_many_requests_at_once_keep_apart(client):
    responses = await asyncio.gather(
        *(client.get("/copies", query_string={"word": str(number)}) for number in range(20))
    )
    assert [(await response.get_json())["word"] for response in responses] == [str(number) for number in range(20)]
