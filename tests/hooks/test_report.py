"""A report is data: complete, and ready for JSON."""

from __future__ import annotations

import json

import pytest

from quart_plug.hooks.relations import API_VERSION
from quart_plug.hooks.report import PluginReport, Report

SHADOWED = PluginReport("json", "shadowed", "why", "fast", "2", "fast_json")
ACTIVE = PluginReport(
    "json", "active", "", "quart-plug", "1", "quart_plug_json", ("json_provider",), True, ("core",)
)


def test_report_survives_json() -> None:
    report = Report((ACTIVE,), ("a problem",))
    assert (
        json.loads(json.dumps(report.to_json()))
        == report.to_json()
        == {
            "api": API_VERSION,
            "problems": ["a problem"],
            "conflicts": [],
            "plugins": [
                {
                    "name": "json",
                    "status": "active",
                    "reason": "",
                    "distribution": "quart-plug",
                    "version": "1",
                    "value": "quart_plug_json",
                    "hooks": ["json_provider"],
                    "first_party": True,
                    "requested_by": ["core"],
                }
            ],
        }
    )


def test_report_is_a_collection_by_name() -> None:
    report = Report((SHADOWED, ACTIVE))
    assert (list(report), len(report), report["json"]) == ([SHADOWED, ACTIVE], 2, ACTIVE)
    assert Report((SHADOWED,))["json"] is SHADOWED
    with pytest.raises(KeyError):
        report["absent"]
