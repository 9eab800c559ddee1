"""Limits of a websocket, of sizes and of time, with the test's own time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.wrappers import Websocket

from .conftest import Connect, turns


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def listen(websocket: Websocket) -> Any:
    """A view that only receives, and tells how it ended."""
    await websocket.accept()
    try:
        while True:
            await websocket.receive()
    except ConnectionClosed as error:
        return error.code, error.closed_by


# Sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        ({"text": "x" * 10}, True),
        ({"text": "x" * 11}, False),
        ({"text": "é" * 5}, True),
        ({"text": "é" * 5 + "x"}, False),
        ({"text": "\U0001f600" * 2}, True),
        ({"text": "\U0001f600" * 3}, False),
        ({"bytes": b"x" * 10}, True),
        ({"bytes": b"x" * 11}, False),
    ],
)
@pytest.mark.parametrize("call", ["receive", "receive_json"])
async def test_a_message_over_the_limit_closes_with_1009(
    connect: Connect, message: dict[str, Any], fits: bool, call: str
) -> None:
    connection = connect(config={"WEBSOCKET_MAX_MESSAGE_SIZE": 10})
    connection.app.json.loads = lambda data: data
    connection.server.put({"type": "websocket.receive", **message})

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        if fits:
            assert await getattr(websocket, call)() in message.values()
            return
        for _ in range(2):
            with pytest.raises(ConnectionClosed) as caught:
                await getattr(websocket, call)()
            assert (caught.value.code, caught.value.closed_by) == (1009, "server")

    await connection.run(view)
    assert connection.server.close is not None
    assert connection.server.close[0] == (1000 if fits else 1009)
    assert fits or "10 bytes" in connection.server.close[1]


async def test_a_view_that_does_not_read_does_not_fill_the_memory(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_RECEIVE_QUEUE": 4})
    connection.server.put(*["x"] * 100)

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await forever()

    await connection.start(view)
    await connection.look(times=10)
    assert connection.server.reads == 4


# A peer that does not read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["send", "send_json", "send_bytes"])
async def test_a_peer_that_does_not_read_is_given_up(connect: Connect, call: str) -> None:
    aborted: list[bool] = []
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": 20}, **{"quart_plug.abort": lambda: aborted.append(True)})

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        connection.server.blocked = True
        with pytest.raises(ConnectionClosed) as caught:
            await getattr(websocket, call)(b"x" if call == "send_bytes" else "x")
        with pytest.raises(ConnectionClosed):
            await websocket.receive()
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0
        return caught.value.code, caught.value.closed_by

    task = await connection.start(view)
    await connection.look(1, times=20)
    assert connection.websocket.state == "accepted"
    await connection.look(1)
    assert connection.websocket.state == "closed"
    assert connection.server.types == ["accept", "send", "close"]
    assert not task.done()  # the close frame is being tried
    await connection.look(0.5)
    assert not task.done() and not aborted
    await connection.look(0.5)
    assert await task == (1013, "server") and aborted
    assert connection.told == [(1013, "the peer does not read", "server")]


async def test_everybody_who_sends_to_it_is_told_in_whatever_task(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        connection.server.blocked = True
        found = await asyncio.gather(
            websocket.send("x"),
            websocket.send_json(1),
            asyncio.wait_for(websocket.send("y"), 100),
            return_exceptions=True,
        )
        connection.server.blocked = False
        return [type(error) for error in found]

    task = await connection.start(view)
    await connection.look(1, times=22)
    assert await task == [ConnectionClosed] * 3


async def test_a_sender_that_is_cancelled_at_the_same_time_stays_cancelled(connect: Connect) -> None:
    connection = connect()
    senders: list[asyncio.Task[None]] = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        connection.server.blocked = True
        senders.append(asyncio.create_task(websocket.send("x")))
        await asyncio.wait(senders)
        connection.server.blocked = False

    task = await connection.start(view)
    connection.sweep.tick(1)
    connection.sweep.tick(22)
    senders[0].cancel()
    await turns()
    assert senders[0].cancelled()
    await connection.look(1, times=3)
    await task


async def test_a_peer_that_reads_slowly_is_not_given_up(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": 2})

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        for _ in range(10):
            connection.server.blocked = True
            await websocket.send("x")
        return "all sent"

    task = await connection.start(view)
    for _ in range(10):
        await connection.look(1, times=2)
        connection.server.blocked = False
        await turns()
    assert await task == "all sent"


async def test_pauses_between_sends_do_not_count(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": 2})
    hold = asyncio.Event()

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        await websocket.send("x")
        await hold.wait()
        await websocket.send("y")
        return "sent"

    task = await connection.start(view)
    await connection.look(10, times=3)
    hold.set()
    assert await task == "sent"


@pytest.mark.parametrize("setting", [None, 0])
async def test_the_limit_for_sending_can_be_off(connect: Connect, setting: Any) -> None:
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": setting})

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        connection.server.blocked = True
        await websocket.send("x")
        return "sent"

    task = await connection.start(view)
    await connection.look(100, times=3)
    connection.server.blocked = False
    assert await task == "sent"


async def test_a_close_that_the_peer_does_not_take_is_given_up(connect: Connect) -> None:
    aborted: list[bool] = []
    connection = connect(**{"quart_plug.abort": lambda: aborted.append(True)})

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        connection.server.blocked = True
        await websocket.close(4000)
        return websocket.state

    task = await connection.start(view)
    await connection.look(1, times=22)
    assert await task == "closed" and connection.told == [(4000, "", "server")]
    assert aborted == [True]


async def test_two_limits_that_are_passed_at_one_look_end_the_connection_once(connect: Connect) -> None:
    """The heartbeat is not answered, and the peer does not read: what waits is told, and nobody is cancelled."""
    connection = connect(config={"WEBSOCKET_SEND_TIMEOUT": 2})

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        websocket.heartbeat(1, timeout=1)
        connection.server.blocked = True
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.send("x")
        connection.server.blocked = False
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0
        return caught.value.code, caught.value.reason

    task = await connection.start(view)
    await connection.look(1, times=2)
    await connection.look(1)
    await connection.look(1)
    assert await asyncio.wait_for(task, 5) == (1001, "no answer to the heartbeat")


async def test_a_refusal_that_the_peer_does_not_take_is_given_up(connect: Connect) -> None:
    connection = connect(extensions={"websocket.http.response": {}})

    async def view(websocket: Websocket) -> Any:
        connection.server.blocked = True
        await websocket.reject(403, "no")
        return websocket.state

    task = await connection.start(view)
    await connection.look(1, times=19)
    assert not task.done()
    await connection.look(1, times=3)
    assert await task == "rejected"


# Other limits ----------------------------------------------------------------------------------------------------


async def test_a_full_queue_that_is_not_emptied_closes_with_1008(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_RECEIVE_QUEUE": 2, "WEBSOCKET_RECEIVE_STALL": 60})
    connection.server.put(*"abcdef")

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await forever()

    task = await connection.start(view)
    await connection.look(10, times=8)
    assert connection.websocket.state == "accepted"
    await connection.look(10, times=2)
    assert connection.server.close == (1008, "messages are not received")
    await connection.look(10, times=2)
    assert await task is None


async def test_a_queue_that_is_emptied_slowly_is_no_stall(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_RECEIVE_QUEUE": 2, "WEBSOCKET_RECEIVE_STALL": 60})
    connection.server.put(*"abcdef")
    step = asyncio.Event()

    async def view(websocket: Websocket) -> list[Any]:
        await websocket.accept()
        found = []
        for _ in range(6):
            await step.wait()
            step.clear()
            found.append(await websocket.receive())
        return found

    task = await connection.start(view)
    for _ in range(6):
        await connection.look(10, times=5)
        step.set()
        await turns()
    assert await task == list("abcdef")


async def test_a_view_that_neither_accepts_nor_rejects_is_refused(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_ACCEPT_TIMEOUT": 10, "WEBSOCKET_DISCONNECT_GRACE": 5})
    hold = asyncio.Event()

    async def view(websocket: Websocket) -> str:
        await hold.wait()
        with pytest.raises(ConnectionClosed):
            await websocket.accept()
        return "too late"

    task = await connection.start(view)
    await connection.look(1, times=10)
    assert connection.server.sent == []
    await connection.look(1)
    assert connection.server.types == ["close"] and connection.websocket.closed
    hold.set()
    assert await task == "too late" and connection.told == []


async def test_a_refused_view_that_does_not_notice_is_cancelled(connect: Connect) -> None:
    connection = connect()
    task = await connection.start(lambda websocket: forever())
    await connection.look(1, times=20)
    assert await task is None


@pytest.mark.parametrize("busy", ["receives", "sends"])
async def test_an_idle_connection_closes_with_1001(connect: Connect, busy: str) -> None:
    connection = connect(config={"WEBSOCKET_IDLE_TIMEOUT": 30})
    step = asyncio.Event()

    async def view(websocket: Websocket) -> Any:
        await websocket.accept()
        try:
            while True:
                await step.wait()
                step.clear()
                await (websocket.receive() if busy == "receives" else websocket.send("x"))
        except ConnectionClosed as error:
            return error.code

    task = await connection.start(view)
    for _ in range(5):
        connection.server.put("x")
        step.set()
        await connection.look(10, times=2)
    assert connection.websocket.state == "accepted"
    await connection.look(10, times=3)
    assert connection.server.close == (1001, "idle")
    step.set()
    assert await task == 1001


@pytest.mark.parametrize("mode", ["raise", "cancel"])
async def test_who_waits_for_a_message_of_an_idle_peer_is_told_at_once(connect: Connect, mode: str) -> None:
    """Though the peer does not answer the close."""
    connection = connect(mode=mode, config={"WEBSOCKET_IDLE_TIMEOUT": 30})
    task = await connection.start(listen)
    await connection.look(10, times=5)
    assert await task == (1001, "server") and connection.told == [(1001, "idle", "server")]
