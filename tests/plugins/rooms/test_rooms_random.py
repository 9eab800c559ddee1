"""Random lives of rooms: nothing is lost, doubled, reordered, or left behind, whoever comes, goes, or does not read.

A model keeps what each member has to have heard. Members join with a part of the history, leave the room, close, vanish
(their sends fail), stop reading and go on; messages are sent by them and from outside, to everybody or all but one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quart_plug import Quart
from tests.support.peers import Peer, until

from .conftest import enter, make

ROOMS = ("hall", "cellar")
KEPT = 4  # messages of history
BOUND = 5  # messages in an outbox


class Visitor:
    """A member, and what it is to hear: `due` in full while it reads; while it does not, `waiting` is what waits."""

    def __init__(self, peer: Peer, member: Any, room: str, history: list[str]) -> None:
        self.peer = peer
        self.member = member
        self.room = room
        self.due = list(history)
        self.waiting: list[str] | None = None  # while it does not read: one in flight, and what follows
        self.dropped = 0
        self.gone = False

    def is_told(self, text: str) -> None:
        if self.waiting is None:
            self.due.append(text)
        elif len(self.waiting) < BOUND + 1:
            self.waiting.append(text)
        else:
            del self.waiting[1]  # the first is being sent
            self.waiting.append(text)
            self.dropped += 1


class History(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.visitors: list[Visitor] = []
        self.kept: dict[str, list[str]] = {name: [] for name in ROOMS}
        self.sent = 0
        self.listened: list[str] = []

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize()
    def begin(self) -> None:
        async def prepare() -> Quart:
            return make(history=KEPT, outbox_messages=BOUND)

        self.app = self.do(prepare())
        self.subscription = self.app.rooms.subscribe(ROOMS[0], messages=10_000)
        self.do(self.subscription.__aenter__())

    @rule(room=st.sampled_from(ROOMS), history=st.integers(0, KEPT + 1))
    def join(self, room: str, history: int) -> None:
        peer = self.do(enter(self.app, f"/{room}?history={history}"))
        expected = self.kept[room][-history:] if history else []
        self.visitors.append(Visitor(peer, self.app.extensions["members"][-1], room, expected))

    def present(self, room: str | None = None) -> list[Visitor]:
        return [each for each in self.visitors if not each.gone and room in (None, each.room)]

    @rule(room=st.sampled_from(ROOMS), exclude=st.integers(0, 3), count=st.integers(1, 9), together=st.booleans())
    def send(self, room: str, exclude: int, count: int, together: bool) -> None:
        here = self.present(room)
        excluded = here[exclude - 1] if 0 < exclude <= len(here) else None
        texts = [f"{room} {number}" for number in range(self.sent, self.sent + count)]
        self.sent += count

        async def broadcast() -> None:
            sends = [self.app.rooms.send(room, text, excluded and excluded.member) for text in texts]
            if together:
                await asyncio.gather(*sends)
            else:
                for each in sends:
                    await each

        self.do(broadcast())
        self.kept[room] = (self.kept[room] + texts)[-KEPT:]
        if room == ROOMS[0]:
            self.listened += texts
        for visitor in here:
            if visitor is not excluded:
                for text in texts:
                    visitor.is_told(text)

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def say(self, data: Any) -> None:
        """Through its websocket, by a view."""
        visitor = data.draw(st.sampled_from(self.present()))
        text = f"said {self.sent}"
        self.sent += 1

        async def speak() -> None:
            visitor.peer.say(text)
            while not [each for each in await self.app.rooms.history(visitor.room, 1) if each.data == text]:
                await asyncio.sleep(0)

        self.do(speak())
        self.kept[visitor.room] = [*self.kept[visitor.room], text][-KEPT:]
        if visitor.room == ROOMS[0]:
            self.listened.append(text)
        for each in self.present(visitor.room):
            each.is_told(text)

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def stop_reading(self, data: Any) -> None:
        visitor = data.draw(st.sampled_from(self.present()))
        if visitor.waiting is None:
            self.do(self.settled(visitor))
            visitor.peer.reading.clear()
            visitor.waiting = []

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def go_on_reading(self, data: Any) -> None:
        visitor = data.draw(st.sampled_from(self.present()))
        if visitor.waiting is not None:
            visitor.peer.reading.set()
            visitor.due += visitor.waiting
            visitor.waiting = None
            self.do(self.settled(visitor))

    async def settled(self, visitor: Visitor) -> None:
        await until(lambda: len(visitor.peer.heard) >= len(visitor.due) and not visitor.member.outbox.waiting)

    @precondition(lambda self: self.present())
    @rule(data=st.data(), how=st.sampled_from(["leave", "close", "vanish", "cut"]))
    def go(self, data: Any, how: str) -> None:
        visitor = data.draw(st.sampled_from(self.present()))
        visitor.gone = True

        async def end() -> None:
            if visitor.waiting is None:
                await self.settled(visitor)
            if how == "leave":
                await visitor.member.leave()  # the websocket stays: what waits is still sent
                visitor.peer.reading.set()
                await until(lambda: not visitor.member.outbox.waiting)
            elif how == "vanish":
                visitor.peer.fails = ConnectionResetError("gone")
                await self.app.rooms.send(visitor.room, "")  # by which it is noticed
                visitor.peer.leave(1006)
            elif how == "cut":
                visitor.peer.task.cancel()
            else:
                visitor.peer.leave()
            if how != "leave":
                await asyncio.wait([visitor.peer.task])
                await until(lambda: not visitor.member.is_in)

        self.do(end())
        if how == "vanish":
            self.kept[visitor.room] = [*self.kept[visitor.room], ""][-KEPT:]
            if visitor.room == ROOMS[0]:
                self.listened.append("")
            for each in self.present(visitor.room):
                each.is_told("")
        if how == "leave":
            visitor.due += visitor.waiting or []
            self.do(self.settled(visitor))

    @invariant()
    def everybody_has_heard_what_was_due(self) -> None:
        for visitor in self.visitors:
            heard = visitor.peer.heard
            if visitor.waiting is None:
                if not visitor.gone:
                    self.do(self.settled(visitor))
                    heard = visitor.peer.heard
                assert heard == visitor.due
            assert heard[: len(visitor.due)] == visitor.due[: len(heard)]
            if not visitor.gone:
                outbox = visitor.member.outbox
                assert outbox.dropped == visitor.dropped
                if visitor.waiting is not None:
                    assert outbox.waiting == max(len(visitor.waiting) - 1, 0)

    @invariant()
    def everybody_who_is_there_is_known(self) -> None:
        for room in ROOMS:
            members = self.do(self.app.rooms.members(room))
            assert [each.id for each in members] == [each.member.id for each in self.present(room)]

    def teardown(self) -> None:
        async def end() -> None:
            for visitor in self.visitors:
                if not visitor.peer.task.done():
                    await visitor.peer.gone()
            heard = [(await self.subscription.receive()).data for _ in range(self.subscription.waiting.waiting)]
            await self.subscription.leave()
            assert heard == self.listened
            await until(lambda: len(asyncio.all_tasks()) == 1)
            assert self.app.rooms.local_counts() == {}
            totals = self.app.rooms.tally.totals()
            assert totals.waiting == totals.waiting_bytes == 0
            assert totals.sent == sum(len(visitor.peer.heard) for visitor in self.visitors)
            await self.app.rooms.stop()

        try:
            if hasattr(self, "app"):
                self.do(end())
        finally:
            self.runner.close()


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
