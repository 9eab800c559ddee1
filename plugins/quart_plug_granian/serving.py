"""Serving with granian: its worker parses and speaks the protocols in a thread of its own, the app runs in our loop.

Neither of granian's two servers is used. Its processes own the signals and the loop; its embedded server binds the
socket itself, goes on when the app's start-up fails, and cuts websockets off without a close frame. Both are made of a
worker that takes a listening socket and a loop: that one is started here, within the common sequence.

A worker that is told to stop cuts its websockets and its idle connections off at once, also one whose request is on its
way. So it is told late: first its listening socket is taken from under it, which it does not notice, and websockets are
closed and answers say `Connection: close`; for a moment it goes on with the connections that it has.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from granian import _futures, _granian

from quart_plug.draining import SERVICE_RESTART
from quart_plug.servers import PluginServer, Sequence, ServeOptions, accepted, listening
from quart_plug.servers.access_log import access_logged

from .calls import Calls
from .channels import Channels
from .settings import check_version, worker_arguments
from .threads import ended, started_since, threads
from .transports import Transports, abort

if TYPE_CHECKING:
    from quart_plug import Quart

# Their stubs leave out what is used here.
native: Any = _granian
futures: Any = _futures

ABORT_SECONDS = 1.0
THREAD_SECONDS = 0.3
LINGER_SECONDS = 0.25  # for requests on their way, on connections that were idle when the end began
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class GranianServer(PluginServer):
    """Fills the slot `server` under the name "granian"."""

    name = "granian"

    async def run(self, app: Quart, how: ServeOptions, trigger: Callable[..., Awaitable[None]] | None) -> None:
        check_version()
        arguments = worker_arguments(how)
        async with listening(app, how) as listener:
            await _Serving(app, how, listener, arguments).run(trigger)


class _Serving(Sequence):
    """One run of the server: its worker, and the connections."""

    def __init__(
        self, app: Quart, options: ServeOptions, listener: socket.socket, arguments: tuple[Any, ...]
    ) -> None:
        super().__init__(app, options, listener)
        self.arguments = arguments
        self.transports = Transports(listener)
        self.channels = Channels(self.transports, options.certfile is not None)
        self.signal = native.WorkerSignal()
        self.told = False
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
        self.calls = Calls(app, self.lifespan.state, self.channels)
        self.descriptor = os.dup(self.listener.fileno())  # the worker closes it
        holder = native.SocketHolder(self.descriptor, False, self.options.backlog)
        worker = native.ASGIWorker(1, (None, holder), *self.arguments)
        scheduler = futures._new_cbscheduler(self.loop, self.calls.handle, impl_asyncio=True)
        before = threads()
        worker.serve_async(scheduler, self.loop, self.signal)
        self.threads = await started_since(before)
        return self

    def close(self) -> None:
        """Tell the worker to stop; a second time does nothing."""
        if not self.told:
            self.told = True
            self.signal.set()  # a third time it would wait for ever, and everything with it

    def stopping(self) -> None:
        self.calls.last = True

    def leave(self, server: Any) -> None:
        """Take the listening socket from the worker, which goes on with the connections that it has.

        Its descriptor becomes that of a socket that nobody knows. Those that came in this moment are refused, unless
        the socket was handed to us: then the processes that share it take them.
        """
        with socket.create_server(("127.0.0.1", 0)) as nobodys:
            nobodys.setblocking(False)
            os.dup2(nobodys.fileno(), self.descriptor, inheritable=False)
        if self.options.sock is None:
            for connection in accepted(self.listener):
                with connection:
                    if self.options.certfile is None:
                        connection.send(_BUSY)
        self.listener.close()  # when all have done so, nobody waits in vain to be accepted

    async def drain(self) -> None:
        deadline = self.loop.time() + self.seconds
        seconds = min(LINGER_SECONDS, self.seconds) if self.transports.are_any() else 0.0
        lingering = self.loop.create_task(asyncio.sleep(seconds))
        await asyncio.wait((self.closing,), timeout=self.seconds)
        await self.channels.end(deadline, SERVICE_RESTART, "the server stops")
        await lingering
        self.close()
        await asyncio.wait((self.ended,), timeout=max(0.0, deadline - self.loop.time()))

    async def abort(self) -> None:
        self.close()
        if not self.ended.done():
            for connection in self.transports.each():
                abort(connection)
            await asyncio.wait((self.ended,), timeout=ABORT_SECONDS)
        if left := self.calls.tasks():  # a thread of the worker lives as long as what they hold of it
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=ABORT_SECONDS)
        await ended(self.threads, THREAD_SECONDS)
