"""`list`, `show` and `hooks`, of an application and of a folder, whatever is broken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug.hooks import PluginManager, specs
from quart_plug.hooks.selection import CORE

SALONS = '''
"""Rooms for websockets.

The second paragraph.
"""
from dataclasses import dataclass
from quart_plug import hookimpl

__quart_plug__ = {"requires": ["json"], "after": "signals", "api": ">=1,<2"}

@dataclass
class Config:
    limit: int = 10
    """How many."""
    password: str = ""

@hookimpl
def configuration_schema(app):
    return Config

@hookimpl
def setup(app):
    app.add_url_rule("/salons", "salons", lambda: "salons")

@hookimpl
async def request_after(ctx, response): ...

@hookimpl
def cli_commands(app):
    import click
    return [click.Command("sweep", help="Sweep the salons.")]
'''

APP = """
from quart_plug import Quart, hookimpl
print("noise")
class Last:
    __quart_plug__ = {"name": "last"}
    @hookimpl(trylast=True)
    async def request_after(self, ctx, response): ...
class First:
    __quart_plug__ = {"name": "first"}
    @hookimpl(tryfirst=True)
    async def request_after(self, ctx, response): ...
app = Quart(__name__, plugins=["salons", Last(), First()])
app.config["PLUGIN_CONFIG"] = {"salons": {"password": "swordfish"}}
"""


@pytest.fixture
def app(project: Path, install: Callable[..., None]) -> None:
    install("salons", SALONS)
    (project / "shop.py").write_text(APP)


# list


def test_list_is_a_table_of_every_plugin(run: Any) -> None:
    status, out, _ = run("list")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["Name", "Status", "Version", "Distribution", "Why"]
    assert next(line for line in lines if line.startswith("cli ")).split()[1:] == [
        "active",
        "0.1.0",
        "quart-plug",
        "core",
    ]


def test_list_with_a_problem_of_the_settings(run: Any, run_json: Any) -> None:
    os.environ["QUART_PLUG_DISABLE"] = "sesions"
    status, out, _ = run("list")
    assert (status, "Problem: no such plugin" in out, "'sesions'" in out) == (0, True, True)
    assert "sesions" in run_json("list")["problems"][0]


def test_list_of_an_application(app: None, run_json: Any) -> None:
    found = run_json("list", "--app", "shop")
    assert found["application"] == {"import": "shop", "error": None}
    plugins = {plugin["name"]: plugin for plugin in found["plugins"]}
    assert plugins["salons"]["status"] == "active"
    assert plugins["salons"]["requested_by"] == ["Quart(plugins=…)"]


@pytest.mark.parametrize(
    "arguments", [["--app", "shop", "list"], ["list", "-A", "shop"], ["plugins", "--app=shop", "list"]], ids=" ".join
)
def test_options_stand_before_or_after_the_command(app: None, run_json: Any, arguments: list[str]) -> None:
    assert "first" in [plugin["name"] for plugin in run_json(*arguments)["plugins"]]


def test_the_application_may_come_from_the_environment(app: None, run_json: Any) -> None:
    os.environ["QUART_PLUG_APP"] = "shop"
    assert "first" in [plugin["name"] for plugin in run_json("list")["plugins"]]


def test_options_about_plugins_count(run_json: Any) -> None:
    plugins = {p["name"]: p for p in run_json("--no-plugin", "debug", "list", "--no-plugin", "json")["plugins"]}
    assert (plugins["debug"]["status"], plugins["json"]["status"]) == ("disabled", "disabled")


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import sys; sys.exit('enough')", 1, "enough"),
        ("other = 1", 2, "has no application"),
    ],
)
def test_a_broken_application_is_said_and_the_folder_is_shown(
    project: Path, run: Any, run_json: Any, text: str, status: int, said: str
) -> None:
    (project / "shop.py").write_text(text)
    actual, out, err = run("list", "--app", "shop")
    assert (actual, said in err, "cli " in out) == (status, True, True)
    assert said in run_json("list", "--app", "shop", status=status)["application"]["error"]


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "raise SystemExit(3)",
        "def broken(:",
        "import nothing_like_this_module",
        "raise KeyError",
        "from quart_plug import hookimpl\n@hookimpl\ndef stup(app): ...",
        "print('noise')\n1 / 0",
    ],
)
@pytest.mark.parametrize("command", ["list", "hooks", "doctor", "show salons"])
def test_every_command_works_with_a_broken_plugin(install: Any, run_json: Any, text: str, command: str) -> None:
    install("salons", text)
    os.environ["QUART_PLUG_PLUGINS"] = "salons"
    found = run_json("plugins", *command.split(), status=1 if command == "doctor" else 0)
    assert found


def test_every_command_works_with_every_plugin_off(run_json: Any) -> None:
    os.environ["QUART_PLUG_DISABLE"] = ",".join(CORE)
    assert {plugin["status"] for plugin in run_json("list")["plugins"]} == {"disabled"}
    assert not [hook for hook in run_json("plugins", "hooks")["hooks"] if hook["implementations"]]


# hooks


def test_hooks_shows_every_hook_with_who_implements_it(run: Any, run_json: Any) -> None:
    manager = PluginManager([])
    manager.add_hookspecs(specs)
    found = {hook["name"]: hook for hook in run_json("plugins", "hooks")["hooks"]}
    assert set(found) == set(manager.specs)
    assert (found["server"]["kind"], found["server"]["colour"], found["server"]["provider"]) == (
        "first",
        "sync",
        "hypercorn",
    )
    assert [i["plugin"] for i in found["server"]["implementations"]] == ["hypercorn"]
    status, out, _ = run("plugins", "hooks")
    assert status == 0
    row = next(line for line in out.splitlines() if line.startswith("server "))
    assert row.split() == ["server", "first", "sync", "hypercorn"]


def test_hooks_of_a_name_are_in_call_order(app: None, run: Any, run_json: Any) -> None:
    hook = run_json("plugins", "hooks", "request_after", "--app", "shop")
    assert [i["plugin"] for i in hook["implementations"]] == ["first", "salons", "last"]
    assert [i["place"] for i in hook["implementations"]] == [1, 2, 3]
    assert [i["tryfirst"] for i in hook["implementations"]] == [True, False, False]
    assert hook["implementations"][1]["distribution"] == "salons-dist"
    assert hook["implementations"][1]["file"].endswith("salons_module.py")
    _, out, _ = run("plugins", "hooks", "request_after", "--app", "shop")
    assert out.startswith("request_after(ctx, response)\n  pipe, async\n")
    assert hook["documentation"].splitlines()[0].split(";")[0] in " ".join(out.split())
    lines = out.splitlines()
    assert [line.split()[1] for line in lines[-3:]] == ["first", "salons", "last"]
    assert "first (tryfirst)" in lines[-3]


def test_hooks_of_a_plugins_own(install: Any, run: Any, run_json: Any) -> None:
    install(
        "salons",
        "from quart_plug import hookimpl, hookspec\n"
        "class Specs:\n    @hookspec(kind='notify')\n    async def room_joined(self, room): 'Somebody joined.'\n"
        "__quart_plug__ = {'hookspecs': [Specs]}\n"
        "@hookimpl\nasync def room_joined(room): ...\n",
    )
    os.environ["QUART_PLUG_PLUGINS"] = "salons"
    hook = run_json("plugins", "hooks", "room_joined")
    assert (hook["specified_by"], hook["documentation"]) == ("salons", "Somebody joined.")
    _, out, _ = run("plugins", "hooks")
    assert out.splitlines()[0].split()[:5] == ["Hook", "Kind", "Colour", "Of", "plugin"]
    assert next(line for line in out.splitlines() if line.startswith("room_joined")).split()[3:] == ["salons", "salons"]
    assert run_json("plugins", "show", "salons")["specifies"] == ["room_joined"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("request_afer", "did you mean 'request_after'?"),
        ("hypercorn", "it is a plugin: quart-plug plugins show hypercorn"),
    ],
)
def test_an_unknown_hook(run: Any, name: str, said: str) -> None:
    status, out, err = run("plugins", "hooks", name)
    assert (status, out, said in err) == (2, "", True)


def test_a_hook_that_nobody_implements(run: Any) -> None:
    assert run("plugins", "hooks", "lifespan")[1].endswith("No active plugin implements it.\n")


# show


def test_show_knows_everything_about_a_plugin(app: None, run_json: Any) -> None:
    os.environ["QUART_PLUG_SALONS__LIMIT"] = "3"
    found = run_json("plugins", "show", "salons", "--app", "shop")
    assert found["file"].endswith("salons_module.py")
    hooks = {hook.pop("hook"): hook for hook in found.pop("hooks")}
    assert list(hooks) == ["cli_commands", "configuration_schema", "request_after", "setup"]
    assert (hooks["request_after"]["place"], hooks["request_after"]["of"], hooks["request_after"]["line"]) == (2, 3, 25)
    assert {field["name"]: (field["value"], field["source"], field["secret"]) for field in found["configuration"]} == {
        "limit": (3, "environment QUART_PLUG_SALONS__LIMIT", False),
        "password": ("…", "PLUGIN_CONFIG['salons'] (code)", True),
    }
    del found["configuration"], found["file"]
    assert found == {
        "name": "salons",
        "status": "active",
        "reason": "",
        "requested_by": ["Quart(plugins=…)"],
        "distribution": "salons-dist",
        "version": "1.0",
        "first_party": False,
        "value": "salons_module",
        "documentation": "Rooms for websockets.\n\nThe second paragraph.",
        "documentation_url": "https://salons.example/docs",
        "relations": {"requires": ["json"], "after": ["signals"], "api": ">=1,<2"},
        "specifies": [],
        "others": [],
        "routes": [{"rule": "/salons", "endpoint": "salons", "methods": ["GET"], "websocket": False}],
        "commands": [{"name": "sweep", "help": "Sweep the salons."}],
        "conflicts": [],
        "application": {"import": "shop", "error": None},
    }


def test_show_as_text(app: None, run: Any) -> None:
    status, out, err = run("plugins", "show", "salons", "--app", "shop")
    assert (status, err) == (0, "noise\n")
    assert out.splitlines()[0] == "salons (salons-dist 1.0)"
    text = " ".join(out.split())
    for words in (
        "Rooms for websockets.", "Status: active", "Asked for by: Quart(plugins=…)", "Entry point: salons_module",
        "Requires: json", "After: signals", "Plugin API: >=1,<2", "limit int 10 default",
        "request_after pipe 2 of 3 salons_module.py:25",
        'password str "…"', "/salons GET salons", "sweep Sweep the salons.", "https://salons.example/docs",
    ):  # fmt: skip
        assert words in text, words
    assert "swordfish" not in out


def test_a_plugin_that_is_off_is_shown_without_importing_it(install: Any, run: Any, run_json: Any) -> None:
    install("salons", SALONS + "\n1 / 0\n")
    found = run_json("plugins", "show", "salons")
    assert (found["status"], found["hooks"], found["configuration"]) == ("disabled", [], [])
    assert found["documentation"].startswith("Rooms for websockets.")
    assert found["relations"] == {"requires": ["json"], "after": ["signals"], "api": ">=1,<2"}
    assert found["file"].endswith("salons_module.py")
    assert "To turn it on: quart-plug plugins enable salons" in " ".join(run("plugins", "show", "salons")[1].split())


def test_a_local_plugin_within_a_package_is_found_without_importing_the_package(project: Path, run_json: Any) -> None:
    (project / "shop").mkdir()
    (project / "shop" / "__init__.py").write_text("raise LookupError('not now')")
    (project / "shop" / "audit.py").write_text('"""Writes all down."""')
    os.environ["QUART_PLUG_PLUGINS"] = "shop.audit"
    found = run_json("plugins", "show", "shop.audit")
    assert (found["status"], "not now" in found["reason"]) == ("failed", True)
    assert (found["file"], found["documentation"]) == (str(project / "shop" / "audit.py"), "Writes all down.")


def test_two_distributions_with_a_plugin_of_one_name(install: Any, run_json: Any) -> None:
    install("salons", SALONS, "one-salons", "one_salons")
    install("salons", SALONS, "two-salons", "two_salons")
    os.environ["QUART_PLUG_PLUGINS"] = "two-salons:salons"
    assert run_json("plugins", "show", "salons")["distribution"] == "two-salons"
    shadowed = run_json("plugins", "show", "one-salons:salons")
    assert (shadowed["distribution"], shadowed["status"], shadowed["hooks"]) == ("one-salons", "shadowed", [])
    assert shadowed["others"] == ["two-salons:salons"]


def test_an_unknown_plugin(run: Any) -> None:
    status, out, err = run("plugins", "show", "hypercron")
    assert (status, out) == (2, "")
    assert "did you mean 'hypercorn'?" in err


def test_commands_that_cannot_be_asked_for(install: Any, project: Path, run_json: Any) -> None:
    install("salons", "from quart_plug import hookimpl\n@hookimpl\ndef cli_commands(app): raise LookupError('x')\n")
    (project / "shop.py").write_text("from quart_plug import Quart\napp = Quart(__name__, plugins=['salons'])\n")
    (command,) = run_json("plugins", "show", "salons", "--app", "shop")["commands"]
    assert command["help"] == "cannot be asked for: LookupError: x"


def test_commands_that_the_set_up_added_and_what_two_plugins_claim(
    install: Any, project: Path, run: Any, run_json: Any
) -> None:
    code = "from quart_plug import hookimpl\n@hookimpl\ndef setup(app):\n"
    code += "    @app.cli.command()\n    def sweep(): 'Sweep.'\n"
    route = "    app.add_url_rule('/x', __name__, lambda: '')\n"
    install("salons", code + route)
    install("halls", code.replace("sweep", "clean") + route)
    (project / "shop.py").write_text(
        "from quart_plug import Quart\napp = Quart(__name__, plugins=['salons', 'halls'])\n"
    )
    found = run_json("plugins", "show", "salons", "--app", "shop")
    assert found["commands"] == [{"name": "sweep", "help": "Sweep."}]
    (conflict,) = found["conflicts"]
    assert (conflict["kind"], conflict["subject"], conflict["plugins"]) == ("route", "GET /x", ["salons", "halls"])
    assert f"Conflict: {conflict['text']}" in run("plugins", "show", "halls", "--app", "shop")[1]
    assert run_json("plugins", "show", "json", "--app", "shop")["conflicts"] == []
    (fault,) = run_json("doctor", "--app", "shop", status=1)["faults"]
    assert (fault["kind"], fault["text"]) == ("conflict", conflict["text"])


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize(
    "command", ["list", "plugins show debug", "plugins hooks json_default", "plugins --help", "plugins doctor"]
)
def test_what_is_shown_fits_the_columns(run: Any, columns: int, command: str) -> None:
    """But for what cannot be broken: a path, and a row's other columns."""
    os.environ["COLUMNS"] = str(columns)
    lines = run(*command.split())[1].splitlines()
    assert [line for line in lines if len(line) > columns and os.sep not in line] == []
