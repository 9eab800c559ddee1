"""The classes of Flask's that Quart's derive from, for extensions that ask `isinstance(x, flask.sansio.app.App)`.

quart-plug's classes derive from nothing of Flask's. Under the alias the names in NAMES, in Flask's own modules, stand
for either:

- With Flask installed each is a class derived from Flask's, of which Flask's objects and quart-plug's are instances.
  Flask itself, which has imported its classes before, does not notice.
- Without Flask the modules that have these names can be imported, and the names are quart-plug's classes. There is no
  other Flask: `import flask` fails as it does without the alias, until somebody has asked for one of these modules.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

NAMES = {
    "flask.sansio.app": {"App": "quart_plug.app:Quart"},
    "flask.sansio.blueprints": {
        "Blueprint": "quart_plug.blueprints:Blueprint",
        "BlueprintSetupState": "quart_plug.blueprints:BlueprintSetupState",
    },
    "flask.sansio.scaffold": {"Scaffold": "quart_plug.scaffold:Scaffold"},
}
MODULES = {"flask", "flask.sansio", *NAMES}

_THIN = "quart_plug_thin"  # the mark of a module that stands in for Flask's
_originals: dict[tuple[str, str], type] = {}


class EitherMeta(ABCMeta):
    """The class of stand-ins: asks Flask's class, and quart-plug's. A class derived from a stand-in is an ordinary one.

    Derived from ABCMeta, so that a stand-in can be a base class beside an abstract one.
    """

    of_flask: type
    of_ours: type

    def __instancecheck__(cls, instance: Any) -> bool:
        if "of_ours" in cls.__dict__:
            return isinstance(instance, (cls.of_flask, cls.of_ours))
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if "of_ours" in cls.__dict__:
            return issubclass(subclass, (cls.of_flask, cls.of_ours))
        return super().__subclasscheck__(subclass)


def serve() -> None:
    """Put the stand-ins into Flask's modules, if Flask is imported."""
    for module_name, names in NAMES.items():
        module = sys.modules.get(module_name)
        if module is None or hasattr(module, _THIN):
            continue
        for name, reference in names.items():
            original = getattr(module, name, None)
            if isinstance(original, type) and "of_ours" not in vars(original):
                _originals[module_name, name] = original
                setattr(module, name, _stand_in(original, _ours(reference)))


def withdraw() -> None:
    """Give Flask's modules their own classes back, and take away those that stand in for a Flask that is not there."""
    for (module_name, name), original in _originals.items():
        if module_name in sys.modules:
            setattr(sys.modules[module_name], name, original)
    _originals.clear()
    for name in MODULES:
        if hasattr(sys.modules.get(name), _THIN):
            del sys.modules[name]


def _stand_in(original: type, ours: type) -> type:
    names = {"__module__": original.__module__, "__qualname__": original.__qualname__, "__doc__": original.__doc__}
    made = EitherMeta(original.__name__, (original,), names)
    made.of_flask = original
    made.of_ours = ours
    return made


def _ours(reference: str) -> type:
    module, _, name = reference.partition(":")
    found: type = getattr(import_module(module), name)
    return found


def find_spec(fullname: str, path: Sequence[str] | None, asking: MetaPathFinder) -> ModuleSpec | None:
    """The spec of an installed Flask, after whose import the stand-ins are put in; or of a thin module."""
    if "." in fullname and not hasattr(sys.modules.get("flask"), _THIN):
        return None
    for finder in sys.meta_path:
        look = None if finder is asking else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = None if look is None else look(fullname, path)
        if spec is not None:
            if fullname == "flask" and spec.loader is not None:
                spec.loader = _ThenServe(spec.loader)
            return spec
    if fullname in NAMES or _asked_for().startswith("flask.sansio"):
        return ModuleSpec(fullname, _ThinLoader(), origin="quart-plug", is_package=fullname not in NAMES)
    return None


def _asked_for() -> str:
    """The module that an import statement named: the import system looks for the packages around it first."""
    name = ""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_machinery(frame):
        frame = frame.f_back
    while frame is not None and _is_machinery(frame):
        name = frame.f_locals.get("name", name)
        frame = frame.f_back
    return name


def _is_machinery(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith("<frozen importlib")


class _ThenServe(Loader):
    """Loads Flask as its own loader does, then puts the stand-ins in."""

    def __init__(self, own: Loader) -> None:
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.own
        if module.__spec__ is not None:
            module.__spec__.loader = self.own
        self.own.exec_module(module)
        serve()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


class _ThinLoader(Loader):
    """Makes a module that stands in for one of Flask's."""

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, _THIN, True)
        for name, reference in NAMES.get(module.__name__, {}).items():
            setattr(module, name, _ours(reference))

        def missing(name: str) -> Any:
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {name!r}: Flask is not installed, and quart-plug's alias "
                f"stands in for {', '.join(sorted(NAMES))} only; pip install flask"
            )

        module.__getattr__ = missing  # type: ignore[method-assign]
