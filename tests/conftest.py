"""What holds for every test."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

# In CI the examples are the same in every run: a failure there is the change's. Elsewhere each run looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
os.environ.pop("COLUMNS", None)  # where it is set (pytest-xdist does so), commands wrap what they print

settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a test has recorded as its "summary" is printed, also when the test passed, in whichever process."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = sorted({text for report in reports for name, text in report.user_properties if name == "summary"})
    if lines:
        terminalreporter.section("summaries")
        for line in lines:
            terminalreporter.write_line(line)
