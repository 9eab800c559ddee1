"""What is wrong with an app's plugins, gathered while they are chosen, loaded and set up, and told as one error.

One mistake is told by its own error. Several are told by one that lists them and derives from the classes of all.
Whether a plugin that failed stops the app is decided here: when it was asked for by name, and the manager is strict.
Must not know: how any of it was found.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..exceptions import PluginConfigError, PluginError, PluginErrors, PluginLoadError
from .entries import Entry

logger = logging.getLogger("quart_plug.plugins")


@dataclass
class Mistakes:
    """problems  what is wrong apart from single plugins.
    faulty    the plugins that cannot be had.
    """

    problems: list[PluginError] = field(default_factory=list)
    faulty: list[Entry] = field(default_factory=list)

    def error(self, strict: bool) -> PluginError | None:
        """The error to raise, if there is to be one. What can be borne is logged as one warning; nothing can where the
        app does not start anyway.
        """
        fatal = [entry for entry in self.faulty if entry.required and (strict or self.problems)]
        bearable = [entry for entry in self.faulty if entry not in fatal]
        if bearable:
            logger.warning("Started without these plugins:%s", _paragraphs(bearable))
        if not fatal:
            return join(self.problems) if self.problems else None
        failed = _failed(fatal, strict)
        if not self.problems:
            return failed
        lines = [line for problem in self.problems for line in problem.faults or (str(problem),)]
        count = len(lines) + sum(len(entry.faults) for entry in fatal)
        text = _listed(f"{count} things are wrong with the plugins", lines) + _paragraphs(fatal) + _cure(fatal, strict)
        several = PluginErrors.of(text, [*self.problems, failed])
        several.__cause__ = failed.__cause__
        return several


def join(problems: Sequence[PluginError]) -> PluginError:
    """One error for all of them."""
    if len(problems) == 1:
        return problems[0]
    lines = [line for problem in problems for line in problem.faults or (str(problem),)]
    return PluginErrors.of(_listed(f"{len(lines)} things are wrong with the plugins", lines), problems)


def _failed(fatal: Sequence[Entry], strict: bool) -> PluginLoadError:
    if len(fatal) == 1:
        message = fatal[0].complaint()
    else:
        message = f"{len(fatal)} plugins cannot be used:{_paragraphs(fatal)}"
    configured = all(isinstance(entry.error, PluginConfigError) for entry in fatal)
    faults = [fault for entry in fatal for fault in entry.faults]
    error = (PluginConfigError if configured else PluginLoadError)(message + _cure(fatal, strict), faults)
    causes = [entry.error for entry in fatal if entry.error is not None]
    if causes:
        error.__cause__ = causes[0] if len(causes) == 1 else BaseExceptionGroup("the plugins' own errors", causes)
    return error


def _cure(fatal: Sequence[Entry], strict: bool) -> str:
    names = ",".join(entry.name for entry in fatal)
    without = ", or start without it (PLUGINS_STRICT = False)" if strict else ""
    return f"\nCorrect that, or turn off what fails (QUART_PLUG_DISABLE={names}){without}."


def _paragraphs(entries: Sequence[Entry]) -> str:
    return "".join(f"\n  - {entry.complaint('  ')}" for entry in entries)


def _listed(title: str, lines: Sequence[str]) -> str:
    return f"{title}:" + "".join("\n  - " + line.replace("\n", "\n    ") for line in lines)
