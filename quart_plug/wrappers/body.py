"""The body of a request: `http.request` messages in, bytes out, within limits of size and time.

A body that has an inbox pulls: it asks for the next message only when somebody reads, so that a client is
held back by TCP and a stream needs no more memory than one message. Without an inbox it is pushed to
(`append`, `put`), as Quart's is. The limits are the same however it is read: no byte beyond them is handed
out.

Knows nothing of forms, JSON or contexts; an inbox is anything with `async next() -> message`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from types import coroutine
from typing import Any, Protocol

from ..exceptions import ClientDisconnected, RequestEntityTooLarge, RequestTimeout
from ..typing import Message


class Source(Protocol):
    """Where a pulling body gets its messages."""

    async def next(self) -> Message: ...


class _Done:
    """What `put` and `disconnect` return: they are done at once, and may be awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


_DONE = _Done()


class _Complete:
    """What Quart's bodies tell with an `asyncio.Event` of this private name, which applications look at."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        self._body = body

    def is_set(self) -> bool:
        return self._body._ended


class Resumed:
    """Goes on with a coroutine whose first step was made by hand, in the same task.

    It may be another awaitable's iterator, which has `__next__` alone, as those of servers in other languages do.
    """

    __slots__ = ("awaited", "steps")

    def __init__(self, steps: Iterator[Any], awaited: Any) -> None:
        self.steps = steps
        self.awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        steps, awaited = self.steps, self.awaited
        while True:
            try:
                yield awaited
            except BaseException as error:
                throw = getattr(steps, "throw", None)
                if throw is None:
                    raise
                try:
                    awaited = throw(error)
                except StopIteration:
                    return
            else:
                break
        yield from steps


class Body:
    """The bytes of a request: `await body` for all of them, `async for chunk in body` to stream.

    Awaited again, it gives the same bytes. What was iterated over is gone: after that there is nothing to
    await or to iterate over, and memory holds one chunk at a time.

    expected_content_length  what Content-Length announces, in bytes, or None.
    max_content_length       the limit in bytes, or None. It can be changed before the body is read.
    timeout                  how many seconds to wait for the client, or None. Only waiting counts, and not the
                             time that the application takes between two chunks. For whoever awaits the body it is
                             for the whole of it; for whoever iterates, for each chunk, so that an upload may take as
                             long as it goes on.
    timed_as_a_whole         True: for the whole when it is iterated over, too. Parsing a form does that.

    Raises RequestEntityTooLarge, at once when more is announced than allowed, else with the first byte too
    many; RequestTimeout; ClientDisconnected.
    """

    timeout: float | None = None
    timed_as_a_whole: bool = False
    _inbox: Source | None = None
    _received = 0  # bytes
    _ended = False
    _gone = False
    _pulling = False
    _waiters: tuple[asyncio.Future[None], ...] = ()
    _waited: float = 0.0  # seconds

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        self.expected_content_length = expected_content_length
        self.max_content_length = max_content_length
        self._chunks: list[bytes] = []

    @classmethod
    def from_inbox(
        cls,
        inbox: Source,
        expected_content_length: int | None,
        max_content_length: int | None,
        timeout: float | None = None,
    ) -> Body:
        """A body that pulls its messages from `inbox`."""
        body = cls(expected_content_length, max_content_length)
        body._inbox = inbox
        body.timeout = timeout
        return body

    @property
    def _complete(self) -> _Complete:
        return _Complete(self)

    # Reading ------------------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, Any, bytes]:
        self._check()
        if not self._ended:
            steps = self._fill(True).__await__()
            for awaited in steps:  # as in `_in_time`, without its call
                yield from self._wait(steps, awaited).__await__()
                break
        chunks = self._chunks
        if len(chunks) == 1:
            return chunks[0]
        whole = b"".join(chunks)
        if whole:
            self._chunks = [whole]
        return whole

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        self._check()
        while not self._chunks:
            if self._ended:
                raise StopAsyncIteration
            if not self.timed_as_a_whole:
                self._waited = 0.0
            await self._in_time(self._fill(False))
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def get(self) -> bytes:
        """The next chunk, b"" at the end (0.23's name for a step of the iteration)."""
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            return b""

    # Filling ------------------------------------------------------------------------------------------------

    def append(self, data: bytes) -> None:
        """Add a chunk. Beyond the limit it is dropped, and who reads gets RequestEntityTooLarge."""
        if data:
            self._received += len(data)
            limit = self.max_content_length
            if limit is None or self._received <= limit:
                self._chunks.append(data)
        self._wake()

    def put(self, data: bytes) -> _Done:
        """`append` (0.23's name); may be awaited."""
        self.append(data)
        return _DONE

    def set_complete(self) -> None:
        """No more chunks will come."""
        self._ended = True
        self._wake()

    def set_result(self, data: bytes) -> None:
        """Make `data` the whole body, whatever came before."""
        self._chunks = [data] if data else []
        self._received = 0
        self.expected_content_length = None
        self.set_complete()

    def disconnect(self) -> _Done:
        """No more chunks will come since the client has gone; may be awaited."""
        self._gone = True
        self._wake()
        return _DONE

    def clear(self) -> None:
        """Forget the bytes that were not handed out by iterating."""
        self._chunks = []

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters = ()

    def _check(self) -> None:
        limit = self.max_content_length
        if limit is not None:
            expected = self.expected_content_length
            if self._received > limit or (expected is not None and expected > limit):
                self._chunks = []
                raise RequestEntityTooLarge

    async def _fill(self, whole: bool) -> None:
        """Take in the rest of the body, or one more message of it."""
        while not self._ended:
            if self._gone:
                raise ClientDisconnected("The client left before it had sent the whole body.")
            if self._inbox is None or self._pulling:
                # Another task pulls, or a server pushes: either tells when there is something new.
                waiter = asyncio.get_running_loop().create_future()
                self._waiters += (waiter,)
                await waiter
                self._check()
            else:
                self._pulling = True
                try:
                    message = await self._inbox.next()
                    if not message.get("more_body", False):
                        self._ended = True
                        self._inbox = None  # nothing more to ask it for; and no cycle through the connection
                finally:
                    self._pulling = False
                    if self._waiters:
                        self._wake()
                data = message.get("body")
                if data:
                    self._chunks.append(data)
                    received = self._received = self._received + len(data)
                    limit = self.max_content_length
                    if limit is not None and received > limit:
                        self._check()
            if not whole:
                return

    @coroutine
    def _in_time(self, filling: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
        """Run `filling`. Only when it suspends is there anything to time; then this goes on in `_wait`."""
        steps = filling.__await__()
        for awaited in steps:  # the cheapest way to make one step
            yield from self._wait(steps, awaited).__await__()
            return

    async def _wait(self, steps: Generator[Any, Any, None], awaited: Any) -> None:
        if self.timeout is None:
            await Resumed(steps, awaited)
            return
        # Entering a timeout does not suspend, so the loop gets what `steps` awaits as if this were not here.
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = asyncio.timeout(max(self.timeout - self._waited, 0))
        try:
            async with deadline:
                await Resumed(steps, awaited)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise RequestTimeout(f"The client did not send more of the body in {self.timeout:g} seconds.") from None
        finally:
            self._waited += loop.time() - started
            steps.close()
