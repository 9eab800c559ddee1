"""`pytest -p quart_plug.as_quart`: a test suite written for Quart runs on quart-plug."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import run

SUITE = """
import subprocess, sys
import quart

def test_it():
    assert quart.Quart.__module__ == "quart_plug.app"

def test_a_program_that_a_test_starts():
    who = [sys.executable, "-c", "import quart; print(quart.Quart.__module__)"]
    assert subprocess.run(who, capture_output=True, text=True).stdout == "quart_plug.app\\n"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Any]:
    """Runs a suite of two tests in a folder with these files."""

    def run_suite(interpreter: Path, *arguments: str, **files: str) -> Any:
        (tmp_path / "test_suite.py").write_text(SUITE)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        without = ("no:cacheprovider", "no:asyncio", "no:dash")  # what extensions bring for pytest, too
        command = ["-W", "error", "-m", "pytest", "-q", *(f"-p{each}" for each in without), *arguments]
        return run(command, cwd=tmp_path, interpreter=interpreter, check=False)

    return run_suite


@pytest.fixture(params=["with_quart", "without_quart"])
def interpreter(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_as_an_option(suite: Callable[..., Any], interpreter: Path) -> None:
    done = suite(interpreter, "-p", "quart_plug.as_quart")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_in_the_configuration(suite: Callable[..., Any], interpreter: Path) -> None:
    done = suite(interpreter, pytest__ini="[pytest]\naddopts = -p quart_plug.as_quart\n")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_in_a_conftest(suite: Callable[..., Any], interpreter: Path) -> None:
    done = suite(interpreter, conftest__py='pytest_plugins = ["quart_plug.as_quart"]\n')
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_in_several_processes(suite: Callable[..., Any], without_quart: Path) -> None:
    done = suite(without_quart, "-n", "2", "-p", "quart_plug.as_quart")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_without_it(suite: Callable[..., Any], with_quart: Path) -> None:
    assert "2 failed" in suite(with_quart).stdout


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["-p", "early", "-p", "quart_plug.as_quart"], {"early__py": "import quart\n"}),
        ([], {"conftest__py": 'import quart\npytest_plugins = ["quart_plug.as_quart"]\n'}),
    ],
    ids=["another plugin", "the conftest"],
)
def test_too_late(
    suite: Callable[..., Any], with_quart: Path, arguments: list[str], files: dict[str, str], tmp_path: Path
) -> None:
    """One message that says who was earlier; no test is run."""
    done = suite(with_quart, *arguments, **files)
    said = done.stdout + done.stderr
    assert done.returncode == 4, said
    name = next(iter(files)).replace("__", ".")
    assert "quart-plug cannot be `quart` any more" in said
    assert f"({tmp_path / name})" in said
    assert "passed" not in said and "INTERNALERROR" not in said
