"""The one reader of `receive`: directly, pumped, by several at once, cancelled, and to the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quart_plug.exceptions import ClientDisconnected
from quart_plug.wrappers.inbox import IDLE, PUMPED, READING, Inbox, size_of

END = {"type": "websocket.disconnect", "code": 1000}


class Server:
    """`receive` of a server. `most` is how many called it at a time."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[dict[str, Any] | BaseException] = asyncio.Queue()
        self.pending = self.most = self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.pending += 1
        self.most = max(self.most, self.pending)
        try:
            message = await self.queue.get()
        finally:
            self.pending -= 1
        self.taken += 1
        if isinstance(message, BaseException):
            raise message
        return message

    def put(self, *texts: str) -> None:
        for text in texts:
            self.queue.put_nowait({"type": "websocket.receive", "text": text})

    def end(self, kind: str = "websocket") -> None:
        self.queue.put_nowait({"type": f"{kind}.disconnect"})


def inbox_of(server: Server, direct_ok: bool = True, **config: Any) -> Inbox:
    ctx = SimpleNamespace(
        receive=server.receive,
        app=SimpleNamespace(config=config),
        gone=False,
        told=False,
        plan=None,
        task=None,
        sweep=None,
    )
    inbox = Inbox(ctx)  # type: ignore[arg-type]
    if not direct_ok:
        inbox.always_pump()
    return inbox


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def close(inbox: Inbox) -> None:
    inbox.close()
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}


both_ways = pytest.mark.parametrize("direct_ok", [True, False])


