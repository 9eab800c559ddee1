"""Finding an application, in click's words: what `quart_plug.finding` raises is a usage error here, as in Quart.

Also `load_dotenv`, which Quart has in the same place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any

import click

from quart_plug import Quart, finding
from quart_plug.commands.options import load_dotenv
from quart_plug.finding import prepare_import, users_traceback

__all__ = [
    "AppImportFailed",
    "NoAppException",
    "find_app_by_string",
    "find_best_app",
    "load_dotenv",
    "locate_app",
    "prepare_import",
    "users_traceback",
]


class NoAppException(click.UsageError):
    """There is no application where one was looked for."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Error: {self.format_message()}", file=file, err=file is None)


class AppImportFailed(NoAppException):
    """The user's module raised; the error is `__cause__`."""

    exit_code = 1  # the command line was right


class SettingsFailed(NoAppException):
    """What the user's module asked of a configuration file or a plugin cannot be had; the text is enough."""

    exit_code = 1


_OURS = {finding.AppFailed: AppImportFailed, finding.AppSettingsFailed: SettingsFailed}


@contextmanager
def in_clicks_words() -> Iterator[None]:
    """Raise NoAppException for `finding.AppNotFound`."""
    try:
        yield
    except finding.AppNotFound as error:
        raise _OURS.get(type(error), NoAppException)(str(error)) from error.__cause__


def find_app(path: str | None) -> Quart:
    """The application of `--app`, of the environment, or of the usual files."""
    with in_clicks_words():
        return finding.find_app(path)


def locate_app(module_name: str, app_name: str | None, raise_if_not_found: bool = True) -> Quart | None:
    """The application of that name in the module, or the only sensible one when the name is None or empty.

    raise_if_not_found   False: None when there is no such module.
    """
    with in_clicks_words():
        return finding.locate_app(module_name, app_name, raise_if_not_found)


def find_best_app(module: ModuleType) -> Quart:
    """The module's `app` or `application`, its only application, or what its factory makes."""
    with in_clicks_words():
        return finding.find_best_app(module)


def find_app_by_string(module: ModuleType, app_name: str) -> Quart:
    """The application for `app`, `factory` or `factory(arguments)`; arguments are literals."""
    with in_clicks_words():
        return finding.find_app_by_string(module, app_name)
