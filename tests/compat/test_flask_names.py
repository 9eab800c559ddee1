"""Extensions compare with the classes of Flask's that Quart's derive from: under the alias they find quart-plug's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import run

Run = Callable[..., Any]

COMPARED = """
from flask.sansio.app import App
from flask.sansio.blueprints import Blueprint, BlueprintSetupState
from flask.sansio.scaffold import Scaffold
import quart
app, blueprint = quart.Quart("x"), quart.Blueprint("b", "b")
assert [isinstance(app, each) for each in (App, Blueprint, Scaffold)] == [True, False, True]
assert [isinstance(blueprint, each) for each in (App, Blueprint, Scaffold)] == [False, True, True]
assert issubclass(quart.Quart, App) and issubclass(quart.Blueprint, Scaffold) and not issubclass(dict, Scaffold)
class Own(quart.Quart): ...
assert isinstance(Own("x"), App) and issubclass(Own, Scaffold)
states = []
blueprint.record(states.append)
app.register_blueprint(blueprint)
assert isinstance(states[0], BlueprintSetupState)
"""


def test_comparisons(run_here: Run) -> None:
    """Also before anything has imported Quart, as where imports are sorted."""
    run_here(COMPARED, alias=True)
    run_here("import quart_plug; quart_plug.install_as_quart()" + COMPARED)


def test_by_a_whole_name(run_here: Run) -> None:
    run_here("import flask.sansio.app, quart; assert isinstance(quart.Quart('x'), flask.sansio.app.App)", alias=True)
    run_here("from importlib import import_module; assert import_module('flask.sansio.app').App", alias=True)


def test_nothing_of_flask_is_imported_unasked(run_here: Run) -> None:
    code = "import quart, sys; assert not [name for name in sys.modules if name.partition('.')[0] == 'flask']"
    run_here(code, alias=True)


class TestWithFlask:
    @pytest.fixture
    def run_flask(self, with_quart: Path) -> Run:
        return partial(run, interpreter=with_quart)

    @pytest.mark.parametrize("first", ["import flask; import quart_plug.as_quart", "import quart_plug.as_quart"])
    def test_flasks_own_objects_still_compare(self, run_flask: Run, first: str) -> None:
        run_flask(f"""
{first}
{COMPARED}
import flask
assert [isinstance(flask.Flask("x"), each) for each in (App, Blueprint, Scaffold)] == [True, False, True]
assert [isinstance(flask.Blueprint("x", "x"), each) for each in (App, Blueprint, Scaffold)] == [False, True, True]
assert issubclass(flask.Flask, App) and not isinstance(app, flask.Flask)
assert App.__name__ == "App" and App.__module__ == "flask.sansio.app" and App.__doc__
""")

    def test_a_flask_application_works_beside(self, run_flask: Run) -> None:
        run_flask(
            """
import flask, quart
from flask.views import MethodView
app, blueprint = flask.Flask("x"), flask.Blueprint("b", "b")
blueprint.get("/")(lambda: flask.url_for("b.<lambda>"))
app.register_blueprint(blueprint, url_prefix="/b")
assert app.test_client().get("/b/").text == "/b/"
import importlib
assert importlib.reload(flask) is flask and flask.__spec__.loader.__class__.__module__ == "_frozen_importlib_external"
""",
            alias=True,
        )

    def test_classes_derived_from_a_name(self, run_flask: Run) -> None:
        """They are Flask's; also with an abstract class or a mixin beside."""
        run_flask(
            """
from abc import ABC
import flask, quart
from flask.sansio.scaffold import Scaffold
class Mixin(Scaffold, ABC):
    pass
class Own(Mixin, flask.Flask):
    pass
assert isinstance(Own("x"), (Mixin, flask.Flask)) and not isinstance(quart.Quart("x"), Mixin)
assert issubclass(Own, Mixin) and issubclass(Own, Scaffold) and not issubclass(quart.Quart, Mixin)
""",
            alias=True,
        )

    def test_uninstalled(self, run_flask: Run) -> None:
        run_flask("""
import flask.sansio.app
from quart_plug import compat
before = flask.sansio.app.App
compat.install_as_quart()
assert flask.sansio.app.App is not before
compat.uninstall_as_quart()
assert flask.sansio.app.App is before
compat.install_as_quart()
import quart
assert isinstance(quart.Quart("x"), flask.sansio.app.App)
""")

    def test_flask_imported_anew(self, run_flask: Run) -> None:
        run_flask(f"""
import sys, flask, quart_plug.as_quart
for name in [name for name in sys.modules if name.partition(".")[0] == "flask"]:
    del sys.modules[name]
{COMPARED}
""")


class TestWithoutFlask:
    @pytest.fixture
    def run_alone(self, without_quart: Path) -> Run:
        return partial(run, interpreter=without_quart, alias=True)

    def test_the_names_are_quart_plugs_classes(self, run_alone: Run) -> None:
        run_alone("""
from flask.sansio import app, blueprints, scaffold
import quart, quart.scaffold
assert (app.App, blueprints.Blueprint) == (quart.Quart, quart.Blueprint)
assert scaffold.Scaffold is quart.scaffold.Scaffold
""")

    def test_there_is_no_other_flask(self, run_alone: Run) -> None:
        """Who looks whether Flask is installed finds that it is not."""
        run_alone("""
from importlib.util import find_spec
import quart
assert find_spec("flask") is None
for statement in ("import flask", "from flask import Flask", "import flask.views", "import flask.sansio.app.nothing"):
    try:
        exec(statement)
    except ModuleNotFoundError:
        pass
    else:
        raise AssertionError(statement)
""")

    def test_another_name_says_what_is_there(self, run_alone: Run) -> None:
        said = run_alone("import flask.sansio.app; flask.Flask", check=False).stderr
        assert "module 'flask' has no attribute 'Flask': Flask is not installed" in said
        assert "flask.sansio.app, flask.sansio.blueprints, flask.sansio.scaffold only; pip install flask" in said
        said = run_alone("from flask.sansio.app import Flask", check=False).stderr
        assert "ImportError: cannot import name 'Flask' from 'flask.sansio.app'" in said

    def test_uninstalled(self, run_alone: Run) -> None:
        run_alone("""
import flask.sansio.app
from quart_plug import compat
compat.uninstall_as_quart()
import sys
assert not [name for name in sys.modules if name.partition(".")[0] == "flask"]
try:
    import flask.sansio.app
except ModuleNotFoundError:
    pass
else:
    raise AssertionError
""")
