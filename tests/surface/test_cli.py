"""`quart.cli`: groups and commands, how an application is found, and what the environment says."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from quart_plug import Quart, current_app, has_app_context, hookimpl
from quart_plug.cli import (
    AppGroup,
    NoAppException,
    QuartGroup,
    ScriptInfo,
    cli,
    get_version,
    main,
    pass_script_info,
    version_option,
    with_appcontext,
)
from tests.support.surface import shows

MODULE = """
import click
from quart_plug import Quart, current_app

app, other = Quart("the_app"), Quart("the_other")

@app.cli.command()
@click.option("--name", default="you")
async def greet(name):
    click.echo(f"hello {name} from {current_app.name}, debug {current_app.debug}")

@other.cli.command()
def only_there():
    click.echo("only there")

def create_app(name="made"):
    return Quart(name)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with `shop.py`; the environment, `sys.path` and `sys.modules` are put back at the end."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("QUART")]:
        monkeypatch.delenv(name)
    environment, modules = dict(os.environ), set(sys.modules)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "shop.py").write_text(MODULE)
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def run(group: Any, *arguments: str, **environment: str) -> Result:
    sys.modules.pop("shop", None)
    return CliRunner().invoke(group, arguments, env=environment, prog_name="quart")


def make_app() -> Quart:
    app = Quart("made")

    @app.cli.command("state")
    def state() -> None:
        click.echo(f"{current_app.name} {current_app.debug}")

    return app


# Groups --------------------------------------------------------------------------------------------------------------


@shows("cli.AppGroup", "cli.AppGroup.command", "cli.AppGroup.group", "cli.AppGroup.resolve_command")
def test_app_group() -> None:
    """Its commands run in the app's context, unless they do not want it; groups in it are of its kind."""
    group = AppGroup("tools", help="of the house")

    @group.command()
    @click.argument("word")
    def plain(word: str) -> None:
        click.echo(f"{word} {current_app.name}")

    @group.command("awaited", short_help="short")
    async def coroutine() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    @group.command(with_appcontext=False)
    def outside() -> None:
        click.echo(str(has_app_context()))

    @group.group()
    def inner() -> None:
        """A group."""

    @inner.command()
    async def deep() -> None:
        click.echo(f"deep {current_app.name}")

    @group.group(cls=click.Group)
    def clicks() -> None:
        """Of click's kind."""

    assert (type(inner), type(clicks)) == (AppGroup, click.Group)
    app = Quart("the_app")
    app.cli.add_command(group)
    runner = app.test_cli_runner()
    outputs = [
        runner.invoke(args=["tools", *args]).output
        for args in (["plain", "word"], ["awaited"], ["outside"], ["inner", "deep"])
    ]
    assert outputs == ["word the_app\n", "the_app\n", "False\n", "deep the_app\n"]
    result = runner.invoke(args=["tools", "nothing"])
    assert (result.exit_code, "No such command 'nothing'" in result.output) == (2, True)


@shows("cli.QuartGroup.format_commands")
def test_the_help_lists_commands_under_their_plugin() -> None:
    """The program's and the application's first, then each plugin's under its name."""

    class Sweeping:
        @hookimpl
        def cli_commands(self) -> list[click.Command]:
            return [click.Command("sweep", help="Sweep the floor.")]

    def create_app() -> Quart:
        app = make_app()
        app.hooks.register(Sweeping(), "sweeping")
        return app

    _, _, commands = run(QuartGroup(create_app=create_app), "--help").output.partition("Commands:\n")
    own, _, of_plugin = commands.partition("Commands of the plugin 'sweeping':\n")
    assert "state" in own and "run" in own
    assert of_plugin.split() == ["sweep", "Sweep", "the", "floor."]


@shows(
    "cli.QuartGroup",
    "cli.QuartGroup.format_commands",
    "cli.QuartGroup.get_command",
    "cli.QuartGroup.list_commands",
    "cli.QuartGroup.make_context",
    "cli.QuartGroup.parse_args",
)
def test_a_program_of_ones_own() -> None:
    """The application is given, or found by the program's options; its commands stand beside the program's."""

    @click.group(cls=QuartGroup, create_app=make_app)
    def program() -> None:
        """Manages the shop."""

    @program.command("own")
    @click.option("--count", default=1)
    async def own(count: int) -> None:
        click.echo(f"{count} {current_app.name}")

    assert run(program, "own", "--count", "2").output == "2 made\n"
    assert run(program, "state").output == "made False\n"
    assert run(program, "--debug", "state").output == "made True\n"
    assert run(program, "own", QUART_OWN_COUNT="3").output == "3 made\n"
    help = run(program, "--help").output
    assert all(word in help for word in ("Manages the shop.", "own", "state", "run", "routes", "shell", "--version"))
    commands = [line.split()[0] for line in help.partition("\nCommands:\n")[2].splitlines()]
    assert {"own", "state", "run"} <= set(commands) and commands == sorted(commands)
    context = program.make_context("quart", ["state"])
    assert isinstance(context.obj, ScriptInfo)
    assert {"own", "state", "run"} <= set(program.list_commands(context))
    found = program.get_command(context, "state")
    assert found is not None and found.name == "state"
    assert program.get_command(context, "nothing") is None
    assert run(program, "nothing").exit_code == 2


