"""What the page gets: everything at once, and then over the websocket what has changed.

Each page asks for what is new since it last asked, when it has taken the answer before; so nothing is queued for a slow
one, and a burst of requests becomes one message.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from . import facts
from .masking import error_text, masked_text, shown

if TYPE_CHECKING:
    from quart_plug import Quart

    from .recorder import Recorder
    from .records import Record

__all__ = ["Feed", "Inspection", "encode"]

PAUSE = 0.2  # seconds in which changes are gathered
LOOK_AGAIN = 2.0  # seconds after which is looked at what tells of no change: panels, states of websockets
MOST_ROWS = 500  # of a panel


def encode(data: Any) -> str:
    """JSON in ASCII, by the standard library: the app's own provider may be off, or be what is looked into."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


# How each section is made, and what stands in its place when that fails.
_SECTIONS: dict[str, tuple[Callable[[Quart], Any], Any]] = {
    "app": (facts.summary, {}),
    "plugins": (facts.plugins, {"plugins": [], "problems": []}),
    "hooks": (facts.hooks, []),
    "routes": (facts.routes, []),
    "configuration": (facts.configuration, []),
}


class Inspection:
    """All that is known of an app."""

    def __init__(self, app: Quart, recorder: Recorder) -> None:
        self._app = app
        self.recorder = recorder
        self._settings = 0
        app.config.on_change.append(self._setting_changed)
        app.plugin_hooks.on_change.append(recorder.tell)

    def _setting_changed(self, key: str) -> None:
        self._settings += 1
        self.recorder.tell()

    @property
    def edition(self) -> tuple[int, int, int]:
        """Differs after a change of the sections."""
        rules = sum(1 for _ in self._app.url_map.iter_rules())
        return self._app.plugin_hooks.generation, self._settings, rules

    def sections(self) -> dict[str, Any]:
        """Everything but the records and the panels. `faults` has the error of each that could not be made."""
        found: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name, (make, nothing) in _SECTIONS.items():
            try:
                found[name] = make(self._app)
                encode(found[name])
            except Exception as error:
                found[name], faults[name] = nothing, error_text(error)
        return found | {"faults": faults}

    def panels(self) -> list[dict[str, Any]]:
        """What other plugins have to show. One that fails is shown with its error."""
        manager = self._app.plugin_hooks
        found = []
        for implementation in manager.implementations("inspector_panels"):
            try:
                panel = manager.call_one(implementation)(self._app)
                if panel is not None:
                    found.append({"plugin": implementation.plugin, **_table(panel)})
            except Exception as error:
                found.append(
                    {"plugin": implementation.plugin, "title": implementation.plugin, "columns": [], "rows": []}
                    | {"empty": "", "error": error_text(error)}
                )
        return found

    def snapshot(self) -> dict[str, Any]:
        """Everything."""
        self.recorder.sweep()
        return self.sections() | {
            "panels": self.panels(),
            "now": time.time(),
            "requests": [record.to_json() for record in self.recorder.requests.since(-1)],
            "websockets": [record.to_json() for record in self.recorder.websockets.since(-1)],
        }


def _table(panel: Any) -> dict[str, Any]:
    values = (
        dict(panel)
        if isinstance(panel, Mapping)
        else {field.name: getattr(panel, field.name) for field in dataclasses.fields(panel)}
    )
    columns = [str(column) for column in values["columns"]]
    rows: list[list[str | int | float | None]] = []
    for row in values["rows"]:
        if len(rows) == MOST_ROWS:
            break
        cells = list(row)
        if len(cells) != len(columns):
            raise ValueError(f"a row has {len(cells)} values, and there are {len(columns)} columns: {columns}")
        rows.append([_cell(column, cell) for column, cell in zip(columns, cells, strict=True)])
    return {
        "title": str(values["title"]),
        "columns": columns,
        "rows": rows,
        "empty": str(values.get("empty", "Nothing here.")),
    }


def _cell(column: str, value: Any) -> str | int | float | None:
    if value is None or (type(value) is int and abs(value) < 2**53) or (type(value) is float and isfinite(value)):
        return value  # what JSON has, and the page's script keeps exactly
    return masked_text(value) if isinstance(value, str) else shown(column, value)


class Feed:
    """The messages for one page. `await feed.next()` gives the next one, when there is something to tell."""

    def __init__(self, inspection: Inspection) -> None:
        self._inspection = inspection
        self._recorder = inspection.recorder
        self._news = self._recorder.listen()
        self._version = -1
        self._edition: Any = None
        self._told: dict[str, str] = {}
        self._states: dict[int, str] = {}
        self._news.set()

    async def next(self) -> str:
        """The next message as JSON: `now`, and those of the sections, panels and records that have changed."""
        while True:
            try:
                async with asyncio.timeout(LOOK_AGAIN):
                    await self._news.wait()
                if self._told:  # what comes together goes together; who has just come does not wait
                    await asyncio.sleep(PAUSE)
            except TimeoutError:
                pass
            self._news.clear()
            message = self._changes()
            if message:
                return encode({"now": time.time(), **message})

    def _changes(self) -> dict[str, Any]:
        inspection = self._inspection
        changed: dict[str, Any] = {}
        sections: dict[str, Any] = {"panels": inspection.panels()}
        if self._edition != inspection.edition:
            self._edition = inspection.edition
            sections |= inspection.sections()
        for name, section in sections.items():
            text = encode(section)
            if self._told.get(name) != text:
                self._told[name] = text
                changed[name] = section
        self._recorder.sweep()
        version, self._version = self._version, self._recorder.version
        for name, records in (("requests", self._recorder.requests), ("websockets", self._recorder.websockets)):
            new = records.since(version)
            if name == "websockets":
                new = [*new, *self._moved(new)]
            if new or version < 0:
                changed[name] = [record.to_json() for record in new]
        return changed

    def _moved(self, new: list[Record]) -> list[Record]:
        """Live websockets whose state is another one than was told: accepting tells no hook that there is a change."""
        told, self._states = self._states, {}
        moved = []
        for number, record in self._recorder.websockets.live.items():
            record.look()
            self._states[number] = record.state
            if told.get(number, "connecting") != record.state and record not in new:
                moved.append(record)
        return moved
