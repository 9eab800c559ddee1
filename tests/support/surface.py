"""The facts about Quart's public API (tests/surface/*.json), as names that tests can be asked for.

A name is written without the package: `app.Quart.route` is the method `route` of `quart.app.Quart`. A name that several
modules offer is known by its home, the module that defines it; the other places have to hold the same object.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

FACTS = Path(__file__).parents[1] / "surface"

# Where a name lives that Quart itself takes from elsewhere, and offers in several modules.
_HOMES = ("signals", "globals", "sessions")

T = TypeVar("T")


class Place(NamedTuple):
    """One name in one module, as the facts have it."""

    module: str  # without the package: "app", "" for the package itself
    name: str
    home: str  # the module that the name belongs to
    fact: dict[str, Any]


@cache
def facts() -> dict[str, Any]:
    return json.loads((FACTS / "quart-0.22.0.json").read_text())  # type: ignore[no-any-return]


@cache
def places() -> tuple[Place, ...]:
    """Every public name of every public module."""
    found = [
        (module.removeprefix("quart").removeprefix("."), name, fact)
        for module, names in facts().items()
        if not module.startswith("(")
        for name, fact in names.items()
    ]
    offered: dict[tuple[str, str], list[str]] = {}
    for module, name, fact in found:
        offered.setdefault((name, fact.get("defined_in", module)), []).append(module)
    return tuple(Place(module, name, _home(module, name, fact, offered), fact) for module, name, fact in found)


def _home(module: str, name: str, fact: dict[str, Any], offered: dict[tuple[str, str], list[str]]) -> str:
    definer = fact.get("defined_in")
    if definer is None:
        return module
    if definer == "quart" or definer.startswith("quart."):
        return str(definer).removeprefix("quart").removeprefix(".")
    modules = offered[name, definer]
    return next((home for home in _HOMES if home in modules), modules[0])


def module(name: str) -> Any:
    """The module of quart-plug that stands for a module of Quart."""
    return import_module(f"quart_plug.{name}" if name else "quart_plug")


def members() -> Iterator[tuple[Place, str, str]]:
    """(the class, a member's name, what the facts say of it) for the classes at home."""
    for place in places():
        if place.module == place.home:
            for member, said in place.fact.get("members", {}).items():
                yield place, member, said


@cache
def public_names() -> frozenset[str]:
    """Everything that has to be shown by a test: names at home, and what their classes add to their bases."""
    names = {f"{place.home}.{place.name}".lstrip(".") for place in places()}
    classes = [(place, _class_of(place)) for place in places() if place.module == place.home]
    for place, member, _ in members():
        if not _is_inherited(place, member, classes):
            names.add(f"{place.home}.{place.name}.{member}")
    return frozenset(names)


def _class_of(place: Place) -> type | None:
    found = getattr(module(place.module), place.name, None)
    return found if inspect.isclass(found) else None


def _is_inherited(place: Place, member: str, classes: list[tuple[Place, type | None]]) -> bool:
    """Whether the member belongs to a base that is in the facts as well, or to Python or click, not to Quart."""
    class_ = _class_of(place)
    if class_ is None:
        return False
    own = inspect.getattr_static(class_, member, None)
    for other, base in classes:
        if base is not None and base is not class_ and base in class_.__mro__:
            listed = member in other.fact.get("members", {})
            if listed and inspect.getattr_static(base, member, None) is own:
                return True
    definer = next((each for each in class_.__mro__ if member in vars(each)), None)
    return definer is not None and definer.__module__.partition(".")[0] in _OTHERS


_OTHERS = {"builtins", "enum", "logging", "click", "jinja2", "queue"}


def shows(*names: str) -> Callable[[T], T]:
    """Say which public names a test shows the behaviour of; tests/surface/test_shown.py finds those without one."""
    unknown = [name for name in names if name not in public_names()]
    if unknown:
        raise ValueError(f"@shows: not public names of Quart, or known by another home: {', '.join(unknown)}")
    return lambda test: test
