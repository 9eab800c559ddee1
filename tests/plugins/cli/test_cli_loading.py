"""From --app to an application; and for each way to be wrong, what is said."""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.cli import (
    NoAppException,
    ScriptInfo,
    find_app_by_string,
    find_best_app,
    load_dotenv,
    locate_app,
    prepare_import,
)


def module_with(**names: Any) -> ModuleType:
    made = ModuleType("shop")
    vars(made).update(names)
    return made


def make_app(word: str = "default") -> Quart:
    app = Quart("shop")
    app.config["WORD"] = word
    return app


APP, OTHER = Quart("one"), Quart("two")
REAL = type("Shop", (type("Quart", (), {"__module__": "quart.app"}),), {})()  # of a subclass of the real Quart


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"app": APP}, APP),
        ({"application": APP}, APP),
        ({"app": APP, "application": OTHER}, APP),
        ({"shop": APP}, APP),
        ({"app": "x", "shop": APP}, APP),
        ({"app": APP, "shop": OTHER}, APP),
        ({"create_app": lambda: APP}, APP),
        ({"make_app": lambda: APP}, APP),
        ({"create_app": lambda: APP, "make_app": lambda: OTHER}, APP),
        ({"create_app": lambda word="x": APP}, APP),
    ],
)
def test_the_best_app_of_a_module(names: dict[str, Any], found: Quart) -> None:
    assert find_best_app(module_with(**names)) is found


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({}, ["'shop'", "no application", "create_app", "--app shop:NAME"]),
        ({"one": APP, "two": OTHER}, ["several applications", "'one', 'two'"]),
        ({"app": SimpleNamespace()}, ["types.SimpleNamespace", "not a Quart application"]),
        ({"app": REAL}, ["shop:app", "real Quart", "from quart_plug", "--as-quart", "QUART_PLUG_AS_QUART=1"]),
        ({"create_app": lambda word: APP}, ["factory shop:create_app", "(word)", "missing"]),
        ({"create_app": lambda: "x"}, ["factory shop:create_app", "builtins.str"]),
    ],
)
def test_a_module_without_a_best_app(names: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(NoAppException) as caught:
        find_best_app(module_with(**names))
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("make", "default"),
        ("make()", "default"),
        ("make('x')", "x"),
        (" make ( word = 'y', ) ", "y"),
    ],
)
def test_a_factory_by_name(text: str, word: str) -> None:
    assert find_app_by_string(module_with(make=make_app), text).config["WORD"] == word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ap", ["has no 'ap'", "did you mean 'app'?", "'app'"]),
        ("mak()", ["did you mean 'make'?"]),
        ("number", ["builtins.int", "not a Quart application"]),
        ("number()", ["not callable"]),
        ("make(1, 2)", ["too many positional arguments", "(word: 'str' = 'default')"]),
        ("make(colour='red')", ["colour"]),
        ("make(variable)", ["literal values"]),
        ("a.b", ["neither a name nor a call"]),
        ("1 +", ["neither a name nor a call"]),
        ("fails()", ["factory shop:fails raised", "LookupError: no database"]),
    ],
)
def test_a_name_that_gives_no_app(text: str, words: list[str]) -> None:
    def fails() -> Quart:
        raise LookupError("no database")

    module = module_with(app=APP, make=make_app, number=5, fails=fails)
    with pytest.raises(NoAppException) as caught:
        find_app_by_string(module, text)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app.py", "app"),
        ("app", "app"),
        ("shop/store.py", "store"),
        ("package/__init__.py", "package"),
        ("package/inner/views.py", "package.inner.views"),
        ("package.inner", "package.inner"),
    ],
)
def test_a_path_becomes_a_module_that_can_be_imported(folder: Path, path: str, name: str) -> None:
    for part in ("package", "package/inner"):
        (folder / part).mkdir()
        (folder / part / "__init__.py").touch()
    assert prepare_import(path) == name
    top = {"store": folder / "shop"}.get(name, folder)
    assert sys.path[0] == str(top.resolve())


def test_a_missing_module_is_named_with_its_neighbour(module: Any) -> None:
    module("store.py")
    with pytest.raises(NoAppException) as caught:
        locate_app("stroe", "app")
    assert "no module 'stroe' (did you mean 'store'?)" in str(caught.value)
    assert caught.value.exit_code == 2
    assert locate_app("stroe", "app", raise_if_not_found=False) is None


def test_a_missing_parent_is_a_missing_module() -> None:
    with pytest.raises(NoAppException, match=r"no module 'nowhere\.app'"):
        locate_app("nowhere.app", None)


