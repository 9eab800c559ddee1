"""One Chromium for the tests of a module; each test has its own connection to it, and users without cookies."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.browser.cdp import Browser, find_chromium, launched


@pytest.fixture(scope="module")
def chromium() -> Iterator[str]:
    """The address of a browser's debugging websocket. Without Chromium: a failure in CI, a plain word elsewhere."""
    program = find_chromium()
    if program is None:
        message = "chromium is not installed: the browser tests were not run"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with launched(program) as address:
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with Browser.at(chromium) as connected:
        yield connected
        assert connected.script_errors == []
