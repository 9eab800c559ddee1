"""`plugins_disabled`: where it may be said, what it covers, and what its mistakes look like.

That neither kind of connection calls what is switched off is in tests/contract/test_contract_scopes.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quart_plug import Blueprint, Quart, flash, hookimpl, hookspec, render_template_string
from quart_plug.exceptions import PluginError, PluginHookError, PluginNotFound, PluginSettingsError
from quart_plug.kinds import REQUEST
from quart_plug.views import MethodView, View


class Stamp:
    """A plugin that stamps each response with its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    async def request_after(self, response: Any) -> None:
        response.headers.add("x-stamp", self.name)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"
    app.hooks.register(Stamp("one"), "one")
    app.hooks.register(Stamp("two"), "two")
    return app


async def stamps(app: Quart, path: str = "/", **options: Any) -> list[str]:
    response = await app.test_client().open(path, **options)
    assert response.status_code == 200
    return response.headers.getlist("x-stamp")


async def hello(**values: Any) -> str:
    return "hello"


# Where it may be said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
async def test_each_decorator_for_a_method(app: Quart, method: str) -> None:
    getattr(app, method)("/", plugins_disabled={"one"})(hello)
    assert await stamps(app, method=method.upper()) == ["two"]


async def test_add_url_rule(app: Quart) -> None:
    app.add_url_rule("/", "off", hello, plugins_disabled={"one"})
    app.add_url_rule("/on", "on", hello)
    assert await stamps(app) == ["two"]
    assert await stamps(app, "/on") == ["one", "two"]


async def test_two_rules_of_one_endpoint(app: Quart) -> None:
    """It belongs to the rule."""
    app.route("/a", plugins_disabled={"one"})(hello)
    app.route("/b")(hello)
    assert await stamps(app, "/a") == ["two"]
    assert await stamps(app, "/b") == ["one", "two"]


async def test_answers_that_the_framework_gives_for_a_rule(app: Quart) -> None:
    app.route("/", plugins_disabled={"one"})(hello)
    assert await stamps(app, method="OPTIONS") == ["two"]
    assert await stamps(app, method="HEAD") == ["two"]


async def test_a_view_class(app: Quart) -> None:
    """Its attribute and the rule's argument add up."""

    class Page(View):
        plugins_disabled = {"one"}

        async def dispatch_request(self, **values: Any) -> str:
            return "page"

    class Thing(MethodView):
        plugins_disabled = ("two",)

        async def get(self) -> str:
            return "thing"

    app.add_url_rule("/page", view_func=Page.as_view("page"))
    app.add_url_rule("/less", view_func=Page.as_view("less"), plugins_disabled={"two"})
    app.add_url_rule("/thing", view_func=Thing.as_view("thing"))
    assert await stamps(app, "/page") == ["two"]
    assert await stamps(app, "/less") == []
    assert await stamps(app, "/thing") == ["one"]


async def test_an_attribute_of_a_view_function(app: Quart) -> None:
    async def view() -> str:
        return "hello"

    view.plugins_disabled = {"one"}  # type: ignore[attr-defined]  # as with `methods`
    app.add_url_rule("/", view_func=view)
    assert await stamps(app) == ["two"]


