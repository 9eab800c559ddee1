"""The program: `quart-plug`, and `python -m quart_plug`.

`list`, `doctor` and `disable` (also as `plugins list` …) are answered here, with argparse alone, so that they
work with every plugin broken. Everything else is handed to whatever fills the slot `command_line`; when
nothing does, one line says how to turn that on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .exceptions import PluginError
from .hooks.settings import DISABLE_VARIABLE, ENABLE_VARIABLE, SAFE_MODE_VARIABLE
from .hooks.suggestions import did_you_mean

FAILURE = 1
USAGE = 2

# Options before the command that take a value, and the variable of the environment that it is added to.
_OPTIONS_WITH_VALUES = {
    "--plugin": ENABLE_VARIABLE,
    "--no-plugin": DISABLE_VARIABLE,
    **dict.fromkeys(("-A", "--app", "-e", "--env-file"), ""),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (by default `sys.argv`); gives the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if os.getcwd() not in sys.path:  # plugins and applications of the project, as with `python -m`
        sys.path.insert(0, os.getcwd())
    words = arguments[1:] if arguments[:1] == ["plugins"] else arguments
    try:
        if words[:1] and words[0] in _COMMANDS:
            return _COMMANDS[words[0]](words[1:])
        if words is not arguments:
            return _plugins(words)
        return _hand_over(arguments)
    except PluginError as error:
        _say(error)
        return USAGE
    except SystemExit as end:  # argparse's, which has said why
        return end.code if isinstance(end.code, int) else FAILURE


def _hand_over(arguments: list[str]) -> int:
    from .app import Quart
    from .listing import unlogged

    # An application of our own asks for the command line as the user's would. It is not strict: another
    # plugin that is broken must not keep the command line from working; and who runs it is told by their own.
    _take_plugin_options(arguments)
    asking = Quart("quart_plug", root_path=str(Path.cwd()))
    asking.config["PLUGINS_STRICT"] = False
    with unlogged():
        command_line = asking.plugin_slot("command_line")
    status: int = command_line.main(arguments)
    return status


def _take_plugin_options(arguments: Sequence[str]) -> None:
    """Let --plugin, --no-plugin and --safe-mode count before anything is imported, the command line included.

    They go where the command line puts them: into the environment. Whether they make sense is said there.
    """
    words = iter(arguments)
    for word in words:
        option, _, value = word.partition("=")
        if not option.startswith("-"):
            return  # the command; what follows is its own
        if option == "--safe-mode":
            os.environ[SAFE_MODE_VARIABLE] = "1"
        elif option in _OPTIONS_WITH_VALUES:
            value = value or next(words, "")
            variable = _OPTIONS_WITH_VALUES[option]
            if variable and value:
                names = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
                os.environ[variable] = ",".join(dict.fromkeys([*names, value]))


def _plugins(arguments: list[str]) -> int:
    parser = _parser("plugins", "Plugins: what is there, what is wrong, what is off.")
    parser.add_argument("command", metavar="COMMAND", help=", ".join(_COMMANDS))
    word = parser.parse_args(arguments[:1]).command
    parser.error(f"no such command {word!r}{did_you_mean(word, _COMMANDS)}; there are: {', '.join(_COMMANDS)}")


def _list(arguments: list[str]) -> int:
    from .listing import format_report, inspect_plugins

    parser = _parser("list", "Show every installed plugin, its state, and why it is in it.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    as_json = parser.parse_args(arguments).json
    report = inspect_plugins(Path.cwd())
    print(json.dumps(report.to_json(), indent=2) if as_json else format_report(report))
    return 0


def _doctor(arguments: list[str]) -> int:
    from .listing import faults, inspect_plugins

    _parser("doctor", "Show everything that is wrong; the exit status is 1 when there is anything.").parse_args(
        arguments
    )
    report = inspect_plugins(Path.cwd())
    found = faults(report)
    if not found:
        active = sum(plugin.status == "active" for plugin in report)
        print(f"Nothing is wrong: {active} plugins are active, of {len(report)}.")
        return 0
    for line in found:
        print(f"- {line}")
    return FAILURE


def _disable(arguments: list[str]) -> int:
    from .hooks.discovery import discover
    from .hooks.selection import CORE
    from .listing import disable_in, project_file

    parser = _parser("disable", "Turn a plugin off, in the project's pyproject.toml.")
    parser.add_argument("name", metavar="NAME")
    name = parser.parse_args(arguments).name
    known = {record.name for record in discover().records} | set(CORE)
    known |= {record.qualified for record in discover().records if name == record.qualified}
    if name not in known:
        parser.error(f"no plugin {name!r} is installed{did_you_mean(name, known)}; `quart-plug list` shows them")
    path = project_file(Path.cwd())
    print(f"{name} is {'now' if disable_in(path, name) else 'already'} off, in {path}")
    return 0


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"quart-plug {command}", description=description)


def _say(error: BaseException) -> None:
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    print(f"Error: {error}{notes}", file=sys.stderr)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {"list": _list, "doctor": _doctor, "disable": _disable}

if __name__ == "__main__":
    sys.exit(main())
