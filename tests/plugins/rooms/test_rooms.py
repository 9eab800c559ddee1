"""Rooms in one process: who is where, who gets what, in what order, and what is left of it all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from quart_plug import ConnectionClosed, Quart, hookimpl, stream_with_context, websocket
from quart_plug.exceptions import MessageDropped, PluginNotEnabled
from quart_plug.signals import signal
from quart_plug_rooms import rooms
from quart_plug_rooms.errors import RoomError
from tests.support.peers import Peer, until

from .conftest import MakeApp, enter


async def test_everybody_hears_everybody_in_the_room(make_app: MakeApp) -> None:
    """Through the test client."""
    app = make_app()
    client = app.test_client()
    async with client.websocket("/kitchen") as ann, client.websocket("/kitchen") as bob:
        async with client.websocket("/cellar") as eve:
            await until(lambda: len(app.extensions["members"]) == 3)
            await ann.send("hello")
            await eve.send("it is dark")
            assert [await each.receive() for each in (ann, bob, eve)] == ["hello", "hello", "it is dark"]
        await bob.send(b"\x00\x01")
        assert await ann.receive() == await bob.receive() == b"\x00\x01"


async def test_the_current_app_s_rooms_and_an_app_without() -> None:
    app = Quart("shop")
    with pytest.raises(PluginNotEnabled, match="to turn it on, add 'rooms' to PLUGINS"):
        app.rooms.send
    async with app.app_context():
        with pytest.raises(PluginNotEnabled):
            rooms.send
    assert repr(rooms) == "<the rooms of the current application>"
    with pytest.raises(RuntimeError, match=r"Use `app\.rooms`, which needs no context"):
        rooms.send


async def test_a_stream_without_context_is_told_the_cure(make_app: MakeApp) -> None:
    app = make_app()
    errors: list[RuntimeError] = []

    async def bare() -> AsyncIterator[str]:
        try:
            await rooms.send("kitchen", "x")
        except RuntimeError as error:
            errors.append(error)
        await app.rooms.send("kitchen", "y")
        yield "bare"

    @app.get("/bare")
    async def without() -> Any:
        return bare()

    @app.get("/cured")
    async def cured() -> Any:
        @stream_with_context
        async def stream() -> AsyncIterator[str]:
            yield str(await rooms.send("kitchen", "z"))

        return stream()

    client = app.test_client()
    assert await (await client.get("/bare")).get_data(as_text=True) == "bare"
    assert "app.rooms" in str(errors[0]) and "stream_with_context" in str(errors[0])
    assert await (await client.get("/cured")).get_data(as_text=True) == "2"


@pytest.mark.parametrize(("number", "shared", "count"), [(None, False, 0), (1, False, 1), (2, False, 0), (1, True, 0)])
async def test_the_first_of_several_workers_warns_of_rooms_of_its_own(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int | None,
    shared: bool,
    count: int,
) -> None:
    monkeypatch.setattr("quart_plug.servers.worker_number", lambda: number)
    monkeypatch.setattr("quart_plug_rooms.memory.MemoryBackend.is_shared", shared)
    app = make_app(reports=False)
    async with app.test_app():
        said = [record.getMessage() for record in caplog.records if "rooms of its own" in record.getMessage()]
    assert len(said) == count
    assert all("QUART_PLUG_ROOMS__URL=redis://" in line for line in said)


async def test_who_is_excluded(make_app: MakeApp) -> None:
    app = make_app()
    done: list[Any] = []

    @app.websocket("/say/<room>")
    async def say(room: str) -> None:
        async with rooms.join(room) as member:
            others = [each for each in app.extensions["members"] if each.is_in]
            for number, exclude in enumerate(
                (None, websocket, member, websocket.id, others, [others[0].id, websocket], [], others[0].websocket)
            ):
                assert await rooms.send(room, str(number), exclude=exclude) == number + 1
            with pytest.raises(TypeError, match="who is excluded"):
                await rooms.send(room, "x", exclude=3)
            done.append(True)

    ann, bob = await enter(app, "/hall"), await enter(app, "/hall")
    speaker = Peer(app, "/say/hall")
    await asyncio.wait_for(speaker.task, 20)
    assert done
    assert speaker.heard == ["0", "4", "6", "7"]
    assert ann.heard == ["0", "1", "2", "3", "6"]
    assert bob.heard == ["0", "1", "2", "3", "5", "6", "7"]
    await ann.gone()
    await bob.gone()


async def test_json_is_encoded_once(make_app: MakeApp) -> None:
    app = make_app()
    dumped: list[Any] = []

    class Plugin:
        @hookimpl
        def json_dumping(self, app: Quart, obj: Any) -> None:
            dumped.append(obj)

    app.hooks.register(Plugin(), name="watching")
    peers = [await enter(app, "/hall") for _ in range(3)]
    assert await app.rooms.send_json("hall", {"text": "hi"}) == 1
    assert [json.loads(peer.heard[0]) for peer in peers] == [{"text": "hi"}] * 3
    assert dumped == [{"text": "hi"}]
    for peer in peers:
        await peer.gone()


async def test_from_outside_of_any_connection(make_app: MakeApp) -> None:
    """A background task, a request, a program."""
    app = make_app()

    @app.post("/announce")
    async def announce() -> str:
        return str(await rooms.send("hall", "by a request"))

    peer = await enter(app, "/hall")

    async def work() -> None:
        await rooms.send("hall", "by a task")

    app.add_background_task(work)
    await until(lambda: peer.heard)
    assert await (await app.test_client().post("/announce")).get_data(as_text=True) == "2"
    async with app.app_context():
        await rooms.send("hall", "by a program")
    await app.rooms.send("hall", bytearray(b"bytes"))  # type: ignore[arg-type]
    assert peer.heard == ["by a task", "by a request", "by a program", b"bytes"]
    (first, *_), kept = await app.rooms.history("hall", 9), await app.rooms.history("hall", 2)
    assert (first.sender, first.number, [each.data for each in kept]) == (None, 1, ["by a program", b"bytes"])
    await peer.gone()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda app: app.rooms.send("hall", {"a": 1}), TypeError, "other objects go by send_json"),
        (lambda app: app.rooms.send(3, "x"), TypeError, "the name of a room is a str, not 3"),
        (lambda app: app.rooms.send("", "x"), ValueError, "1 to 512 characters"),
        (lambda app: app.rooms.history("hall", -1), ValueError, "number of messages"),
        (lambda app: app.rooms.join("hall"), RoomError, "subscribe"),
        (lambda app: app.rooms.join("hall", websocket=object(), user=1.5), TypeError, "a user is a str, an int"),
        (lambda app: app.rooms.join("hall", websocket=object(), info=object()), TypeError, "JSON"),
        (lambda app: app.rooms.subscribe("hall", "5"), ValueError, "number of messages"),
        (lambda app: app.rooms.subscribe("hall", policy="wait"), ValueError, "the policy is one of"),
    ],
)
async def test_what_cannot_be(make_app: MakeApp, call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        result = call(make_app())
        await result


async def test_a_url_that_nobody_knows(make_app: MakeApp) -> None:
    app = make_app(url="carrier-pigeon://roof")
    with pytest.raises(RoomError, match=r"'carrier-pigeon://roof' \(setting `url`.*memory://"):
        await app.rooms.send("hall", "x")
    app.config["PLUGIN_CONFIG"]["rooms"]["url"] = "memory://"
    app.rooms.settings = type(app.rooms.settings)()


async def test_presence(make_app: MakeApp) -> None:
    app = make_app()
    paths = ["/hall?user=ann&info=1", "/hall?user=bob", "/hall?user=ann&info=2", "/hall", "/cellar?user=eve"]
    peers = [await enter(app, path) for path in paths]
    members = app.extensions["members"]
    found = await app.rooms.presence("hall")
    assert [(each.user, each.info, each.connections) for each in found] == [
        ("ann", "2", (members[0].id, members[2].id)),
        ("bob", None, (members[1].id,)),
        (None, None, (members[3].id,)),
    ]
    entries = await app.rooms.members("hall")
    assert [entry.id for entry in entries] == [member.id for member in members[:4]]
    assert entries[0].since <= entries[1].since and {entry.process for entry in entries} == {app.rooms.process}
    counts = await app.rooms.counts()
    assert counts["rooms"] == {
        "cellar": {"members": 1, "here": 1, "subscribers": 0},
        "hall": {"members": 4, "here": 4, "subscribers": 0},
    }
    await peers[0].gone()
    await peers[3].gone()
    assert [each.user for each in await app.rooms.presence("hall")] == ["bob", "ann"]
    for peer in peers:
        await peer.gone()


async def test_history_on_joining(make_app: MakeApp) -> None:
    app = make_app(history=3)
    for number in range(5):
        await app.rooms.send("hall", str(number))
    peers = [await enter(app, f"/hall?history={count}") for count in (0, 2, 9)]
    await app.rooms.send("hall", "live")
    assert [peer.heard for peer in peers] == [["live"], ["3", "4", "live"], ["2", "3", "4", "live"]]
    for peer in peers:
        await peer.gone()


async def test_a_room_forgets(make_app: MakeApp) -> None:
    """In numbers, bytes and time; with it the numbers begin anew, in another epoch."""
    app = make_app(history=10, history_bytes=4, history_seconds=0)
    await app.rooms.send("hall", "x")
    assert await app.rooms.history("hall", 5) == []
    app = make_app(history=10, history_bytes=4)
    for text in ("a", "bb", "cc", "ddddddd"):
        await app.rooms.send("hall", text)
    assert [each.data for each in await app.rooms.history("hall", 9)] == ["ddddddd"]
    await app.rooms.send("hall", "e")
    assert [each.id.rpartition("-")[2] for each in await app.rooms.history("hall", 9)] == ["5"]


@pytest.mark.parametrize("size", [600, 3])
async def test_a_large_broadcast_lets_others_run_and_keeps_the_order(make_app: MakeApp, size: int) -> None:
    """Two senders at once, to many members: everybody hears the same, and the loop turns meanwhile."""
    app = make_app()
    peers = [await enter(app, "/hall") for _ in range(size)]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def say(who: str) -> None:
        for number in range(5):
            await app.rooms.send("hall", f"{who}{number}")

    turning = asyncio.create_task(turn())
    cancelled = asyncio.create_task(say("c"))
    speaking = [asyncio.create_task(say(who)) for who in "ab"]
    await asyncio.sleep(0)
    cancelled.cancel()  # in the middle of its first message, which everybody gets all the same
    await asyncio.gather(*speaking)
    turning.cancel()
    (heard,) = {tuple(peer.heard) for peer in peers}
    for who in "ab":
        assert [text for text in heard if text[0] == who] == [f"{who}{number}" for number in range(5)]
    assert len(heard) == len(set(heard)) and "c0" in heard
    assert size < 250 or turns >= 20
    await asyncio.gather(*(peer.gone() for peer in peers))


async def test_who_leaves_during_a_broadcast_hears_no_more_and_who_comes_hears_from_then_on(make_app: MakeApp) -> None:
    app = make_app()
    peers = [await enter(app, "/hall") for _ in range(600)]
    sends = [asyncio.create_task(app.rooms.send("hall", str(number))) for number in range(3)]
    await asyncio.sleep(0)
    last, late = app.extensions["members"][-1], peers[-1]
    assert peers[0].heard[:1] == ["0"] and late.heard == []
    await last.leave()
    newcomer = await enter(app, "/hall?history=2")
    late.say("to the others")  # its websocket is still there
    await asyncio.gather(*sends)
    await until(lambda: len(newcomer.heard) == 3)
    assert late.heard == []
    assert newcomer.heard == ["1", "2", "to the others"]
    await until(lambda: all(peer.heard == ["0", "1", "2", "to the others"] for peer in peers[:-1]))
    await asyncio.gather(*(peer.gone() for peer in [*peers, newcomer]))


async def test_one_slow_peer_delays_nobody(make_app: MakeApp) -> None:
    app = make_app(outbox_messages=5)
    slow, quick = await enter(app, "/hall?outbox_messages=2"), await enter(app, "/hall")
    slow.reading.clear()
    for number in range(10):
        await app.rooms.send("hall", str(number))
    assert quick.heard == [str(number) for number in range(10)]
    first, second = app.extensions["members"]
    assert (first.outbox.messages, second.outbox.messages) == (2, 5)
    assert (await app.rooms.counts())["process"] | {"id": "", "pid": 0} == {
        "id": "", "pid": 0, "sent": 10, "dropped": 7, "waiting": 2, "waiting_bytes": 2
    }  # fmt: skip
    slow.reading.set()
    await until(lambda: len(slow.heard) == 3)
    assert slow.heard == ["0", "8", "9"]
    await slow.gone()
    await quick.gone()
    totals = app.rooms.tally.totals()
    assert (totals.sent, totals.dropped) == (13, 7)


async def test_who_has_left_is_not_the_sender_s_trouble(make_app: MakeApp) -> None:
    """Neither in the mode that raises nor in the one that cancels; and the view that hangs is out of the room."""
    app = make_app()
    app.config["WEBSOCKET_DISCONNECT_GRACE"] = 0.1

    @app.websocket("/hang/<room>")
    async def hang(room: str) -> None:
        async with rooms.join(room):
            app.extensions["members"].append(None)
            await asyncio.Event().wait()

    speaker, hanging = await enter(app, "/hall"), await enter(app, "/hang/hall")
    hanging.leave()
    for number in range(3):
        speaker.say(str(number))
    await until(lambda: len(speaker.heard) == 3)
    assert not speaker.task.done()
    await asyncio.wait_for(hanging.task, 20)
    await speaker.gone()


async def test_a_join_that_is_never_left_is_cleaned_up_after(make_app: MakeApp) -> None:
    app = make_app()
    kept: list[Any] = []

    @app.websocket("/keep/<room>")
    async def keep(room: str) -> None:
        member = rooms.join(room, "ann")
        await member.__aenter__()
        kept.append(member)
        app.extensions["members"].append(member)
        await websocket.receive()

    peer = await enter(app, "/keep/hall")
    assert [each.user for each in await app.rooms.presence("hall")] == ["ann"]
    await peer.gone()
    await until(lambda: not app.rooms.local_counts())
    assert await app.rooms.presence("hall") == [] and not kept[0].is_in
    await kept[0].leave()
    assert "not in it" in repr(kept[0])


async def test_twice_in_the_same_room(make_app: MakeApp) -> None:
    app = make_app()

    async def view() -> None:
        async with rooms.join("hall"), rooms.join("cellar"):
            with pytest.raises(RoomError, match="is there already"):
                async with rooms.join("hall"):
                    pass
            await rooms.send("hall", "still in both")
            await rooms.send("cellar", "rooms")
        async with rooms.join("hall"):
            await rooms.send("hall", "again")

    app.add_websocket("/twice", view_func=view)
    peer = Peer(app, "/twice")
    await asyncio.wait_for(peer.task, 20)
    assert peer.heard == ["still in both", "rooms", "again"]


class Bouncer:
    """The hooks of rooms."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    @hookimpl
    async def room_joining(self, app: Quart, member: Any) -> str | None:
        await asyncio.sleep(0)
        return "no mallories" if member.user == "mallory" else None

    @hookimpl
    def room_joined(self, app: Quart, member: Any) -> None:
        self.told.append(("joined", member.room, member.user))
        if member.user == "trouble":
            raise LookupError("a plugin's bug")

    @hookimpl
    async def room_left(self, member: Any) -> None:
        self.told.append(("left", member.room, member.user, member.is_in))

    @hookimpl
    async def room_message(self, room: str, sent_by: str | None, message: Any) -> Any:
        if message == "drop":
            raise MessageDropped
        if message == "spoil":
            return 3
        return f"{message}!" if sent_by is not None else None


