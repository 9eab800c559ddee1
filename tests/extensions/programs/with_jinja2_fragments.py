"""jinja2-fragments and jinja_partials: blocks of templates rendered by themselves, templates rendered in others."""

import jinja_partials
import pytest
from jinja2_fragments.quart import render_block, render_blocks, template_block_rendered
from quart import Quart, render_template


@pytest.fixture
def app(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        "<h1>{% block title %}{{ name }}{% endblock %}</h1>{% block body %}body of {{ name }}{% endblock %}"
    )
    (tmp_path / "templates" / "outer.html").write_text("<ul>{{ render_partial('inner.html', n=3) }}</ul>")
    (tmp_path / "templates" / "inner.html").write_text("<li>{{ n }}</li>")
    return Quart("fragments", root_path=str(tmp_path))


async def test_blocks(app):
    @app.get("/")
    async def index():
        return await render_template("page.html", name="x")

    @app.get("/block")
    async def block():
        return await render_block("page.html", "body", name="x")

    @app.get("/blocks")
    async def blocks():
        return await render_blocks("page.html", ["title", "body"], name="x")

    seen = []

    async def note(sender, **values):
        seen.append(values["block_name"])

    template_block_rendered.connect(note)
    client = app.test_client()
    assert await (await client.get("/")).get_data(as_text=True) == "<h1>x</h1>body of x"
    assert await (await client.get("/block")).get_data(as_text=True) == "body of x"
    assert await (await client.get("/blocks")).get_data(as_text=True) == "xbody of x"
    assert seen == ["body"]


async def test_partials(app):
    jinja_partials.register_quart_extensions(app)

    @app.get("/")
    async def index():
        return await render_template("outer.html")

    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == "<ul><li>3</li></ul>"
