"""Editing pyproject.toml: the list is changed, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.commands.project_file import ProjectFile, ProjectFileError, project_file

HEAD = "[tool.quart-plug]\n"


def edited(path: Path, action: str, item: str = "x") -> bool:
    file = ProjectFile(path)
    changed = file.add("disable", item) if action == "add" else file.remove("disable", item)
    file.write()
    return changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[tool.quart-plug]\ndisable = ["x"]\n'),
        ("[project]\n", '[project]\n\n[tool.quart-plug]\ndisable = ["x"]\n'),
        ("[project]", '[project]\n\n[tool.quart-plug]\ndisable = ["x"]\n'),
        ("[tool.quart-plug]", '[tool.quart-plug]\ndisable = ["x"]\n'),
        (
            "[tool.quart-plug] # ours\nautoload = true\n",
            '[tool.quart-plug] # ours\ndisable = ["x"]\nautoload = true\n',
        ),
        (HEAD + "disable = []\n", HEAD + 'disable = ["x"]\n'),
        (HEAD + "disable = [\n  # none\n]\n", HEAD + 'disable = [\n  # none\n    "x",\n]\n'),
        ('[tool."quart-plug"]\ndisable = ["a"] # b\n', '[tool."quart-plug"]\ndisable = ["a", "x"] # b\n'),
        (HEAD + "disable = ['a',]\n", HEAD + "disable = ['a', \"x\",]\n"),
        (
            HEAD + 'disable = [\n  # why\n  "a",\n]\n[a]\nb = 1\n',
            HEAD + 'disable = [\n  # why\n  "a",\n  "x",\n]\n[a]\nb = 1\n',
        ),
        (
            HEAD + 'disable = [\n\t"a"  # because\n]\n',
            HEAD + 'disable = [\n\t"a",  # because\n\t"x"\n]\n',
        ),
        (HEAD + 'disable = [\n  "a"]\n', HEAD + 'disable = [\n  "a",\n  "x"]\n'),
        (
            "[tool.quart-plug]\r\nplugins = ['p']\r\n[other]\r\ndisable = ['no']\r\n",
            "[tool.quart-plug]\r\ndisable = [\"x\"]\r\nplugins = ['p']\r\n[other]\r\ndisable = ['no']\r\n",
        ),
        (
            "[tool.quart-plug]\r\ndisable = [\r\n  'a', # b\r\n]\r\n",
            "[tool.quart-plug]\r\ndisable = [\r\n  'a', # b\r\n  \"x\",\r\n]\r\n",
        ),
        (
            "[tool.quart-plug.config.a]\nb = 1\n",
            '[tool.quart-plug.config.a]\nb = 1\n\n[tool.quart-plug]\ndisable = ["x"]\n',
        ),
    ],
)
def test_adding_changes_nothing_else(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before.encode())
    assert edited(path, "add") is True
    assert path.read_bytes().decode() == after
    assert edited(path, "add") is False
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + 'disable = ["x"]\n', HEAD + "disable = []\n"),
        (HEAD + 'disable = ["x",] # none\n', HEAD + "disable = [] # none\n"),
        (HEAD + 'disable = ["x", "a"]\n', HEAD + 'disable = ["a"]\n'),
        (HEAD + 'disable = ["a", "x"]\n', HEAD + 'disable = ["a"]\n'),
        (HEAD + 'disable = ["a", "x",]\n', HEAD + 'disable = ["a"]\n'),
        (HEAD + 'disable = ["a", "x", "b", "x"]\n', HEAD + 'disable = ["a", "b"]\n'),
        (
            HEAD + 'disable = [\n  "a", # one\n  "x", # two\n  "b", # three\n]\nautoload = true\n',
            HEAD + 'disable = [\n  "a", # one\n  "b", # three\n]\nautoload = true\n',
        ),
        (HEAD + 'disable = [\n  "a",\n  "x"\n]\n', HEAD + 'disable = [\n  "a",\n]\n'),
        (HEAD + "disable = [\r\n  'x',\r\n]\r\n", HEAD + "disable = [\r\n]\r\n"),
    ],
)
def test_removing_changes_nothing_else(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before.encode())
    assert edited(path, "remove") is True
    assert path.read_bytes().decode() == after
    assert edited(path, "remove") is False
    assert path.read_bytes().decode() == after


@pytest.mark.parametrize(
    "text",
    [
        "tool.quart-plug.disable = ['a']\n",
        "[tool]\nquart-plug = { disable = ['a'] }\n",
        "[tool.quart-plug]\ndisable = 'a'\n",
    ],
)
def test_a_form_that_cannot_be_edited_is_said_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(ProjectFileError, match=r'write "x" into `disable` below \[tool.quart-plug\] yourself'):
        edited(path, "add")
    assert path.read_text() == text


LINES = ["# c\n", "\n", "a = 1\n", "[t]\n", HEAD, "disable = ['q', 'x',\n'r']\n", "disable = [\n 'x',\n]\n", "b=[\n]\n"]


@given(st.lists(st.sampled_from(LINES)), st.lists(st.sampled_from(["add", "remove"]), min_size=1, max_size=4))
def test_whatever_the_file_either_it_is_the_wanted_change_or_untouched(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], actions: list[str]
) -> None:
    path = tmp_path_factory.mktemp("project") / "pyproject.toml"
    path.write_text("".join(lines))
    for action in actions:
        before = path.read_text()
        try:
            changed = edited(path, action)
        except ProjectFileError:
            assert path.read_text() == before
            return
        now = tomllib.loads(path.read_text())
        disabled = now.get("tool", {}).get("quart-plug", {}).pop("disable", [])
        assert ("x" in disabled) is (action == "add")
        was = tomllib.loads(before)
        old = was.setdefault("tool", {}).setdefault("quart-plug", {}).pop("disable", [])
        now.setdefault("tool", {}).setdefault("quart-plug", {})
        assert now == was
        assert [item for item in disabled if item != "x"] == [item for item in old if item != "x"]
        assert changed is (old != disabled)


def test_the_project_file_is_the_nearest_one_above(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert project_file(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[broken")
    with pytest.raises(ProjectFileError, match=r"pyproject\.toml cannot be read"):
        ProjectFile(path)
