"""Each line of the migration guides is true: its functions see what the line says, on both sides.

That each line has functions is looked at in tests/project/test_guides.py.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.portable.guides.pages import PAGES, lines, rows
from tests.support.extensions import run

HERE = Path(__file__).parent

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


@cache
def saw(guide: str, side: str) -> dict[str, Any]:
    """What the functions of a side saw; AssertionError when one failed."""
    variables, alias = RUNS[guide][side]
    arguments = ["-W", "ignore", "-m", f"guides.{guide}", "here" if side == ALIAS else side]
    told: dict[str, Any] = json.loads(run(arguments, cwd=HERE, alias=alias, environment=variables).stdout)
    failed = [f"{name}, {side}:\n{result['failed']}" for name, result in told.items() if "failed" in result]
    assert not failed, "\n".join(failed)
    return {name: result["saw"] for name, result in told.items()}


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
