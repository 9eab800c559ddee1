"""`quart.templating`: rendering and streaming, what templates see, where they are looked for."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import jinja2
import pytest
from markupsafe import Markup

from quart_plug import Blueprint, Quart, request, session, websocket
from quart_plug.templating import (
    BaseEnvironment,
    DispatchingJinjaLoader,
    Environment,
    Template,
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)
from tests.support.surface import shows

FILES = {
    "templates/page.html": "{{ x }}",
    "templates/page.txt": "{{ x }}",
    "templates/parts.html": "{% macro twice(v) %}{{ v }}{{ v }}{{ request.path }}{% endmacro %}",
    "templates/sub.html": "{% extends 'base.html' %}{% block a %}{{ super() }},{% include 'page.html' %}{% endblock %}",
    "templates/base.html": "<{% block a %}base{% endblock %}>",
    "shop/page.html": "the blueprint's page",
    "shop/goods.html": "goods {{ x }}",
}


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    app = Quart(__name__, root_path=str(tmp_path))
    app.secret_key = "secret"
    app.testing = True
    app.register_blueprint(Blueprint("shop", __name__, root_path=str(tmp_path), template_folder="shop"))
    return app


@shows("templating.render_template")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", "&lt;b&gt;"),
        ("page.txt", "<b>"),
        ("goods.html", "goods &lt;b&gt;"),
        ("sub.html", "<base,&lt;b&gt;>"),
        (["nowhere.html", "page.txt", "page.html"], "<b>"),
    ],
)
async def test_render_template(app: Quart, name: Any, text: str) -> None:
    """From the app's folder, or else a blueprint's; HTML and XML are escaped."""
    async with app.app_context():
        assert await render_template(name, x="<b>") == text
        assert await render_template(app.jinja_env.get_or_select_template(name), x="<b>") == text
        for missing in ("nowhere.html", ["nowhere.html"], []):
            with pytest.raises(jinja2.TemplateNotFound):
                await render_template(missing)
    with pytest.raises(RuntimeError, match="application context"):
        await render_template(name)


@shows("templating.render_template_string")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ '<' }}{{ '<'|safe }}{% autoescape false %}{{ '<' }}{% endautoescape %}", "&lt;<<"),
        ("{{ request.method }} {{ g.get('a') }} {{ session.a }} {{ config.TESTING }}", "GET None 1 True"),
        ("{{ url_for('index') }} {{ get_flashed_messages() }}", "/ []"),
        ("{{ missing }}{{ {'a': 1}.a }}{{ {'items': 1}['items'] }}", "11"),
        ("{{ {'a': '</script>'}|tojson }}", '{"a": "\\u003c/script\\u003e"}'),
        ("{% from 'parts.html' import twice with context %}{{ twice('<') }}", "&lt;&lt;/"),
        ("{{ 'a'|shout }} {{ 'a'|later }} {{ 3 is odd_one }} {{ hello('you') }} {{ soon() }}", "A! a… True hi you <u>"),
        ("{{ by_app }} {{ by_coroutine }} {{ given }}", "app coroutine caller"),
    ],
)
async def test_what_a_template_sees(app: Quart, source: str, text: str) -> None:
    """Filters, tests and globals may be coroutine functions, and so may context processors; the caller's names win."""

    @app.template_filter()
    def shout(value: str) -> str:
        return f"{value.upper()}!"

    @app.template_filter("later")
    async def wait(value: str) -> str:
        await asyncio.sleep(0)
        return f"{value}…"

    @app.template_test("odd_one")
    def is_odd(value: int) -> bool:
        return value % 2 == 1

    @app.template_global()
    def hello(name: str) -> str:
        return f"hi {name}"

    @app.template_global("soon")
    async def coming() -> Markup:
        return Markup("<u>")

    @app.context_processor
    def plain() -> dict[str, Any]:
        return {"by_app": "app", "given": "processor"}

    @app.context_processor
    async def awaited() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"by_coroutine": "coroutine"}

    @app.route("/")
    async def index() -> str:
        session["a"] = 1
        return await render_template_string(source, given="caller")

    assert await (await app.test_client().get("/")).get_data(as_text=True) == text


