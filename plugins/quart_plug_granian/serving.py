"""Serving with granian: its worker parses and speaks the protocols in a thread of its own, the app runs in our loop.

Neither of granian's two servers is used. Its processes own the signals and the loop; its embedded server binds the
socket itself, goes on when the app's start-up fails, and cuts websockets off without a close frame. Both are made of a
worker that takes a listening socket and a loop: that one is started here, within the common sequence.

A worker that is told to stop cuts its websockets off at once. So it goes on accepting until they are closed; what comes
meanwhile is served, but for handshakes, which the framework refuses. Then it stops accepting, ends idle connections and
waits for requests in flight.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from granian import _futures, _granian

from quart_plug.draining import SERVICE_RESTART
from quart_plug.servers import Sequence, ServeOptions, accepted, listening, serve_options
from quart_plug.servers.access_log import access_logged

from .calls import Calls
from .channels import Channels
from .settings import check_version, worker_arguments
from .transports import Transports, abort

if TYPE_CHECKING:
    from quart_plug import Quart

# Their stubs leave out what is used here.
native: Any = _granian
futures: Any = _futures

ABORT_SECONDS = 1.0
_LOOK_SECONDS = 0.005
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class GranianServer:
    """Fills the slot `server` under the name "granian"."""

    name = "granian"

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
        """Serve until `shutdown_trigger()` returns, or for ever.

        options   as in `quart_plug.servers.ServeOptions`.

        Raises ServerStartError when it cannot listen, ApplicationStartError when the app's start-up fails, an
        ExceptionGroup with the trigger's error.
        """
        how = serve_options(host=host, port=port, certfile=certfile, keyfile=keyfile, ca_certs=ca_certs, **options)
        check_version()
        arguments = worker_arguments(how)
        async with listening(app, how) as listener:
            await _Serving(app, how, listener, arguments).run(shutdown_trigger)


class _Serving(Sequence):
    """One run of the server: its worker, and the connections."""

    def __init__(
        self, app: Quart, options: ServeOptions, listener: socket.socket, arguments: tuple[Any, ...]
    ) -> None:
        super().__init__(app, options, listener)
        self.arguments = arguments
        self.transports = Transports(listener)
        self.channels = Channels(self.transports)
        self.signal = native.WorkerSignal()
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self.signal.add_cb(self._worker_ended)

    def _worker_ended(self) -> None:
        """Called in a thread of granian's."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._note_the_end)

    def _note_the_end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    async def accept(self) -> _Serving:
        app = access_logged(self.app) if self.options.access_log else self.app
        calls = Calls(app, self.lifespan.state, self.channels)
        # The worker closes the descriptor that it is given.
        holder = native.SocketHolder(os.dup(self.listener.fileno()), False, self.options.backlog)
        worker = native.ASGIWorker(1, (None, holder), *self.arguments)
        scheduler = futures._new_cbscheduler(self.loop, calls.handle, impl_asyncio=True)
        worker.serve_async(scheduler, self.loop, self.signal)
        return self

    def close(self) -> None:
        """Stop accepting; a second time does nothing."""
        self.signal.set()

    def leave(self, server: Any) -> None:
        """Not yet: the worker would cut its websockets off."""

    async def drain(self) -> None:
        deadline = self.loop.time() + self.seconds
        await asyncio.wait((self.closing,), timeout=self.seconds)
        await self.channels.end(self.seconds, SERVICE_RESTART, "the server stops")
        self.close()
        await self._refuse_who_waits()
        await asyncio.wait((self.ended,), timeout=max(0.0, deadline - self.loop.time()))

    async def _refuse_who_waits(self) -> None:
        """Answer those that came in the moment of the end: closing the socket would cut them off.

        A socket that was handed to us has other processes behind it, which take them.
        """
        if self.options.sock is not None:
            return
        await asyncio.sleep(_LOOK_SECONDS)
        for connection in accepted(self.listener):
            with connection:
                if self.options.certfile is None:
                    connection.send(_BUSY)
        self.listener.close()

    async def abort(self) -> None:
        if self.ended.done():
            return
        for connection in self.transports.each():
            abort(connection)
        await asyncio.wait((self.ended,), timeout=ABORT_SECONDS)
