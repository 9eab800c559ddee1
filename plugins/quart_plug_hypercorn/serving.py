"""Serving with hypercorn: listen, start the app, accept, drain, stop; each with a limit in time.

Hypercorn parses and speaks the protocols (its `TCPServer`); the sequence around them is ours, since
hypercorn's own awaits `Server.wait_closed()` first, which on Python 3.12 and later returns only when every
client has left. The order of an end:

    the listening socket is closed -> websockets get 1012 -> idle connections close, requests in flight finish
    -> after SHUTDOWN_TIMEOUT seconds the rest is cancelled -> the app's shutdown functions run

A cancelled `serve` skips the waiting, and with the message `AT_ONCE` the shutdown functions too. Must not touch
signals: who calls `serve` owns them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError, ShutdownError

from quart_plug.draining import SERVICE_RESTART, cancel_connections, close_websockets
from quart_plug.running import AT_ONCE, ApplicationStartError
from quart_plug.servers import ServeOptions, listening, serve_options, unusable_certificate, url_of

from .settings import PlugConfig, server_config
from .streams import PlugContext, install, transport_of_connection

if TYPE_CHECKING:
    from quart_plug import Quart

ABORT_SECONDS = 1.0


class HypercornServer:
    """Fills the slot `server` under the name "hypercorn"."""

    name = "hypercorn"

    async def serve(
        self,
        app: Quart,
        *,
        host: str,
        port: int,
        debug: bool = False,
        certfile: str | None = None,
        keyfile: str | None = None,
        ca_certs: str | None = None,
        shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
        **options: Any,
    ) -> None:
        """Serve until `shutdown_trigger()` returns or raises Hypercorn's ShutdownError, or for ever.

        options   as in `quart_plug.servers.ServeOptions`.

        Raises ServerStartError when it cannot listen, ApplicationStartError when the app's start-up fails, an
        ExceptionGroup with the trigger's error.
        """
        how = serve_options(
            host=host, port=port, certfile=certfile, keyfile=keyfile, ca_certs=ca_certs, **options
        )
        config = server_config(app.config, how)
        tls = _tls(config, how)
        install()
        async with listening(app, how) as listener:
            await _Serving(app, config, how, listener, tls).run(shutdown_trigger)


def _tls(config: PlugConfig, options: ServeOptions) -> ssl.SSLContext | None:
    try:
        return config.create_ssl_context()
    except (ssl.SSLError, OSError) as error:
        raise unusable_certificate(options, error) from error


class _Serving:
    """One run of the server: its connections, and the app's life around them."""

    def __init__(
        self,
        app: Quart,
        config: PlugConfig,
        options: ServeOptions,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.quart = app
        self.options = options
        self.app = ASGIWrapper(cast(Any, app))  # hypercorn types scopes and messages more narrowly
        self.config = config
        self.context = PlugContext()
        self.listener = listener
        self.tls = tls
        self.loop = asyncio.get_running_loop()
        self.state: dict[str, Any] = {}
        self.lifespan = Lifespan(self.app, config, self.loop, self.state)
        self.connections: dict[asyncio.Task[Any], asyncio.WriteTransport] = {}

    async def run(self, shutdown_trigger: Callable[..., Awaitable[None]] | None) -> None:
        stop: asyncio.Future[None] = asyncio.ensure_future(_wait(shutdown_trigger))
        life = self.loop.create_task(self.lifespan.handle_lifespan())
        try:
            if await self._started(life, stop):
                try:
                    await self._accept(stop)
                except asyncio.CancelledError as error:
                    if AT_ONCE not in error.args:
                        await self._ended(life)
                    raise
                await self._ended(life)
            _raise_for(stop)
        finally:
            await _cancelled((stop, life))

    async def _started(self, life: asyncio.Task[None], stop: asyncio.Future[None]) -> bool:
        starting = self.loop.create_task(self.lifespan.wait_for_startup())
        try:
            await asyncio.wait((starting, stop), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                return False  # stopped while the app was starting
            starting.result()
        except LifespanTimeoutError as error:
            raise ApplicationStartError(
                f"the application's start-up took longer than {self.config.startup_timeout:g} seconds"
            ) from error
        finally:
            await _cancelled((starting,))
        failure = life.exception() if life.done() and not life.cancelled() else None
        if isinstance(failure, LifespanFailureError):
            raise ApplicationStartError(f"the application did not start: {failure}") from failure
        if failure is not None:
            raise failure
        return True

    async def _accept(self, stop: asyncio.Future[None]) -> None:
        server = await asyncio.start_server(
            self._connected,
            sock=self.listener,
            ssl=self.tls,
            ssl_handshake_timeout=self.config.ssl_handshake_timeout if self.tls else None,
        )
        try:
            url = url_of(self.listener, self.options.scheme)
            self.options.announce(f"Running on {url} (CTRL + C to quit)")
            await asyncio.wait((stop,))
            server.close()
            await self._drain()
            await cancel_connections(self.quart)
        finally:
            server.close()
            await self._abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a stream callback is always run in a task
        self.connections[task] = writer.transport
        task.add_done_callback(self.connections.pop)
        transport_of_connection.set(writer.transport)
        try:
            await TCPServer(self.app, self.loop, self.config, self.context, self.state, reader, writer)
        except asyncio.CancelledError:
            pass  # ours, in _abort; asyncio's callback on Python 3.11 would report it as an error

    async def _drain(self) -> None:
        deadline = self.loop.time() + self.config.graceful_timeout
        await self.context.terminated.set()
        await close_websockets(self.quart)
        closing = {  # those that the app does not know: a middleware's, another app's
            self.loop.create_task(websocket.go_away(SERVICE_RESTART, "the server stops"))
            for websocket in tuple(self.context.websockets)
        }
        try:
            if closing:
                await asyncio.wait(closing, timeout=self.config.graceful_timeout)
            if self.connections:
                await asyncio.wait(tuple(self.connections), timeout=max(0.0, deadline - self.loop.time()))
        finally:
            await _cancelled(closing)

    async def _abort(self) -> None:
        # Transports first: a connection's task would wait for a peer that never reads to take its last bytes.
        tasks = dict(self.connections)
        for task, transport in tasks.items():
            transport.abort()
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ABORT_SECONDS)

    async def _ended(self, life: asyncio.Task[None]) -> None:
        try:
            await self.lifespan.wait_for_shutdown()
        except LifespanTimeoutError:
            await self.config.log.error(
                "the application's shutdown functions took longer than %g seconds",
                self.config.shutdown_timeout,
            )


async def _wait(shutdown_trigger: Callable[..., Awaitable[None]] | None) -> None:
    if shutdown_trigger is None:
        await asyncio.get_running_loop().create_future()
    else:
        try:
            await shutdown_trigger()
        except ShutdownError:
            pass  # Hypercorn's name for the end, which triggers may raise as well as return


def _raise_for(stop: asyncio.Future[None]) -> None:
    """Raise the trigger's error as hypercorn's own `serve` does: in a group, unless it only says to stop."""
    error = stop.exception()
    if isinstance(error, ShutdownError):
        return
    if isinstance(error, Exception):
        raise ExceptionGroup("the shutdown trigger failed", [error])
    if error is not None:
        raise error


async def _cancelled(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel, and take the results, so that none is reported as never retrieved."""
    tasks = tuple(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
