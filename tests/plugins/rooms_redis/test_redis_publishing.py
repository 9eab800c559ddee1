"""Messages on their way to Redis: what is told of those whose answer is lost, late or an error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ResponseError

from quart_plug_rooms.redis import publishing
from quart_plug_rooms.redis.commands import Question
from quart_plug_rooms.redis.keys import Keys
from quart_plug_rooms.redis.publishing import Place, Publisher, Unpublished


class Asked:
    """What is asked, answered by the test."""

    offset = 0.0

    def __init__(self) -> None:
        self.questions: list[Question] = []

    def ask(self, parts: Any) -> Question:
        self.questions.append(Question(parts, asyncio.get_running_loop().create_future()))
        return self.questions[-1]

    def give_up(self, question: Question) -> None:
        question.answer.set_result(None)

    async def question(self, number: int = 0) -> Question:
        """That question, as soon as it was asked."""
        async with asyncio.timeout(20):
            while len(self.questions) <= number:
                await asyncio.sleep(0)
        return self.questions[number]

    def send(self, question: Question) -> list[bytes]:
        """As a connection does it; the bodies of the messages."""
        parts = question.parts()
        assert parts is not None
        question.asked += 1
        keys = int(parts[2])
        return [bytes(part).split()[-1] for part in parts[3 + keys :][7::3]]  # type: ignore[arg-type]


def publisher(asked: Asked) -> Publisher:
    return Publisher(asked, Keys("test"), "a1", (50, 1000, 1000))  # type: ignore[arg-type]  # as much as it needs


def publish(messages: Publisher, data: str, wait: float = 60.0) -> asyncio.Task[Place]:
    return asyncio.ensure_future(messages.publish("lobby", data, None, (), False, wait))


async def test_messages_that_come_meanwhile_go_together_and_in_order() -> None:
    messages = publisher(asked := Asked())
    tasks = [publish(messages, f"{number}") for number in range(5)]
    first = await asked.question()
    assert asked.send(first) == [b"0", b"1", b"2", b"3", b"4"]
    tasks += [publish(messages, f"{number}") for number in range(5, 8)]
    await asyncio.sleep(0)
    assert len(asked.questions) == 1, "one call is under way at a time"
    first.answer.set_result([b"e 1 1000", b"e 2 1000", b"e 3 1000", b"e 4 1000", b"e 5 1000"])
    second = await asked.question(1)
    assert asked.send(second) == [b"5", b"6", b"7"]
    second.answer.set_result([b"e 6 1000", b"e 7 1000", b"e 8 1001"])
    assert [(await task).number for task in tasks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert await tasks[-1] == Place("e", 8, 1001)


async def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    messages = publisher(asked := Asked())
    tasks = [publish(messages, f"{number}") for number in range(3)]
    question = await asked.question()
    tasks[1].cancel()
    await asyncio.wait([tasks[1]])
    assert asked.send(question) == [b"0", b"2"]
    question.answer.set_result([b"e 1 1000", b"e 2 1000"])
    assert [(await tasks[number]).number for number in (0, 2)] == [1, 2]


@pytest.mark.parametrize(("times", "sent"), [(1, False), (2, True)])
@pytest.mark.parametrize("answer", [[b""], ResponseError("OOM")], ids=["too late", "refused"])
async def test_a_message_that_was_asked_for_twice_may_have_been_published_the_first_time(times, sent, answer) -> None:
    """Redis may have published it, lost its answer and then its data: then nobody can say that it was not sent."""
    messages = publisher(asked := Asked())
    task = publish(messages, "hello")
    question = await asked.question()
    for _ in range(times):
        asked.send(question)
    if isinstance(answer, list):
        question.answer.set_result(answer)
    else:
        question.answer.set_exception(answer)
    with pytest.raises(Unpublished) as caught:
        await task
    assert caught.value.sent is sent


async def test_who_has_waited_long_enough_is_told_and_what_was_not_on_its_way_is_not_sent() -> None:
    messages = publisher(asked := Asked())
    task = publish(messages, "late", wait=0.01)
    question = await asked.question()
    with pytest.raises(Unpublished) as caught:
        await task
    assert caught.value.sent is False
    assert question.parts() is None


async def test_what_has_failed_is_kept_nowhere_and_what_comes_after_goes_on() -> None:
    messages = publisher(asked := Asked())
    tasks = [publish(messages, f"{number}") for number in range(2 * publishing.TOGETHER)]
    asked.send(await asked.question())  # and its connection is lost
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await asyncio.sleep(0)
    assert not messages._waiting and not messages._under_way and (messages._count, messages._bytes) == (0, 0)
    task = publish(messages, "next")
    question = await asked.question(1)
    assert asked.send(question) == [b"next"]
    question.answer.set_result([b"e 9 1000"])
    assert await task == Place("e", 9, 1000)


@pytest.mark.parametrize(("name", "limit"), [("WAITING", 3), ("WAITING_BYTES", 300)])
async def test_more_than_may_wait_is_refused_at_once(monkeypatch, name, limit) -> None:
    monkeypatch.setattr(publishing, name, limit)
    messages = publisher(asked := Asked())
    waiting = [publish(messages, "x" * 80) for _ in range(3)]
    question = await asked.question()
    with pytest.raises(Unpublished, match=r"3 messages \(\d+ bytes\) wait for Redis already") as caught:
        await publish(messages, "x" * 80)
    assert caught.value.sent is False
    asked.send(question)
    question.answer.set_result([b"e 1 1000", b"e 2 1000", b"e 3 1000"])
    await asyncio.gather(*waiting)
    task = publish(messages, "x" * 400)  # alone it may be of any size
    (await asked.question(1)).parts()
    asked.questions[1].answer.set_result([b"e 4 1000"])
    assert (await task).number == 4