def test_a_program_with_less() -> None:
    group = QuartGroup(
        add_default_commands=False,
        create_app=make_app,
        add_version_option=False,
        load_dotenv=False,
        set_debug_flag=False,
        name="less",
        context_settings={"auto_envvar_prefix": "LESS"},
    )
    assert (group.name, sorted(group.commands)) == ("less", [])
    assert run(group, "state").output == "made False\n"
    assert run(group, "--version").exit_code == 2


@shows("cli.cli", "cli.main")
@pytest.mark.parametrize(
    ("arguments", "environment", "output"),
    [
        (["--app", "shop", "greet"], {}, "hello you from the_app, debug False"),
        (["-A", "shop:app", "--debug", "greet", "--name", "me"], {}, "hello me from the_app, debug True"),
        (["--app", "shop.py:other", "only-there"], {}, "only there"),
        (["greet"], {"QUART_APP": "shop"}, "hello you from the_app, debug False"),
        (["greet"], {"QUART_APP": "shop", "QUART_DEBUG": "1"}, "hello you from the_app, debug True"),
        (["--no-debug", "greet"], {"QUART_APP": "shop", "QUART_DEBUG": "1"}, "hello you from the_app, debug False"),
        (["greet"], {"QUART_APP": "shop", "QUART_GREET_NAME": "it"}, "hello it from the_app, debug False"),
    ],
)
def test_the_program(
    arguments: list[str], environment: dict[str, str], output: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    result = run(cli, *arguments, **environment)
    assert (result.exit_code, result.output) == (0, f"{output}\n")

    sys.modules.pop("shop", None)
    monkeypatch.setattr(sys, "argv", ["quart", *arguments])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().out) == (0, f"{output}\n")


@shows("cli.version_option", "cli.get_version")
def test_the_version() -> None:
    @click.command(params=[version_option])
    def command() -> None:
        raise AssertionError("the option ends the program")

    assert "Python" in run(command, "--version").output
    assert run(cli, "--version").output == run(command, "--version").output
    ended: list[bool] = []
    context = SimpleNamespace(resilient_parsing=False, color=None, exit=lambda: ended.append(True))
    get_version(context, version_option, False)
    assert ended == []
    get_version(context, version_option, True)
    assert ended == [True]


# What a command is told ----------------------------------------------------------------------------------------------


@shows("cli.pass_script_info", "cli.with_appcontext")
def test_decorators_of_a_click_command() -> None:
    """A command that is no app's has its context, and the info, by decorators."""

    @click.command()
    @pass_script_info
    def with_info(info: ScriptInfo) -> None:
        click.echo(f"{info.load_app().name} {has_app_context()}")

    @click.command()
    @click.argument("word")
    @with_appcontext
    async def in_context(word: str) -> None:
        await asyncio.sleep(0)
        click.echo(f"{word} {current_app.name}")

    runner = Quart("the_app").test_cli_runner()
    assert runner.invoke(with_info).output == "the_app False\n"
    assert runner.invoke(in_context, ["a"]).output == "a the_app\n"


@shows("cli.ScriptInfo", "cli.ScriptInfo.load_app")
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"app_import_path": "shop"}, "the_app"),
        ({"app_import_path": "shop:other"}, "the_other"),
        ({"app_import_path": "shop.py:create_app('x')"}, "x"),
        ({"create_app": make_app}, "made"),
        ({"app_import_path": "shop", "create_app": make_app}, "made"),
    ],
)
def test_script_info(arguments: dict[str, Any], name: str) -> None:
    info = ScriptInfo(**arguments)
    assert info.load_app().name == name
    assert info.load_app() is info.load_app()
    assert (info.data, info.set_debug_flag) == ({}, True)
    assert (info.app_import_path, info.create_app) == (arguments.get("app_import_path"), arguments.get("create_app"))


@pytest.mark.parametrize("name", ["app.py", "wsgi.py"])
def test_the_usual_files(folder: Path, name: str) -> None:
    with pytest.raises(NoAppException):
        ScriptInfo().load_app()
    (folder / name).write_text("from quart_plug import Quart\nx = Quart('usual')\n")
    assert ScriptInfo().load_app().name == "usual"


@pytest.mark.parametrize(
    ("said", "debug"), [("1", True), ("true", True), ("x", True), ("0", False), ("false", False), ("no", False)]
)
def test_debug_from_the_environment(said: str, debug: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wins over what the application says, unless the info is not to set it."""
    monkeypatch.setenv("QUART_DEBUG", said)

    def opposite() -> Quart:
        app = Quart("a")
        app.debug = not debug
        return app

    assert ScriptInfo(create_app=opposite).load_app().debug is debug
    assert ScriptInfo(create_app=opposite, set_debug_flag=False).load_app().debug is not debug
    assert Quart("a").debug is debug
