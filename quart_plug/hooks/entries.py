"""One plugin's way through the manager: what was decided about it, what it became, and the errors that say
so.

Must not know: the other plugins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..exceptions import PluginError
from .calls import Implementation
from .discovery import Record, import_reference
from .origins import Origin, add_note
from .relations import API_VERSION, NOTHING_DECLARED, Declaration, Related, api_matches, read_declaration
from .report import PluginReport, Status
from .selection import Choice

FAULTY: frozenset[str] = frozenset({"failed", "missing", "blocked", "incompatible"})


def told(error: BaseException) -> str:
    """An error as a part of a sentence; ours say enough without their class."""
    return str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"


@dataclass(eq=False)
class Entry:
    """A plugin that is installed, asked for or registered. `status` "selected" means: not loaded yet.

    imported  the plugin also after it was set aside, until it has been told what else is wrong with it.
    further   what that is.
    """

    name: str
    status: Status | str
    reason: str = ""
    record: Record | None = None
    local: Any = None
    requested_by: tuple[str, ...] = ()
    required: bool = False
    plugin: Any = None
    error: BaseException | None = None
    declaration: Declaration = NOTHING_DECLARED
    implementations: list[Implementation] = field(default_factory=list)
    imported: Any = None
    further: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, choice: Choice) -> Entry:
        return cls(
            choice.name,
            choice.status,
            choice.reason,
            choice.record,
            choice.local,
            choice.requested_by,
            choice.required,
        )

    @property
    def distribution(self) -> str | None:
        return self.record.distribution if self.record is not None else None

    @property
    def version(self) -> str | None:
        return self.record.version if self.record is not None else None

    @property
    def value(self) -> str:
        if self.record is not None:
            return self.record.value
        return self.local if isinstance(self.local, str) else self.name

    @property
    def origin(self) -> Origin:
        return Origin(self.name, self.distribution, self.version)

    @property
    def related(self) -> Related:
        return Related(self.name, self.declaration)

    def set_aside(self, status: Status, reason: str, error: BaseException | None = None) -> None:
        """It will not be active, or no longer is."""
        self.status, self.reason, self.error = status, reason, error
        self.plugin = None
        self.implementations = []

    def load(self) -> None:
        """Import the plugin and read its declaration.
        Whatever goes wrong is written down, and never raised.
        """
        try:
            loaded = self.local if not isinstance(self.local, str) else import_reference(self.local)
            self.plugin = self.imported = self.record.load() if self.record is not None else loaded
            self.read()
        except ModuleNotFoundError as error:
            self._not_found(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit(), and what test runners raise to skip
            self.fail(error, "while it was imported")

    def read(self) -> None:
        """Read the declaration of the plugin; an unfit version of the plugin API sets it aside."""
        import sys

        module = sys.modules.get(self.value.partition("[")[0].partition(":")[0].strip())
        self.declaration = read_declaration(self.plugin, module)
        if not api_matches(self.declaration.api):
            self.set_aside(
                "incompatible",
                f"it works with version {self.declaration.api} of the plugin API, and this is {API_VERSION};"
                " install another version of it, or of quart-plug",
            )

    def fail(self, error: BaseException, when: str) -> None:
        add_note(error, f"From {self.origin}{f', {when}' if when else ''}.")
        text = told(error)
        self.set_aside("failed", f"{when}: {text}" if when else text, error)

    def _not_found(self, error: ModuleNotFoundError) -> None:
        module = (error.name or "").partition(".")[0]
        own = self.value.partition(":")[0].partition(".")[0].partition("[")[0].strip()
        if not module or module == own:
            where = f"reinstall {self.distribution}" if self.distribution else "correct its import string"
            self.set_aside("failed", f"its module {error.name or own!r} cannot be found: {where}", error)
            return
        install = f"pip install {module}"
        if self.record is not None and self.record.extras:
            install = f'pip install "{self.record.distribution}[{",".join(self.record.extras)}]"'
        self.set_aside(
            "missing", f"it needs the module {error.name!r}, which is not installed: {install}", error
        )

    @property
    def faults(self) -> tuple[str, ...]:
        """Each thing that is wrong with it."""
        return (*(getattr(self.error, "faults", None) or [self.reason]), *self.further)

    def complaint(self, indent: str = "") -> str:
        """For an error or a log: the plugin, who asked for it, what is wrong. Each line begins with `indent`."""
        places = ", ".join(place for place in self.requested_by if place != "core")
        about = (f", entry point {self.value!r}" if self.record is not None else "") + (
            f", asked for by {places}" if places else ""
        )
        verb = "failed" if self.status == "failed" else f"is {self.status}"
        head = f"{self.origin}{about}{',' if about else ''} {verb}:"
        faults = self.faults
        if len(faults) == 1:
            reason = self.reason.rstrip(".").replace("\n", f"\n{indent}")
            return f"{head} {reason}."
        return head + "".join(f"\n{indent}  - {fault}" for fault in faults)

    def report(self) -> PluginReport:
        waits = self.status == "selected"
        between = "\n  - " if "\n  - " in self.reason else "; also "
        return PluginReport(
            self.name,
            "disabled" if waits else self.status,  # type: ignore[arg-type] # the others are Status
            "selected, and not loaded yet" if waits else between.join((self.reason, *self.further)),
            self.distribution,
            self.version,
            self.value if self.record is not None or self.local is not None else "",
            tuple(sorted({implementation.hook for implementation in self.implementations})),
            self.record is not None and self.record.first_party,
            self.requested_by,
        )
