"""Hook specifications, read from the source of modules without importing them.

Must not know: mypy.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..hooks import specs as _kernel_specs
from ..hooks.discovery import discover
from ..hooks.relations import DECLARATION

# The modules of the kernel's hooks, by their names.
KERNEL = {
    f"{_kernel_specs.__name__}.{subject}": Path(_kernel_specs.__file__).with_name(f"{subject}.py")
    for subject in _kernel_specs.SUBJECTS
}
SECTION = "quart-plug-mypy"


@dataclass(frozen=True)
class Specification:
    """A hook as its source has it.

    reference  the full name of the function that specifies it: "rooms.specs.room_joined".
    arguments  their names, in order.
    """

    name: str
    kind: str
    colour: str
    arguments: tuple[str, ...]
    reference: str


class Catalogue:
    """The hooks that are known before any file is checked: the kernel's, those of installed plugins, and those of
    `references`: modules, or `module:Class`, in one of `folders` or installed.

    Raises LookupError when one of `references` cannot be found.
    """

    def __init__(self, references: Sequence[str] = (), folders: Sequence[Path] = ()) -> None:
        self._sources: dict[str, Path] = dict(KERNEL)  # by reference
        self._local: set[str] = set()
        self._of_files: dict[str, tuple[int, dict[str, Specification]]] = {}
        for reference in references:
            module = reference.partition(":")[0]
            below = (_source_below(folder, module) for folder in folders)
            local = next((path for path in below if path is not None), None)
            path = local or find_source(module)
            if path is None:
                places = ", ".join(map(str, folders))
                raise LookupError(
                    f"the module {module!r}, in hookspecs of [{SECTION}], is not installed, nor is it in {places}"
                )
            if local is not None:
                self._local.add(module)
            self._sources[reference] = path
        for reference in _of_installed_plugins():
            path = find_source(reference.partition(":")[0])
            if path is not None:
                self._sources.setdefault(reference, path)
        self._read()

    def _read(self) -> None:
        self.hooks: dict[str, Specification] = {}
        for reference, path in self._sources.items():
            self.hooks = read_specifications(reference, path) | self.hooks
        self._read_at = self._changed_at()

    def _changed_at(self) -> int:
        return max(_changed_at(path) for path in self._sources.values())

    def of_file(self, module: str, path: str) -> Mapping[str, Specification]:
        """The hooks that are known in a file: also those that its own `__quart_plug__` names, and those of plugins
        in modules of the project that it requires.

        mypy's daemon lives longer than what it checks stays the same, so what has changed is read again.
        """
        if self._changed_at() != self._read_at:
            self._read()
            self._of_files.clear()
        changed_at = _changed_at(Path(path))
        known = self._of_files.get(path)
        if known is None or known[0] != changed_at:
            found = dict(_specified_by(module, Path(path)))
            for name in _required(Path(path)):
                required = _near(name, module, Path(path))
                if required is not None:
                    found |= _specified_by(name, required)
            known = self._of_files[path] = changed_at, found | self.hooks
        return known[1]

    def modules(self) -> list[str]:
        """The modules of others that specify hooks, where they have types."""
        modules = dict.fromkeys(reference.partition(":")[0] for reference in self._sources)
        return [name for name in modules if name not in KERNEL and (name in self._local or _is_typed(name))]

    def digest(self) -> str:
        return hashlib.sha256(repr(sorted(self.hooks.items())).encode()).hexdigest()[:16]


def configured(config_file: str | None) -> list[str]:
    """The setting `hookspecs` of the file in which mypy's own settings are."""
    if not config_file or not Path(config_file).is_file():
        return []
    text = Path(config_file).read_text("utf-8")
    if config_file.endswith(".toml"):
        value: Any = tomllib.loads(text).get("tool", {}).get(SECTION, {}).get("hookspecs", [])
    else:
        parser = ConfigParser()
        parser.read_string(text)
        value = parser.get(SECTION, "hookspecs", fallback="").replace(",", " ").split()
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"hookspecs of [{SECTION}] has to be a list of modules, not {value!r}")
    return list(value)


