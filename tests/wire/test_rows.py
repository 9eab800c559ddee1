"""Each row of the table, on each server, by each command that starts it.

The rows of a group run at the same time against one process, since most of them wait. A failure names the rows.
WIRE_ROWS="reset cut" runs these alone.
"""

from __future__ import annotations

import os

import pytest

from tests.wire import rows_closing, rows_draining, rows_handshake, rows_limits, rows_memory, rows_messages
from tests.wire.launching import LAUNCHES, Launch
from tests.wire.rows import GROUPS, ROWS, Group, Wire, all_tried, rows_of

assert (
    rows_draining and rows_handshake and rows_messages and rows_closing and rows_limits and rows_memory
)  # imported for the rows that they enter
CHOSEN = os.environ.get("WIRE_ROWS", "").split() or list(ROWS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@pytest.mark.parametrize("launch", LAUNCHES, ids=lambda launch: launch.name)
async def test_what_holds(launch: Launch, group: Group) -> None:
    rows = [row for row in rows_of(group, launch) if row.name in CHOSEN]
    if not rows:
        return
    with launch.start(dict(group.settings), options=group.options.get(launch.name, ())) as server:
        if errors := await all_tried(rows, Wire(server)):
            raise ExceptionGroup(f"{launch.command}; it wrote:\n{server.output[-4000:]}", errors)
