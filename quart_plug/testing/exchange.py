"""One ASGI call to the app, in a task of its own, and every wait for it.

The client puts messages into `inbound`; what the app sends goes to `take`, a function of the connection's.
A wait (`until`) ends when its condition holds, when the app has failed (its exception is raised in the
test), or at the time limit (an error that says what was waited for and what had happened). `finish` leaves
no task behind.

Knows tasks and messages, but neither HTTP nor websockets: how a connection stands is told by its `told`
function.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from ..typing import ASGIApp, Message, Scope
from .errors import (
    ASGIError,
    ClientGone,
    HTTPDisconnectError,
    WaitTimeoutError,
    WebsocketDisconnectError,
    WebsocketResponseError,
)
from .whereabouts import where_suspended

DEFAULT_TIMEOUT = 5.0  # seconds
TIMEOUT_VARIABLE = "QUART_PLUG_TEST_TIMEOUT"
_FRAME = 2  # bytes of a message's frame at least (RFC 6455, 5.2)
LAST_MOMENTS = 1.0  # seconds that a task has for its end, once the client has left or it was cancelled

_LOST_MESSAGES = {
    "websocket.send",
    "http.response.start",
    "http.response.body",
}  # a close or accept is not missed

OUTCOMES = (HTTPDisconnectError, WebsocketDisconnectError, WebsocketResponseError)

def size_of(message: Message) -> int:
    """The bytes of the data that a message carries to the client."""
    data = message.get("text") or message.get("bytes") or message.get("body") or b""
    return len(data.encode("utf-8", "surrogatepass")) if isinstance(data, str) else len(data)


SendAfterClose = Literal["ignore", "raise"]


def default_timeout() -> float | None:
    """The time limit of a wait in seconds: QUART_PLUG_TEST_TIMEOUT or 5. `0` and `none` mean no limit."""
    given = os.environ.get(TIMEOUT_VARIABLE, "").strip().lower()
    if not given:
        return DEFAULT_TIMEOUT
    if given == "none":
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(
            f"{TIMEOUT_VARIABLE}={given!r}: expected seconds, such as 30, or `none` for no limit"
        )
    return seconds or None


class Exchange:
    """Runs the app for one scope.

    take   called with each message that the app sends; raises ASGIError for an illegal one.
    told   says in words what the app has done so far.
    may_be_cancelled  whether CancelledError is no failure of the app's.
    room   bytes that the app may still send to a client that has stopped reading; None for one that reads.
    gone   set by the connection when the client has left: sends are then swallowed, or raise ClientGone.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, take: Callable[[Message], None], told: Callable[[], str]
    ) -> None:
        self.app = app
        self.scope = scope
        self.timeout: float | None = default_timeout()
        self.send_after_close: SendAfterClose = "ignore"
        self.gone = False
        self.room: int | None = None  # bytes that still go to a client that does not read; None: it reads
        self.held = 0  # how many sends wait for it to read
        self.may_be_cancelled = False
        self.ended: Message | None = None  # what `receive` gives for ever, once `inbound` is empty
        self._take = take
        self._told = told
        self._inbound: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._older_tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._fault: ASGIError | None = None
        self._raised: BaseException | None = None
        self._stopped = False

    # The app's side -----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self.app(self.scope, self._receive, self._send)

    async def _receive(self) -> Message:
        while not self._inbound:
            if self.ended is not None:
                await asyncio.sleep(0)  # a loop over `receive` must not stop everything else
                return dict(self.ended)
            await self._changed.wait()
        return self._inbound.popleft()

    async def _send(self, message: Message) -> None:
        if self.room is not None and not self.gone:
            await self._wait_for_room(_FRAME + size_of(message))
        try:
            if not self.gone:
                self._take(message)
            elif self.send_after_close == "raise" and message.get("type") in _LOST_MESSAGES:
                raise ClientGone(f"{message.get('type')}: the client has left")
        except ASGIError as fault:
            self._fault = self._fault or fault
            raise
        finally:
            self._notify()
        await asyncio.sleep(0)  # as a server's `send` may: others get their turn, and an endless stream ends

    async def _wait_for_room(self, size: int) -> None:
        """The client has stopped reading: wait until it goes on, or leaves, unless there is room for this."""
        assert self.room is not None
        self.room -= size
        if self.room < 0:
            self.held += 1
            try:
                while self.room is not None and self.room < 0 and not self.gone:
                    await self._changed.wait()
            finally:
                self.held -= 1

    # The client's side --------------------------------------------------------------------------------------

    @property
    def has_failed(self) -> bool:
        """Whether a failure of the app's has been raised in the test."""
        return self._raised is not None

    @property
    def was_cancelled(self) -> bool:
        """Whether the app has ended with CancelledError, of its own accord: nobody here has cancelled it or left."""
        task = self._task
        return task is not None and task.cancelled() and not self.gone and not self._stopped

    def start(self) -> None:
        """Call the app in a task."""
        self._older_tasks = set(asyncio.all_tasks())
        self._task = asyncio.create_task(self._run(), name=f"app for {self._name()}")
        self._task.add_done_callback(lambda _: self._notify())

    @property
    def unread(self) -> int:
        """How many messages of the client's the app has not taken."""
        return len(self._inbound)

    def read(self, room: int | None) -> None:
        """The client reads (None), or from now on takes so many bytes only."""
        self.room = room
        self._notify()

    def leave(self) -> None:
        """The client is gone: sends that wait for it go on."""
        self.gone = True
        self._notify()

    def put(self, message: Message) -> None:
        """Have the app's next free `receive` return `message`."""
        self._inbound.append(message)
        self._notify()

    def end(self, message: Message) -> None:
        """From now on, after what was put before, `receive` returns this message."""
        if self.ended is None:
            self.ended = message
            self._notify()

    async def until(self, ready: Callable[[], bool], what: str) -> bool:
        """Wait until `ready()`; give False when it cannot come true any more, since the app has returned.

        Raises what the app raised; ASGIError for an illegal message; WaitTimeoutError at the time limit.
        """
        if self._task is None:
            raise RuntimeError("the connection is not open: enter it with `async with` first")
        try:
            async with asyncio.timeout(self.timeout):
                while not ready():
                    self._raise_failure()
                    if self._task.done():
                        return False
                    await self._changed.wait()
        except TimeoutError as error:
            if error is self._raised:  # the app's own
                raise
            raise WaitTimeoutError(self._story(what)) from None
        return True

    async def finish(
        self, what: str, leave: Callable[[], None], error: BaseException | None, grace: float = 0
    ) -> None:
        """Wait for the app's end; raise what it raised, unless that has been raised already.

        grace   seconds that the app may take in addition to the time limit.
        error   what the test raised meanwhile, or None. If there is one, the client leaves, the app gets a
                moment to notice, and nothing of the app's is raised in place of the test's error, unless
                that is one of OUTCOMES: what the app raised is then the cause.
        """
        if self._task is None:
            return
        limit = None if self.timeout is None else self.timeout + grace
        if error is not None:
            limit = LAST_MOMENTS if limit is None else min(limit, LAST_MOMENTS)
            leave()
        await asyncio.wait([self._task], timeout=limit)
        late = None
        if not self._task.done():
            late = WaitTimeoutError(self._story(what))
            leave()
            await self._stop()
        failure = self._failure()
        reason = error or late
        if failure is None or failure is error or failure is self._raised:
            if late is not None and error is None:
                raise late
        elif reason is None or (error is not None and isinstance(error, OUTCOMES)):
            self._raised = failure
            raise failure from error
        else:
            reason.add_note(f"The app failed as well: {type(failure).__name__}: {failure}")
            if error is None:
                raise reason

    async def _stop(self) -> None:
        assert self._task is not None
        self._stopped = True
        self._task.cancel()
        await asyncio.wait([self._task], timeout=LAST_MOMENTS)
        if not self._task.done():
            story = self._story("the app to end: it was cancelled and goes on")
            raise WaitTimeoutError(f"{story} A task is left behind.")

    # What went wrong ----------------------------------------------------------------------------------------

    def _failure(self) -> BaseException | None:
        task = self._task
        assert task is not None
        if task.done() and not task.cancelled():
            error = task.exception()
            # What the test has asked for is no failure.
            if error is not None and not (self.gone and isinstance(error, ClientGone)):
                return error
        if self._fault is None and self.was_cancelled and not self.may_be_cancelled:
            return ASGIError(f"the app's coroutine ended with CancelledError; {self._told()}")
        return self._fault

    def _raise_failure(self) -> None:
        failure = self._failure()
        if failure is not None:
            self._raised = failure
            raise failure

    def _story(self, what: str) -> str:
        task = self._task
        assert task is not None
        story = f"waited {self.timeout:g} s for {what}" if self.timeout else f"waited for {what}"
        story += f"; the app {self._told()}"
        if task.done():
            story += "; it has returned"
        else:
            born_since = [t for t in asyncio.all_tasks() - self._older_tasks if t is not task]
            place = where_suspended(task, born_since)
            story += f"; its view is suspended at {place}" if place else ""
        return f"{story}. (The limit is `timeout`, or the environment variable {TIMEOUT_VARIABLE}.)"

    def _name(self) -> str:
        return f"{self.scope.get('type')} {self.scope.get('path', '')}".rstrip()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
