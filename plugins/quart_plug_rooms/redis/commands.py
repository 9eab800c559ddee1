"""Questions to Redis and its answers, over one connection: many at a time, answered in order.

Whoever asks waits, also for a connection; those whose connection is lost are asked again on the next one, in the order
in which they were asked. So everything that is asked has to be such that it may be done twice.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .link import Link, end, logger
from .scripts import ALL, GREET, Script

if TYPE_CHECKING:
    from redis.asyncio import Connection

__all__ = ["Commands", "Parts", "Question", "response_error"]

_TOGETHER = 256  # questions that are sent in one go


Parts = tuple[str | bytes | int, ...]


class Question:
    """parts   makes the command, each time that it is sent; None when there is nothing left to ask.
    answer  what redis-py makes of it, ResponseError, or None when there was nothing to ask.
    asked   how often it was on its way: when once and not answered, or more than once, nobody knows what it did.
    wanted  whether it is asked again when the connection is lost.
    """

    __slots__ = ("answer", "asked", "parts", "wanted")

    def __init__(self, parts: Callable[[], Parts | None], answer: asyncio.Future[Any]) -> None:
        self.parts, self.answer, self.asked = parts, answer, 0
        self.wanted = True


class Commands:
    """generation  of the server's data, as the last greeting or heartbeat told.
    offset      what has to be added to the loop's time, in ms, for the server's clock.
    """

    def __init__(self, url: str, settings: dict[str, Any], timeout: float, generation_key: str) -> None:
        self.link = Link("messages", url, settings, timeout, greet=self._greet, serve=self._serve, lost=self._take_back)
        self.generation = ""
        self.offset = 0.0
        self._generation_key = generation_key
        self._waiting: OrderedDict[Question, None] = OrderedDict()
        self._asked: deque[Question] = deque()
        self._news = asyncio.Event()

    def script(self, script: Script, keys: Sequence[str], *arguments: str | bytes | int) -> Question:
        parts = script.parts(keys, *arguments)
        return self.ask(lambda: parts)

    def ask(self, parts: Callable[[], Parts | None]) -> Question:
        """Ask, as soon as there is a connection; not any more when its answer has been cancelled until then."""
        question = Question(parts, asyncio.get_running_loop().create_future())
        self._waiting[question] = None
        question.answer.add_done_callback(lambda _: self._waiting.pop(question, None))
        self._news.set()
        return question

    def give_up(self, question: Question) -> None:
        """There is nothing left to ask. One that is on its way is answered, or lost with its connection."""
        question.wanted = False
        if question in self._waiting:
            self._drop(question)

    def _drop(self, question: Question) -> None:
        self._waiting.pop(question, None)
        if not question.answer.done():
            question.answer.set_result(None)

    def learn(self, generation: bytes, time: int) -> bool:
        """Take down what the server told of itself; whether its data are others than before."""
        # The answer was under way for a while: the server's clock is ahead of what this says, never behind.
        self.offset = time - asyncio.get_running_loop().time() * 1000
        before, self.generation = self.generation, generation.decode()
        return before != self.generation

    def now(self) -> float:
        """The server's time, in ms."""
        return asyncio.get_running_loop().time() * 1000 + self.offset

    async def _greet(self, connection: Connection) -> None:
        commands = [("INFO", "server"), *(("SCRIPT", "LOAD", script.source) for script in ALL)]
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        run = b""
        try:
            for line in (await connection.read_response()).splitlines():
                if line.startswith(b"run_id:"):
                    run = line[7:]
        except response_error() as error:
            logger.debug("Redis does not tell its run id (%s): rooms cannot tell a restart by it", error)
        for _ in ALL:
            await connection.read_response()
        await connection.send_command(*GREET.parts([self._generation_key], secrets.token_hex(4), run))
        generation, time = await connection.read_response()
        self.learn(generation, time)

    async def _serve(self, connection: Connection) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write(connection), name="rooms: questions")
            tasks.create_task(self._read(connection), name="rooms: answers")
            tasks.create_task(self._watch(), name="rooms: answers in time")

    async def _write(self, connection: Connection) -> None:
        while True:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
            packed: list[bytes] = []
            while self._waiting and len(packed) < _TOGETHER:
                question, _ = self._waiting.popitem(last=False)
                if question.answer.done():  # whoever asked does not wait any more
                    continue
                try:
                    parts = question.parts()
                    command = connection.pack_command(*parts) if parts is not None else None
                except Exception as error:  # one that cannot be asked keeps no other from being asked
                    question.answer.set_exception(error)
                    continue
                if command is None:
                    question.answer.set_result(None)
                    continue
                question.asked += 1
                self._asked.append(question)
                packed += command
            if packed:
                await connection.send_packed_command(packed, check_health=False)

    async def _read(self, connection: Connection) -> None:
        refusal = response_error()
        while True:
            failure = answer = None
            try:
                answer = await connection.read_response()
            except refusal as error:
                if _passes(error):
                    raise
                failure = error
            self.link.heard = True
            question = self._asked.popleft()
            if question.answer.done():
                continue
            if failure is not None:
                question.answer.set_exception(failure)
            else:
                question.answer.set_result(answer)

    async def _watch(self) -> None:
        """A server that does not answer is given up, and with it the connection."""
        while not await self.link.silent(lambda: self._asked):
            pass
        raise TimeoutError(f"it has not answered for {self.link.timeout:g} seconds")

    def _take_back(self) -> None:
        """After a loss: what was not answered is asked again."""
        while self._asked:
            question = self._asked.pop()
            if question.wanted and not question.answer.done():
                self._waiting[question] = None
                self._waiting.move_to_end(question, last=False)
            else:
                self._drop(question)
        self._news.set()

    def close(self) -> None:
        """Nobody will be answered any more."""
        for question in (*self._asked, *self._waiting):
            end(question.answer)
        self._asked.clear()
        self._waiting.clear()


def response_error() -> type[Exception]:
    from redis.exceptions import ResponseError

    return ResponseError


def _passes(error: BaseException) -> bool:
    """Whether an answer says: not now, or not this server, or it has forgotten the scripts. Then the connection is made
    again, and the question asked again."""
    from redis.exceptions import ClusterDownError, NoScriptError, ReadOnlyError, TryAgainError

    return isinstance(error, (ClusterDownError, NoScriptError, ReadOnlyError, TryAgainError)) or str(error).startswith(
        ("BUSY", "UNKILLABLE")
    )
