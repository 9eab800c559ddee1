"""Listening to rooms without a websocket: tasks, and server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from quart_plug import Quart, make_response, request
from quart_plug_rooms.backend import Gap, Message
from quart_plug_rooms.errors import TooSlow
from tests.support.peers import until

from .conftest import MakeApp, enter


async def test_in_a_task(make_app: MakeApp) -> None:
    """History first, then what comes; the end of the task is the end of it, whether it used `async with` or not."""
    app = make_app()
    await app.rooms.send("hall", "before")
    heard: list[str] = []

    async def listen(cautious: bool) -> None:
        messages = app.rooms.subscribe("hall", history=1)
        if cautious:
            async with messages as same:
                assert same is messages
                async for message in messages:
                    heard.append(f"cautious {message.data!s}")
        else:
            async for message in messages:
                heard.append(f"careless {message.data!s}")

    tasks = [asyncio.create_task(listen(cautious)) for cautious in (True, False)]
    await until(lambda: len(heard) == 2)
    assert app.rooms.local_counts() == {"hall": {"here": 0, "subscribers": 2}}
    assert await app.rooms.presence("hall") == []
    await app.rooms.send("hall", "now")
    await until(lambda: len(heard) == 4)
    assert sorted(heard) == ["careless before", "careless now", "cautious before", "cautious now"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await until(lambda: not app.rooms.local_counts())


async def test_a_loop_that_is_left_ends_it(make_app: MakeApp) -> None:
    app = make_app()
    await app.rooms.send("hall", "only")
    async for message in app.rooms.subscribe("hall", history=1):
        assert (message.data, message.number) == ("only", 1)
        break
    await until(lambda: not app.rooms.local_counts())


async def test_leaving_ends_the_loop_of_another_task(make_app: MakeApp) -> None:
    app = make_app()
    messages = app.rooms.subscribe("hall")
    assert "not begun" in repr(messages)
    async with messages:
        assert "not begun" not in repr(messages)
        listening = asyncio.create_task(_collect(messages))
        await app.rooms.send("hall", "a")
        await app.rooms.send("hall", "b", exclude=messages)
        await messages.leave()
        assert await asyncio.wait_for(listening, 20) == ["a"]
    await messages.leave()


async def _collect(messages: Any) -> list[str]:
    return [message.data async for message in messages]


async def test_waiting_for_a_time(make_app: MakeApp) -> None:
    app = make_app()
    async with app.rooms.subscribe("hall") as messages:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await messages.receive(timeout=0.01)
        await app.rooms.send("hall", b"binary")
        assert (await messages.receive(timeout=5)).data == b"binary"


@pytest.mark.parametrize(
    ("policy", "heard", "dropped"),
    [("drop_oldest", ["3", "4"], 3), ("drop_newest", ["0", "1"], 3), ("disconnect", TooSlow, 3)],
)
async def test_who_listens_too_slowly(make_app: MakeApp, policy: Any, heard: Any, dropped: int) -> None:
    app = make_app()
    async with app.rooms.subscribe("hall", messages=2, policy=policy) as messages:
        for number in range(5):
            await app.rooms.send("hall", str(number))
        assert messages.waiting.dropped == dropped
        if heard is TooSlow:
            for _ in range(2):
                with pytest.raises(TooSlow, match="'hall' were not taken fast enough"):
                    await messages.receive()
        else:
            assert [(await messages.receive()).data for _ in range(2)] == heard
            await app.rooms.send("hall", "next")
            assert (await messages.receive()).data == "next"


async def test_going_on_where_one_was(make_app: MakeApp) -> None:
    """By the id of a message: what came after it, and whether some of that is gone."""
    app = make_app(history=3)
    ids = []
    for number in range(6):
        await app.rooms.send("hall", str(number))
        ids.append((await app.rooms.history("hall", 1))[0].id)
    epoch = ids[0].partition("-")[0]
    for after, heard, gap in (
        (ids[5], [], None),
        (ids[4], ["5"], None),
        (ids[2], ["3", "4", "5"], None),
        (ids[1], ["3", "4", "5"], Gap("hall", epoch, 2, 4)),
        ("another-3", ["3", "4", "5"], Gap("hall", epoch, 0)),
        ("no id", ["5"], None),
        ("", ["5"], None),
        (f"{epoch}-{'9' * 30}", ["5"], None),
    ):
        async with app.rooms.subscribe("hall", history=1, after=after) as messages:
            await app.rooms.send("cellar", "elsewhere")
            found = [(await messages.receive(1)).data for _ in range(messages.waiting.waiting)]
            assert (found, messages.gap) == (heard, gap), after
    assert (Gap("hall", epoch, 2, 4).missed, Gap("hall", epoch, 0).missed) == (1, None)


@pytest.mark.parametrize("history", [0, 3])
async def test_going_on_where_nothing_is_kept(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, history: int) -> None:
    """What is missing is told: after a restart (another epoch), and when the time of what was kept is over."""
    app = make_app(history=history)
    async with app.rooms.subscribe("hall", after="deadbeef-41") as messages:
        assert messages.gap is not None and (messages.gap.room, messages.gap.missed) == ("hall", None)
        for number in range(3):
            await app.rooms.send("hall", str(number))
        epoch = (await messages.receive(1)).epoch
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 7200)
        assert await app.rooms.history("hall", 9) == []
        for number, gap in (
            (3, None),
            (1, Gap("hall", epoch, 1, 4)),
            (4, Gap("hall", epoch, 0)),
        ):
            async with app.rooms.subscribe("hall", after=f"{epoch}-{number}") as others:
                assert others.gap == gap
    assert Gap("hall", epoch, 1, 4).missed == 2


async def test_a_message_as_an_event() -> None:
    message = Message("hall", "abc", 7, "two\r\nlines\rthree\nfour")
    lines = b"id: abc-7\ndata: two\ndata: lines\ndata: three\ndata: four\n\n"
    assert message.as_event() == lines
    assert message.as_event("news") == lines.replace(b"\n", b"\nevent: news\n", 1)
    with pytest.raises(TypeError, match="is binary"):
        Message("hall", "abc", 7, b"x").as_event()


async def test_the_stream_ends_with_the_client(make_app: MakeApp) -> None:
    """In the middle of waiting; nothing of the subscription is left. Websockets hear the same meanwhile."""
    app = make_app()
    ended: list[str] = []

    @app.get("/events/<room>")
    async def events(room: str) -> Any:
        messages = app.rooms.subscribe(room, history=1, after=request.headers.get("Last-Event-ID"))

        async def stream() -> Any:
            try:
                async with messages:
                    async for message in messages:
                        yield message.as_event()
            finally:
                ended.append(room)

        response = await make_response(stream(), {"content-type": "text/event-stream"})
        response.timeout = None
        return response

    peer = await enter(app, "/hall")
    async with app.test_client().request("/events/hall") as stream:
        await stream.send_complete()
        await until(lambda: app.rooms.local_counts()["hall"]["subscribers"])
        peer.say("hello")
        assert (await stream.receive()).endswith(b"data: hello\n\n")
        await stream.disconnect()
        await until(lambda: ended)
    assert app.rooms.local_counts() == {"hall": {"here": 1, "subscribers": 0}}
    assert peer.heard == ["hello"]
    await peer.gone()


async def test_sending_without_end_lets_others_run(make_app: MakeApp) -> None:
    """To a room with a member, and to one without: the loop turns now and then, in which this task is cancelled."""
    app = make_app()
    peer = await enter(app, "/hall")

    async def send(room: str) -> None:
        while True:
            await app.rooms.send(room, "x")

    for room in ("hall", "empty"):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send(room), 0.05)
    await peer.gone()
    assert isinstance(app, Quart)
