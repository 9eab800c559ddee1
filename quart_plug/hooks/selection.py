"""Which plugins are to be loaded: what is installed, and what the settings say, decided without importing
anything.

- Core plugins are on. Others are off until a setting names them, or autoload is on.
- The strongest level that names a plugin decides (`settings` has their order); within one, disable beats
  enable.
- Of two distributions with a plugin of one name the first-party one is taken, unless a setting chooses the
  other as `distribution:name`. Where neither is first-party one has to be chosen.
- Safe mode: core plugins only, whatever the settings ask for; what they turn off stays off.

Pure: a function of its arguments. Must not know: how a plugin is imported or registered.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

from ..exceptions import PluginError, PluginNotFound, PluginSettingsError
from .discovery import Discovery, Record, normalise
from .relations import DECLARATION
from .settings import Level, Wanted
from .suggestions import did_you_mean, nearest

# In the order in which they are called. More ship with quart-plug; these are on unless they are turned off.
CORE: tuple[str, ...] = ("json", "sessions", "templates", "signals", "static", "cli", "hypercorn", "debug", "security")

NOT_ENABLED = "installed, but not enabled"

_IMPORT_STRING = re.compile(r"^[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?$")


class Choice(NamedTuple):
    """One plugin that is installed or asked for, and what was decided.

    status        "selected", "disabled", "shadowed", "missing" (a core plugin that is not installed) or
                  "blocked" (one of several of the name, and none is chosen).
    reason        why it is not selected; "" when it is.
    local         for a plugin that has no entry point: its import string, or the module or object itself.
    requested_by  the settings that ask for it, strongest first; ("core",) for a core plugin.
    required      asked for by name, or core: the app cannot start without it when it is strict.
    """

    name: str
    status: str
    reason: str = ""
    record: Record | None = None
    local: Any = None
    requested_by: tuple[str, ...] = ()
    required: bool = False


class Selection(NamedTuple):
    """choices   in call order as far as the settings decide it.
    problems  what is wrong with the settings: to be raised before anything is loaded.
    """

    choices: tuple[Choice, ...]
    problems: tuple[PluginError, ...] = ()


@dataclass
class _Candidate:
    """A plugin of a name; a name may have several, each from a distribution of its own."""

    name: str
    record: Record | None = None
    local: Any = None
    on: bool = False
    reason: str = ""
    disabled: bool = False
    named: bool = False  # some setting asks for it by name, as autoload does not
    places: list[str] = field(default_factory=list)
    chosen_at: int | None = None  # the strongest level that names it with its distribution


class _Target(NamedTuple):
    """What an item of a setting means. `record` only when the item names the distribution."""

    name: str
    record: Record | None = None
    local: Any = None

    def is_about(self, candidate: _Candidate) -> bool:
        return self.name == candidate.name and (self.record is None or self.record == candidate.record)


def select(discovery: Discovery, levels: Sequence[Level], *, core: Sequence[str] = CORE) -> Selection:
    """Decide about every plugin that is installed or asked for. `levels` come strongest first."""
    safe_mode = next((level.safe_mode for level in levels if level.safe_mode is not None), None)
    safe_place = safe_mode[1] if safe_mode is not None and safe_mode[0] else None
    resolver = _Resolver(discovery, core)
    resolver.learn_objects(levels)
    enabled = [resolver.all(level.enable if safe_place is None else ()) for level in levels]
    disabled = [resolver.all(level.disable, guess=True) for level in levels]
    autoload = next((level.autoload for level in levels if level.autoload is not None), None)

    candidates = _candidates(
        discovery, core, [target for targets in reversed(enabled) for target, _ in targets]
    )
    for candidate in candidates:
        _decide(candidate, enabled, disabled, core, autoload)
        if safe_place is not None and candidate.on and not _is_core(candidate, core):
            candidate.on, candidate.reason = False, f"safe mode ({safe_place}): core plugins only"

    problems: list[PluginError] = []
    if resolver.unknown and safe_place is None:
        problems.append(
            PluginNotFound(
                "no such plugin:" + "".join(f"\n  - {line}" for line in resolver.unknown),
                [f"no such plugin: {line}" for line in resolver.unknown],
            )
        )
    choices: list[Choice] = []
    for name in dict.fromkeys(candidate.name for candidate in candidates):
        of_name = [candidate for candidate in candidates if candidate.name == name]
        choices += _choose(of_name, core, problems)
    return Selection(tuple(choices), tuple(problems))


def needs_metadata(levels: Sequence[Level], core: Sequence[str] = CORE) -> bool:
    """Whether deciding takes more than the names of the core plugins.

    It does not where exactly those are turned off, and nothing is asked for: then nothing is loaded, whatever is
    installed.
    """
    autoload = next((level.autoload[0] for level in levels if level.autoload is not None), False)
    off = {wanted.item for level in levels for wanted in level.disable}
    return autoload or off != set(core) or any(level.enable for level in levels)


def local_name(item: Any) -> str:
    """The name of a plugin that is given as a module or an object."""
    declared = getattr(item, DECLARATION, None)
    if isinstance(declared, dict) and isinstance(declared.get("name"), str):
        return str(declared["name"])
    if isinstance(item, ModuleType):
        return item.__name__
    kind = item if isinstance(item, type) else type(item)
    return f"{kind.__module__}:{kind.__qualname__}"


def _is_core(candidate: _Candidate, core: Sequence[str]) -> bool:
    return candidate.name in core and (candidate.record is None or candidate.record.first_party)


class _Resolver:
    """From an item of a setting to the plugin it means; unknown ones are gathered."""

    def __init__(self, discovery: Discovery, core: Sequence[str]) -> None:
        self.records = discovery.records
        self.names = {record.name for record in self.records} | set(core)
        self.by_reference = {record.reference: record for record in reversed(self.records)}
        self.unknown: list[str] = []
        self.locals: dict[str, Any] = {}

    def learn_objects(self, levels: Sequence[Level]) -> None:
        """So that any level may name an object that another one gives."""
        for level in levels:
            for wanted in level.enable:
                if not isinstance(wanted.item, str):
                    self._object(wanted.item)

    def all(self, wanted: Sequence[Wanted], guess: bool = False) -> list[tuple[_Target, str]]:
        """guess  whether a misspelt name counts as what was probably meant: a plugin to be off is not imported."""
        found = ((self.one(item) or (self._guess(item) if guess else None), item.place) for item in wanted)
        return [(target, place) for target, place in found if target is not None]

    def one(self, wanted: Wanted) -> _Target | None:
        item = wanted.item
        if not isinstance(item, str):
            return self._object(item)
        if item in self.names:
            return _Target(item)
        distribution, _, name = item.partition(":")
        for record in self.records:
            if record.name == name and normalise(record.distribution) == normalise(distribution):
                return _Target(name, record)
        record_of_value = self.by_reference.get(item)
        if record_of_value is not None:
            return _Target(record_of_value.name, record_of_value)
        if item in self.locals:
            return _Target(item, local=self.locals[item])
        if _IMPORT_STRING.match(item) and can_be_found(item):
            return _Target(item, local=item)
        known = self.names | {record.qualified for record in self.records}
        line = f"{item!r} in {wanted.place}{did_you_mean(item, known)}"
        if line not in self.unknown:
            self.unknown.append(line)
        return None

    def _guess(self, wanted: Wanted) -> _Target | None:
        name = nearest(str(wanted.item), self.names | set(self.locals))
        return None if name is None else _Target(name)

    def _object(self, item: Any) -> _Target:
        if isinstance(item, ModuleType) and item.__name__ in self.by_reference:
            record = self.by_reference[item.__name__]
            return _Target(record.name, record)
        base = name = local_name(item)
        count = 1
        while (name in self.locals and self.locals[name] is not item) or name in self.names:
            count += 1
            name = f"{base}#{count}"
        self.locals[name] = item
        return _Target(name, local=item)


def can_be_found(item: str) -> bool:
    """Whether the import string's top package is there; asked without importing it."""
    top = item.partition(":")[0].partition(".")[0]
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _candidates(discovery: Discovery, core: Sequence[str], asked: Sequence[_Target]) -> list[_Candidate]:
    """Core plugins first,
    then those asked for (weakest level first), then what else is installed, by name.
    """
    names = dict.fromkeys((*core, *(target.name for target in asked), *(r.name for r in discovery.records)))
    locals_ = {target.name: target.local for target in asked if target.local is not None}
    candidates: list[_Candidate] = []
    for name in names:
        if name in locals_:
            candidates.append(_Candidate(name, local=locals_[name]))
            continue
        records = discovery.named(name)
        candidates += [_Candidate(name, record) for record in records] or [_Candidate(name)]
    return candidates


