"""Two plugins that claim one thing: what it is, who they are, and who has it.

No conflict is what the plugins have settled: one says that it comes before or after the other. Must not know: apps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .relations import Related

if TYPE_CHECKING:
    from .origins import Origin
    from .registry import Registry

_CLAIMS = {
    "slot": "fill the slot",
    "route": "claim the route",
    "command": "have a command",
    "default": "have a default for the setting",
    "blueprint": "have a blueprint named",
}


@dataclass(frozen=True)
class Conflict:
    """kind     "slot", "route", "command", "default" or "blueprint".
    subject  what is claimed: the slot's hook, "GET /path", the name of the command, setting or blueprint.
    plugins  who claims it, by name; the one that has it first.
    text     one line that names them with their distributions, says who has it, and what to do.
    """

    kind: str
    subject: str
    plugins: tuple[str, ...]
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "subject": self.subject, "plugins": list(self.plugins), "text": self.text}


def conflict(kind: str, subject: str, origins: Sequence[Origin]) -> Conflict:
    """Make one; the first of those who claim it has it."""
    names = ", ".join(map(str, origins[:-1])) + f" and {origins[-1]}"
    cure = "have one declare that it comes before or after the other"
    if kind == "blueprint":
        cure = "give one of the blueprints another name"
    every = "both" if len(origins) == 2 else "all"
    text = f"{names} {every} {_CLAIMS[kind]} {subject!r}; {origins[0].plugin!r} has it. Turn one off, or {cure}"
    return Conflict(kind, subject, tuple(origin.plugin for origin in origins), text)


def unsettled(names: Sequence[str], related: Mapping[str, Related]) -> list[str]:
    """Those of the plugins that share something with another one without a relation that settles it, in order."""
    found = set()
    for one, other in combinations(dict.fromkeys(names), 2):
        if not (_places(related[one], related[other]) or _places(related[other], related[one])):
            found |= {one, other}
    return [name for name in dict.fromkeys(names) if name in found]


def _places(one: Related, other: Related) -> bool:
    declared = one.declaration
    return any(other.answers_to(name) for name in (*declared.before, *declared.after))


def of_slots(registry: Registry) -> Iterable[Conflict]:
    """Slots that several plugins fill beside the one that does by default.

    One that is asked for something (the server, by its name) may have as many as it likes.
    """
    related = {entry.name: entry.related for entry in registry.active}
    for spec in registry.specs.values():
        if spec.info.kind == "first" and spec.info.provider is not None and spec.arguments == ("app",):
            found = {i.plugin: i.origin for i in registry.implementations(spec.name) if i.plugin != spec.info.provider}
            names = unsettled(list(found), related)
            if names:
                yield conflict("slot", spec.name, [found[name] for name in names])
