"""What a plugin's set-up added to an app is taken back: when it fails, when it goes, and with those that require it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from werkzeug.routing import BaseConverter, Rule

from quart_plug import Blueprint, Quart, Response, hookimpl, render_template_string, websocket
from quart_plug.app_tables import NOT_RECORDED, tables_of
from quart_plug.exceptions import PluginLoadError
from quart_plug.signals import request_started
from quart_plug.tables import ObservedDict, ObservedList


async def view(**values: Any) -> str:
    return "view"


async def function(*args: Any) -> None:
    return None


class Hex(BaseConverter):
    regex = "[0-9a-f]+"


def a_blueprint(app: Quart) -> None:
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    inner.add_url_rule("/x", "x", view)
    blueprint = Blueprint("added", __name__, url_prefix="/added")
    blueprint.add_url_rule("/x", "x", view)
    blueprint.add_websocket("/ws", "ws", view)
    for name in ("before_request", "after_request", "teardown_websocket", "before_app_request", "after_app_websocket"):
        getattr(blueprint, name)(function)
    blueprint.errorhandler(404)(function)
    blueprint.app_errorhandler(LookupError)(function)
    blueprint.app_template_filter("of_blueprint")(str)
    blueprint.context_processor(function)
    blueprint.cli.command("of-blueprint")(lambda: None)
    blueprint.register_blueprint(inner)
    app.register_blueprint(blueprint)


async def whole_life() -> AsyncIterator[None]:
    yield


def several_attributes(app: Quart) -> None:
    app.asgi_app = app.asgi_app  # type: ignore[method-assign]  # as middleware does it
    app.session_interface = object()
    app.something = object()  # type: ignore[attr-defined]  # an attribute of the plugin's own
    app.static_folder = "elsewhere"
    app.name = "renamed"


def what_is_there(app: Quart) -> None:
    """Change what the application has itself."""
    app.view_functions["own"] = view
    app.before_request_funcs[None].clear()
    app.before_request_funcs = {None: [function]}
    app.extensions["own"] = 2
    del app.error_handler_spec[None][404]
    app.teardown_appcontext_funcs.insert(0, function)
    app.config["OWN"] = 2
    app.template_filter("own")(str)
    app.url_map.strict_slashes = False


ADDED: dict[str, Callable[[Quart], Any]] = {
    "rule": lambda app: app.add_url_rule("/added", "added", view),
    "websocket": lambda app: app.add_websocket("/added", "added", view),
    "werkzeug's rule": lambda app: app.url_map.add(Rule("/added", endpoint="added")),
    "rule that waits": lambda app: app.add_url_rule("/<unknown:id>", "added", view),
    "view": lambda app: app.endpoint("added")(view),
    "blueprint": a_blueprint,
    **{
        f"{stage}_{kind}": lambda app, name=f"{stage}_{kind}": getattr(app, name)(function)  # type: ignore[misc]
        for stage in ("before", "after", "teardown")
        for kind in ("request", "websocket")
    },
    "teardown_appcontext": lambda app: app.teardown_appcontext(function),
    "error handler of a code": lambda app: app.register_error_handler(418, function),
    "error handler of a class": lambda app: app.register_error_handler(LookupError, function),
    "context processor": lambda app: app.context_processor(function),
    "URL value preprocessor": lambda app: app.url_value_preprocessor(function),
    "URL defaults": lambda app: app.url_defaults(function),
    "before_serving": lambda app: app.before_serving(function),
    "after_serving": lambda app: app.after_serving(function),
    "while_serving": lambda app: app.while_serving(whole_life),
    "shell context": lambda app: app.shell_context_processor(dict),
    "URL build error handler": lambda app: app.url_build_error_handlers.append(function),
    "template filter": lambda app: app.template_filter("added")(str),
    "template test": lambda app: app.template_test("added")(bool),
    "template global": lambda app: app.template_global("added")(str),
    "filter of the environment": lambda app: app.jinja_env.filters.update(added=str),
    "command": lambda app: app.cli.command("added")(lambda: None),
    "extension": lambda app: app.extensions.update(added=object()),
    "converter": lambda app: app.url_map.converters.update(hex=Hex),
    "setting": lambda app: app.config.update(ADDED=1),
    "setting with a default": lambda app: app.config.update(MAX_CONTENT_LENGTH=1),
    "attributes": several_attributes,
    "what listens to the configuration": lambda app: app.config.on_change.append(print),
    "what listens to the plugins": lambda app: app.hooks.on_change.append(list),
    "receiver": lambda app: request_started.connect(function, app),
    "another plugin": lambda app: app.hooks.register(Added(), name="added"),
    "what is there": what_is_there,
}


class Added:
    @hookimpl
    def setup(self, app: Quart) -> None:
        app.add_url_rule("/by-another", "by-another", view)


class Adding:
    """A plugin whose set-up does one of these, and may fail then."""

    def __init__(self, what: str, fails: bool = False) -> None:
        self.what, self.fails = what, fails

    @hookimpl
    def setup(self, app: Quart) -> None:
        ADDED[self.what](app)
        if self.fails:
            raise LookupError("after having added")


def make_app(*plugins: Any, made: bool) -> Quart:
    """An application with something of everything; `made`: and what is made at the first use was used."""
    app = Quart(__name__, plugins=plugins)
    app.config.update(OWN=1, PLUGINS_STRICT=False)
    app.add_url_rule("/own", "own", view_of_own)
    app.before_request(first_function)
    app.errorhandler(404)(first_function)
    app.teardown_appcontext(first_function)
    app.extensions["own"] = 1
    app.template_filter("own")(len)
    if made:
        app.setup_plugins()
        assert app.jinja_env.filters["own"] is len
        app.cli.command("own")(lambda: None)
    return app


async def view_of_own() -> str:
    return "own"


async def first_function(*args: Any) -> None:
    return None


TABLES = (ObservedDict, ObservedList)


def tables(app: Quart) -> dict[Any, Any]:
    """The content of everything that the app keeps; that a table was looked at, and is empty, says nothing."""
    found = {table.path: table.picture() for table in tables_of(app)}
    for path, content in found.items():
        if isinstance(content, dict):  # a table within it is one of its own
            found[path] = {key: value for key, value in content.items() if type(value) not in TABLES}
    return {path: content for path, content in found.items() if content}


@pytest.mark.parametrize("what", [what for what in ADDED if "waits" not in what])
@pytest.mark.parametrize("made", [False, True])
def test_what_a_plugin_added_goes_with_it(what: str, made: bool) -> None:
    """Registered late and unregistered, again and again: everything is as it was."""
    app = make_app(made=made or what == "filter of the environment")
    app.setup_plugins()
    before = tables(app)
    for _ in range(3):
        name = app.hooks.register(Adding(what), name="adding")
        assert {**tables(app), ("plugins",): before["plugins",]} != before
        app.hooks.unregister(name)
        assert tables(app) == before


@pytest.mark.parametrize("what", [what for what in ADDED if "waits" not in what])
@pytest.mark.parametrize("made", [False, True])
def test_a_late_plugin_that_fails_leaves_nothing(what: str, made: bool) -> None:
    app = make_app(made=made or what == "filter of the environment")
    app.setup_plugins()
    before = tables(app)
    with pytest.raises(PluginLoadError, match="after having added"):
        app.hooks.register(Adding(what, fails=True), name="adding")
    assert tables(app) == before


@pytest.mark.parametrize("what", ADDED)
def test_a_plugin_that_fails_in_the_set_up_leaves_nothing(what: str) -> None:
    """As if it had never been there."""
    app, without = make_app(Adding(what, fails=True), made=False), make_app(made=False)
    assert app.jinja_env is not None and without.jinja_env is not None
    sizes, expected = ({path: len(content) for path, content in tables(each).items()} for each in (app, without))
    assert sizes == expected
    assert app.hooks.names == without.hooks.names


def test_who_requires_it_goes_too() -> None:
    """The footprint of a dependent is taken back with that of what it requires, at set-up and later."""

    class Base:
        __quart_plug__ = {"name": "base"}
        fails = False

        @hookimpl
        def setup(self, app: Quart) -> None:
            app.add_url_rule("/base", "base", view)

        @hookimpl(trylast=True)
        def setup_finished(self, app: Quart) -> None:
            if self.fails:
                raise LookupError

    class Dependent:
        __quart_plug__ = {"name": "dependent", "requires": ["base"]}

        @hookimpl
        def setup(self, app: Quart) -> None:
            app.add_url_rule("/dependent", "dependent", view)

    app = Quart(__name__, static_folder=None, plugins=[Base(), Dependent()])
    app.setup_plugins()
    assert {rule.rule for rule in app.url_map.iter_rules()} == {"/base", "/dependent"}
    app.hooks.unregister("base")
    assert not list(app.url_map.iter_rules())
    assert app.hooks.report()["dependent"].status == "blocked"

    Base.fails = True
    app = Quart(__name__, static_folder=None, plugins=[Base(), Dependent()])
    app.config["PLUGINS_STRICT"] = False
    app.setup_plugins()
    assert not list(app.url_map.iter_rules())
    assert not app.view_functions


def test_what_others_did_since_stays() -> None:
    """Of a list only the plugin's entries go; of a key that somebody replaced, what they put there stays."""
    app = Quart(__name__)
    app.setup_plugins()

    class First:
        @hookimpl
        def setup(self, app: Quart) -> None:
            app.before_request(function)
            app.extensions["x"] = "first"

    class Second:
        @hookimpl
        def setup(self, app: Quart) -> None:
            app.before_request(function)
            app.extensions["x"] = "second"

    app.extensions["x"] = "own"
    app.hooks.register(First(), name="first")
    app.before_request(first_function)
    app.hooks.register(Second(), name="second")
    app.hooks.unregister("first")
    assert app.extensions["x"] == "second"
    assert app.before_request_funcs[None] == [first_function, function]
    app.hooks.unregister("second")
    assert app.extensions["x"] == "own"
    assert app.before_request_funcs[None] == [first_function]


