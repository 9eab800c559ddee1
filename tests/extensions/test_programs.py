"""Extensions used as their documentation shows, by the programs in programs/, with quart-plug under Quart's name.

Each program is a file of tests about one extension. It was right on the real Quart first (`run_program` with
`alias=False` shows it), knows nothing of quart-plug, and runs in a process of its own in the environment of
scripts/extensions. docs/reference/extensions.md is the table of all that were tried.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.extensions import ROOT, run

PROGRAMS = Path(__file__).parent / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("with_*.py"))
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
TABLE = ROOT / "docs" / "reference" / "extensions.md"
NEEDED = {"hypercorn"}  # works, and comes with Quart and quart-plug


def run_program(path: Path, *, alias: bool = True) -> subprocess.CompletedProcess[str]:
    plugins = ["-p", "pytest_asyncio.plugin", *(["-p", "quart_plug.as_quart"] if alias else [])]
    return run(
        ["-m", "pytest", "-q", "-c", PROGRAMS / "pytest.ini", *plugins, path],
        cwd=PROGRAMS,
        environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # extensions bring plugins, which take most of the time
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_program(name: str) -> None:
    done = run_program(PROGRAMS / f"{name}.py")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_a_program_can_fail(tmp_path: Path) -> None:
    """The exit status is looked at, and `quart` in a program is quart-plug."""
    program = tmp_path / "with_nothing.py"
    program.write_text("import quart\n\n\nasync def test_whose():\n    assert quart.Quart.__module__ == 'quart.app'\n")
    done = run_program(program)
    assert done.returncode == 1
    assert "'quart_plug.app' == 'quart.app'" in done.stdout
    assert run_program(program, alias=False).returncode == 0


ROW = re.compile(r"^\| (?P<name>[a-z][\w-]*) \| (?P<version>\d[\w.]*) \| .* \| (?P<result>[^|]+) \|$", re.M)
PIN = re.compile(r"^(?P<name>[\w-]+)(?:\[[\w,]+\])?==(?P<version>[\w.]+)", re.M)


def test_the_table_tells_what_is_tried() -> None:
    """Each extension that works is pinned, in the version of its row; the rows are in order."""
    rows = {row["name"]: row for row in ROW.finditer(TABLE.read_text(encoding="utf-8"))}
    pins = {pin["name"]: pin["version"] for pin in PIN.finditer(REQUIREMENTS.read_text(encoding="utf-8"))}
    works = {name for name, row in rows.items() if row["result"] == "works"}
    assert works - NEEDED <= set(pins)
    assert {name: rows[name]["version"] for name in works - NEEDED} == {name: pins[name] for name in works - NEEDED}
    assert list(rows) == sorted(rows)
