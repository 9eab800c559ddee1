"""The configuration: a dictionary whose values know where they came from, filled from code, files and
environment.

Settings are the keys in capitals, as in Flask. Where they stand several times the last one set wins; a
plugin's default gives way to whatever the application sets. `source(key)` tells a value's origin:

    default               the framework's own
    plugin NAME           a plugin's default
    code, code OBJECT     set by the application; from `from_object`, with the object's name
    file PATH, PATH:LINE  read from a file; with the line where it can be told
    environment NAME      read from this variable

Whoever has to know of changes puts a function into `on_change`: it is called with the key, after every
mutation, by whichever method. Must not know: which settings exist, apps.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Generic, TypeVar, overload

from .configfiles import ConfigFileError, load_json, load_toml, read_error, run_python

__all__ = ["Config", "ConfigAttribute", "ConfigFileError"]

PLUGIN_CONFIG = "PLUGIN_CONFIG"

T = TypeVar("T")
_MISSING: Any = object()
_Lines = Callable[[str], int | None]
Entries = Mapping[str, Any] | Iterable[tuple[str, Any]]


class ConfigAttribute(Generic[T]):
    """An attribute of the app that is an entry of its configuration.

    name           the key.
    get_converter  applied to the value when it is read.
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> ConfigAttribute[T]: ...
    @overload
    def __get__(self, obj: Any, owner: type | None = None) -> T: ...
    def __get__(self, obj: Any, owner: type | None = None) -> T | ConfigAttribute[T]:
        if obj is None:
            return self
        value = obj.config[self.__name__]
        return value if self.get_converter is None else self.get_converter(value)

    def __set__(self, obj: Any, value: Any) -> None:
        obj.config[self.__name__] = value


def as_timedelta(value: Any) -> Any:
    """A number as that many seconds; a timedelta, or None, as it is."""
    return value if value is None or isinstance(value, timedelta) else timedelta(seconds=value)


