"""How a websocket ends: who is told and in which words, and that nothing is left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, turns


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def told(error: ConnectionClosed) -> tuple[int, str, str | None]:
    return error.code, error.reason, error.closed_by


# The client leaves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["receive", "receive_json", "send", "send_json", "accept"])
async def test_the_first_call_after_the_end_and_each_later_one_is_told(connect: Connect, call: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await connection.websocket._inbox.settle()  # somebody has read the end
        connection.websocket._disconnected({"code": 4001, "reason": "bye"})
        for _ in range(3):
            with pytest.raises(ConnectionClosed) as caught:
                await getattr(websocket, call)(*(["x"] if call.startswith("send") else []))
            assert told(caught.value) == (4001, "bye", "client")
        await websocket.close()

    connection.server.leave(4001, "bye")
    await connection.run(view)
    assert connection.server.types == ["accept"]
    assert connection.told == [(4001, "bye", "client")]


@pytest.mark.parametrize("call", ["receive", "receive_json", "__anext__"])
async def test_who_waits_for_a_message_is_told(connect: Connect, call: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        try:
            await getattr(websocket, call)()
        except ConnectionClosed as error:
            return told(error)

    task = await connection.start(view)
    connection.server.leave(4001, "bye")
    assert await task == (4001, "bye", "client")


async def test_everybody_who_waits_is_told(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        found = await asyncio.gather(*(websocket.receive() for _ in range(3)), return_exceptions=True)
        return [told(error) for error in found]  # type: ignore[arg-type]

    task = await connection.start(view)
    connection.server.leave(1006)
    assert await task == [(1006, "", "network")] * 3


async def test_connection_closed_that_leaves_the_view_is_a_normal_end(connect: Connect) -> None:
    connection = connect()
    task = await connection.start(lambda websocket: websocket.receive())
    connection.server.leave(1001)
    assert await task == "told"
    assert connection.server.types == ["accept"] and connection.told == [(1001, "", "client")]


async def test_a_client_that_leaves_before_it_was_accepted(connect: Connect) -> None:
    connection = connect()
    connection.server.leave(1006)

    async def view(websocket: Websocket) -> None:
        for _ in range(2):
            await asyncio.sleep(0)
        websocket._disconnected(await websocket._inbox.take())
        for call in (websocket.accept, websocket.receive, websocket.reject):
            with pytest.raises(ConnectionClosed):
                await call()

    await connection.run(view)
    assert connection.server.sent == [] and connection.told == []


async def test_the_last_messages_can_be_received_after_the_end_was_seen(connect: Connect) -> None:
    connection = connect()
    hold = asyncio.Event()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        await hold.wait()
        found: list[Any] = []
        try:
            while True:
                found.append(await websocket.receive())
        except ConnectionClosed as error:
            return [*found, error.code]

    task = await connection.start(view)
    connection.server.put("a", "b")
    connection.server.leave(1000)
    await connection.look(times=3)
    assert connection.websocket.closed
    hold.set()
    assert await task == ["a", "b", 1000]


@pytest.mark.parametrize("short", [True, False])
async def test_a_send_that_the_server_refuses_is_an_end(connect: Connect, short: bool) -> None:
    """uvicorn raises an OSError, and has the disconnect ready in `receive`."""
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        websocket._short = short
        connection.server.broken = BrokenPipeError()
        connection.server.leave(4001, "bye")
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.send("x")
        assert told(caught.value) == (4001, "bye", "client")

    await connection.run(view)


async def test_a_send_that_the_server_refuses_without_telling_why(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        connection.server.broken = ConnectionResetError()
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.send_json(1)
        assert told(caught.value) == (1006, "", "network")

    await connection.run(view)


async def test_a_send_refused_since_the_end_came_meanwhile(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        connection.server.broken = RuntimeError("unexpected message")
        websocket._socket.state = "accepted"
        with pytest.raises(RuntimeError):
            await websocket.send("x")
        websocket._socket.state = "closed"

    await connection.run(view)


async def test_closing_a_connection_that_has_gone_is_no_error(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        connection.server.broken = BrokenPipeError()
        await websocket.close(4000)
        assert websocket.state == "closed"

    await connection.run(view)


# The view closes -------------------------------------------------------------------------------------------------


async def test_closing_twice_sends_one_close(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await asyncio.gather(websocket.close(4000, "one"), websocket.close(4001, "two"))
        await websocket.close()

    await connection.start(view)
    await turns()
    assert connection.server.types == ["accept", "close"] and connection.server.close == (4000, "one")
    assert connection.told == [(4000, "one", "server")]


@pytest.mark.parametrize(("code", "reason"), [(1005, ""), (99, ""), (1000, "x" * 124)])
async def test_an_illegal_close_is_an_error_and_sends_nothing(connect: Connect, code: int, reason: str) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        with pytest.raises(ValueError):
            await websocket.close(code, reason)
        await websocket.send("still open")

    await connection.run(view)
    assert connection.server.types == ["accept", "send", "close"]


async def test_calls_after_the_own_close_are_told(connect: Connect) -> None:
    connection = connect()
    connection.server.put("unread")

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")
        for call in (websocket.receive, websocket.receive_json, lambda: websocket.send("x")):
            with pytest.raises(ConnectionClosed) as caught:
                await call()
            assert told(caught.value) == (4000, "enough", "server")

    await connection.run(view)


async def test_a_view_may_go_on_after_its_own_close(connect: Connect) -> None:
    connection = connect()
    hold = asyncio.Event()

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        await websocket.close()
        await hold.wait()
        return "done"

    task = await connection.start(view)
    await connection.look(100, times=5)
    hold.set()
    assert await task == "done"


async def test_who_waits_for_a_message_while_another_task_closes_is_told(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        reader = asyncio.create_task(websocket.receive())
        await turns()
        await websocket.close(4000)
        connection.server.leave(1000)  # what a server says after the closing handshake
        with pytest.raises(ConnectionClosed) as caught:
            await reader
        return told(caught.value)

    task = await connection.start(view)
    assert await task == (4000, "", "server")


async def test_the_close_waits_for_an_acceptance_on_its_way(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        connection.server.blocked = True
        both = asyncio.gather(websocket.accept(), websocket.close(4000))
        await turns(4)
        connection.server.blocked = False
        await both

    await connection.start(view)
    await turns()
    assert connection.server.types == ["accept", "close"]


async def test_the_server_s_cancellation_of_a_websocket_goes_through(connect: Connect) -> None:
    connection = connect()
    task = await connection.start(lambda websocket: websocket.receive())
    connection.cancelled_by_server = True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.told == [(1006, "", None)]


async def test_an_unreadable_connection_is_pumped_and_nothing_is_lost(connect: Connect) -> None:
    """granian: a pending `receive` is never cancelled while the connection lives."""
    connection = connect()
    connection.ctx.inbox.always_pump()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        found: list[Any] = []
        while len(found) < 20:
            try:
                found.append(await asyncio.wait_for(websocket.receive(), 0.0005))
            except TimeoutError:
                connection.server.put(*(str(number) for number in range(len(found), len(found) + 5)))
        assert connection.server.cancelled == 0
        return found

    task = await connection.start(view)
    assert await task == [str(number) for number in range(20)]
