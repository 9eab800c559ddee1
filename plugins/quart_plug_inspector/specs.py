"""The hook that the inspector adds, for plugins that have something of their own to show.

A plugin that implements it marks it `@hookimpl(optionalhook=True)`, since the inspector may be off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookspec

if TYPE_CHECKING:
    from quart_plug import Quart

__all__ = ["Panel", "inspector_panels"]


@dataclass(frozen=True)
class Panel:
    """A table under a tab of its own.

    title    the tab's name; it is best a plural noun, "Rooms".
    columns  the names of the columns.
    rows     one sequence for each row, with a value for each column: texts, numbers, None.
    empty    what is said when there are no rows.
    """

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    empty: str = "Nothing here."


@hookspec(kind="collect", colour="sync")
def inspector_panels(app: Quart) -> Panel | Mapping[str, Any] | None:
    """A table for the inspector's page: asked while somebody looks at it, every two seconds at most often.

    It is called in the event loop and must not block. One that raises is shown with its error, and the others go on.
    A dictionary with the fields of `Panel` is as good.
    """
