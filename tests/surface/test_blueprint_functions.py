"""`quart.blueprints`: functions around connections, errors, URL values, templates and serving; which of them reach the
blueprint alone, and which the whole app."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, Response, abort, g, render_template, render_template_string, url_for, websocket
from quart_plug.testing import WebsocketResponseError
from tests.support.surface import shows


class Site:
    """An app with a view, a blueprint with one, and one nested in that; what happens is noted."""

    def __init__(self) -> None:
        self.app = Quart(__name__)
        self.outer = Blueprint("outer", __name__, url_prefix="/outer")
        self.inner = Blueprint("inner", __name__, url_prefix="/inner")
        self.parts = {"app": self.app, "outer": self.outer, "inner": self.inner}
        self.events: list[str] = []
        for name, part in self.parts.items():
            part.add_url_rule("/view", "view", self._view(name))
            part.add_url_rule("/fail/<int:code>", "fail", _fail)
            part.add_websocket("/ws", "ws", self._websocket(name))

    def _view(self, name: str) -> Callable[..., Any]:
        async def view() -> str:
            self.events.append(f"view {name}")
            return name

        return view

    def _websocket(self, name: str) -> Callable[..., Any]:
        async def view() -> None:
            self.events.append(f"view {name}")
            await websocket.send(name)

        return view

    def note(self, event: str) -> Callable[..., Any]:
        """A function that notes an event, and gives back the response it is given."""

        async def function(*args: Any) -> Any:
            self.events.append(event)
            return args[0] if args and not isinstance(args[0], BaseException) else None

        return function

    def register(self) -> None:
        self.outer.register_blueprint(self.inner)
        self.app.register_blueprint(self.outer)

    async def get(self, path: str) -> Response:
        self.events.clear()
        return await self.app.test_client().get(path)

    async def connect(self, path: str) -> list[str]:
        self.events.clear()
        async with self.app.test_client().websocket(path) as connection:
            await connection.receive()
        return self.events


async def _fail(code: int) -> str:
    if code < 100:
        raise [KeyError, IndexError, ArithmeticError][code]("broken")
    abort(code)


@pytest.fixture
def site() -> Site:
    return Site()


# Around requests and websockets ---------------------------------------------------------------------------------------

STAGES = ("before", "after", "teardown")


@shows(
    "blueprints.Blueprint.before_request",
    "blueprints.Blueprint.after_request",
    "blueprints.Blueprint.teardown_request",
    "blueprints.Blueprint.before_websocket",
    "blueprints.Blueprint.after_websocket",
    "blueprints.Blueprint.teardown_websocket",
)
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_functions_of_a_blueprint_run_for_its_own_views_nested_ones_inside(site: Site, kind: str) -> None:
    for stage in STAGES:
        for name, part in site.parts.items():
            function = site.note(f"{stage} {name}")
            assert getattr(part, f"{stage}_{kind}")(function) is function
    site.register()
    path = "/view" if kind == "request" else "/ws"
    run = site.get if kind == "request" else site.connect

    for prefix, names in (("", ["app"]), ("/outer", ["app", "outer"]), ("/outer/inner", ["app", "outer", "inner"])):
        await run(f"{prefix}{path}")
        assert site.events == [
            *(f"before {name}" for name in names),
            f"view {names[-1]}",
            *(f"after {name}" for name in reversed(names)),
            *(f"teardown {name}" for name in reversed(names)),
        ]


@shows(
    "blueprints.Blueprint.before_app_request",
    "blueprints.Blueprint.after_app_request",
    "blueprints.Blueprint.teardown_app_request",
    "blueprints.Blueprint.before_app_websocket",
    "blueprints.Blueprint.after_app_websocket",
    "blueprints.Blueprint.teardown_app_websocket",
)
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_app_functions_of_a_blueprint_run_for_every_view_once(site: Site, kind: str) -> None:
    for stage in STAGES:
        function = site.note(stage)
        assert getattr(site.inner, f"{stage}_app_{kind}")(function) is function
    site.register()
    site.app.register_blueprint(site.inner, name="again", url_prefix="/again")
    path = "/view" if kind == "request" else "/ws"
    run = site.get if kind == "request" else site.connect

    for prefix, name in (("", "app"), ("/outer", "outer"), ("/again", "inner")):
        await run(f"{prefix}{path}")
        assert site.events == ["before", f"view {name}", "after", "teardown"]
    if kind == "request":
        assert (await site.get("/nowhere")).status_code == 404
        assert site.events == ["before", "after", "teardown"]


@shows("blueprints.Blueprint.before_request", "blueprints.Blueprint.before_websocket")
async def test_a_before_function_may_answer_instead_and_plain_functions_may_be_used(site: Site) -> None:
    @site.outer.before_request
    def closed() -> tuple[str, int]:
        return "closed", 503

    @site.outer.after_request
    def stamp(response: Response) -> Response:
        response.headers["X-Stamp"] = "outer"
        return response

    @site.outer.before_websocket
    async def refused() -> tuple[str, int]:
        return "refused", 403

    site.register()

    for path in ("/outer/view", "/outer/inner/view"):
        response = await site.get(path)
        assert (response.status_code, response.headers["X-Stamp"], site.events) == (503, "outer", [])
    assert (await site.get("/view")).status_code == 200
    with pytest.raises(WebsocketResponseError) as caught:
        await site.connect("/outer/inner/ws")
    assert caught.value.response.status_code == 403


@shows("blueprints.Blueprint.teardown_request")
async def test_teardown_is_told_of_the_error(site: Site) -> None:
    told: list[Any] = []

    @site.outer.teardown_request
    def note(error: BaseException | None) -> None:
        told.append(type(error))

    site.register()
    await site.get("/outer/view")
    await site.get("/outer/fail/0")

    assert told == [type(None), KeyError]


# Errors ---------------------------------------------------------------------------------------------------------------


@shows(
    "blueprints.Blueprint.errorhandler",
    "blueprints.Blueprint.register_error_handler",
    "blueprints.Blueprint.app_errorhandler",
)
async def test_an_error_is_handled_by_the_nearest_blueprint_then_by_the_app(site: Site) -> None:
    def answer(text: str) -> Callable[[Exception], tuple[str, int]]:
        return lambda error: (f"{text}: {type(error).__name__}", 299)

    site.inner.errorhandler(404)(answer("inner"))
    site.outer.register_error_handler(404, answer("outer"))
    site.outer.register_error_handler(LookupError, answer("outer"))
    site.inner.app_errorhandler(405)(answer("whole app"))
    site.inner.app_errorhandler(ArithmeticError)(answer("whole app"))
    site.app.register_error_handler(404, answer("app"))
    site.register()

    for path, expected in {
        "/outer/inner/fail/404": "inner: NotFound",
        "/outer/fail/404": "outer: NotFound",
        "/fail/404": "app: NotFound",
        "/outer/nowhere": "app: NotFound",  # no rule, so no blueprint
        "/outer/inner/fail/0": "outer: KeyError",
        "/outer/fail/1": "outer: IndexError",
        "/fail/405": "whole app: MethodNotAllowed",
        "/outer/fail/2": "whole app: ArithmeticError",
    }.items():
        response = await site.get(path)
        assert (response.status_code, await response.get_data(as_text=True)) == (299, expected)
    assert (await site.get("/fail/0")).status_code == 500
    for wrong in (999, "404", LookupError()):
        with pytest.raises((TypeError, ValueError)):
            Blueprint("other", __name__).errorhandler(wrong)


# URLs -----------------------------------------------------------------------------------------------------------------


@shows(
    "blueprints.Blueprint.url_value_preprocessor",
    "blueprints.Blueprint.url_defaults",
    "blueprints.Blueprint.app_url_value_preprocessor",
    "blueprints.Blueprint.app_url_defaults",
)
async def test_values_of_the_url_are_taken_out_and_put_in() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("shop", __name__, url_prefix="/<lang>")

    @blueprint.url_value_preprocessor
    def take(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values is not None
        g.lang = values.pop("lang")

    @blueprint.url_defaults
    def put(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", g.get("lang", "xx"))

    @blueprint.app_url_value_preprocessor
    def note(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.seen = (endpoint, dict(values or {}))

    @blueprint.app_url_defaults
    def version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = 1

    @blueprint.route("/")
    async def index() -> str:
        return f"{g.lang} {g.seen} {url_for('.index')} {url_for('.index', lang='fr')} {url_for('static', filename='x')}"

    @blueprint.websocket("/ws")
    async def ws() -> None:
        await websocket.send(f"{g.lang} {url_for('.index')}")

    app.add_url_rule("/", "home", lambda: f"{g.seen} {url_for('shop.index')}")
    app.register_blueprint(blueprint)
    client = app.test_client()

    body = await (await client.get("/de/")).get_data(as_text=True)
    assert body == "de ('shop.index', {'lang': 'de'}) /de/ /fr/ /static/x?v=1"
    assert await (await client.get("/")).get_data(as_text=True) == "('home', {}) /xx/"
    async with client.websocket("/it/ws") as connection:
        assert await connection.receive() == "it /it/"


# Templates ------------------------------------------------------------------------------------------------------------


@shows("blueprints.Blueprint.context_processor", "blueprints.Blueprint.app_context_processor")
async def test_names_for_templates_of_the_blueprint_and_of_the_app(site: Site) -> None:
    template = "{{ everywhere }} {{ own }}"

    @site.outer.context_processor
    async def own() -> dict[str, str]:
        return {"own": "outer"}

    @site.inner.context_processor
    def nested() -> dict[str, str]:
        return {"own": "inner"}

    @site.outer.app_context_processor
    def everywhere() -> dict[str, str]:
        return {"everywhere": "app", "own": "nobody"}

    async def page() -> str:
        return await render_template_string(template)

    for part in site.parts.values():
        part.add_url_rule("/page", "page", page)
    site.register()

    for path, expected in {
        "/page": b"app nobody",
        "/outer/page": b"app outer",
        "/outer/inner/page": b"app inner",
    }.items():
        assert await (await site.get(path)).get_data() == expected


@shows(
    "blueprints.Blueprint.app_template_filter",
    "blueprints.Blueprint.app_template_test",
    "blueprints.Blueprint.app_template_global",
    "blueprints.Blueprint.add_app_template_filter",
    "blueprints.Blueprint.add_app_template_test",
    "blueprints.Blueprint.add_app_template_global",
)
async def test_filters_tests_and_globals_for_every_template_of_the_app(site: Site) -> None:
    def shout(text: str) -> str:
        return text.upper()

    def even(number: int) -> bool:
        return number % 2 == 0

    def answer() -> int:
        return 42

    blueprint = site.outer
    for add, decorate, function in (
        (blueprint.add_app_template_filter, blueprint.app_template_filter, shout),
        (blueprint.add_app_template_test, blueprint.app_template_test, even),
        (blueprint.add_app_template_global, blueprint.app_template_global, answer),
    ):
        assert decorate()(function) is function
        assert decorate("named")(function) is function
        add(function, name="added")
        add(function)
    site.register()

    async with site.app.app_context():
        for source, expected in {
            "{{ 'a'|shout }}{{ 'b'|named }}{{ 'c'|added }}": "ABC",
            "{{ 2 is even }} {{ 3 is named }} {{ 4 is added }}": "True False True",
            "{{ answer() }} {{ named() }} {{ added() }}": "42 42 42",
        }.items():
            assert await render_template_string(source) == expected


async def test_adding_a_filter_is_overridden_in_one_place() -> None:
    class Site(Quart):
        def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
            super().add_template_filter(lambda value: f"app {f(value)}", name or f.__name__)

    class Part(Blueprint):
        def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
            super().add_app_template_filter(lambda value: f"part {f(value)}", name or f.__name__)

    app, blueprint = Site(__name__), Part("part", __name__)
    app.template_filter("one")(str.upper)
    blueprint.app_template_filter("two")(str.upper)
    app.register_blueprint(blueprint)
    async with app.app_context():
        assert await render_template_string("{{ 'a'|one }}, {{ 'b'|two }}") == "app A, app part B"


@shows("blueprints.Blueprint.jinja_loader")
async def test_templates_of_the_app_come_before_those_of_its_blueprints(tmp_path: Path) -> None:
    for folder, text in (("app", "of the app"), ("blueprint", "of the blueprint")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "both.html").write_text(text)
    (tmp_path / "blueprint" / "own.html").write_text("own")
    app = Quart(__name__, template_folder=str(tmp_path / "app"))
    blueprint = Blueprint("b", __name__, template_folder="blueprint", root_path=str(tmp_path))
    assert Blueprint("bare", __name__).jinja_loader is None
    assert blueprint.jinja_loader is not None
    assert sorted(blueprint.jinja_loader.list_templates()) == ["both.html", "own.html"]
    app.register_blueprint(blueprint)

    async with app.app_context():
        assert await render_template("both.html") == "of the app"
        assert await render_template("own.html") == "own"


# Serving --------------------------------------------------------------------------------------------------------------


@shows(
    "blueprints.Blueprint.before_app_serving",
    "blueprints.Blueprint.while_app_serving",
    "blueprints.Blueprint.after_app_serving",
)
async def test_functions_run_when_the_app_starts_and_stops() -> None:
    blueprint = Blueprint("b", __name__)
    events: list[str] = []

    @blueprint.before_app_serving
    async def start() -> None:
        events.append("start")

    @blueprint.while_app_serving
    async def around() -> AsyncGenerator[None, None]:
        events.append("begin")
        yield
        events.append("finish")

    @blueprint.after_app_serving
    def stop() -> None:
        events.append("stop")

    app = Quart(__name__)
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again")  # once for the app, nevertheless
    async with app.test_app():
        assert events == ["start", "begin"]

    assert events == ["start", "begin", "finish", "stop"]
