"""An empty project as the current folder, and plugins that are installed in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quart_plug.__main__ import main
from quart_plug.hooks import discovery

Install = Callable[..., None]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; the environment, `sys.path` and `sys.modules` are put back at the end."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    environment, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    for name in [name for name in os.environ if name.startswith("QUART")]:
        del os.environ[name]
    os.environ.pop("COLUMNS", None)
    yield folder
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    discovery.reset()


@pytest.fixture
def install(tmp_path: Path, project: Path) -> Install:
    """`install("salons", "module text")` installs a distribution with one plugin."""
    site = tmp_path / "site"
    site.mkdir()
    sys.path.insert(0, str(site))

    def put(name: str, text: str = "", distribution: str | None = None, module: str | None = None) -> None:
        distribution = distribution or f"{name}-dist"
        module = module or f"{name}_module"
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nSummary: About {name}\n"
            f"Project-URL: Documentation, https://{name}.example/docs\n"
        )
        (info / "entry_points.txt").write_text(f"[quart_plug.plugins]\n{name} = {module}\n")
        (site / f"{module}.py").write_text(text or "from quart_plug import hookimpl\n@hookimpl\ndef setup(app): ...\n")
        discovery.reset()

    return put


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("plugins", "list")` gives the exit status, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """`run_json("plugins", "list")` gives what it prints with --json, which is nothing else."""

    def call(*arguments: str, status: int = 0) -> Any:
        actual, out, err = run(*arguments, "--json")
        assert actual == status, err
        return json.loads(out)

    return call
