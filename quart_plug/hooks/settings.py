"""The places in which plugins are asked for or turned off, each read into one `Level`.

From the strongest to the weakest: command line, environment, code, configuration, pyproject.toml. Every
item keeps the place it was found in, so that an error can name it. Must not know: which plugins are
installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..exceptions import PluginSettingsError
from ..scalars import truth
from .suggestions import did_you_mean, nearest, slip_of

CONFIG_KEYS = frozenset({"PLUGINS", "PLUGINS_DISABLED", "PLUGINS_AUTOLOAD", "PLUGINS_STRICT"})
ENABLE_VARIABLE = "QUART_PLUG_PLUGINS"
DISABLE_VARIABLE = "QUART_PLUG_DISABLE"
SAFE_MODE_VARIABLE = "QUART_PLUG_SAFE_MODE"
TABLE = "quart-plug"
PREFIX = "QUART_PLUG_"
SETTINGS = CONFIG_KEYS | {"PLUGIN_CONFIG"}
VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "APP", "AS_QUART", "DEBUG", "DISABLE", "LOADING_APP", "PLUGINS", "RELOADER_PARENT", "RUN_HOST", "RUN_PORT",
        "SAFE_MODE", "SKIP_DOTENV", "TEST_TIMEOUT", "WORKER",
    )
)  # fmt: skip
TABLE_KEYS = ("plugins", "disable", "autoload", "config")


class Wanted(NamedTuple):
    """One item of a setting: a name, an import string, a module or an object; and where it stands."""

    item: Any
    place: str


class Level(NamedTuple):
    """What one place says. `autoload` and `safe_mode` are (value, place), or None when it says nothing; `config`, the
    plugins' configuration, is (tables, file).
    """

    enable: tuple[Wanted, ...] = ()
    disable: tuple[Wanted, ...] = ()
    autoload: tuple[bool, str] | None = None
    safe_mode: tuple[bool, str] | None = None
    config: tuple[Mapping[str, Any], str] | None = None


class Faults(list[PluginSettingsError]):
    """What is wrong with the settings; where a reader is given none, it raises the first one."""

    def __init__(self) -> None:
        super().__init__()
        self.hides = False  # whether something that cannot be read may turn a plugin off


def _fault(message: str, faults: Faults | None, cause: BaseException | None = None, *, hides: bool = True) -> None:
    error = PluginSettingsError(message)
    error.__cause__ = cause
    if faults is None:
        raise error
    faults.append(error)
    faults.hides = faults.hides or hides


def code_level(enable: Any = None, disable: Any = None, autoload: bool | None = None) -> Level:
    """From `Quart(plugins=[…])`."""
    return Level(
        _items(enable, "Quart(plugins=…)"),
        _items(disable, "Quart(…), disabled in code", names_only=True),
        None if autoload is None else (autoload, "code"),
    )


def config_level(config: Mapping[str, Any], faults: Faults | None = None) -> Level:
    """From PLUGINS, PLUGINS_DISABLED and PLUGINS_AUTOLOAD. A default says nothing: pyproject.toml may."""
    source: Any = getattr(config, "source", lambda key: None)

    def stated(key: str) -> tuple[Any, str]:
        known = source(key)
        place = f"{key} in the configuration" + (f" ({known})" if known else "")
        return (None if known == "default" else config.get(key)), place

    return Level(
        _items(*stated("PLUGINS"), faults),
        _items(*stated("PLUGINS_DISABLED"), faults, names_only=True),
        _flag(*stated("PLUGINS_AUTOLOAD"), faults),
    )


def environment_level(environ: Mapping[str, str], faults: Faults | None = None) -> Level:
    """From QUART_PLUG_PLUGINS, QUART_PLUG_DISABLE and QUART_PLUG_SAFE_MODE."""
    return Level(
        _items(environ.get(ENABLE_VARIABLE), f"environment {ENABLE_VARIABLE}", faults),
        _items(environ.get(DISABLE_VARIABLE), f"environment {DISABLE_VARIABLE}", faults),
        None,
        _flag(environ.get(SAFE_MODE_VARIABLE), f"environment {SAFE_MODE_VARIABLE}", faults),
    )


def command_line_level(options: Mapping[str, Any], faults: Faults | None = None) -> Level:
    """From `--plugin`, `--no-plugin` and `--safe-mode`, given as plugins, disable, autoload and safe_mode."""
    return Level(
        _items(options.get("plugins"), "command line --plugin", faults),
        _items(options.get("disable"), "command line --no-plugin", faults),
        _flag(options.get("autoload"), "command line --autoload", faults),
        _flag(options.get("safe_mode") or None, "command line --safe-mode", faults),
    )


def project_level(root_path: str | os.PathLike[str] | None, faults: Faults | None = None) -> Level:
    """From [tool.quart-plug] of the nearest pyproject.toml, from `root_path` upward;
    empty when there is none.
    """
    if root_path is None:
        return Level()
    start = Path(root_path).absolute()
    path = next(
        (file for folder in (start, *start.parents) if (file := folder / "pyproject.toml").is_file()), None
    )
    if path is None:
        return Level()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fault(f"{path} cannot be read: {error}; it has to be a readable file in UTF-8", faults, error)
        return Level()
    if TABLE not in text:
        return Level()  # not ours: no need to parse it, nor to mind its faults
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get(TABLE, {})
    except tomllib.TOMLDecodeError as error:
        _fault(f"{path} is not valid TOML: {error}; correct it", faults, error)
        return Level()
    unknown = [f"{key!r}{did_you_mean(key, TABLE_KEYS)}" for key in table if key not in TABLE_KEYS]
    if unknown:
        many = "an unknown key" if len(unknown) == 1 else "unknown keys"
        _fault(
            f"[tool.{TABLE}] in {path} has {many}: {', '.join(unknown)}; it knows {', '.join(TABLE_KEYS)}",
            faults,
            hides=False,
        )
    place = f"[tool.{TABLE}] in {path}"
    off = [key for key in table if nearest(key, TABLE_KEYS) == "disable"]  # misspelt or not
    return Level(
        _items(table.get("plugins"), f"plugins of {place}", faults, names_only=True),
        tuple(item for key in off for item in _items(table[key], f"{key} of {place}", faults, names_only=True)),
        _flag(table.get("autoload"), f"autoload of {place}", faults),
        config=(table["config"], str(path)) if "config" in table else None,
    )


def misspelt(config: Mapping[str, Any], environ: Mapping[str, str], faults: Faults, more: Iterable[str] = ()) -> Level:
    """Find settings and variables that were surely meant to be one of ours.

    more  the variables of the plugins' configuration.

    Gives what they turn off, for a plugin that was to be off is not imported, whatever the name of the setting.
    """
    off: list[Wanted] = []
    safe_mode = None
    for key in config:
        meant = slip_of(key, SETTINGS) if key.startswith("PLUGIN") and key not in SETTINGS else None
        if meant is not None:
            place = f"{key} in the configuration{_source(config, key)}"
            _misspelt(place, meant, faults)
            off += _items(config[key], place, faults, names_only=True) if meant == "PLUGINS_DISABLED" else ()
    known = VARIABLES | {*more}
    for variable in environ:
        ours = variable.startswith(PREFIX) and "__" not in variable  # with that it is read as configuration of a plugin
        meant = slip_of(variable, known) if ours and variable not in known else None
        if meant is not None:
            place = f"environment {variable}"
            _misspelt(f"the environment variable {variable}", meant, faults)
            off += _items(environ[variable], place, faults) if meant == DISABLE_VARIABLE else ()
            if meant == SAFE_MODE_VARIABLE:
                safe_mode = _flag(environ[variable], place, faults)
    return Level(disable=tuple(off), safe_mode=safe_mode)


def _misspelt(what: str, meant: str, faults: Faults) -> None:
    _fault(f"{what} is no setting (did you mean {meant!r}?); correct the name", faults, hides=False)


def _source(config: Mapping[str, Any], key: str) -> str:
    source: Any = getattr(config, "source", None)
    known = source(key) if source is not None else None
    return f" ({known})" if known else ""


def levels(
    code: Level,
    config: Mapping[str, Any],
    environ: Mapping[str, str],
    command_line: Mapping[str, Any],
    root_path: str | os.PathLike[str] | None,
    faults: Faults,
) -> list[Level]:
    """Every place, the strongest first; what is wrong with them is appended to `faults`."""
    found = [
        command_line_level(command_line, faults),
        environment_level(environ, faults),
        code,
        config_level(config, faults),
        project_level(root_path, faults),
    ]
    return [misspelt(config, environ, faults), *found]


def is_strict(config: Mapping[str, Any], faults: Faults | None = None) -> bool:
    """PLUGINS_STRICT:
    whether a failed plugin that was asked for stops the app; the default is that it does.
    """
    flag = _flag(config.get("PLUGINS_STRICT"), "PLUGINS_STRICT in the configuration", faults)
    return True if flag is None else flag[0]


def _items(
    value: Any, place: str, faults: Faults | None = None, *, names_only: bool = False
) -> tuple[Wanted, ...]:
    """The items of a list, or of a comma-separated text."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(Wanted(part.strip(), place) for part in value.split(",") if part.strip())
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        _fault(f"{place} has to be a list of plugins, not {value!r}", faults)
        return ()
    items = tuple(Wanted(item.strip() if isinstance(item, str) else item, place) for item in value)
    wrong = [wanted.item for wanted in items if wanted.item is None or wanted.item == ""]
    wrong += [wanted.item for wanted in items if names_only and not isinstance(wanted.item, str)]
    if wrong:
        _fault(
            f"{place} contains {wrong[0]!r}; it has to be a list of {'names' if names_only else 'plugins'}", faults
        )
    return tuple(wanted for wanted in items if wanted.item not in wrong)


def _flag(value: Any, place: str, faults: Faults | None = None) -> tuple[bool, str] | None:
    if value is None or isinstance(value, bool):
        return None if value is None else (value, place)
    try:
        return str(value).strip() != "" and truth(str(value)), place
    except ValueError:
        pass
    _fault(f"{place} has to be true or false (1 or 0), not {value!r}", faults)
    return None
