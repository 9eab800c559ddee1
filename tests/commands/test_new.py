"""`plugins new`: names, and what is written. That it installs and works is tried in tests/environments."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from quart_plug.commands.new import Names, files_of, names_of
from quart_plug.commands.state import CommandError


@pytest.mark.parametrize("name", ["rate-limit", "Rate.Limit", "rate_limit", "quart-plug-rate-limit", "rate__limit"])
def test_every_spelling_gives_the_same_names(name: str) -> None:
    assert names_of(name) == Names("rate_limit", "quart-plug-rate-limit", "quart_plug_rate_limit")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("json", "quart-plug's own"),
        ("quart-plug-sessions", "quart-plug's own"),
        ("inspector", "quart-plug's own"),
        ("quart-plug", "the framework's own name"),
        ("-x", "cannot be the name"),
        ("räume", "cannot be the name"),
        ("a b", "cannot be the name"),
        ("../x", "cannot be the name"),
        ("", "cannot be the name"),
        ("salons", "'salons-dist', which is installed here, has a plugin 'salons'"),
    ],
)
def test_a_name_that_cannot_be(install: Any, name: str, said: str) -> None:
    install("salons")
    with pytest.raises(CommandError) as caught:
        names_of(name)
    assert said in str(caught.value)
    assert caught.value.status == 2


def test_the_files_of_a_distribution(project: Path, run: Any) -> None:
    status, out, _ = run("plugins", "new", "rate-limit")
    folder = project / "quart-plug-rate-limit"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert status == 0
    assert files == {
        ".gitignore", "LICENSE", "README.md", "pyproject.toml", "tests/test_quart_plug_rate_limit.py",
        "src/quart_plug_rate_limit/__init__.py", "src/quart_plug_rate_limit/py.typed",
    }  # fmt: skip
    assert all(file in out for file in files)
    assert "quart-plug plugins enable rate_limit" in out


@pytest.mark.parametrize("name", ["rate-limit", "x", "2fa", "class", "a-plugin-with-a-very-long-name-that-goes-on"])
def test_every_file_is_well_formed(name: str) -> None:
    names = names_of(name)
    for path, text in files_of(names).items():
        assert "{{" not in path + text
        if path.endswith(".py"):
            ast.parse(text)
        if path.endswith(".toml"):
            project = tomllib.loads(text)["project"]
            assert project["entry-points"] == {"quart_plug.plugins": {names.plugin: names.module}}
            assert project["name"] == names.distribution


def test_into_another_folder_as_json(project: Path, run_json: Any) -> None:
    found = run_json("plugins", "new", "salons", "--into", "made/here")
    folder = project / "made" / "here" / "quart-plug-salons"
    assert {key: found[key] for key in ("name", "distribution", "module", "folder")} == {
        "name": "salons",
        "distribution": "quart-plug-salons",
        "module": "quart_plug_salons",
        "folder": str(folder),
    }
    assert all((folder / file).is_file() for file in found["files"])


def test_a_folder_that_exists_is_left_alone(project: Path, run: Any) -> None:
    (project / "quart-plug-salons").mkdir()
    status, out, err = run("plugins", "new", "salons")
    assert (status, out, "exists already" in err) == (2, "", True)
    assert not list((project / "quart-plug-salons").iterdir())


def test_a_place_that_cannot_be_written(project: Path, run: Any) -> None:
    (project / "file").touch()
    status, _, err = run("plugins", "new", "salons", "--into", "file")
    assert (status, "cannot be written" in err) == (1, True)
