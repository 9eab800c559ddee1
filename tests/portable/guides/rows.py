"""The lines of the migration guides' tables, as functions that try them.

    form = row("`request.form`")   # the text of the line's first cell

    @form.there                    # with Flask, or the real Quart
    def _(): ...

    @form.here                     # with quart-plug
    async def _(): ...

    @form.restored                 # with quart-plug, after what the guide says to do for the other's behaviour
    async def _(): ...

Each returns what it saw, as text; `row(name, there=…, here=…)` says what that has to be where the two differ.
`python -m guides.GUIDE there|here|restored` runs those of one side, each on its own, and prints JSON:
`{line: {"saw": text} or {"failed": traceback}}`. Which framework is meant is the functions' affair.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

Function = Callable[[], Any]


class Row:
    def __init__(self, name: str, expected: dict[str, str]) -> None:
        self.name = name
        self.expected = expected
        self.functions: dict[str, Function] = {}

    def there(self, function: Function) -> Function:
        return self._add("there", function)

    def here(self, function: Function) -> Function:
        return self._add("here", function)

    def restored(self, function: Function) -> Function:
        return self._add("restored", function)

    def both(self, function: Function) -> Function:
        """The same code for either side."""
        self._add("there", function)
        return self._add("here", function)

    def _add(self, side: str, function: Function) -> Function:
        assert side not in self.functions, f"{self.name} has two functions for {side}"
        self.functions[side] = function
        return function

    def source(self, side: str) -> str:
        return inspect.getsource(self.functions[side])


class Rows(dict[str, Row]):
    def __call__(self, name: str, **expected: str) -> Row:
        assert name not in self, f"the line {name} is tried twice"
        self[name] = Row(name, expected)
        return self[name]

    def run(self, side: str) -> dict[str, Any]:
        return {name: _run(row.functions[side]) for name, row in self.items() if side in row.functions}


def _run(function: Function) -> dict[str, Any]:
    try:
        if inspect.iscoroutinefunction(function):
            return {"saw": str(asyncio.run(function()))}
        return {"saw": str(function())}
    except Exception:
        return {"failed": traceback.format_exc()}


def main(rows: Rows) -> None:
    print(json.dumps(rows.run(sys.argv[1])))
