"""Serving with uvicorn, whose protocol classes parse and speak HTTP/1.1.

Its `Server` is not used: that takes the signals, waits for the listening socket in a way that never ends on Python
3.12 and later, and closes connections on which a request is under way. The sequence is the common one
(`quart_plug.servers.sequence`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from quart_plug.draining import SERVICE_RESTART
from quart_plug.servers import PluginServer, Sequence, ServeOptions, listening, tls_context

from .http import CLOSE
from .settings import PlugConfig, server_config
from .websockets import State, Websocket

if TYPE_CHECKING:
    from quart_plug import Quart

# The oldest and the newest minor version of uvicorn that were tried: its protocol classes may change with each.
TRIED = ((0, 40), (0, 54))
ABORT_SECONDS = 1.0
HANDSHAKE_SECONDS = 60.0  # TLS's


class UvicornServer(PluginServer):
    """Fills the slot `server` under the name "uvicorn"."""

    name = "uvicorn"

    async def run(self, app: Quart, how: ServeOptions, trigger: Callable[..., Awaitable[None]] | None) -> None:
        is_known()
        tls = tls_context(how, ("http/1.1",))
        config = server_config(app, app.config, how)
        async with listening(app, how) as listener:
            await _Serving(app, how, listener, config, tls).run(trigger)


def is_known() -> bool:
    """Whether the installed uvicorn is one that was tried; a warning when it is not."""
    installed = version("uvicorn")
    major, minor = installed.split(".")[:2]
    if TRIED[0] <= (int(major), int(minor)) <= TRIED[1]:
        return True
    oldest, newest = (f"{major}.{minor}" for major, minor in TRIED)
    warnings.warn(
        f"uvicorn {installed} is installed, but the plugin is known to work with {oldest} to {newest};"
        " pip install 'quart-plug[uvicorn]' takes one of these",
        stacklevel=2,
    )
    return False


class _Serving(Sequence):
    """One run of the server, and its connections."""

    def __init__(
        self, app: Quart, options: ServeOptions, listener: socket.socket, config: PlugConfig, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(app, options, listener)
        self.config = config
        self.tls = tls
        self.state = State()
        self.is_stopping = False
        self.clock: asyncio.TimerHandle | None = None

    async def accept(self) -> Any:
        self._tick()
        return await super().accept()

    async def take(self, connection: socket.socket) -> None:
        await self.loop.connect_accepted_socket(self._protocol, connection, **self._tls_options())

    def _tls_options(self) -> dict[str, Any]:
        return {} if self.tls is None else {"ssl": self.tls, "ssl_handshake_timeout": HANDSHAKE_SECONDS}

    def _protocol(self) -> Any:
        make: Any = self.config.http_protocol_class
        return make(config=self.config, server_state=self.state, app_state=self.lifespan.state, _loop=self.loop)

    def _tick(self) -> None:
        """Set the clock of the header `date`, once a second."""
        if self.clock is not None:
            self.clock.cancel()
        headers = [(b"date", formatdate(time.time(), usegmt=True).encode()), *self.config.encoded_headers]
        self.state.default_headers = [*headers, CLOSE] if self.is_stopping else headers
        self.clock = self.loop.call_later(1.0, self._tick)

    def stopping(self) -> None:
        self.is_stopping = True
        self._tick()

    async def drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                while self.connecting:  # a request is with some of them
                    await asyncio.wait(self.connecting)
                ours = {connection for connection in self.state.connections if isinstance(connection, Websocket)}
                for connection in self.state.connections - ours:
                    connection.shutdown()
                await asyncio.wait((self.closing,))
                for websocket in ours:  # those that the app does not know: a middleware's, another app's
                    websocket.shutdown(SERVICE_RESTART, "the server stops")
                while self.state.connections:
                    self.state.left.clear()
                    await self.state.left.wait()
                if self.state.tasks:  # views whose client has left
                    await asyncio.wait(tuple(self.state.tasks))

    async def abort(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
        for connection in tuple(self.state.connections):
            connection.transport.abort()
        tasks = tuple(self.state.tasks)
        await asyncio.sleep(0)  # connections learn of their end before their tasks do
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ABORT_SECONDS)
