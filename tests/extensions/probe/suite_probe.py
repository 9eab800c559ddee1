"""A plugin of pytest's for an extension's own test suite: writes what passed, and which Quart that was, as JSON.

    python -m pytest -p suite_probe        with SUITE_PROBE=FILE in the environment
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish() -> None:
    import quart

    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    told = {
        "passed": sorted(test for test, outcome in outcomes.items() if outcome == "passed"),
        "not passed": {test: outcome for test, outcome in outcomes.items() if outcome != "passed"},
        "quart": quart.Quart.__module__,
        "files of the real quart": sorted(file for file in files if file and Path(file).parent.name == "quart"),
    }
    Path(os.environ["SUITE_PROBE"]).write_text(json.dumps(told), encoding="utf-8")
