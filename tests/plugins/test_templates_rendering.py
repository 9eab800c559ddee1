"""The plugin `templates`: everything that Jinja awaits is awaited, streamed or not; hooks; errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug import (
    Quart,
    g,
    get_template_attribute,
    hookimpl,
    render_template,
    render_template_string,
    stream_template,
    stream_template_string,
)


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    app = Quart(__name__, root_path=str(tmp_path))
    app.secret_key = "for tests"
    return app


def write(app: Quart, **templates: str) -> None:
    """Write `name="source"` as name.html."""
    folder = Path(app.root_path) / "templates"
    folder.mkdir(exist_ok=True)
    for name, source in templates.items():
        (folder / f"{name}.html").write_text(source)


async def rendered(app: Quart, source: str, **context: Any) -> str:
    async with app.app_context():
        return await render_template_string(source, **context)


class Item:
    def __init__(self, name: str) -> None:
        self.name = name

    async def later(self) -> str:
        await asyncio.sleep(0)
        return f"later {self.name}"

    @property
    def soon(self) -> Awaitable[str]:
        return self.later()


async def numbers() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(0)
        yield number


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ item.name }}", "a"),
        ("{{ item.later() }}", "later a"),
        ("{{ item.soon }}", "later a"),
        ("{{ item.later() | upper }} {{ item.later().upper() }}", "LATER A LATER A"),
        ("{% for n in numbers() %}{{ n }}{{ loop.index }}{% endfor %}", "011223"),
        ("{% for n in numbers() if n %}{{ n }}{% else %}none{% endfor %}", "12"),
        ("{% for n in [] %}{{ n }}{% else %}none{% endfor %}", "none"),
        ("{{ numbers() | list | join('-') }}", "0-1-2"),
        ("{{ items | map(attribute='name') | join(',') }}", "a,b"),
        ("{% for i in items recursive %}{{ i.name }}{% endfor %}", "ab"),
        (
            "{% macro m(x, y=2) %}{{ x }}{{ y }}{{ caller() }}{% endmacro %}{% call m(1) %}!{% endcall %}",
            "12!",
        ),
        (
            "{% set x = item.later() %}{{ x }}{% set ns = namespace(n=0) %}{% set ns.n = 1 %}{{ ns.n }}",
            "later a1",
        ),
        ("{% if item.later() == 'later a' and 1 in numbers() | list %}yes{% endif %}", "yes"),
        ("{{ {'k': item.later()}['k'] }} {{ [item.name, item.later()] | join }}", "later a alater a"),
        ("{% filter upper %}{{ item.later() }}{% endfilter %}", "LATER A"),
        ("{{ d.x }}{{ d.none }}{{ d.items is callable }}{{ d['items'] }}", "1True2"),
        ("{{ missing }}{{ missing | default('d') }}{{ item.none }}", "d"),
        ("{% with a = item.later() %}{{ a }}{% endwith %}", "later a"),
        ("{{ 'x' if item.later() else 'y' }}{{ items[1]['name'] }}{{ 1.5 + 1 }}", "xb2.5"),
        ("{% include 'part.html' %}", "part a"),
        ("{% include ['none.html', 'part.html'] %}{% include 'none.html' ignore missing %}", "part a"),
        (
            "{% extends 'base.html' %}{% block body %}{{ super() }}+{{ item.later() }}{% endblock %}",
            "<base+later a>",
        ),
        ("{% import 'macros.html' as m %}{{ m.hi('x') }}{{ m.version }}", "hi x3"),
        ("{% from 'macros.html' import hi with context %}{{ hi('x') }}", "hi x"),
    ],
)
async def test_everything_that_jinja_awaits_is_awaited(app: Quart, source: str, expected: str) -> None:
    """The same text as from Jinja's own async environment, streamed and not."""
    write(
        app,
        part="part {{ item.name }}",
        base="<{% block body %}base{% endblock %}>",
        macros="{% macro hi(x) %}hi {{ x }}{% endmacro %}{% set version = 3 %}",
    )
    context: dict[str, Any] = {
        "d": {"x": 1, "items": 2},
        "item": Item("a"),
        "items": [Item("a"), Item("b")],
        "numbers": numbers,
    }
    assert await rendered(app, source, **context) == expected
    async with app.app_context():
        assert "".join([piece async for piece in await stream_template_string(source, **context)]) == expected
    jinjas = jinja2.Environment(enable_async=True, autoescape=True, loader=app.jinja_env.loader)
    assert await jinjas.from_string(source).render_async(context) == expected


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab<&", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=6,
)

