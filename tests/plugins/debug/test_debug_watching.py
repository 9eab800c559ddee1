"""Which files the reloader watches, and what counts as a change."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quart_plug_debug import reloader
from quart_plug_debug.reloader import (
    CHILD,
    can_restart,
    changed_file,
    is_child,
    run_with_reloader,
    watched_files,
)


def test_imported_modules_are_watched() -> None:
    assert reloader.__file__ in watched_files()


def test_python_files_of_a_folder_are_watched_but_not_what_is_not_the_projects(tmp_path: Path) -> None:
    for name in ("app.py", "inner/views.py", "note.txt", ".git/hook.py", "__pycache__/x.py", "env/lib/x.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    mine = {os.path.relpath(path, tmp_path) for path in watched_files([str(tmp_path)]) if str(tmp_path) in path}
    assert mine == {"app.py", os.path.join("inner", "views.py")}


def test_a_huge_folder_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloader, "MAX_FOLDERS", 3)
    for index in range(9):
        (tmp_path / f"f{index}").mkdir()
        (tmp_path / f"f{index}" / "x.py").touch()
    assert sum(str(tmp_path) in path for path in watched_files([str(tmp_path)])) == 2


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        ({"a": 1.0}, {"a": 1.0}, None),
        ({"a": 1.0}, {"a": 2.0}, "a"),
        ({"a": 2.0}, {"a": 1.0}, "a"),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, "b"),
        ({"a": 1.0, "b": 1.0}, {"a": 1.0}, "b"),
    ],
    ids=["same", "newer", "older, as after a checkout", "new", "gone"],
)
def test_what_is_a_change(before: dict[str, float], now: dict[str, float], changed: str | None) -> None:
    assert changed_file(before, now) == changed


def test_a_program_typed_into_a_prompt_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHILD, raising=False)
    monkeypatch.setattr(sys, "orig_argv", ["python"])
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    ran: list[bool] = []
    assert (is_child(), can_restart()) == (False, False)
    run_with_reloader(lambda: ran.append(True))
    assert ran == [True]


@pytest.mark.parametrize("command", [["python", "-c", "…"], ["python", "-X", "dev", "-c", "…"]])
def test_a_program_on_the_command_line_can_be_started_again(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(sys, "orig_argv", command)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert can_restart() is True
