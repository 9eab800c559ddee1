"""The table of plugins, and the edit of pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.hooks.report import PluginReport, Report
from quart_plug.listing import ProjectFileError, disable_in, faults, format_report, project_file, table


def test_a_table_is_as_wide_as_its_widest_entries() -> None:
    assert table(("A", "Why"), [("long name", "because"), ("b", "")]) == (
        "A          Why\n---------  ---\nlong name  because\nb"
    )


def test_a_report_is_a_row_for_each_plugin_and_then_the_problems() -> None:
    report = Report(
        (
            PluginReport("json", "active", distribution="quart-plug", version="1.0", requested_by=("core",)),
            PluginReport("mine", "failed", "boom\n  at once"),
        ),
        ("a setting is wrong",),
    )
    assert format_report(report).splitlines() == [
        "Name  Status  Version  Distribution  Why",
        "----  ------  -------  ------------  ---",
        "json  active  1.0      quart-plug    core",
        "mine  failed  -        -             boom at once",
        "Problem: a setting is wrong",
    ]


@pytest.mark.parametrize(
    ("status", "is_fault"),
    [
        ("active", False),
        ("disabled", False),
        ("shadowed", False),
        ("blocked", True),
        ("failed", True),
        ("incompatible", True),
        ("missing", True),
    ],
)
def test_what_counts_as_wrong(status: str, is_fault: bool) -> None:
    report = Report((PluginReport("x", status, "why", "dist", "1"),))  # type: ignore[arg-type]
    assert faults(report) == ([f"x (dist 1) is {status}: why"] if is_fault else [])


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
        ("[tool.quart-plug]\ndisable = []\n", '[tool.quart-plug]\ndisable = ["x"]\n'),
        ('[tool."quart-plug"]\ndisable = ["a"] # b\n', '[tool."quart-plug"]\ndisable = ["x", "a"] # b\n'),
        (
            '[tool.quart-plug]\ndisable = [\n  # why\n  "a",\n]\n[a]\nb = 1\n',
            '[tool.quart-plug]\ndisable = ["x", \n  # why\n  "a",\n]\n[a]\nb = 1\n',
        ),
        (
            "[tool.quart-plug]\r\nplugins = ['p']\r\n[other]\r\ndisable = ['no']\r\n",
            "[tool.quart-plug]\r\ndisable = [\"x\"]\r\nplugins = ['p']\r\n[other]\r\ndisable = ['no']\r\n",
        ),
    ],
)
def test_disabling_changes_nothing_else(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before.encode())
    assert disable_in(path, "x") is True
    assert path.read_bytes().decode() == after
    assert disable_in(path, "x") is False
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
    with pytest.raises(ProjectFileError, match=r'disable = \["x"\]'):
        disable_in(path, "x")
    assert path.read_text() == text


@given(
    st.lists(
        st.sampled_from(["# c\n", "\n", "a = 1\n", "[t]\n", "[tool.quart-plug]\n", "disable = ['q']\n", "b=[\n]\n"])
    )
)
def test_whatever_the_file_either_it_is_the_wanted_change_or_untouched(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("project") / "pyproject.toml"
    text = "".join(lines)
    path.write_text(text)
    try:
        disable_in(path, "x")
    except ProjectFileError:
        assert path.read_text() == text
    else:
        table = tomllib.loads(path.read_text())["tool"]["quart-plug"]
        before = tomllib.loads(text).get("tool", {}).get("quart-plug", {}).get("disable", [])
        assert table["disable"] == ["x", *before]


def test_the_project_file_is_the_nearest_one_above(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert project_file(tmp_path / "a" / "b") == tmp_path / "pyproject.toml"


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[broken")
    with pytest.raises(ProjectFileError, match=r"pyproject\.toml cannot be read"):
        disable_in(path, "x")
