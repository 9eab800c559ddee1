"""The outbox of a websocket: what is sent from elsewhere, in order, within bounds, without waiting for the peer."""

from __future__ import annotations

import asyncio
import logging
from ast import literal_eval
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, hookimpl, websocket
from quart_plug.content_types import Codec
from quart_plug.exceptions import MessageDropped
from quart_plug.wrappers.outbox import TOO_SLOW, Outbox, put_all
from tests.support.peers import Peer, until


class Hall:
    """An app whose view makes an outbox and waits for the client to leave."""

    def __init__(self, app: Quart, **bounds: Any) -> None:
        self.app = app
        self.outboxes: list[Outbox] = []
        self.peers: list[Peer] = []
        self.ends: list[ConnectionClosed] = []

        @app.websocket("/", subprotocols=["msgs"])
        async def view() -> None:
            await websocket.accept()
            self.outboxes.append(websocket.outbox(**bounds))
            try:
                while True:
                    await websocket.receive()
            except ConnectionClosed as error:
                self.ends.append(error)

    async def enter(self, **options: Any) -> tuple[Peer, Outbox]:
        peer = Peer(self.app, **options)
        self.peers.append(peer)
        count = len(self.outboxes)
        await until(lambda: len(self.outboxes) > count)
        return peer, self.outboxes[-1]


@pytest.fixture
async def app() -> AsyncIterator[Quart]:
    app = Quart("shop")
    yield app
    left = [task for task in asyncio.all_tasks() if "quart_plug" in task.get_name()]
    assert not left


def texts(count: int, first: int = 0) -> list[str]:
    return [str(number) for number in range(first, first + count)]


async def test_a_peer_that_keeps_up_has_it_at_once(app: Quart) -> None:
    """Before `put` returns; and the one task that this may have cost is over with the next turn of the loop."""
    peer, outbox = await Hall(app).enter()
    before = asyncio.all_tasks()
    for text in texts(1000):
        assert outbox.put(text)
        assert peer.heard[-1] == text
    assert outbox.put(b"\x00")
    assert len(asyncio.all_tasks() - before) <= 1
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert peer.heard == [*texts(1000), b"\x00"]
    assert (outbox.sent, outbox.dropped, outbox.waiting) == (1001, 0, 0)
    await peer.gone()


async def test_what_waits_is_sent_in_order(app: Quart) -> None:
    peer, outbox = await Hall(app).enter()
    peer.reading.clear()
    for text in texts(200):
        assert outbox.put(text)
    await asyncio.sleep(0)
    assert (peer.heard, outbox.waiting, outbox.waiting_bytes) == ([], 199, len("".join(texts(199, 1))))
    peer.reading.set()
    await until(lambda: outbox.sent >= 100)
    for text in texts(100, 200):
        assert outbox.put(text)
    await until(lambda: outbox.sent == 300)
    assert peer.heard == texts(300)
    assert (outbox.dropped, outbox.waiting, outbox.waiting_bytes) == (0, 0, 0)
    assert outbox.put("again") and peer.heard[-1] == "again"
    await peer.gone()


@pytest.mark.parametrize(
    ("policy", "heard", "taken"),
    [("drop_oldest", ["0", "7", "8", "9"], 10), ("drop_newest", ["0", "1", "2", "3"], 4)],
)
@pytest.mark.parametrize("bounds", [{"messages": 3}, {"bytes": 3}])
async def test_a_policy_lets_messages_go(
    app: Quart, policy: str, heard: list[str], taken: int, bounds: dict[str, int]
) -> None:
    """The one that is being sent is out of reach. Every message is counted."""
    peer, outbox = await Hall(app, policy=policy, **bounds).enter()
    peer.reading.clear()
    assert sum(outbox.put(text) for text in texts(10)) == taken
    assert (outbox.sent, outbox.dropped, outbox.waiting, outbox.waiting_bytes) == (0, 6, 3, 3)
    peer.reading.set()
    await until(lambda: outbox.sent == 4)
    assert peer.heard == heard
    assert (outbox.dropped, outbox.waiting) == (6, 0)
    await peer.gone()


