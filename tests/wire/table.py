"""All rows, and the page docs/reference/servers.md, which is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.wire import (
    rows_browser,
    rows_closing,
    rows_draining,
    rows_examples,
    rows_handshake,
    rows_limits,
    rows_memory,
    rows_messages,
    rows_origins,
)
from tests.wire.launching import LAUNCHES, OWN, Launch
from tests.wire.rows import ROWS, Row, rows_of

__all__ = ["MODULES", "PAGE", "ROWS", "page", "rows_of"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "servers.md"

# In the page's order, with the title of each section.
MODULES = {
    rows_handshake: "Handshake",
    rows_messages: "Messages",
    rows_closing: "Ends",
    rows_limits: "Limits",
    rows_memory: "Memory",
    rows_draining: "Draining",
    rows_origins: "Origins",
    rows_browser: "In a browser",
    rows_examples: "Examples",
}

VERSIONS = "hypercorn 0.18, uvicorn 0.54, granian 2.8"  # with which what is not "yes" was last looked at

HEAD = """\
<!-- Made by `python -m tests.wire.table` from the rows of tests/wire. Change those, not this page. -->

# Servers

What holds for a websocket on which server, with `quart-plug run --server NAME` and with the server's own command
({own}).
Each cell is tried by a test on the wire, with clients by hand, the library `websockets` and Chromium: "yes" where the
row holds as it stands, else what holds instead. A dash: left to the server, and not tried.

Looked at with {versions}. The rows about limits set them by the
[application's settings](websocket.md#limits); with a server's own command its own settings count where a cell names
one. The rows that only the framework decides (`receive_json`, states, hooks, …) are the same everywhere.
"""


def rows_in(module: object) -> list[Row]:
    return [row for row in ROWS.values() if row.observe.__module__ == getattr(module, "__name__", "")]


def lines_of(rows: list[Row], launches: list[Launch]) -> Iterator[str]:
    for row in rows:
        yield " | ".join([f"| {row.statement}", *(row.cell(launch) for launch in launches)]) + " |"


def page() -> str:
    parts = [HEAD.format(own=", ".join(f"`{launch.command}`" for launch in OWN), versions=VERSIONS)]
    for module, title in MODULES.items():
        parts.append(f"\n## {title}\n\n")
        heads = [f"`{launch.short}`" for launch in LAUNCHES]
        parts.append("| | " + " | ".join(heads) + " |\n|" + " --- |" * (len(heads) + 1) + "\n")
        parts.extend(f"{line}\n" for line in lines_of(rows_in(module), LAUNCHES))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
