"""The options that come before or after every command: which app, debug mode, which plugins.

They take effect through the environment, since the app (and a reloader's child) reads it there. The `cli` plugin has
the same options in click's words.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from .. import compat
from ..helpers import get_load_dotenv
from ..hooks.settings import DISABLE_VARIABLE, ENABLE_VARIABLE, SAFE_MODE_VARIABLE

PLUGINS = ENABLE_VARIABLE
DISABLED = DISABLE_VARIABLE
SAFE_MODE = SAFE_MODE_VARIABLE

HELP = "The program's options, such as --app, --plugin and --safe-mode, may stand before the command or after it."


class UsageError(Exception):
    """The command line makes no sense; the text says why."""


class _Unfit(Exception):
    """What stands there is not for this parser."""


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Unfit(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Options(add_help=False, allow_abbrev=False)
    parser.add_argument("-e", "--env-file", action="append", default=[])
    parser.add_argument("-A", "--app")
    parser.add_argument("--debug", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--no-plugin", action="append", default=[])
    parser.add_argument("--safe-mode", action="store_true")
    parser.add_argument("--as-quart", action="store_true")
    return parser


def take_options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]] | None:
    """The program's options, wherever they stand, and the rest; None when what stands there is wrong."""
    try:
        return _parser().parse_known_args(arguments)
    except _Unfit:
        return None


def apply_options(options: argparse.Namespace) -> None:
    """Let the options take effect. UsageError when one cannot; the app's import path is the caller's."""
    for path in options.env_file:
        if not Path(path).is_file():
            raise UsageError(f"--env-file: there is no file {path!r}")
        if find_spec("dotenv") is None:
            raise UsageError("--env-file: python-dotenv is needed: pip install 'quart-plug[dotenv]'")
        load_dotenv(path)
    load_default_files()
    try:
        compat.install_if_asked()  # a file may have said so
        if options.as_quart:
            compat.install_as_quart()
            os.environ[compat.VARIABLE] = "1"
    except (RuntimeError, ValueError) as error:
        raise UsageError(str(error)) from error
    if options.debug is not None:
        set_debug(options.debug)
    add_to_variable(PLUGINS, options.plugin)
    add_to_variable(DISABLED, options.no_plugin)
    if options.safe_mode:
        os.environ[SAFE_MODE] = "1"


def apply_leading_plugin_options(arguments: Sequence[str]) -> None:
    """Let --plugin, --no-plugin and --safe-mode count before anything is imported, the command line included.

    Only those before the command: what follows it is its own. Whether they make sense is said by the command line.
    """
    with_values = {"--plugin": PLUGINS, "--no-plugin": DISABLED}
    with_values |= dict.fromkeys(("-A", "--app", "-e", "--env-file"), "")
    words = iter(arguments)
    for word in words:
        option, _, value = word.partition("=")
        if not option.startswith("-"):
            return
        if option == "--safe-mode":
            os.environ[SAFE_MODE] = "1"
        elif option in with_values:
            value = value or next(words, "")
            if with_values[option] and value:
                add_to_variable(with_values[option], [value])


def set_debug(value: bool) -> None:
    os.environ["QUART_PLUG_DEBUG"] = os.environ["QUART_DEBUG"] = "1" if value else "0"


def add_to_variable(variable: str, names: Iterable[str]) -> None:
    """Add names to a comma-separated environment variable."""
    known = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
    every = list(dict.fromkeys([*known, *names]))
    if every != known:
        os.environ[variable] = ",".join(every)


def load_default_files() -> None:
    """Read .env and .quartenv, unless QUART_SKIP_DOTENV says not to."""
    if get_load_dotenv():
        load_dotenv()


def load_dotenv(path: str | os.PathLike[str] | None = None) -> bool:
    """Read variables from that file, or from `.env` and `.quartenv` here or above; those set already stay.

    Gives whether a file was read; False without python-dotenv, which is said when there is something to read.
    """
    try:
        dotenv: Any = import_module("dotenv")
    except ImportError:
        if path or any(Path(name).is_file() for name in (".env", ".quartenv")):
            print(
                " * There are .env files, which python-dotenv reads: pip install 'quart-plug[dotenv]'",
                file=sys.stderr,
            )
        return False
    if path is not None:
        return os.path.isfile(path) and bool(dotenv.load_dotenv(path, encoding="utf-8"))
    find: Callable[..., str] = dotenv.find_dotenv
    loaded = False
    for name in (".env", ".quartenv"):
        found = find(name, usecwd=True)
        if found:
            dotenv.load_dotenv(found, encoding="utf-8")
            loaded = True
    return loaded