def test_the_next_plugins_default_comes() -> None:
    """The first one in call order counts, also when it comes late; the application's own value before all of them."""

    class Default:
        def __init__(self, value: int, before: tuple[str, ...] = ()) -> None:
            self.value = value
            self.__quart_plug__ = {"before": before}

        @hookimpl
        def configuration_defaults(self) -> dict[str, int]:
            return {"MAX_CONTENT_LENGTH": self.value, "OWN": self.value}

    app = Quart(__name__)
    framework = app.config["MAX_CONTENT_LENGTH"]
    app.config["OWN"] = 0
    app.setup_plugins()
    seen = []

    def see() -> None:
        assert (app.config["OWN"], app.config.source("OWN")) == (0, "code")
        seen.append((app.config["MAX_CONTENT_LENGTH"], app.config.source("MAX_CONTENT_LENGTH")))

    app.hooks.register(Default(1), name="one")
    see()
    app.hooks.register(Default(2), name="two")
    see()
    app.hooks.register(Default(3, before=("one", "two")), name="three")
    see()
    for name in ("three", "one", "two"):
        app.hooks.unregister(name)
        see()
    numbers = [1, 1, 3, 1, 2]
    words = {1: "one", 2: "two", 3: "three"}
    assert seen == [*((n, f"plugin {words[n]}") for n in numbers), (framework, "default")]


