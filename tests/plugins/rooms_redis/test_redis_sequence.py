"""The feed of a room: each message once and in order, and whatever is missing is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug_rooms.backend import Message
from quart_plug_rooms.redis.sequence import Feed, Missing, Position, Resync
from quart_plug_rooms.redis.wire import Published


def published(number: int, epoch: str = "a", sequence: int | None = None, writer: str = "s") -> Published:
    message = Message("room", epoch, number, f"{epoch}{number}")
    return Published(epoch, number, writer, number if sequence is None else sequence, message)


def known(after: int, until: int) -> Missing:
    return Missing(Position("a", after), until)


def unknown(after: int) -> Missing:
    return Missing(Position("a", after), None)


def live(number: int = 0, **options) -> Feed:
    feed = Feed(**options)
    assert feed.begin("first") is None
    assert [*feed.mark("first"), *feed.reply("first", Position("a", number), [])] == []
    assert feed.live
    return feed


def test_messages_in_order_are_passed_on():
    feed = live()
    assert [step for number in (1, 2, 3) for step in feed.message(published(number))] == [
        published(1),
        published(2),
        published(3),
    ]
    assert feed.position == Position("a", 3)


def test_what_was_before_the_first_synchronisation_is_not_passed_on():
    feed = Feed()
    feed.begin("n")
    assert [*feed.message(published(4)), *feed.message(published(5)), *feed.mark("n")] == []
    assert feed.message(published(6)) == ()
    assert feed.reply("n", Position("a", 5), [published(4), published(5)]) == [published(6)]


def test_the_mark_may_come_after_the_answer():
    feed = Feed()
    feed.begin("n")
    assert [*feed.message(published(5)), *feed.reply("n", Position("a", 5), [])] == []
    assert not feed.live
    assert feed.mark("n") == [] and feed.live
    assert feed.message(published(6)) == (published(6),)


def test_a_number_that_skips_asks_for_history_and_passes_it_on_first():
    feed = live(2)
    assert feed.message(published(5)) == (Resync(),)
    assert feed.begin("n") == Position("a", 2)
    assert feed.message(published(6)) == () and feed.mark("n") == () and feed.message(published(7)) == ()
    history = [published(number) for number in (3, 4, 5, 6)]
    assert feed.reply("n", Position("a", 6), history) == [*history, published(7)]


def test_what_history_does_not_hold_is_told_with_its_count():
    feed = live(2)
    feed.message(published(6))
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 6), [published(5), published(6)]) == [known(2, 5), published(5), published(6)]


def test_without_history_what_came_by_the_stream_is_not_lost():
    feed = live(2)
    feed.message(published(6))
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 6), []) == [known(2, 6), published(6)]


def test_after_a_lost_stream_the_end_that_nothing_brings_is_told():
    feed = live(2)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 9), []) == [known(2, 10)]
    assert feed.message(published(10)) == (published(10),)


def test_a_lost_stream_without_a_message_meanwhile_is_no_gap():
    feed = live(2)
    feed.lost()
    assert feed.message(published(3)) == ()
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 3), []) == [published(3)]


def test_another_epoch_is_a_gap_of_unknown_size_and_its_history_is_passed_on():
    feed = live(7)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    history = [published(1, "b", 8), published(2, "b", 9)]
    assert feed.reply("n", Position("b", 2), history) == [unknown(7), *history]


def test_what_was_kept_of_the_old_epoch_is_passed_on_before_the_gap():
    feed = live(7)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    history = [published(7), published(8), published(9, "b")]
    assert feed.reply("n", Position("b", 9), history) == [published(8), unknown(8), published(9, "b")]


def test_history_that_may_have_been_passed_on_is_not_passed_on_again():
    """Of a third epoch nobody knows whether it was before ours."""
    feed = live(7)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    history = [published(1, "old"), published(2, "b", 9)]
    assert feed.reply("n", Position("b", 2), history) == [unknown(7), published(2, "b", 9)]


def test_a_writer_that_sends_again_is_heard_once():
    feed = live()
    assert feed.message(published(1, sequence=70)) == (published(1, sequence=70),)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    again, other = published(1, "b", 70), published(2, "b", 3, writer="other")
    assert feed.reply("n", Position("b", 2), [again, other]) == [unknown(1), other]
    assert feed.position == Position("b", 2)


def test_numbers_that_go_back_in_one_epoch_are_a_gap():
    feed = live(100)
    assert feed.message(published(51, sequence=200)) == (Resync(),)
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 51), []) == [unknown(100), published(51, sequence=200)]
    assert feed.message(published(52, sequence=201)) == (published(52, sequence=201),)


def test_an_answer_to_an_older_question_is_not_taken():
    feed = live(1)
    feed.lost()
    feed.begin("old")
    feed.lost()
    feed.begin("new")
    assert [*feed.mark("old"), *feed.reply("old", Position("a", 5), [])] == [] and not feed.live
    assert [*feed.mark("new"), *feed.reply("new", Position("a", 1), [])] == [] and feed.live


def test_what_is_held_has_a_limit_and_the_rest_is_a_gap():
    feed = live(0, limit=3)
    for number in range(2, 12):
        feed.message(published(number))
    feed.begin("n")
    feed.mark("n")
    assert feed.reply("n", Position("a", 11), []) == [known(0, 9), published(9), published(10), published(11)]


def test_an_epoch_that_changes_while_the_answer_is_under_way():
    """Another question has to be asked, and what has come meanwhile is not lost."""
    feed = live(1)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    assert feed.message(published(1, "b", 9)) == ()
    assert feed.reply("n", Position("a", 1), []) == [Resync()]
    feed.begin("m")
    feed.mark("m")
    assert feed.reply("m", Position("b", 1), []) == [unknown(1), published(1, "b", 9)]


def test_history_before_our_epoch_is_not_passed_on():
    feed = live(7)
    feed.lost()
    feed.begin("n")
    feed.mark("n")
    history = [published(6, "older"), published(8), published(9, "b")]
    assert feed.reply("n", Position("b", 9), history) == [published(8), unknown(8), published(9, "b")]


def test_a_question_that_is_asked_again_loses_nothing_that_came_meanwhile():
    feed = live(1)
    feed.message(published(3))
    feed.begin("n")
    feed.mark("n")
    assert feed.message(published(4)) == ()
    feed.begin("again")
    feed.mark("again")
    assert feed.reply("again", Position("a", 4), []) == [known(1, 3), published(3), published(4)]


def test_what_comes_behind_a_second_gap_is_not_lost():
    feed = live(1)
    feed.message(published(3))
    feed.begin("n")
    feed.mark("n")
    assert [*feed.message(published(5)), *feed.message(published(6))] == []
    assert feed.reply("n", Position("a", 3), []) == [known(1, 3), published(3), Resync()]
    feed.begin("m")
    feed.mark("m")
    assert feed.reply("m", Position("a", 6), []) == [known(3, 5), published(5), published(6)]


@dataclass
class Room:
    """A server's room and one feed of it. Each event is what can happen; `steps` is what the feed made of it."""

    history: int
    feed: Feed = field(default_factory=lambda: Feed(limit=6))
    log: list[Published] = field(default_factory=list)  # everything that was ever published
    kept: list[Published] = field(default_factory=list)
    stream: list[Published | str] = field(default_factory=list)
    epoch: int = 0
    number: int = 0
    connected: bool = True
    asked: int = 0
    answers: list[tuple[str, Position, list[Published]]] = field(default_factory=list)
    steps: list = field(default_factory=list)

    def publish(self) -> None:
        self.number += 1
        # Each has a writer of its own, so that numbers alone decide what is passed on.
        message = published(self.number, f"e{self.epoch}", 1, f"s{len(self.log)}")
        self.log.append(message)
        self.kept = [*self.kept, message][-self.history :] if self.history else []
        if self.connected:
            self.stream.append(message)

    def drop(self) -> None:
        """One that the stream should have had, and has not."""
        if self.stream and not isinstance(self.stream[0], str):
            del self.stream[0]

    def disconnect(self) -> None:
        self.connected = False
        self.stream.clear()
        self.feed.lost()

    def reconnect(self) -> None:
        if not self.connected:
            self.connected = True
            self.ask()

    def ask(self) -> None:
        self.asked += 1
        after = self.feed.begin(str(self.asked))
        position = Position(f"e{self.epoch}", self.number)
        held = self.kept
        if after is not None and after.epoch == position.epoch:
            held = [m for m in held if m.epoch != after.epoch or m.number > after.number]
        self.answers.append((str(self.asked), position, list(held)))
        self.stream.append(str(self.asked))

    def restart_with_data(self) -> None:
        self.disconnect()
        self.epoch += 1

    def restart_without_data(self) -> None:
        self.restart_with_data()
        self.kept, self.number = [], 0

    def lose_everything(self) -> None:
        """As FLUSHALL does: the connection stays."""
        self.epoch += 1
        self.kept, self.number = [], 0

    def deliver(self) -> None:
        if self.connected and self.stream:
            item = self.stream.pop(0)
            self._note(self.feed.mark(item) if isinstance(item, str) else self.feed.message(item))

    def answer(self) -> None:
        if self.answers:
            self._note(self.feed.reply(*self.answers.pop(0)))

    def _note(self, steps) -> None:
        self.steps += [step for step in steps if not isinstance(step, Resync)]
        if any(isinstance(step, Resync) for step in steps):
            self.ask()

    def settle(self) -> None:
        """Until nothing is under way; then one synchronisation more, as a feed that was lost has it."""
        self.reconnect()
        while self.stream or self.answers:
            self.deliver()
            self.answer()


