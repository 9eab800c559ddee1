"""`quart.helpers`: messages, streams, redirects, errors, responses, flags; URLs and files have files of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup as MarkupSafe
from werkzeug import Response as WerkzeugResponse
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.exceptions import abort as their_abort

from quart_plug import Markup, Quart, Response, ResponseReturnValue, escape, g, helpers, request, session
from quart_plug.helpers import (
    abort,
    flash,
    get_debug_flag,
    get_flashed_messages,
    get_load_dotenv,
    get_template_attribute,
    locked_cached_property,
    make_push_promise,
    make_response,
    redirect,
    stream_with_context,
    url_for,
    werkzeug_abort,
    werkzeug_redirect,
)
from quart_plug.templating import render_template_string
from tests.support.surface import places, shows


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"
    return app


# Flashed messages -----------------------------------------------------------------------------------------------------


@shows("helpers.flash", "helpers.get_flashed_messages")
async def test_a_message_is_shown_once_by_a_later_request(app: Quart) -> None:
    @app.post("/")
    async def save() -> str:
        await flash("saved")
        await flash("nearly full", "warning")
        return ""

    @app.get("/")
    async def show() -> str:
        return await render_template_string(
            "{% for category, message in get_flashed_messages(with_categories=true) %}"
            "{{ category }}: {{ message }}\n{% endfor %}"
        )

    client = app.test_client()
    await client.post("/")

    assert await (await client.get("/")).get_data() == b"message: saved\nwarning: nearly full\n"
    assert await (await client.get("/")).get_data() == b""


FILTERS: list[tuple[dict[str, Any], list[Any]]] = [
    ({}, ["a", "b", "c"]),
    ({"with_categories": True}, [("message", "a"), ("error", "b"), ("info", "c")]),
    ({"category_filter": ["error"]}, ["b"]),
    ({"category_filter": "error"}, ["b"]),
    ({"category_filter": iter(["info", "error"])}, ["b", "c"]),
    ({"category_filter": ["none"]}, []),
    ({"with_categories": True, "category_filter": ("info",)}, [("info", "c")]),
]


@shows("helpers.get_flashed_messages")
@pytest.mark.parametrize(("options", "expected"), FILTERS)
async def test_messages_are_chosen_by_category_as_often_as_asked_in_one_request(
    app: Quart, options: dict[str, Any], expected: list[Any]
) -> None:
    async with app.test_request_context("/"):
        await flash("a")
        await flash("b", category="error")
        await flash("c", "info")
        assert len(get_flashed_messages()) == 3  # taken from the session, and kept for this request

        assert get_flashed_messages(**options) == expected
        assert "_flashes" not in session


async def test_messages_need_a_session(app: Quart) -> None:
    for ask in (lambda: get_flashed_messages(), lambda: asyncio.run(flash("x"))):
        with pytest.raises(RuntimeError):
            await asyncio.to_thread(ask)
    async with app.app_context():
        with pytest.raises(RuntimeError, match="needs a session"):
            get_flashed_messages()
    app.secret_key = None
    async with app.test_request_context("/"):
        assert get_flashed_messages() == []
        with pytest.raises(RuntimeError, match=r"SECRET_KEY|secret_key"):
            await flash("nowhere to keep it")


# Streams and pushes ---------------------------------------------------------------------------------------------------


@shows("helpers.stream_with_context")
@pytest.mark.parametrize("path", ["/decorated", "/called", "/plain"])
async def test_a_stream_uses_the_request_after_the_view_returned(app: Quart, path: str) -> None:
    @app.route("/decorated")
    async def decorated() -> ResponseReturnValue:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield request.args["name"]
            yield f" {g.number}"

        g.number = 1
        return generate(), {"X-Stream": "yes"}

    @app.route("/called")
    async def called() -> Response:
        async def generate(first: str, *, last: int) -> AsyncIterator[str]:
            yield first
            yield f" {last}"

        return Response(stream_with_context(generate)(request.args["name"], last=1), headers={"X-Stream": "yes"})

    @app.route("/plain")
    def plain() -> ResponseReturnValue:
        @stream_with_context
        def generate() -> Iterator[str]:
            yield request.args["name"]
            yield f" {g.number}"

        g.number = 1
        return generate(), {"X-Stream": "yes"}

    response = await app.test_client().get(f"{path}?name=Ada")

    assert await response.get_data(as_text=True) == "Ada 1"
    assert response.headers["X-Stream"] == "yes"


async def test_stream_with_context_keeps_the_name_and_needs_a_request(app: Quart) -> None:
    async def generate() -> AsyncIterator[str]:
        """Says nothing."""
        yield ""

    async with app.test_request_context("/"):
        assert stream_with_context(generate).__name__ == "generate"
        assert stream_with_context(generate).__doc__ == "Says nothing."
    with pytest.raises(RuntimeError, match="needs a request"):
        stream_with_context(generate)


@shows("helpers.make_push_promise")
async def test_a_push_promise_carries_the_requests_headers_that_matter(app: Quart) -> None:
    @app.route("/")
    async def index() -> str:
        await make_push_promise(url_for("static", filename="style.css"))
        return ""

    client = app.test_client()
    await client.get("/", headers={"Accept-Encoding": "gzip", "X-Other": "1"}, http_version="2")

    (path, headers), *others = client.push_promises
    assert path == "/static/style.css"
    assert headers["Accept-Encoding"] == "gzip"
    assert "X-Other" not in headers
    assert others == []


# Responses ------------------------------------------------------------------------------------------------------------

CODES = [(301, "MOVED PERMANENTLY"), (302, "FOUND"), (303, "SEE OTHER"), (307, "TEMPORARY REDIRECT")]


@shows("helpers.redirect", "helpers.werkzeug_redirect")
@pytest.mark.parametrize(("code", "reason"), CODES)
async def test_a_redirect_has_a_location_and_a_page_for_people(app: Quart, code: int, reason: str) -> None:
    @app.route("/")
    async def index() -> WerkzeugResponse:
        return redirect("/page?q=<b>", code)

    @app.route("/theirs")
    async def theirs() -> WerkzeugResponse:
        return werkzeug_redirect("/page?q=<b>", code, Response)

    for path in ("/", "/theirs"):
        response = await app.test_client().get(path)
        assert response.status == f"{code} {reason}"
        assert response.headers["Location"] == "/page?q=<b>"
        assert b"&lt;b&gt;" in await response.get_data()


@shows("helpers.redirect")
async def test_redirect_has_302_by_default_and_asks_the_app() -> None:
    class Own(Quart):
        def redirect(self, location: str, code: int = 302) -> WerkzeugResponse:
            return super().redirect(f"/own{location}", code)

    assert redirect("/x").status_code == 302
    async with Own(__name__).app_context():
        response = redirect("/x", code=308)
    assert (response.status_code, response.headers["Location"]) == (308, "/own/x")


@shows("helpers.abort", "helpers.werkzeug_abort", "helpers.NotFound")
async def test_abort_raises_the_error_of_a_code_or_answers_with_a_response(app: Quart) -> None:
    @app.route("/<int:code>")
    async def fail(code: int) -> str:
        abort(code, description="for a reason")

    @app.route("/response")
    async def answer() -> str:
        abort(Response("stop", 202, {"X-Stop": "1"}))

    @app.websocket("/ws")
    async def refuse() -> None:
        abort(403)

    client = app.test_client()
    response = await client.get("/404")
    assert (response.status_code, b"for a reason" in await response.get_data()) == (404, True)
    response = await client.get("/response")
    assert (response.status_code, response.headers["X-Stop"], await response.get_data()) == (202, "1", b"stop")
    with pytest.raises(Exception, match="403"):
        async with client.websocket("/ws") as connection:
            await connection.receive()

    assert helpers.NotFound is NotFound
    assert werkzeug_abort is their_abort
    with pytest.raises(helpers.NotFound):
        werkzeug_abort(404)
    with pytest.raises(LookupError):
        abort(777)
    app.aborter.mapping[777] = Forbidden
    async with app.app_context():
        with pytest.raises(Forbidden):
            abort(777)


MADE: list[tuple[tuple[Any, ...], int, bytes, str]] = [
    ((), 200, b"", "text/html; charset=utf-8"),
    (("text",), 200, b"text", "text/html; charset=utf-8"),
    ((b"bytes", 201), 201, b"bytes", "text/html; charset=utf-8"),
    ((("tuple", 202),), 202, b"tuple", "text/html; charset=utf-8"),
    (({"a": [1]},), 200, b'{"a":[1]}\n', "application/json"),
    (([1, 2], 203), 203, b"[1,2]\n", "application/json"),
    (("text", {"Content-Type": "text/plain"}), 200, b"text", "text/plain"),
    (("text", 204, [("Content-Type", "text/css")]), 204, b"text", "text/css"),
    ((Markup("<b>"),), 200, b"<b>", "text/html; charset=utf-8"),
    (((part for part in ("a", "b")),), 200, b"ab", "text/html; charset=utf-8"),
]


@shows("helpers.make_response")
@pytest.mark.parametrize(("arguments", "status", "body", "type_"), MADE)
async def test_make_response_makes_what_a_view_may_return(
    app: Quart, arguments: tuple[Any, ...], status: int, body: bytes, type_: str
) -> None:
    async with app.test_request_context("/"):
        response = await make_response(*arguments)

        assert isinstance(response, Response)
        assert response.status_code == status
        assert response.headers["Content-Type"] == type_
        assert await response.get_data() == body


@shows("helpers.make_response", "ResponseReturnValue")
async def test_a_response_is_changed_before_it_is_returned(app: Quart) -> None:
    @app.route("/")
    async def index() -> ResponseReturnValue:
        response = await make_response(Response("kept", headers={"X-A": "1"}), 201, {"X-A": "2 €"})
        response.set_cookie("a", "b")
        return response

    @app.route("/tuple")
    async def returns_a_tuple() -> ResponseReturnValue:
        return "tuple", 206, {"X-A": "3"}

    response = await app.test_client().get("/")
    assert (response.status_code, response.headers["X-A"]) == (201, "2 €")
    assert response.headers["Set-Cookie"] == "a=b; Path=/"
    response = await app.test_client().get("/tuple")
    assert (response.status_code, response.headers["X-A"]) == (206, "3")
    async with app.app_context():
        for wrong in (None, 5, ("a", 1, {}, "too many")):
            with pytest.raises(TypeError):
                await make_response(wrong)


# The rest -------------------------------------------------------------------------------------------------------------


@shows("helpers.get_template_attribute")
async def test_a_macro_of_a_template_is_called_in_python(app: Quart, tmp_path: Path) -> None:
    (tmp_path / "macros.html").write_text("{% set LIMIT = 3 %}{% macro hello(name) %}Hello {{ name }}{% endmacro %}")
    app = Quart(__name__, template_folder=tmp_path)

    @app.route("/")
    async def index() -> str:
        hello = get_template_attribute("macros.html", "hello")
        return f"{hello('<Ada>')} {get_template_attribute('macros.html', 'LIMIT')}"

    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == "Hello &lt;Ada&gt; 3"
    async with app.app_context():
        with pytest.raises(AttributeError):
            get_template_attribute("macros.html", "missing")


FLAGS = [(None, False), ("1", True), ("true", True), ("yes", True), ("0", False), ("False", False), ("NO", False)]


@shows("helpers.get_debug_flag", "helpers.get_load_dotenv")
@pytest.mark.parametrize(("value", "expected"), FLAGS)
def test_flags_of_the_environment(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool) -> None:
    for name in ("QUART_PLUG_DEBUG", "QUART_DEBUG", "QUART_SKIP_DOTENV"):
        monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv("QUART_DEBUG", value)
        monkeypatch.setenv("QUART_SKIP_DOTENV", value)

    assert get_debug_flag() is expected
    assert get_load_dotenv() is not expected
    assert get_load_dotenv(default=False) is (value is not None and not expected)


@shows("helpers.locked_cached_property")
def test_a_locked_cached_property_is_computed_once() -> None:
    computed: list[int] = []

    class Engine:
        @locked_cached_property
        def pool(self) -> object:
            """The connections."""
            computed.append(1)
            return object()

    engine = Engine()
    assert engine.pool is engine.pool
    assert computed == [1]
    assert Engine().pool is not engine.pool
    assert Engine.pool.__doc__ == "The connections."


@shows("Markup", "escape")
async def test_markup_is_not_escaped_and_everything_else_is(app: Quart) -> None:
    assert Markup is MarkupSafe
    assert escape("<b> & 'c'") == Markup("&lt;b&gt; &amp; &#39;c&#39;")
    assert escape(Markup("<b>")) == "<b>"
    assert Markup("<b>%s</b>") % "<i>" == "<b>&lt;i&gt;</b>"
    async with app.app_context():
        assert await render_template_string("{{ a }}{{ b }}", a=Markup("<b>"), b="<i>") == "<b>&lt;i&gt;"


@pytest.mark.parametrize("module", ["quart_plug", "quart_plug.helpers"])
def test_a_star_import_gives_every_public_name(module: str) -> None:
    names: dict[str, Any] = {}
    exec(f"from {module} import *", names)

    expected = {place.name for place in places() if f"quart_plug.{place.module}".rstrip(".") == module}
    assert expected - names.keys() == set()
