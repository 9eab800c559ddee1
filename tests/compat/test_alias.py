"""`quart` is quart-plug, whichever way the alias was turned on, with the real Quart installed and without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import run

Run = Callable[..., Any]
HOW = {
    "the variable": ({"QUART_PLUG_AS_QUART": "1"}, ""),
    "the function": ({}, "import quart_plug; quart_plug.install_as_quart()\n"),
    "an import": ({}, "import quart_plug.as_quart\n"),
}

EVERY_MODULE = """
import importlib, pkgutil, sys
import quart_plug
names = [
    module.name for module in pkgutil.walk_packages(quart_plug.__path__, "quart_plug.", onerror=lambda name: None)
    if not module.name.startswith("quart_plug.mypy_plugin")  # mypy's own, which is not there at run time
]
import quart
assert quart is quart_plug
for name in names:
    if not name.endswith(("__main__", "as_quart")):
        alias = importlib.import_module(name.replace("quart_plug", "quart", 1))
        assert alias is sys.modules[name] and alias.__name__ == alias.__spec__.name == name, name
        assert alias.__loader__.__class__.__module__.startswith("_frozen_importlib"), name
"""

IMPORTS = """
import quart.json.tag
from quart import Quart, json, testing
from quart.testing.client import QuartClient
import quart.wrappers.response as response
import quart_plug
from quart_plug.testing.client import QuartClient as OwnClient
assert quart.json is json and quart.json.tag.__name__ == "quart_plug.json.tag"
assert response.Response is quart_plug.Response and quart.Quart is Quart is quart_plug.Quart
assert QuartClient is OwnClient and isinstance(quart_plug.Quart("x").test_client(), QuartClient)
"""

RELOADED = """
import importlib, quart
before = quart.Quart, quart.app
assert importlib.reload(quart) is quart and (quart.Quart, quart.app) == before
assert importlib.reload(importlib.import_module("quart.views")).__name__ == "quart_plug.views"
"""

PICKLED = """
import pickle, quart
assert pickle.loads(pickle.dumps(quart.Quart)) is quart.Quart
assert pickle.loads(b"cquart.wrappers.response\\nResponse\\n.") is quart.Response  # as the real Quart's are pickled
"""

VERSIONS = """
from importlib.metadata import distribution, entry_points, version
import importlib_metadata
assert version("quart") == version("Quart") == importlib_metadata.version("quart") == "0.22.0"
assert version("quart-plug") != "0.22.0"
assert distribution("quart").requires == ["quart-plug"]
assert distribution("quart").locate_file("quart_plug").is_dir()
assert [point.name for point in entry_points(group="console_scripts") if point.name == "quart-plug"]
"""

MISSING = """
from importlib.util import find_spec
assert find_spec("quart.nothing") is None
try:
    import quart.nothing
except ModuleNotFoundError as error:
    assert error.name == "quart.nothing"
try:
    from quart import nothing
except ImportError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError
"""

FOUND = """
from importlib.util import find_spec
spec = find_spec("quart.wrappers")
assert spec.origin.endswith("__init__.py") and "quart_plug" in spec.origin and spec.submodule_search_locations
assert find_spec("quart").has_location
import importlib.resources, inspect, quart
assert (importlib.resources.files("quart") / "py.typed").is_file()
assert "composes" in inspect.getsource(quart.app)
"""

AGAIN = """
import sys, quart_plug, quart
before = list(sys.meta_path)
quart_plug.install_as_quart()
quart_plug.install_as_quart()
assert sys.meta_path == before
"""

SNIPPETS = {
    "imports": IMPORTS,
    "every module": EVERY_MODULE,
    "pickled": PICKLED,
    "versions": VERSIONS,
    "missing": MISSING,
    "found": FOUND,
    "again": AGAIN,
    "reloaded": RELOADED,
}
ONE_BY_ONE = """
import json, traceback
faults = {}
for name, code in json.loads(%r).items():
    try:
        exec(compile(code, name, "exec"), {})
    except BaseException:
        faults[name] = traceback.format_exc()
print(json.dumps(faults))
"""


@cache
def faults(interpreter: Path, how: str) -> dict[str, str]:
    """What fails of the snippets, run in one process."""
    environment, first = HOW[how]
    code = first + ONE_BY_ONE % json.dumps(SNIPPETS)
    found: dict[str, str] = json.loads(run(code, environment=environment, interpreter=interpreter).stdout)
    return found


@pytest.mark.parametrize("snippet", SNIPPETS)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("environment", ["with_quart", "without_quart"])
def test_quart_is_quart_plug(request: pytest.FixtureRequest, environment: str, how: str, snippet: str) -> None:
    told = faults(request.getfixturevalue(environment), how).get(snippet)
    assert told is None, told


def test_threads_that_import_quart_at_once(with_quart: Path) -> None:
    """The first import turns the alias on; the others, in other threads, wait for that."""
    code = """
