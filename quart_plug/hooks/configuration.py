"""Each plugin's configuration: gathered from the places it may stand in, and made into what its schema says.

From the strongest place to the weakest; they are merged key by key:

    environment QUART_PLUG_NAME__KEY            a deeper key as QUART_PLUG_NAME__TABLE__KEY
    app.config["PLUGIN_CONFIG"]["name"]         into which the tables [plugins.NAME] of configuration files go
    [tool.quart-plug.config.NAME]               of the project's pyproject.toml
    the defaults of the schema, a dataclass

Must not know: how plugins are found and loaded, what an app is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from ..exceptions import PluginConfigError, PluginSettingsError
from .places import SETTING, TABLE, Path, Places, environment_form, fields, shown, variable_of, wrong_configuration
from .suggestions import did_you_mean, nearest, slip_of

if TYPE_CHECKING:
    from ..faults import Fault


@dataclass(frozen=True)
class ConfigField:
    """One entry of a plugin's configuration, for people: secrets are "…".

    type           as it would be written: "int | None".
    value          plain data: what a file would say.
    default        plain data; None for one that has to be given.
    source         the place that the value comes from.
    documentation  what the schema says about it, or "".
    variable       the variable of the environment that sets it.
    """

    name: str
    type: str
    value: Any
    default: Any
    required: bool
    source: str
    documentation: str
    secret: bool
    variable: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Bound:
    """A plugin's configuration: its schema, the object made by it, and for each path in it the place it comes from."""

    name: str
    schema: type
    value: Any
    places: Mapping[Path, str]
    setting: Any = None  # what PLUGIN_CONFIG said

    def sources(self) -> dict[str, str]:
        """The place of each field's value; of one that several places fill all of them, the strongest first."""
        return {field.name: self.place((field.name,)) for field in fields(self.schema)}

    def fields(self) -> tuple[ConfigField, ...]:
        """Each entry with its type, value, source and documentation."""
        from ..schemas import HIDDEN, documentation_of, plain, type_text

        said = documentation_of(self.schema)
        found = []
        for field in fields(self.schema):
            value = getattr(self.value, field.name, None)  # an InitVar's is not kept
            default = None if field.make_default is None else plain(field.make_default())
            found.append(
                ConfigField(
                    field.name,
                    type_text(field.hint),
                    HIDDEN if field.secret and value else plain(value),
                    HIDDEN if field.secret and default else default,
                    field.required,
                    self.place((field.name,)),
                    said[field.name],
                    field.secret,
                    variable_of((self.name, field.name)),
                )
            )
        return tuple(found)

    def place(self, path: Path) -> str:
        """Where a value stands; of a table that several places fill all of them, the strongest first."""
        inside = [place for known, place in self.places.items() if known[: len(path)] == path]
        if inside:
            return ", ".join(dict.fromkeys(reversed(inside)))
        outside = (self.places[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.places)
        return next(outside, "default")


class Configuration:
    """The configuration of one app's plugins, and the places that it comes from."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._bound: dict[str, Bound] = {}
        self._declared: dict[str, type] = {}

    # What a plugin gets

    def bind(self, name: str, schema: Any) -> None:
        """Make a plugin's configuration. PluginConfigError with everything that is wrong with it, or its schema."""
        from ..conversion import ConversionError, Converter, SchemaError  # here: an app without schemas needs it not

        if name in self._bound:
            raise PluginConfigError(f"the plugin {name!r} declares two schemas, and may have one; join them")
        if not isinstance(schema, type) or not is_dataclass(schema):
            kind = type(schema).__name__  # and not its repr, for it may be an object with secrets
            given = repr(schema) if isinstance(schema, type) else f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
            raise PluginConfigError(
                f"the configuration_schema of {name!r} has to be a dataclass, the class itself, not {given}"
            )
        try:
            convert = Converter(schema)
            self._declared[name] = schema
            data, places = self._places.gather(name, schema)
        except SchemaError as error:
            raise PluginConfigError(f"the configuration_schema of {name!r} cannot be used: {error}") from error
        bound = Bound(name, schema, None, places)
        try:
            value = convert(data)
        except ConversionError as error:
            raise wrong_configuration([_line(name, fault, bound) for fault in error.faults]) from None
        self._bound[name] = Bound(name, schema, value, places, _copied(self._places.setting(name)))

    def check(self, name: str) -> None:
        """PluginConfigError when something is configured for a plugin that has no schema."""
        if name in self._bound:
            return
        places = [place for _, place, table in self._places.tables(name) if not isinstance(table, Mapping) or table]
        places += [f"environment {variable}" for variable, _ in self._places.variables(name)]
        if places:
            raise PluginConfigError(
                f"the plugin {name!r} takes no configuration, for it has no configuration_schema;"
                f" remove {' and '.join(dict.fromkeys(places))}"
            )

    def check_unchanged(self) -> None:
        """PluginSettingsError when PLUGIN_CONFIG says something else about a plugin than when that was set up."""
        for name, bound in self._bound.items():
            if self._places.setting(name) != bound.setting:
                raise PluginSettingsError(
                    f"{SETTING}[{name!r}] was changed after the plugin had been set up, which has no effect any more;"
                    " set it before the first request, and before app.cli, app.json or another part that a plugin fills"
                    " is used"
                )

    def forget(self, name: str) -> None:
        """The plugin is gone."""
        self._bound.pop(name, None)

    def fields(self, name: str) -> tuple[ConfigField, ...]:
        """A plugin's configuration for people, field by field; empty for a plugin that has none."""
        bound = self._bound.get(name)
        return () if bound is None else bound.fields()

    def bound(self, name: str) -> Bound | None:
        return self._bound.get(name)

    def by_schema(self, schema: Any) -> dict[str, Bound]:
        """Every plugin that declared this schema."""
        return {name: bound for name, bound in self._bound.items() if bound.schema is schema}

    def declared_by(self, schema: Any) -> list[str]:
        """Every plugin that declared this schema, those that failed or went too."""
        return [name for name, declared in self._declared.items() if declared is schema]

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that have a configuration."""
        return tuple(self._bound)

    # What is wrong apart from single plugins

    @property
    def environ(self) -> Mapping[str, str]:
        return self._places.environ

    def variables(self) -> list[str]:
        """The variables that set what plugins have in their configuration, without those for what is inside of it."""
        return [
            variable_of((name, field.name)) for name, schema in self._declared.items() for field in fields(schema)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is configured anywhere."""
        return self._places.are_empty

    def faults(
        self, known: Iterable[str], can_be_found: Callable[[str], bool], sure: bool = True
    ) -> list[PluginConfigError]:
        """Configuration of plugins that nobody knows, and what is no table of tables.

        can_be_found  whether a name is that of a module: it may be a plugin that another app of the project has.
        sure          whether all plugins are known; else only what resembles one that is known is taken for a mistake.
        """
        names = list(known)
        found: list[str] = []
        for table, place in ((self._places.config.get(SETTING), SETTING), self._places.project or (None, "")):
            if table is None:
                continue
            if not isinstance(table, Mapping):
                where = place if place == SETTING else f"{place} [{TABLE}]"
                found.append(f"{where} has to be a table of plugins, {{name: {{key: value}}}}, not {shown(table)}")
                continue
            for name in table:
                if name in names or (not sure and nearest(str(name), names) is None):
                    continue
                if slip_of(str(name), names) is not None or not can_be_found(str(name)):
                    found.append(self._unknown(str(name), self._places.place(place, name), names))
        forms: dict[str, list[str]] = {}
        for name in names:
            forms.setdefault(environment_form(name), []).append(name)
        for variable, form in self._places.all_variables():
            if form not in forms:
                if not sure and nearest(form, forms) is None:
                    continue
                words = form.lower().split("_")
                modules = ("_".join(words[:end]) for end in range(len(words), 0, -1))
                if slip_of(form, forms) is None and any(map(can_be_found, modules)):
                    continue
                hint = did_you_mean(form, forms)
                found.append(f"the environment variable {variable} configures a plugin that is not there{hint};"
                             " correct it, or install the plugin")  # fmt: skip
            elif len(set(forms[form])) > 1:
                several = " and ".join(repr(name) for name in forms[form])
                found.append(f"the environment variable {variable} could mean {several}; use {SETTING} instead")
        return [PluginConfigError(line) for line in dict.fromkeys(found)]

    def _unknown(self, name: str, place: str, known: Iterable[str]) -> str:
        hint = did_you_mean(name, known)
        return f"{place} configures a plugin that is not there{hint}; correct the name, or install the plugin"

def _copied(value: Any) -> Any:
    """Its own tables and lists, so that who changes the others is noticed."""
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _line(name: str, fault: Fault, bound: Bound) -> str:
    """One fault: what, where, the cure."""
    from ..faults import path_text

    where = path_text((name, *fault.path)) if name.isidentifier() else f"{name}: {path_text(fault.path)}".rstrip(": ")
    if fault.missing:
        keys = "".join(f"[{key!r}]" for key in (name, *fault.path))
        inside = all(isinstance(part, str) for part in fault.path)
        cure = f"set {SETTING}{keys}" + (f" or the environment's {variable_of((name, *fault.path))}" if inside else "")
    else:
        place = bound.place(fault.path)
        cure = f"correct {place}" if place != "default" else "correct the configuration"
    return f"{where} {fault.text}; {cure}"