async def test_context_processors_of_nested_blueprints(app: Quart) -> None:
    """The innermost wins; one for the whole app is asked everywhere."""
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for blueprint in (outer, inner):

        @blueprint.context_processor
        async def names(name: str = blueprint.name) -> dict[str, Any]:
            return {"x": name, name: True}

        @blueprint.route(f"/{blueprint.name}")
        async def view() -> str:
            return await render_template_string("{{ x }} {{ outer }} {{ inner }} {{ everywhere }}")

    @inner.app_context_processor
    def everywhere() -> dict[str, Any]:
        return {"everywhere": "all", "x": "app"}

    @inner.websocket("/ws")
    async def ws() -> None:
        await websocket.send(await render_template_string("{{ x }} {{ g is defined }} {{ request is defined }}"))

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    client = app.test_client()
    said = [await (await client.get(path)).get_data(as_text=True) for path in ("/outer", "/inner")]
    assert said == ["outer True  all", "inner True True all"]
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "inner True True"
    async with app.app_context():
        assert await render_template_string("{{ x }}{{ outer }}{{ everywhere }}") == "appall"


@shows("templating.stream_template", "templating.stream_template_string")
@pytest.mark.parametrize("how", ["name", "source"])
async def test_streaming(app: Quart, tmp_path: Path, how: str) -> None:
    """The pieces are made while the response is sent, and the request is still current then."""
    source = "{% for i in steps() %}{{ request.args.a }}{{ i }}{{ x }} {% endfor %}"
    (tmp_path / "templates/steps.html").write_text(source)
    reached: list[int] = []

    async def steps() -> Any:
        for i in range(3):
            reached.append(i)
            yield i

    @app.route("/")
    async def index() -> Any:
        if how == "name":
            stream = await stream_template("steps.html", steps=steps, x="<")
        else:
            stream = await stream_template_string(source, steps=steps, x="<")
        assert reached == []
        return stream

    @app.websocket("/ws")
    async def ws() -> None:
        if how == "name":
            pieces = await stream_template(["nowhere.html", "page.html"], x="a")
        else:
            pieces = await stream_template_string("{{ x }}", x="a")
        async for piece in pieces:
            await websocket.send(piece)

    client = app.test_client()
    assert await (await client.get("/?a=A")).get_data(as_text=True) == "A0&lt; A1&lt; A2&lt; "
    assert reached == [0, 1, 2]
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "a"
    with pytest.raises(RuntimeError, match="application context"):
        await (stream_template("page.html") if how == "name" else stream_template_string(source))
    if how == "name":
        async with app.app_context():
            with pytest.raises(jinja2.TemplateNotFound):
                await stream_template("nowhere.html")


@shows("templating.Environment", "templating.BaseEnvironment", "templating.Environment.getattr")
async def test_an_environment_of_ones_own(tmp_path: Path) -> None:
    """The class, its options, the escaping and the loader can be another's."""

    class Shouting(Environment):
        def __init__(self, app: Quart, **options: Any) -> None:
            super().__init__(app, **options)
            self.globals["app_name"] = app.name

        def getattr(self, obj: Any, attribute: str) -> Any:
            return f"{super().getattr(obj, attribute)}!"

    class Own(Quart):
        jinja_environment = Shouting
        jinja_options = {"variable_start_string": "[[", "variable_end_string": "]]"}

        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return filename == "a.txt"

        def create_global_jinja_loader(self) -> Any:
            return jinja2.DictLoader({"a.txt": "[[ x ]] [[ app_name ]]", "a.html": "[[ x ]] [[ y.real ]] {{ }}"})

    app = Own("name", root_path=str(tmp_path))
    async with app.app_context():
        assert await render_template("a.txt", x="<") == "&lt; name"
        assert await render_template("a.html", x="<", y=1) == "< 1! {{ }}"
    assert isinstance(app.jinja_env, Shouting) and issubclass(Environment, BaseEnvironment)
    assert BaseEnvironment is jinja2.Environment
    other = Environment(app, loader=jinja2.DictLoader({"b": "{{ x }}"}), autoescape=True)
    assert other.is_async
    assert await other.get_template("b").render_async(x="<") == "&lt;"
    assert isinstance(Environment(Quart("other")).loader, DispatchingJinjaLoader)