@pytest.mark.parametrize(
    "text",
    ["import not_there_at_all\n", "1 / 0\n", "def broken(:\n", "from quart_plug import nothing_such\n"],
)
def test_an_error_inside_the_module_is_shown_as_its_own(module: Any, text: str) -> None:
    """Also when `raise_if_not_found` is off: the module was found."""
    path = module("faulty.py", text)
    for strict in (True, False):
        with pytest.raises(NoAppException) as caught:
            locate_app("faulty", None, raise_if_not_found=strict)
        message = str(caught.value)
        assert "importing it failed" in message
        assert str(path) in message
        assert "importlib" not in message
        assert "quart_plug_cli" not in message
        assert caught.value.exit_code == 1
        assert caught.value.__cause__ is not None


def test_script_info_prefers_what_it_was_given(module: Any) -> None:
    module("app.py", "app = Quart('default')\n")
    module("shop.py", "app = Quart('by_path')\nother = Quart('by_name')\n")
    os.environ["QUART_APP"] = "shop:other"
    assert ScriptInfo(create_app=lambda: APP).load_app() is APP
    assert ScriptInfo("shop").load_app().name == "by_path"
    assert ScriptInfo().load_app().name == "by_name"
    os.environ["QUART_PLUG_APP"] = "shop:app"
    assert ScriptInfo().load_app().name == "by_path"
    del os.environ["QUART_PLUG_APP"], os.environ["QUART_APP"]
    assert ScriptInfo().load_app().name == "default"


@pytest.mark.parametrize("name", ["wsgi.py", "app.py", "asgi.py", "main.py"])
def test_an_app_is_found_in_the_usual_files(module: Any, name: str) -> None:
    module(name, "app = Quart('found')\n")
    assert ScriptInfo().load_app().name == "found"


def test_the_app_is_loaded_once(module: Any) -> None:
    made: list[Quart] = []

    def create() -> Quart:
        made.append(Quart("shop"))
        return made[-1]

    info = ScriptInfo(create_app=create)
    assert info.load_app() is info.load_app()
    assert len(made) == 1


def test_no_app_anywhere_says_how_to_name_one() -> None:
    with pytest.raises(NoAppException, match=r"--app MODULE:NAME"):
        ScriptInfo().load_app()


@pytest.mark.parametrize(
    ("environment", "own", "set_flag", "result"),
    [
        ({}, True, True, True),
        ({}, False, True, False),
        ({"QUART_DEBUG": "1"}, False, True, True),
        ({"QUART_DEBUG": "0"}, True, True, False),
        ({"QUART_PLUG_DEBUG": "true", "QUART_DEBUG": "0"}, False, True, True),
        ({"QUART_DEBUG": "1"}, False, False, False),
    ],
)
def test_debug_mode_is_set_when_the_environment_says_something(
    environment: dict[str, str], own: bool, set_flag: bool, result: bool
) -> None:
    app = Quart("shop")
    app.debug = own
    os.environ.update(environment)
    assert ScriptInfo(create_app=lambda: app, set_debug_flag=set_flag).load_app().debug is result


class Dotenv(SimpleNamespace):
    """python-dotenv's two functions, as far as they are used."""

    def find_dotenv(self, name: str, usecwd: bool) -> str:
        return name if usecwd and os.path.isfile(name) else ""

    def load_dotenv(self, path: str, encoding: str) -> bool:
        for line in Path(path).read_text(encoding).splitlines():
            key, _, value = line.partition("=")
            os.environ.setdefault(key, value)
        return True


def test_environment_files_are_read_and_override_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", Dotenv())
    (folder / ".env").write_text("FIRST=env\nSET=env")
    (folder / ".quartenv").write_text("FIRST=quartenv\nSECOND=quartenv")
    os.environ["SET"] = "before"
    assert load_dotenv() is True
    assert [os.environ[name] for name in ("FIRST", "SECOND", "SET")] == ["env", "quartenv", "before"]
    assert load_dotenv("no.env") is False


def test_without_python_dotenv_it_is_said_only_when_there_is_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert load_dotenv() is False
    assert capsys.readouterr().err == ""
    (folder / ".env").touch()
    assert load_dotenv() is False
    assert "pip install 'quart-plug[dotenv]'" in capsys.readouterr().err


def test_names_are_served_without_enabling_anything() -> None:
    module = importlib.import_module("quart_plug.cli")
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing
    assert not isinstance(module.click, builtins.type)
