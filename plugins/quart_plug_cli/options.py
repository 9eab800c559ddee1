"""The options that come before every command: which app, debug mode, which plugins.

They take effect through the environment, since the app (and the reloader's child) reads it there. Each is
eager, so it holds before `--help` asks the application for its commands.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import click

from quart_plug import compat
from quart_plug.commands import options
from quart_plug.commands.options import DISABLED, PLUGINS, SAFE_MODE

from .loading import load_dotenv
from .script import ScriptInfo


def get_version(ctx: Any, param: Any, value: Any) -> None:
    """Print the versions and leave; the callback of `--version`."""
    if not value or ctx.resilient_parsing:
        return
    click.echo("\n".join(version_lines()), color=getattr(ctx, "color", None))
    ctx.exit()


def version_lines() -> list[str]:
    """One line for each of Python, quart-plug, werkzeug and hypercorn."""
    return [f"Python {platform.python_version()}"] + [
        f"{name} {version(name)}" for name in ("quart-plug", "werkzeug", "hypercorn")
    ]


def set_app(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        ctx.ensure_object(ScriptInfo).app_import_path = value
    return value


def set_debug(ctx: click.Context, param: click.Parameter, value: bool | None) -> bool | None:
    # Only when it was said: the app's own setting is not overwritten by a default.
    if value is not None:
        options.set_debug(value)
    return value


def read_env_file(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    _load_env_file(ctx, param, value)
    _take_the_name(compat.install_if_asked)  # a file may have said so
    return value


def _load_env_file(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """The file that was named comes first, so that .env and .quartenv do not override it."""
    if ctx.resilient_parsing:
        return
    if value is not None:
        if find_spec("dotenv") is None:
            raise click.BadParameter("python-dotenv is needed: pip install 'quart-plug[dotenv]'", ctx, param)
        load_dotenv(value)
    load_default_files(ctx.meta.get("quart_plug.load_dotenv", True))


def load_default_files(wanted: bool) -> None:
    """Read .env and .quartenv, unless the program does not want it or QUART_SKIP_DOTENV says not to."""
    if wanted:
        options.load_default_files()


def add_names(variable: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]:
    """A callback that adds the names to a comma-separated environment variable."""

    def add(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
        options.add_to_variable(variable, value)
        return value

    return add


def set_safe_mode(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    if value:
        os.environ[SAFE_MODE] = "1"
    return value


def call_ourselves_quart(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    if value and not ctx.resilient_parsing:
        _take_the_name(compat.install_as_quart)
        os.environ[compat.VARIABLE] = "1"  # for the reloader's child, and what the application starts
    return value


def _take_the_name(install: Callable[[], None]) -> None:
    try:
        install()
    except (RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _option(*names: str, from_environment: bool = False, **attributes: Any) -> click.Option:
    return click.Option(names, is_eager=True, expose_value=False, allow_from_autoenv=from_environment, **attributes)


version_option = _option("--version", help="Show the versions and exit.", is_flag=True, callback=get_version)


def debug_option() -> click.Option:
    """--debug / --no-debug; the command `run` has it as well."""
    return _option("--debug/--no-debug", help="Turn debug mode on or off.", default=None, callback=set_debug)


def app_option() -> click.Option:
    """--app; the commands that are about an application have it as well."""
    return _option(
        "-A",
        "--app",
        metavar="IMPORT",
        help="Where the application is: 'module:name', 'module:factory(\"x\")', or a file. "
        "Without it: the environment's QUART_PLUG_APP or QUART_APP, "
        "then wsgi.py, app.py, asgi.py, main.py.",
        callback=set_app,
    )


def global_options() -> list[click.Option]:
    """The options of the program, in the order in which they are listed and, when absent, processed."""
    return [
        _option(
            "-e",
            "--env-file",
            from_environment=True,
            type=click.Path(exists=True, dir_okay=False),
            help="Read environment variables from this file, before .env and .quartenv (with python-dotenv).",
            callback=read_env_file,
        ),
        app_option(),
        debug_option(),
        _option("--plugin", multiple=True, metavar="NAME", help="Turn a plugin on.", callback=add_names(PLUGINS)),
        _option(
            "--no-plugin",
            multiple=True,
            metavar="NAME",
            help="Turn a plugin off.",
            callback=add_names(DISABLED),
        ),
        _option("--safe-mode", is_flag=True, help="Only core plugins.", callback=set_safe_mode),
        _option(
            "--as-quart",
            is_flag=True,
            help="Answer to the name 'quart': the application imports from quart.",
            callback=call_ourselves_quart,
        ),
    ]