_OWN_APP = Quart(__name__)


@given(values)
def test_any_value_is_rendered_as_by_jinja(value: Any) -> None:
    source = "{{ x }}|{{ x.a }}|{{ x[0] }}|{% for i in x if x is iterable %}{{ i }}{{ i.b }},{% endfor %}"
    source = source.replace("in x if x is iterable", "in (x if x is iterable else [])")
    jinjas = jinja2.Environment(autoescape=True)
    assert asyncio.run(rendered(_OWN_APP, source, x=value)) == jinjas.from_string(source).render(x=value)


async def test_an_error_shows_the_templates_line(app: Quart) -> None:
    write(app, a="one\ntwo\n{{ item.fails() }}\n")

    class Failing:
        def fails(self) -> None:
            raise ZeroDivisionError

    async with app.app_context():
        with pytest.raises(ZeroDivisionError) as caught:
            await render_template("a.html", item=Failing())
    places = [(str(entry.path), entry.lineno + 1) for entry in caught.traceback]
    assert any(path.endswith("a.html") and line == 3 for path, line in places)


async def test_a_macro_from_python(app: Quart) -> None:
    write(app, m="{% macro hi(x) %}Hi {{ x }}{% endmacro %}{% set version = 3 %}")
    async with app.app_context():
        assert get_template_attribute("m.html", "hi")("<") == "Hi &lt;"
        assert get_template_attribute("m.html", "version") == 3


async def test_sources_are_not_mixed_up(app: Quart) -> None:
    """More different sources than are kept, each twice."""
    for _ in range(2):
        for number in range(200):
            assert await rendered(app, f"{number} {{{{ x }}}}", x=number) == f"{number} {number}"


async def test_hooks_are_told_before_and_after(app: Quart) -> None:
    told: list[tuple[str, str, dict[str, Any]]] = []

    class Plugin:
        @hookimpl
        async def template_rendering(self, app: Quart, template: Any, context: dict[str, Any]) -> None:
            context["x"] = "changed"
            told.append(("before", template.name, dict(context)))

        @hookimpl
        def template_rendered(self, template: Any, context: dict[str, Any]) -> None:
            told.append(("after", template.name, context))

    write(app, a="{{ x }}")
    app.hooks.register(Plugin())
    async with app.test_request_context("/"):
        assert await render_template("a.html", x="given") == "changed"
        pieces = await stream_template("a.html", x="given")
        assert [when for when, _, _ in told] == ["before", "after", "before"]
        assert [piece async for piece in pieces] == ["changed"]
    assert [(when, name) for when, name, _ in told] == [("before", "a.html"), ("after", "a.html")] * 2
    assert {"g", "request", "session", "x"} <= set(told[0][2])


# Streaming ----------------------------------------------------------


async def test_the_request_is_current_while_a_stream_is_sent(app: Quart) -> None:
    write(app, a="{% for n in numbers() %}{{ request.path }} {{ g.x }} {{ n }};{% endfor %}")

    @app.get("/page")
    async def page() -> Any:
        g.x = "x"
        return await stream_template("a.html", numbers=numbers)

    response = await app.test_client().get("/page")
    assert await response.get_data(as_text=True) == "/page x 0;/page x 1;/page x 2;"


async def test_a_stream_comes_in_pieces(app: Quart) -> None:
    async with app.app_context():
        pieces = [piece async for piece in await stream_template_string("a{{ x }}b", x=1)]
    assert pieces == ["a", "1", "b"]


async def test_code_that_cannot_be_changed_is_left_as_it_is() -> None:
    """Python allows no assignment expression in a comprehension's iterable."""
    from quart_plug_templates.awaiting import compile_template

    source = "async def root(auto_await, x):\n    return [n for n in await auto_await(x)]\n"
    names: dict[str, Any] = {}
    exec(compile_template(source, "<template>"), names)

    async def awaited(value: Any) -> Any:
        return value

    assert await names["root"](awaited, [1, 2]) == [1, 2]