@shows("templating.Template", "templating.Environment.template_class")
async def test_templates_are_jinjas(app: Quart) -> None:
    template = app.jinja_env.from_string("{{ x }}")
    assert isinstance(template, Template) and isinstance(template, app.jinja_env.template_class)
    assert Template is jinja2.Template

    class Loud(app.jinja_env.template_class):
        async def render_async(self, *args: Any, **kwargs: Any) -> str:
            return (await super().render_async(*args, **kwargs)).upper()

    app.jinja_env.template_class = Loud
    async with app.app_context():
        assert await render_template("page.html", x="a") == "A" == await render_template_string("{{ x }}", x="a")
        assert await render_template(template, x="a") == "a"


@shows(
    "templating.DispatchingJinjaLoader",
    "templating.DispatchingJinjaLoader.get_source",
    "templating.DispatchingJinjaLoader.list_templates",
)
def test_the_loader(app: Quart, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The app comes before its blueprints; with EXPLAIN_TEMPLATE_LOADING the log says what was found where."""
    loader = DispatchingJinjaLoader(app)
    assert loader.list_templates() == ["base.html", "goods.html", "page.html", "page.txt", "parts.html", "sub.html"]
    source, filename, is_current = loader.get_source(app.jinja_env, "page.html")
    assert (source, filename) == ("{{ x }}", str(tmp_path / "templates/page.html"))
    assert is_current is not None and is_current()
    os.utime(filename, (1, 1))
    assert not is_current()
    with pytest.raises(jinja2.TemplateNotFound):
        loader.get_source(app.jinja_env, "nowhere.html")

    caplog.set_level(logging.INFO, logger=app.name)
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    assert loader.get_source(app.jinja_env, "goods.html")[0] == "goods {{ x }}"
    with pytest.raises(jinja2.TemplateNotFound):
        loader.get_source(app.jinja_env, "nowhere.html")
    explained = caplog.text
    assert all(part in explained for part in ("goods.html", "nowhere.html", str(tmp_path / "shop"), "'shop'"))


@pytest.mark.parametrize(
    ("setting", "debug", "reloads"), [(None, False, False), (None, True, True), (True, False, True)]
)
async def test_changed_templates(app: Quart, tmp_path: Path, setting: Any, debug: bool, reloads: bool) -> None:
    """TEMPLATES_AUTO_RELOAD: by default as in debug mode."""
    app.config["TEMPLATES_AUTO_RELOAD"] = setting
    app.debug = debug
    page = tmp_path / "templates/page.txt"
    async with app.app_context():
        assert await render_template("page.txt", x="a") == "a"
        page.write_text("changed")
        os.utime(page, (1, 1))
        assert await render_template("page.txt", x="a") == ("changed" if reloads else "a")


async def test_the_contexts_update_can_be_overridden(app: Quart) -> None:
    class Own(Quart):
        async def update_template_context(self, ctx: dict[str, Any]) -> None:  # 0.22's argument, whatever its name
            await super().update_template_context(ctx)
            ctx["own"] = f"own {request.path if 'request' in ctx else None}"

    own = Own("name")
    own.add_url_rule("/", "index", lambda: render_template_string("{{ own }}"))
    assert await (await own.test_client().get("/")).get_data(as_text=True) == "own /"
