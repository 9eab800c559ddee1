"""Extensions used as their documentation shows, by the programs in programs/, with quart-plug under Quart's name.

Each program is a file of tests about one extension. It was right on the real Quart first (`run_program` with
`alias=False` shows it), knows nothing of quart-plug, and runs in a process of its own in the environment of
scripts/extensions. docs/reference/extensions.md is the table of all that were tried.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.extensions import ROOT, run

PROGRAMS = Path(__file__).parent / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("with_*.py"))
TABLE = ROOT / "docs" / "reference" / "extensions.md"


def run_program(path: Path, *, alias: bool = True) -> subprocess.CompletedProcess[str]:
    where = ["-p", "quart_plug.as_quart"] if alias else []
    return run(["-m", "pytest", "-q", "-c", PROGRAMS / "pytest.ini", *where, path], cwd=PROGRAMS, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_program(name: str) -> None:
    done = run_program(PROGRAMS / f"{name}.py")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
