"""`quart-plug` without its command line: what has to work when every plugin is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug.__main__ import main

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one, and an environment that says nothing about plugins."""
    monkeypatch.chdir(tmp_path)
    for name in ("QUART_PLUG_PLUGINS", "QUART_PLUG_DISABLE", "QUART_PLUG_SAFE_MODE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("name", "module text")` installs a distribution with one plugin."""
    site = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(str(site))

    def put(name: str, text: str) -> None:
        info = site / f"{name}_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[quart_plug.plugins]\n{name} = {name}_module\n")
        (site / f"{name}_module.py").write_text(text)

    return put


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["list", "--json"]) == 0
    return {plugin["name"]: plugin for plugin in json.loads(capsys.readouterr().out)["plugins"]}


def test_list_shows_every_plugin_with_its_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["Name", "Status", "Version", "Distribution", "Why"]
    row = next(line for line in out.splitlines() if line.startswith("cli "))
    assert "quart-plug" in row


def test_list_as_json_has_the_same_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    plugins = listed(capsys)
    assert {"cli", "debug", "hypercorn"} <= set(plugins)
    assert plugins["cli"]["distribution"] == "quart-plug"


def test_plugins_list_is_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list"]) == 0
    first = capsys.readouterr().out
    assert main(["list"]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit(3)", "def broken(:", "import nothing_like_this_module"])
def test_a_plugin_that_does_not_import_is_a_row(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    install("broken", text)
    monkeypatch.setenv("QUART_PLUG_PLUGINS", "broken")
    plugins = listed(capsys)
    assert plugins["broken"]["status"] in ("failed", "missing")
    assert plugins["broken"]["distribution"] == "broken-dist"
    assert plugins["cli"]["status"] == "active"


def test_doctor_says_everything_that_is_wrong(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken", "1 / 0")
    install("worse", "import nothing_like_this_module")
    monkeypatch.setenv("QUART_PLUG_PLUGINS", "broken,worse")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "broken (broken-dist 1.0) is failed" in lines[0] + lines[1]
    assert "nothing_like_this_module" in lines[0] + lines[1]


def test_doctor_names_a_misspelt_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("QUART_PLUG_DISABLE", "sesions")
    assert main(["plugins", "doctor"]) == 1
    out = capsys.readouterr().out
    assert "'sesions'" in out
    assert "did you mean 'sessions'?" in out


def test_doctor_is_content_when_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "Nothing is wrong" in capsys.readouterr().out


def test_disable_writes_the_projects_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / "pyproject.toml"
    path.write_text("[project]\nname = 'shop'  # kept\n")
    assert main(["disable", "sessions"]) == 0
    assert path.read_text() == ("[project]\nname = 'shop'  # kept\n\n[tool.quart-plug]\ndisable = [\"sessions\"]\n")
    capsys.readouterr()
    assert listed(capsys)["sessions"]["status"] == "disabled"
    assert main(["plugins", "disable", "sessions"]) == 0
    assert "already off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["disable", "sesions"], ["'sesions'", "did you mean 'sessions'?"]),
        (["disable"], ["NAME"]),
        (["disable", "sessions"], ["no pyproject.toml", "QUART_PLUG_DISABLE"]),
        (["plugins", "lst"], ["'lst'", "did you mean 'list'?", "doctor"]),
        (["plugins"], ["COMMAND"]),
        (["list", "--jsn"], ["--jsn"]),
    ],
    ids=" ".join,
)
def test_a_mistake_is_said(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert [word for word in words if word not in err] == []


def test_the_rest_needs_the_command_line_plugin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUART_PLUG_DISABLE", "cli")
    assert main(["routes"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, len(captured.err.splitlines())) == ("", 1)
    assert "'cli'" in captured.err
    assert "QUART_PLUG_DISABLE" in captured.err


def test_another_broken_plugin_does_not_break_the_command_line(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("broken", "1 / 0")
    monkeypatch.setenv("QUART_PLUG_PLUGINS", "broken")
    assert main(["version"]) == 0
    assert "quart-plug" in capsys.readouterr().out


def test_listing_imports_no_click() -> None:
    """A command line that is broken must not break what diagnoses it."""
    code = "import sys; sys.modules['click'] = None; from quart_plug.__main__ import main; "
    code += "sys.exit(main(['list']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "cli" in done.stdout) == (0, True), done.stderr