async def test_one_message_may_be_larger_than_the_bound(app: Quart) -> None:
    peer, outbox = await Hall(app, bytes=10).enter()
    peer.reading.clear()
    assert [outbox.put(text) for text in ("first", "xx", "€" * 10, "y")] == [True] * 4
    assert (outbox.dropped, outbox.waiting_bytes) == (2, 1)  # "xx" for the large one, that for "y"
    peer.reading.set()
    await until(lambda: outbox.sent == 2)
    assert peer.heard == ["first", "y"]
    await peer.gone()


async def test_the_policy_disconnect(app: Quart) -> None:
    hall = Hall(app, messages=2, policy="disconnect")
    peer, outbox = await hall.enter()
    peer.reading.clear()
    assert [outbox.put(text) for text in texts(5)] == [True, True, True, False, False]
    peer.reading.set()
    await asyncio.wait_for(peer.task, 20)
    assert (peer.closing, peer.heard) == ((1013, TOO_SLOW), [])
    (end,) = hall.ends
    assert (end.code, end.reason, end.closed_by) == (1013, TOO_SLOW, "server")
    assert (outbox.sent, outbox.dropped, outbox.waiting) == (0, 4, 0)  # the fifth came after the end
    assert not outbox.put("later") and outbox.dropped == 4