async def test_names_that_plugins_contribute_to_templates_come_and_go() -> None:
    """An environment that exists already, with the templates that it has compiled, is brought up to date."""

    class Filters:
        @hookimpl
        def template_filters(self) -> dict[str, Any]:
            return {"upper": lambda text: "plugin", "shout": str.upper}

        @hookimpl
        def template_globals(self) -> dict[str, Any]:
            return {"answer": 42}

    app = Quart(__name__)
    source = "{{ name|upper }} {{ answer }}"
    async with app.app_context():
        assert await render_template_string(source, name="a") == "A "
        app.hooks.register(Filters(), name="filters")
        assert await render_template_string(source, name="a") == "plugin 42"
        app.template_filter("upper")(lambda text: "app")
        assert await render_template_string(source, name="a") == "app 42"
        app.hooks.unregister("filters")
        assert await render_template_string(source, name="a") == "app "
        assert "shout" not in app.jinja_env.filters


async def test_a_template_of_a_folder_that_is_gone_is_not_found(tmp_path: Any) -> None:
    from jinja2 import TemplateNotFound

    from quart_plug import render_template

    (tmp_path / "of_plugin.txt").write_text("here")

    class Folders:
        @hookimpl
        def template_folders(self) -> list[str]:
            return [str(tmp_path)]

    app = Quart(__name__)
    async with app.app_context():
        app.hooks.register(Folders(), name="folders")
        assert await render_template("of_plugin.txt") == "here"
        app.hooks.unregister("folders")
        with pytest.raises(TemplateNotFound):
            await render_template("of_plugin.txt")


async def test_a_rule_that_is_gone_is_gone_for_matching_and_building() -> None:
    class Routes:
        @hookimpl
        def setup(self, app: Quart) -> None:
            app.add_url_rule("/same", "added", view)
            app.add_url_rule("/items/<int:id>", "item", view)

    app = Quart(__name__)

    @app.get("/<path:anything>")
    async def anything(anything: str) -> Response:
        return Response(anything)

    client = app.test_client()
    app.hooks.register(Routes(), name="routes")
    assert await (await client.get("/same")).get_data() == b"view"
    app.hooks.unregister("routes")
    assert await (await client.get("/same")).get_data() == b"same"
    async with app.test_request_context("/"):
        with pytest.raises(LookupError):
            app.url_for("item", id=1)
    app.hooks.register(Routes(), name="routes")
    assert await (await client.get("/same")).get_data() == b"view"


async def test_everything_the_app_keeps_is_recorded_or_named() -> None:
    """A new table of the app is recorded by itself; what it keeps as it runs is named in one list, and exists."""
    app = Quart(__name__)

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send("hello")

    async with app.test_app() as test_app:
        await test_app.test_client().get("/")
        before = tables(app)
        await test_app.test_client().get("/own")
        async with app.test_client().websocket("/ws") as connection:
            await connection.receive()
    after = tables(app)
    changed = [(path, key) for path in after for key in after[path] if key not in before.get(path, ())]
    assert (changed, after) == ([], before)
    assert {*vars(app), *dir(type(app))} >= NOT_RECORDED
