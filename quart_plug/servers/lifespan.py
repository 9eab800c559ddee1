"""ASGI's lifespan protocol from the server's side: start the app, and shut it down, each with a limit in time.

An app that does not know the protocol is served without it, as ASGI asks for. Must not know any server.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from ..running import ApplicationStartError

if TYPE_CHECKING:
    from ..typing import Message

__all__ = ["Lifespan"]

START_SECONDS = 60.0
STOP_SECONDS = 60.0

_log = logging.getLogger("quart_plug.servers")


class Lifespan:
    """The life of one app in one server.

    state  what the app's start-up has put into `scope["state"]`; each connection gets a copy.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.state: dict[str, Any] = {}
        self._supported = True
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    async def start(self, stop: asyncio.Future[Any]) -> bool:
        """Start the app; False when `stop` was done before it had started.

        Raises ApplicationStartError when the app says that it cannot start, or takes too long.
        """
        self._messages.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.get_running_loop().create_task(self._live(), name="quart_plug.lifespan")
        await asyncio.wait((self._started, stop), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self._started.done():
            self._started.result()
            return True
        if stop.done():
            return False
        raise ApplicationStartError(f"the application's start-up took longer than {START_SECONDS:g} seconds")

    async def stop(self) -> None:
        """Shut the app down; what takes too long is reported, and left."""
        if not self._supported:
            return
        self._messages.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait((self._stopped,), timeout=STOP_SECONDS)
        if not self._stopped.done():
            _log.error("the application's shutdown functions took longer than %g seconds", STOP_SECONDS)

    async def close(self) -> None:
        """End what is left of it. Never raises."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for future in (self._started, self._stopped):
            if not future.cancel() and not future.cancelled():
                future.exception()  # taken, so that it is not reported as never retrieved

    async def _live(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.app(scope, self._messages.get, self._send)
        except Exception:
            self._supported = False
            if not self._started.done():
                _log.warning("the application does not know ASGI's lifespan messages; it is served without them")
            elif not self._stopped.done():
                _log.exception("the application's lifespan handling failed; its shutdown functions will not run")
        finally:
            for future in (self._started, self._stopped):
                if not future.done():
                    future.set_result(None)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("lifespan.startup.complete", "lifespan.startup.failed"):
            answered = self._started
        elif kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            answered = self._stopped
        else:
            raise RuntimeError(f"the message {kind!r} is none of ASGI's lifespan protocol")
        if answered.done():
            return
        if kind == "lifespan.startup.failed":
            why = message.get("message") or "it does not say why"
            answered.set_exception(ApplicationStartError(f"the application did not start: {why}"))
        else:  # of a failed shutdown the app has told itself, and the server ends in any case
            answered.set_result(None)