async def test_hooks_and_signals(make_app: MakeApp) -> None:
    bouncer = Bouncer()
    app = make_app(bouncer)
    heard: list[Any] = []

    async def joined(sender: Quart, member: Any) -> None:
        heard.append(("joined", member.user))

    def said(sender: Quart, room: str, message: str, **others: Any) -> None:
        heard.append(("message", room, message))

    with signal("room-joined").connected_to(joined), signal("room-message").connected_to(said):
        ann = await enter(app, "/hall?user=ann")
        mallory = Peer(app, "/hall?user=mallory")
        await asyncio.wait_for(mallory.task, 20)
        assert mallory.closing is not None and not mallory.heard  # refused: no denial responses on this server
        ann.say("hello")
        ann.say("drop")
        await until(lambda: ann.heard)
        assert await app.rooms.send("hall", "drop") == 0
        assert await app.rooms.send("hall", "by nobody") == 2
        with pytest.raises(TypeError, match="made 3 of a message"):
            await app.rooms.send("hall", "spoil")
    assert ann.heard == ["hello!", "by nobody"]
    await ann.gone()
    await until(lambda: len(bouncer.told) == 2)
    assert bouncer.told == [("joined", "hall", "ann"), ("left", "hall", "ann", False)]
    assert [each for each in heard if each[0] == "joined"] == [("joined", "ann")]
    assert ("message", "hall", "by nobody") in heard


