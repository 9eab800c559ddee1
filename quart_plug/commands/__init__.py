"""The commands that have to work when every plugin is broken: `quart-plug plugins …`, and `list`, `doctor`, `disable`.

They use the standard library and the kernel only, argparse instead of click. The `cli` plugin hands these commands over
to here, so that they are the same in every program.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from ..exceptions import PluginError
from ..hooks.suggestions import did_you_mean
from . import options as program_options
from .options import UsageError

if TYPE_CHECKING:
    from ..app import Quart

FAILURE = 1
USAGE = 2
GROUP = "plugins"

is_program = False  # whether the process is `quart-plug`, and ends with the command

Find = Callable[[], "Quart"]


@dataclass
class Call:
    """One call of a command.

    app   the import path that was given for the application, or None.
    find  what gives the application, in a program of an application's own; else None.
    """

    arguments: argparse.Namespace
    app: str | None
    find: Find | None


@dataclass(frozen=True)
class Command:
    """summary  one line, for lists; `text` says the rest."""

    name: str
    summary: str
    run: Callable[[Call], int]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    text: str = ""
    is_short: bool = False  # it is also called without "plugins"

    def parser(self, short: bool = False) -> argparse.ArgumentParser:
        prog = f"quart-plug {self.name}" if short and self.is_short else f"quart-plug {GROUP} {self.name}"
        parser = _Parser(
            prog=prog,
            description=f"{self.summary}{' ' + self.text if self.text else ''}",
            epilog=program_options.HELP,
            allow_abbrev=False,
        )
        self.add_arguments(parser)
        return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\nTry: {self.prog} --help")


def _with_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, and nothing else on standard output")


def _with_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the plugin: its name, distribution:name, or an import string")
    _with_json(parser)


def _hook_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="the hook")
    _with_json(parser)


def _new_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what the plugin is to be called, such as rate-limit")
    parser.add_argument(
        "--into", metavar="FOLDER", default=".", help="where its folder is made; the current folder by default"
    )
    _with_json(parser)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _trace_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", nargs="*", help="a path to request, such as /; without any: start-up only"
    )
    parser.add_argument("-X", "--method", default="GET", type=str.upper, help="GET by default")
    parser.add_argument("-n", "--count", default=1, type=_count, metavar="N", help="how often; 1 by default")
    parser.add_argument("-H", "--header", action="append", default=[], metavar="'NAME: VALUE'", help="repeatable")
    body = parser.add_mutually_exclusive_group()
    body.add_argument("-d", "--data", metavar="TEXT", help="the body")
    body.add_argument("--data-json", metavar="JSON", help="the body, sent as application/json")
    _with_json(parser)


# Each imports what it needs when it runs.


def _list(call: Call) -> int:
    from .showing import show_list
    from .state import look

    state = look(call.app, call.find)
    state.say_fault()
    return show_list(state, call.arguments.json)


def _show(call: Call) -> int:
    from .showing import show_plugin
    from .state import look

    state = look(call.app, call.find)
    state.say_fault()
    return show_plugin(state, call.arguments.json, call.arguments.name)


def _hooks(call: Call) -> int:
    from .showing import show_hooks
    from .state import look

    state = look(call.app, call.find)
    state.say_fault()
    return show_hooks(state, call.arguments.json, call.arguments.name)


def _doctor(call: Call) -> int:
    from .checking import show_faults
    from .state import look

    return show_faults(look(call.app, call.find), call.arguments.json)


def _enable(call: Call) -> int:
    from .switching import enable

    return enable(call.arguments.name, call.arguments.json)


def _disable(call: Call) -> int:
    from .switching import disable

    return disable(call.arguments.name, call.arguments.json)


def _new(call: Call) -> int:
    from .new import make

    return make(call.arguments.name, call.arguments.into, call.arguments.json)


def _trace(call: Call) -> int:
    from .timing import trace

    return trace(call.arguments, call.app, call.find)


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "list",
            "Show every plugin that is installed or asked for, its state, and why.",
            _list,
            _with_json,
            "With --app, as the application has them; else as the project's folder has them.",
            is_short=True,
        ),
        Command(
            "show",
            "Show everything about one plugin.",
            _show,
            _with_name,
            "Its state and why, where it comes from, its relations, its hooks with their place in the order, its "
            "configuration with the source of every value; with --app also its routes and commands.",
        ),
        Command(
            "hooks",
            "Show who implements a hook, in call order; without a name, for every hook.",
            _hooks,
            _hook_arguments,
        ),
        Command(
            "doctor",
            "Show everything that is wrong, at once; the exit status is 1 when there is anything.",
            _doctor,
            _with_json,
            "With --app, what is wrong with the application and its configuration too.",
            is_short=True,
        ),
        Command("enable", "Turn a plugin on, in the project's pyproject.toml.", _enable, _with_name),
        Command("disable", "Turn a plugin off, in the project's pyproject.toml.", _disable, _with_name, is_short=True),
        Command(
            "new",
            "Make a distribution with a plugin: one that installs, is found, and whose tests pass.",
            _new,
            _new_arguments,
        ),
        Command(
            "trace",
            "Time plugins: start the application, send it requests, and show what each plugin and hook took.",
            _trace,
            _trace_arguments,
            "No server runs: the application is called in this process, with its start-up and shutdown.",
        ),
    )
}
SHORT = {name: command for name, command in COMMANDS.items() if command.is_short}


def find_command(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]] | None:
    """The program's options, and the words from the command on; None when it is none of these commands."""
    taken = program_options.take_options(arguments)
    if taken is None or not taken[1] or taken[1][0] not in (GROUP, *SHORT):
        return None
    return taken


