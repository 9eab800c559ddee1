"""Every public name has a test that shows its behaviour, marked with `@shows(name)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.surface import public_names

HERE = Path(__file__).parent


def shown(path: Path) -> Iterator[str]:
    """The names that a file's tests are marked with."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "shows":
                yield from (argument.value for argument in decorator.args if isinstance(argument, ast.Constant))


def test_every_public_name_is_shown() -> None:
    found = {name for path in sorted(HERE.glob("test_*.py")) for name in shown(path)}
    missing = sorted(public_names() - found)

    assert not missing, f"{len(missing)} public names have no behaviour test:\n  " + "\n  ".join(missing)
