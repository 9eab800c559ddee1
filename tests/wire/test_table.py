"""The page about servers says what the rows say, and each row is about something."""

from __future__ import annotations

from tests.wire import table
from tests.wire.launching import LAUNCHES, ROOT
from tests.wire.rows import GROUPS, OneOf
from tests.wire.statements import STATEMENTS


def test_the_page_is_up_to_date() -> None:
    written = table.PAGE.read_text(encoding="utf-8")
    assert written == table.page(), "run `python -m tests.wire.table`"


def test_each_row_is_tried() -> None:
    names = {launch.name for launch in LAUNCHES}
    for row in table.ROWS.values():
        assert row.group in GROUPS, f"{row.name} is in no group that is run"
        assert row.otherwise.keys() <= names, f"{row.name} names a launch that there is not"
        assert row.statement and "|" not in row.statement, row.name
    shown = [row.name for module in table.MODULES for row in table.rows_in(module)]
    assert shown == list(dict.fromkeys(shown)) and set(shown) == table.ROWS.keys()


def test_each_statement_is_shown() -> None:
    """By rows and tests that there are; and each row shows a statement."""
    shown: set[str] = set()
    for statement, places in ((s, p) for section in STATEMENTS.values() for s, p in section.items()):
        assert places, statement
        for place in places:
            path, _, test = place.partition("::")
            if path.startswith("row:"):
                assert path[4:] in table.ROWS, f"{statement}: {place}"
                shown.add(path[4:])
            else:
                assert (ROOT / path).exists(), f"{statement}: {place}"
                assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{statement}: {place}"
    assert shown == table.ROWS.keys()


def test_what_holds_instead_differs() -> None:
    """A cell that says something else than "yes" because of an observation; or it holds by other means."""
    for row in table.ROWS.values():
        for name, instead in row.otherwise.items():
            assert instead.words, f"{row.name} on {name}"
            holds = instead.observed == row.holds and not isinstance(instead.observed, OneOf)
            assert not holds or instead.words.startswith("yes"), f"{row.name} on {name}: it holds"
