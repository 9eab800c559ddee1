"""`enable` and `disable` write pyproject.toml, and import nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BEFORE = "[project]\nname = 'shop'  # kept\n"


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "pyproject.toml"
    path.write_text(BEFORE)
    return path


@pytest.fixture
def salons(install: Callable[..., None]) -> None:
    """An installed plugin that nothing may import."""
    install("salons", "1 / 0")


def test_disable_and_enable_of_a_core_plugin(file: Path, run: Any, run_json: Any) -> None:
    status, out, _ = run("plugins", "disable", "sessions")
    assert (status, "sessions is now off" in out, str(file) in out) == (0, True, True)
    assert file.read_text() == BEFORE + '\n[tool.quart-plug]\ndisable = ["sessions"]\n'
    assert "already off" in run("disable", "sessions")[1]
    plugins = {plugin["name"]: plugin["status"] for plugin in run_json("list")["plugins"]}
    assert plugins["sessions"] == "disabled"
    assert "sessions is now on" in run("plugins", "enable", "sessions")[1]
    assert file.read_text() == BEFORE + "\n[tool.quart-plug]\ndisable = []\n"
    assert "sessions is already on" in run("plugins", "enable", "sessions")[1]


def test_enable_and_disable_of_another_plugin(file: Path, salons: None, run_json: Any) -> None:
    found = run_json("plugins", "enable", "salons")
    assert found == {
        "name": "salons",
        "file": str(file),
        "changed": True,
        "enabled": True,
        "reason": f"plugins of [tool.quart-plug] in {file}",
    }
    assert file.read_text() == BEFORE + '\n[tool.quart-plug]\nplugins = ["salons"]\n'
    assert run_json("plugins", "enable", "salons")["changed"] is False
    assert run_json("plugins", "disable", "salons")["enabled"] is False
    assert run_json("plugins", "disable", "salons")["changed"] is False
    assert file.read_text() == BEFORE + '\n[tool.quart-plug]\ndisable = ["salons"]\nplugins = ["salons"]\n'
    assert run_json("plugins", "enable", "salons")["enabled"] is True
    assert file.read_text() == BEFORE + '\n[tool.quart-plug]\ndisable = []\nplugins = ["salons"]\n'


def test_a_plugin_has_its_place_at_the_end(file: Path, salons: None, run: Any) -> None:
    file.write_text('[tool.quart-plug]\nplugins = [\n  "a",  # first\n  "b",\n]\n')
    run("plugins", "enable", "salons")
    assert file.read_text() == '[tool.quart-plug]\nplugins = [\n  "a",  # first\n  "b",\n  "salons",\n]\n'


@pytest.mark.parametrize("spelling", ["salons-dist:salons", "salons_module"])
def test_other_spellings_of_a_name_are_the_same_plugin(file: Path, salons: None, run_json: Any, spelling: str) -> None:
    file.write_text(f'[tool.quart-plug]\nplugins = ["{spelling}"]\ndisable = ["{spelling}"]\n')
    assert run_json("plugins", "disable", "salons")["changed"] is False
    assert run_json("plugins", "enable", "salons")["enabled"] is True
    assert file.read_text() == f'[tool.quart-plug]\nplugins = ["{spelling}"]\ndisable = []\n'


def test_a_stronger_place_is_said(file: Path, salons: None, run: Any) -> None:
    os.environ["QUART_PLUG_DISABLE"] = "salons"
    assert "But it stays off: disabled by environment QUART_PLUG_DISABLE" in run("plugins", "enable", "salons")[1]
    os.environ["QUART_PLUG_PLUGINS"] = os.environ.pop("QUART_PLUG_DISABLE")
    assert "But it stays on: environment QUART_PLUG_PLUGINS" in run("plugins", "disable", "salons")[1]


def test_a_plugin_of_the_project(file: Path, project: Path, run_json: Any) -> None:
    (project / "shop").mkdir()
    (project / "shop" / "__init__.py").write_text("1 / 0")
    (project / "shop" / "audit.py").write_text("class Audit: ...\n")
    assert run_json("plugins", "enable", "shop.audit:Audit")["enabled"] is True
    assert run_json("plugins", "enable", "shop.audit")["enabled"] is True
    assert 'plugins = ["shop.audit:Audit", "shop.audit"]' in file.read_text()
    assert run_json("plugins", "disable", "shop.audit")["enabled"] is False


def test_a_plugin_that_is_gone_can_be_turned_off(file: Path, run_json: Any) -> None:
    file.write_text('[tool.quart-plug]\nplugins = ["gone", "json"]\ndisable = ["gone"]\n')
    assert run_json("plugins", "disable", "gone")["changed"] is True
    assert file.read_text() == '[tool.quart-plug]\nplugins = ["json"]\ndisable = []\n'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sesions", ["'sesions'", "did you mean 'sessions'?"]),
        ("nothing.like.this", ["there is no module 'nothing.like.this'"]),
        ("shop:Audti", ["has no 'Audti'", "did you mean 'Audit'?"]),
        ("shpo:Audit", ["no module 'shpo'", "did you mean 'shop'?"]),
        ("not a name:", ["neither an installed plugin nor an import string"]),
        ("salons", ["several distributions", "'one-salons:salons'", "'two-salons:salons'"]),
    ],
)
@pytest.mark.parametrize("command", ["enable", "disable"])
def test_a_name_that_nothing_has(
    file: Path, project: Path, install: Any, run: Any, command: str, name: str, words: list[str]
) -> None:
    install("salons", "", "one-salons", "one_salons")
    install("salons", "", "two-salons", "two_salons")
    (project / "shop.py").write_text("class Audit: ...\n")
    status, out, err = run("plugins", command, name)
    assert (status, out, [word for word in words if word not in err]) == (2, "", []), err
    assert file.read_text() == BEFORE


def test_one_of_two_is_chosen_by_its_distribution(file: Path, install: Any, run_json: Any) -> None:
    install("salons", "", "one-salons", "one_salons")
    install("salons", "", "two-salons", "two_salons")
    assert run_json("plugins", "enable", "two-salons:salons")["enabled"] is True
    assert 'plugins = ["two-salons:salons"]' in file.read_text()


def test_without_a_project_file_it_is_said_what_to_do(run: Any) -> None:
    status, _, err = run("plugins", "enable", "sessions")
    assert (status, "no pyproject.toml" in err, "QUART_PLUG_PLUGINS" in err) == (2, True, True)
