"""Who is where, over all processes.

Each process writes its own members, and says every few seconds that it is alive; of one that has not for too long
nothing is shown any more, and another process clears away what it left. Redis may lose it all: after each loss of the
connection, and whenever the server does not know the process, everything is written again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final

from .commands import Commands, Question, response_error
from .keys import Keys
from .link import end, explained, logger
from .publishing import LIFETIME
from .scripts import BEAT, CHANGE, COUNTS, LEAVE, PRESENCE

__all__ = ["Presence"]

TOGETHER: Final = 500  # members of one command
TOUCH: Final = LIFETIME / 4 / 1000  # seconds until the life of what is there is made longer


class Presence:
    """process  the id of this process.
    expiry   seconds after which a process that says nothing is gone.
    """

    def __init__(self, commands: Commands, keys: Keys, process: str, expiry: float) -> None:
        self._commands, self._keys, self._process, self._expiry = commands, keys, process, expiry
        self._members: dict[str, dict[str, bytes]] = {}
        self._changes: dict[str, dict[str, bytes]] = {}  # b"" for one that has left
        self._new: set[tuple[str, str]] = set()  # members of whom nothing was under way yet when they came
        self._all: set[str] = set()  # rooms that are written whole
        self._written: asyncio.Future[None] | None = None  # of the changes that are gathered now
        self._writing: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._beat(), name="rooms: heartbeat")

    async def stop(self, wait: float) -> None:
        """Take the process out of Redis, if that can be done within `wait` seconds."""
        for task in (self._beating, self._writing):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if not self._commands.link.up:
            return
        question = self._commands.script(LEAVE, [], self._keys.prefix, self._process)
        try:
            await asyncio.wait_for(question.answer, wait)
        except (TimeoutError, response_error()) as error:
            logger.warning("Redis shows who was in this process for %g s more: %s", self._expiry, explained(error))

    # What this process has

    async def join(self, room: str, member: str, value: bytes) -> None:
        """Returns when everybody can see it; raises what Redis says if it does not take it. Waits without limit."""
        members = self._members.setdefault(room, {})
        if member not in members and member not in self._changes.get(room, {}):
            self._new.add((room, member))
        members[member] = value
        await asyncio.shield(self._change(room, member, value))

    def leave(self, room: str, member: str) -> asyncio.Future[None] | None:
        """What is returned is done when nobody sees it any more; None when nobody ever did."""
        members = self._members.get(room)
        if members is None or members.pop(member, None) is None:
            return None
        if not members:
            del self._members[room]
        if (room, member) in self._new:  # Redis was never told: keep nothing of it, however long that is away
            self._new.discard((room, member))
            del self._changes[room][member]
            if not self._changes[room]:
                del self._changes[room]
            return None
        return self._change(room, member, b"")

    def _change(self, room: str, member: str, value: bytes) -> asyncio.Future[None]:
        self._changes.setdefault(room, {})[member] = value
        return self._write_soon()

    def _write_soon(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if self._written is None:
            self._written = loop.create_future()
        if self._writing is None or self._writing.done():  # done, where tasks begin at once
            self._writing = loop.create_task(self._write(), name="rooms: presence")
        return self._written

    async def _write(self) -> None:
        written: asyncio.Future[None] | None = None
        try:
            while self._written is not None:
                written, self._written = self._written, None
                changes, self._changes = self._changes, {}
                self._new.clear()
                whole, self._all = self._all, set()
                questions = [question for room in whole for question in self._questions(room, self._now(room), True)]
                for room, members in changes.items():
                    if room not in whole:
                        questions += self._questions(room, members, False)
                answers = await asyncio.gather(*(question.answer for question in questions), return_exceptions=True)
                errors = [answer for answer in answers if isinstance(answer, response_error())]
                if errors:
                    logger.error("Redis does not take who is in rooms: %s", errors[0])
                    written.set_exception(errors[0])
                    written.exception()  # nobody may be waiting
                else:
                    written.set_result(None)
        finally:
            self._writing = None
            for future in (written, self._written):
                if future is not None:
                    end(future)

    def _now(self, room: str) -> Mapping[str, bytes]:
        return dict(self._members.get(room, {}))

    def _questions(self, room: str, members: Mapping[str, bytes], whole: bool) -> list[Question]:
        keys = [self._keys.here(self._process, room), self._keys.at(room), self._keys.rooms(self._process)]
        pairs = list(members.items())
        return [
            self._commands.script(
                CHANGE,
                keys,
                self._process,
                room,
                LIFETIME,
                1 if whole and start == 0 else 0,
                *(part for pair in pairs[start : start + TOGETHER] for part in pair),
            )
            for start in range(0, max(1, len(pairs)), TOGETHER)
        ]

    # That it is alive

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        touched = loop.time()
        link, seen = self._commands.link, -1
        while True:
            try:
                generation, time, known, rooms = await self._say().answer
                changed = self._commands.learn(generation, time)
                if changed or not known or link.losses != seen:
                    self._all.update(self._members, (room.decode() for room in rooms))
                    self._write_soon()
                    seen = link.losses
                if loop.time() - touched > TOUCH:
                    touched = loop.time()
                    await self._touch()
            except Exception as error:  # whatever it is: without the next beat everybody here would be gone
                expected = isinstance(error, response_error())
                told = None if expected else error
                logger.error("Redis does not take that this process is alive: %s", explained(error), exc_info=told)
                await asyncio.sleep(self._expiry / 3)
            else:
                await link.wait_for_loss(link.losses, self._expiry / 3)

    def _say(self) -> Question:
        return self._commands.script(
            BEAT,
            [self._keys.processes, self._keys.generation],
            self._keys.prefix,
            self._process,
            int(self._expiry * 1000),
            secrets.token_hex(4),
        )

    async def _touch(self) -> None:
        """Nothing of a room ends as long as somebody is there."""
        for room in list(self._members):
            names = (self._keys.room, self._keys.at)
            keys = [*(name(room) for name in names), self._keys.here(self._process, room)]
            questions = [
                self._commands.ask(lambda key=key: ("PEXPIRE", key, LIFETIME))  # type: ignore[misc]  # key is bound
                for key in (*keys, self._keys.rooms(self._process))
            ]
            for question in questions:
                await asyncio.wait([question.answer])

    # What all have

    async def members(self, room: str) -> list[bytes]:
        """Of all processes that are alive. Waits without limit."""
        answer: list[bytes] = await self._commands.script(
            PRESENCE, [self._keys.processes, self._keys.at(room)], self._keys.prefix, room
        ).answer
        return answer

    async def counts(self) -> dict[str, dict[str, int]]:
        """Of each process that is alive, the rooms where it has members, and how many."""
        answer = await self._commands.script(COUNTS, [self._keys.processes], self._keys.prefix).answer
        return {
            process.decode(): {room.decode(): int(count) for room, count in zip(counts[::2], counts[1::2], strict=True)}
            for process, counts in zip(answer[::2], answer[1::2], strict=True)
        }
