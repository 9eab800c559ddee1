"""quart-plug under the name `quart`, so that applications and extensions written for Quart run as they stand."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_NAME = "quart"
_PACKAGE = "quart_plug"


class _AliasLoader(Loader):
    def __init__(self, target: str) -> None:
        self.target = target
        self.own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self.target)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module is complete, quart-plug's own; only its spec, which the import has replaced, is put back."""
        module.__spec__ = self.own_spec


class _AliasFinder(MetaPathFinder):
    """Answers for `quart` and `quart.*` before an installed Quart can."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != _NAME and not fullname.startswith(f"{_NAME}."):
            return None
        return _alias_spec(fullname)


def _alias_spec(fullname: str) -> ModuleSpec | None:
    import importlib.util

    target = _PACKAGE + fullname[len(_NAME) :]
    try:
        found = importlib.util.find_spec(target)
    except ModuleNotFoundError:
        found = None
    if found is None:
        return None
    spec = ModuleSpec(fullname, _AliasLoader(target), is_package=found.submodule_search_locations is not None)
    spec.submodule_search_locations = found.submodule_search_locations
    return spec


_finder = _AliasFinder()


def install_as_quart() -> None:
    """Make `import quart` and all its submodules mean quart-plug; idempotent.

    Has to be called before anything imports Quart: RuntimeError, which says who did, otherwise.
    """
    if alias_is_active():
        return
    known = sys.modules.get(_NAME)
    if known is not None and known is not sys.modules.get(_PACKAGE):
        raise RuntimeError(
            f"install_as_quart() was called too late: the real Quart was imported already, from {known.__file__}; "
            "call it before anything imports quart, or start with `quart-plug --as-quart run`"
        )
    import quart_plug
    import quart_plug.globals

    sys.meta_path.insert(0, _finder)
    sys.modules[_NAME] = quart_plug
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{_PACKAGE}."):
            sys.modules[_NAME + name[len(_PACKAGE) :]] = module
    quart_plug.globals.hash_the_proxy = True


def uninstall_as_quart() -> None:
    """Take the alias away again (for tests)."""
    if not alias_is_active():
        return
    import quart_plug.globals

    sys.meta_path.remove(_finder)
    for name in [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]:
        del sys.modules[name]
    quart_plug.globals.hash_the_proxy = False


def alias_is_active() -> bool:
    return _finder in sys.meta_path


def knows_connection_closed(function: Any) -> bool:
    """Whether a view's code or its module names ConnectionClosed, so that it expects the exception."""
    function = inspect.unwrap(function) if callable(function) else function
    code = getattr(function, "__code__", None)
    if code is not None and _names(code):
        return True
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    return module is not None and "ConnectionClosed" in vars(module)


def _names(code: Any) -> bool:
    if "ConnectionClosed" in code.co_names:
        return True
    return any(_names(constant) for constant in code.co_consts if inspect.iscode(constant))
