"""The hooks of the project's own plugins and examples are checked by the plugin of mypy's."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_mypy_s_plugin_is_a_part_of_make_check() -> None:
    """It looks at every plugin, since mypy does: see test_packaging."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert "quart_plug.mypy_plugin" in settings["plugins"]


def test_the_hooks_of_the_examples(tmp_path: Path) -> None:
    """An example need not be typed throughout; its hooks have to fit."""
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nplugins = quart_plug.mypy_plugin\nfollow_imports = silent\nallow_untyped_defs = true\n")
    sources = [str(path) for path in (ROOT / "examples").rglob("*.py") if "@hookimpl" in path.read_text()]
    assert sources
    done = subprocess.run(
        [sys.executable, "-m", "mypy", f"--config-file={config}", f"--cache-dir={tmp_path}", "--namespace-packages",
         "--explicit-package-bases", "--ignore-missing-imports", *sources],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    wrong = [line for line in done.stdout.splitlines() if "  [hook-" in line]
    assert not wrong, "\n".join(wrong)
    assert "source file" in done.stdout, done.stdout + done.stderr  # it came to its end
