"""The house has floors: a module imports only from modules above it, and the kernel never imports a plugin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "quart_plug"
PLUGINS = ROOT / "plugins"

# The lowest layer first; a package stands for all of its modules, which may import each other.
LAYERS = [
    [
        "exceptions", "typing", "kinds", "tables", "concurrency", "namespace", "utils", "resources", "decorators",
        "masking", "faults", "schemas", "scalars", "models", "conversion", "origins", "typing_of_tests",
    ],
    ["hooks", "reexports"],
    ["mypy_plugin"],
    ["configfiles", "config", "app_config"],
    ["globals"],
    ["signals", "json", "sessions", "templating", "files", "datastructures", "logging", "debug", "cli"],
    ["content_types"],
    ["ctx"],
    ["scoping"],
    ["scaffold"],
    ["answers", "helpers"],
    ["wrappers"],
    ["formparser"],
    ["routing"],
    ["blueprints", "views"],
    ["lifecycle"],
    ["overrides", "asking"],
    ["moments"],
    ["plan"],
    [
        *("steps", "urls", "app_templates", "app_tables", "footprints", "claims", "blame"),
        *("plugin_setup", "plugin_config", "slots", "registration"),
    ],
    ["draining"],
    ["connections"],
    ["asgi", "background", "leaving", "running", "servers"],
    ["plugin_serving", "serving"],
    ["testing"],
    ["app"],
    ["compat"],
    ["as_quart"],
    ["__init__"],
    ["finding", "timing"],
    ["commands"],
    ["__main__"],
]
FLOOR = {name: number for number, names in enumerate(LAYERS) for name in names}


def modules() -> Iterator[Path]:
    yield from sorted(KERNEL.rglob("*.py"))


def room(path: Path) -> str:
    """The name under which a file stands in the list of layers."""
    parts = path.relative_to(KERNEL).with_suffix("").parts
    return parts[0]


def at_import_time(tree: ast.Module, functions: bool = False) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when the module is imported (or its functions run): not those for types."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
        elif functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def everywhere(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def own_names(path: Path, node: ast.Import | ast.ImportFrom) -> list[str]:
    """The rooms of the kernel that an import names."""
    if isinstance(node, ast.Import):
        found = [alias.name.split(".") for alias in node.names]
        return [parts[1] if len(parts) > 1 else "__init__" for parts in found if parts[0] == "quart_plug"]
    package = ["quart_plug", *path.relative_to(KERNEL).parts[:-1]]
    if node.level:
        base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
    else:
        base = (node.module or "").split(".")
    if base[0] != "quart_plug":
        return []
    return [base[1]] if len(base) > 1 else [alias.name for alias in node.names]


def test_every_module_has_its_floor() -> None:
    """A new module is put into the list of layers; a module that is gone is taken out."""
    assert {room(path) for path in modules()} == set(FLOOR)


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(KERNEL)))
def test_imports_only_point_down(path: Path) -> None:
    here = room(path)
    for node in at_import_time(ast.parse(path.read_text())):
        for name in own_names(path, node):
            if name != here and name in FLOOR:
                assert FLOOR[name] <= FLOOR[here], (
                    f"{path.name}:{node.lineno} imports {name}, which lies above it"
                )


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(KERNEL)))
def test_the_kernel_imports_no_plugin(path: Path) -> None:
    for node in at_import_time(ast.parse(path.read_text()), functions=True):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        assert not [name for name in names if name.startswith("quart_plug_")], f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    "path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: str(path.relative_to(PLUGINS))
)
def test_a_plugin_imports_only_itself_and_public_names(path: Path) -> None:
    own = path.relative_to(PLUGINS).parts[0]
    for node in everywhere(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.level:
            continue
        else:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0].startswith("quart_plug_"):
                assert parts[0] == own, f"{path}:{node.lineno} imports another plugin, {name}"
            if parts[0] == "quart_plug":
                private = [part for part in parts if part.startswith("_") and not part.startswith("__")]
                assert not private, f"{path}:{node.lineno} imports the private name {name}"


def test_the_kernel_needs_no_optional_library() -> None:
    """What plugins are for is not imported by the kernel."""
    for path in modules():
        if path.relative_to(KERNEL).as_posix() == "testing/cli.py":
            continue  # imported when a command is tested
        for node in at_import_time(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            for name in names:
                heavy = {"jinja2", "itsdangerous", "blinker", "click", "hypercorn", "flask", "aiofiles"}
                assert name.split(".")[0] not in heavy, f"{path}:{node.lineno} imports {name}"


def test_the_layers_are_the_documented_ones() -> None:
    """The list above and the one in the documentation are the same."""
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    for names in LAYERS:
        for name in names:
            if not name.startswith("__"):
                assert f"`{name}" in text, f"docs/explanation/architecture.md does not name the module {name}"
