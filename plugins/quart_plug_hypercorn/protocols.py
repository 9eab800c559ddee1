"""Hypercorn's protocols of a connection with what an orderly end and flow control need.

`install()` puts these classes where hypercorn 0.18 looks them up. Differences to hypercorn's:

HTTP/1.1
- while the server drains, a response says `Connection: close`, so that the client opens another connection elsewhere.
HTTP/2
- what an app sends waits when the peer does not open its window; hypercorn buffers all of it.
- data that comes when its stream has ended (an upload that was refused) does not end the connection.
- while the server drains, the peer is told with GOAWAY, twice (RFC 9113, 6.8): first that it should go, then which
  streams were taken. A later one is refused with REFUSED_STREAM, which says that it may be repeated.
both
- an idle connection is kept for a moment when the server drains: its next request may be on its way.
- a connection whose client has left ends at once, and not when it would have been idle for too long.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn import protocol as protocols
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.events import Event, RawData
from hypercorn.protocol import h2 as hypercorn_h2
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Response
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, BUFFER_LOW_WATER, BufferCompleteError, H2Protocol, StreamBuffer
from hypercorn.protocol.h11 import H11Protocol
from hyperframe.frame import GoAwayFrame
from priority.priority import MissingStreamError

LINGER_SECONDS = 0.25
_ANY_STREAM = 2**31 - 1


class DrainingContext(WorkerContext):
    """Hypercorn's shared state of one server.

    draining     the server has stopped accepting; what is there may still send requests.
    terminated   (hypercorn's) no more requests.
    http2        the HTTP/2 connections, to be told.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.draining = False
        self.http2: set[PlugH2] = set()

    async def drain(self, linger: float) -> None:
        """Ask the clients to go, and give those some seconds that send a request just now."""
        self.draining = True
        for connection in tuple(self.http2):
            await connection.go_away(_ANY_STREAM)
        await asyncio.sleep(linger)
        await self.terminated.set()
        for connection in tuple(self.http2):
            await connection.go_away(connection.connection.highest_inbound_stream_id)


class PlugH11(H11Protocol):
    """One HTTP/1.1 connection; see the module's text."""

    async def stream_send(self, event: StreamEvent) -> None:
        if isinstance(event, Response) and event.status_code >= 200 and getattr(self.context, "draining", False):
            event = replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)


class PlugBuffer(StreamBuffer):
    """What is to be sent on one stream; `push` waits while there is enough.

    Not in the task that reads from the connection, since only that can learn of an opened window. What it sends are
    answers to control frames: of those the latest ones are dropped, since nobody reads.
    """

    reader: asyncio.Task[Any] | None = None
    ended = False  # nobody waits for room any more

    async def end(self) -> None:
        self.ended = True
        await self._paused.set()

    async def push(self, data: bytes) -> None:
        if self._complete or self.ended:
            raise BufferCompleteError
        reads = asyncio.current_task() is self.reader
        if reads and len(self.buffer) >= BUFFER_HIGH_WATER:
            return
        self.buffer.extend(data)
        await self._is_empty.clear()
        while not reads and not self.ended and len(self.buffer) >= BUFFER_HIGH_WATER:
            await self._paused.clear()
            await self._paused.wait()

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


class PlugH2(H2Protocol):
    """One HTTP/2 connection; see the module's text."""

    reader: asyncio.Task[Any] | None = None

    async def initiate(self, *args: Any, **kwargs: Any) -> None:
        self.reader = asyncio.current_task()
        connections: set[PlugH2] = getattr(self.context, "http2", set())
        connections.add(self)
        await super().initiate(*args, **kwargs)
        if getattr(self.context, "draining", False):
            await self.go_away(_ANY_STREAM)

    async def send_task(self) -> None:
        try:
            await super().send_task()
        finally:
            getattr(self.context, "http2", set()).discard(self)

    async def handle(self, event: Event) -> None:
        if isinstance(event, RawData):
            self.reader = asyncio.current_task()
        await super().handle(event)

    async def go_away(self, last_stream_id: int) -> None:
        """Tell the peer up to which stream its requests are answered. The h2 library's own way would end them all."""
        if not self.closed:
            frame = GoAwayFrame(stream_id=0, last_stream_id=last_stream_id, error_code=int(ErrorCodes.NO_ERROR))
            await self.send(RawData(data=frame.serialize()))

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.DataReceived) and event.stream_id not in self.streams:
                await self._late(event)
            elif isinstance(event, h2.events.RequestReceived) and self.context.terminated.is_set():
                self.connection.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            else:
                await super()._handle_events([event])
        await self._flush()

    async def _late(self, event: h2.events.DataReceived) -> None:
        """Data of a stream that was answered before it had come; the peer is to stop sending (RFC 9113, 8.1)."""
        self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        with suppress(ProtocolError):  # it has ended since
            self.connection.reset_stream(event.stream_id, ErrorCodes.NO_ERROR)

    async def _create_stream(self, request: h2.events.RequestReceived) -> None:
        await super()._create_stream(request)
        buffer = self.stream_buffers.get(request.stream_id)
        if isinstance(buffer, PlugBuffer):
            buffer.reader = self.reader

    async def _close_stream(self, stream_id: int) -> None:
        await super()._close_stream(stream_id)
        buffer = self.stream_buffers.get(stream_id)
        if isinstance(buffer, PlugBuffer):
            await buffer.end()
            stream = self.connection.streams.get(stream_id)
            if stream is None or stream.closed:  # else what it holds is still sent
                await self._forget(stream_id, buffer)

    async def _send_data(self, stream_id: int) -> None:
        buffer = self.stream_buffers.get(stream_id)
        try:
            if buffer is not None:
                window = self.connection.local_flow_control_window(stream_id)
                data = await buffer.pop(max(0, min(window, self.connection.max_outbound_frame_size)))
                if data:
                    self.connection.send_data(stream_id, data)
                else:
                    self.priority.block(stream_id)
                ends = buffer.complete
                if ends:
                    self.connection.end_stream(stream_id)
                await self._flush()
                if not ends:
                    return
        except (ProtocolError, MissingStreamError):
            pass  # it has ended meanwhile
        await self._forget(stream_id, buffer)

    async def _forget(self, stream_id: int, buffer: StreamBuffer | None) -> None:
        self.stream_buffers.pop(stream_id, None)
        with suppress(MissingStreamError):
            self.priority.remove_stream(stream_id)
        if buffer is not None:
            await buffer.close()


class PlugTCPServer(TCPServer):
    """One connection, whatever is spoken on it."""

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()  # the connection's end would wait for it, though the client has left


def install() -> None:
    """Make hypercorn use these classes."""
    # The one way: hypercorn takes no classes as arguments.
    vars(protocols)["H11Protocol"] = PlugH11
    vars(protocols)["H2Protocol"] = PlugH2
    vars(hypercorn_h2)["StreamBuffer"] = PlugBuffer
