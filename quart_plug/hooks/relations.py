"""What a plugin declares about others, and the one order that follows from it.

A plugin declares it in a module (or class) attribute:

    __quart_plug__ = {
        "requires": ["rooms"],     # plugins (or what they provide) that must be active, and are called first
        "before": ["sessions"],    # called before these, "after" those; ignored where the other is absent
        "after": [],
        "conflicts": [],           # cannot be active together
        "provides": ["rooms"],     # other names under which the four above find this plugin
        "api": ">=1,<2",           # versions of the plugin API it works with; also as QUART_PLUG_API = 1
        "hookspecs": ["my.specs"], # modules (or classes) with hook specifications of its own
        "name": "chat",            # the name of a plugin that is given as an object
    }

Must not know: how plugins are found or registered.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..exceptions import PluginLoadError
from .suggestions import did_you_mean

API_VERSION = "1.0"
DECLARATION = "__quart_plug__"
API_ATTRIBUTE = "QUART_PLUG_API"

_COMPARISON = re.compile(r"^(==|!=|>=|<=|>|<|)\s*(\d+(?:\.\d+)*)$")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


class Declaration(NamedTuple):
    """What a plugin declares; see the module's text."""

    requires: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    api: str | None = None
    hookspecs: tuple[Any, ...] = ()
    name: str | None = None


NOTHING_DECLARED = Declaration()


def read_declaration(plugin: Any, module: Any = None) -> Declaration:
    """Read the declaration of a plugin, or of its module.
    PluginLoadError lists everything that is wrong with it.
    """
    api = getattr(plugin, API_ATTRIBUTE, getattr(module, API_ATTRIBUTE, None))
    declared = getattr(plugin, DECLARATION, getattr(module, DECLARATION, None))
    if isinstance(declared, Declaration):
        return declared
    if declared is None:
        declared = {}
    if not isinstance(declared, Mapping):
        raise PluginLoadError(f"its {DECLARATION} has to be a dictionary, not {type(declared).__name__}")
    values: dict[str, Any] = {} if api is None else {"api": str(api)}
    faults: list[str] = []
    known = set(Declaration._fields)
    for key, value in declared.items():
        if key not in known:
            faults.append(f"unknown key {key!r}{did_you_mean(str(key), known)}")
        elif key == "api":
            values[key] = str(value)
        elif key == "name":
            values[key] = value
        else:
            many = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
            if key != "hookspecs" and not all(isinstance(item, str) for item in many):
                faults.append(f"{key!r} has to be a list of names")
            values[key] = tuple(many)
    if values.get("api") is not None and not _comparisons(values["api"]):
        faults.append(f"'api' has to be a range such as '>=1,<2', not {values['api']!r}")
    if faults:
        raise PluginLoadError(f"its {DECLARATION} is wrong: " + "; ".join(faults))
    return Declaration(**values)


def api_matches(wanted: str | None, version: str = API_VERSION) -> bool:
    """Whether the plugin API's `version` is in the range; "1" alone means any 1.x."""
    if wanted is None:
        return True
    have = _numbers(version)
    for sign, numbers in _comparisons(wanted):
        if not sign:
            if have[: len(numbers)] != numbers:
                return False
            continue
        length = max(len(have), len(numbers))
        padding = (0,) * length
        if not _OPERATORS[sign]((have + padding)[:length], (numbers + padding)[:length]):
            return False
    return True


def _comparisons(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """The parts of a range; empty when it is not one."""
    found = [_COMPARISON.match(part.strip()) for part in text.split(",")]
    return [(match[1], _numbers(match[2])) for match in found if match] if all(found) else []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


class Related(NamedTuple):
    """A plugin's name with its declaration; what ordering needs to know."""

    name: str
    declaration: Declaration = NOTHING_DECLARED

    def answers_to(self, name: str) -> bool:
        return name == self.name or name in self.declaration.provides


class Ordering(NamedTuple):
    """order  the names, each after what it has to follow, else as they came; without the members of cycles.
    cycles   for each its members, and the text that prints it.
    """

    order: tuple[str, ...]
    cycles: tuple[tuple[tuple[str, ...], str], ...] = ()


def conflicts_of(plugin: Related, others: Sequence[Related]) -> list[str]:
    """The names of those among `others` that cannot be active together with `plugin`."""
    return [
        other.name
        for other in others
        if other.name != plugin.name
        and (
            any(other.answers_to(name) for name in plugin.declaration.conflicts)
            or any(plugin.answers_to(name) for name in other.declaration.conflicts)
        )
    ]


def missing_requirements(plugin: Related, others: Sequence[Related]) -> list[str]:
    """What `plugin` requires and nobody among `others` is or provides."""
    return [
        name for name in plugin.declaration.requires if not any(other.answers_to(name) for other in others)
    ]


def resolve_order(plugins: Sequence[Related]) -> Ordering:
    """Order plugins by requires, before and after; where these leave a choice, as they came."""
    waits = _waits(plugins)
    order: list[str] = []
    cycles: list[tuple[tuple[str, ...], str]] = []
    left = [plugin.name for plugin in plugins]
    while left:
        ready = next((name for name in left if not waits[name].keys() & set(left)), None)
        if ready is not None:
            order.append(ready)
            left.remove(ready)
            continue
        members, text = _cycle(left, waits)
        cycles.append((members, text))
        left = [name for name in left if name not in members]
    return Ordering(tuple(order), tuple(cycles))


def _waits(plugins: Sequence[Related]) -> dict[str, dict[str, str]]:
    """name -> {the name it has to follow: why}"""
    waits: dict[str, dict[str, str]] = {plugin.name: {} for plugin in plugins}
    for plugin in plugins:
        for other in plugins:
            if other is plugin:
                continue
            if any(other.answers_to(name) for name in plugin.declaration.requires):
                waits[plugin.name].setdefault(other.name, f"{plugin.name!r} requires {other.name!r}")
            if any(other.answers_to(name) for name in plugin.declaration.after):
                waits[plugin.name].setdefault(other.name, f"{plugin.name!r} comes after {other.name!r}")
            if any(other.answers_to(name) for name in plugin.declaration.before):
                waits[other.name].setdefault(plugin.name, f"{plugin.name!r} comes before {other.name!r}")
    return waits


def _cycle(left: Sequence[str], waits: Mapping[str, Mapping[str, str]]) -> tuple[tuple[str, ...], str]:
    """Everyone in `left` waits for someone in it: walk until somebody is met again."""
    walked = [left[0]]
    while True:
        following = next(name for name in waits[walked[-1]] if name in left)
        if following in walked:
            members = walked[walked.index(following) :]
            break
        walked.append(following)
    steps = [waits[name][members[(index + 1) % len(members)]] for index, name in enumerate(members)]
    return tuple(members), f"{' -> '.join((*members, members[0]))} ({'; '.join(steps)})"
