"""Commands are run in tests, and click comes only when asked for."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

import quart_plug.testing
from quart_plug import Quart, current_app
from quart_plug.testing import QuartCliRunner


def test_the_apps_commands_run_with_the_app() -> None:
    app = Quart("shop")

    def print_name() -> None:
        click.echo(current_app.name)

    app.cli.command("name")(print_name)
    result = QuartCliRunner(app).invoke(args=["name"])
    assert (result.output, result.exit_code) == ("shop\n", 0)


def test_another_command_and_object_can_be_given() -> None:
    @click.command()
    @click.pass_obj
    def show(obj: object) -> None:
        click.echo(obj)

    result = QuartCliRunner(Quart("shop")).invoke(show, [], obj="given")
    assert result.output == "given\n"


def test_options_are_clicks() -> None:
    assert QuartCliRunner(Quart("shop"), env={"A": "1"}).make_env() == {"A": "1"}


def test_click_is_imported_when_the_runner_is_asked_for() -> None:
    code = "import sys, quart_plug.testing; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_all_names_are_there() -> None:
    assert all(hasattr(quart_plug.testing, name) for name in [*quart_plug.testing.__all__, "ScriptInfo"])
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        quart_plug.testing.nothing
