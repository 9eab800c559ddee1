"""A plugin: in the inspector, a table of who is in the room. See "Things to try" in README.md.

The hook `inspector_panels` is specified by another plugin, the inspector. That may be off, and so the hook is marked
optional: then nobody calls it.
"""

from __future__ import annotations

from typing import Any

from quart_plug import Quart, hookimpl


@hookimpl(optionalhook=True)
def inspector_panels(app: Quart) -> dict[str, Any]:
    room = app.extensions["chat_room"]
    return {
        "title": "Room",
        "columns": ["Person", "Tabs", "Messages on their way"],
        "rows": [
            [person.name, len(person.tabs), sum(tab.outbox.qsize() for tab in person.tabs)]
            for person in room.people.values()
        ],
        "empty": "Nobody is in the room.",
    }
