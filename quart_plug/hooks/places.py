"""Where a plugin's configuration stands, and what stands there, as plain data.

From the weakest place to the strongest; a stronger one is merged into what weaker ones say, key by key:

    [tool.quart-plug.config.NAME]               of the project's pyproject.toml
    app.config["PLUGIN_CONFIG"]["name"]         into which the tables [plugins.NAME] of configuration files go
    environment QUART_PLUG_NAME__KEY            a deeper key as QUART_PLUG_NAME__TABLE__KEY

Must not know: what a value has to be (see configuration.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..exceptions import PluginConfigError

if TYPE_CHECKING:
    from ..schemas import Taken

SETTING = "PLUGIN_CONFIG"
TABLE = "tool.quart-plug.config"
PREFIX = "QUART_PLUG_"
SEPARATOR = "__"

Path = tuple[str | int, ...]


def environment_form(name: str) -> str:
    """A plugin's name, or a key, as it stands in the environment: "shop.plugins:audit" is SHOP_PLUGINS_AUDIT."""
    return re.sub(r"[\W_]+", "_", name).strip("_").upper()


def variable_of(path: Path) -> str:
    """The variable that sets a value, by the plugin's name and the keys that lead to it."""
    return PREFIX + SEPARATOR.join([environment_form(str(path[0])), *(str(part).upper() for part in path[1:])])


class Places:
    """The places of one app's configuration of plugins.

    config   the app's configuration; the tables in its PLUGIN_CONFIG may be filled later, for plugins that come later.
    environ  the environment.
    project  the tables [tool.quart-plug.config.NAME], and the file that they stand in.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        project: tuple[Mapping[str, Any], str] | None = None,
    ) -> None:
        self.config: Mapping[str, Any] = {} if config is None else config
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.project = project

    def setting(self, name: str) -> Any:
        """What PLUGIN_CONFIG says about a plugin."""
        tables = self.config.get(SETTING)
        return tables.get(name) if isinstance(tables, Mapping) else None

    @property
    def are_empty(self) -> bool:
        """Whether nothing is configured anywhere."""
        written = self.config.get(SETTING) not in (None, {}) or bool(self.project and self.project[0])
        return not written and next(self.all_variables(), None) is None

    def place(self, where: str, name: Any, key: Any = None) -> str:
        """The place of a plugin's table, or of a key in it, for people."""
        if where != SETTING:
            return f"{where} [{TABLE}.{name}]"
        source_of = getattr(self.config, "plugin_source", None)
        place: str = f"{SETTING}[{name!r}]" if source_of is None else source_of(name, key)
        return place

    def tables(self, name: str) -> Iterator[tuple[str, str, Any]]:
        """What is written about a plugin, weakest first, without the environment: setting, place, what it says."""
        for tables, where in (self.project or (None, ""), (self.config.get(SETTING), SETTING)):
            if isinstance(tables, Mapping) and name in tables:
                yield where, self.place(where, name), tables[name]

    def all_variables(self) -> Iterator[tuple[str, str]]:
        """Every variable that is about a plugin's configuration, and the form of the plugin's name in it."""
        for variable in self.environ:
            name, separator, key = variable[len(PREFIX) :].partition(SEPARATOR)
            if variable.startswith(PREFIX) and separator and name and key:
                yield variable, name.upper()

    def variables(self, name: str) -> list[tuple[str, list[str]]]:
        """A plugin's variables, each with the keys that lead to its value; those that lead less deep come first."""
        form = environment_form(name)
        found = [
            (variable, variable[len(PREFIX) :].split(SEPARATOR)[1:])
            for variable, of in self.all_variables()
            if of == form
        ]
        return sorted(found, key=lambda item: (len(item[1]), item[0]))

    def gather(self, name: str, schema: type) -> tuple[dict[str, Any], dict[Path, str]]:
        """Everything that is said about a plugin, and the place of each value. PluginConfigError for no table."""
        data: dict[str, Any] = {}
        places: dict[Path, str] = {}
        wrong: list[str] = []
        for where, place, given in self.tables(name):
            table = given
            if isinstance(table, schema):
                table = {field.name: getattr(table, field.name) for field in fields(schema)}
            if not isinstance(table, Mapping):
                wrong.append(f"{place} has to be a table, {{key: value}}, not {shown(table)}; correct it there")
                continue
            for key, value in table.items():
                _merge(data, (), key, value, places, self.place(where, name, key))
        if wrong:
            raise wrong_configuration(wrong)
        for variable, words in self.variables(name):
            self._put(data, schema, variable, words, places)
        return data, places

    def _put(
        self, data: dict[str, Any], schema: Any, variable: str, words: list[str], places: dict[Path, str]
    ) -> None:
        """Put the value of a variable where its name says: the keys are those of the schema, whatever their case."""
        from ..conversion import Text
        from ..schemas import nested_schema

        path: list[str] = []
        for word in words:
            taken = {} if schema is None else {field.name.lower(): field for field in fields(schema)}
            field = taken.get(word.lower())
            path.append(field.name if field is not None else word.lower() if word.isupper() else word)
            schema = nested_schema(field.hint) if field is not None else None
        table: Any = Text(self.environ[variable])
        for key in reversed(path[1:]):
            table = {key: table}
        _merge(data, (), path[0], table, places, f"environment {variable}")


def fields(schema: Any) -> tuple[Taken, ...]:
    """The fields of a schema."""
    from ..schemas import fields_of

    return fields_of(schema)


def shown(value: Any) -> str:
    """A value for a message, cut short."""
    from ..faults import show

    return show(value)


def wrong_configuration(lines: list[str]) -> PluginConfigError:
    """One error of several lines."""
    if len(lines) == 1:
        return PluginConfigError(lines[0])
    return PluginConfigError("what is configured does not fit:" + "".join(f"\n  - {line}" for line in lines), lines)


def _merge(into: dict[str, Any], path: Path, key: Any, value: Any, places: dict[Path, str], place: str) -> None:
    """Set a value; a table is merged into the table that is there, anything else replaces what is there."""
    path = (*path, key)
    there = into.get(key) if isinstance(value, Mapping) else None
    if isinstance(there, str) and there.lstrip().startswith("{"):
        there = _object(there)
        if not isinstance(there, dict):
            return  # what stands there is a mistake, and is told when it does not fit
    if not isinstance(there, dict):
        for known in [known for known in places if known[: len(path)] == path]:
            del places[known]
        there = {}
    into[key] = there if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping) or not value:
        places[path] = place
    if not isinstance(value, Mapping):
        return
    for inner, each in value.items():
        _merge(there, path, inner, each, places, place)


def _object(text: str) -> Any:
    """The table that a variable holds as JSON, into which another variable reaches."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return None
