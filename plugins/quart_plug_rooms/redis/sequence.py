"""What a process has had of a room, and what it has to do about what it has not: no I/O.

Messages have numbers, given by Redis. As long as each is one more than the last, they are passed on. When one is not,
or the connection was lost, Redis is asked for its position (and the history after ours): a *synchronisation*. With its
answer it also puts a *mark* into our stream, so it is known which messages came before the position and which after.
What history holds is passed on in its order; what it does not hold is told as `Missing`.

The *epoch* is another one when the room's numbers are not those that we knew: Redis was started again, or has lost the
room. Then nobody can tell what is missing. A message of a writer that was already passed on is not passed on again,
whatever its number: who lost the answer sends again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from .wire import Published

__all__ = ["Feed", "Missing", "Position", "Resync", "Step"]


class Position(NamedTuple):
    epoch: str
    number: int  # of the room's last message; 0 before the first


class Missing(NamedTuple):
    """Messages are missing here: those after `after`, which was the last, and before `until`; where that is None nobody
    knows how many, and it may be none at all."""

    after: Position
    until: int | None


class Resync(NamedTuple):
    """The caller has to ask Redis for its position, and to call `begin`."""


Step = Published | Missing | Resync

HELD: Final = 10_000  # messages kept while an answer is awaited; of more than that the oldest are a gap
SENDERS: Final = 256  # processes whose last message is remembered


class Feed:
    """One room's messages for one process; of a room that is new to it, those from the first synchronisation on.

    position  where the process is; None before the first synchronisation.
    live      whether messages are passed on as they come.
    """

    __slots__ = ("_after", "_before", "_limit", "_marked", "_nonce", "_reply", "_sent", "live", "position")

    def __init__(self, limit: int = HELD) -> None:
        self.position: Position | None = None
        self.live = False
        self._limit = limit
        self._sent: dict[str, int] = {}
        self._clear()

    def _clear(self) -> None:
        self._nonce: str | None = None
        self._marked = False
        self._reply: tuple[Position, Sequence[Published]] | None = None
        self._before: deque[Published] = deque(maxlen=self._limit)
        self._after: deque[Published] = deque(maxlen=self._limit)

    def lost(self) -> None:
        """The stream has ended: nothing comes until it is there again and `begin` was called."""
        self.live = False
        self._clear()

    def begin(self, nonce: str) -> Position | None:
        """A synchronisation begins, whose mark has this nonce. Returns the position that it has to begin after.

        One that was under way is forgotten, and what is held stays held.
        """
        self.live = False
        self._nonce, self._marked, self._reply = nonce, False, None
        self._before.extend(self._after)
        self._after.clear()
        return self.position

    def message(self, message: Published) -> Sequence[Step]:
        """A message has come by the stream."""
        if self.live:
            epoch, number = self.position  # type: ignore[misc]  # live has a position
            if message.number == number + 1 and message.epoch == epoch:
                return self._passed(message)
            self.live = False
            self._before.append(message)
            return (Resync(),)
        (self._after if self._marked else self._before).append(message)
        return ()

    def mark(self, nonce: str) -> Sequence[Step]:
        """The mark of a synchronisation has come by the stream."""
        if nonce != self._nonce:
            return ()
        self._marked = True
        return self._finish()

    def reply(self, nonce: str, position: Position, history: Sequence[Published]) -> Sequence[Step]:
        """The answer of a synchronisation: where Redis is, and the last messages until there, in order."""
        if nonce != self._nonce:
            return ()
        self._reply = position, history
        return self._finish()

    def _finish(self) -> Sequence[Step]:
        if self._reply is None or not self._marked:
            return ()
        (target, history), before, after = self._reply, self._before, self._after
        self._clear()
        self.live = True
        steps: list[Step] = []
        if self.position is None:
            self.position = target  # what was before is not for who comes now
        else:
            steps += self._catch_up(self.position, target, history, before)
        while after and self.live:
            steps += self.message(after.popleft())
        self._before.extend(after)
        return steps

    def _catch_up(
        self, position: Position, target: Position, history: Sequence[Published], held: Iterable[Published]
    ) -> Iterator[Step]:
        if target.epoch == position.epoch and target.number < position.number:
            # The numbers have gone back, and nobody said so: another server took the place of the one that we knew.
            held = [message for message in held if message.epoch == target.epoch and message.number <= target.number]
            before, position = position, Position(target.epoch, held[0].number - 1 if held else target.number)
            self.position = position
            yield Missing(before, None)
        for message in _merged(position, target, history, held):
            yield from self._advance(message)
        yield from self._move(target)

    def _move(self, target: Position) -> Iterator[Missing]:
        """To a position that nothing leads to; what lies between is missing."""
        assert self.position is not None
        if target.epoch != self.position.epoch:
            yield Missing(self.position, None)
        elif target.number > self.position.number:
            yield Missing(self.position, target.number + 1)
        self.position = target

    def _advance(self, message: Published) -> Iterator[Step]:
        assert self.position is not None
        if message.epoch == self.position.epoch and message.number <= self.position.number:
            return
        if message.epoch != self.position.epoch or message.number != self.position.number + 1:
            yield from self._move(Position(message.epoch, message.number - 1))
        yield from self._passed(message)

    def _passed(self, message: Published) -> Sequence[Step]:
        self.position = Position(message.epoch, message.number)
        if self._sent.get(message.writer, 0) >= message.sequence:
            return ()
        self._sent[message.writer] = message.sequence
        if len(self._sent) > SENDERS:
            del self._sent[next(iter(self._sent))]
        return (message,)


def _merged(
    position: Position, target: Position, history: Sequence[Published], held: Iterable[Published]
) -> list[Published]:
    """What is not before the position, of the history and of what was held, in the room's order and each once."""
    held = list(held)
    known = [index for index, message in enumerate(history) if message.epoch == position.epoch]
    if known:
        history = history[known[0] :]
    else:  # of what is neither of our epoch nor of the newest, nobody knows whether it was before
        history = [message for message in history if message.epoch == target.epoch]
    # An epoch never comes back: ours is the first, and that of the target the last.
    order = dict.fromkeys([position.epoch, *(message.epoch for message in (*held, *history))])
    order.pop(target.epoch, None)
    rank = {epoch: index for index, epoch in enumerate([*order, target.epoch])}
    found = {(rank[message.epoch], message.number): message for message in (*held, *history)}
    return [found[place] for place in sorted(found)]
