"""Lobbies for websockets: `/lobbies/<name>`, where everybody hears what everybody says. A plugin with hooks of its own.

Other plugins decide who may come in, change what is said, and are told who comes and goes: see lobbies_specs.py, and
lobby_moderation.py for one that does. Code that is no plugin may listen to the signals "lobby-joined" and "lobby-left".

    [plugins.lobbies]
    prefix = "/lobbies"
    backlog = 100
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import lobbies_specs as specs

from quart_plug import Blueprint, Quart, hookimpl, websocket
from quart_plug.exceptions import MessageDropped
from quart_plug.hooks.own import around, collect, first, notify, pipe

__quart_plug__ = {"hookspecs": [specs]}


@dataclass
class Lobbies:
    """prefix   of the addresses.
    backlog  how many messages may wait for a slow member, who is sent away then.
    """

    prefix: str = "/lobbies"
    backlog: int = 100


class Member:
    """Somebody in a lobby."""

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
class Lobby:
    """A lobby, which is there while somebody is in it."""

    name: str
    members: list[Member] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Tell everybody."""
        for member in self.members:
            member.tell(text)


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Lobbies


@hookimpl
def signals(app: Quart) -> Mapping[str, str]:
    return {"lobby-joined": "lobby_joined", "lobby-left": "lobby_left"}


@hookimpl
def blueprints(app: Quart) -> Iterable[tuple[Blueprint, dict[str, Any]]]:
    app.extensions["lobbies"] = {}
    blueprint = Blueprint("lobbies", __name__)

    @blueprint.websocket("/<name>")
    async def lobby(name: str) -> Any:
        return await visit(app, name)

    return [(blueprint, {"url_prefix": app.plugin_config(Lobbies).prefix})]


async def visit(app: Quart, name: str) -> Any:
    """The view. The visitor's name is in the query: `/lobbies/kitchen?name=ann`."""
    lobbies: dict[str, Lobby] = app.extensions["lobbies"]
    lobby = lobbies.get(name) or Lobby(name)
    member = Member(websocket.args.get("name", "somebody"), app.plugin_config(Lobbies).backlog)
    reason = await first(specs.lobby_admits, app, lobby, member)
    if reason is not None:
        return reason, 403
    await websocket.accept()
    for greeting in collect(specs.lobby_greetings, app, lobby):
        member.tell(greeting)
    lobby = lobbies.setdefault(name, lobby)
    lobby.members.append(member)
    try:
        async with around(specs.lobby_visit, app, lobby, member):
            await notify(specs.lobby_joined, app, lobby, member)
            await talk(app, lobby, member)
    finally:
        lobby.members.remove(member)
        if not lobby.members:
            lobbies.pop(name, None)
        await notify(specs.lobby_left, app, lobby, member)
    return None


async def talk(app: Quart, lobby: Lobby, member: Member) -> None:
    """Until the member leaves, or turns out to be too slow."""
    tasks = [asyncio.create_task(each) for each in (hear(member), speak(app, lobby, member), give_up(member))]
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


async def speak(app: Quart, lobby: Lobby, member: Member) -> None:
    async for message in websocket:
        try:
            said = await pipe(specs.lobby_message, app, lobby, member, str(message))
        except MessageDropped:
            continue
        lobby.tell(f"{member.name}: {said}")


async def give_up(member: Member) -> None:
    await member.is_too_slow.wait()
    await websocket.close(1013, "too slow")
