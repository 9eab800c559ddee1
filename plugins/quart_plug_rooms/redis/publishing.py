"""Messages on their way to Redis: in the order of `publish`, each once.

One call of a script is under way at a time, with all messages that have come meanwhile. Its answer may be lost with
the connection; then it is asked again, and Redis knows what it has published by each message's sequence. A message
whose time is over is not published any more, by Redis's own clock: who was told that it failed can rely on that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from typing import Final

from .commands import Commands, Parts, Question, response_error
from .keys import Keys
from .scripts import PUBLISH
from .wire import body

__all__ = ["Publisher", "Unpublished"]

TOGETHER: Final = 128  # messages of one call
TOGETHER_BYTES: Final = 1 << 20
LIFETIME: Final = 24 * 3600 * 1000  # ms that a room's counter is kept without a message and without anybody there
GRACE: Final = 0.5  # seconds that the answer to a message that is under way may come after its time


class Unpublished(Exception):
    """sent  whether it was on its way: then it is not known what became of it."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class _Message:
    __slots__ = ("body", "deadline", "done", "question", "room", "sequence")

    def __init__(self, room: str, sequence: int, body: bytes, deadline: float, done: asyncio.Future[int]) -> None:
        self.room, self.sequence, self.body, self.deadline, self.done = room, sequence, body, deadline, done
        self.question: Question | None = None  # with which it is, or was, on its way

    @property
    def sent(self) -> bool:
        return self.question is not None and self.question.asked


class Publisher:
    """sender   the id of this process.
    history  messages that Redis keeps for each room.
    kept     ms for which it keeps them after the last.
    """

    def __init__(self, commands: Commands, keys: Keys, sender: str, history: int, kept: int) -> None:
        self._commands, self._keys, self._sender = commands, keys, sender
        self._history, self._kept = history, kept
        self._sequence = 0
        self._waiting: deque[_Message] = deque()
        self._task: asyncio.Task[None] | None = None

    async def publish(self, room: str, data: str | bytes, exclude: Sequence[str], wait: float) -> int:
        """Returns the message's number in the room, or 0 when it was published and the number was lost.

        Raises Unpublished when that was not done within `wait` seconds.
        """
        loop = asyncio.get_running_loop()
        sequence = self._sequence + 1
        raw = body(self._sender, sequence, data, exclude)
        self._sequence = sequence
        message = _Message(room, sequence, raw, loop.time() + wait, loop.create_future())
        self._waiting.append(message)
        if self._task is None:
            self._task = loop.create_task(self._work(), name="rooms: publishing")
        timer = loop.call_at(message.deadline, self._late, message)
        try:
            return await message.done
        finally:
            timer.cancel()
            message.done.cancel()  # who does not wait any more does not send any more

    def _late(self, message: _Message, *, final: bool = False) -> None:
        if message.sent and not final:
            asyncio.get_running_loop().call_later(GRACE, lambda: self._late(message, final=True))
        else:
            _fail(message, "Redis did not answer in time", message.sent)

    async def stop(self) -> None:
        """What is under way is left to its fate."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self) -> None:
        messages: list[_Message] = []
        try:
            while self._waiting:
                messages = self._next()
                await self._publish(messages)
        finally:
            self._task = None
            for message in (*messages, *self._waiting):
                _fail(message, "the app has stopped", message.sent)
            self._waiting.clear()

    def _next(self) -> list[_Message]:
        messages: list[_Message] = []
        size = 0
        while self._waiting and len(messages) < TOGETHER and size < TOGETHER_BYTES:
            message = self._waiting.popleft()
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
            numbers = await question.answer
        except response_error() as error:
            for message in messages:
                _fail(message, f"Redis refuses it: {error}", False)
            return
        now = asyncio.get_running_loop().time()
        for message, number in zip(asked, numbers or (), strict=True):
            if number < 0:
                _fail(message, "Redis came too late to it", False)
            elif number == 0 and now > message.deadline:  # what came too late the first time looks like this, too
                _fail(message, "Redis did not answer in time", True)
            elif not message.done.done():
                message.done.set_result(number)

    def _parts(self, messages: list[_Message]) -> Parts:
        keys, offset = self._keys, self._commands.offset
        names = [keys.generation, keys.sent(self._sender)]
        arguments: list[str | bytes | int] = [secrets.token_hex(4), self._history, self._kept, LIFETIME]
        for message in messages:
            names += keys.room(message.room), keys.history(message.room), keys.channel(message.room)
            arguments += message.sequence, int(message.deadline * 1000 + offset), message.body
        return PUBLISH.parts(names, *arguments)


def _fail(message: _Message, why: str, sent: bool) -> None:
    if not message.done.done():
        message.done.set_exception(Unpublished(why, sent))
