"""What holds for every source file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("quart_plug/**/*.py"), *ROOT.glob("plugins/**/*.py"), *ROOT.glob("startup/*.py")])
LONGEST = 420  # "about 400"


PAGES = sorted(path for kind in ("js", "css", "html") for path in ROOT.glob(f"plugins/**/*.{kind}"))


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_into_a_head(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= LONGEST, (
        f"{path.relative_to(ROOT)} has {lines} lines; find the second thing that it is about"
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path.relative_to(ROOT)} has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_ignore_has_its_reason(path: Path) -> None:
    """`# type: ignore[code]` and `# noqa: CODE` name what they ignore."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        assert "# type: ignore" not in line.replace("# type: ignore[", ""), f"{path}:{number}"
        assert "# noqa" not in line.replace("# noqa: ", ""), f"{path}:{number}"