@both_ways
async def test_messages_come_in_order_and_then_the_end_for_ever(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    server.put("a", "b")
    server.end()
    taken = [await inbox.take() for _ in range(5)]
    assert [message.get("text") for message in taken] == ["a", "b", None, None, None]
    assert inbox.ctx.gone
    assert server.most == 1 and server.taken == 3
    await close(inbox)


async def test_reading_directly_makes_no_task() -> None:
    server = Server()
    inbox = inbox_of(server)
    server.put("a")
    await inbox.take()
    assert inbox.busy == IDLE and inbox.pump is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_receive_that_is_not_python_s_is_pumped() -> None:
    """granian's `receive` loses messages when it is cancelled."""
    ctx = SimpleNamespace(receive=[].pop, app=SimpleNamespace(config={}))
    assert not Inbox(ctx).direct_ok  # type: ignore[arg-type]
    assert inbox_of(Server()).direct_ok


@both_ways
async def test_several_tasks_get_different_messages(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    tasks = [asyncio.create_task(inbox.take()) for _ in range(5)]
    await turns()
    server.put("a", "b", "c")
    await turns()
    assert sorted(task.result()["text"] for task in tasks if task.done()) == ["a", "b", "c"]
    server.end()
    assert [(await task)["type"] for task in tasks][3:] == ["websocket.disconnect"] * 2
    assert server.most == 1
    await close(inbox)


@both_ways
async def test_who_waits_longest_is_served_first(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    tasks = []
    for _ in range(4):
        tasks.append(asyncio.create_task(inbox.take()))
        await turns()
    server.put("a", "b", "c", "d")
    assert [(await task)["text"] for task in tasks] == ["a", "b", "c", "d"]
    await close(inbox)


@both_ways
async def test_wait_for_loses_no_message(direct_ok: bool) -> None:
    """On 3.11 `wait_for` runs in a task of its own, which it cancels."""
    server = Server()
    inbox = inbox_of(server, direct_ok)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(inbox.take(), 0.001)
    server.put("a", "b")
    assert (await asyncio.wait_for(inbox.take(), 1))["text"] == "a"
    assert (await inbox.take())["text"] == "b"
    await close(inbox)


async def test_a_pumped_receive_is_never_cancelled_only_its_waiter() -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok=False)
    task = asyncio.create_task(inbox.take())
    await turns()
    task.cancel()
    await turns()
    assert task.cancelled() and server.pending == 1
    server.put("a")
    assert (await inbox.take())["text"] == "a"
    await close(inbox)


@both_ways
async def test_the_next_in_line_goes_on_when_the_reader_is_cancelled(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    first, second = asyncio.create_task(inbox.take()), asyncio.create_task(inbox.take())
    await turns()
    first.cancel()
    await turns()
    server.put("a")
    assert (await second)["text"] == "a"
    await close(inbox)


async def test_one_who_is_waked_and_cancelled_at_once_wakes_the_next() -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok=False)
    first, second = asyncio.create_task(inbox.take()), asyncio.create_task(inbox.take())
    await turns()
    server.put("a")
    while not inbox.messages:
        await asyncio.sleep(0)
    first.cancel()
    assert (await second)["text"] == "a"
    await close(inbox)


# The pump --------------------------------------------------------------------------------------------------------


async def test_the_pump_stops_reading_at_the_limit_of_messages() -> None:
    server = Server()
    inbox = inbox_of(server, WEBSOCKET_RECEIVE_QUEUE=3)
    server.put(*"abcdefgh")
    inbox.start()
    await turns()
    assert len(inbox.messages) == 3 and server.taken == 3
    await inbox.take()
    await turns()
    assert len(inbox.messages) == 3 and server.taken == 4
    assert [(await inbox.take())["text"] for _ in range(7)] == list("bcdefgh")
    await close(inbox)


async def test_the_pump_stops_reading_at_the_limit_of_bytes_and_one_message_may_be_larger() -> None:
    server = Server()
    inbox = inbox_of(server, WEBSOCKET_RECEIVE_QUEUE_BYTES=10)
    server.put("x" * 1000, "b", "c")
    inbox.start()
    await turns()
    assert server.taken == 1 and inbox.size == 1000
    assert len((await inbox.take())["text"]) == 1000
    await turns()
    assert server.taken == 3 and inbox.size == 2
    await close(inbox)


async def test_an_end_behind_a_full_queue_is_found_when_there_is_room() -> None:
    server = Server()
    inbox = inbox_of(server, WEBSOCKET_RECEIVE_QUEUE=2)
    server.put("a", "b")
    server.end()
    inbox.start()
    await turns()
    assert inbox.end is None
    await inbox.take()
    await turns()
    assert inbox.end is not None and (await inbox.take())["text"] == "b"
    assert (await inbox.take())["type"] == "websocket.disconnect"
    await close(inbox)


async def test_the_pump_hands_over_to_who_reads_again() -> None:
    server = Server()
    inbox = inbox_of(server)
    inbox.start()
    server.put("a")
    await turns()
    assert inbox.busy == PUMPED
    assert (await inbox.take())["text"] == "a"
    task = asyncio.create_task(inbox.take())
    await turns()
    server.put("b")
    assert (await task)["text"] == "b"
    await turns()
    assert inbox.pump is None and inbox.busy == IDLE
    task = asyncio.create_task(inbox.take())
    await turns()
    assert inbox.busy == READING and server.pending == 1
    server.put("c")
    assert (await task)["text"] == "c"


async def test_starting_the_pump_while_somebody_reads_does_nothing() -> None:
    server = Server()
    inbox = inbox_of(server)
    task = asyncio.create_task(inbox.take())
    await turns()
    inbox.start()
    await turns()
    assert inbox.pump is None and server.most == 1
    server.end()
    await task
    inbox.start()
    assert inbox.pump is None


@both_ways
async def test_a_message_that_is_put_back_is_the_next_one(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    server.put("a", "b")
    inbox.put_back(await inbox.take())
    assert [(await inbox.take())["text"] for _ in range(2)] == ["a", "b"]
    await turns()
    assert inbox.busy == (IDLE if direct_ok else PUMPED) and inbox.size == 0
    await close(inbox)


async def test_an_error_of_the_server_s_is_the_end() -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok=False)
    error = RuntimeError("the server broke")
    server.queue.put_nowait(error)
    assert (await inbox.take())["code"] == 1006
    with pytest.raises(ClientDisconnected) as caught:
        await inbox.next()
    assert caught.value.__cause__ is error
    await close(inbox)


async def test_an_error_while_reading_directly_goes_to_the_reader() -> None:
    server = Server()
    inbox = inbox_of(server)
    server.queue.put_nowait(RuntimeError("the server broke"))
    with pytest.raises(RuntimeError, match="the server broke"):
        await inbox.take()
    assert inbox.busy == IDLE


@both_ways
async def test_after_closing_nothing_is_left_and_whoever_asks_gets_the_end(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    inbox.start()
    waiting = asyncio.create_task(inbox.take())
    await turns()
    inbox.close()
    assert (await waiting)["type"] == "websocket.disconnect"
    assert (await inbox.take())["type"] == "websocket.disconnect"
    await turns()
    assert server.pending == 0
    await close(inbox)


# Requests --------------------------------------------------------------------------------------------------------


@both_ways
async def test_next_raises_when_the_client_has_left(direct_ok: bool) -> None:
    server = Server()
    inbox = inbox_of(server, direct_ok)
    server.queue.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
    server.end("http")
    assert (await inbox.next())["body"] == b"x"
    for _ in range(2):
        with pytest.raises(ClientDisconnected):
            await inbox.next()
    assert inbox.ctx.told
    await close(inbox)


async def test_reading_in_another_task_does_not_tell_the_view() -> None:
    server = Server()
    inbox = inbox_of(server)
    inbox.ctx.task = asyncio.current_task()
    server.end("http")
    with pytest.raises(ClientDisconnected):
        await asyncio.create_task(inbox.next())
    assert not inbox.ctx.told
    with pytest.raises(ClientDisconnected):
        await inbox.next()
    assert inbox.ctx.told


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"body": b"abc"}, 3),
        ({"bytes": b"ab", "text": None}, 2),
        ({"bytes": None, "text": "ab"}, 2),
        ({"text": "éa"}, 3),
        ({"text": "\ud800"}, 3),
        ({}, 0),
        ({"text": ""}, 0),
    ],
)
def test_the_size_of_a_message_is_in_bytes(message: dict[str, Any], expected: int) -> None:
    assert size_of(message) == expected


