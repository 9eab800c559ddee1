"""Who did it: a plugin with the distribution and the version that it was installed from.

Results, routes, commands, defaults and exceptions carry it. Knows nothing of how a plugin is found or called.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Origin(NamedTuple):
    """A plugin, as data; as text it is how messages name it: plugin 'rooms' (quart-plug-rooms 1.2).

    distribution, version  None for a local plugin, which is given as a module or an object.
    """

    plugin: str
    distribution: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        return describe_plugin(self.plugin, self.distribution, self.version)

    @property
    def label(self) -> str:
        """The plugin for a table or a place, without quotes: rooms (quart-plug-rooms 1.2)."""
        if self.distribution is None:
            return self.plugin
        return f"{self.plugin} ({self.distribution}{' ' + self.version if self.version else ''})"

    def to_json(self) -> dict[str, Any]:
        return {"plugin": self.plugin, "distribution": self.distribution, "version": self.version}


class Result(NamedTuple):
    """What one plugin's implementation of a hook gave."""

    value: Any
    origin: Origin


def describe_plugin(name: str, distribution: str | None = None, version: str | None = None) -> str:
    """Name a plugin for a message: plugin 'rooms' (quart-plug-rooms 1.2)."""
    if distribution is None:
        return f"plugin {name!r}"
    return f"plugin {name!r} ({distribution}{' ' + version if version else ''})"


def add_note(error: BaseException, note: str) -> None:
    """Add `note` once: the same exception object may pass twice, or be raised for every request."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
