"""Tables, colours and JSON on a terminal, in a pipe, and where it is narrow.

Must not know: plugins.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

COLOURS = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33}
LEAST_PROSE = 24  # columns below which prose gets lines of its own


class Screen:
    """Where a command writes.

    width    in columns; None where lines may be as long as they want, in a pipe or a file.
    colours  whether the terminal may be sent colours: not with NO_COLOR in the environment (https://no-color.org).
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream = sys.stdout if stream is None else stream
        is_terminal = stream.isatty()
        said = os.environ.get("COLUMNS", "")
        known = is_terminal or (said.isdecimal() and int(said) > 0)
        self.width: int | None = shutil.get_terminal_size().columns if known else None
        self.colours = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def styled(self, text: str, style: str) -> str:
        if not self.colours or not style or not text.strip():
            return text
        bare = text.rstrip()
        return f"\x1b[{COLOURS[style]}m{bare}\x1b[0m{text[len(bare) :]}"

    def print(self, text: str = "") -> None:
        print(text, file=self.stream)

    def prose(self, text: str, indent: str = "") -> None:
        """Text, wrapped to the width; a blank line stays a blank line."""
        for paragraph in text.split("\n\n"):
            lines = self.wrapped(" ".join(paragraph.split()), indent)
            self.print("\n".join(lines))

    def wrapped(self, text: str, indent: str = "", used: int = 0) -> list[str]:
        """The lines of a text, each after the first with the indent; `used` columns of the first are taken."""
        if self.width is None:
            return [" " * used + ("" if used else indent) + text]
        width = max(self.width, len(indent) + LEAST_PROSE)
        first = "" if used else indent
        # Long words are left whole: a path that is broken cannot be copied.
        return textwrap.wrap(
            text, width, initial_indent=" " * used + first, subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False, drop_whitespace=True,
        ) or [first]  # fmt: skip

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], styles: dict[str, str] | None = None) -> None:
        """Columns as wide as their widest entry; the last one is prose and is wrapped.

        styles  the colour of each entry of the second column.
        """
        lines = [tuple(row) for row in rows]
        second = max(len(row[0]) for row in (head, *lines)) + 2
        for number, line in enumerate(laid_out(head, lines, self.width)):
            self.print(self.styled(line, "bold") if number == 0 else self._with_style(line, second, styles or {}))

    def _with_style(self, line: str, start: int, styles: dict[str, str]) -> str:
        """The line with the word that begins at `start` in its colour."""
        word = line[start:].partition(" ")[0]
        if line.startswith(" ") or word not in styles:
            return line
        return line[:start] + self.styled(word, styles[word]) + line[start + len(word) :]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None) -> str:
    """Columns as wide as their widest entry, with a line below the head; the last one is wrapped to the width."""
    return "\n".join(laid_out(head, [tuple(row) for row in rows], width))


def laid_out(head: Sequence[str], rows: Sequence[tuple[str, ...]], width: int | None) -> list[str]:
    lines = [tuple(head), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    # The last column is prose, and a rule as long as a sentence would help nobody.
    lines.insert(1, tuple("-" * size for size in [*widths[:-1], len(head[-1])]))
    left = sum(widths[:-1]) + 2 * len(widths[:-1])
    fits = width is None or left + widths[-1] <= width
    found: list[str] = []
    for number, line in enumerate(lines):
        start = "".join(entry.ljust(size) + "  " for entry, size in zip(line[:-1], widths, strict=False))
        if width is None or fits or number < 2 or left + len(line[-1]) <= width:
            found.append((start + line[-1]).rstrip())
            continue
        room = width - left
        if room >= LEAST_PROSE:
            parts = _wrap(line[-1], room)
            found.append((start + parts[0]).rstrip())
            found += [" " * left + part for part in parts[1:]]
        else:
            found.append(start.rstrip())
            found += ["    " + part for part in _wrap(line[-1], max(width - 4, LEAST_PROSE)) if part]
    return found


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))
