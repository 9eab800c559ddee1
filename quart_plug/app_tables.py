"""Everything an app keeps, as tables that can be pictured, compared and put back; what footprints are made of.

A table is found by its path from the app, anew each time, so that one that was replaced by another object is still the
same table. Some hold keys (`Keys`), some entries in order (`Entries`).

A module that keeps something for an app elsewhere adds a function to `more_tables`; it is called with the app.

Must not know: plugins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .tables import ObservedDict, ObservedList, PublicTable

if TYPE_CHECKING:
    from .app import Quart

MISSING: Any = object()

# What the app does by itself as it runs, and what has tables of its own below.
NOT_RECORDED = frozenset(
    {
        *("plans_http", "plans_websocket", "plans_app", "_entrance", "_filled", "_fillers", "_router", "_sweeps"),
        *("plugin_hooks", "plugins_are_set_up", "_setting_up", "_setup_error", "_plugin_settings", "plugin_setup"),
        *("background_tasks", "shutdown_event", "_plugin_serving", "preserves_context", "preserved_context"),
        *("_is_draining", "_latest_sweep", "config", "url_map", "_assigned", "_settled_names"),
    }
)
_MAP_SETTINGS = (
    *("default_subdomain", "host_matching", "merge_slashes", "redirect_defaults"),
    *("sort_key", "sort_parameters", "strict_slashes"),
)

more_tables: list[Callable[[Any], Iterable[Table]]] = []


class Table(ABC):
    """path  how the table is found and told apart; the first word is an attribute of the app, or a name."""

    def __init__(self, path: tuple[Any, ...], find: Callable[[], Any]) -> None:
        self.path = path
        self.find = find

    @abstractmethod
    def picture(self) -> Any:
        """A copy of the content; later changes do not show in it."""


class Keys(Table):
    """A dictionary."""

    def picture(self) -> dict[Any, Any]:
        return dict(self.find() or ())

    def get(self, key: Any) -> Any:
        found = self.find()
        return MISSING if found is None or key not in found else found[key]

    def put(self, key: Any, value: Any) -> None:
        """Set the value of a key; MISSING removes it."""
        found = self.find()
        if value is not MISSING and found is not None:
            found[key] = value
        elif found is not None and key in found:
            del found[key]

    def same(self, one: Any, other: Any) -> bool:
        return one is other

    def unchanged(self, was: Any, now: Any) -> bool:
        """Whether nobody has put anything else there."""
        return self.same(was, now)


class Entries(Table):
    """A list."""

    def picture(self) -> list[Any]:
        return list(self.find() or ())

    def remove(self, entry: Any, passing: int = 0) -> None:
        """Remove the last one that is this object, when that many of them are passed over; none is no error."""
        found = self.find()
        places = [index for index, other in enumerate(found or ()) if other is entry]
        if places:
            del found[places[max(len(places) - 1 - passing, 0)]]

    def insert(self, index: int, entry: Any) -> None:
        found = self.find()
        if found is not None:
            found.insert(min(index, len(found)), entry)


class Members(Keys):
    """A set, whose members are their own keys."""

    def picture(self) -> dict[Any, Any]:
        return {member: member for member in self.find() or ()}

    def get(self, key: Any) -> Any:
        return key if key in (self.find() or ()) else MISSING

    def put(self, key: Any, value: Any) -> None:
        (self.find().discard if value is MISSING else self.find().add)(key)


class Attributes(Keys):
    """Those of the app, but for what it makes itself when it is first used, and its tables, which have their own."""

    def picture(self) -> dict[Any, Any]:
        app = self.find()
        return {
            key: value
            for key, value in app.__dict__.items()
            if not is_made_by_app(app, key) and not isinstance(getattr(type(app), key, None), PublicTable)
        }

    def get(self, key: Any) -> Any:
        return self.find().__dict__.get(key, MISSING)

    def put(self, key: Any, value: Any) -> None:
        app = self.find()
        if value is not MISSING:
            setattr(app, key, value)
        elif key in app.__dict__:
            delattr(app, key)

    def unchanged(self, was: Any, now: Any) -> bool:
        """A list, dictionary or set in the place of another is a table whose content has changed."""
        return was is now or (type_of(was) is not None and type_of(was) is type_of(now))


class MapSettings(Keys):
    """The settings of the URL map that are attributes of it."""

    def picture(self) -> dict[Any, Any]:
        return {name: getattr(self.find(), name) for name in _MAP_SETTINGS}

    def get(self, key: Any) -> Any:
        return getattr(self.find(), key)

    def put(self, key: Any, value: Any) -> None:
        setattr(self.find(), key, value)


class Settings(Keys):
    """The configuration; a value is (value, source)."""

    def picture(self) -> dict[Any, Any]:
        config = self.find()
        return {key: (value, config.source(key)) for key, value in config.items()}

    def get(self, key: Any) -> Any:
        config = self.find()
        return (config[key], config.source(key)) if key in config else MISSING

    def put(self, key: Any, value: Any) -> None:
        if value is MISSING:
            self.find().pop(key, None)
        else:
            self.find().set_from(key, value[0], value[1] or "code")

    def same(self, one: Any, other: Any) -> bool:
        if one is MISSING or other is MISSING:
            return one is other
        return one[0] is other[0] and one[1] == other[1]


class Rules(Entries):
    """The rules of the URL map."""

    def picture(self) -> list[Any]:
        return list(self.find().all_rules())

    def remove(self, entry: Any, passing: int = 0) -> None:
        self.find().remove([entry])

    def insert(self, index: int, entry: Any) -> None:
        self.find().add(entry)


class CommandGroups(Entries):
    """Commands of blueprints; they are in `app.cli` as well, once that exists."""

    def __init__(self, app: Quart) -> None:
        super().__init__(("_cli_groups",), lambda: app.__dict__["_cli_groups"])
        self.app = app

    def remove(self, entry: Any, passing: int = 0) -> None:
        super().remove(entry, passing)
        group, option, _ = entry
        commands = getattr(self.app.__dict__.get("cli"), "commands", {})
        gone = set(map(id, group.commands.values() if option is None else [group]))
        for name in [name for name, command in commands.items() if id(command) in gone]:
            del commands[name]


class Registrations(Entries):
    """The active plugins, by name."""

    def picture(self) -> list[Any]:
        return list(self.find().names)

    def remove(self, entry: Any, passing: int = 0) -> None:
        if self.find().is_active(entry):
            self.find().unregister(entry)

    def insert(self, index: int, entry: Any) -> None:
        """One that was unregistered stays so."""


def is_made_by_app(app: Any, attribute: str) -> bool:
    """Whether an attribute is what the app keeps for itself, or has made at its first use."""
    if attribute in NOT_RECORDED:
        return True
    own = getattr(type(app), attribute, None)
    return isinstance(own, cached_property) and attribute not in app.__dict__.get("_assigned", ())


def type_of(value: Any) -> type[Table] | None:
    """What kind of table an object is, if any."""
    class_ = type(value)  # of a proxy it is the proxy's
    if issubclass(class_, list):
        return Entries
    if issubclass(class_, dict):
        return Keys
    return Members if issubclass(class_, set) else None


def tables_of(app: Quart) -> Iterator[Table]:
    """Every table that the app has now."""
    yield Attributes(("attributes",), lambda: app)
    for name, value in list(app.__dict__.items()):
        if name == "_cli_groups":
            yield CommandGroups(app)
        elif type_of(value) is not None and not is_made_by_app(app, name):
            yield from _with_children((name,), partial(app.__dict__.get, name), name == "_template_names")
    yield Settings(("config",), lambda: app.config)
    yield Entries(("config.on_change",), lambda: app.config.on_change)
    yield Entries(("hooks.on_change",), lambda: app.plugin_hooks.on_change)
    yield Registrations(("plugins",), lambda: app.plugin_hooks)
    yield MapSettings(("url_map",), lambda: app.url_map)
    yield Keys(("url_map.converters",), lambda: app.url_map.converters)
    yield Rules(("rules",), lambda: app.url_map)
    yield Keys(("scopes.blueprints",), lambda: app.scopes.blueprints)
    yield Keys(("scopes.endpoints",), lambda: app.scopes.endpoints)
    for attribute, names in (("jinja_env", ("filters", "tests", "globals")), ("cli", ("commands",))):
        made = app.__dict__.get(attribute)
        for name in names:
            if isinstance(getattr(made, name, None), dict):
                yield Keys((attribute, name), partial(getattr, made, name))
    for more in more_tables:
        yield from more(app)


def _with_children(path: tuple[Any, ...], find: Callable[[], Any], nested: bool) -> Iterator[Table]:
    found = find()
    kind = type_of(found)
    if kind is None:
        return
    yield kind(path, find)
    if isinstance(found, dict) and (nested or isinstance(found, ObservedDict)):
        for key, value in list(found.items()):
            if nested or type(value) in (ObservedDict, ObservedList):
                yield from _with_children((*path, key), partial(_child, find, key), False)


def _child(find: Callable[[], Any], key: Any) -> Any:
    return (find() or {}).get(key)