import threading
names = ["quart", "quart.json", "flask", "quart.testing.client", "quart.views", "quart.app", "flask.sansio.app"]
barrier, found = threading.Barrier(len(names)), {}
def load(name):
    barrier.wait()
    found[name] = __import__(name, fromlist=["x"]).__name__
threads = [threading.Thread(target=load, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert found == {name: name.replace("quart", "quart_plug") for name in names}, found
"""
    run(code, alias=True, interpreter=with_quart)


def test_the_variable_costs_nothing_before_the_first_import(run_here: Run) -> None:
    """Every Python of the environment starts with it: pip, linters, an editor's helpers."""
    code = "import sys; assert not {'quart_plug', 'typing', 'werkzeug'} & set(sys.modules), sys.modules"
    run_here(["-c", code], alias=True)


@pytest.mark.parametrize("environment", [{}, {"QUART_PLUG_AS_QUART": ""}, {"QUART_PLUG_AS_QUART": "0"}])
def test_without_the_variable_nothing_is_imported(run_here: Run, environment: dict[str, str]) -> None:
    run_here("import sys; assert '_quart_plug_start' not in sys.modules", environment=environment)


@pytest.mark.parametrize("value", ["0", "false", "No", "off"])
def test_a_variable_that_says_no(with_quart: Path, value: str) -> None:
    code = "import quart; assert quart.Quart.__module__ == 'quart.app'"
    run(code, environment={"QUART_PLUG_AS_QUART": value}, interpreter=with_quart)


@pytest.mark.parametrize("name", ["quart", "quart_plug"])
def test_a_variable_that_says_neither_yes_nor_no(run_here: Run, name: str) -> None:
    done = run_here(f"import {name}", environment={"QUART_PLUG_AS_QUART": "maybe"}, check=False)
    assert done.returncode == 1
    assert "QUART_PLUG_AS_QUART is 'maybe' in the environment; it has to be 1 or 0" in done.stderr


def test_the_variable_works_where_no_pth_file_is_read(with_quart: Path) -> None:
    """As with PYTHONPATH, or in a zipped application: then the import of quart_plug turns the alias on."""
    code = "import sys; del sys.meta_path[0]; import quart_plug, quart; assert quart is quart_plug"
    run(code, alias=True, interpreter=with_quart)


def test_python_m_quart(run_here: Run) -> None:
    done = run_here(["-W", "error", "-m", "quart", "--version"], alias=True)
    assert "quart-plug 0." in done.stdout


def test_too_late(with_quart: Path, tmp_path: Path) -> None:
    """It says which Quart, who has imported it, and what to do."""
    (tmp_path / "shop.py").write_text("from quart import Blueprint\n")
    code = "import shop, quart_plug; quart_plug.install_as_quart()"
    done = run(code, cwd=tmp_path, interpreter=with_quart, check=False)
    said = done.stderr.splitlines()[-1]
    assert "RuntimeError: quart-plug cannot be `quart` any more: the real Quart (" in said
    assert f"is already imported, by shop ({tmp_path / 'shop.py'}). " in said
    for cure in ("at the top of the first module", "QUART_PLUG_AS_QUART=1", "--as-quart run", "-p quart_plug.as_quart"):
        assert cure in said


def test_too_late_names_the_program_itself(with_quart: Path, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import quart\nimport quart_plug.as_quart\n")
    done = run(["main.py"], cwd=tmp_path, interpreter=with_quart, check=False)
    assert f"by __main__ ({tmp_path / 'main.py'}). " in done.stderr.splitlines()[-1]


def test_uninstalled(run_here: Run, with_quart: Path) -> None:
    """The next import is of an installed Quart; without one it fails."""
    code = """
from importlib.util import find_spec
from quart_plug import compat
compat.uninstall_as_quart()
compat.install_as_quart()
import quart, quart.json
compat.uninstall_as_quart()
compat.uninstall_as_quart()
assert not compat.alias_is_active()
try:
    import quart
except ModuleNotFoundError:
    assert find_spec("quart") is None
else:
    assert quart.Quart.__module__ == "quart.app"
compat.install_as_quart() if find_spec("quart") is None else None
"""
    run_here(code)


def test_both_in_one_process(with_quart: Path) -> None:
    """Code that has imported the real Quart keeps it."""
    code = """
import quart, sys
real = quart.Quart
for name in [name for name in sys.modules if name.partition(".")[0] == "quart"]:
    del sys.modules[name]
import quart_plug
quart_plug.install_as_quart()
import quart
assert quart.Quart is quart_plug.Quart is not real
assert not isinstance(real("x"), quart.Quart)
"""
    run(code, interpreter=with_quart)