async def test_a_blueprint_has_static_files(app: Quart, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("a file")
    blueprint = Blueprint(
        "part", __name__, static_folder=str(tmp_path), static_url_path="/files", plugins_disabled={"one"}
    )
    app.register_blueprint(blueprint)
    assert await stamps(app, "/files/file.txt") == ["two"]


async def test_static_files_of_the_application(tmp_path: Path) -> None:
    """Nobody calls a decorator for them; the endpoint has a name."""
    (tmp_path / "file.txt").write_text("a file")
    app = Quart(__name__, static_folder=str(tmp_path), static_url_path="/files")
    app.hooks.register(Stamp("one"), "one")
    app.hooks.register(Stamp("two"), "two")
    assert await stamps(app, "/files/file.txt") == ["one", "two"]
    app.disable_plugins_for("static", {"one"})
    assert await stamps(app, "/files/file.txt") == ["two"]
    app.disable_plugins_for("static", {"two"})
    assert await stamps(app, "/files/file.txt") == []


async def test_an_endpoint_before_the_set_up(app: Quart) -> None:
    app.disable_plugins_for("hello", ["one"])
    app.route("/")(hello)
    assert await stamps(app) == ["two"]


async def test_a_route_that_is_added_late(app: Quart) -> None:
    app.route("/")(hello)
    assert await stamps(app) == ["one", "two"]
    app.add_url_rule("/late", "late", hello, plugins_disabled={"two"})
    app.register_blueprint(made(plugins_disabled={"one"}), url_prefix="/part")
    assert await stamps(app, "/late") == ["one"]
    assert await stamps(app, "/part/") == ["two"]


def made(**options: Any) -> Blueprint:
    blueprint = Blueprint("part", __name__, **options)
    blueprint.add_url_rule("/", "view", hello)
    return blueprint


async def test_a_subclass_of_blueprint_may_say_it(app: Quart) -> None:
    blueprint = made()
    blueprint.plugins_disabled = frozenset({"one"})
    app.register_blueprint(blueprint)
    assert await stamps(app) == ["two"]


async def test_a_name_of_a_blueprint_that_was_registered_before() -> None:
    """Nothing is left of a blueprint of the same name on another app."""
    blueprint = made()
    for disabled, expected in ({"one"}, []), (set(), ["one"]):
        app = Quart(__name__)
        app.hooks.register(Stamp("one"), "one")
        app.register_blueprint(blueprint, plugins_disabled=disabled)
        assert await stamps(app) == expected


async def test_a_local_plugin_whose_name_has_a_colon() -> None:
    """An object is named after its class; that is its name here, too."""
    app = Quart(__name__, plugins=[stamp := Stamp("local")])
    name = f"{Stamp.__module__}:Stamp"
    app.add_url_rule("/", "whole", hello, plugins_disabled={name})
    app.add_url_rule("/one", "one", hello, plugins_disabled={f"{name}:request_after"})
    app.add_url_rule("/on", "on", hello)
    assert await stamps(app) == await stamps(app, "/one") == []
    assert await stamps(app, "/on") == [stamp.name]


async def test_a_plugin_with_its_distribution(app: Quart) -> None:
    """As in the settings of plugins, where two distributions may have one of the name."""
    app.route("/", plugins_disabled={"quart-plug:signals"})(hello)
    assert await stamps(app) == ["one", "two"]
    with pytest.raises(PluginNotFound, match="there is no plugin 'quart-plugs'"):
        app.route("/other", endpoint="other", plugins_disabled={"quart-plugs:signals"})(hello)


# What it covers -----------------------------------------------------------------------------------------------------


class Templates:
    """What a plugin may do while a template is rendered or a message flashed."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl
    def template_context(self) -> dict[str, Any]:
        return {"motto": "a motto"}

    @hookimpl
    async def template_rendering(self) -> None:
        self.calls.append("rendering")

    @hookimpl
    async def template_rendered(self) -> None:
        self.calls.append("rendered")

    @hookimpl
    async def message_flashed(self, message: str) -> None:
        self.calls.append(message)


async def test_what_is_called_while_a_page_is_made(app: Quart) -> None:
    templates = Templates()
    app.hooks.register(templates, "templates-of-tests")

    async def page() -> str:
        await flash("flashed")
        return await render_template_string("[{{ motto }}]")

    app.add_url_rule("/on", "on", page)
    app.add_url_rule("/off", "off", page, plugins_disabled={"templates-of-tests"})
    app.add_url_rule("/one", "one", page, plugins_disabled={"templates-of-tests:template_context"})
    client = app.test_client()
    assert await (await client.get("/off")).get_data(as_text=True) == "[]"
    assert templates.calls == []
    assert await (await client.get("/on")).get_data(as_text=True) == "[a motto]"
    assert await (await client.get("/one")).get_data(as_text=True) == "[]"
    assert templates.calls == ["flashed", "rendering", "rendered"] * 2
    async with app.app_context():  # outside of any route nothing is switched off
        assert await render_template_string("[{{ motto }}]") == "[a motto]"


class Rooms:
    """A plugin with a hook of its own, which others implement."""

    __quart_plug__ = {"name": "rooms", "hookspecs": [f"{__name__}:Specs"]}

    @hookimpl
    def setup(self, app: Quart) -> None:
        async def join() -> str:
            chain = app.chain_here("room_joined")
            return "" if chain is None else ",".join(chain("lobby"))

        app.add_url_rule("/on", "on", join)
        app.add_url_rule("/off", "off", join, plugins_disabled={"greeter"})
        app.add_url_rule("/one", "one", join, plugins_disabled={"greeter:room_joined"})


class Specs:
    @hookspec(kind="collect", colour="sync")
    def room_joined(self, room: str) -> str | None:
        """Somebody is in the room."""


class Greeter:
    __quart_plug__ = {"name": "greeter", "after": ["rooms"]}

    @hookimpl
    def room_joined(self, room: str) -> str:
        return f"welcome to the {room}"


async def test_hooks_of_a_plugins_own() -> None:
    app = Quart(__name__, plugins=[Rooms(), Greeter()])
    client = app.test_client()
    found = [await (await client.get(path)).get_data(as_text=True) for path in ("/on", "/off", "/one")]
    assert found == ["welcome to the lobby", "", ""]


async def test_the_plan_of_such_a_route_is_as_if_the_plugin_were_absent(app: Quart) -> None:
    """The exits that hooks close are open again, and every other route has the chains that it had."""
    app.add_url_rule("/off", "off", hello, plugins_disabled={"one", "two"})
    app.add_url_rule("/on", "on", hello)
    app.setup_plugins()
    plans = app.plans_for(REQUEST)
    off, on = (plans.plan_for(next(app.url_map.iter_rules(endpoint))) for endpoint in ("off", "on"))
    assert (off.plain, off.after_hook, off.view) == (True, None, hello)
    assert on.after_hook is app.hooks.call("request_after")


def test_what_a_failed_plugin_switched_off_is_forgotten() -> None:
    class Failing:
        __quart_plug__ = {"name": "failing"}

        @hookimpl
        def setup(self, app: Quart) -> None:
            app.register_blueprint(made(plugins_disabled={"one"}))
            app.disable_plugins_for("part.view", {"one"})
            raise LookupError

    app = Quart(__name__, plugins=[Failing()])
    app.config["PLUGINS_STRICT"] = False
    app.hooks.register(Stamp("one"), "one")
    app.setup_plugins()
    assert not app.scopes.endpoints
    assert not app.scopes.blueprints


async def test_a_plugin_may_switch_itself_off_for_a_route_of_its_own() -> None:
    class Own:
        __quart_plug__ = {"name": "own"}

        @hookimpl
        def setup(self, app: Quart) -> None:
            app.after_request(self.after)
            app.add_url_rule("/own", "own", hello, plugins_disabled={"own"})
            app.add_url_rule("/on", "on", hello)

        async def after(self, response: Any) -> Any:
            response.headers.add("x-stamp", "own")
            return response

    for late in (False, True):
        app = Quart(__name__, plugins=[] if late else [Own()])
        if late:
            app.setup_plugins()
            app.hooks.register(Own())
        assert await stamps(app, "/own") == []
        assert await stamps(app, "/on") == ["own"]


def test_what_runs_before_the_route_is_known(app: Quart) -> None:
    app.route("/", plugins_disabled={"one:context_pushed"})(hello)
    with pytest.raises(PluginHookError, match="'context_pushed' belongs to the context, which is there before the"):
        app.setup_plugins()


# Mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("signal", PluginNotFound, "there is no plugin 'signal' (did you mean 'signals'?)"),
        ("signal:request_started", PluginNotFound, "there is no plugin 'signal' (did you mean 'signals'?)"),
        ("one:request_aftr", PluginHookError, "there is no hook 'request_aftr' (did you mean 'request_after'?)"),
        ("one:setup", PluginHookError, "the hook 'setup' is not called for a route"),
        ("one:request_before", PluginHookError, "the plugin 'one' does not implement the hook 'request_before'"),
        ("sessions", PluginSettingsError, "nothing of this plugin is called for a route"),
        ("json", PluginSettingsError, "it implements json_provider; PLUGINS_DISABLED turns it off for the whole"),
    ],
)
def test_mistakes(app: Quart, name: str, error: type[PluginError], message: str) -> None:
    """At the set-up, and every time that the app is to be used; once it is set up, where it is made."""

    @app.route("/shop", plugins_disabled={name})
    async def shop() -> str:
        return "shop"

    for _ in range(2):
        with pytest.raises(error, match=re.escape(message)) as caught:
            app.setup_plugins()
    place = f"{__file__}:{shop.__code__.co_firstlineno}"
    begin = f"plugins_disabled of the route '/shop' of {shop.__qualname__} ({place}) names {name!r}: "
    assert str(caught.value).startswith(begin)

    late = Quart(__name__)
    late.hooks.register(Stamp("one"), "one")
    late.setup_plugins()
    with pytest.raises(error, match=re.escape(message)):
        late.add_url_rule("/shop", view_func=shop, plugins_disabled={name})
    with pytest.raises(error, match=re.escape(f"of the blueprint 'part' of {__name__} names {name!r}: ")):
        late.register_blueprint(made(plugins_disabled={name}))
    with pytest.raises(error, match=re.escape(f"of the endpoint 'static' names {name!r}: ")):
        late.disable_plugins_for("static", {name})
    assert [rule.endpoint for rule in late.url_map.iter_rules()] == ["static"]
    assert not late.blueprints
    late.disable_plugins_for("static", {"one"})


def test_all_mistakes_at_once(app: Quart) -> None:
    app.route("/", plugins_disabled={"won", "one:setup"})(hello)
    app.register_blueprint(made(), plugins_disabled={"too"})
    app.disable_plugins_for("statc", {"tow"})
    with pytest.raises(PluginSettingsError) as caught:
        app.setup_plugins()
    lines = str(caught.value).splitlines()
    assert lines[0] == "5 things are wrong with the plugins:"
    assert len(lines) == 6
    for part in (
        "the route '/' of hello (",
        "names 'won': there is no plugin 'won'",
        "the blueprint 'part' of",
        "no route has this endpoint (did you mean 'static'?)",
        "names 'tow': there is no plugin 'tow' (did you mean 'two'?)",
    ):
        assert any(part in line for line in lines), part


@pytest.mark.parametrize("value", ["one", b"one", 3, None, {1, 2}, [Stamp]])
def test_what_is_no_set_of_names(app: Quart, value: Any) -> None:
    message = re.escape("it has to be a set of names")
    with pytest.raises(TypeError, match=message):
        app.add_url_rule("/", view_func=hello, plugins_disabled=value)
    with pytest.raises(TypeError, match=message):
        Blueprint("part", __name__, plugins_disabled=value)
    with pytest.raises(TypeError, match=message):
        app.disable_plugins_for("static", value)


async def test_a_plugin_that_is_not_active(app: Quart) -> None:
    """Installed is enough: whether it is on is a setting, and the route need not know."""
    app.config["PLUGINS_DISABLED"] = ["signals"]
    app.route("/", plugins_disabled={"signals", "signals:request_started"})(hello)
    assert await stamps(app) == ["one", "two"]


# Against a model ----------------------------------------------------------------------------------------------------

PLUGINS = ("a", "b", "c")
HOOKS = ("request_started", "request_before", "request_after", "request_finished", "request_teardown")
NAMES = st.frozensets(st.sampled_from([*PLUGINS, *(f"{plugin}:{hook}" for plugin in PLUGINS for hook in HOOKS)]))


class Noting:
    """Notes each of its hooks."""

    def __init__(self, name: str, calls: list[tuple[str, str]]) -> None:
        for hook, takes in zip(HOOKS, ("ctx", "ctx", "response", "response", "exc"), strict=True):
            namespace: dict[str, Any] = {"calls": calls, "call": (name, hook)}
            exec(f"async def {hook}({takes}): calls.append(call)", namespace)
            setattr(self, hook, hookimpl(namespace[hook]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    routes=st.lists(st.tuples(st.integers(0, 3), NAMES), min_size=1, max_size=5),
    depths=st.lists(st.tuples(NAMES, NAMES), min_size=3, max_size=3),
)
async def test_random_scopes_against_a_model(
    routes: list[tuple[int, frozenset[str]]], depths: list[tuple[frozenset[str], frozenset[str]]]
) -> None:
    """Three blueprints nested in each other, routes at any depth; each route calls what no scope around it names."""
    calls: list[tuple[str, str]] = []
    app = Quart(__name__)
    for plugin in PLUGINS:
        app.hooks.register(Noting(plugin, calls), plugin)
    blueprints = [Blueprint(f"b{depth}", __name__, plugins_disabled=own) for depth, (own, _) in enumerate(depths)]
    scaffolds: list[Any] = [app, *blueprints]
    for number, (depth, names) in enumerate(routes):
        scaffolds[depth].add_url_rule(f"/{number}", f"view{number}", hello, plugins_disabled=names)
    for depth in (2, 1, 0):
        scaffolds[depth].register_blueprint(blueprints[depth], plugins_disabled=depths[depth][1])
    client = app.test_client()
    for number, (depth, names) in enumerate(routes):
        calls.clear()
        assert (await client.get(f"/{number}")).status_code == 200
        off = names.union(*(own | given for own, given in depths[:depth]))
        expected = [
            (plugin, hook) for hook in HOOKS for plugin in PLUGINS if not {plugin, f"{plugin}:{hook}"} & off
        ]
        assert calls == expected
