"""Plugins' say in a websocket's handshake and messages: `websocket_accepting`, MessageDropped, MessageRefused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug import Quart, abort, hookimpl, websocket
from quart_plug.exceptions import ConnectionClosed, MessageDropped, MessageRefused, WebsocketStateError
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError
from quart_plug.wrappers import Handshake

Answer = Callable[[Any, Handshake], Any]


def accepting(function: Answer) -> Any:
    """A plugin with this implementation of `websocket_accepting`."""
    return type("Accepting", (), {"asked": staticmethod(hookimpl(specname="websocket_accepting")(function))})()


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.websocket("/echo", subprotocols=["chat", "log"])
    async def echo() -> None:
        async for message in websocket:
            await websocket.send(message)

    return app


async def refused(app: Quart, path: str = "/echo", **options: Any) -> tuple[int, str]:
    with pytest.raises(WebsocketResponseError) as refusal:
        async with app.test_client().websocket(path, **options) as connection:
            await connection.receive()
    return refusal.value.response.status_code, await refusal.value.response.get_data(as_text=True)


# The handshake --------------------------------------------------------------------------------------------------------


async def test_the_hook_sees_what_the_view_and_the_client_want(app: Quart) -> None:
    seen = []

    async def look(ctx: Any, handshake: Handshake) -> None:
        seen.append((ctx.websocket.state, handshake.subprotocol, handshake.requested_subprotocols))

    app.hooks.register(accepting(look))
    async with app.test_client().websocket("/echo", subprotocols=["log", "chat"]) as connection:
        await connection.send("x")
        assert await connection.receive() == "x"
    assert seen == [("connecting", "chat", ("log", "chat"))]


async def test_the_hook_chooses_the_subprotocol_and_adds_headers(app: Quart) -> None:
    def choose(ctx: Any, handshake: Handshake) -> None:
        handshake.subprotocol = "log"
        handshake.headers["x-server"] = "a7"

    app.hooks.register(accepting(choose))
    async with app.test_client().websocket("/echo", subprotocols=["chat", "log"]) as connection:
        await connection.send("x")
        await connection.receive()
        assert (connection.subprotocol, (connection.headers or {})["x-server"]) == ("log", "a7")


async def test_the_views_own_headers_are_there(app: Quart) -> None:
    @app.websocket("/own")
    async def own() -> None:
        await websocket.accept(headers={"x-own": "1"})

    app.hooks.register(accepting(lambda ctx, handshake: handshake.headers.add("x-more", "2")))
    async with app.test_client().websocket("/own") as connection:
        with pytest.raises(WebsocketDisconnectError):
            await connection.receive()
        headers = connection.headers or {}
        assert (headers["x-own"], headers["x-more"]) == ("1", "2")


async def test_an_answer_refuses(app: Quart) -> None:
    app.hooks.register(accepting(lambda ctx, handshake: ({"why": "full"}, 503)))
    assert await refused(app) == (503, '{"why":"full"}\n')


async def test_an_http_error_refuses(app: Quart) -> None:
    async def fail(ctx: Any, handshake: Handshake) -> None:
        abort(401)

    app.hooks.register(accepting(fail))
    assert (await refused(app))[0] == 401


async def test_a_plugin_may_reject_by_itself(app: Quart) -> None:
    async def reject(ctx: Any, handshake: Handshake) -> None:
        await ctx.websocket.reject(418, "no coffee")

    app.hooks.register(accepting(reject))
    assert await refused(app) == (418, "no coffee")


async def test_a_plugin_may_close_instead(app: Quart) -> None:
    async def close(ctx: Any, handshake: Handshake) -> None:
        await ctx.websocket.close(1008)

    app.hooks.register(accepting(close))
    assert (await refused(app))[0] == 403


async def test_the_view_ends_with_a_refusal(app: Quart) -> None:
    """It is told by ConnectionClosed, once; what it does afterwards is an error of its own."""
    told: list[Any] = []

    @app.websocket("/told")
    async def view() -> None:
        try:
            await websocket.accept()
        except ConnectionClosed as error:
            told.append((error.code, error.closed_by, websocket.state))
        with pytest.raises(WebsocketStateError, match="was rejected with 503"):
            await websocket.send("x")
        told.append("end")

    app.hooks.register(accepting(lambda ctx, handshake: ("full", 503)))
    assert await refused(app, "/told") == (503, "full")
    assert told == [(1006, "server", "rejected"), "end"]


async def test_a_view_that_is_refused_is_no_failure(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    app.hooks.register(accepting(lambda ctx, handshake: ("full", 503)))
    await refused(app)
    assert not caplog.records


async def test_what_a_plugin_cannot_choose(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    def choose(ctx: Any, handshake: Handshake) -> None:
        handshake.subprotocol = "soap"

    app.hooks.register(accepting(choose))
    assert (await refused(app, subprotocols=["chat"]))[0] == 500
    assert "the client asked for 'chat'" in caplog.text


async def test_a_plugins_header_for_the_subprotocol(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    app.hooks.register(accepting(lambda ctx, handshake: handshake.headers.set("Sec-WebSocket-Protocol", "chat")))
    assert (await refused(app))[0] == 500
    assert "not as a header" in caplog.text


async def test_a_failure_names_the_plugin(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    def fail(ctx: Any, handshake: Handshake) -> None:
        raise LookupError("no such room")

    app.hooks.register(accepting(fail), name="rooms")
    assert (await refused(app))[0] == 500
    assert "plugin 'rooms'" in caplog.text and "no such room" in caplog.text


async def test_two_tasks_that_accept_ask_once(app: Quart) -> None:
    """One sends, one reads, and both would accept: the second one waits for the answer."""
    asked = []
    go_on = asyncio.Event()

    async def look(ctx: Any, handshake: Handshake) -> None:
        asked.append(handshake)
        await go_on.wait()

    @app.websocket("/both")
    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(websocket.receive())
            group.create_task(websocket.send("first"))
            await asyncio.sleep(0)
            group.create_task(websocket.accept())
            await asyncio.sleep(0)
            go_on.set()
        await websocket.send(reading.result())

    app.hooks.register(accepting(look))
    async with app.test_client().websocket("/both") as connection:
        await connection.send("second")
        assert [await connection.receive(), await connection.receive()] == ["first", "second"]
    assert len(asked) == 1


async def test_a_refusal_is_told_to_both_tasks(app: Quart) -> None:
    told: list[str] = []

    async def refuse(ctx: Any, handshake: Handshake) -> Any:
        await asyncio.sleep(0)
        return "full", 503

    @app.websocket("/both")
    async def both() -> None:
        results = await asyncio.gather(websocket.receive(), websocket.send("x"), return_exceptions=True)
        told.extend(type(result).__name__ for result in results)

    app.hooks.register(accepting(refuse))
    assert await refused(app, "/both") == (503, "full")
    assert told == ["ConnectionClosed", "WebsocketStateError"]


async def test_a_plugin_that_waits_for_itself(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    """Not for ever: it is told what is wrong."""

    async def use(ctx: Any, handshake: Handshake) -> None:
        await ctx.websocket.send("hello")

    app.hooks.register(accepting(use))
    assert (await refused(app))[0] == 500
    assert "in the hook 'websocket_accepting', before it is accepted" in caplog.text


async def test_a_view_that_rejects_is_not_asked_about(app: Quart) -> None:
    asked: list[Any] = []

    @app.websocket("/no")
    async def no() -> None:
        await websocket.reject(402)

    app.hooks.register(accepting(lambda ctx, handshake: asked.append(1)))
    assert (await refused(app, "/no"))[0] == 402
    assert asked == []


# Messages -------------------------------------------------------------------------------------------------------------


class Censor:
    """Drops what is "spam", refuses what is "virus", in the direction that it is told to."""

    def __init__(self, direction: str) -> None:
        async def look(ctx: Any, message: Any) -> None:
            if message == "spam":
                raise MessageDropped
            if message == "virus":
                raise MessageRefused("no viruses", 4001)

        self.look = hookimpl(specname=direction)(look)


async def test_a_dropped_message_does_not_come_in(app: Quart) -> None:
    app.hooks.register(Censor("websocket_received"))
    async with app.test_client().websocket("/echo") as connection:
        for message in ("spam", "a", "spam", "spam", "b"):
            await connection.send(message)
        assert [await connection.receive(), await connection.receive()] == ["a", "b"]


async def test_a_dropped_message_is_not_sent(app: Quart) -> None:
    app.hooks.register(Censor("websocket_sending"))
    async with app.test_client().websocket("/echo") as connection:
        for message in ("spam", "a", "spam", "b"):
            await connection.send(message)
        assert [await connection.receive(), await connection.receive()] == ["a", "b"]


@pytest.mark.parametrize("direction", ["websocket_received", "websocket_sending"])
async def test_a_refused_message_closes(app: Quart, direction: str, caplog: pytest.LogCaptureFixture) -> None:
    """For the view it is an end as any other."""
    app.hooks.register(Censor(direction))
    with pytest.raises(WebsocketDisconnectError) as end:
        async with app.test_client().websocket("/echo") as connection:
            await connection.send("virus")
            await connection.receive()
    assert (end.value.code, end.value.reason) == (4001, "no viruses")
    assert not caplog.records


async def test_later_plugins_do_not_see_a_dropped_message(app: Quart) -> None:
    seen: list[Any] = []

    class Later:
        @hookimpl
        async def websocket_received(self, message: Any) -> None:
            seen.append(message)

        @hookimpl
        async def websocket_sent(self, message: Any) -> None:
            seen.append(f"sent {message}")

    app.hooks.register(Censor("websocket_received"), name="censor")
    app.hooks.register(Later(), name="later")
    async with app.test_client().websocket("/echo") as connection:
        for message in ("spam", "a"):
            await connection.send(message)
        await connection.receive()
    assert seen == ["a", "sent a"]


async def test_a_flood_of_dropped_messages_leaves_the_loop_to_others(app: Quart) -> None:
    """They are dropped one after the other, without depth and without keeping others waiting."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    app.hooks.register(Censor("websocket_received"))
    task = asyncio.ensure_future(other())
    async with app.test_client().websocket("/echo") as connection:
        for _ in range(2000):
            await connection.send("spam")
        await connection.send("a")
        assert await connection.receive() == "a"
    task.cancel()
    assert turns >= 2000


def test_what_a_refusal_says() -> None:
    assert str(MessageRefused("too fast")) == "the message was refused with code 1008: too fast"
