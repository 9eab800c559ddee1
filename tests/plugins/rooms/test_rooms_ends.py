"""The end of what listens, of the rooms, and of a start that failed."""

from __future__ import annotations

import asyncio
import gc
import signal
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.hooks import hookimpl
from quart_plug_rooms.memory import MemoryBackend
from tests.support.peers import until
from tests.support.servers import Server

from .conftest import MakeApp
from .test_rooms_served import APP


async def collect(messages: Any) -> list[str]:
    return [message.data async for message in messages]


async def test_the_end_of_a_server_begins_with_that_of_subscriptions(make_app: MakeApp) -> None:
    """Those that are there, and those that begin then; afterwards all is as before."""
    found: list[list[str]] = []

    class Last:
        @hookimpl(trylast=True)
        async def draining(self, app: Quart) -> None:
            found.append(await asyncio.wait_for(listening, 20))
            async with asyncio.timeout(20):
                found.append(await collect(app.rooms.subscribe("hall", history=1)))

    app = make_app(Last())
    await app.startup()
    listening = asyncio.create_task(collect(app.rooms.subscribe("hall")))
    await until(lambda: app.rooms.local_counts().get("hall", {}).get("subscribers"))
    await app.rooms.send("hall", "hello")
    await app.shutdown()
    assert found == [["hello"], []]
    async with app.rooms.subscribe("hall") as messages:
        await app.rooms.send("hall", "again")
        assert (await messages.receive(timeout=20)).data == "again"


async def test_asking_again_and_again_at_the_end_lets_others_run(make_app: MakeApp) -> None:
    app = make_app()
    await app.rooms.start()
    app.rooms.end_subscriptions()

    async def insist() -> None:
        while True:
            assert await collect(app.rooms.subscribe("hall")) == []

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(insist(), 0.05)


@pytest.mark.parametrize("name", ["hypercorn", "uvicorn", "granian"])
async def test_server_sent_events_do_not_hold_a_server_up(tmp_path: Path, name: str) -> None:
    """The response is completed, where it would be cut off after SHUTDOWN_TIMEOUT."""
    (tmp_path / "ending.py").write_text(APP)
    environment, arguments = {"QUART_SHUTDOWN_TIMEOUT": "20"}, ("--server", name)
    with Server("ending", tmp_path, environment=environment, arguments=arguments) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /events/lobby HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readuntil(b": hello\n\n")
        server._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()


async def test_several_tasks_read_one_subscription(make_app: MakeApp) -> None:
    """Each message goes to one of them; the end, and a time, to all."""
    app = make_app()
    async with app.rooms.subscribe("hall") as messages:
        tasks = [asyncio.create_task(messages.receive()) for _ in range(3)]
        late = asyncio.create_task(messages.receive(timeout=0.01))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late, 20)
        for text in ("a", "b"):
            await app.rooms.send("hall", text)
        await until(lambda: sum(task.done() for task in tasks) == 2)
        assert sorted(str(task.result().data) for task in tasks if task.done()) == ["a", "b"]
    for task in tasks:
        if not task.done():
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(task, 20)


async def test_the_end_of_the_rooms_ends_subscriptions(make_app: MakeApp) -> None:
    app = make_app()
    async with app.rooms.subscribe("hall") as messages:
        listening = asyncio.create_task(collect(messages))
        await app.rooms.send("hall", "hello")
        await app.rooms.stop()
        assert await asyncio.wait_for(listening, 20) == ["hello"]
        with pytest.raises(StopAsyncIteration):
            await messages.receive(timeout=20)


@pytest.mark.parametrize("bounds", [{"messages": 0}, {"bytes": 0}, {"policy": ""}], ids=str)
async def test_bounds_that_are_none(make_app: MakeApp, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a number from 1 on, not 0|one of 'drop_oldest'.*not ''"):
        make_app().rooms.subscribe("hall", **bounds)


async def test_another_loop_does_not_stop_the_rooms(make_app: MakeApp) -> None:
    app = make_app()
    backend = await app.rooms.start()
    async with app.rooms.subscribe("hall") as messages:
        await asyncio.to_thread(asyncio.run, app.rooms.stop())
        assert app.rooms.backend is backend
        await app.rooms.send("hall", "hello")
        assert (await messages.receive(timeout=20)).data == "hello"


async def test_a_failed_start_whose_waiter_was_cancelled(make_app: MakeApp) -> None:
    """It is raised to nobody who comes later, nor complained of when it is collected."""

    class Failing(MemoryBackend):
        async def start(self, listener: Any) -> None:
            begun.set()
            await may_fail.wait()
            raise OSError("away")

        async def stop(self) -> None:
            stopped.set()

    class Backends:
        @hookimpl
        def room_backend(self, app: Quart, url: str) -> Any:
            return None if stopped.is_set() else Failing(1, 1, 1)

    begun, may_fail, stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    app = make_app(Backends())
    starting = asyncio.create_task(app.rooms.start())
    await begun.wait()
    starting.cancel()
    await asyncio.wait((starting,))
    may_fail.set()
    await stopped.wait()
    await asyncio.sleep(0)  # the start has failed by now
    assert (await app.rooms.start()).name == "memory"
    gc.collect()
    assert complaints == []
