"""The set-up of plugins: each on its own, also of one that comes late; who added what is known."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, hookimpl
from quart_plug.exceptions import PluginHookError, PluginLoadError, PluginNotFound
from quart_plug.hooks import PluginManager
from quart_plug.hooks.origins import Origin


class Everything:
    """Takes part in every step, and writes down the order."""

    def __init__(self, word: str = "x") -> None:
        self.word = word
        self.steps: list[str] = []

    @hookimpl
    def configuration_defaults(self, app: Quart) -> dict[str, Any]:
        self.steps.append("configuration_defaults")
        return {f"SETTING_{self.word.upper()}": self.word}

    @hookimpl
    def setup(self, app: Quart) -> None:
        self.steps.append("setup")
        assert app.config[f"SETTING_{self.word.upper()}"] == self.word

        @app.get(f"/{self.word}", endpoint=self.word)
        async def view() -> str:
            return self.word

    @hookimpl
    def setup_finished(self, app: Quart) -> None:
        self.steps.append("setup_finished")


STEPS = ["configuration_defaults", "setup", "setup_finished"]


def rules(app: Quart) -> dict[str, str | None]:
    return {rule.rule: rule.plugin for rule in app.url_map.iter_rules()}  # type: ignore[attr-defined]  # a QuartRule


async def test_a_plugin_that_comes_late_is_set_up() -> None:
    """All steps, at once, and what it added answers the next request."""
    app = Quart(__name__, static_folder=None)
    client = app.test_client()
    assert (await client.get("/x")).status_code == 404
    late = Everything()
    app.hooks.register(late)
    assert late.steps == STEPS
    assert await (await client.get("/x")).get_data(as_text=True) == "x"


def test_a_plugin_that_comes_before_the_set_up_waits_for_it() -> None:
    app = Quart(__name__)
    early = Everything()
    app.hooks.register(early)
    assert early.steps == []
    app.setup_plugins()
    assert early.steps == STEPS


@pytest.mark.parametrize("at", STEPS)
def test_a_plugin_that_another_one_registers_takes_every_step_once(at: str) -> None:
    """In whichever step it comes, it catches up with the others, and goes on with them."""
    inner = Everything("inner")

    def register(app: Quart) -> None:
        app.hooks.register(inner, name="inner")

    register.__name__ = at
    outer = type("Outer", (), {at: staticmethod(hookimpl(register))})()
    app = Quart(__name__, plugins=[outer])
    app.setup_plugins()
    assert inner.steps == STEPS


def test_a_late_plugin_whose_set_up_fails_is_not_registered() -> None:
    class Faulty:
        @hookimpl
        def setup(self, app: Quart) -> None:
            raise LookupError("no rooms")

    app = Quart(__name__)
    app.setup_plugins()
    before = app.hooks.names
    with pytest.raises(PluginLoadError, match="plugin 'faulty' cannot be registered: LookupError: no rooms") as caught:
        app.hooks.register(Faulty(), name="faulty")
    assert app.hooks.names == before
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.__cause__.__notes__ == ["In hook 'setup' of plugin 'faulty'."]
    with pytest.raises(PluginNotFound, match="'faulty'"):
        app.hooks.origin("faulty")


async def test_a_rule_knows_its_plugin() -> None:
    """Those of a plugin say so, the application's say nothing; also one that waits for its converter."""

    class Routes:
        @hookimpl
        def setup(self, app: Quart) -> None:
            app.add_url_rule("/one", "one", lambda: "")
            app.add_websocket("/two", "two", lambda: "")

    app = Quart(__name__, static_folder=None)
    app.add_url_rule("/own", "own", lambda: "")
    app.hooks.register(Routes(), name="routes")
    app.hooks.register(Everything(), name="x")
    app.setup_plugins()
    app.add_url_rule("/later", "later", lambda: "")
    assert rules(app) == {"/own": None, "/one": "routes", "/two": "routes", "/x": "x", "/later": None}


def test_the_origin_of_a_plugin_can_be_asked() -> None:
    app = Quart(__name__)
    app.hooks.register(Everything(), name="x")
    app.setup_plugins()
    assert app.hooks.origin("x") == Origin("x")
    templates = app.hooks.origin("templates")
    assert (templates.plugin, templates.distribution) == ("templates", "quart-plug")
    assert str(templates) == f"plugin 'templates' (quart-plug {templates.version})"
    with pytest.raises(PluginNotFound, match=r"there is no plugin 'templats' \(did you mean 'templates'\?\)"):
        app.hooks.origin("templats")


