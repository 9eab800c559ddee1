"""What is known of every plugin, as data: what `plugins list --json` prints and `doctor` reads.

Frozen, and free of the plugins' own objects, so that a report can be kept, compared and sent. Must not
know: how any of it came about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .conflicts import Conflict
from .relations import API_VERSION

Status = Literal["active", "disabled", "blocked", "failed", "incompatible", "shadowed", "missing"]

# active        loaded, its hooks are called
# disabled      installed, and not enabled or turned off; never imported
# blocked       a plugin that it requires is not active, it conflicts with one that is, or nobody could choose
# failed        its import, its hooks or its set-up raised
# incompatible  made for another version of the plugin API
# shadowed      another distribution's plugin of the same name was taken
# missing       something that it imports is not installed
STATUSES: tuple[Status, ...] = (
    "active",
    "disabled",
    "blocked",
    "failed",
    "incompatible",
    "shadowed",
    "missing",
)


@dataclass(frozen=True)
class PluginReport:
    """One plugin.

    reason        why it is in this state; "" for an active one.
    distribution  what it was installed from, with `version`; None for a local plugin, given as a module or
                  object.
    value         the entry point's object reference, or the import string of a local plugin.
    hooks         the names of the hooks it implements, sorted; empty unless it is active.
    requested_by  the settings that ask for it, strongest first; "core" for one that is on by itself.
    """

    name: str
    status: Status
    reason: str = ""
    distribution: str | None = None
    version: str | None = None
    value: str = ""
    hooks: tuple[str, ...] = ()
    first_party: bool = False
    requested_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"hooks": list(self.hooks), "requested_by": list(self.requested_by)}


@dataclass(frozen=True)
class Report:
    """Every plugin, the active ones first and in call order; and what is wrong apart from single plugins.

    conflicts  what two plugins both claim.
    """

    plugins: tuple[PluginReport, ...]
    problems: tuple[str, ...] = ()
    api: str = API_VERSION
    conflicts: tuple[Conflict, ...] = ()

    def __iter__(self) -> Iterator[PluginReport]:
        return iter(self.plugins)

    def __len__(self) -> int:
        return len(self.plugins)

    def __getitem__(self, name: str) -> PluginReport:
        """The plugin of this name:
        the one that is not shadowed, where several have it. KeyError when none has.
        """
        found = [plugin for plugin in self.plugins if plugin.name == name]
        if not found:
            raise KeyError(name)
        return next((plugin for plugin in found if plugin.status != "shadowed"), found[0])

    def to_json(self) -> dict[str, Any]:
        return {
            "api": self.api,
            "plugins": [plugin.to_json() for plugin in self.plugins],
            "problems": list(self.problems),
            "conflicts": [conflict.to_json() for conflict in self.conflicts],
        }
