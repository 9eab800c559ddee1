"""One connection to Redis that comes back by itself, with growing pauses.

redis-py connects, authenticates, encrypts and speaks the protocol. What it would do about a lost connection is turned
off: a loss has to be seen, since what was missed has to be made up for.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from quart_plug.masking import masked

if TYPE_CHECKING:
    from redis.asyncio import Connection

__all__ = ["Link", "Refused", "end", "explained", "pauses", "settings_of"]

logger = logging.getLogger("quart_plug.rooms")

FIRST_PAUSE: Final = 0.05  # seconds
LONGEST_PAUSE: Final = 2.0
LOOKS: Final = 4  # times in a time-out that a connection is looked at
STEADY: Final = 10.0  # seconds that a connection has to last for the pauses to begin anew


class Refused(Exception):
    """The server was reached, and will not have us; trying again is of no use until something is changed."""


def settings_of(url: str) -> dict[str, Any]:
    """What a URL says, as arguments of a connection of redis-py, and `connection_class`.

    Raises ValueError, which has no password in it, for a URL that cannot be read.
    """
    from redis.asyncio.connection import Connection, parse_url

    try:
        settings: dict[str, Any] = dict(parse_url(url))
        settings.setdefault("connection_class", Connection)
        settings["db"] = int(settings.get("db", 0))
    except ValueError as error:
        raise ValueError(f"{masked(url)} is no URL of a Redis: {masked(str(error))}") from None
    # A pool of redis-py's would take these; a time-out of theirs would end a wait for messages.
    for name in ("max_connections", "timeout", "socket_timeout", "health_check_interval", "decode_responses"):
        settings.pop(name, None)
    return settings


def pauses() -> Iterator[float]:
    """Seconds to wait before each next attempt; by chance, so that many processes do not come at once."""
    longest = FIRST_PAUSE
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(2 * longest, LONGEST_PAUSE)


def is_refusal(error: BaseException) -> bool:
    """Whether it is what waiting does not cure: a wrong password, a user who may not do what is needed, a database or
    a command that the server does not have."""
    from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

    if isinstance(error, ResponseError):
        text = str(error)
        return isinstance(error, NoPermissionError) or text.startswith(("unknown command", "DB index", "ERR DB index"))
    return isinstance(error, AuthenticationError)


class Link:
    """Keeps a connection, and runs `serve` on each new one, which returns only by an error.

    name      what it is for; in the log.
    url       where to, without what is secret.
    settings  from `settings_of`.
    timeout   seconds for connecting, and for any answer.
    greet     is awaited for each new connection, before it counts as there.
    serve     reads and writes until the connection is lost.
    lost      is called after each loss.
    siblings  links to the same server: when one is there, the others do not wait any longer to try.

    heard        to be set by `serve` when something has come.
    up           whether there is a connection.
    connections  how many there were.
    losses       how many of them were lost.
    trouble      the latest error while there is none.
    """

    def __init__(
        self,
        name: str,
        url: str,
        settings: dict[str, Any],
        timeout: float,
        *,
        greet: Callable[[Connection], Awaitable[None]],
        serve: Callable[[Connection], Awaitable[None]],
        lost: Callable[[], None],
    ) -> None:
        self.name, self.url, self.timeout = name, url, timeout
        self.up = self.heard = False
        self.connections = self.losses = 0
        self.trouble: BaseException | None = None
        self._settings = settings
        self._greet, self._serve, self._lost = greet, serve, lost
        self._task: asyncio.Task[None] | None = None
        self._attempted: asyncio.Future[None] | None = None
        self._loss = asyncio.Event()
        self._hurry = asyncio.Event()
        self.siblings: tuple[Link, ...] = ()

    def start(self) -> asyncio.Future[None]:
        """Begin. What is returned is done when the first attempt is; with its error, where it failed."""
        loop = asyncio.get_running_loop()
        self._attempted = attempted = loop.create_future()
        attempted.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._task = loop.create_task(self._run(), name=f"rooms: {self.name} of {self.url}")
        return attempted

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def silent(self, awaited: Callable[[], object] = lambda: True) -> bool:
        """Whether nothing comes for the time-out, while something is awaited.

        It is looked at several times, so that a process that was busy all the while does not take itself for a server
        that is silent.
        """
        for _ in range(LOOKS):
            self.heard = False
            await asyncio.sleep(self.timeout / LOOKS)
            if self.heard or not awaited():
                return False
        return True

    async def wait_for_loss(self, losses: int, seconds: float) -> None:
        """Wait for this time, or until there were more losses than this."""
        if self.losses == losses:
            await _either(self._loss, seconds)

    async def _run(self) -> None:
        waits, clock = pauses(), asyncio.get_running_loop().time
        while True:
            connection, began = self._new(), clock()
            try:
                async with asyncio.timeout(self.timeout):
                    await connection.connect()  # type: ignore[no-untyped-call]  # redis-py has no type for it
                    await self._greet(connection)
                self._arrived()
                await self._serve(connection)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._failed(error)
            finally:
                was_up, self.up = self.up, False
                await _close(connection)
                if was_up:
                    self.losses += 1
                    self._loss.set()
                    self._loss = asyncio.Event()
                    self._lost()
                if was_up and clock() - began > STEADY:
                    waits = pauses()
            self._hurry.clear()
            await _either(self._hurry, next(waits))

    def _new(self) -> Connection:
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        options = {name: value for name, value in self._settings.items() if name != "connection_class"}
        options |= {"socket_timeout": None, "socket_connect_timeout": self.timeout, "retry": Retry(NoBackoff(), 0)}
        connection: Connection = self._settings["connection_class"](protocol=2, **options)
        return connection

    def _arrived(self) -> None:
        self.up = True
        self.connections += 1
        if self.connections > 1 or self.trouble is not None:
            logger.warning("Redis is there again for the %s of rooms: %s", self.name, self.url)
        self.trouble = None
        for sibling in self.siblings:
            sibling._hurry.set()
        if self._attempted is not None and not self._attempted.done():
            self._attempted.set_result(None)

    def _failed(self, error: Exception) -> None:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        from redis.exceptions import RedisError

        told = self.trouble is not None and not self.up
        if not isinstance(error, (OSError, RedisError)):
            logger.error("The connection for the %s of rooms is made again", self.name, exc_info=error)
        elif not told:
            logger.warning("The %s of rooms have no Redis: %s: %s", self.name, self.url, explained(error))
        self.trouble = error
        if self._attempted is not None and not self._attempted.done():
            self._attempted.set_exception(Refused(explained(error)) if is_refusal(error) else error)


def explained(error: BaseException) -> str:
    """An error in a line, without secrets."""
    if isinstance(error, asyncio.TimeoutError) and not str(error):
        return "it does not answer"
    return masked(f"{str(error) or type(error).__name__}")


def end(waited_for: asyncio.Future[Any]) -> None:
    """Tell who still waits that it is of no use: the app has stopped."""
    if not waited_for.done():
        waited_for.set_exception(ConnectionAbortedError("the app has stopped"))
        waited_for.exception()  # nobody may be waiting


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def _close(connection: Connection) -> None:
    try:
        await connection.disconnect(nowait=True)
    except Exception:
        logger.debug("A connection to Redis could not be closed in order", exc_info=True)
