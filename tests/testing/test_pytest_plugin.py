"""The fixture `plug` in other people's suites: it is there, it is light, and it gets on with their plugins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUITE = '''
import asyncio, os

import pytest

from quart_plug.testing import Plug


@pytest.fixture
async def client(plug):
    plug()
    async with plug.serving() as client:
        yield client


async def test_an_async_fixture_around_it(client):
    assert (await client.get("/")).status_code == 404


def test_settings_of_the_test_itself_are_no_leaks(monkeypatch, plug):
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setitem(__import__("sys").modules, "mine", None)
    plug()


def test_settings_of_the_test_itself_in_the_other_order(plug, monkeypatch):
    monkeypatch.setenv("MINE", "1")
    plug()


def test_one_that_leaks(plug):
    plug()
    os.environ["LEFT_BEHIND"] = "1"


def test_one_that_fails_and_leaks(plug):
    plug()
    os.environ["LEFT_BY_A_FAILURE"] = "1"
    raise LookupError("its own error")


async def test_a_task_in_a_request(plug):
    app = plug()

    @app.get("/")
    async def index():
        app.kept = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
        return "started"

    await app.test_client().get("/")


async def test_a_task_that_ends_with_the_test(plug):
    plug()
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    task.cancel()
'''


INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"


def run(folder: Path, *arguments: str, **files: str) -> str:
    for name, text in ({"pytest__ini": INI} | files).items():
        (folder / name.replace("__", ".")).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize(("mode", "processes"), [("auto", "2"), ("strict", "0")])
def test_a_suite_that_uses_it(tmp_path: Path, mode: str, processes: str) -> None:
    """With asyncio in either mode, in random order, in one process and in several."""
    suite = SUITE
    if mode == "strict":
        suite = suite.replace("@pytest.fixture\nasync", "@pytest_asyncio.fixture\nasync")
        suite = suite.replace("async def test", "@pytest.mark.asyncio\nasync def test")
        suite = suite.replace("import pytest\n", "import pytest\nimport pytest_asyncio\n", 1)
    said = run(tmp_path, "-n", processes, test_it__py=suite, pytest__ini=INI.replace("auto", mode))
    assert "1 failed, 6 passed, 2 errors" in said, said
    assert "the environment variable LEFT_BEHIND was changed" in said
    assert "its own error" in said
    assert "LEFT_BY_A_FAILURE was changed" not in said
    assert "the task 'forgotten' is running, suspended at " in said
    assert "test_one_that_leaks" in said and "test_a_task_in_a_request" in said
    assert "INTERNALERROR" not in said


LIGHT = '''
import sys

def test_nothing_of_it_is_imported():
    assert "_quart_plug_pytest" in sys.modules
    assert not [name for name in sys.modules if name.partition(".")[0] in ("quart_plug", "click", "jinja2", "werkzeug")]
'''


def test_it_is_light(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, test_it__py=LIGHT)


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    said = run(tmp_path, "-p", "no:quart-plug", test_it__py="def test_it(plug): ...")
    assert "fixture 'plug' not found" in said


OWN = """
import pytest

@pytest.fixture
def plug():
    return "mine"

def test_it(plug):
    assert plug == "mine"
"""


def test_a_fixture_of_the_same_name_wins(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, test_it__py=OWN)
