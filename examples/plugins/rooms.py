"""Rooms for websockets: `/rooms/<name>`, where everybody hears what everybody says. A plugin with hooks of its own.

Other plugins decide who may come in, change what is said, and are told who comes and goes: see rooms_specs.py, and
room_moderation.py for one that does. Code that is no plugin may listen to the signals "room-joined" and "room-left".

    [plugins.rooms]
    prefix = "/rooms"
    backlog = 100
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import rooms_specs as specs

from quart_plug import Blueprint, Quart, hookimpl, websocket
from quart_plug.exceptions import MessageDropped
from quart_plug.hooks.own import around, collect, first, notify, pipe

__quart_plug__ = {"hookspecs": [specs]}


@dataclass
class Rooms:
    """prefix   of the addresses.
    backlog  how many messages may wait for a slow member, who is sent away then.
    """

    prefix: str = "/rooms"
    backlog: int = 100


class Member:
    """Somebody in a room."""

    def __init__(self, name: str, backlog: int) -> None:
        self.name = name
        self.outbox: asyncio.Queue[str] = asyncio.Queue(backlog)
        self.is_too_slow = asyncio.Event()

    def tell(self, text: str) -> None:
        """Put a text into the outbox; nobody waits for a slow member."""
        try:
            self.outbox.put_nowait(text)
        except asyncio.QueueFull:
            self.is_too_slow.set()


@dataclass
class Room:
    """A room, which is there while somebody is in it."""

    name: str
    members: list[Member] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Tell everybody."""
        for member in self.members:
            member.tell(text)


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Rooms


@hookimpl
def signals(app: Quart) -> Mapping[str, str]:
    return {"room-joined": "room_joined", "room-left": "room_left"}


@hookimpl
def blueprints(app: Quart) -> Iterable[tuple[Blueprint, dict[str, Any]]]:
    app.extensions["rooms"] = {}
    blueprint = Blueprint("rooms", __name__)

    @blueprint.websocket("/<name>")
    async def room(name: str) -> Any:
        return await visit(app, name)

    return [(blueprint, {"url_prefix": app.plugin_config(Rooms).prefix})]


async def visit(app: Quart, name: str) -> Any:
    """The view. The visitor's name is in the query: `/rooms/kitchen?name=ann`."""
    rooms: dict[str, Room] = app.extensions["rooms"]
    room = rooms.get(name) or Room(name)
    member = Member(websocket.args.get("name", "somebody"), app.plugin_config(Rooms).backlog)
    reason = await first(specs.room_admits, app, room, member)
    if reason is not None:
        return reason, 403
    await websocket.accept()
    for greeting in collect(specs.room_greetings, app, room):
        member.tell(greeting)
    room = rooms.setdefault(name, room)
    room.members.append(member)
    try:
        async with around(specs.room_visit, app, room, member):
            await notify(specs.room_joined, app, room, member)
            await talk(app, room, member)
    finally:
        room.members.remove(member)
        if not room.members:
            rooms.pop(name, None)
        await notify(specs.room_left, app, room, member)
    return None


async def talk(app: Quart, room: Room, member: Member) -> None:
    """Until the member leaves, or turns out to be too slow."""
    tasks = [asyncio.create_task(each) for each in (hear(member), speak(app, room, member), give_up(member))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def hear(member: Member) -> None:
    while True:
        await websocket.send(await member.outbox.get())


async def speak(app: Quart, room: Room, member: Member) -> None:
    async for message in websocket:
        try:
            said = await pipe(specs.room_message, app, room, member, str(message))
        except MessageDropped:
            continue
        room.tell(f"{member.name}: {said}")


async def give_up(member: Member) -> None:
    await member.is_too_slow.wait()
    await websocket.close(1013, "too slow")
