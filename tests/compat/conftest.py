"""Programs in which `quart` may be quart-plug: each in a process of its own, in one of two environments."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import python, run

Run = Callable[..., Any]
@pytest.fixture(scope="session")
def without_quart() -> Path:
    """The Python that runs the tests; Quart and Flask are not installed there."""
    told = "import importlib.util, sys; print(*(importlib.util.find_spec(name) for name in ('quart', 'flask')))"
    assert run(told, interpreter=Path(sys.executable)).stdout == "None None\n"
    start = run("import _quart_plug_start", interpreter=Path(sys.executable), check=False)
    assert not start.returncode, "this environment is older than startup/: make it again with scripts/environment"
    return Path(sys.executable)


@pytest.fixture(scope="session")
def with_quart() -> Path:
    """The Python of the environment that has the real Quart and Flask."""
    return python()


@pytest.fixture(params=["with_quart", "without_quart"])
def run_here(request: pytest.FixtureRequest) -> Run:
    """`run` of tests/support/extensions.py, in each of the two environments."""
    return partial(run, interpreter=request.getfixturevalue(request.param))

