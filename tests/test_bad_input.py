"""Bad input to each part: the error says what, where, and the cure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, websocket
from quart_plug.exceptions import PluginLoadError, PluginNotFound, PluginSettingsError


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


def line_of(function: Any) -> str:
    """`file:line`, as messages name a function's place."""
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"


async def first_view() -> str:
    return ""


async def second_view() -> str:
    return ""


def words(caught: pytest.ExceptionInfo[Any], *parts: str) -> None:
    message = str(caught.value)
    for part in parts:
        assert part in message, f"{part!r} is not in {message!r}"


# Routes -----------------------------------------------------------------------------------------------------------


def test_a_route_defined_twice(app: Quart) -> None:
    """Both places, and what to do; the first one stays as it was."""
    app.add_url_rule("/", "page", first_view)
    with pytest.raises(AssertionError) as caught:
        app.add_url_rule("/other", "page", second_view)
    words(caught, "'page'", "first_view", line_of(first_view), "second_view", line_of(second_view), "endpoint=")
    assert app.view_functions["page"] is first_view
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == "page"] == ["/"]


def test_a_route_defined_twice_in_a_blueprint(app: Quart) -> None:
    blueprint = Blueprint("part", __name__)
    blueprint.add_url_rule("/", "page", first_view)
    blueprint.add_url_rule("/other", "page", second_view)
    with pytest.raises(AssertionError) as caught:
        app.register_blueprint(blueprint)
    words(caught, "'part.page'", line_of(first_view), line_of(second_view))


def test_the_same_view_twice_is_fine(app: Quart) -> None:
    app.add_url_rule("/", "page", first_view)
    app.add_url_rule("/other", "page", first_view)


@pytest.mark.parametrize("rule", ["page", "", "<int:number>"])
def test_a_rule_without_a_slash(app: Quart, rule: str) -> None:
    with pytest.raises(ValueError, match="has to start with a slash") as caught:
        app.add_url_rule(rule, "page", first_view)
    words(caught, repr(rule))


async def test_an_unknown_converter(app: Quart) -> None:
    """The rule, its place, what was probably meant, and what there is."""
    app.add_url_rule("/<integer:number>", "page", first_view)
    app.add_url_rule("/<flaot:number>", "other", second_view)
    with pytest.raises(LookupError) as caught:
        await app.test_client().get("/")
    words(caught, "'/<integer:number>'", line_of(first_view), "'integer'", "Known converters:", "int, path")
    with pytest.raises(LookupError) as caught:
        Quart(__name__, static_folder=None).url_map.converters["int"]
        late = Quart(__name__)
        late.setup_plugins()
        late.add_url_rule("/<flaot:number>", "other", second_view)
    words(caught, "did you mean 'float'?", line_of(second_view))


@pytest.mark.parametrize("rule", ["/<int:>", "/<", "/<a><", "/<int:a>/<int:a>", "/<1a>"])
def test_malformed_rules(app: Quart, rule: str) -> None:
    """werkzeug's words, at the registration and not at the first request."""
    with pytest.raises((ValueError, SyntaxError)) as caught:
        app.add_url_rule(rule, "page", first_view)
    assert str(caught.value)


def test_methods_as_a_string(app: Quart) -> None:
    with pytest.raises(TypeError, match=r"methods=\['POST'\]"):
        app.add_url_rule("/", "page", first_view, methods="POST")


@pytest.mark.parametrize("methods", [[1], [None], 5])
def test_methods_of_a_wrong_type(app: Quart, methods: Any) -> None:
    with pytest.raises(TypeError, match=r"methods has to be a list of strings") as caught:
        app.add_url_rule("/", "page", first_view, methods=methods)
    words(caught, "'/'")


def test_methods_given_to_a_method_decorator(app: Quart) -> None:
    with pytest.raises(TypeError, match=r"get\(\) sets the method itself; use @route\('/', methods="):
        app.get("/", methods=["POST"])