class Config(dict[str, Any]):
    """The settings of an app.

    root_path  the folder that relative file names start from.
    defaults   the framework's own values; their source is "default".
    on_change  functions called with each key that was set or removed, after it happened.
    """

    def __init__(self, root_path: str | os.PathLike[str], defaults: Mapping[str, Any] | None = None) -> None:
        # A default that is a dictionary is this app's own: who fills it must not fill that of others.
        super().__init__(_own(dict(defaults or {})))
        self.root_path = root_path
        self.on_change: list[Callable[[str], Any]] = []
        self._sources: dict[str, str] = dict.fromkeys(self, "default")
        self._plugin_sources: dict[tuple[Any, Any], tuple[Any, str]] = {}  # of single entries: value, place
        self._plugin_base = "code"  # of the others

    # Where a value came from

    def source(self, key: str) -> str | None:
        """Where the value of `key` came from (see the module's text); None when it is not set."""
        return self._sources.get(key)

    def plugin_source(self, plugin: str, key: Any = None) -> str:
        """Where an entry of a plugin's configuration in PLUGIN_CONFIG came from; without a key, where all of it did."""
        tables = self.get(PLUGIN_CONFIG)
        table = tables.get(plugin) if isinstance(tables, Mapping) else None
        elsewhere = f"{PLUGIN_CONFIG}[{plugin!r}] ({self._plugin_base})"
        if key is None and isinstance(table, Mapping) and table:
            return ", ".join(dict.fromkeys(self.plugin_source(plugin, each) for each in table))
        value, place = self._plugin_sources.get((plugin, key), (_MISSING, ""))
        # Who changes a table that was read from a file does it in place, and this does not hear of it.
        return place if (table.get(key) if isinstance(table, Mapping) else table) is value else elsewhere

    def set_from(self, key: str, value: Any, source: str) -> None:
        """Set a value and say where it came from."""
        super().__setitem__(key, value)
        self._sources[key] = source
        if key == PLUGIN_CONFIG:
            self._plugin_base = source
        self._tell(key)

    def add_defaults(self, defaults: Mapping[str, Any], plugin: str) -> None:
        """Set a plugin's defaults, where neither the application nor an earlier plugin has set a value."""
        for key, value in defaults.items():
            if self._sources.get(key, "default") == "default":
                self.set_from(key, value, f"plugin {plugin}")

    def _tell(self, key: str) -> None:
        for listener in tuple(self.on_change):
            listener(key)

    # Every way in which a dictionary is changed

    def __setitem__(self, key: str, value: Any) -> None:
        self.set_from(key, value, "code")

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._sources.pop(key, None)
        self._tell(key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        if key not in self and default is not _MISSING:
            return default
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        if not self:
            raise KeyError("popitem(): the configuration is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        for key in tuple(self):
            del self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> Config:  # type: ignore[override, misc] # dict's two overloads, in one
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy and a pickle keep values and sources; who listens to this one does not listen to them."""
        return _restore, (type(self), self.root_path, dict(self), dict(self._sources))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict.__repr__(self)}>"

    # Filling it

    def from_mapping(self, mapping: Entries | None = None, **kwargs: Any) -> bool:
        """Set the entries whose keys are in capitals, of whatever `dict` takes. Returns True."""
        self._take({**dict(mapping or {}), **kwargs}, "code")
        return True

    def from_object(self, obj: object | str) -> None:
        """Set the attributes in capitals of an object, mostly a module or class, or of the one that a name
        imports.

        obj  the object, or "package.module" or "package.module.Class". ImportError when it cannot be
             imported.
        """
        if isinstance(obj, str):
            from werkzeug.utils import import_string

            found = import_string(obj)
            source = f"code {obj}"
        else:
            found = obj
            named = isinstance(obj, (ModuleType, type))
            source = f"code {getattr(obj if named else type(obj), '__name__', '')}".rstrip()
        self._take({key: getattr(found, key) for key in dir(found) if key.isupper()}, source)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Entries | None],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Set the entries in capitals of what `load` makes of a file.

        filename  absolute, or relative to `root_path`.
        load      is given the open file: `json.load`, `tomllib.load` (with text=False), `yaml.safe_load`, …
                  Its result is what `dict` takes, or None, which many have for an empty file.
        silent    whether a file that does not exist is passed over.

        Returns whether there was a file. Raises OSError when it cannot be read, ConfigFileError when it does
        not hold a mapping, or `load` says ValueError or a relative of it.
        """
        path = self._path(filename)
        try:
            with open(path, encoding="utf-8" if text else None, mode="r" if text else "rb") as file:
                loaded: Any = load(file)
        except OSError as error:
            return self._no_file(error, path, silent)
        except ValueError as error:
            raise read_error(path, error) from error
        try:
            settings = {} if loaded is None else dict(loaded)
        except (TypeError, ValueError):
            raise ConfigFileError(
                f"the configuration file {path} holds a {type(loaded).__name__}; it has to hold a table of"
                " settings (NAME = value)",
                path,
            ) from None
        self._take(settings, f"file {path}")
        self._take_plugins(settings, path)
        return True

    def from_toml(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Set the entries in capitals of a TOML file; as `from_file`, and each value knows its line."""
        return self._from_text(filename, silent, load_toml)

    def from_json(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Set the entries in capitals of a JSON file; as `from_file`, and each value knows its line."""
        return self._from_text(filename, silent, load_json)

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Set the names in capitals of a Python file, which is run as a module that nobody imports.

        Arguments, result and errors as for `from_file`; what the file's own code raises carries a note that
        names the file.
        """
        return self._from_text(filename, silent, run_python)

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Set the names of the Python file whose path an environment variable holds.

        Returns whether there was one. RuntimeError when the variable is not set, unless `silent`.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"the environment variable {variable_name!r} is not set, so no configuration file can be"
            " read; set it to the file's path, or pass silent=True"
        )

    def from_prefixed_env(self, prefix: str = "QUART", *, loads: Callable[[str], Any] | None = None) -> bool:
        """Set what the environment variables say whose names start with the prefix and an underscore.

        prefix  QUART_SECRET_KEY is the setting SECRET_KEY; QUART_MAIL__PORT sets "PORT" in the dictionary
                MAIL, which is made when it is not there.
        loads   applied to each text; when it raises the text itself is the value. The default reads JSON.

        Returns True. ValueError when a variable goes into a setting that is not a dictionary.
        """
        if loads is None:
            import json

            loads = json.loads
        start = f"{prefix}_"
        for variable in sorted(os.environ):
            if variable.startswith(start):
                text = os.environ[variable]
                try:
                    value = loads(text)
                except Exception:
                    value = text
                self._set_nested(variable.removeprefix(start).split("__"), value, variable)
        return True

    def _set_nested(self, path: list[str], value: Any, variable: str) -> None:
        key, source = path[0], f"environment {variable}"
        if len(path) == 1:
            self.set_from(key, value, source)
            return
        top = current = self.get(key, {})
        for index, part in enumerate(path[1:], start=1):
            if not isinstance(current, dict):
                raise ValueError(
                    f"the environment variable {variable} sets an entry of {'__'.join(path[:index])}, which"
                    f" is {current!r} and no dictionary; remove the variable, or the value"
                )
            if index == len(path) - 1:
                current[part] = value
            else:
                current = current.setdefault(part, {})
        base = self._plugin_base
        self.set_from(key, top, source)
        if key == PLUGIN_CONFIG and len(path) > 2:
            self._plugin_sources[path[1], path[2]] = top[path[1]][path[2]], source
            self._plugin_base = base

    # Reading it

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """The settings whose keys start with `namespace`, as a dictionary.

        lowercase       whether its keys are made lower-case.
        trim_namespace  whether they go without the namespace.
        """
        found = {}
        for key, value in self.items():
            if key.startswith(namespace):
                name = key[len(namespace) :] if trim_namespace else key
                found[name.lower() if lowercase else name] = value
        return found

    # Inside

    def _take(self, mapping: Mapping[str, Any], source: str, line_of: _Lines | None = None) -> None:
        for key, value in mapping.items():
            if isinstance(key, str) and key.isupper():
                line = line_of(key) if line_of is not None else None
                self.set_from(key, value, source if line is None else f"{source}:{line}")

    def _take_plugins(self, settings: Mapping[Any, Any], path: str) -> None:
        """Merge the tables [plugins.NAME] of a file into PLUGIN_CONFIG, key by key."""
        tables = settings.get("plugins")
        if not isinstance(tables, Mapping) or not tables:
            return
        there = self.get(PLUGIN_CONFIG)
        merged = dict(there) if isinstance(there, Mapping) else {}
        for name, table in tables.items():
            if not isinstance(table, Mapping):
                merged[name] = table
                self._plugin_sources[name, None] = table, f"plugins.{name} in {path}"
                continue
            known = merged.get(name)
            merged[name] = {**(known if isinstance(known, Mapping) else {}), **table}
            for key, value in table.items():
                self._plugin_sources[name, key] = value, f"plugins.{name} in {path}"
        base = self._plugin_base
        self.set_from(PLUGIN_CONFIG, merged, f"file {path}")
        self._plugin_base = base

    def _from_text(
        self,
        filename: str | os.PathLike[str],
        silent: bool,
        load: Callable[[str, bytes], tuple[Mapping[str, Any], _Lines]],
    ) -> bool:
        path = self._path(filename)
        try:
            with open(path, "rb") as file:
                raw = file.read()
        except OSError as error:
            return self._no_file(error, path, silent)
        values, line_of = load(path, raw)
        self._take(values, f"file {path}", line_of)
        if load is not run_python:
            self._take_plugins(values, path)
        return True

    def _path(self, filename: str | os.PathLike[str]) -> str:
        return str(Path(self.root_path, filename))

    def _no_file(self, error: OSError, path: str, silent: bool) -> bool:
        if silent and error.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
            return False
        error.strerror = (
            f"the configuration file cannot be read ({error.strerror}; relative names start from"
            f" {os.fspath(self.root_path)!r}; silent=True passes over a missing file)"
        )
        error.filename = error.filename or path
        raise error


def _own(value: Any) -> Any:
    return {key: _own(each) for key, each in value.items()} if type(value) is dict else value


def _restore(
    kind: type[Config], root_path: str, values: Mapping[str, Any], sources: Mapping[str, str]
) -> Config:
    config = kind(root_path)
    _fill(config, ((key, value, sources.get(key, "code")) for key, value in values.items()))
    return config


def _fill(config: Config, items: Iterable[tuple[str, Any, str]]) -> None:
    for key, value, source in items:
        config.set_from(key, value, source)
