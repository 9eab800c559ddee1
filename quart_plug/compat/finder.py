"""The finder that answers for the name `quart`: modules, `python -m quart`, and the distribution's version.

A module of the alias is quart-plug's own module, the same object, so that a class has one identity under both names.
The finder stands at the front of `sys.meta_path`, before the one that would find an installed Quart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from . import flask_names

QUART_VERSION = "0.22.0"  # whose API this is
_NAME = "quart"
_PACKAGE = "quart_plug"


# Packages that cannot work on quart-plug, and why; importing one says so, instead of what it stumbles over first.
OUT_OF_REACH = {
    "quart_trio": "quart-trio runs an application on trio's event loop, and quart-plug runs on asyncio. Make the "
    "application a quart.Quart and use asyncio in it, or run it on the real Quart, without the alias"
}


class AliasFinder(MetaPathFinder):
    is_quart_plug_alias = True

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _NAME or fullname.startswith(f"{_NAME}."):
            return _alias_of(fullname)
        if fullname == "flask" or fullname in flask_names.MODULES:
            return flask_names.find_spec(fullname, path, self)
        if fullname in OUT_OF_REACH and PathFinder.find_spec(fullname, path) is not None:
            return ModuleSpec(fullname, RefusingLoader())
        return None

    def find_distributions(self, context: Any = None) -> Iterable[Distribution]:
        """The distribution `quart`, to who asks for it by name; it is in no list, as it is not installed."""
        name = getattr(context, "name", None)
        return [QuartDistribution()] if name is not None and name.lower() == _NAME else []


def _alias_of(fullname: str) -> ModuleSpec | None:
    target = _PACKAGE + fullname[len(_NAME) :]
    try:
        found = find_spec(target)
    except ModuleNotFoundError:
        found = None
    if found is None:
        return None  # the import system's own error names what is missing
    spec = ModuleSpec(
        fullname,
        AliasLoader(target, found),
        origin=found.origin,
        is_package=found.submodule_search_locations is not None,
    )
    spec.submodule_search_locations = found.submodule_search_locations
    spec.cached = found.cached
    spec.has_location = found.has_location
    return spec


class AliasLoader(Loader):
    """Gives quart-plug's module, imported under its own name."""

    def __init__(self, target: str, found: ModuleSpec) -> None:
        self.target = target
        self.found = found
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self.target)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module is complete; only its spec, which the import has replaced, is put back."""
        module.__spec__ = self._own_spec

    def get_code(self, fullname: str) -> CodeType | None:
        """The code that `python -m quart` runs."""
        code: CodeType | None = self.found.loader.get_code(self.target)  # type: ignore[union-attr]
        return code


class RefusingLoader(Loader):
    """Fails to import an installed package with the reason why it cannot work here."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        raise ImportError(f"{name} does not work with quart-plug under Quart's name: {OUT_OF_REACH[name]}", name=name)


class QuartDistribution(Distribution):
    """What `importlib.metadata.version("quart")` finds: Quart's version, by which extensions decide."""

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return (
            f"Metadata-Version: 2.1\nName: Quart\nVersion: {QUART_VERSION}\n"
            "Summary: quart-plug, under the name of Quart\nRequires-Dist: quart-plug\n"
        )

    def locate_file(self, path: str | PathLike[str]) -> Path:
        package = sys.modules[_PACKAGE].__file__
        assert package is not None
        return Path(package).parents[1] / path