@pytest.mark.parametrize("decorator", ["route", "websocket", "get"])
def test_a_decorator_without_parentheses(app: Quart, decorator: str) -> None:
    """`@app.route` under which the function would be lost."""
    with pytest.raises(TypeError) as caught:
        getattr(app, decorator)(first_view)
    words(caught, "needs the path", "first_view", line_of(first_view))


def test_options_of_websockets_for_requests(app: Quart) -> None:
    with pytest.raises(TypeError, match="subprotocols is for websockets; the rule '/' is for requests"):
        app.add_url_rule("/", "page", first_view, subprotocols=["a"])


def test_an_unknown_option(app: Quart) -> None:
    with pytest.raises(TypeError, match="methos"):
        app.add_url_rule("/", "page", first_view, methos=["GET"])


async def test_a_wrong_disconnect_mode(app: Quart) -> None:
    with pytest.raises(ValueError, match="disconnect is 'never' in the rule '/'; it has to be 'auto', 'raise' or"):
        app.add_websocket("/", "page", first_view, disconnect="never")


async def test_an_endpoint_without_a_view(app: Quart) -> None:
    app.testing = True
    app.add_url_rule("/page", "page")
    with pytest.raises(LookupError, match=r"'/page' leads to the endpoint 'page'.*@app.endpoint\('page'\)"):
        await app.test_client().get("/page")


def test_neither_an_endpoint_nor_a_view(app: Quart) -> None:
    with pytest.raises(TypeError, match="needs an endpoint or a view function"):
        app.add_url_rule("/page")


# Views ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "returned None"),
        (5, "returned an int: 5"),
        (object, "not called"),
        ((), "an empty tuple"),
        (("a", 200, {}, "b"), "a tuple of 4"),
    ],
)
async def test_what_is_no_response(app: Quart, value: Any, said: str) -> None:
    """Which view, where it stands, what it returned, what it may return."""

    @app.get("/")
    async def the_view() -> Any:
        return value

    app.testing = True
    with pytest.raises(TypeError) as caught:
        await app.test_client().get("/")
    words(caught, "'the_view'", line_of(the_view), said)


async def test_a_websockets_view_that_returns_nonsense(app: Quart) -> None:
    @app.websocket("/")
    async def the_view() -> Any:
        return 5

    app.testing = True
    with pytest.raises(TypeError) as caught:
        async with app.test_client().websocket("/") as connection:
            await connection.receive()
    words(caught, "'the_view'", line_of(the_view), "an int: 5")


async def test_a_view_that_does_not_take_the_value(app: Quart) -> None:
    @app.get("/<int:number>")
    async def the_view() -> Any:
        return ""

    app.testing = True
    with pytest.raises(TypeError, match=r"the_view\(\) got an unexpected keyword argument 'number'"):
        await app.test_client().get("/1")


async def test_an_after_function_that_forgets_the_response(app: Quart) -> None:
    app.testing = True
    app.add_url_rule("/", "page", lambda: "x")

    @app.after_request
    async def forgets(response: Any) -> Any:
        response.headers["x"] = "y"

    with pytest.raises(TypeError) as caught:
        await app.test_client().get("/")
    words(caught, "forgets", line_of(forgets), "None", "return")


async def test_the_request_in_a_websocket(app: Quart) -> None:
    from quart_plug import request

    app.testing = True

    @app.websocket("/")
    async def the_view() -> Any:
        await websocket.send(request.path)

    with pytest.raises(RuntimeError, match="outside of a request context"):
        async with app.test_client().websocket("/") as connection:
            await connection.receive()


