"""A folder for an application's files, and an interpreter that forgets them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

Module = Callable[..., Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; the environment, `sys.path` and `sys.modules` are put back at the end."""
    monkeypatch.chdir(tmp_path)
    environment, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    for name in [name for name in os.environ if name.startswith("QUART")]:
        del os.environ[name]
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def module(folder: Path) -> Module:
    """`module("app.py", text)` writes a file; the text may use `Quart` and `app`."""

    def write(name: str, text: str = "") -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from quart_plug import Quart\n" + text)
        return path

    return write


@pytest.fixture
def run() -> Callable[..., Any]:
    """`run("routes", "--json")` runs the program in this process; gives click's result."""
    from quart_plug.cli import cli

    def invoke(*arguments: str, **options: Any) -> Any:
        return CliRunner().invoke(cli, list(arguments), prog_name="quart-plug", **options)

    return invoke
