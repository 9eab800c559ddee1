"""An extension that cannot work on quart-plug says so when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
TRY = """
import importlib.util
found = importlib.util.find_spec("quart_trio")
try:
    import quart_trio.app
except ImportError as error:
    print(found is not None, error.name, str(error))
else:
    print("imported")
"""


@pytest.fixture
def told(run_here: Run, tmp_path: Path) -> Callable[..., str]:
    def tell(*, installed: bool, alias: bool) -> str:
        if installed:
            (tmp_path / "quart_trio").mkdir()
            (tmp_path / "quart_trio" / "__init__.py").write_text("")
            (tmp_path / "quart_trio" / "app.py").write_text("")
        done = run_here(TRY, alias=alias, environment={"PYTHONPATH": str(tmp_path)})
        return str(done.stdout).strip()

    return tell


def test_quart_trio_says_why(told: Callable[..., str]) -> None:
    text = told(installed=True, alias=True)
    assert text.startswith("True quart_trio quart_trio does not work with quart-plug under Quart's name: ")
    assert "trio's event loop" in text
    assert "asyncio" in text


def test_without_the_alias_it_is_imported(told: Callable[..., str]) -> None:
    assert told(installed=True, alias=False) == "imported"


def test_it_is_missed_where_it_is_not_installed(told: Callable[..., str]) -> None:
    assert told(installed=False, alias=True) == "False quart_trio No module named 'quart_trio'"
