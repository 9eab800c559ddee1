"""Everything that a plugin gives says whose it is; two plugins that claim one thing are both named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from jinja2 import DictLoader, TemplateNotFound

from quart_plug import Blueprint, Quart, hookimpl, render_template
from quart_plug.cli import QuartGroup
from quart_plug.commands.state import faults, look_at_app
from quart_plug.exceptions import PluginLoadError


class Plugin:
    """A plugin with these functions as hooks."""

    def __init__(self, name: str = "plugin", declared: dict[str, Any] | None = None, **hooks: Any) -> None:
        self.__quart_plug__ = {"name": name, **(declared or {})}
        for hook, function in hooks.items():
            setattr(self, hook, hookimpl(function))


async def view(**values: Any) -> str:
    return ""


def adding(rule: str, endpoint: str, **options: Any) -> Any:
    def setup(app: Quart) -> None:
        app.add_url_rule(rule, endpoint, view, **options)

    return setup


def names(**values: Any) -> Any:
    return lambda app: values


def make_app(*plugins: Any, strict: bool = True) -> Quart:
    app = Quart(__name__, static_folder=None, plugins=plugins)
    app.config["PLUGINS_STRICT"] = strict
    app.setup_plugins()
    return app


def blueprint(name: str) -> Any:
    def blueprints(app: Quart) -> list[Blueprint]:
        return [Blueprint(name, __name__)]

    return blueprints


def command(name: str) -> Any:
    return lambda app: [click.Command(name, callback=lambda: None, help="Do it.")]


# Who claims the same -------------------------------------------------------------------------------------------------

POSTED = ["POST", "PUT"]
SOCKET = {"websocket": True}
CLAIMS = {
    "slot": ("session_interface", {"session_interface": lambda app: object()}, {"session_interface": lambda: object()}),
    "route": ("GET /x/<int>", {"setup": adding("/x/<int:a>", "a")}, {"setup": adding("/x/<int:b>", "b")}),
    "method": ("POST /x", {"setup": adding("/x", "a", methods=POSTED)}, {"setup": adding("/x", "b", methods=["POST"])}),
    "websocket": ("websocket /x", {"setup": adding("/x", "a", **SOCKET)}, {"setup": adding("/x", "b", **SOCKET)}),
    "default": ("SETTING", {"configuration_defaults": names(SETTING=1)}, {"configuration_defaults": names(SETTING=2)}),
    "command": ("do", {"cli_commands": command("do")}, {"cli_commands": command("do")}),
}
KINDS = {"method": "route", "websocket": "route"}
TEXTS = {"slot": "fill the slot", "route": "claim the route", "default": "have a default for the setting"}


@pytest.mark.parametrize("what", CLAIMS)
def test_two_plugins_that_claim_one_thing_are_both_named(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """As data, in the lists, and in the log when the app is set up (what commands there are is asked for later)."""
    subject, one, other = CLAIMS[what]
    kind = KINDS.get(what, what)
    app = make_app(Plugin("one", **one), Plugin("other", **other))
    [found] = app.hooks.report().conflicts
    assert (found.kind, found.subject, found.plugins) == (kind, subject, ("one", "other"))
    claim = {**TEXTS, "command": "have a command"}[kind]
    assert found.text.startswith(f"plugin 'one' and plugin 'other' both {claim} {subject!r}; 'one' has it. Turn one")
    told = {"plugin": "other", "kind": "conflict", "text": found.text}
    assert told in faults(look_at_app(app))
    assert app.hooks.report().to_json()["conflicts"] == [json.loads(json.dumps(found.to_json()))]
    assert (f"Two plugins claim one thing: {found.text}." in caplog.text) is (what != "command")


@pytest.mark.parametrize("relation", ["before", "after"])
@pytest.mark.parametrize("what", CLAIMS)
def test_a_relation_settles_it(what: str, relation: str, caplog: pytest.LogCaptureFixture) -> None:
    _, one, other = CLAIMS[what]
    app = make_app(Plugin("one", **one), Plugin("other", {relation: ["one"]}, **other))
    assert app.hooks.report().conflicts == ()
    assert caplog.text == ""


NO_CONFLICT = {
    "the one that fills a slot by default": ({"json_provider": lambda app: None}, {}),
    "servers, which are asked for by name": ({"server": lambda app: None}, {"server": lambda app: None}),
    "other methods": ({"setup": adding("/x", "a", methods=["POST"])}, {"setup": adding("/x", "b")}),
    "a request and a websocket": ({"setup": adding("/x", "a", websocket=True)}, {"setup": adding("/x", "b")}),
    "other converters": ({"setup": adding("/<int:x>", "a")}, {"setup": adding("/<x>", "b")}),
    "one default": ({"configuration_defaults": names(X=1)}, {"configuration_defaults": names(X=1)}),
    "a default that the application sets": (
        {"configuration_defaults": names(SET=1)},
        {"configuration_defaults": names(SET=2)},
    ),
}


@pytest.mark.parametrize("what", NO_CONFLICT)
def test_no_conflict(what: str) -> None:
    one, other = NO_CONFLICT[what]
    app = Quart(__name__, plugins=[Plugin("one", **one), Plugin("other", **other)])
    app.config["SET"] = 0
    app.setup_plugins()
    assert app.hooks.report().conflicts == ()


def test_of_two_blueprints_of_one_name_the_second_fails() -> None:
    """The error names both plugins; without strictness the first one stays, and the report has it."""
    plugins = [Plugin("one", blueprints=blueprint("shop")), Plugin("other", blueprints=blueprint("shop"))]
    with pytest.raises(PluginLoadError, match=r"'other'.*another blueprint, of plugin 'one', is registered"):
        make_app(*plugins)
    app = make_app(*plugins, strict=False)
    [found] = app.hooks.report().conflicts
    assert (found.kind, found.subject, found.plugins) == ("blueprint", "shop", ("one", "other"))
    assert list(app.blueprints) == ["shop"]
    assert app.hooks.report()["other"].status == "failed"


def test_an_endpoint_that_another_plugin_has_names_it() -> None:
    async def another() -> str:
        return ""

    def setup(app: Quart) -> None:
        app.add_url_rule("/y", "x", another)

    with pytest.raises(PluginLoadError, match=r"the endpoint 'x' leads to .*, of plugin 'one', already"):
        make_app(Plugin("one", setup=adding("/x", "x")), Plugin("other", setup=setup))


def test_a_conflict_that_comes_late_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(Plugin("one", setup=adding("/x", "a")))
    assert caplog.text == ""
    app.hooks.register(Plugin("other", setup=adding("/x", "b")))
    app.hooks.register(Plugin("third", setup=adding("/z", "c")))
    assert caplog.text.count("both claim the route 'GET /x'") == 1
    app.hooks.unregister("other")
    assert app.hooks.report().conflicts == ()


# Whose it is ---------------------------------------------------------------------------------------------------------


def run(app: Quart, *args: str) -> str:
    """The output of the program for an application."""
    result = app.test_cli_runner().invoke(QuartGroup(create_app=lambda: app), args)
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_routes_are_shown_with_their_plugin() -> None:
    app = make_app(Plugin("shop", setup=adding("/shop", "shop")))
    app.add_url_rule("/own", "own", view)
    lines = run(app, "routes").splitlines()
    assert lines[0].split() == ["Rule", "Endpoint", "Methods", "Websocket", "Plugin"]
    assert sorted(line.split()[-1] for line in lines[1:] if "/" in line) == ["GET", "shop"]
    routes = json.loads(run(app, "routes", "--json"))
    assert {route["rule"]: route["plugin"] for route in routes} == {"/shop": "shop", "/own": None}


def test_without_routes_of_plugins_there_is_no_column() -> None:
    app = make_app()
    app.add_url_rule("/own", "own", view)
    assert "Plugin" not in run(app, "routes")


def test_the_help_says_whose_a_command_is() -> None:
    """Under the name of their plugin: those of the hook, and those that a set-up has added."""

    def setup(app: Quart) -> None:
        app.cli.command("by-setup")(lambda: None)

    shop = Plugin("shop", cli_commands=command("sell"), setup=setup)
    app = make_app(shop, Plugin("bank", cli_commands=command("pay")))
    app.cli.command("own")(lambda: None)
    text = run(app, "--help")
    sections = {}
    for part in text.split("\n\n"):
        title, _, body = part.partition(":\n")
        sections[title] = [line.split()[0] for line in body.splitlines()]
    assert "own" in sections["Commands"] and "run" in sections["Commands"]
    assert sections["Commands of the plugin 'shop'"] == ["by-setup", "sell"]
    assert sections["Commands of the plugin 'bank'"] == ["pay"]


async def test_a_template_says_whose_folder_it_is_from(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When the loading is explained, and in the error when there is none."""
    (tmp_path / "a.txt").write_text("here")
    app = make_app(
        Plugin("folders", template_folders=lambda app: [str(tmp_path)]),
        Plugin("loaders", template_loaders=lambda app: [DictLoader({"b.txt": "there"})]),
    )
    async with app.app_context():
        assert await render_template("b.txt") == "there"
        with pytest.raises(TemplateNotFound) as caught:
            await render_template("none.txt")
        [note] = caught.value.__notes__
        assert f"the plugin 'folders' ({tmp_path}), the plugin 'loaders' (DictLoader)" in note
        app.config["EXPLAIN_TEMPLATE_LOADING"] = True
        app.logger.setLevel("INFO")
        await render_template("a.txt")
    assert f"the plugin 'folders', {tmp_path}: found" in caplog.text
    assert "the plugin 'loaders', DictLoader: not there" in caplog.text
