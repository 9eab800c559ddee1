"""The distribution: every plugin declared, everything in the wheel, typed."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import importlib_metadata

import quart_plug

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def folders() -> set[str]:
    return {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()}


def test_every_plugin_is_an_entry_point() -> None:
    declared = PROJECT["project"]["entry-points"]["quart_plug.plugins"]
    assert {value.split(":")[0] for value in declared.values()} == folders()


def test_the_installed_entry_points_are_the_declared_ones() -> None:
    declared = PROJECT["project"]["entry-points"]["quart_plug.plugins"]
    installed = {
        point.name: point.value
        for point in importlib_metadata.entry_points(group="quart_plug.plugins")
        if point.dist is not None and point.dist.name == "quart-plug"
    }
    assert installed == declared


def test_every_plugin_is_in_the_wheel_and_checked_by_mypy() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    start = {path.stem for path in (ROOT / "startup").glob("*.py")}
    expected = {"quart_plug", *(f"plugins/{name}" for name in folders()), *(f"startup/{name}.py" for name in start)}
    assert set(wheel) == expected
    assert set(PROJECT["tool"]["mypy"]["packages"]) == {"quart_plug", *folders(), *start}


def test_everything_is_typed() -> None:
    assert (ROOT / "quart_plug" / "py.typed").exists()
    assert all((ROOT / "plugins" / name / "py.typed").exists() for name in folders())


def test_pytest_does_not_warn_of_what_was_imported_before_it() -> None:
    """See startup/_quart_plug_pytest.py."""
    tops = [
        ROOT / "quart_plug" / "__init__.py",
        *(ROOT / "plugins").glob("*/__init__.py"),
        *(ROOT / "startup").glob("*.py"),
    ]
    missing = [
        str(path)
        for path in tops
        if "PYTEST_DONT_REWRITE" not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert not missing, "end the docstring of these modules with PYTEST_DONT_REWRITE"


def test_the_version_is_the_distribution_s() -> None:
    assert quart_plug.__version__ == PROJECT["project"]["version"] == importlib_metadata.version("quart-plug")


def test_every_public_name_is_there() -> None:
    for name in quart_plug.__all__:
        assert getattr(quart_plug, name) is not None
    assert list(quart_plug.__all__) == sorted(quart_plug.__all__), "the public names are sorted"