def read_specifications(reference: str, path: Path) -> dict[str, Specification]:
    """The functions marked `@hookspec(…)` in a module, or in a class of it."""
    module, _, holder = reference.partition(":")
    body: Sequence[ast.stmt] = _parse(path).body
    prefix = module
    for name in filter(None, holder.split(".")):
        found = [node for node in body if isinstance(node, ast.ClassDef) and node.name == name]
        body = found[0].body if found else ()
        prefix = f"{prefix}.{name}"
    specifications = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for options in _options_of_marks(node):
                arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
                if holder and arguments[:1] == ["self"]:
                    del arguments[0]
                specifications[node.name] = Specification(
                    node.name,
                    options.get("kind", "notify"),
                    options.get("colour", "async"),
                    tuple(arguments),
                    f"{prefix}.{node.name}",
                )
    return specifications


def find_source(module: str) -> Path | None:
    """The file of a module; only the finders of its top package are asked, nothing is imported."""
    top, _, rest = module.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        found = _source_below(Path(folder), rest)
        if found is not None:
            return found
    return None


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _beside(module: str, path: Path, wanted: str) -> Path | None:
    """The file of a module of the same top package as the one at `path`, which may not be importable here."""
    parts = module.split(".")
    if wanted.partition(".")[0] != parts[0]:
        return None
    root = path.resolve().parents[len(parts) - (0 if path.name == "__init__.py" else 1)]
    return _source_below(root, wanted)


def _source_below(folder: Path, module: str) -> Path | None:
    base = folder.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _is_typed(module: str) -> bool:
    """Whether mypy takes the types of an installed module (PEP 561); others it would complain of."""
    top = find_source(module.partition(".")[0])
    if top is None or module == module.partition(".")[0]:
        return top is not None and top.name == "__init__.py" and (top.parent / "py.typed").is_file()
    return (top.parent / "py.typed").is_file()


def _of_installed_plugins() -> Iterator[str]:
    for record in discover().records:
        module = record.reference.partition(":")[0]
        path = find_source(module)
        if path is not None:
            yield from _declared(module, path)


def _specified_by(module: str, path: Path) -> dict[str, Specification]:
    """The hooks of a plugin's own."""
    found: dict[str, Specification] = {}
    for reference in _declared(module, path):
        holder = reference.partition(":")[0]
        source = path if holder == module else _near(holder, module, path)
        if source is not None:
            found |= read_specifications(reference, source)
    return found


def _near(wanted: str, module: str, path: Path) -> Path | None:
    """The file of a module that the one at `path` names: of the same package, in the same folder, or installed."""
    return _beside(module, path, wanted) or _source_below(path.parent, wanted) or find_source(wanted)


def _declared(module: str, path: Path) -> list[str]:
    """What a plugin's module says in `__quart_plug__["hookspecs"]`: texts, imported modules, classes of its own."""
    tree, items = _declaration(path, "hookspecs")
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return [reference for item in items for reference in _reference(item, tree, module, package)]


def _required(path: Path) -> list[str]:
    """The plugins in `__quart_plug__["requires"]` that may be modules."""
    names = [item.value for item in _declaration(path, "requires")[1] if isinstance(item, ast.Constant)]
    return [name for name in names if isinstance(name, str) and all(map(str.isidentifier, name.split(".")))]


def _declaration(path: Path, wanted: str) -> tuple[ast.Module, list[ast.expr]]:
    """The items of a list in a plugin's `__quart_plug__`, with the module that they stand in."""
    tree = _parse(path, DECLARATION)
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == DECLARATION for target in targets):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Dict):
                for key, listed in zip(value.keys, value.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == wanted:
                        return tree, listed.elts if isinstance(listed, (ast.List, ast.Tuple)) else [listed]
    return tree, []


def _reference(item: ast.expr, tree: ast.Module, module: str, package: str) -> Iterator[str]:
    if isinstance(item, ast.Constant) and isinstance(item.value, str):
        yield item.value
    if not isinstance(item, ast.Name):
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == item.id:
            yield f"{module}:{item.id}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if (alias.asname or alias.name) == item.id)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == item.id:
                    parts = package.split(".")
                    base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
                    yield ".".join(filter(None, (base, node.module, alias.name)))


def _options_of_marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[dict[str, str]]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            function = decorator.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name == "hookspec":
                yield {
                    keyword.arg: str(keyword.value.value)
                    for keyword in decorator.keywords
                    if keyword.arg and isinstance(keyword.value, ast.Constant)
                }


def _parse(path: Path, only_with: str = "") -> ast.Module:
    """The module's source; nothing when it does not have a text that is looked for."""
    try:
        source = path.read_bytes()
        if only_with.encode() in source:
            return ast.parse(source)
        return ast.Module(body=[], type_ignores=[])
    except (OSError, SyntaxError):
        return ast.Module(body=[], type_ignores=[])  # mypy says what is wrong with it
