"""The reference of the JSON forms has every field, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli_json.md").read_text(encoding="utf-8")

PLUGIN = """
from dataclasses import dataclass
from quart_plug import hookimpl

__quart_plug__ = {
    "requires": ["json"], "before": ["x"], "after": ["x"], "conflicts": ["y"], "provides": ["z"], "api": "1",
}

@dataclass
class Config:
    limit: int = 1

@hookimpl
def configuration_schema(app):
    return Config

@hookimpl
def cli_commands(app):
    import click
    return [click.Command("sweep")]

@hookimpl
def setup(app):
    app.add_url_rule("/salons", "salons", lambda: "salons")
"""


@pytest.fixture(autouse=True)
def app(project: Path, install: Callable[..., None]) -> None:
    install("salons", PLUGIN)
    (project / "pyproject.toml").write_text("")
    (project / "app.py").write_text("from quart_plug import Quart\napp = Quart(__name__, plugins=['salons'])\n")


def section(title: str) -> str:
    found = re.search(rf"^## [^\n]*`{re.escape(title)}`[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found is not None, f"the page has no section {title!r}"
    return found[1]


def tables(title: str) -> list[dict[str, list[str]]]:
    """For each table the fields, with the names that the text about each puts into code."""
    found = []
    for table in re.findall(r"(?:^\|[^\n]*\n)+", section(title), re.M):
        rows = [line.strip("|\n ").split(" | ", 1) for line in table.splitlines()[2:]]
        found.append(
            {name: re.findall(r"`(\w+)`", text) for names, text in rows for name in re.findall(r"`(\w+)`", names)}
        )
    return found


def test_list(run_json: Any) -> None:
    found = run_json("plugins", "list", "--app", "app")
    whole, plugin = tables("plugins list")
    assert set(found) == set(whole)
    assert set(found["plugins"][0]) == set(plugin)
    assert set(found["application"]) == {"import", "error"}


def test_show(run_json: Any) -> None:
    found = run_json("plugins", "show", "salons", "--app", "app")
    (fields,) = tables("plugins show")
    assert set(found) == set(fields)
    assert set(found["relations"]) == set(fields["relations"])
    for name in ("hooks", "configuration", "routes", "commands"):
        assert found[name], name
        assert set(found[name][0]) == set(fields[name]), name


def test_hooks(run_json: Any) -> None:
    (fields,) = tables("plugins hooks")
    hook = run_json("plugins", "hooks", "json_provider")
    assert set(hook) == set(fields)
    assert set(hook["implementations"][0]) == set(fields["implementations"])
    assert set(run_json("plugins", "hooks")) == {"hooks"}


def test_doctor(run_json: Any) -> None:
    (fields,) = tables("plugins doctor")
    found = run_json("plugins", "doctor", "--app", "nowhere", status=1)
    assert set(found) == set(fields)
    assert set(found["faults"][0]) == {"plugin", "kind", "text"} < set(fields["faults"])


@pytest.mark.parametrize(("command", "name"), [("enable", "salons"), ("disable", "salons"), ("new", "halls")])
def test_what_writes(run_json: Any, command: str, name: str) -> None:
    (fields,) = tables(f"plugins {command}")
    assert set(run_json("plugins", command, name)) == set(fields)


def test_trace(run_json: Any) -> None:
    (fields,) = tables("plugins trace")
    found = run_json("plugins", "trace", "/salons")
    assert set(found) == set(fields)
    assert {*found["requests"][0], *found["requests"][0]["runs"][0]} == set(fields["requests"])
    times = re.search(r"^Times are objects with (.*)$", section("plugins trace"), re.M)
    assert times is not None
    assert set(found["start_up"][0]) == set(re.findall(r"`(\w+)`", times[1]))


def test_routes(run_json: Any) -> None:
    assert set(run_json("routes")[0]) == set(re.findall(r"`(\w+)`", section("routes")))


def test_version(run_json: Any) -> None:
    assert {"Python", "quart-plug"} <= set(run_json("version"))


def test_every_command_that_has_json_has_a_section() -> None:
    from quart_plug.commands import COMMANDS

    for name in COMMANDS:
        assert section(f"plugins {name}")
