"""Templates: corners that applications rely on, each with a small application of its own."""

from __future__ import annotations

import asyncio

import pytest
from helpers import text
from quart import (
    Blueprint,
    Quart,
    render_template,
    render_template_string,
)
from quart.templating import Environment


@pytest.fixture
def app():
    app = Quart("details")
    app.testing = True
    app.secret_key = "of the tests"
    return app


@pytest.fixture
def client(app):
    return app.test_client()


async def test_an_environment_of_ones_own(tmp_path):
    (tmp_path / "a.html").write_text("[[ name ]] {% if true %}yes{% endif %}")

    class Own(Environment):
        pass

    class Templated(Quart):
        jinja_environment = Own
        jinja_options = {"variable_start_string": "[[", "variable_end_string": "]]"}

    app = Templated("templated", template_folder=str(tmp_path))
    async with app.app_context():
        assert await render_template("a.html", name="<n>") == "&lt;n&gt; yes"
    assert type(app.jinja_env) is Own


async def test_the_apps_templates_come_before_a_blueprints(tmp_path):
    for folder, files in (("app", ("both",)), ("part", ("both", "own"))):
        (tmp_path / folder).mkdir()
        for name in files:
            (tmp_path / folder / f"{name}.html").write_text(f"{name} of {folder}")
    app = Quart("loaders", template_folder=str(tmp_path / "app"))
    app.register_blueprint(Blueprint("part", __name__, template_folder=str(tmp_path / "part")))
    async with app.app_context():
        assert await render_template("both.html") == "both of app"
        assert await render_template("own.html") == "own of part"
    assert sorted(app.jinja_env.list_templates()) == ["both.html", "own.html"]


@pytest.mark.parametrize(
    ("name", "escaped"), [("a.html", True), ("a.xml", True), ("a.svg", True), ("a.txt", False), ("a", False)]
)
async def test_which_templates_are_escaped(tmp_path, name, escaped):
    (tmp_path / name).write_text("{{ x }}{{ x | safe }}")
    app = Quart("escaped", template_folder=str(tmp_path))
    async with app.app_context():
        assert await render_template(name, x="<") == ("&lt;<" if escaped else "<<")


async def test_templates_are_read_again(tmp_path):
    import os

    path = tmp_path / "a.html"
    path.write_text("before")
    app = Quart("reloaded", template_folder=str(tmp_path))
    app.config["TEMPLATES_AUTO_RELOAD"] = True
    async with app.app_context():
        assert await render_template("a.html") == "before"
        path.write_text("after")
        os.utime(path, (2_000_000_000, 2_000_000_000))
        assert await render_template("a.html") == "after"


async def test_asynchronous_functions_in_templates(app, client):
    @app.template_global()
    async def later(x):
        await asyncio.sleep(0)
        return x * 2

    @app.template_filter()
    async def slowly(x):
        await asyncio.sleep(0)
        return f"<{x}>"

    async def numbers():
        yield 1
        yield 2

    @app.get("/")
    async def index():
        return await render_template_string(
            "{{ later(2) }} {{ 'a' | slowly }} {% for n in n() %}{{ n }}{% endfor %}", n=numbers
        )

    assert await text(await client.get("/")) == "4 &lt;a&gt; 12"


async def test_names_win_in_order(app):
    app.context_processor(lambda: {"a": "processor", "b": "processor"})
    app.jinja_env.globals.update(a="global", b="global", c="global")
    async with app.app_context():
        assert await render_template_string("{{ a }} {{ b }} {{ c }}", a="given") == "given processor global"