EVENTS = [
    "publish",
    "publish",
    "publish",
    "deliver",
    "deliver",
    "answer",
    "drop",
    "disconnect",
    "reconnect",
    "restart_with_data",
    "restart_without_data",
    "lose_everything",
]


@pytest.mark.parametrize("history", [0, 2, 100])
@given(events=st.lists(st.sampled_from(EVENTS), max_size=60))
def test_in_order_and_once_and_no_loss_without_a_word(history, events):
    """Whatever happens: what is passed on has the order of the room, nothing comes twice, and between two that are not
    neighbours stands a gap, with the right count where it has one."""
    room = Room(history)
    room.ask()
    room.settle()
    for event in events:
        getattr(room, event)()
    room.settle()
    lost_at_the_end = room.feed.position != Position(f"e{room.epoch}", room.number)
    if lost_at_the_end:  # a stream whose last message was dropped cannot know: the next one tells
        room.publish()
        room.settle()
    at, gaps = 0, []
    for step in room.steps:
        if isinstance(step, Missing):
            gaps.append(step)
            continue
        place = room.log.index(step)
        assert place >= at, "twice, or out of order"
        assert place == at or gaps, "lost without a word"
        if gaps and all(gap.until is not None for gap in gaps):
            assert place - at == sum(gap.until - gap.after.number - 1 for gap in gaps)
        at, gaps = place + 1, []
    assert at == len(room.log) or gaps, "the end was lost without a word"
    assert room.feed.live and room.feed.position == Position(f"e{room.epoch}", room.number)
