"""The command `quart-plug rooms`: who is where, live, over every process of an application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from quart_plug.commands.output import Screen, print_json

from . import reports

if TYPE_CHECKING:
    from quart_plug import Quart

_COUNTED = ("sent", "dropped", "waiting")


def rooms_command(app: Quart) -> click.Command:
    @click.command("rooms", short_help="Show who is in which room.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON.")
    def rooms(as_json: bool) -> None:
        """Show the rooms of the running application: members and subscribers, and what became of their messages in each
        process on this machine. Where processes share a backend, members on other machines are counted too."""
        found = asyncio.run(collect(app))
        if as_json:
            print_json(found)
        else:
            show(found)

    return rooms


async def collect(app: Quart) -> dict[str, Any]:
    """What every process of the application on this machine reports, and what a shared backend knows of others."""
    notes = []
    processes: list[dict[str, Any]] = []
    if reports.are_possible():
        answers = await asyncio.gather(*map(reports.ask, reports.sockets_of(app)))
        processes = [answer for answer in answers if answer is not None]
    else:
        notes.append("Unix sockets do not exist on this system, so the processes cannot be asked.")
    everywhere: dict[str, int] = {}
    backend = processes[0]["backend"] if processes else None
    try:
        async with app.rooms as own:
            shared = own.backend is not None and own.backend.is_shared
            if shared and own.backend is not None:
                everywhere = dict(await own.backend.counts())
                backend = own.backend.name
    except (OSError, RuntimeError) as error:
        shared = any(process["shared"] for process in processes)
        notes.append(f"The backend cannot be asked: {error}")
    rooms = {}
    for name in sorted({*everywhere, *(name for process in processes for name in process["rooms"])}):
        here = [process["rooms"][name] for process in processes if name in process["rooms"]]
        members = sum(each["here"] for each in here)
        rooms[name] = {
            "members": everywhere.get(name, members),
            "here": members,
            "subscribers": sum(each["subscribers"] for each in here),
        }
    for process in processes:
        trouble = process["status"]["trouble"]
        if trouble:
            notes.append(f"Process {process['process']['pid']}: {trouble}")
    return {"backend": backend, "shared": shared, "rooms": rooms, "processes": processes, "notes": notes}


def show(found: dict[str, Any]) -> None:
    """As tables."""
    screen = Screen()
    rooms, processes = found["rooms"], found["processes"]
    if rooms:
        columns = ("members", "here", "subscribers") if found["shared"] else ("members", "subscribers")
        heads = {"members": "Members", "here": "On this machine", "subscribers": "Subscribers"}
        screen.table(
            ("Room", *(heads[column] for column in columns)),
            [(name, *(str(counts[column]) for column in columns)) for name, counts in rooms.items()],
        )
    elif processes:
        screen.print("Nobody is in a room.")
    if processes:
        screen.print()
        screen.table(("Process", "Rooms", "Members", *map(str.capitalize, _COUNTED)), _rows(processes))
    else:
        screen.print("No process of this application that has rooms is running on this machine.")
    for note in found["notes"]:
        screen.prose(note)


def _rows(processes: Iterable[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    for process in processes:
        counts = process["process"]
        members = sum(room["here"] for room in process["rooms"].values())
        yield (
            str(counts["pid"]), str(len(process["rooms"])), str(members), *(str(counts[name]) for name in _COUNTED)
        )  # fmt: skip
