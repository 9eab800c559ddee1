"""quart-plug under the name `quart`, so that applications and extensions written for Quart run as they stand.

This module turns the alias on and off; `finder` answers for the name `quart`, `flask_names` for the few names of
Flask's that extensions compare with. Both are imported when the alias is turned on.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..kinds import Kind
    from .finder import AliasFinder

VARIABLE = "QUART_PLUG_AS_QUART"

_NAME = "quart"
_ON = {"1", "true", "t", "yes", "y", "on"}
_OFF = {"", "0", "false", "f", "no", "n", "off"}


def install_as_quart() -> None:
    """Make `import quart` and all its submodules mean quart-plug; idempotent.

    An installed Quart is neither touched nor used. Has to be called before anything imports Quart: RuntimeError, which
    says who did, otherwise.
    """
    if alias_is_active():
        return
    _not_too_late()
    import quart_plug.globals

    from . import flask_names
    from .finder import AliasFinder

    sys.meta_path.insert(0, AliasFinder())
    flask_names.serve()
    quart_plug.globals.hash_the_proxy = True


def uninstall_as_quart() -> None:
    """Take the alias away again: the next `import quart` is of an installed Quart. For tests; idempotent.

    Modules that imported Quart's names meanwhile keep what they have.
    """
    finder = active_finder()
    if finder is None:
        return
    import quart_plug.globals

    from . import flask_names

    sys.meta_path.remove(finder)
    for name in _quarts_modules():
        del sys.modules[name]
    flask_names.withdraw()
    quart_plug.globals.hash_the_proxy = False


def alias_is_active() -> bool:
    """Whether `import quart` means quart-plug."""
    return active_finder() is not None


def active_finder() -> AliasFinder | None:
    """The finder of the alias in `sys.meta_path`, when it is on."""
    # By a mark and not by its class, whose module is imported only when the alias is turned on.
    return next((finder for finder in sys.meta_path if getattr(finder, "is_quart_plug_alias", False)), None)  # type: ignore[return-value]


def install_if_asked() -> None:
    """Turn the alias on if the environment's QUART_PLUG_AS_QUART says so; ValueError when it is neither yes nor no."""
    value = os.environ.get(VARIABLE, "").strip().lower()
    if value in _ON:
        install_as_quart()
    elif value not in _OFF:
        raise ValueError(f"{VARIABLE} is {os.environ[VARIABLE]!r} in the environment; it has to be 1 or 0")


# What a view catches that expects an exception when the client has left, where one of Quart 0.22 is cancelled.
_ENDS = {"websocket": {"ConnectionClosed"}, "request": {"ClientDisconnected", "ClientDisconnectedError"}}


def knows_the_end(function: Any, kind: Kind) -> bool:
    """Whether a view's code, or a function or class of its module, names the exception of a client that has left.

    That the module has the name is not enough: it may come from `from quart import *`.
    """
    ends = _ENDS[kind.name]
    function = inspect.unwrap(function) if callable(function) else function
    code = getattr(function, "__code__", None)
    if code is not None and _names(code, ends):
        return True
    module = sys.modules.get(getattr(function, "__module__", "") or "")
    return module is not None and any(_names(code, ends) for code in _codes_of(module))


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    """The code of a module's own functions and methods."""
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) == module.__name__:
            for function in (value, *vars(value).values()) if isinstance(value, type) else (value,):
                code = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
                if isinstance(code, CodeType):
                    yield code


def _names(code: CodeType, ends: set[str]) -> bool:
    if not ends.isdisjoint(code.co_names):
        return True
    return any(_names(constant, ends) for constant in code.co_consts if inspect.iscode(constant))


def _quarts_modules() -> list[str]:
    return [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]


def _not_too_late() -> None:
    real = sys.modules.get(_NAME)
    if real is None:
        return
    importers = _importers()
    by = f", by {' and '.join(importers[:3])}" if importers else ""
    raise RuntimeError(
        f"quart-plug cannot be `quart` any more: the real Quart ({real.__file__}) is already imported{by}. "
        "Call quart_plug.install_as_quart() before these, at the top of the first module of the program; or start it "
        f"with {VARIABLE}=1 in the environment, with `quart-plug --as-quart run`, or with `pytest -p "
        "quart_plug.as_quart`"
    )


def _importers() -> list[str]:
    """The modules that hold Quart or names of it, in the order in which their import began."""
    found: dict[int, str] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != _NAME and isinstance(module, ModuleType) and _has_quarts(vars(module)):
            found.setdefault(id(module), f"{name} ({getattr(module, '__file__', None) or 'no file'})")
    return list(found.values())


def _has_quarts(names: dict[str, Any]) -> bool:
    for value in list(names.values()):
        kind = type(value)  # not isinstance: it would ask a proxy for the class of what it stands for
        if issubclass(kind, ModuleType):
            home = value.__dict__.get("__name__")
        elif issubclass(kind, type | FunctionType):
            home = value.__module__
        else:
            continue
        if isinstance(home, str) and home.partition(".")[0] == _NAME:
            return True
    return False
