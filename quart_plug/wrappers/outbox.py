"""The outbox of a websocket: messages from others than its view, which must not wait for its peer.

`put` never waits and never fails for the peer's sake. The first step of the server's `send` is made in place: a peer
that keeps up has its message with that, and costs no task. A send that suspends is gone on with in a task of the
outbox's, which then empties what has gathered meanwhile, in order. What gathers has bounds, and a policy for what is
beyond them.

Code around `send` (a middleware with `asyncio.timeout`, a context variable that is set and reset) may remember the task
and the context in which its first step was made. So the first steps are made in the name and in the context of a task
that has not begun yet, and it is this task that goes on with a send that suspends; see `_Carrier`. It is made for many
sends, and ends at once when none of them needed it.

With hooks for messages, a codec, or a heartbeat's pace a message takes the whole way (`_send_data`), in a task.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final

from ..content_types import BinaryMessages
from ..exceptions import ConnectionClosed
from .body import Resumed
from .socket import ACCEPTED, CLOSED
from .waiting import Policy, TooMuch, Waiting, size_of

if TYPE_CHECKING:
    from .websocket import Websocket

Data = str | bytes
TOO_SLOW: Final = "messages are not read fast enough"


class Outbox(Waiting[Data]):
    """What waits to be sent to one websocket. Reached as `websocket.outbox()`; each has one.

    messages       how many may wait, beside the one that is being sent.
    bytes          how many bytes they may have; one message alone may have more.
    policy         what happens to a message that is too much: "drop_oldest" lets those go that have waited longest,
                   "drop_newest" lets it go, "disconnect" closes the websocket with 1013.
    sent           how many were given to the server.
    dropped        how many were let go, those among them that waited when the websocket ended.
    waiting        how many wait.
    waiting_bytes  the bytes of those that wait.

    ValueError for bounds below 1, or another policy.
    """

    __slots__ = (
        *("_begun", "_busy", "_context", "_ended", "_overflowed_at", "_send", "_task", "_to_tell"),
        *("sent", "websocket"),
    )

    def __init__(
        self, websocket: Websocket, messages: int | None = None, bytes: int | None = None, policy: Policy | None = None
    ) -> None:
        super().__init__(messages, bytes, policy)
        self.websocket = websocket
        self.sent = 0
        self._send: Callable[..., Any] | None = websocket._link.send if websocket._short else None
        self._context: Context = copy_context()
        self._busy = False  # whether a send is under way, or about to be
        self._begun = False  # whether the task has begun
        self._ended = False
        self._task: asyncio.Task[None] | None = None
        self._overflowed_at: int | None = None  # what `dropped` was when it overflowed; None: it has not
        self._to_tell: dict[Callable[[], object], None] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and nothing is being sent."""
        return not self._busy

    def __repr__(self) -> str:
        return f"<Outbox of {self.websocket!r}: {self.sent} sent, {self.waiting} waiting, {self.dropped} dropped>"

    def put(self, data: Data) -> bool:
        """Send a str as a text message, or bytes as a binary one, now or when its turn comes.

        Whether it was taken: False when the policy let it go, and when the websocket is not (or no longer) accepted.
        Never waits, and raises only TypeError, for anything else than a str or bytes. In the websocket's event loop.
        """
        return put_all((self,), data) == 1

    def opened(self, send: Callable[..., Any] | None) -> None:
        """The websocket's short way has been opened, to the server's `send`, or closed (None).

        Kept here, so that a broadcast to thousands touches the outboxes alone, and not all that belongs to them.
        """
        self._send = send

    def _wait_in_line(self, data: Data) -> bool:
        """Take a message that cannot be sent at once."""
        websocket = self.websocket
        if websocket._socket.state is not ACCEPTED or websocket._over:
            return False
        try:
            if not self.add(data, size_of(data)):
                return False
        except TooMuch:
            websocket._shut(1013, TOO_SLOW)
            self.end()
            return False
        if not self._busy:
            self._busy = True
            self._begun = False
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._run(None), name="quart_plug.outbox", context=self._context)
            if self._busy:  # else it was an eager task, and is done
                self._task = task
        return True

    def _overflows(self) -> None:
        """Say once that messages go; how many is told when it is over."""
        if self._overflowed_at is None:
            self._overflowed_at = self.dropped
            websocket = self.websocket
            websocket._link.app.logger.warning(
                "The peer of websocket %s (%s) does not keep up: %d messages (%d bytes) wait in its outbox, policy %s",
                websocket.path, websocket._name(), self.waiting, self.waiting_bytes, self.policy,
            )  # fmt: skip

    def _recovered(self) -> None:
        if self._overflowed_at is not None:
            websocket = self.websocket
            websocket._link.app.logger.warning(
                "%d messages for websocket %s (%s) were dropped", self.dropped - self._overflowed_at, websocket.path,
                websocket._name(),
            )  # fmt: skip
            self._overflowed_at = None

    async def _run(self, first: Awaitable[None] | None) -> None:
        """Send what waits. `first` is the rest of a send whose first step was made."""
        websocket = self.websocket
        task = asyncio.current_task()
        assert task is not None
        self._begun = True
        try:
            if first is not None:
                try:
                    await websocket._hand_over(first, task)
                except BaseException as error:
                    self.dropped += 1
                    await websocket._send_failed(error, task)
                    self.dropped -= 1
                websocket._sent += 1
                self._count_sent()
            while self._queue and websocket._socket.state is ACCEPTED:
                data = self.take()
                try:
                    await websocket._send_data(data)
                except BaseException:
                    self.dropped += 1
                    raise
                self._count_sent()
        except ConnectionClosed:
            pass
        except asyncio.CancelledError:  # by `end`, or in place of ConnectionClosed where views are cancelled
            if task.cancelling():
                raise
        except Exception:
            websocket._link.app.logger.exception(
                "A message for websocket %s (%s) could not be sent", websocket.path, websocket._name()
            )
            websocket._shut(1011, "")
        finally:
            self._busy = False
            self._task = None
            self._settle()

    def _count_sent(self) -> None:
        """Count a send that returned: where views are cancelled (mode `cancel`), it does so when the peer has left."""
        if self.websocket._socket.state is CLOSED:
            self.dropped += 1
        else:
            self.sent += 1

    def _settle(self) -> None:
        """Nothing is under way, and nothing is to wait any more: everything was sent, or the websocket has ended."""
        self.drop()
        self._recovered()
        if self._ended:
            while self._to_tell:
                self._to_tell.popitem()[0]()

    def when_ended(self, tell: Callable[[], object]) -> None:
        """Call `tell()` when the websocket has ended and nothing of it waits any more; at once if that is so."""
        if self._ended and not self._busy:
            tell()
        else:
            self._to_tell[tell] = None

    def forget(self, tell: Callable[[], object]) -> None:
        """Take `when_ended(tell)` back."""
        self._to_tell.pop(tell, None)

    def end(self) -> None:
        """The websocket has ended: what waits is dropped."""
        self._ended = True
        self.drop()
        if not self._busy:
            self._settle()
        elif self._task is not None and self._begun and self._task is not asyncio.current_task():
            self._task.cancel()  # one that has not begun finds that the websocket has ended