# Functions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["before", "after", "teardown"])
@pytest.mark.parametrize("kind", ["request", "websocket"])
@pytest.mark.parametrize("value", [None, "name", 5])
def test_functions_that_are_none(app: Quart, stage: str, kind: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{stage}_{kind} takes a function, not {value!r}"):
        getattr(app, f"{stage}_{kind}")(value)


@pytest.mark.parametrize(
    "name",
    [
        *("before_serving", "after_serving", "while_serving", "teardown_appcontext", "context_processor"),
        *("url_value_preprocessor", "url_defaults"),
    ],
)
def test_other_functions_that_are_none(app: Quart, name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} takes a.* function.*not None"):
        getattr(app, name)(None)


def test_error_handlers_that_are_none(app: Quart) -> None:
    with pytest.raises(TypeError, match="takes a function, not None"):
        app.register_error_handler(404, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        (999, ValueError, "999 is not the status code of an HTTP error"),
        (200, ValueError, "200 is not the status code"),
        ("404", ValueError, "'404' is neither a subclass of Exception nor a status code"),
        (LookupError("x"), TypeError, "is an instance; an error handler is registered for a class"),
        (dict, ValueError, "neither a subclass of Exception"),
        (asyncio.CancelledError, ValueError, "CancelledError.* is neither a subclass of Exception"),
    ],
)
def test_error_handlers_for_what_is_no_error(app: Quart, code: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        app.register_error_handler(code, lambda error: "")
    with pytest.raises(error, match=said):
        app.errorhandler(code)(lambda error: "")
    with pytest.raises(error, match=said):
        Blueprint("part", __name__).app_errorhandler(code)(lambda error: "")


def test_an_error_handler_without_parentheses(app: Quart) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        app.errorhandler(first_view)  # type: ignore[arg-type]
    words(caught, "first_view", "neither a subclass of Exception nor a status code")


# Plugins ----------------------------------------------------------------------------------------------------------


async def test_a_misspelt_plugin(app: Quart) -> None:
    """The setting, and what was probably meant; the same again for every use."""
    app.config["PLUGINS"] = ["sesions"]
    for _ in range(2):
        with pytest.raises(PluginNotFound) as caught:
            await app.test_client().get("/")
        words(caught, "'sesions'", "PLUGINS", "did you mean", "sessions")
    with pytest.raises(PluginNotFound, match="sesions"):
        await app.startup()


async def test_a_misspelt_plugin_in_the_constructor() -> None:
    with pytest.raises(PluginNotFound, match="tempaltes"):
        await Quart(__name__, plugins=["tempaltes"]).startup()


async def test_a_plugin_that_does_not_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin, the reason, and the cure; the same again for every use."""
    (tmp_path / "plugin_with_a_hole.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    app = Quart(__name__, plugins=["plugin_with_a_hole"])
    app.add_url_rule("/", "page", first_view)
    for _ in range(2):
        with pytest.raises(PluginLoadError) as caught:
            await app.test_client().get("/")
        words(caught, "plugin_with_a_hole", "no_such_module_at_all")
    with pytest.raises(PluginLoadError, match="plugin_with_a_hole"):
        await app.startup()


async def test_plugins_changed_late(app: Quart) -> None:
    await app.startup()
    with pytest.raises(PluginSettingsError) as caught:
        app.config["PLUGINS"] = ["debug"]
    words(caught, "PLUGINS", "after the plugins had been set up", "before the first request")
    await app.shutdown()


@pytest.mark.parametrize("value", [5, {"a": 1}])
async def test_plugins_of_a_wrong_type(app: Quart, value: Any) -> None:
    app.config["PLUGINS"] = value
    with pytest.raises((PluginSettingsError, PluginNotFound, TypeError), match="PLUGINS"):
        app.setup_plugins()


# Configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("broken.toml", "A = 1\nB = \n", 2),
        ("broken.json", '{"A": 1,\n "B": }', 2),
        ("broken.py", "A = 1\nB = (\n", 2),
    ],
)
async def test_a_broken_configuration_file(app: Quart, tmp_path: Path, name: str, content: str, line: int) -> None:
    """The file and the line."""
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError) as caught:
        if name.endswith("py"):
            app.config.from_pyfile(str(path))
        else:
            from quart_plug.configfiles import load_json, load_toml

            (load_toml if name.endswith("toml") else load_json)(str(path), path.read_bytes())
    words(caught, str(path), str(line))


def test_a_relative_instance_path() -> None:
    with pytest.raises(ValueError, match=r"instance_path has to be absolute, 'relative' is not"):
        Quart(__name__, instance_path="relative")


def test_a_static_host_without_host_matching() -> None:
    with pytest.raises(ValueError, match="static_host and host_matching go together"):
        Quart(__name__, static_host="static.example")
