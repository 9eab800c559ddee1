"""The plugin `templates`: what a template sees, where it is looked for, how it is rendered and streamed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from quart_plug import (
    Blueprint,
    Quart,
    flash,
    g,
    hookimpl,
    render_template,
    render_template_string,
    session,
    stream_template,
    websocket,
)
from quart_plug.exceptions import PluginNotEnabled


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    app = Quart(__name__, root_path=str(tmp_path))
    app.secret_key = "for tests"
    return app


def write(app_or_folder: Any, **templates: str) -> None:
    """Write `name="source"` as name.html, or `name_ext` as name.ext."""
    folder = Path(getattr(app_or_folder, "root_path", app_or_folder)) / "templates"
    folder.mkdir(exist_ok=True)
    for name, source in templates.items():
        stem, _, ext = name.partition("_")
        (folder / f"{stem}.{ext or 'html'}").write_text(source)


async def rendered(app: Quart, source: str, **context: Any) -> str:
    async with app.app_context():
        return await render_template_string(source, **context)


async def page(app: Quart, render: Callable[[], Awaitable[Any]]) -> str:
    """The body of a page whose view is `render`."""
    app.add_url_rule("/page/<int:number>", "page", render_view(render))
    response = await app.test_client().get("/page/7")
    return str(await response.get_data(as_text=True))


def render_view(render: Callable[[], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def view(number: int) -> Any:
        return await render()

    return view


# What a template sees ----------------------------------------------------------


async def test_names_given_by_the_caller(app: Quart) -> None:
    assert await rendered(app, "{{ a }} {{ b }}", a=1, b="<") == "1 &lt;"


async def test_the_current_request_session_and_g(app: Quart) -> None:
    async def render() -> str:
        g.user = "joe"
        session["n"] = 3
        return await render_template_string(
            "{{ request.path }} {{ g.user }} {{ session.n }} {{ session['n'] }}"
        )

    assert await page(app, render) == "/page/7 joe 3 3"


async def test_url_for_config_and_flashed_messages(app: Quart) -> None:
    async def render() -> str:
        await flash("saved", "good")
        return await render_template_string(
            "{{ url_for('page', number=8) }} {{ config.TESTING }}"
            "{% for kind, text in get_flashed_messages(true) %} {{ kind }}={{ text }}{% endfor %}"
        )

    app.config["TESTING"] = True
    assert await page(app, render) == "/page/8 True good=saved"


async def test_outside_of_a_request_its_names_are_false(app: Quart) -> None:
    assert await rendered(app, "{% if request %}yes{% else %}no{% endif %}") == "no"


async def test_imported_templates_see_the_request_too(app: Quart) -> None:
    write(app, m="{% macro path() %}{{ request.path }}{% endmacro %}")

    async def render() -> str:
        return await render_template_string("{% import 'm.html' as m %}{{ m.path() }}")

    assert await page(app, render) == "/page/7"


async def test_the_session_is_not_opened_by_a_template_that_does_not_use_it(app: Quart) -> None:
    opened = []
    interface = type(app.session_interface)

    class Counting(interface):  # type: ignore[misc, valid-type]
        lazy = True

        def open_session(self, *args: Any) -> Any:
            opened.append(1)
            return super().open_session(*args)

    app.session_interface = Counting()

    async def render() -> str:
        return await render_template_string("{{ request.path }}")

    assert await page(app, render) == "/page/7"
    assert opened == []


async def test_a_template_in_a_websocket(app: Quart) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        g.x = 1
        await websocket.send(await render_template_string("{{ g.x }} {{ config.TESTING }}"))

    async with app.test_client().websocket("/ws") as connection:
        assert await connection.receive() == "1 False"


async def test_who_wins_of_two_that_give_a_name(app: Quart) -> None:
    """Globals < plugins < the app's processors < the outer blueprint's < the inner one's < the caller."""
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    calls: list[str] = []

    class Plugin:
        @hookimpl
        def template_context(self, app: Quart) -> dict[str, str]:
            return dict.fromkeys("bcdef", "plugin")

        @hookimpl
        def template_globals(self, app: Quart) -> dict[str, str]:
            return dict.fromkeys("abcdef", "global")

    @app.context_processor
    def plain() -> dict[str, str]:
        calls.append("app")
        return dict.fromkeys("cdef", "app")

    @outer.context_processor
    async def of_outer() -> dict[str, str]:
        calls.append("outer")
        return dict.fromkeys("def", "outer")

    @inner.context_processor
    async def of_inner() -> dict[str, str]:
        calls.append("inner")
        return dict.fromkeys("ef", "inner")

    @inner.get("/")
    async def view() -> str:
        return await render_template_string("{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }}", f="caller")

    app.hooks.register(Plugin())
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == "global plugin app outer inner caller"
    assert calls == ["app", "outer", "inner"]


