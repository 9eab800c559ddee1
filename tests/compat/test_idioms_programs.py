"""How applications and libraries for Quart really use it: the programs in idioms/ pass on Quart, and on quart-plug.

Each program is a file of tests that knows nothing of quart-plug: habits that were seen in programs out there (what they
subclass, replace, patch in their tests, keep on the app, import from where), in code of our own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.extensions import run

PROGRAMS = Path(__file__).parent / "idioms"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alias", [False, True], ids=["quart", "quart-plug"])
def test_idioms(name: str, alias: bool) -> None:
    where = ["-p", "quart_plug.as_quart"] if alias else []
    done = run(
        ["-m", "pytest", "-q", "-c", PROGRAMS / "pytest.ini", *where, PROGRAMS / f"{name}.py"],
        cwd=PROGRAMS,
        check=False,
        interpreter=Path(sys.executable) if alias else None,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
