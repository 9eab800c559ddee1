"""A clean environment for each test: quart-plug from its wheel, and nothing else until the test adds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import Environment, home


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(home() / "clean" / "bin" / "python", tmp_path)
