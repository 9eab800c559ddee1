"""No line of the migration guides is untried: tests/portable/guides has a function for each, with the line's code."""

from __future__ import annotations

import re

import pytest

from tests.portable.guides.pages import PAGES, SIDES, lines, rows


def bare(code: str) -> str:
    """Without what formatting may change."""
    return re.sub(r"\s+|,(?=\s*[)\]}])", "", code)


@pytest.mark.parametrize("guide", PAGES)
def test_each_line_has_its_function_and_each_function_its_line(guide: str) -> None:
    assert sorted(cells[0] for _, cells in lines(guide)) == sorted(rows(guide))


@pytest.mark.parametrize("guide", PAGES)
def test_the_functions_try_the_code_of_the_lines(guide: str) -> None:
    missing = []
    for headings, cells in lines(guide):
        line = rows(guide)[cells[0]]
        for heading, cell in zip(headings, cells, strict=True):
            side = SIDES.get(heading)
            if side in line.functions:
                source = bare(line.source(side))
                parts = [part for span in re.findall(r"`([^`]+)`", cell) for part in span.split("…")]
                missing += [(line.name, side, part) for part in parts if bare(part.strip(", ")) not in source]
            elif side == "restored":
                assert "`" not in cell, f"{cells[0]}: nobody tries {cell}"
    assert not missing, "\n".join(map(str, missing))