def run(arguments: Sequence[str], find: Find | None = None) -> int | None:
    """Run a command; gives the exit status, or None when it is none of these commands."""
    found = find_command(arguments)
    if found is None:
        return None
    options, words = found
    return guarded(lambda: _run(options, words, find))


def run_words(words: Sequence[str], app: str | None, find: Find | None = None) -> int:
    """Run a command whose program has taken and applied its options, of which some may stand behind the command."""
    return guarded(lambda: _run_words(words, app, find))


def _run_words(words: Sequence[str], app: str | None, find: Find | None) -> int:
    taken = program_options.take_options(words)
    if taken is None:
        raise UsageError("an option has no value")
    options, rest = taken
    options.app = options.app or app
    return _run(options, rest, find if options.app is None else None)


def _run(options: argparse.Namespace, words: list[str], find: Find | None) -> int:
    program_options.apply_options(options)
    is_short = words[0] != GROUP
    if not is_short:
        words = words[1:]
    if not words or words[0] in ("-h", "--help"):
        return _help(bool(words))
    command = COMMANDS.get(words[0])
    if command is None:
        raise UsageError(
            f"no such command {words[0]!r}{did_you_mean(words[0], COMMANDS)}; there are: {', '.join(COMMANDS)}"
        )
    return command.run(Call(command.parser(is_short).parse_args(words[1:]), options.app, find))


def _help(wanted: bool) -> int:
    from .output import Screen

    screen = Screen(sys.stdout if wanted else sys.stderr)
    screen.print("usage: quart-plug [OPTIONS] plugins COMMAND …\n\nWhat plugins are there, and what they do.\n")
    size = max(len(name) for name in COMMANDS) + 4
    for name, command in COMMANDS.items():
        lines = screen.wrapped(command.summary, " " * size, size)
        screen.print(f"  {name}".ljust(size) + lines[0].lstrip())
        for line in lines[1:]:
            screen.print(line)
    screen.print()
    screen.prose(f"{program_options.HELP} `quart-plug plugins COMMAND --help` says more.")
    return 0 if wanted else USAGE


def guarded(work: Callable[[], int]) -> int:
    """The exit status of `work`; what it raises is one message on standard error."""
    from ..finding import AppNotFound
    from .state import CommandError

    try:
        return work()
    except UsageError as error:
        return _fail(error, USAGE)
    except CommandError as error:
        return _fail(error, error.status)
    except AppNotFound as error:
        return _fail(error, error.exit_status)
    except PluginError as error:
        return _fail(error, USAGE)
    except SystemExit as end:  # argparse's, after --help
        return end.code if isinstance(end.code, int) else FAILURE


def _fail(error: BaseException, status: int) -> int:
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    print(f"Error: {error}{notes}", file=sys.stderr)
    return status
