"""Each row of the table, on each server, by each command that starts it.

The rows of a group run at the same time against one process, since most of them wait. A failure names the rows.
WIRE_ROWS="reset cut" runs these alone.
"""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.browser.cdp import Browser
from tests.wire import table
from tests.wire.launching import LAUNCHES, Launch
from tests.wire.rows import STAGES, Group, Wire, all_tried

CHOSEN = os.environ.get("WIRE_ROWS", "").split()
each_launch = pytest.mark.parametrize("launch", LAUNCHES, ids=lambda launch: launch.name)


def of_browser(browser: bool) -> pytest.MarkDecorator:
    stages = [stage for stage in STAGES if stage[0].browser == browser]
    return pytest.mark.parametrize("stage", stages, ids=lambda stage: "-".join(group.name for group in stage))


async def failures(launch: Launch, group: Group, browser: Browser | None = None) -> list[Exception]:
    """The rows of a group that are not as the table has them, with what their server wrote."""
    rows = [row for row in table.rows_of(group, launch) if not CHOSEN or row.name in CHOSEN]
    if not rows:
        return []
    options = group.options.get(launch.name, ())
    with await asyncio.to_thread(launch.start, dict(group.settings), app=group.app, options=options) as server:
        page = None if browser is None else await (await browser.user()).open(server.url())
        if errors := await all_tried(rows, Wire(server, page)):
            return [ExceptionGroup(f"{launch.command}; it wrote:\n{server.output[-4000:]}", errors)]
    return []


async def try_stage(launch: Launch, stage: list[Group], browser: Browser | None = None) -> None:
    found = await asyncio.gather(*(failures(launch, group, browser) for group in stage))
    if errors := [error for errors in found for error in errors]:
        raise ExceptionGroup(launch.name, errors)


@each_launch
@of_browser(False)
async def test_what_holds(launch: Launch, stage: list[Group]) -> None:
    await try_stage(launch, stage)


@each_launch
@of_browser(True)
async def test_what_holds_in_a_browser(launch: Launch, stage: list[Group], browser: Browser) -> None:
    await try_stage(launch, stage, browser)
