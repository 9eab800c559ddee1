"""The plugin `cli`: the command line `quart-plug`, and the commands of applications and blueprints, on click.

Light to import: click and everything that needs it are in the modules beside this one. The names that Quart
has in `quart.cli` are served from here, and so by `quart_plug.cli`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import CommandLine

_HOME = {
    "AppGroup": "groups",
    "NoAppException": "loading",
    "QuartGroup": "groups",
    "ScriptInfo": "script",
    "cli": "program",
    "find_app_by_string": "loading",
    "find_best_app": "loading",
    "get_version": "options",
    "load_dotenv": "loading",
    "locate_app": "loading",
    "main": "program",
    "pass_script_info": "script",
    "prepare_import": "loading",
    "routes_command": "inspection",
    "run_command": "serving",
    "shell_command": "shell",
    "version_option": "options",
    "with_appcontext": "script",
}


class ClickCommandLine:
    """Fills the slot `command_line`."""

    def group(self, name: str | None = None) -> Any:
        """A group whose commands run in an application context."""
        from .groups import AppGroup

        return AppGroup(name)

    def main(self, args: Sequence[str] | None = None) -> int:
        """Run a command line; gives the exit status."""
        from .program import run_program

        return run_program(args)


@hookimpl
def command_line(app: Quart) -> CommandLine | None:
    return ClickCommandLine()


def __getattr__(name: str) -> Any:
    if name == "click":
        return import_module("click")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