def _decide(
    candidate: _Candidate,
    enabled: Sequence[Sequence[tuple[_Target, str]]],
    disabled: Sequence[Sequence[tuple[_Target, str]]],
    core: Sequence[str],
    autoload: tuple[bool, str] | None,
) -> None:
    decided = False
    for index, (on, off) in enumerate(zip(enabled, disabled, strict=True)):
        refused = next((place for target, place in off if target.is_about(candidate)), None)
        if refused is not None and not decided:
            decided, candidate.disabled, candidate.reason = True, True, f"disabled by {refused}"
        for target, place in on:
            if not target.is_about(candidate):
                continue
            candidate.named = True
            if place not in candidate.places:
                candidate.places.append(place)
            if target.record is not None and candidate.chosen_at is None:
                candidate.chosen_at = index
            if not decided:
                decided = candidate.on = True
    if decided:
        return
    if _is_core(candidate, core):
        candidate.on = True
    elif autoload is not None and autoload[0] and candidate.record is not None:
        candidate.on = True
        candidate.places.append(autoload[1])
    else:
        candidate.reason = NOT_ENABLED


def _choose(
    candidates: Sequence[_Candidate], core: Sequence[str], problems: list[PluginError]
) -> list[Choice]:
    """Of all plugins of one name at most one is selected."""
    wanted = [candidate for candidate in candidates if candidate.on]
    taken: _Candidate | None = None
    undecided = ""
    if len(wanted) == 1:
        taken = wanted[0]
    elif wanted:
        strongest = min((c.chosen_at for c in wanted if c.chosen_at is not None), default=None)
        chosen = [c for c in wanted if strongest is not None and c.chosen_at == strongest]
        first_party = [c for c in wanted if c.record is not None and c.record.first_party]
        if len(chosen) == 1:
            taken = chosen[0]
        elif first_party and not chosen:
            taken = first_party[0]
        else:
            options = ", ".join(repr(c.record.qualified) for c in chosen or wanted if c.record is not None)
            undecided = f"several distributions have a plugin {wanted[0].name!r}; choose one of {options}"
            places = dict.fromkeys(place for c in wanted for place in c.places)
            problems.append(PluginSettingsError(f"{undecided} in {' or '.join(places) or 'the settings'}"))
    return [_choice(candidate, taken, undecided, core) for candidate in candidates]


def _choice(candidate: _Candidate, taken: _Candidate | None, undecided: str, core: Sequence[str]) -> Choice:
    is_core = _is_core(candidate, core)
    places = tuple(candidate.places) + (("core",) if is_core else ())
    status, reason = "disabled", candidate.reason
    if candidate is taken:
        status, reason = "selected", ""
        if candidate.record is None and candidate.local is None:
            status, reason = "missing", "a core plugin that is not installed: reinstall quart-plug"
    elif taken is not None and taken.record is not None and not candidate.disabled:
        status, reason = "shadowed", f"{taken.record.qualified!r} has the same name and is {_why(taken)}"
    elif candidate.on:
        status, reason = "blocked", undecided
    required = is_core or candidate.named
    return Choice(candidate.name, status, reason, candidate.record, candidate.local, places, required)


def _why(taken: _Candidate) -> str:
    if taken.chosen_at is not None:
        return f"chosen by {taken.places[0]}"
    return "first-party" if taken.record is not None and taken.record.first_party else "the enabled one"