async def test_processors_of_other_blueprints_are_not_asked(app: Quart) -> None:
    other = Blueprint("other", __name__)
    other.context_processor(lambda: {"x": "other"})
    app.register_blueprint(other)

    async def render() -> str:
        return await render_template_string("[{{ x }}]")

    assert await page(app, render) == "[]"


async def test_update_template_context_may_be_called_and_overridden(app: Quart) -> None:
    class Own(Quart):
        async def update_template_context(self, context: dict[str, Any]) -> None:  # type: ignore[override]
            await super().update_template_context(context)
            context["own"] = 1

    own = Own(__name__, root_path=app.root_path)
    own.context_processor(lambda: {"a": 1, "b": 2})
    assert await rendered(own, "{{ own }}{{ a }}{{ b }}", b=3) == "113"
    async with own.test_request_context("/"):
        context: dict[str, Any] = {"a": 0}
        await own.update_template_context(context)
        assert (context["a"], context["b"], context["request"].path) == (0, 2, "/")


async def test_filters_tests_and_globals_of_the_app_and_of_plugins(app: Quart) -> None:
    class Plugin:
        @hookimpl
        def template_filters(self, app: Quart) -> dict[str, Any]:
            return {"twice": lambda text: text * 2}

    app.hooks.register(Plugin())

    @app.template_filter("shout")
    async def shout(text: str) -> str:
        await asyncio.sleep(0)
        return text.upper()

    app.add_template_test(lambda number: number > 9, "big")

    @app.template_global()
    def greet(name: str) -> str:
        return f"Hi {name}"

    source = "{{ 'a' | shout | twice }} {{ 10 is big }} {{ greet('joe') }}"
    assert await rendered(app, source) == "AA True Hi joe"


# Where templates are looked for ----------------------------------------------------------