async def test_a_refusal_is_an_answer_to_the_handshake(make_app: MakeApp) -> None:
    from quart_plug.testing import WebsocketResponseError

    app = make_app(Bouncer())
    with pytest.raises(WebsocketResponseError) as refused:
        async with app.test_client().websocket("/hall?user=mallory") as connection:
            await connection.receive()
    response = refused.value.response
    assert response.status_code == 403 and "no mallories" in await response.get_data(as_text=True)


async def test_a_plugin_that_fails_is_no_ghost_in_the_room(make_app: MakeApp) -> None:
    app = make_app(Bouncer())
    trouble = Peer(app, "/hall?user=trouble")
    await asyncio.wait_for(trouble.task, 20)
    assert trouble.closing == (1011, "")
    assert await app.rooms.presence("hall") == []


@pytest.mark.parametrize("step", ["attach", "enter", "history"])
@pytest.mark.parametrize("how", ["cancelled", "failing"])
async def test_a_join_that_does_not_come_to_its_end_leaves_nothing(make_app: MakeApp, step: str, how: str) -> None:
    app = make_app()
    await app.rooms.send("hall", "before")
    backend = app.rooms.backend
    known = getattr(backend, step)
    reached = asyncio.Event()

    async def instead(*args: Any) -> Any:
        reached.set()
        if how == "failing":
            raise ConnectionResetError("the server is away")
        await asyncio.Event().wait()

    setattr(backend, step, instead)
    peer = Peer(app, "/hall?user=ann&history=3")
    await asyncio.wait_for(reached.wait(), 20)
    if how == "cancelled":
        peer.task.cancel()
    await asyncio.wait([peer.task])
    setattr(backend, step, known)
    assert how == "cancelled" or peer.closing == (1011, "")
    await until(lambda: not app.rooms.local_counts())
    other = await enter(app, "/hall")
    await app.rooms.send("hall", "x")
    assert (other.heard, peer.heard) == (["x"], [])
    await other.gone()


