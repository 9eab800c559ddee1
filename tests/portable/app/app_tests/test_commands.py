"""Commands: of the application, of blueprints, and what a shell sees."""

from __future__ import annotations

import click
import pytest
from board import create_app
from click.testing import CliRunner
from quart import Quart, current_app
from quart.cli import AppGroup, QuartGroup, ScriptInfo, with_appcontext


def test_a_command_of_the_application(app):
    result = app.test_cli_runner().invoke(args=["seed", "--count", "3"])
    assert (result.exit_code, result.output) == (0, "3 notes in board\n")
    assert [note.title for note in app.store.notes.values()] == ["Seed 1", "Seed 2", "Seed 3"]


def test_help_is_clicks(app):
    result = app.test_cli_runner().invoke(args=["seed", "--help"])
    assert result.exit_code == 0
    assert "Write some notes." in result.output
    assert "--count INTEGER  How many.  [default: 2]" in result.output


def test_commands_of_blueprints(app, notes):
    runner = app.test_cli_runner()
    assert runner.invoke(args=["notes", "count"]).output == "3 notes\n"
    assert runner.invoke(args=["manage", "rename", "2", "--title", "New"]).output == "note 2 is 'New' now\n"
    assert notes[1].title == "New"
    assert runner.invoke(args=["whisper"]).output == "psst from board\n"


def test_a_command_that_misses_an_option(app):
    result = app.test_cli_runner().invoke(args=["manage", "rename", "2"])
    assert result.exit_code == 2
    assert "Missing option '--title'" in result.output


def test_a_group_with_input(app):
    runner = app.test_cli_runner()
    assert runner.invoke(args=["users", "list"]).output == "ada\ngrace\n"
    result = runner.invoke(args=["users", "add", "linus"], input="kernel\nkernel\n")
    assert result.output.endswith("added linus\n")
    assert app.store.users["linus"] == "kernel"
    result = runner.invoke(args=["users", "fail"])
    assert (result.exit_code, result.output) == (1, "Error: it cannot be done\n")


def test_a_command_with_the_script_info(app):
    assert app.test_cli_runner().invoke(args=["url"]).output == "board True\n"


def test_a_command_in_a_context_with_a_url(app):
    assert app.test_cli_runner().invoke(args=["where"]).output == "in a context: no server name\n"
    app.config["SERVER_NAME"] = "board.example"
    assert app.test_cli_runner().invoke(args=["where"]).output == "in a context: http://board.example/\n"


def test_a_click_command_is_invoked_by_itself(app):
    @click.command()
    @with_appcontext
    def by_itself():
        click.echo(current_app.name)

    assert app.test_cli_runner().invoke(by_itself).output == "board\n"


def test_a_group_without_an_application():
    group = QuartGroup(create_app=lambda: Quart("made"))

    @group.command("name")
    @with_appcontext
    def name():
        click.echo(current_app.name)

    assert CliRunner().invoke(group, ["name"]).output == "made\n"
    assert {"run", "shell", "routes"} <= set(group.commands)


def test_an_app_group_of_its_own(app):
    group = AppGroup("tools")

    @group.command()
    @with_appcontext
    def plain():
        click.echo(bool(current_app))

    app.cli.add_command(group)
    assert app.test_cli_runner().invoke(args=["tools", "plain"]).output == "True\n"


def test_what_a_shell_sees(app):
    names = app.make_shell_context()
    assert (names["store"], names["answer"], names["app"]) == (app.store, 42, app)
    assert "g" in names


def test_script_info_loads_once():
    made = []

    def make():
        made.append(create_app())
        return made[-1]

    info = ScriptInfo(create_app=make)
    assert info.load_app() is info.load_app()
    assert len(made) == 1


def test_an_error_of_a_command_is_kept(app):
    @app.cli.command("breaks")
    def breaks():
        raise LookupError("of a command")

    result = app.test_cli_runner().invoke(args=["breaks"])
    assert (result.exit_code, repr(result.exception)) == (1, "LookupError('of a command')")
    with pytest.raises(LookupError):
        app.test_cli_runner().invoke(args=["breaks"], catch_exceptions=False)
