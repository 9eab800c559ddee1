"""What follows when the client leaves: the grace of mode `raise`, the cancellation of mode `cancel`."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from quart_plug.exceptions import ConnectionClosed
from quart_plug.globals import _cv
from quart_plug.wrappers import Websocket

from .conftest import Connect, turns


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def told(error: ConnectionClosed) -> tuple[int, str, str | None]:
    return error.code, error.reason, error.closed_by


# Mode raise: the grace -------------------------------------------------------------------------------------------


async def test_a_view_that_waits_for_something_else_has_the_grace_and_is_cancelled(connect: Connect) -> None:
    connection = connect(config={"WEBSOCKET_DISCONNECT_GRACE": 5})
    log = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        try:
            await forever()
        finally:
            log.append(websocket.close_code)

    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.leave(1001)
    await turns()
    assert connection.websocket.closed
    await connection.look(1, times=5)
    assert not task.done()
    await connection.look(1)
    assert await task is None and log == [1001]
    assert connection.told == [(1001, "", "client")]


async def test_a_view_that_touches_the_socket_within_the_grace_is_not_cancelled(connect: Connect) -> None:
    connection = connect()
    hold, done = asyncio.Event(), asyncio.Event()

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        await hold.wait()
        with pytest.raises(ConnectionClosed):
            await websocket.send("x")
        await done.wait()
        return "finished in peace"

    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.leave()
    await connection.look(1, times=3)
    hold.set()
    await turns()
    await connection.look(100, times=5)
    done.set()
    assert await task == "finished in peace"


async def test_a_view_whose_task_was_told_is_cancelled_after_the_grace(connect: Connect) -> None:
    """A reader that ends quietly beside a writer that waits for something else must not leak the view."""
    connection = connect()
    log = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()

        async def reader() -> None:
            try:
                await websocket.receive()
            except ConnectionClosed:
                log.append("reader")

        async def writer() -> None:
            try:
                await forever()
            finally:
                log.append("writer")

        async with asyncio.TaskGroup() as group:
            group.create_task(reader())
            group.create_task(writer())

    task = await connection.start(view)
    connection.server.leave()
    await connection.look(1, times=4)
    assert log == ["reader"]
    await connection.look(1, times=4)
    assert await task is None and log == ["reader", "writer"]


async def test_swallowing_the_end_in_a_loop_ends_in_cancellation(connect: Connect) -> None:
    connection = connect()
    count = 0

    async def view(websocket: Websocket) -> None:
        nonlocal count
        await websocket.accept()
        while True:
            try:
                await websocket.receive()
            except ConnectionClosed:
                count += 1

    task = await connection.start(view)
    connection.server.leave()
    await turns(300)
    assert await task is None
    assert 50 <= count <= 200


async def test_swallowing_the_end_slowly_ends_in_cancellation_after_the_grace(connect: Connect) -> None:
    connection = connect()
    tick = asyncio.Event()
    count = 0

    async def view(websocket: Websocket) -> None:
        nonlocal count
        await websocket.accept()
        while True:
            try:
                await websocket.send("x")
            except ConnectionClosed:
                count += 1
            tick.clear()
            await tick.wait()

    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.leave()
    for _ in range(20):
        await connection.look(1)
        tick.set()
        await turns()
    assert await task is None
    assert count < 10


async def test_a_task_of_the_view_s_that_swallows_the_end_is_cancelled(connect: Connect) -> None:
    connection = connect()
    tasks: list[asyncio.Task[None]] = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()

        async def spin() -> None:
            while True:
                try:
                    await websocket.send("x")
                except ConnectionClosed:
                    pass

        await websocket.close()
        tasks.append(asyncio.create_task(spin()))

    await connection.start(view)
    await turns(300)
    assert tasks[0].cancelled()


async def test_who_broadcasts_to_closed_connections_is_never_cancelled(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()

    await connection.run(view)
    token = _cv.set(SimpleNamespace(_websocket=None))  # type: ignore[arg-type]
    for _ in range(300):
        with pytest.raises(ConnectionClosed):
            await connection.websocket.send("x")
    _cv.reset(token)


# Mode cancel -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", ["receive", "receive_json", "elsewhere"])
async def test_in_mode_cancel_the_view_is_cancelled(connect: Connect, waits: str) -> None:
    connection = connect(mode="cancel")
    log = []

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        try:
            await (forever() if waits == "elsewhere" else getattr(websocket, waits)())
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.leave()
    await turns()
    assert await task is None and log == ["cancelled"]
    assert connection.told == [(1001, "", "client")]


async def test_in_mode_cancel_a_send_after_the_end_is_a_cancellation(connect: Connect) -> None:
    connection = connect(mode="cancel")
    hold = asyncio.Event()
    log = []

    async def view(websocket: Websocket) -> str:
        await websocket.accept()
        try:
            await hold.wait()
        except asyncio.CancelledError:
            log.append("cancelled")
        for _ in range(2):
            try:
                await websocket.send("x")
            except asyncio.CancelledError:
                log.append("send")
        return "swallowed"

    task = await connection.start(view)
    await connection.look(times=2)
    connection.server.leave()
    await turns()
    assert await task == "swallowed" and log == ["cancelled", "send", "send"]


async def test_in_mode_cancel_the_first_step_of_a_view_stays_inside_as_well(connect: Connect) -> None:
    connection = connect(mode="cancel")
    connection.server.leave()
    task = await connection.start(lambda websocket: websocket.receive())
    assert await task is None


async def test_in_mode_cancel_a_task_that_reads_ends_the_view(connect: Connect) -> None:
    connection = connect(mode="cancel")

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        reader = asyncio.create_task(websocket.receive())
        try:
            await forever()
        finally:
            await asyncio.wait([reader])
            assert reader.cancelled()

    task = await connection.start(view)
    connection.server.leave()
    await turns()
    assert await task is None


async def test_in_mode_cancel_the_view_s_own_close_is_told_as_such(connect: Connect) -> None:
    connection = connect(mode="cancel")

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await websocket.close(4000)
        with pytest.raises(ConnectionClosed):
            await websocket.send("x")

    await connection.run(view)


# Mode cancel: who sends to those that have left ------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["left", "lost", "closed", "limit", "over"])
@pytest.mark.parametrize("whose", ["nobody's", "another's", "the view's"])
@pytest.mark.parametrize("send", ["send", "send_json", "send_bytes"])
async def test_in_mode_cancel_what_others_send_after_the_end_is_dropped(
    connect: Connect, ending: str, whose: str, send: str
) -> None:
    """As under Quart. A CancelledError would end who broadcasts, and nobody there knows ConnectionClosed."""
    connection = connect(mode="cancel")
    hold = asyncio.Event()
    outcomes: list[str] = []

    async def broadcast() -> None:
        await hold.wait()
        for _ in range(3):
            try:
                await getattr(connection.websocket, send)(b"x" if send == "send_bytes" else "x")
            except ConnectionClosed as error:
                outcomes.append(f"closed by {error.closed_by}")
            else:
                outcomes.append("dropped")

    senders = []
    if whose != "the view's":
        token = None if whose == "nobody's" else _cv.set(SimpleNamespace(_websocket=object()))  # type: ignore[arg-type]
        senders.append(asyncio.create_task(broadcast()))
        if token is not None:
            _cv.reset(token)

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        if whose == "the view's":
            senders.append(asyncio.create_task(broadcast()))
        if ending == "over":
            return
        await forever()

    task = await connection.start(view)
    await connection.look(times=2)
    sent = len(connection.server.sent)
    if ending in ("left", "lost"):
        connection.server.leave(1001 if ending == "left" else 1006)
    elif ending == "closed":
        await connection.websocket.close()
        sent += 1
    elif ending == "limit":
        connection.websocket._shut(1013, "over")
        sent += 1
    await turns()
    hold.set()
    await turns(60)
    assert senders[0].done() and not senders[0].cancelled() and senders[0].exception() is None
    by_server = ending not in ("left", "lost")
    assert outcomes == ["closed by server" if by_server and whose == "the view's" else "dropped"] * 3
    assert len(connection.server.sent) == sent, "nothing is sent to who has left"
    connection.server.leave()
    await connection.look(1, times=10)
    assert task.done()


async def test_in_mode_cancel_a_send_that_waits_while_the_client_leaves_is_dropped(connect: Connect) -> None:
    connection = connect(mode="cancel", config={"WEBSOCKET_SEND_TIMEOUT": 5})

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await forever()

    await connection.start(view)
    connection.server.blocked = True
    sender = asyncio.create_task(connection.websocket.send("x"))
    await connection.look(1, times=8)
    await asyncio.wait([sender], timeout=5)
    assert sender.done() and not sender.cancelled() and sender.result() is None
    connection.server.blocked = False
    await connection.look(1, times=10)


async def test_in_mode_cancel_a_task_of_the_view_s_cannot_spin_on_drops(connect: Connect) -> None:
    connection = connect(mode="cancel")
    tasks: list[asyncio.Task[None]] = []

    async def spin(websocket: Websocket) -> None:
        while True:
            await websocket.send("x")

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        tasks.append(asyncio.create_task(spin(websocket)))
        await forever()

    await connection.start(view)
    await connection.look(times=2)
    connection.server.leave()
    await turns(1000)
    assert tasks[0].cancelled()


async def test_in_mode_raise_who_sends_to_one_that_has_left_is_told(connect: Connect) -> None:
    connection = connect()

    async def view(websocket: Websocket) -> None:
        await websocket.accept()
        await websocket.receive()

    task = await connection.start(view)
    connection.server.leave(4000, "bye")
    await turns()
    assert task.done()
    for send in (connection.websocket.send, connection.websocket.send_json, connection.websocket.send_text):
        with pytest.raises(ConnectionClosed) as caught:
            await send("x")
        assert told(caught.value) == (4000, "bye", "client")