# Anything at once ------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    direct_ok=st.booleans(),
    steps=st.lists(
        st.one_of(
            st.just("put"),
            st.just("take"),
            st.just("pump"),
            st.just("turn"),
            st.tuples(st.just("cancel"), st.integers(0, 9)),
        ),
        max_size=60,
    ),
)
def test_no_message_is_lost_or_given_twice(direct_ok: bool, steps: list[Any]) -> None:
    """Whatever is put, taken, cancelled and pumped in whatever order: every message arrives once, and in order."""

    async def scenario() -> None:
        server = Server()
        inbox = inbox_of(server, direct_ok, WEBSOCKET_RECEIVE_QUEUE=3)
        got: list[int] = []
        tasks: list[asyncio.Task[None]] = []
        count = 0

        async def take() -> None:
            got.append(int((await inbox.take())["text"]))

        for step in steps:
            if step == "put":
                server.put(str(count))
                count += 1
            elif step == "take":
                tasks.append(asyncio.create_task(take()))
            elif step == "pump":
                inbox.start()
            elif step == "turn":
                await asyncio.sleep(0)
            elif tasks:
                tasks[step[1] % len(tasks)].cancel()
        await turns(20)
        for task in tasks:
            task.cancel()
        await turns(20)
        while len(got) < count:
            await asyncio.wait_for(take(), 1)
        assert got == sorted(got) == list(range(count))
        assert server.most <= 1
        await close(inbox)

    asyncio.run(scenario())
