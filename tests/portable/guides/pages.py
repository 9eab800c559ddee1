"""The tables of the migration guides, and the functions that try their lines."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from .rows import Rows

DOCS = Path(__file__).parents[3] / "docs" / "how_to"
PAGES = {"from_flask": "moving_from_flask.md", "from_quart": "moving_from_quart.md"}

# The side that a column of a table tells of, by its heading.
SIDES = {"Flask": "there", "Quart": "there", "here": "here", "write": "here", "0.22": "here", "0.23": "here"}
SIDES |= {"Quart's way": "restored"}


def lines(guide: str) -> list[tuple[list[str], list[str]]]:
    """Each line of the page's tables: the headings, the cells."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / PAGES[guide]).read_text(encoding="utf-8"), flags=re.M | re.S)
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in table.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), f"a line of the table {rows[0]} has too many cells"
        found += [(rows[0], row) for row in rows[2:]]
    return found


def rows(guide: str) -> Rows:
    found: Rows = import_module(f"{__package__}.{guide}").row
    return found
