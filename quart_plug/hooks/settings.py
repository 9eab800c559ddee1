"""The places in which plugins are asked for or turned off, each read into one `Level`.

From the strongest to the weakest: command line, environment, code, configuration, pyproject.toml. Every
item keeps the place it was found in, so that an error can name it. Must not know: which plugins are
installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exceptions import PluginSettingsError
from .suggestions import did_you_mean

CONFIG_KEYS = frozenset({"PLUGINS", "PLUGINS_DISABLED", "PLUGINS_AUTOLOAD", "PLUGINS_STRICT"})
ENABLE_VARIABLE = "QUART_PLUG_PLUGINS"
DISABLE_VARIABLE = "QUART_PLUG_DISABLE"
SAFE_MODE_VARIABLE = "QUART_PLUG_SAFE_MODE"
TABLE = "quart-plug"
TABLE_KEYS = ("plugins", "disable", "autoload", "config")


@dataclass(frozen=True)
class Wanted:
    """One item of a setting: a name, an import string, a module or an object; and where it stands."""

    item: Any
    place: str


@dataclass(frozen=True)
class Level:
    """What one place says. `autoload` and `safe_mode` are (value, place), or None when it says nothing; `config`, the
    plugins' configuration, is (tables, file).
    """

    enable: tuple[Wanted, ...] = ()
    disable: tuple[Wanted, ...] = ()
    autoload: tuple[bool, str] | None = None
    safe_mode: tuple[bool, str] | None = None
    config: tuple[Mapping[str, Any], str] | None = None


def code_level(enable: Any = None, disable: Any = None, autoload: bool | None = None) -> Level:
    """From `Quart(plugins=[…])`."""
    return Level(
        _items(enable, "Quart(plugins=…)"),
        _items(disable, "Quart(…), disabled in code", names_only=True),
        None if autoload is None else (autoload, "code"),
    )


def config_level(config: Mapping[str, Any]) -> Level:
    """From PLUGINS, PLUGINS_DISABLED and PLUGINS_AUTOLOAD. A default says nothing: pyproject.toml may."""
    source: Any = getattr(config, "source", lambda key: None)

    def stated(key: str) -> tuple[Any, str]:
        known = source(key)
        place = f"{key} in the configuration" + (f" ({known})" if known else "")
        return (None if known == "default" else config.get(key)), place

    return Level(
        _items(*stated("PLUGINS")),
        _items(*stated("PLUGINS_DISABLED"), names_only=True),
        _flag(*stated("PLUGINS_AUTOLOAD")),
    )


def environment_level(environ: Mapping[str, str]) -> Level:
    """From QUART_PLUG_PLUGINS, QUART_PLUG_DISABLE and QUART_PLUG_SAFE_MODE."""
    return Level(
        _items(environ.get(ENABLE_VARIABLE), f"environment {ENABLE_VARIABLE}"),
        _items(environ.get(DISABLE_VARIABLE), f"environment {DISABLE_VARIABLE}"),
        None,
        _flag(environ.get(SAFE_MODE_VARIABLE), f"environment {SAFE_MODE_VARIABLE}"),
    )


def command_line_level(options: Mapping[str, Any]) -> Level:
    """From `--plugin`, `--no-plugin` and `--safe-mode`, given as plugins, disable, autoload and safe_mode."""
    return Level(
        _items(options.get("plugins"), "command line --plugin"),
        _items(options.get("disable"), "command line --no-plugin"),
        _flag(options.get("autoload"), "command line --autoload"),
        _flag(options.get("safe_mode") or None, "command line --safe-mode"),
    )


def project_level(root_path: str | os.PathLike[str] | None) -> Level:
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
        raise PluginSettingsError(
            f"{path} cannot be read: {error}; it has to be a readable file in UTF-8"
        ) from error
    if TABLE not in text:
        return Level()  # not ours: no need to parse it, nor to mind its faults
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get(TABLE, {})
    except tomllib.TOMLDecodeError as error:
        raise PluginSettingsError(f"{path} is not valid TOML: {error}; correct it") from error
    unknown = [f"{key!r}{did_you_mean(key, TABLE_KEYS)}" for key in table if key not in TABLE_KEYS]
    if unknown:
        raise PluginSettingsError(
            f"[tool.{TABLE}] in {path} has unknown keys: {', '.join(unknown)};"
            f" it knows {', '.join(TABLE_KEYS)}"
        )
    place = f"[tool.{TABLE}] in {path}"
    return Level(
        _items(table.get("plugins"), f"plugins of {place}", names_only=True),
        _items(table.get("disable"), f"disable of {place}", names_only=True),
        _flag(table.get("autoload"), f"autoload of {place}"),
        config=(table["config"], str(path)) if "config" in table else None,
    )


def is_strict(config: Mapping[str, Any]) -> bool:
    """PLUGINS_STRICT:
    whether a failed plugin that was asked for stops the app; the default is that it does.
    """
    flag = _flag(config.get("PLUGINS_STRICT"), "PLUGINS_STRICT in the configuration")
    return True if flag is None else flag[0]


def _items(value: Any, place: str, *, names_only: bool = False) -> tuple[Wanted, ...]:
    """The items of a list, or of a comma-separated text."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(Wanted(part.strip(), place) for part in value.split(",") if part.strip())
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise PluginSettingsError(f"{place} has to be a list of plugins, not {value!r}")
    items = tuple(Wanted(item.strip() if isinstance(item, str) else item, place) for item in value)
    wrong = [wanted.item for wanted in items if wanted.item is None or wanted.item == ""]
    wrong += [wanted.item for wanted in items if names_only and not isinstance(wanted.item, str)]
    if wrong:
        raise PluginSettingsError(
            f"{place} contains {wrong[0]!r}; it has to be a list of {'names' if names_only else 'plugins'}"
        )
    return items


_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off", ""})


def _flag(value: Any, place: str) -> tuple[bool, str] | None:
    if value is None or isinstance(value, bool):
        return None if value is None else (value, place)
    word = str(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES, place
    raise PluginSettingsError(f"{place} has to be true or false (1 or 0), not {value!r}")
