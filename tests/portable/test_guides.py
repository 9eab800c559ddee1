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

PAGES = {"from_flask": "moving_from_flask.md", "from_quart": "moving_from_quart.md"}

# The side that a column of a table tells of, by its heading.
SIDES = {"Flask": "there", "Quart": "there", "here": "here", "write": "here", "0.22": "here", "0.23": "here"}
SIDES |= {"Quart's way": "restored"}

# How the sides of a guide are run: variables, and whether `quart` is the alias.
ALIAS = "alias"
RUNS: dict[str, dict[str, tuple[dict[str, str], bool]]] = {
    "from_flask": {"there": ({}, False), "here": ({}, False)},
    "from_quart": {
        "there": ({"GUIDES_PACKAGE": "quart"}, False),
        "here": ({"GUIDES_PACKAGE": "quart_plug"}, False),
        "restored": ({"GUIDES_PACKAGE": "quart_plug"}, False),
        ALIAS: ({"GUIDES_PACKAGE": "quart"}, True),
    },
}


def lines(guide: str) -> list[tuple[list[str], list[str]]]:
    """Each line of the page's tables: the headings, the cells."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / PAGES[guide]).read_text(encoding="utf-8"), flags=re.M | re.S)
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in table.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), f"a line of the table {rows[0]} has too many cells"
        found += [(rows[0], row) for row in rows[2:]]
    return found


def rows(guide: str) -> Any:
    return import_module(f"tests.portable.guides.{guide}").row


@cache
def saw(guide: str, side: str) -> dict[str, Any]:
    """What the functions of a side saw; AssertionError when one failed."""
    variables, alias = RUNS[guide][side]
    arguments = ["-W", "ignore", "-m", f"guides.{guide}", "here" if side == ALIAS else side]
    told: dict[str, Any] = json.loads(run(arguments, cwd=HERE, alias=alias, environment=variables).stdout)
    failed = [f"{name}, {side}:\n{result['failed']}" for name, result in told.items() if "failed" in result]
    assert not failed, "\n".join(failed)
    return {name: result["saw"] for name, result in told.items()}


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


@pytest.mark.parametrize("guide", PAGES)
def test_the_lines_are_true(guide: str) -> None:
    with ThreadPoolExecutor() as all_of_them:
        sides = dict(zip(RUNS[guide], all_of_them.map(lambda side: saw(guide, side), RUNS[guide]), strict=True))
    there, here, restored = sides["there"], sides["here"], sides.get("restored", {})
    wrong = []
    for headings, cells in lines(guide):
        name = cells[0]
        expected = rows(guide)[name].expected
        want_here = expected.get("here", there.get(name, here[name]))
        wrong += [(name, "here", here[name], want_here)] if here[name] != want_here else []
        if name in there and there[name] != expected.get("there", here[name]):
            wrong.append((name, "there", there[name], expected.get("there", here[name])))
        if name in restored and restored[name] != there[name]:
            wrong.append((name, "restored", restored[name], there[name]))
        if ALIAS in sides:
            # Under the alias a line is Quart's where its last cell says so, else as without it.
            want = there[name] if "Quart's way" in headings and "alias" in cells[-1] else here[name]
            wrong += [(name, ALIAS, sides[ALIAS][name], want)] if sides[ALIAS][name] != want else []
    assert not wrong, "\n".join(f"{name}, {side}: {found!r}, and not {want!r}" for name, side, found, want in wrong)
