"""Messages on their way to Redis: in the order of `publish`, each once.

One call of a script is under way at a time, with all messages that have come meanwhile. Its answer may be lost with
the connection; then it is asked again, and Redis knows what it has published by each message's sequence. A message
whose time is over is not published any more, by Redis's own clock: who was told that it failed can rely on that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from .commands import Commands, Parts, Question, response_error
from .keys import Keys
from .scripts import PUBLISH
from .wire import body

__all__ = ["Place", "Publisher", "Unpublished"]

TOGETHER: Final = 128  # messages of one call
TOGETHER_BYTES: Final = 1 << 20
LIFETIME: Final = 24 * 3600 * 1000  # ms that a room's counter is kept without a message and without anybody there
WAITING: Final = 50_000  # messages that may wait at a time
WAITING_BYTES: Final = 64 << 20
GRACE: Final = 0.5  # seconds that the answer to a message that is under way may come after its time


class Place(NamedTuple):
    """What Redis gave a message: its place in the room, and the time in ms."""

    epoch: str
    number: int
    at: int


class Unpublished(Exception):
    """sent  whether it was on its way: then it is not known what became of it."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class _Message:
    __slots__ = ("body", "deadline", "done", "question", "room", "sequence")

    def __init__(self, room: str, sequence: int, body: bytes, deadline: float, done: asyncio.Future[Place]) -> None:
        self.room, self.sequence, self.body, self.deadline, self.done = room, sequence, body, deadline, done
        self.question: Question | None = None  # with which it is, or was, on its way

    @property
    def sent(self) -> bool:
        return self.question is not None and self.question.asked > 0


class Publisher:
    """writer   the id of this process.
    history  how many messages Redis keeps for each room, how many bytes they may have, and for how many ms they are
             kept after the last.
    """

    def __init__(self, commands: Commands, keys: Keys, writer: str, history: tuple[int, int, int]) -> None:
        self._commands, self._keys, self._writer, self._history = commands, keys, writer, history
        self._sequence = 0
        self._waiting: OrderedDict[_Message, None] = OrderedDict()
        self._count = self._bytes = 0  # of all that somebody waits for
        self._under_way: list[_Message] = []
        self._task: asyncio.Task[None] | None = None

    async def publish(
        self, room: str, data: str | bytes, sender: str | None, exclude: Iterable[str], is_json: bool, wait: float
    ) -> Place:
        """Raises Unpublished when it was not done within `wait` seconds, and at once when too much waits already."""
        loop = asyncio.get_running_loop()
        raw = body(self._writer, self._sequence + 1, data, sender, exclude, is_json)
        if self._count and (self._count >= WAITING or self._bytes + len(raw) > WAITING_BYTES):
            raise Unpublished(f"{self._count} messages ({self._bytes} bytes) wait for Redis already", False)
        self._sequence += 1
        self._count += 1
        self._bytes += len(raw)
        message = _Message(room, self._sequence, raw, loop.time() + wait, loop.create_future())
        self._waiting[message] = None
        if self._task is None or self._task.done():  # done, where tasks begin at once
            self._task = loop.create_task(self._work(), name="rooms: publishing")
        timer = loop.call_at(message.deadline, self._late, message)
        try:
            return await message.done
        finally:
            timer.cancel()
            message.done.cancel()  # who does not wait any more does not send any more
            self._count -= 1
            self._bytes -= len(raw)
            self._let_go(message)

    def _let_go(self, message: _Message) -> None:
        """Nobody waits for it any more: keep nothing of it, however long Redis is away."""
        self._waiting.pop(message, None)
        question = message.question
        if question is not None and not question.answer.done() and all(each.done.done() for each in self._under_way):
            self._commands.give_up(question)

    def _late(self, message: _Message, *, final: bool = False) -> None:
        if message.sent and not final:
            asyncio.get_running_loop().call_later(GRACE, lambda: self._late(message, final=True))
        else:
            _fail(message, "Redis did not answer in time", message.sent)

    async def stop(self) -> None:
        """Nothing is sent any more; who waits for it is told."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for message in (*self._under_way, *self._waiting):
            _fail(message, "the app has stopped", message.sent)
        self._waiting.clear()

    async def _work(self) -> None:
        while self._waiting:
            self._under_way = self._next()
            await self._publish(self._under_way)
        self._under_way = []
        self._task = None

    def _next(self) -> list[_Message]:
        messages: list[_Message] = []
        size = 0
        while self._waiting and len(messages) < TOGETHER and size < TOGETHER_BYTES:
            message, _ = self._waiting.popitem(last=False)
            messages.append(message)
            size += len(message.body)
        return messages

    async def _publish(self, messages: list[_Message]) -> None:
        asked: list[_Message] = []

        def parts() -> Parts | None:
            """With what is wanted still, and the time of the server that is there now."""
            asked[:] = [message for message in messages if not message.done.done()]
            return self._parts(asked) if asked else None

        question = self._commands.ask(parts)
        for message in messages:
            message.question = question
        try:
            places = await question.answer
        except response_error() as error:
            for message in messages:
                _fail(message, f"Redis refuses it: {error}", question.asked > 1)
            return
        if places is None:  # there was nothing left to ask
            return
        for message, place in zip(asked, places, strict=True):
            if not place:
                # What was published before Redis forgot everything looks as if it was not.
                _fail(message, "Redis came too late to it", question.asked > 1)
            elif not message.done.done():
                epoch, number, at = place.split()
                message.done.set_result(Place(epoch.decode(), int(number), int(at)))

    def _parts(self, messages: list[_Message]) -> Parts:
        keys, offset = self._keys, self._commands.offset
        names = [keys.generation, keys.sent(self._writer)]
        arguments: list[str | bytes | int] = [secrets.token_hex(4), *self._history, LIFETIME]
        for message in messages:
            names += keys.room(message.room), keys.history(message.room), keys.channel(message.room)
            arguments += message.sequence, int(message.deadline * 1000 + offset), message.body
        return PUBLISH.parts(names, *arguments)


def _fail(message: _Message, why: str, sent: bool) -> None:
    if not message.done.done():
        message.done.set_exception(Unpublished(why, sent))
