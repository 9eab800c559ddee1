"""Serving with hypercorn, which parses and speaks the protocols (`TCPServer`; see protocols.py).

The sequence around them is the common one (`quart_plug.servers.sequence`): hypercorn's own awaits
`Server.wait_closed()` first, which on Python 3.12 and later returns only when every client has left.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.utils import ShutdownError

from quart_plug.draining import SERVICE_RESTART
from quart_plug.servers import PluginServer, Sequence, ServeOptions, access_logged, cancelled, listening, tls_context

from . import protocols
from .protocols import PlugTCPServer
from .settings import PlugConfig, server_config
from .streams import PlugContext, install

if TYPE_CHECKING:
    from quart_plug import Quart

ABORT_SECONDS = 1.0
TURNED_AWAY_SECONDS = 1.0
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 31\r\n"
    b"connection: close\r\n\r\nToo many connections; try later"
)


class HypercornServer(PluginServer):
    """Fills the slot `server` under the name "hypercorn"."""

    name = "hypercorn"

    async def run(self, app: Quart, how: ServeOptions, trigger: Callable[..., Awaitable[None]] | None) -> None:
        config = server_config(app.config, how)
        tls = tls_context(how, config.alpn_protocols)
        install()
        async with listening(app, how) as listener:
            await _Serving(app, how, listener, config, tls).run(_trigger(trigger))


class _Serving(Sequence):
    """One run of the server, and its connections."""

    def __init__(
        self, app: Quart, options: ServeOptions, listener: socket.socket, config: PlugConfig, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(app, options, listener)
        served: Any = access_logged(app) if options.access_log else app
        self.wrapped = ASGIWrapper(served)
        self.config = config
        self.context = PlugContext()
        self.tls = tls
        self.served = 0  # connections that were not turned away
        self.connections: dict[asyncio.Task[Any], asyncio.WriteTransport] = {}

    async def take(self, connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        await self.loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader, self._connected), connection, **self._tls_options()
        )

    def _tls_options(self) -> dict[str, Any]:
        if self.tls is None:
            return {}
        return {"ssl": self.tls, "ssl_handshake_timeout": self.config.ssl_handshake_timeout}

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a stream callback is always run in a task
        self.connections[task] = writer.transport
        task.add_done_callback(self.connections.pop)
        state = self.lifespan.state
        try:
            limit = self.options.limit_connections
            if limit is not None and self.served >= limit:
                await _turned_away(reader, writer)
                return
            self.served += 1
            try:
                await PlugTCPServer(self.wrapped, self.loop, self.config, self.context, state, reader, writer)
            finally:
                self.served -= 1
        except asyncio.CancelledError:
            pass  # ours, in `abort`; asyncio's callback on Python 3.11 would report it as an error

    def stopping(self) -> None:
        self.context.draining = True

    async def drain(self) -> None:
        deadline = self.loop.time() + self.seconds
        linger = protocols.LINGER_SECONDS if self.connections or self.connecting else 0
        steps = [self.loop.create_task(step) for step in (self.context.drain(linger), self._close_others())]
        try:
            await asyncio.wait(steps, timeout=self.seconds)
            # What is connecting becomes a connection, so that it is looked again.
            while (left := {*self.connections, *self.connecting}) and self.loop.time() < deadline:
                await asyncio.wait(left, timeout=deadline - self.loop.time())
        finally:
            await cancelled(steps)

    async def _close_others(self) -> None:
        """Close the websockets that the app does not know: a middleware's, another app's."""
        await asyncio.wait((self.closing,))
        others = [websocket.go_away(SERVICE_RESTART, "the server stops") for websocket in self.context.websockets]
        await asyncio.gather(*others)

    async def abort(self) -> None:
        # Transports first: a connection's task would wait for a peer that never reads to take its last bytes.
        tasks = dict(self.connections)
        for task, transport in tasks.items():
            transport.abort()
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ABORT_SECONDS)


async def _turned_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection too many, whatever it asks."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(TURNED_AWAY_SECONDS):
            tls = writer.get_extra_info("ssl_object")
            if tls is None or tls.selected_alpn_protocol() != "h2":
                writer.write(_TOO_MANY)
                if writer.can_write_eof():
                    writer.write_eof()
                while await reader.read(65_536):  # what was not read would reset the connection, and lose the answer
                    pass
    writer.close()


def _trigger(shutdown_trigger: Callable[..., Awaitable[None]] | None) -> Callable[[], Awaitable[None]] | None:
    """The trigger, which may raise hypercorn's name for the end as well as return."""
    if shutdown_trigger is None:
        return None

    async def wait() -> None:
        try:
            await shutdown_trigger()
        except ShutdownError:
            pass

    return wait