class _Failed:
    """Awaited, it raises what the first step of a send has raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    def __await__(self) -> Generator[Any, Any, None]:
        if self.error is not None:
            raise self.error
        yield


class _Carrier:
    """A task that has not begun, in whose name and context first steps are made.

    The loop begins it with its next turn, before anything that those first steps may have scheduled (a time-out's end).
    It goes on with the send that suspended, and with the outbox that this was for; or ends when there was none.
    """

    __slots__ = ("begun", "context", "loop", "owner", "task", "work")

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: asyncio.Task[Any] | None) -> None:
        self.loop = loop
        self.owner = owner
        self.context = copy_context()
        self.begun = False
        self.work: tuple[Outbox, Awaitable[None]] | None = None
        self.task = asyncio.Task(self._carry(), loop=loop, name="quart_plug.outbox", context=self.context)

    async def _carry(self) -> None:
        self.begun = True
        if _latest.carrier is self:
            _latest.carrier = None
        if self.work is not None:
            outbox, first = self.work
            await outbox._run(first)


class _Latest(threading.local):
    carrier: _Carrier | None = None


_latest = _Latest()


def _carrier(loop: asyncio.AbstractEventLoop, owner: asyncio.Task[Any] | None) -> _Carrier:
    """A carrier for first steps made by a task: the latest, if that is free, and is this task's."""
    carrier = _latest.carrier
    if (
        carrier is None
        or carrier.begun
        or carrier.work is not None
        or carrier.owner is not owner
        or carrier.loop is not loop
        or carrier.task.cancelling()
    ):
        carrier = _latest.carrier = _Carrier(loop, owner)
    return carrier


def put_all(outboxes: Sequence[Outbox], data: Data, is_json: bool = False) -> int:
    """`put` the same message into each of many outboxes, for less; how many took it.

    is_json  `data` is JSON: whoever speaks a subprotocol with a codec of its own gets it in that.
    """
    if isinstance(data, str):
        key = "text"
    elif isinstance(data, bytes):
        key = "bytes"
    else:
        raise TypeError(f"an outbox takes str or bytes, not {type(data).__name__}")
    loop = asyncio.get_running_loop()
    current = asyncio.current_task(loop)
    later: list[Outbox] = []
    done, count = 0, len(outboxes)
    while done < count:
        carrier = _carrier(loop, current)
        if current is not None:
            _leave_task(loop, current)
        _enter_task(loop, carrier.task)
        try:
            done, work = carrier.context.run(_first_steps, outboxes, done, key, data, later)
        finally:
            _leave_task(loop, carrier.task)
            if current is not None:
                _enter_task(loop, current)
        if work is not None:
            outbox = work[0]
            outbox._busy, outbox._begun, outbox._task = True, False, carrier.task
            carrier.work = work
    if not later:
        return count
    taken = count - len(later)
    encoded: dict[Any, Data] = {}
    for outbox in later:
        provider = outbox.websocket._json
        if is_json and type(provider) is BinaryMessages:
            if provider.codec not in encoded:
                encoded[provider.codec] = provider.dumps(outbox.websocket._link.app.json.loads(data))
            taken += outbox._wait_in_line(encoded[provider.codec])
        else:
            taken += outbox._wait_in_line(data)
    return taken


def _first_steps(
    outboxes: Sequence[Outbox], begin: int, key: str, data: Data, later: list[Outbox]
) -> tuple[int, tuple[Outbox, Awaitable[None]] | None]:
    """Make the first step of the server's `send` for each outbox from `begin` on that has nothing else under way.

    The index after the last one, and what is left to do for that: the rest of a send that suspended, or failed.
    """
    for index in range(begin, len(outboxes)):
        outbox = outboxes[index]
        send = outbox._send
        if send is None or outbox._busy:
            later.append(outbox)
            continue
        try:
            steps = send({"type": "websocket.send", key: data}).__await__()
            for future in steps:
                return index + 1, (outbox, Resumed(steps, future))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            return index + 1, (outbox, _Failed(error))
        outbox.sent += 1
    return len(outboxes), None
