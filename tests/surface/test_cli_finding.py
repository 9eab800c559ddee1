"""`quart.cli`: how an application is found, and the files of variables that are read."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from quart_plug import Quart, current_app
from quart_plug.cli import (
    NoAppException,
    QuartGroup,
    cli,
    find_app_by_string,
    find_best_app,
    load_dotenv,
    locate_app,
    prepare_import,
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


def run(group: Any, *arguments: str, **environment: str) -> Any:
    sys.modules.pop("shop", None)
    return CliRunner().invoke(group, arguments, env=environment, prog_name="quart")


def make_app() -> Quart:
    app = Quart("made")

    @app.cli.command("state")
    def state() -> None:
        click.echo(f"{current_app.name} {current_app.debug}")

    return app


# Finding an application ----------------------------------------------------------------------------------------------


def module(**names: Any) -> ModuleType:
    made = ModuleType("a_module")
    vars(made).update(names)
    return made


A, B = Quart("a"), Quart("b")


@shows("cli.find_best_app", "cli.NoAppException")
@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"app": A, "other": B}, "a"),
        ({"application": A}, "a"),
        ({"anything": A}, "a"),
        ({"create_app": lambda name="x": Quart(name)}, "x"),
        ({"make_app": lambda: Quart("y")}, "y"),
        ({"one": A, "two": B}, None),
        ({"create_app": lambda name: Quart(name)}, None),
        ({"create_app": lambda: 5}, None),
        ({}, None),
    ],
)
def test_find_best_app(names: dict[str, Any], found: str | None) -> None:
    if found is not None:
        assert find_best_app(module(**names)).name == found
    else:
        with pytest.raises(NoAppException):
            find_best_app(module(**names))


@shows("cli.find_app_by_string")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app", "a"),
        ("make", "made-d-1"),
        ("make()", "made-d-1"),
        ("make('x', count=2)", "made-x-2"),
        ("make(count=[1])", "made-d-[1]"),
        ("nothing", None),
        ("make(1, 2, 3)", None),
        ("make(app)", None),
        ("value", None),
        ("app.name", None),
        ("make(", None),
    ],
)
def test_find_app_by_string(text: str, found: str | None) -> None:
    def make(name: str = "d", count: Any = 1) -> Quart:
        return Quart(f"made-{name}-{count}")

    names = module(app=A, make=make, value=5)
    if found is not None:
        assert find_app_by_string(names, text).name == found
    else:
        with pytest.raises(NoAppException):
            find_app_by_string(names, text)


@shows("cli.locate_app", "cli.prepare_import")
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("shop", "shop"),
        ("shop.py", "shop"),
        ("./package/__init__.py", "package"),
        ("package/inner/web.py", "package.inner.web"),
    ],
)
def test_from_a_path_to_an_application(folder: Path, path: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path becomes a module's name that can be imported, wherever its packages begin."""
    (folder / "package/inner").mkdir(parents=True)
    for file in ("package/__init__.py", "package/inner/__init__.py", "package/inner/web.py"):
        (folder / file).write_text(MODULE)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(folder)])
    assert prepare_import(path) == name
    assert sys.path[0] == os.path.realpath(folder)
    found = [locate_app(name, each) for each in (None, "other", "create_app('y')")]
    assert [app and app.name for app in found] == ["the_app", "the_other", "y"]
    with pytest.raises(NoAppException):
        locate_app("no_such_module", None)


@shows("cli.NoAppException.show")
def test_the_error_is_one_message() -> None:
    error = NoAppException("there is none")
    assert isinstance(error, click.UsageError) and error.exit_code == 2
    file = io.StringIO()
    error.show(file)
    assert file.getvalue() == "Error: there is none\n"


# Files of variables --------------------------------------------------------------------------------------------------


@pytest.fixture
def dotenv(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """python-dotenv, or what stands for it: the two functions that are used, for lines NAME=VALUE."""

    def find(name: str, usecwd: bool) -> str:
        folders: list[Path] = [Path.cwd(), *Path.cwd().parents]
        return next((str(each / name) for each in folders if (each / name).is_file()), "")

    def load(path: Any, encoding: str) -> bool:
        lines = [line.split("=", 1) for line in Path(path).read_text(encoding).splitlines() if "=" in line]
        for name, value in lines:
            os.environ.setdefault(name, value)
        return bool(lines)

    stand_in = ModuleType("dotenv")
    vars(stand_in).update(find_dotenv=find, load_dotenv=load, __spec__=SimpleNamespace(name="dotenv"))
    monkeypatch.setitem(sys.modules, "dotenv", stand_in)
    yield


@shows("cli.load_dotenv")
@pytest.mark.usefixtures("dotenv")
def test_load_dotenv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """.env before .quartenv, found here or above; what is set already stays; or the file that is named, alone."""
    assert load_dotenv() is False
    (folder / ".env").write_text("SHOP_A=env\nSHOP_SET=env\n")
    (folder / ".quartenv").write_text("SHOP_A=quartenv\nSHOP_B=quartenv\n")
    (folder / "named").write_text("SHOP_C=named\n")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    monkeypatch.setenv("SHOP_SET", "before")
    assert load_dotenv("nowhere") is False
    assert load_dotenv(folder / "named") is True
    assert "SHOP_A" not in os.environ
    assert load_dotenv() is True
    assert {name: os.environ[name] for name in ("SHOP_A", "SHOP_B", "SHOP_C", "SHOP_SET")} == {
        "SHOP_A": "env", "SHOP_B": "quartenv", "SHOP_C": "named", "SHOP_SET": "before",
    }  # fmt: skip


@pytest.mark.usefixtures("dotenv")
@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "env"),
        (["--env-file", "named"], {}, "named"),
        ([], {"QUART_GREET_NAME": "environment"}, "environment"),
        ([], {"QUART_ENV_FILE": "named"}, "named"),
        ([], {"QUART_SKIP_DOTENV": "0"}, "env"),
        ([], {"QUART_SKIP_DOTENV": "1", "QUART_APP": "shop"}, "you"),
        (["--env-file", "empty"], {"QUART_SKIP_DOTENV": "1", "QUART_APP": "shop"}, "you"),
    ],
)
def test_the_program_reads_them(folder: Path, arguments: list[str], environment: dict[str, str], expected: str) -> None:
    """What is set already comes first, then the file that was named, .env, .quartenv."""
    (folder / ".env").write_text("QUART_GREET_NAME=env\n")
    (folder / ".quartenv").write_text("QUART_APP=shop\nQUART_GREET_NAME=quartenv\n")
    (folder / "named").write_text("QUART_GREET_NAME=named\n")
    (folder / "empty").write_text("# nothing\n")
    assert run(cli, *arguments, "greet", **environment).output == f"hello {expected} from the_app, debug False\n"


@pytest.mark.usefixtures("dotenv")
def test_a_program_that_does_not_want_them(folder: Path) -> None:
    """Reads the file that was named all the same."""
    (folder / ".env").write_text("QUART_DEBUG=1\n")
    (folder / "named").write_text("QUART_DEBUG=yes\n")
    group = QuartGroup(create_app=make_app, load_dotenv=False)
    assert run(group, "state").output == "made False\n"
    assert run(group, "--env-file", "named", "state").output == "made True\n"
