"""A plugin of mypy's that checks hook implementations against the specifications of their hooks.

    [tool.mypy]
    plugins = ["quart_plug.mypy_plugin"]

Every function that is marked `@hookimpl` is looked at: is there such a hook, does it have these arguments, of these
types, may it be a coroutine function, and does the hook take such a result. A function without annotations is checked
for the hook, the names of its arguments and its colour only. The errors' codes are in `checking`.

The hooks are the kernel's, those of installed plugins, those of the plugin that is checked (its `__quart_plug__`), and
those that the configuration names, as modules or as `module:Class`:

    [tool.quart-plug-mypy]
    hookspecs = ["shop.specs"]

No plugin is imported: specifications are read from their source. Must not know: managers, apps.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mypy.errors import CompileError
from mypy.nodes import Import, ImportFrom, MypyFile
from mypy.options import Options
from mypy.plugin import FunctionContext, MethodContext, Plugin, ReportConfigContext
from mypy.types import Type

from .checking import HOOKIMPL, MARKER, check_decorator
from .reading import KERNEL, Catalogue, configured

_PRIORITY = 10  # of a dependency, as an import has it


class HookPlugin(Plugin):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        folders = [Path(options.config_file or ".").parent, Path(), *map(Path, options.mypy_path)]
        try:
            self._catalogue = Catalogue(configured(options.config_file), folders)
        except (LookupError, ValueError) as error:
            raise CompileError([f"quart_plug.mypy_plugin: {error}"], use_stdout=True) from error

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        return self._check if fullname == HOOKIMPL else None

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        return self._check if fullname == f"{MARKER}.__call__" else None

    def _check(self, ctx: FunctionContext | MethodContext) -> Type:
        check_decorator(ctx, self._catalogue, self.lookup_fully_qualified)
        return ctx.default_return_type

    def get_additional_deps(self, file: MypyFile) -> list[tuple[int, str, int]]:
        """Where hooks may be implemented, the specifications are needed too, and a change of them counts."""
        own = file.fullname.partition(".")[0]
        if own == "quart_plug" or not any("quart_plug" in _imported(node) for node in file.imports):
            return []
        modules = [*KERNEL, *self._catalogue.modules()]
        return [(_PRIORITY, name, -1) for name in modules if name != file.fullname]

    def report_config_data(self, ctx: ReportConfigContext) -> Any:
        """What a change of makes mypy check its modules anew."""
        return None if "typeshed" in ctx.path else self._catalogue.digest()


def _imported(node: Any) -> set[str]:
    """The top packages that an import names."""
    if isinstance(node, Import):
        return {name.partition(".")[0] for name, _ in node.ids}
    if isinstance(node, ImportFrom) or hasattr(node, "id"):
        return {node.id.partition(".")[0]}
    return set()


def plugin(version: str) -> type[Plugin]:
    """What mypy asks for."""
    return HookPlugin
