"""A plugin with hooks of its own, and one that implements them: every kind and colour, through an application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.exceptions import PluginLoadError
from quart_plug.signals import signal
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError

from .conftest import MakeApp


@asynccontextmanager
async def inside(app: Quart, name: str, lobby: str = "kitchen") -> AsyncIterator[Any]:
    async with app.test_client().websocket(f"/lobbies/{lobby}?name={name}") as connection:
        yield connection


async def refusal(app: Quart, name: str) -> tuple[int, str]:
    with pytest.raises(WebsocketResponseError) as refused:
        async with inside(app, name) as connection:
            await connection.receive()
    return refused.value.response.status_code, await refused.value.response.get_data(as_text=True)


async def test_everybody_hears_everybody_in_the_room(make_app: MakeApp) -> None:
    app = make_app("lobbies")
    async with inside(app, "ann") as ann:
        assert await said(ann, "nobody here?") == "ann: nobody here?"
        async with inside(app, "bob") as bob, inside(app, "eve", "cellar") as eve:
            assert await said(bob, "me") == await ann.receive() == "bob: me"
            assert await said(eve, "it is dark") == "eve: it is dark"
            assert await said(ann, "hello") == await bob.receive() == "ann: hello"


async def said(member: Any, text: str) -> str:
    """Say something, and what is heard next."""
    await member.send(text)
    return str(await member.receive())


async def test_a_room_is_gone_when_everybody_left(make_app: MakeApp) -> None:
    app = make_app("lobbies")
    async with inside(app, "ann") as ann:
        await said(ann, "x")
        assert list(app.extensions["lobbies"]) == ["kitchen"]
    assert app.extensions["lobbies"] == {}


async def test_who_does_not_read_is_sent_away(make_app: MakeApp) -> None:
    """What is not taken waits in the outbox; when that is full the connection is closed, and nobody else waits."""
    app = make_app("lobbies", lobbies={"backlog": 1})
    async with inside(app, "ann") as ann:
        await said(ann, "x")
        member = app.extensions["lobbies"]["kitchen"].members[0]
        for _ in range(3):
            member.tell("more")
        with pytest.raises(WebsocketDisconnectError) as end:
            while True:
                await ann.receive()
    assert (end.value.code, end.value.reason) == (1013, "too slow")


async def test_moderation(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    """`first` refuses, `collect` greets, `notify` tells, `pipe` changes and drops, `around` measures."""
    rules = {"banned": ["mallory"], "words": ["darn"], "greeting": "Be kind.", "capacity": 2}
    app = make_app("lobbies", "lobby_moderation", lobby_moderation=rules)
    app.logger.setLevel("INFO")
    assert await refusal(app, "mallory") == (403, "You are not welcome here.")
    async with inside(app, "ann") as ann:
        assert [await ann.receive() for _ in range(2)] == ["Be kind.", "ann is here."]
        async with inside(app, "bob") as bob:
            assert [await bob.receive() for _ in range(2)] == ["Be kind.", "bob is here."]
            assert await refusal(app, "eve") == (403, "The lobby is full.")
            await bob.send("  ")
            await bob.send("Darn it, darning")
            assert await bob.receive() == "bob: **** it, darning"
        assert [await ann.receive() for _ in range(3)] == [
            "bob is here.",
            "bob: **** it, darning",
            "bob has left.",
        ]
    assert "bob was in kitchen for 0 seconds" in caplog.text


async def test_the_signals_of_the_rooms(make_app: MakeApp) -> None:
    """Who is no plugin may listen to what the plugin's hooks tell."""
    app = make_app("lobbies")
    heard = []

    async def joined(sender: Any, lobby: Any, member: Any) -> None:
        heard.append((sender, "joined", lobby.name, member.name))

    def left(sender: Any, lobby: Any, member: Any) -> None:
        heard.append((sender, "left", lobby.name, member.name))

    with signal("lobby-joined").connected_to(joined), signal("lobby-left").connected_to(left):
        async with inside(app, "ann") as ann:
            await said(ann, "x")
    assert heard == [(app, "joined", "kitchen", "ann"), (app, "left", "kitchen", "ann")]


async def test_without_the_signals_plugin_the_hooks_work_all_the_same(make_app: MakeApp) -> None:
    app = make_app("lobbies")
    app.config["PLUGINS_DISABLED"] = ["signals"]
    async with inside(app, "ann") as ann:
        assert await said(ann, "x") == "ann: x"


def test_moderation_needs_the_rooms(make_app: MakeApp) -> None:
    with pytest.raises(PluginLoadError, match="requires 'lobbies', not active here"):
        make_app("lobby_moderation").setup_plugins()


async def test_moderation_may_come_and_go(make_app: MakeApp) -> None:
    app = make_app("lobbies", "lobby_moderation", lobby_moderation={"greeting": "Be kind."})
    async with inside(app, "ann") as ann:
        assert await ann.receive() == "Be kind."
        app.hooks.unregister("lobby_moderation")
        await ann.receive()
        await ann.send("   ")
        assert await ann.receive() == "ann:    "


async def test_rooms_go_with_what_needs_them(make_app: MakeApp) -> None:
    """Their hooks are no longer specified, and their address is gone."""
    app = make_app("lobbies", "lobby_moderation")
    app.setup_plugins()
    assert app.hooks.spec("lobby_joined").owner == "lobbies"
    app.hooks.unregister("lobbies")
    assert "lobby_joined" not in app.hooks.specs
    assert not {"lobbies", "lobby_moderation", "lobbies-signals"} & set(app.hooks.names)
    assert (await refusal(app, "ann"))[0] == 404
