"""The template engine's environment, and what an app gives to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, FileSystemLoader

from quart_plug import Blueprint, Quart, g, render_template, render_template_string, request
from quart_plug.templating import DispatchingJinjaLoader, Environment
from tests.support.surface import shows


async def render(app: Quart, source: str, **names: Any) -> str:
    async with app.test_request_context("/page"):
        return await render_template_string(source, **names)


@shows(
    "app.Quart.template_filter",
    "app.Quart.template_test",
    "app.Quart.template_global",
    "app.Quart.add_template_filter",
    "app.Quart.add_template_test",
    "app.Quart.add_template_global",
)
@pytest.mark.parametrize("how", ["bare", "called", "named", "added", "added with a name"])
@pytest.mark.parametrize("early", [True, False], ids=["before the environment", "after it"])
async def test_filters_tests_and_globals(how: str, early: bool) -> None:
    """By decorators, bare or with a name, and by functions; also when the environment exists already."""
    app = Quart(__name__)
    if not early:
        assert app.jinja_env

    def shout(value: str = "global") -> Any:
        return f"{value}!"

    def register(kind: str, function: Any) -> None:
        decorator, add = getattr(app, f"template_{kind}"), getattr(app, f"add_template_{kind}")
        given = {
            "bare": lambda: decorator(function),
            "called": lambda: decorator()(function),
            "named": lambda: decorator("named")(function),
            "added": lambda: add(function),
            "added with a name": lambda: add(function, "named"),
        }[how]()
        assert given in (function, None)

    name = "named" if "name" in how else "shout"
    for kind in ("filter", "test", "global"):
        register(kind, shout)

    assert await render(app, f"{{{{ 'a' | {name} }}}} {{{{ {name}() }}}} {{{{ 'b' is {name} }}}}") == "a! global! b!"
    assert app.jinja_env.filters[name] is app.jinja_env.tests[name] is app.jinja_env.globals[name] is shout


@shows("app.Quart.template_filter", "app.Quart.template_global")
async def test_coroutine_functions_in_templates() -> None:
    app = Quart(__name__)

    @app.template_filter()
    async def later(value: str) -> str:
        return f"{value} later"

    @app.template_global()
    async def path() -> str:
        return request.path

    assert await render(app, "{{ 'a' | later }} {{ path() }}") == "a later /page"


@shows("app.Quart.jinja_env", "app.Quart.create_jinja_environment")
async def test_jinja_env() -> None:
    """Made once, with the options and with Quart's globals; a setting says whether templates are reloaded."""
    app = Quart(__name__)
    app.jinja_options = {"trim_blocks": True}
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    environment = app.jinja_env

    assert environment is app.jinja_env
    assert isinstance(environment, Environment)
    assert (environment.trim_blocks, environment.auto_reload, environment.is_async) == (True, True, True)
    assert {"config", "g", "get_flashed_messages", "request", "session", "url_for"} <= set(environment.globals)
    assert await render(app, "{{ [1] | tojson }} {{ request.path }} {{ config.DEBUG }}") == "[1] /page False"
    another = app.create_jinja_environment()
    assert another is not environment
    assert another.trim_blocks


@shows("app.Quart.jinja_loader", "app.Quart.create_global_jinja_loader")
async def test_where_templates_are_looked_for(tmp_path: Path) -> None:
    """In the app's folder, then in those of the blueprints; a loader may be assigned."""
    for folder, names in {"app": ["both.html", "app.html"], "part": ["both.html", "part.html"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(f"{name} of {folder}")
    app = Quart(__name__, root_path=str(tmp_path), template_folder="app")
    app.register_blueprint(Blueprint("part", __name__, root_path=str(tmp_path), template_folder="part"))

    async with app.test_request_context("/"):
        rendered = [await render_template(name) for name in ("both.html", "app.html", "part.html")]
    assert rendered == ["both.html of app", "app.html of app", "part.html of part"]
    assert isinstance(app.jinja_loader, FileSystemLoader)
    assert app.jinja_loader.searchpath == [str(tmp_path / "app")]
    assert isinstance(app.create_global_jinja_loader(), DispatchingJinjaLoader)
    assert Quart(__name__, template_folder=None).jinja_loader is None

    app = Quart(__name__)
    app.jinja_loader = DictLoader({"page.html": "assigned"})  # type: ignore[method-assign]  # a property with a setter
    async with app.app_context():
        assert await render_template("page.html") == "assigned"


@shows("app.Quart.select_jinja_autoescape")
@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        *((f"page.{ending}", True) for ending in ("html", "htm", "xml", "xhtml", "svg")),
        ("page.txt", False),
        ("page.html.txt", False),
        ("page", False),
        (None, True),
    ],
)
async def test_select_jinja_autoescape(name: str | None, escaped: bool) -> None:
    """By the ending of the name; what has no name is escaped."""
    app = Quart(__name__)
    assert app.select_jinja_autoescape(name) is escaped
    if name is not None:
        app.jinja_loader = DictLoader({name: "{{ '<' }}"})  # type: ignore[method-assign]
        async with app.app_context():
            assert await render_template(name) == ("&lt;" if escaped else "<")


@shows("app.Quart.update_template_context")
async def test_update_template_context() -> None:
    """What processors give is added, for the request's blueprint too; names that are there already stay."""
    app = Quart(__name__)
    part = Blueprint("part", __name__)
    part.add_url_rule("/part", "view", lambda: "")
    app.context_processor(lambda: {"one": "app", "two": "app"})
    part.context_processor(lambda: {"two": "part", "three": "part"})
    app.register_blueprint(part)

    async with app.test_request_context("/part"):
        g.word = "g"
        names: dict[str, Any] = {"three": "given"}
        assert await app.update_template_context(names) is None
        assert (names["one"], names["two"], names["three"]) == ("app", "part", "given")
    async with app.app_context():
        names = {}
        await app.update_template_context(names)
        assert (names["one"], names["two"]) == ("app", "app")
        assert "three" not in names
