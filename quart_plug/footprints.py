"""What each plugin added to an app: the difference between two pictures of the app's tables, and how it is taken back.

What a plugin does outside of the app's tables (a file, a thread, another module) is not seen, and not undone.

Taking back leaves what others did since:

- Of a list exactly the entries that were added go; what was removed comes back.
- A key, or an attribute of the app, gets the value from before, if it still has the plugin's. If somebody has replaced
  that since, theirs stays; when it is taken back in turn, what comes is what was there before both.

Pictures are taken at set-up only, never while a connection is served. Must not know: which hooks there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .app_tables import MISSING, Entries, Keys, Rules, Table, tables_of
from .tables import ObservedDict, ObservedList

if TYPE_CHECKING:
    from .app import Quart


@dataclass(eq=False)
class Change:
    """One key or one entry of a table, changed by a plugin; MISSING stands for nothing there.

    key  of a list: where the entry was.
    """

    plugin: str | None
    table: Table
    key: Any
    before: Any
    after: Any


class Picture:
    """The content of every table of the app at one moment."""

    def __init__(self, app: Quart) -> None:
        self.tables = {table.path: table for table in tables_of(app)}
        self.content = {path: table.picture() for path, table in self.tables.items()}

    def learn(self, app: Quart, attribute: str) -> None:
        """Add the tables of something that came into being since, and is nobody's doing."""
        for table in tables_of(app):
            if table.path[0] == attribute:
                self.tables[table.path], self.content[table.path] = table, table.picture()


class Footprints:
    """Those of one app's plugins.

    version  another number after each change.
    """

    def __init__(self, app: Quart) -> None:
        self.app = app
        self.version = 0
        self._changes: list[Change] = []
        self._plugin: str | None = None
        self._picture: Picture | None = None  # while something is recorded

    @contextmanager
    def recording(self, plugin: str | None) -> Iterator[None]:
        """Whatever changes within belongs to the plugin (None: to nobody). Within another recording: not to that."""
        outer, is_inner = self._plugin, self._picture is not None
        if is_inner:
            self._record()
        self._plugin, self._picture = plugin, Picture(self.app)
        try:
            yield
        finally:
            self._record()
            self._plugin, self._picture = outer, Picture(self.app) if is_inner else None

    def ignoring(self) -> AbstractContextManager[None]:
        """Whatever changes within is nobody's doing."""
        return nullcontext() if self._picture is None else self.recording(None)

    def made(self, attribute: str) -> None:
        """Say that the app has made an attribute of its own, whose tables hold what they held from the beginning."""
        if self._picture is not None:
            self._picture.learn(self.app, attribute)

    def _record(self) -> None:
        assert self._picture is not None
        self.version += 1
        before, after = self._picture.content, Picture(self.app)
        for path, table in after.tables.items():
            now = after.content[path]
            was = before.get(path, type(now)())
            if isinstance(table, Keys):
                found = self._changed_keys(table, was, now)
            else:
                found = self._changed_entries(table, was, now)
            if self._plugin is not None:
                self._changes += found

    def _changed_keys(self, table: Keys, was: dict[Any, Any], now: dict[Any, Any]) -> list[Change]:
        return [
            Change(self._plugin, table, key, was.get(key, MISSING), now.get(key, MISSING))
            for key in {**was, **now}
            if not table.unchanged(was.get(key, MISSING), now.get(key, MISSING))
        ]

    def _changed_entries(self, table: Table, was: list[Any], now: list[Any]) -> list[Change]:
        if len(was) == len(now) and all(map(_is, was, now)):
            return []
        found = []
        for here, there, is_gone in ((was, now, True), (now, was, False)):
            kept = Counter(map(id, there))
            for index, entry in enumerate(here):
                if kept[id(entry)]:
                    kept[id(entry)] -= 1
                elif is_gone:
                    found.append(Change(self._plugin, table, index, entry, MISSING))
                else:
                    found.append(Change(self._plugin, table, index, MISSING, entry))
                    if isinstance(table, Rules):
                        entry.plugin = self._plugin
        return found

    def take_back(self, plugin: str) -> None:
        """Take back everything that a plugin added; what it has replaced comes back."""
        self.version += 1
        rules: list[Any] = []
        for change in reversed(self.of(plugin)):
            index = self._changes.index(change)
            later = self._changes[index + 1 :]
            del self._changes[index]
            if isinstance(change.table, Rules) and change.before is MISSING:
                rules.append(change.after)  # all at once: the map is made anew
            else:
                _undo(change, later)
        if rules:
            self.app.url_map.remove(rules)

    def replaced(self, table: Table, key: Any, value: Any, by: Any) -> None:
        """Whoever has replaced this value will find the other one in its place."""
        _pass_on(table, key, value, by, self._changes)

    def of(self, plugin: str) -> list[Change]:
        """What a plugin added, in order."""
        return [change for change in self._changes if change.plugin == plugin]

    def reaches(self, plugin: str, attributes: Container[str]) -> bool:
        """Whether a plugin has changed, or is about to change, tables below these attributes of the app."""
        return plugin == self._plugin or any(change.table.path[0] in attributes for change in self.of(plugin))

    def owner(self, thing: Any) -> str | None:
        """The plugin that added this object to one of the tables, or None."""
        return next((change.plugin for change in self._changes if change.after is thing), None)


def _is(one: Any, other: Any) -> bool:
    return one is other


def _undo(change: Change, later: list[Change]) -> None:
    table = change.table
    if isinstance(table, Entries):
        if change.before is MISSING:
            table.remove(change.after, sum(c.after is change.after and c.table.path == table.path for c in later))
        else:
            table.insert(change.key, change.before)
        return
    assert isinstance(table, Keys)
    now = table.get(change.key)
    if type(now) in (ObservedDict, ObservedList) and now:
        return  # a table below this one, which is made when it is looked at; somebody uses it
    if now is change.after or table.same(now, change.after):
        table.put(change.key, change.before)
    else:
        _pass_on(table, change.key, change.after, change.before, later)


def _pass_on(table: Table, key: Any, value: Any, by: Any, later: list[Change]) -> None:
    assert isinstance(table, Keys)
    for change in later:
        if change.table.path == table.path and change.key == key and table.same(change.before, value):
            change.before = by
            return
