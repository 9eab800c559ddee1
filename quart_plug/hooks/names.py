"""Names that a module offers without having them: they belong to a plugin, or to a module above it, and are found there
when first asked for.

The plugin's module is imported through its entry point; nothing is enabled, and no app needs to exist.
Must not know: what any of the names is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from .discovery import find_record, import_reference


def plugin_attribute(plugin: str, attribute: str) -> Any:
    """Get `attribute` of the module behind the entry point `plugin`, importing it, without enabling the
    plugin.

    plugin     the entry point's name, such as "sessions".
    attribute  a name of its module, or a path into it; a part that is no attribute is tried as a submodule:
               "cookie.SecureCookieSession".

    Raises PluginNotFound when no such plugin is installed, AttributeError when its module lacks the name.
    """
    record = find_record(plugin)
    found: Any = import_reference(record.reference.partition(":")[0])
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            found = _submodule(found, part)
            if found is None:
                raise AttributeError(
                    f"the plugin {plugin!r} ({record.value} of {record.distribution}) has no {attribute!r}"
                ) from error
    return found


def _submodule(parent: Any, name: str) -> ModuleType | None:
    if not hasattr(parent, "__path__"):
        return None
    path = f"{parent.__name__}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        return None


def lazy_names(
    module_name: str, table: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make `__getattr__` and `__dir__` for a thin module; a name is kept in the module once it was found.

        __getattr__, __dir__ = lazy_names(__name__, {"SecureCookieSession": "sessions"})

    table  name -> plugin, or name -> "plugin:path" where the plugin's name for it differs; or name -> ".module", a
           module of quart_plug, for what Quart offers in several places (reexports.py); of a package also a module
           of its own, {"sessions": ".sessions"}.
    """

    def get(name: str) -> Any:
        target = table.get(name)
        if target is None:
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        if target.startswith("."):
            found = import_module(target, "quart_plug")
            value = found if found.__name__ == f"{module_name}.{name}" else getattr(found, name)
        else:
            plugin, _, path = target.partition(":")
            value = plugin_attribute(plugin, path or name)
        module = sys.modules.get(module_name)
        if module is not None:
            module.__dict__.setdefault(name, value)
        return value

    def names() -> list[str]:
        module = sys.modules.get(module_name)
        return sorted({*table, *(vars(module) if module is not None else ())})

    return get, names
