"""Quart's `quart.cli`, by name: the command line is the plugin `cli`, whose module is imported on first use.

Enables nothing: reading a name here works with the plugin turned off as well. Must not import click.
"""

from __future__ import annotations

from typing import Any

_NAMES = frozenset(
    {
        "AppGroup",
        "NoAppException",
        "QuartGroup",
        "ScriptInfo",
        "cli",
        "click",
        "find_app_by_string",
        "find_best_app",
        "get_version",
        "load_dotenv",
        "locate_app",
        "main",
        "pass_script_info",
        "prepare_import",
        "routes_command",
        "run_command",
        "shell_command",
        "version_option",
        "with_appcontext",
    }
)

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .hooks.names import plugin_attribute

    return plugin_attribute("cli", name)


def __dir__() -> list[str]:
    return __all__
