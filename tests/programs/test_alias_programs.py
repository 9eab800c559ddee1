"""Every way of starting an application that imports from `quart`, with QUART_PLUG_AS_QUART=1 or --as-quart.

Quart is not installed where these run.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs.conftest import Program

Start = Callable[..., Program]
Write = Callable[[str, str], Path]
ON = {"QUART_PLUG_AS_QUART": "1"}

APP = """
from importlib.metadata import version

from quart import Quart

app = Quart(__name__)


@app.get("/")
async def index():
    return f"{Quart.__module__} {version('quart')}"


if __name__ == "__main__":
    app.run(port=0)
"""


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as response:
        text: str = response.read().decode()
        return text


@pytest.mark.parametrize(
    ("command", "environment"),
    [
        (["-m", "quart_plug", "--as-quart", "run", "--port", "0"], {}),
        (["-m", "quart_plug", "run", "--port", "0"], ON),
        (["-m", "quart", "run", "--port", "0"], ON),
        (["app.py"], ON),
        (["-m", "app"], ON),
        (["-m", "hypercorn", "app:app", "--bind", "127.0.0.1:0"], ON),
        (["-m", "hypercorn", "app:app", "--bind", "127.0.0.1:0", "--workers", "2"], ON),
    ],
    ids=lambda value: " ".join(value),
)
def test_an_application_of_quarts(
    start: Start, write: Write, command: list[str], environment: dict[str, str]
) -> None:
    write("app.py", APP)
    program = start(command=command, **environment)
    assert fetch(program.port()) == "quart_plug.app 0.22.0"
    program.stop()


def test_the_reloaders_child_is_quart_plug_too(start: Start, write: Write) -> None:
    write("app.py", APP)
    program = start("--as-quart", "run", "--port", "0", "--reload")
    assert fetch(program.port()) == "quart_plug.app 0.22.0"
    program.stop()


def test_a_variable_in_a_file(start: Start, write: Write) -> None:
    """`.env` is read by python-dotenv; here by a module with the two functions of it that are used."""
    write(
        "dotenv.py",
        """
import os
from pathlib import Path

def find_dotenv(name, usecwd):
    return name if Path(name).is_file() else ""

def load_dotenv(path, encoding):
    os.environ.update(line.split("=") for line in Path(path).read_text().split())
    return True
""",
    )
    write("app.py", APP)
    write(".env", "QUART_PLUG_AS_QUART=1\n")
    assert start("routes").wait()[0] == 0
    write(".env", "QUART_PLUG_AS_QUART=perhaps\n")
    status, output = start("routes").wait()
    assert (status, len(output.splitlines())) == (1, 1)
    assert "Error: QUART_PLUG_AS_QUART is 'perhaps' in the environment; it has to be 1 or 0" in output


def test_without_it_there_is_no_quart(start: Start, write: Write) -> None:
    write("app.py", APP)
    status, output = start(command=["app.py"]).wait()
    assert status == 1
    assert "No module named 'quart'" in output


def test_too_late_on_the_command_line(start: Start, write: Write) -> None:
    """A plugin of the project's has imported the real Quart: one message, no traceback."""
    write("quart/__init__.py", "class Quart: ...\n")
    plugin = "import quart\nfrom quart_plug import hookimpl\n\n@hookimpl\ndef setup(app): ...\n"
    write("shop_plugin.py", plugin)
    write("pyproject.toml", '[tool.quart-plug]\nplugins = ["shop_plugin"]\n')
    status, output = start("--as-quart", "routes").wait()
    assert status == 1
    assert len(output.splitlines()) == 1
    assert "Error: quart-plug cannot be `quart` any more: the real Quart (" in output
    assert "by shop_plugin (" in output
