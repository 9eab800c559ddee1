"""What a command looks at: the application that was named, or else the plugins of the project folder.

Looking never fails because of a plugin: what is wrong with one is a part of what is found. While plugins and the
application are imported and set up, what they print goes to standard error.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..app import Quart
from ..exceptions import PluginError
from ..finding import AppNotFound, find_app, said_in_environment
from ..hooks import PluginManager
from ..hooks.report import PluginReport, Report
from ..plugin_setup import CHECKED, start_plugins
from .late_hooks import wrong_answers

FAULTY = frozenset({"failed", "missing", "incompatible", "blocked"})


class CommandError(Exception):
    """A command cannot do what it was asked for; the text says why. `status` is what the program ends with."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class State:
    """app    None where none was named, or where it cannot be had; `fault` says why then.
    path   what was named.
    fault  what is wrong with the application itself, or "".
    wrong  what is wrong with the settings, where the manager could not even begin.
    status what a command that shows this ends with.
    """

    manager: PluginManager
    app: Quart | None = None
    path: str | None = None
    fault: str = ""
    status: int = 0
    wrong: str = ""

    @property
    def report(self) -> Report:
        with quietly():  # the plugins of an application are asked for their commands
            report = self.manager.report()
        return replace(report, problems=(self.wrong,)) if self.wrong and not report.problems else report

    def application(self) -> dict[str, str | None] | None:
        """For JSON: what was named, and what is wrong with it."""
        named = self.path if self.path is not None else self.app.import_name if self.app is not None else None
        return None if named is None else {"import": named, "error": self.fault or None}

    def say_fault(self) -> None:
        """Say on standard error that what is shown is not the application's."""
        if self.fault and self.app is None:
            print(
                f"Error: {self.fault}\n\nThis is the state of the project's folder, without that application.\n",
                file=sys.stderr,
            )
        elif self.fault:
            print(f"Error: {self.fault}\n", file=sys.stderr)


def look(path: str | None, find: Callable[[], Quart] | None = None) -> State:
    """The application of an import path, of `find`, or of the environment; else the project's folder."""
    named = path or said_in_environment("APP")
    if find is None and named is None:
        return look_at_folder(Path.cwd())
    with quietly():
        try:
            app = find() if find is not None else find_app(named)
        except AppNotFound as error:
            return replace(look_at_folder(Path.cwd()), path=named, fault=str(error), status=error.exit_status)
    return look_at_app(app, named)


def look_at_app(app: Quart, named: str | None = None) -> State:
    """Set the plugins of an app up, as far as they go."""
    fault = ""
    with quietly():
        try:
            if not app.plugins_are_set_up and not app.plugin_hooks.is_loaded:
                app.config["PLUGINS_STRICT"] = False  # so that every plugin gets as far as it can
            app.setup_plugins()
        except PluginError as error:
            report = app.plugin_hooks.report()
            told = bool(report.problems) or any(plugin.status in FAULTY for plugin in report)
            fault = "" if told else str(error)
        except (Exception, SystemExit) as error:
            fault = f"setting up its plugins failed: {type(error).__name__}: {error}"
    return State(app.plugin_hooks, app, named, fault, 1 if fault else 0)


def look_at_folder(folder: Path) -> State:
    """Load what is enabled in this folder, as far as that goes without an application: nothing is set up.

    A plugin that fails only changes its own line; what is wrong with the settings is in the report's `problems`.
    """
    app = Quart("quart_plug", root_path=str(folder))
    app.config["PLUGINS_STRICT"] = False
    with quietly():
        try:
            start_plugins(app, CHECKED)
        except PluginError as error:
            return State(app.plugin_hooks, wrong=str(error))
    return State(app.plugin_hooks)


@contextmanager
def quietly() -> Iterator[None]:
    """What plugins print goes to standard error, and what the manager would log is in the report."""
    with unlogged(), to_standard_error():
        yield


@contextmanager
def to_standard_error() -> Iterator[None]:
    """What is printed goes to standard error, and so does what is written to descriptor 1, by a child process too."""
    with _descriptor_to_standard_error(), redirect_stdout(sys.stderr):
        yield


@contextmanager
def _descriptor_to_standard_error() -> Iterator[None]:
    """Only where standard output is the process's own: who has put something in its place catches what is printed."""
    stdout, kept = sys.stdout, None
    if stdout is sys.__stdout__ and stdout is not None:
        with suppress(OSError, ValueError, AttributeError):  # one of the two is closed, no file, or None
            if (stdout.fileno(), sys.stderr.fileno()) == (1, 2):
                stdout.flush()
                kept = os.dup(1)
                os.dup2(2, 1)
    try:
        yield
    finally:
        if kept is not None:
            try:
                stdout.flush()  # what was printed to a stream that somebody had kept
            finally:
                os.dup2(kept, 1)
                os.close(kept)


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep what plugins do wrong out of the log, because somebody tells it in another way."""
    logger = logging.getLogger("quart_plug.plugins")
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was


def faults(state: State) -> list[dict[str, str | None]]:
    """Everything that is wrong, with the plugin that it is about, if any."""
    report = state.report
    found: list[dict[str, str | None]] = []
    if state.fault:
        found.append({"plugin": None, "kind": "application", "text": state.fault})
    found += [{"plugin": None, "kind": "settings", "text": problem} for problem in report.problems]
    for conflict in report.conflicts:
        found += [{"plugin": conflict.plugins[-1], "kind": "conflict", "text": conflict.text}]
    for plugin in report:
        if plugin.status in FAULTY:
            text = f"{origin_of(plugin)} is {plugin.status}: {plugin.reason}"
            found.append({"plugin": plugin.name, "kind": plugin.status, "text": text})
    if state.app is not None and state.app.plugins_are_set_up:
        with quietly():
            found += [
                {"plugin": origin.plugin, "kind": "hook", "text": text} for origin, text in wrong_answers(state.app)
            ]
    return found


def origin_of(plugin: PluginReport) -> str:
    if not plugin.distribution:
        return plugin.name
    return f"{plugin.name} ({plugin.distribution} {plugin.version or ''}".rstrip() + ")"
