"""A room as one process sees it: who in this process gets what is said there, and in what order.

A message is given to many members a part at a time, with a turn of the event loop between the parts. Who is to get it
is settled when it comes, so that who joins meanwhile gets it once (from the history) and who leaves no longer gets it;
what comes meanwhile waits in line, so that the order is the same for everybody.

Must not know: backends, hooks, applications.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from quart_plug.wrappers.outbox import Outbox, put_all

from .backend import Message

PART = 250  # members, between two turns of the loop


class Receiver(Protocol):
    """Who gets what is said in a room: a membership by its outbox, a subscription (None there) by `take`.

    id      of the connection or subscription.
    held    what came while the receiver was catching up with the room's history; None: it has caught up.
    after   the message up to which it has what was said, if it has caught up further than the room: epoch and number.
    """

    id: str
    held: list[Message] | None
    after: tuple[str, int]

    @property
    def outbox(self) -> Outbox | None: ...

    def take(self, message: Message) -> None: ...


class _Delivery:
    """A message on its way to the members that were there when it came."""

    __slots__ = ("done", "message", "number", "outboxes", "position")

    def __init__(self, message: Message, outboxes: list[Outbox], number: int) -> None:
        self.message = message
        self.outboxes = outboxes
        self.position = 0
        self.number = number
        self.done: asyncio.Future[None] | None = None


class LocalRoom:
    """A room with receivers in this process.

    failed    called with an error that nobody expected.
    lock      for who attaches or detaches the room at the backend.
    attached  whether the backend delivers.
    expected  how many have joined or are about to.
    """

    def __init__(self, name: str, failed: Callable[[BaseException], None]) -> None:
        self.name = name
        self.failed = failed
        self.lock = asyncio.Lock()
        self.attached = False
        self.expected = 0
        self.receivers: dict[str, Receiver] = {}
        self.newcomers: dict[str, Receiver] = {}
        self._latest = ("", 0)  # the epoch and number of the message that was delivered last
        self._outboxes: list[Outbox] | None = None  # of the receivers; None: has to be made again
        self._takers: list[Receiver] = []
        self._served = 0  # outboxes, since the loop had its turn
        self._line: deque[_Delivery] = deque()
        self._number = 0  # of deliveries, as seen from here
        self._left: dict[Outbox, int] = {}  # who left while deliveries were under way, and during which
        self._spreading: asyncio.Task[None] | None = None

    # Coming and going ---------------------------------------------------------------------------------------

    def expect(self, receiver: Receiver) -> None:
        """Somebody is about to join: hold what is said from now on."""
        receiver.held = []
        self.newcomers[receiver.id] = receiver

    def arrive(self, receiver: Receiver, history: list[Message]) -> None:
        """Somebody has what he asked for of the history: give it to him, then what was held, then what comes."""
        held, receiver.held = receiver.held or [], None
        for message in history:
            receiver.take(message)
        if history:
            receiver.after = history[-1].epoch, history[-1].number
        for message in held:
            if not _knows(receiver, message):
                if receiver.id not in message.exclude:
                    receiver.take(message)
                receiver.after = message.epoch, message.number
        epoch, number = receiver.after
        if not epoch or (epoch == self._latest[0] and number <= self._latest[1]):
            self._admit(receiver)
        # Else the history is ahead of the backend's deliveries: what was in it may be delivered yet.

    def _admit(self, receiver: Receiver) -> None:
        self.newcomers.pop(receiver.id, None)
        self.receivers[receiver.id] = receiver
        self._outboxes = None

    def remove(self, receiver: Receiver) -> None:
        """Somebody has left, or did not come after all: he gets nothing more."""
        self.newcomers.pop(receiver.id, None)
        if self.receivers.get(receiver.id) is receiver:
            del self.receivers[receiver.id]
            self._outboxes = None
            if self._line and receiver.outbox is not None:
                self._left[receiver.outbox] = self._number

    # Delivering ---------------------------------------------------------------------------------------------

    async def deliver(self, message: Message, *, is_notice: bool = False) -> None:
        """Give a message to everybody who is here. Suspends only when they are many, or others are being served.

        is_notice  whether it is no message of the room, but word of those that are missing. Who is still catching up
                   has been given the history, and learns nothing by it.
        """
        if not is_notice:
            for newcomer in [*self.newcomers.values()] if self.newcomers else ():
                if newcomer.held is not None:
                    newcomer.held.append(message)
                elif not _knows(newcomer, message):
                    self._admit(newcomer)
            self._latest = message.epoch, message.number
        delivery = self._delivery(message)
        for taker in self._takers:
            if taker.id not in message.exclude:
                taker.take(message)
        if not self._line:
            self._serve(delivery)
            if delivery.position >= len(delivery.outboxes):
                self._served += len(delivery.outboxes)
                if self._served >= PART:  # by several messages
                    self._served = 0
                    await asyncio.sleep(0)
                return
        delivery.done = asyncio.get_running_loop().create_future()
        self._line.append(delivery)
        if self._spreading is None or self._spreading.done():
            self._spreading = asyncio.get_running_loop().create_task(self._spread(), name="quart_plug_rooms.spread")
        await delivery.done

    def _delivery(self, message: Message) -> _Delivery:
        self._number += 1
        outboxes = self._outboxes
        if outboxes is None:
            everybody = list(self.receivers.values())
            self._outboxes = outboxes = [each.outbox for each in everybody if each.outbox is not None]
            self._takers = [each for each in everybody if each.outbox is None]
        if message.exclude:
            named = (self.receivers.get(name) for name in message.exclude)
            excluded = {each.outbox for each in named if each is not None}
            if excluded:
                outboxes = [outbox for outbox in outboxes if outbox not in excluded]
        return _Delivery(message, outboxes, self._number)

    def _serve(self, delivery: _Delivery) -> None:
        """Give a message to the next part of those who are to get it."""
        begin, message = delivery.position, delivery.message
        outboxes = delivery.outboxes
        if begin or len(outboxes) > PART:
            outboxes = outboxes[begin : begin + PART]
        delivery.position += PART
        if self._left:
            outboxes = [each for each in outboxes if self._left.get(each, 0) < delivery.number]
        if outboxes:
            put_all(outboxes, message.data, message.is_json)

    async def _spread(self) -> None:
        try:
            while self._line:
                delivery = self._line[0]
                while delivery.position < len(delivery.outboxes):
                    await asyncio.sleep(0)
                    try:
                        self._serve(delivery)
                    except Exception as error:
                        self.failed(error)
                self._line.popleft()
                _finish(delivery)
        finally:
            self._left.clear()
            while self._line:  # cancelled: the loop ends
                _finish(self._line.popleft())


def _finish(delivery: _Delivery) -> None:
    if delivery.done is not None and not delivery.done.done():
        delivery.done.set_result(None)


def _knows(receiver: Receiver, message: Message) -> bool:
    """Whether a receiver has had a message, from the history."""
    epoch, number = receiver.after
    return epoch == message.epoch and message.number <= number
