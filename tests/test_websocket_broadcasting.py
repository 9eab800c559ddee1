"""Broadcasting in application code: who has left is told of, or passed over, and never ends who broadcasts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, copy_current_websocket_context, websocket
from quart_plug.testing import QuartClient


class Hall:
    """A broadcaster that is told by nobody who has left: it keeps what it was given."""

    def __init__(self, mode: str) -> None:
        self.members: list[Any] = []
        self.told: list[tuple[int, str | None]] = []
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.rounds = 0
        self.app = Quart(__name__)
        self.app.websocket("/", disconnect=mode)(self.view)

    async def view(self) -> None:
        await websocket.accept()
        self.members.append(websocket._get_current_object())  # type: ignore[attr-defined]  # a proxy
        while True:
            self.said.put_nowait(str(await websocket.receive()))

    async def broadcast(self) -> None:
        while True:
            message = await self.said.get()
            for member in self.members:
                try:
                    await member.send(message)
                except ConnectionClosed as error:
                    self.told.append((error.code, error.closed_by))
            self.rounds += 1


ENDS = {
    "closes": (4000, "client"),
    "vanishes": (1006, "network"),
    "is closed": (4001, "server"),
}


@pytest.mark.parametrize("send_after_close", ["ignore", "raise"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("mode", ["raise", "cancel"])
@pytest.mark.parametrize("started", ["outside", "in the view of who leaves"])
async def test_a_broadcast_goes_on_when_a_member_has_left(
    mode: str, end: str, send_after_close: Any, started: str
) -> None:
    hall = Hall(mode)
    client = QuartClient(hall.app, send_after_close=send_after_close)
    tasks = []
    if started == "outside":
        tasks.append(asyncio.create_task(hall.broadcast()))
    else:

        @hall.app.before_websocket
        async def start() -> None:
            if not tasks:
                tasks.append(asyncio.create_task(hall.broadcast()))

    async with client.websocket("/") as ada:
        await ada.accept()
        async with client.websocket("/") as grace:
            await grace.accept()
            if end == "closes":
                await ada.close(4000)
            elif end == "vanishes":
                await ada.vanish()
            else:
                await hall.members[0].close(4001)
            for number in range(3):
                await grace.send(f"message {number}")
                assert await grace.receive() == f"message {number}"
    assert not tasks[0].done(), "the broadcaster goes on"
    its_own = started != "outside"
    if mode == "raise" or (its_own and end == "is closed"):
        assert hall.told == [ENDS[end]] * 3
    else:
        assert hall.told == []
    tasks[0].cancel()
    await asyncio.wait(tasks)


async def test_a_function_that_runs_later_sees_its_websocket() -> None:
    app = Quart(__name__)
    later: list[Any] = []

    @app.websocket("/<name>")
    async def view(name: str) -> None:
        await websocket.accept()

        @copy_current_websocket_context
        async def greet() -> None:
            await websocket.send(f"{name} {websocket.path}")

        later.append(greet)
        await websocket.receive()

    client = app.test_client()
    async with client.websocket("/ada") as ada, client.websocket("/grace") as grace:
        await ada.accept()
        await grace.accept()
        for greet in later:
            await asyncio.create_task(greet())
        assert [await ada.receive(), await grace.receive()] == ["ada /ada", "grace /grace"]
    for greet in later:
        with pytest.raises(ConnectionClosed):
            await greet()


async def test_an_exception_group_of_ends_is_a_normal_end(caplog: pytest.LogCaptureFixture) -> None:
    app = Quart(__name__)
    ended = []

    @app.websocket("/")
    async def view() -> None:
        async def reads() -> None:
            while True:
                await websocket.receive()

        async def writes() -> None:
            while True:
                await websocket.send("x")
                await asyncio.sleep(0)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(reads())
                group.create_task(writes())
        except* ConnectionClosed as errors:
            ended.extend([(error.code, error.closed_by) for error in errors.exceptions])  # type: ignore[attr-defined]
            raise

    async with app.test_client().websocket("/") as connection:
        assert await connection.receive() == "x"
        await connection.close(4000)
    assert ended[0] == (4000, "client")
    assert not caplog.records
