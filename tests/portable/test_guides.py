"""Each line of the migration guides was tried: a function has the line's code, and does what the line says."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.extensions import run

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "how_to"

# A guide; the module that tries its lines; the side that each of a line's cells belongs to.
GUIDES = {
    "from_flask": ("moving_from_flask.md", ("there", "here")),
}


def lines(guide: str) -> list[list[str]]:
    """The cells of each line of the page's tables, without the headings."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / GUIDES[guide][0]).read_text(encoding="utf-8"), flags=re.M | re.S)
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in table.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), f"a line of the table {rows[0]} has too many cells"
        found += rows[2:]
    return found


def rows(guide: str) -> Any:
    return import_module(f"tests.portable.guides.{guide}").row


@cache
def saw(guide: str, side: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(["-m", f"guides.{guide}", side], cwd=HERE).stdout)
    return found


def bare(code: str) -> str:
    """Without what formatting may change."""
    return re.sub(r"\s+|,(?=\s*[)\]}])", "", code)


@pytest.mark.parametrize("guide", GUIDES)
def test_each_line_has_its_function_and_each_function_its_line(guide: str) -> None:
    assert sorted(cells[0] for cells in lines(guide)) == sorted(rows(guide))


@pytest.mark.parametrize("guide", GUIDES)
def test_the_functions_try_the_code_of_the_lines(guide: str) -> None:
    missing = []
    for cells in lines(guide):
        line = rows(guide)[cells[0]]
        for side, cell in zip(GUIDES[guide][1], cells, strict=False):
            if side in line.functions:
                source = bare(line.source(side))
                spans = re.findall(r"`([^`]+)`", cell)
                parts = [part for span in spans for part in re.split("…", span)]
                missing += [(line.name, side, part) for part in parts if bare(part.strip(", ")) not in source]
    assert not missing, "\n".join(map(str, missing))


@pytest.mark.parametrize("guide", GUIDES)
def test_both_sides_come_to_the_same(guide: str) -> None:
    with ThreadPoolExecutor() as both:
        there, here = both.map(lambda side: saw(guide, side), ["there", "here"])
    failed = {name: result for result_of in (there, here) for name, result in result_of.items() if "failed" in result}
    assert not failed, "\n".join(f"{name}\n{result['failed']}" for name, result in failed.items())
    assert {name: (there[name]["saw"], here[name]["saw"]) for name in there if there[name] != here[name]} == {}
    assert set(here) == set(rows(guide))
