"""The browser of tests/browser, for the rows that need one."""

from __future__ import annotations

from tests.browser.conftest import browser, chromium

__all__ = ["browser", "chromium"]
