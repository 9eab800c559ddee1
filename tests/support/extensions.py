"""The environment with the real Quart and published extensions (scripts/extensions): run a program in it, either way.

    run("import quart; print(quart.Quart.__module__)")                 the real Quart's
    run("import quart; print(quart.Quart.__module__)", alias=True)     quart-plug's, in the same environment
    run(["-m", "pytest", "tests"], alias=True, cwd=folder)

`make test` makes the environment before the tests start; a test that finds none makes it, and others wait for that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHIVES = ROOT / ".envs" / "archives"  # source archives of extensions, once python() was called
LIMIT = 120.0  # seconds for a program
MAKING = 600.0  # seconds for the environment, which is downloaded


@cache
def _made(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / script]
    return subprocess.run(command, capture_output=True, text=True, timeout=MAKING, check=False)


def made_by(script: str, what: str) -> Path:
    """The path of the environment that a script makes. Where it cannot: a failure in CI, a plain word elsewhere."""
    made = _made(script)
    if made.returncode:
        not_run(f"{what} could not be made:\n{made.stderr}")
    return Path(made.stdout.strip())


def python() -> Path:
    """The environment's Python."""
    return made_by("extensions", "the environment with the real Quart and extensions")


def not_run(reason: str) -> None:
    """The network was needed and is not there: in CI the test fails, elsewhere it says that it was not run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"not run: {reason}")


def run(
    code: str | Sequence[str | Path],
    *,
    alias: bool = False,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    check: bool = True,
    interpreter: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run Python code, or Python with these arguments, in the environment.

    alias        whether `quart` is quart-plug, by QUART_PLUG_AS_QUART=1; else it is the real Quart.
    cwd          the folder it runs in; by default the current one.
    environment  variables beside the current ones, of which those that begin with QUART are left out.
    interpreter  another environment's Python.
    check        whether another exit status than 0 is an AssertionError, with the output.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("QUART", "PYTEST", "COV_"))}
    clean |= {**({"QUART_PLUG_AS_QUART": "1"} if alias else {}), **(environment or {})}
    arguments = ["-c", code] if isinstance(code, str) else list(code)
    done = subprocess.run(
        [interpreter or python(), *arguments],
        cwd=cwd,
        env=clean,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"python {' '.join(map(str, arguments))}\nended with status {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done