def test_results_come_with_their_origin() -> None:
    """What a collect hook gives, and who gave it; None is no result."""

    class Silent:
        @hookimpl
        def configuration_defaults(self) -> None:
            return None

    app = Quart(__name__)
    app.hooks.register(Everything("a"), name="a")
    app.hooks.register(Silent(), name="silent")
    app.setup_plugins()
    results = app.hooks.results("configuration_defaults", app)
    assert [(r.value, r.origin.plugin) for r in results if r.origin.distribution is None] == [({"SETTING_A": "a"}, "a")]
    assert "templates" in {result.origin.plugin for result in results}
    with pytest.raises(PluginHookError, match="'request_before' is of kind first and async"):
        app.hooks.results("request_before", None)


def test_a_default_names_its_plugin_with_distribution_and_version() -> None:
    app = Quart(__name__)
    app.hooks.register(Everything("a"), name="a")
    app.setup_plugins()
    version = app.hooks.origin("templates").version
    assert app.config.source("SETTING_A") == "plugin a"
    assert app.config.source("TEMPLATES_AUTO_RELOAD") == f"plugin templates (quart-plug {version})"


@pytest.mark.parametrize("late", [True, False])
def test_a_plugin_that_exits_has_failed(late: bool) -> None:
    """SystemExit of a set-up does not end the process, as one of an import does not."""

    class Exiting:
        __quart_plug__ = {"name": "exiting"}

        @hookimpl
        def setup(self, app: Quart) -> None:
            app.before_request(lambda: None)
            raise SystemExit("no licence")

    app = Quart(__name__, plugins=[] if late else [Exiting()])
    with pytest.raises(PluginLoadError, match=r"plugin 'exiting'.*SystemExit: no licence"):
        app.setup_plugins()
        app.hooks.register(Exiting())
    assert not any(app.before_request_funcs.values())


async def test_each_app_has_a_manager_of_its_own() -> None:
    """One plugin in two apps: each has its own footprint, and what happens in one is nothing to the other."""
    one, other = Quart(__name__, static_folder=None), Quart(__name__, static_folder=None)
    plugin = Everything()
    for app in (one, other):
        app.setup_plugins()
        app.hooks.register(plugin, "x")
    one.hooks.unregister("x")
    assert (one.hooks.is_active("x"), other.hooks.is_active("x")) == (False, True)
    assert [(await app.test_client().get("/x")).status_code for app in (one, other)] == [404, 200]
    assert "SETTING_X" not in one.config and other.config["SETTING_X"] == "x"


def test_no_module_holds_a_manager() -> None:
    """What belongs to an app is found through the app alone."""
    found = [
        f"{name}.{attribute}"
        for name, module in list(sys.modules.items())
        if name.startswith("quart_plug")
        for attribute, value in vars(module).items()
        if type(value) is PluginManager
    ]
    assert found == []


def test_a_slot_keeps_its_answer_while_its_plugins_stay() -> None:
    """What was set on `app.json` outlives plugins that have nothing to do with it."""

    class Provider:
        @hookimpl
        def json_provider(self, app: Quart) -> Any:
            return provider

    provider = SimpleNamespace(dumps=json.dumps)
    app = Quart(__name__)
    own = app.json
    name = app.hooks.register(Everything(), "x")
    assert app.json is own
    app.hooks.unregister(name)
    assert app.json is own
    name = app.hooks.register(Provider())
    assert app.json is provider
    app.hooks.unregister(name)
    assert app.json is not provider


@pytest.mark.parametrize("given", [Blueprint("a", __name__), ["a"], [(Blueprint("a", __name__), "/prefix")], 5])
def test_what_are_no_blueprints(given: Any) -> None:
    """The plugin that gives them is told what they have to be."""

    class Giving:
        @hookimpl
        def blueprints(self) -> Any:
            return given

    app = Quart("shop")
    app.hooks.register(Giving(), name="giving")
    with pytest.raises(PluginLoadError) as failure:
        app.setup_plugins()
    assert "'giving'" in str(failure.value)
    assert "a list of blueprints, each alone or as (blueprint, {" in str(failure.value)
