"""The app with its lifespan, as a server would start and stop it around the connections."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..typing import Message
from .errors import WaitTimeoutError
from .exchange import LAST_MOMENTS
from .whereabouts import where_suspended

if TYPE_CHECKING:
    from typing import Self

    from ..app import Quart
    from .client import QuartClient

DEFAULT_TIMEOUT = 6  # seconds


class LifespanError(Exception):
    """The app failed to start or to stop; the message says which, and has the app's."""


class TestApp:
    """Runs the app's lifespan: `async with app.test_app() as test_app:`.

    startup_timeout, shutdown_timeout   in seconds.

    Raises LifespanError when the app reports a failure, what it raises when it does not, and WaitTimeoutError
    when it takes too long.
    """

    __test__ = False

    def __init__(
        self, app: Quart, startup_timeout: float = DEFAULT_TIMEOUT, shutdown_timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self.app = app
        self.startup_timeout = startup_timeout
        self.shutdown_timeout = shutdown_timeout
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[str | None]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def test_client(self, *args: Any, **kwargs: Any) -> QuartClient:
        """A client of the app; arguments as for `app.test_client`."""
        client: QuartClient = self.app.test_client(*args, **kwargs)
        return client

    async def startup(self) -> None:
        """Start the app."""
        if self._task is not None:
            raise RuntimeError("this TestApp was started before: make another with app.test_app()")
        loop = asyncio.get_running_loop()
        self._answers = {"startup": loop.create_future(), "shutdown": loop.create_future()}
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        lifespan = self.app(scope, self._messages.get, self._send)
        self._task = asyncio.create_task(lifespan, name="app's lifespan")
        await self._pass_through("startup", self.startup_timeout)

    async def shutdown(self) -> None:
        """Stop the app."""
        if self._task is None:
            raise RuntimeError("this TestApp is not running: enter it, or await startup(), first")
        await self._pass_through("shutdown", self.shutdown_timeout)
        await self._end(self.shutdown_timeout)
        if not self._task.cancelled() and self._task.done() and (error := self._task.exception()) is not None:
            raise error

    async def __aenter__(self) -> Self:
        await self.startup()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            await self.shutdown()
        except Exception as error:
            if exc is None:
                raise
            exc.add_note(f"The app's shutdown failed as well: {type(error).__name__}: {error}")

    async def _send(self, message: Message) -> None:
        kind, _, outcome = str(message.get("type")).removeprefix("lifespan.").partition(".")
        answer = self._answers.get(kind)
        if answer is None or outcome not in ("complete", "failed"):
            raise RuntimeError(f"{message.get('type')!r} is not a message for a lifespan")
        if answer.done():
            raise RuntimeError(f"{message.get('type')!r}: the {kind} was answered before")
        answer.set_result(message.get("message") or "" if outcome == "failed" else None)

    async def _pass_through(self, stage: str, limit: float) -> None:
        """Tell the app to start or stop, and wait for its answer."""
        task = self._task
        assert task is not None
        answer = self._answers[stage]
        answer.add_done_callback(lambda _: self._changed.set())
        task.add_done_callback(lambda _: self._changed.set())
        self._changed.clear()
        self._messages.put_nowait({"type": f"lifespan.{stage}"})
        if not task.done() and not answer.done():
            try:
                async with asyncio.timeout(limit):
                    await self._changed.wait()
            except TimeoutError:
                pass
        if answer.done():
            failure = answer.result()
            if failure is not None:
                await self._end(0)
                raise LifespanError(f"Error during {stage} {failure}".rstrip())
            return
        if task.done():
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
            raise LifespanError(f"Error during {stage}: the app's lifespan ended without an answer")
        place = where_suspended(task)
        await self._end(0)
        suspended = f"; it is suspended at {place}" if place else ""
        raise WaitTimeoutError(f"waited {limit:g} s for the app's {stage}{suspended}")

    async def _end(self, limit: float) -> None:
        """Leave no task behind."""
        assert self._task is not None
        await asyncio.wait([self._task], timeout=limit)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=LAST_MOMENTS)
        if self._task.done() and not self._task.cancelled():
            self._task.exception()  # looked at: what the app has answered before is what counts