async def test_overflowing_is_logged_once_for_each_episode(
    app: Quart, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    peer, outbox = await Hall(app, messages=1).enter()
    for _ in range(2):
        peer.reading.clear()
        for text in texts(10):
            outbox.put(text)
        peer.reading.set()
        await until(lambda: not outbox.waiting)
        await asyncio.sleep(0)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 4, lines
    assert outbox.websocket.id in lines[0] and "policy drop_oldest" in lines[0]
    assert lines[1].startswith("8 messages") and lines[3].startswith("8 messages")
    await peer.gone()


async def test_what_waits_when_the_client_leaves_is_counted(app: Quart) -> None:
    peer, outbox = await Hall(app).enter()
    peer.reading.clear()
    for text in texts(10):
        outbox.put(text)
    told: list[str] = []
    outbox.when_ended(lambda: told.append("ended"))
    outbox.forget(not_told := lambda: told.append("forgotten"))
    outbox.when_ended(not_told)
    outbox.forget(not_told)
    peer.leave()
    await asyncio.wait_for(peer.task, 20)
    await asyncio.sleep(0)
    assert (outbox.sent, outbox.dropped, outbox.waiting, outbox.waiting_bytes) == (0, 10, 0, 0)
    assert not outbox.put("late") and outbox.dropped == 10
    outbox.when_ended(lambda: told.append("late"))
    assert told == ["ended", "late"]


@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("mode", ["raise", "cancel"])
async def test_a_send_that_finds_nobody(app: Quart, mode: str, blocked: bool) -> None:
    """An OSError says that the peer has gone. Nobody else notices, the broadcaster least of all."""
    app.config["WEBSOCKET_DISCONNECT"] = mode
    hall = Hall(app)
    (gone, first), (there, second) = await hall.enter(), await hall.enter()
    if blocked:
        gone.reading.clear()
        first.put("waits")
    gone.fails = ConnectionResetError("gone")
    put_all((first, second), "hello")
    assert there.heard == ["hello"]
    gone.reading.set()
    gone.leave(1006)
    await asyncio.wait_for(gone.task, 20)
    assert first.sent + first.dropped == 1 + blocked and not first.waiting
    assert [end.code for end in hall.ends] == ([1006] if mode == "raise" else [])
    assert put_all((first, second), "more") == 1
    await there.gone()


async def test_a_send_that_fails_closes_its_websocket(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    hall = Hall(app)
    (bad, first), (good, second) = await hall.enter(), await hall.enter()
    bad.fails = LookupError("a bug of the server's")
    put_all((first, second), "hello")
    assert good.heard == ["hello"]
    await asyncio.wait_for(bad.task, 20)
    assert bad.closing == (1011, "")
    assert "a bug of the server's" in caplog.text
    assert (first.sent, first.dropped) == (0, 1)
    await good.gone()


def impatient(send: Any) -> Any:
    """A middleware that gives a send a time limit."""

    async def wrapped(message: Any) -> None:
        async with asyncio.timeout(0.05):
            await send(message)

    return wrapped


async def test_a_time_out_around_send_ends_that_send_and_nothing_else(app: Quart) -> None:
    """Its first step was made while somebody else broadcast; it is not the broadcaster that is cancelled."""
    hall = Hall(app)
    (slow, first), (quick, second) = await hall.enter(wrap=impatient), await hall.enter(wrap=impatient)
    slow.reading.clear()

    async def broadcast() -> str:
        put_all((first, second), "hello")
        await until(lambda: first.dropped)
        slow.leave(1006)
        await asyncio.wait_for(asyncio.wait([slow.task]), 20)
        return "was not disturbed"

    assert await asyncio.create_task(broadcast()) == "was not disturbed"
    assert (first.sent, first.dropped, quick.heard) == (0, 1, ["hello"])
    assert [end.code for end in hall.ends] == [1006]  # TimeoutError is an OSError
    await quick.gone()


NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


def naming(send: Any) -> Any:
    """A middleware that sets a context variable for the time of a send."""

    async def wrapped(message: Any) -> None:
        token = NAME.set("somebody")
        try:
            await send(message)
        finally:
            assert NAME.get() == "somebody"
            NAME.reset(token)  # ValueError in another context

    return wrapped


async def test_a_context_variable_around_send(app: Quart) -> None:
    peer, outbox = await Hall(app).enter(wrap=naming)
    outbox.put("at once")
    peer.reading.clear()
    outbox.put("suspends")
    assert NAME.get() == "nobody"
    outbox.put("waits")
    peer.reading.set()
    await until(lambda: outbox.sent == 3)
    assert peer.heard == ["at once", "suspends", "waits"]
    await peer.gone()


async def test_the_task_that_broadcast_may_be_cancelled(app: Quart) -> None:
    peer, outbox = await Hall(app).enter()
    peer.reading.clear()

    async def broadcast() -> None:
        for text in texts(3):
            outbox.put(text)
        await asyncio.Event().wait()

    task = asyncio.create_task(broadcast())
    await until(lambda: outbox.waiting == 2)
    task.cancel()
    await asyncio.wait([task])
    peer.reading.set()
    await until(lambda: outbox.sent == 3)
    assert peer.heard == texts(3)
    await peer.gone()


async def test_from_a_callback_of_the_loop(app: Quart) -> None:
    peer, outbox = await Hall(app).enter()
    asyncio.get_running_loop().call_soon(outbox.put, "called")
    peer.reading.clear()
    asyncio.get_running_loop().call_soon(outbox.put, "called again")
    await asyncio.sleep(0)
    peer.reading.set()
    await until(lambda: outbox.sent == 2)
    assert peer.heard == ["called", "called again"]
    await peer.gone()


class Watching:
    """Hooks of messages."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @hookimpl
    async def websocket_sending(self, ctx: Any, message: str) -> str:
        await asyncio.sleep(0)
        if message == "drop":
            raise MessageDropped
        return f"<{message}> to {'the same' if ctx.websocket.id == websocket.id else 'another'}"

    @hookimpl
    def websocket_sent(self, ctx: Any, message: str) -> None:
        self.seen.append(message)


async def test_hooks_see_what_is_sent_in_the_context_of_its_websocket(app: Quart) -> None:
    plugin = Watching()
    app.hooks.register(plugin, name="watching")
    hall = Hall(app)
    (one, first), (two, second) = await hall.enter(), await hall.enter()
    for text in ("a", "drop", "b"):
        assert put_all((first, second), text) == 2
    await until(lambda: first.sent == second.sent == 3)
    assert one.heard == two.heard == ["<a> to the same", "<b> to the same"]
    assert len(plugin.seen) == 4
    await one.gone()
    await two.gone()


async def test_json_in_the_language_of_the_websocket(app: Quart) -> None:
    """What is encoded anew for a codec is so once for everybody who speaks it."""
    dumped: list[Any] = []

    class Repr:
        media_types = ("application/x-msgs",)
        subprotocol = "msgs"

        def dumps(self, obj: Any) -> bytes:
            dumped.append(obj)
            return repr(obj).encode()

        def loads(self, data: bytes) -> Any:
            return literal_eval(data.decode())

    class Plugin:
        @hookimpl
        def content_types(self, app: Quart) -> list[Codec]:
            return [Repr()]

    app.hooks.register(Plugin(), name="msgs")
    hall = Hall(app)
    entered = [await hall.enter(subprotocols=names) for names in (["msgs"], [], ["msgs"])]
    outboxes = [outbox for _, outbox in entered]
    assert put_all(outboxes, '{"a": 1}', is_json=True) == 3
    assert put_all(outboxes, "plain") == 3
    await until(lambda: all(outbox.sent == 2 for outbox in outboxes))
    assert [peer.heard[0] for peer, _ in entered] == [b"{'a': 1}", '{"a": 1}', b"{'a': 1}"]
    assert [peer.heard[1] for peer, _ in entered] == ["plain"] * 3
    assert dumped == [{"a": 1}]
    for peer, _ in entered:
        await peer.gone()


async def test_there_is_one_for_each_websocket(app: Quart) -> None:
    async def view() -> None:
        await websocket.accept()
        outbox = websocket.outbox(policy="drop_newest", defaults=(5, 6, "disconnect"))
        assert (outbox.messages, outbox.bytes, outbox.policy) == (5, 6, "drop_newest")
        assert websocket.outbox(messages=7, defaults=(1, 1, "disconnect")) is outbox
        assert (outbox.messages, outbox.bytes, outbox.policy) == (7, 6, "drop_newest")
        for wrong in ({"messages": 0}, {"bytes": -1}, {"messages": True}, {"policy": "wait"}):
            with pytest.raises(ValueError):
                websocket.outbox(**wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="takes str or bytes, not dict"):
            outbox.put({})  # type: ignore[arg-type]
        assert "0 sent, 0 waiting, 0 dropped" in repr(outbox)

    app.add_websocket("/", view_func=view)
    peer = Peer(app)
    await asyncio.wait_for(peer.task, 20)
    assert peer.closing == (1000, "")


async def test_a_websocket_that_was_not_accepted_takes_nothing(app: Quart) -> None:
    async def view() -> None:
        assert not websocket.outbox().put("early")
        await websocket.accept()
        assert websocket.outbox().put("now")

    app.add_websocket("/", view_func=view)
    peer = Peer(app)
    await asyncio.wait_for(peer.task, 20)
    assert peer.heard == ["now"]


async def test_a_peer_that_never_reads_is_closed_by_the_send_time_out(app: Quart) -> None:
    app.config["WEBSOCKET_SEND_TIMEOUT"] = 0.3
    hall = Hall(app)
    peer, outbox = await hall.enter()
    peer.reading.clear()
    for text in texts(5):
        outbox.put(text)
    await until(lambda: hall.ends)
    assert hall.ends[0].code == 1013
    await asyncio.wait_for(asyncio.wait([peer.task]), 20)
    assert (outbox.sent, outbox.dropped, outbox.waiting) == (0, 5, 0)
