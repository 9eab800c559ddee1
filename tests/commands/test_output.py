"""Tables and prose, wide and narrow, with colours and without."""

from __future__ import annotations

import io

import pytest

from quart_plug.commands.output import Screen, table

ROWS = [("long name", "because"), ("b", "")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_is_as_wide_as_its_widest_entries() -> None:
    assert table(("A", "Why"), ROWS) == "A          Why\n---------  ---\nlong name  because\nb"


def test_the_last_column_is_wrapped_below_itself() -> None:
    rows = [("name", "a reason that has too many words for one line")]
    assert table(("Name", "Why"), rows, 34).splitlines() == [
        "Name  Why",
        "----  ---",
        "name  a reason that has too many",
        "      words for one line",
    ]


def test_where_there_is_no_room_prose_has_lines_of_its_own() -> None:
    rows = [("a long name", "a reason with words, too many of them"), ("short", "core")]
    assert table(("Name", "Why"), rows, 30).splitlines() == [
        "Name         Why",
        "-----------  ---",
        "a long name",
        "    a reason with words, too",
        "    many of them",
        "short        core",
    ]


def test_a_path_is_never_broken() -> None:
    path = "/a/very/long/path/that/is/not-broken/anywhere.py:123"
    assert path in table(("Name", "Where"), [("x", f"in {path}")], 30).splitlines()[-1]


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_wide_is_what_the_terminal_or_columns_says(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    screen = Screen(stream)
    screen.table(("Name", "Why"), [("name", "word " * 40)])
    screen.prose("word " * 40, "  ")
    assert max(map(len, stream.getvalue().splitlines())) <= columns


def test_in_a_pipe_a_row_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = io.StringIO()
    Screen(stream).table(("Name", "Why"), [("name", "word " * 40)])
    assert len(stream.getvalue().splitlines()) == 3


@pytest.mark.parametrize(
    ("terminal", "environment", "colours"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], colours: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    screen = Screen(stream)
    screen.table(("Name", "Status", "Why"), [("a", "failed", "it failed")], {"failed": "red"})
    assert ("\x1b[31mfailed\x1b[0m" in stream.getvalue()) is colours
    assert ("\x1b[" in stream.getvalue()) is colours


def test_colours_move_nothing() -> None:
    """What stands behind a coloured word stands where it stood."""
    import re

    plain, coloured = io.StringIO(), Terminal()
    rows = [("a", "failed", "it failed"), ("long", "active", "")]
    Screen(plain).table(("Name", "Status", "Why"), rows, {"failed": "red", "active": "green"})
    screen = Screen(coloured)
    screen.width = None
    screen.table(("Name", "Status", "Why"), rows, {"failed": "red", "active": "green"})
    assert re.sub(r"\x1b\[\d+m", "", coloured.getvalue()) == plain.getvalue()