async def test_the_end_of_the_app(make_app: MakeApp) -> None:
    """What was said is forgotten with it; the next use begins anew."""
    app = make_app(reports=False)
    async with app.test_app():
        await app.rooms.send("hall", "x")
        assert len(await app.rooms.history("hall", 9)) == 1
    assert app.rooms.backend is None
    async with app.rooms as found:
        assert found is app.rooms and await found.history("hall", 9) == []


async def test_a_member_who_is_told_of_a_gap(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    from quart_plug_rooms.backend import Gap

    gaps: list[Any] = []

    class Plugin:
        @hookimpl
        async def room_gap(self, gap: Any, message: str) -> str | None:
            gaps.append(gap)
            if gap.until is None:
                raise MessageDropped
            if gap.after == 7:
                raise LookupError("a plugin's bug")
            return None

    app = make_app(Plugin())
    peer = await enter(app, "/hall")
    for gap in (Gap("hall", "e", 3, 6), Gap("hall", "e", 0), Gap("hall", "e", 7, 8), Gap("cellar", "e", 1, 9)):
        await app.rooms.gap(gap)
    assert [json.loads(text) for text in peer.heard] == [
        {"type": "gap", "room": "hall", "missed": 2},
        {"type": "gap", "room": "hall", "missed": 0},
    ]
    assert len(gaps) == 4 and "a plugin's bug" in caplog.text
    await peer.gone()


async def test_one_after_the_other_in_several_loops(make_app: MakeApp) -> None:
    app = make_app()
    await app.rooms.send("hall", "x")

    async def elsewhere() -> None:
        with pytest.raises(RoomError, match="another event loop"):
            await app.rooms.send("hall", "y")

    await asyncio.to_thread(lambda: asyncio.run(elsewhere()))


async def test_a_closed_websocket_joins_nothing(make_app: MakeApp) -> None:
    app = make_app()
    seen: list[Any] = []

    async def view() -> None:
        await websocket.close()
        with pytest.raises(ConnectionClosed):
            await rooms.join("hall").__aenter__()
        seen.append(True)

    app.add_websocket("/closed", view_func=view)
    await asyncio.wait_for(Peer(app, "/closed").task, 20)


async def test_settings_are_checked() -> None:
    from quart_plug.exceptions import PluginError

    with pytest.raises(PluginError, match="outbox_messages has to be 1 at least, not 0"):
        app = Quart("x", plugins=["rooms"])
        app.config["PLUGIN_CONFIG"] = {"rooms": {"outbox_messages": 0}}
        app.setup_plugins()