async def test_the_app_comes_before_its_blueprints_in_their_order_and_plugins(
    app: Quart, tmp_path: Path
) -> None:
    def blueprint(name: str, **templates: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        write(folder, **templates)
        app.register_blueprint(Blueprint(name, __name__, root_path=str(folder), template_folder="templates"))

    plugin_folder = tmp_path / "plugin"
    plugin_folder.mkdir()
    write(plugin_folder, a="plugin", b="plugin", c="plugin", d="plugin")

    class Plugin:
        @hookimpl
        def template_folders(self, app: Quart) -> list[str]:
            return [str(plugin_folder / "templates")]

    app.hooks.register(Plugin())
    write(app, a="app")
    blueprint("second", a="second", b="second")
    blueprint("first", a="first", b="first", c="first")
    async with app.app_context():
        found = [await render_template(f"{name}.html") for name in "abcd"]
    assert found == ["app", "second", "first", "plugin"]
    assert app.jinja_env.list_templates() == ["a.html", "b.html", "c.html", "d.html"]


async def test_the_first_template_that_exists_of_several(app: Quart) -> None:
    write(app, b="b")
    async with app.app_context():
        assert await render_template(["a.html", "b.html"]) == "b"
        assert await render_template(app.jinja_env.get_template("b.html")) == "b"
        with pytest.raises(jinja2.TemplateNotFound, match=r"a\.html"):
            await render_template("a.html")


@pytest.mark.parametrize(("found", "words"), [(False, "Nowhere"), (True, "In several places")])
async def test_explain_template_loading(
    app: Quart, tmp_path: Path, caplog: pytest.LogCaptureFixture, found: bool, words: str
) -> None:
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    folder = tmp_path / "bp"
    folder.mkdir()
    app.register_blueprint(Blueprint("bp", __name__, root_path=str(folder), template_folder="templates"))
    if found:
        write(app, a="app")
        write(folder, a="bp")
    with caplog.at_level(logging.INFO, app.logger.name):
        async with app.app_context():
            if found:
                assert await render_template("a.html") == "app"
            else:
                with pytest.raises(jinja2.TemplateNotFound):
                    await render_template("a.html")
    assert "Looking for the template 'a.html'" in caplog.text
    assert "the blueprint 'bp'" in caplog.text
    assert words in caplog.text


@pytest.mark.parametrize(
    ("debug", "setting", "reloads"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
async def test_templates_are_reloaded_in_debug_mode_or_when_asked(
    app: Quart, debug: bool, setting: bool | None, reloads: bool
) -> None:
    app.debug = debug
    app.config["TEMPLATES_AUTO_RELOAD"] = setting
    write(app, a="old")
    async with app.app_context():
        assert await render_template("a.html") == "old"
        write(app, a="new and longer")
        file = Path(app.root_path) / "templates" / "a.html"
        os.utime(file, (1, 1))
        assert (await render_template("a.html") == "new and longer") is reloads


# Escaping ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a_html", True),
        ("a_htm", True),
        ("a_xml", True),
        ("a_xhtml", True),
        ("a_svg", True),
        ("a_txt", False),
    ],
)
async def test_what_is_escaped(app: Quart, name: str, escaped: bool) -> None:
    write(app, **{name: "{{ x }}"})
    async with app.app_context():
        text = await render_template(name.replace("_", "."), x="<")
    assert text == ("&lt;" if escaped else "<")


async def test_the_autoescape_of_the_app_may_be_overridden(app: Quart) -> None:
    class Own(Quart):
        def select_jinja_autoescape(self, filename: str | None) -> bool:
            return False

    assert await rendered(Own(__name__), "{{ x }}", x="<") == "<"


async def test_tojson_uses_the_apps_json(app: Quart) -> None:
    assert await rendered(app, "{{ {'b': '<', 'a': 1} | tojson }}") == '{"a": 1, "b": "\\u003c"}'


# The environment ----------------------------------------------------------


async def test_jinja_options_and_an_overridden_environment(app: Quart) -> None:
    class Own(Quart):
        jinja_options = {"trim_blocks": True, "variable_start_string": "[[", "variable_end_string": "]]"}

        def create_jinja_environment(self) -> Any:
            environment = super().create_jinja_environment()
            environment.globals["own"] = "mine"
            return environment

    own = Own(__name__)
    assert await rendered(own, "[[ own ]]") == "mine"
    assert own.jinja_env.trim_blocks is True


async def test_an_environment_that_the_app_made_itself(app: Quart) -> None:
    app.jinja_env = jinja2.Environment(loader=jinja2.DictLoader({"a": "a {{ x }}"}))
    async with app.app_context():
        assert await render_template("a", x=1) == "a 1"
        assert [piece async for piece in await stream_template("a", x=1)] == ["a ", "1"]


async def test_globals_given_to_one_template_are_its_own(app: Quart) -> None:
    write(app, a="{{ x }}|{{ y }}", b="{{ x }}|{{ y }}")
    async with app.app_context():
        app.jinja_env.globals["y"] = "shared"
        first = app.jinja_env.get_template("a.html", globals={"x": "own"})
        assert await first.render_async() == "own|shared"
        assert await render_template("b.html") == "|shared"
        app.jinja_env.globals["y"] = "changed"
        assert await first.render_async(y="given") == "own|given"
        assert await render_template("a.html") == "own|changed"


async def test_the_names_of_quarts_module_are_found() -> None:
    from quart_plug import templating

    assert issubclass(templating.Environment, templating.BaseEnvironment)
    assert issubclass(templating.DispatchingJinjaLoader, jinja2.BaseLoader)
    assert templating.Template is jinja2.Template
    with pytest.raises(AttributeError):
        templating.Nonsense


async def test_without_the_plugin_one_line_says_how_to_turn_it_on(app: Quart) -> None:
    app.config["PLUGINS_DISABLED"] = ["templates"]
    with pytest.raises(PluginNotEnabled, match="templates"):
        await rendered(app, "x")


async def test_without_an_app_the_message_says_so() -> None:
    with pytest.raises(RuntimeError, match="application context"):
        await render_template("a.html")
