"""The reloader, with real processes and real edits."""

from __future__ import annotations

import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

APP = """
from quart_plug import Quart
import words

app = Quart(__name__)

@app.get("/")
async def index():
    return words.WORD
"""
RUN = "\nif __name__ == '__main__':\n    app.run(port=0)\n"

Start = Callable[..., Any]
Write = Callable[[str, str], Path]


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("files", "launch"),
    [
        ({"script.py": APP + RUN}, lambda start: start(command=["script.py"])),
        (
            {"site/__main__.py": APP + RUN, "site/__init__.py": ""},
            lambda start: start(command=["-m", "site_"]),
        ),
        ({"app.py": APP}, lambda start: start("--debug", "run", "--port", "0")),
        ({"app.py": APP}, lambda start: start("run", "--port", "0", "--reload")),
        ({"app.py": APP}, lambda start: start("run", "--port", "0", "--reload", "--server", "uvicorn")),
        ({"app.py": APP}, lambda start: start("run", "--port", "0", "--reload", "--server", "granian")),
    ],
    ids=["script", "-m", "quart-plug --debug run", "quart-plug run --reload", "uvicorn", "granian"],
)
def test_a_change_is_served(start: Start, write: Write, files: dict[str, str], launch: Any) -> None:
    """Whatever way the program was started, an edited module it imports takes effect."""
    for name, text in files.items():
        write(name.replace("site/", "site_/"), text)
    write("words.py", "WORD = 'one'\n")
    program = launch(start)
    assert fetch(program.port()) == "one"
    write("words.py", "WORD = 'two'\n")
    program.wait_for(r"Restarting: .*words\.py has changed")
    assert fetch(program.port()) == "two"
    status, output = program.stop()
    assert (status, "Traceback" in output) == (0, False), output


@pytest.mark.parametrize("through_cli", [True, False], ids=["quart-plug run", "script"])
def test_a_syntax_error_is_survived(start: Start, write: Write, through_cli: bool) -> None:
    """The traceback is shown; the next edit brings the app back."""
    write("app.py", APP + RUN)
    write("words.py", "WORD = 'one'\n")
    program = start("--debug", "run", "--port", "0") if through_cli else start(command=["app.py"])
    program.port()
    write("words.py", "WORD = (\n")
    program.wait_for("SyntaxError")
    write("words.py", "WORD = 'back'\n")
    assert fetch(program.port()) == "back"
    assert program.stop()[0] == 0


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("app.py", ["app.py"]),
        ("site_/__main__.py", ["-m", "site_"]),
        ("site_/__init__.py", ["-m", "site_"]),
        ("site_/web.py", ["-m", "site_.web"]),
    ],
    ids=["script", "-m package", "-m package, its __init__.py", "-m package.module"],
)
def test_a_syntax_error_in_the_program_itself_is_survived(
    start: Start, write: Write, file: str, command: list[str]
) -> None:
    """None of our code runs in that child: the parent alone has to know what to do."""
    for name in ("site_/__init__.py", "words.py"):
        write(name, "WORD = 'one'\n")
    for name in ("app.py", "site_/__main__.py", "site_/web.py"):
        write(name, APP + RUN)
    program = start(command=command)
    program.port()
    write(file, "def broken(:\n")
    program.wait_for("SyntaxError")
    program.wait_for("waiting for a change")
    write(file, "# mended\n" if file.endswith("__init__.py") else APP.replace("words.WORD", "'back'") + RUN)
    assert fetch(program.port()) == ("one" if file.endswith("__init__.py") else "back")
    assert program.stop()[0] == 0


def test_a_program_goes_on_behind_its_server(start: Start, write: Write) -> None:
    """Once, in the process that has served, and its error is the program's."""
    write("app.py", APP + RUN + "    print('put away', flush=True)\n    raise SystemExit(int(words.WORD))\n")
    for status in (0, 5):
        write("words.py", f"WORD = '{status}'\n")
        program = start(command=["app.py"])
        program.port()
        ended, output = program.stop()
        assert (ended, output.count("put away")) == (status, 1), output


def test_a_failing_start_up_is_survived(start: Start, write: Write) -> None:
    failing = "\n@app.before_serving\nasync def fail():\n    raise LookupError('no database')\n"
    write("words.py", "WORD = 'one'\n")
    write("app.py", APP + failing)
    program = start("--debug", "run", "--port", "0")
    program.wait_for("no database")
    program.wait_for("ApplicationStartError")
    write("app.py", APP)
    assert fetch(program.port()) == "one"
    assert program.stop()[0] == 0


def test_the_apps_shutdown_runs_before_a_restart(start: Start, write: Write) -> None:
    write("words.py", "WORD = 'one'\n")
    write("app.py", APP + "\n@app.after_serving\nasync def end():\n    print('put away', flush=True)\n")
    program = start("--debug", "run", "--port", "0")
    program.port()
    write("words.py", "WORD = 'two'\n")
    program.wait_for("Restarting")
    program.wait_for("put away")
    program.port()
    assert program.stop()[0] == 0


@pytest.mark.parametrize("arguments", [("--debug", "run"), ("run",)], ids=["reloader", "no reloader"])
def test_ctrl_c_in_a_terminal_is_one_request_to_finish(start: Start, write: Write, arguments: tuple[str, ...]) -> None:
    """It reaches parent and child; passed on as well it would be a second one, which stops at once."""
    write("words.py", "WORD = 'one'\n")
    write(
        "app.py",
        APP + "\nimport asyncio\n@app.after_serving\nasync def end():\n"
        "    await asyncio.sleep(0.3)\n    print('put away', flush=True)\n",
    )
    program = start(*arguments, "--port", "0", terminal=True)
    program.port()
    program.press_ctrl_c()
    program.wait_for("put away")
    status, output = program.wait()
    assert (status, "Traceback" in output) == (0, False), output


def test_the_child_ends_when_its_parent_is_killed(start: Start, write: Write) -> None:
    write("words.py", "WORD = 'one'\n")
    write("app.py", APP + "\n@app.after_serving\nasync def end():\n    print('put away', flush=True)\n")
    program = start("--debug", "run", "--port", "0")
    program.port()
    program.send(signal.SIGKILL)
    program.wait_for("put away")
