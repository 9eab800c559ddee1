"""pytest beside the wheel of quart-plug: what people meet who did not ask for its plugin of pytest's."""

from __future__ import annotations

from pathlib import Path

from tests.support.environments import ROOT, Environment, home

SUITE = """
def test_of_somebody(): ...

def test_with_it(plug):
    assert plug().hooks.is_active("json")
"""


def run(environment: Environment, code: str) -> str:
    environment.write("test_it.py", SUITE)
    environment.write("pytest.ini", "[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    main = "import pytest; raise SystemExit(pytest.main(['-q', '-W', 'error', '-p', 'no:cacheprovider']))"
    testing = str(home() / "testing")
    done = environment.run("-W", "error", "-c", f"{code}; {main}", PYTHONPATH=testing)
    return done.stdout


def top_modules() -> list[str]:
    """The modules of the distribution that others import."""
    plugins = [path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")]
    return ["quart_plug", *sorted(plugins), *(path.stem for path in sorted(Path(ROOT / "startup").glob("*.py")))]


def test_nothing_is_said_of_modules_that_were_imported_before_it(environment: Environment) -> None:
    """pytest rewrites the modules of distributions with plugins of its own, and warns of those that are there."""
    said = run(environment, f"import {', '.join(name for name in top_modules() if 'pytest' not in name)}")
    assert "2 passed" in said, said


def test_also_as_quart(environment: Environment) -> None:
    said = run(environment, "import os; os.environ['QUART_PLUG_AS_QUART'] = '1'; import quart_plug, quart")
    assert "2 passed" in said, said
