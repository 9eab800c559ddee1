"""Raw clients for a server on this machine: HTTP/1.1, HTTP/2, websockets, with what hypercorn itself needs.

Every wait has a limit.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager

import h2.config
import h2.connection
import h2.events
import h11
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

LIMIT = 10.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@asynccontextmanager
async def serving(app):
    """The application behind hypercorn, in this loop; its port."""
    port, stop = free_port(), asyncio.Event()
    server = asyncio.create_task(app.run_task("127.0.0.1", port, shutdown_trigger=stop.wait))
    try:
        await reachable(port, server)
        yield port
    finally:
        stop.set()
        async with asyncio.timeout(LIMIT):
            await server


async def reachable(port: int, server: asyncio.Task | None = None) -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            if server is not None and server.done():
                server.result()
                raise AssertionError("the server ended")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


class Http:
    """One connection, HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.state = h11.Connection(h11.CLIENT)

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *exception):
        self.writer.close()

    def send(self, method: str, target: str, headers=(), body=b"") -> None:
        """A body that is a list is sent in chunks."""
        sent = [("Host", f"127.0.0.1:{self.port}"), *headers]
        parts = [body] if isinstance(body, bytes) else body
        if isinstance(body, bytes):
            sent.append(("Content-Length", str(len(body))))
        else:
            sent.append(("Transfer-Encoding", "chunked"))
        self.writer.write(self.state.send(h11.Request(method=method, target=target, headers=sent)))
        for part in parts:
            if part:
                self.writer.write(self.state.send(h11.Data(part)))
        self.writer.write(self.state.send(h11.EndOfMessage()))

    async def event(self):
        async with asyncio.timeout(LIMIT):
            while True:
                event = self.state.next_event()
                if event is not h11.NEED_DATA:
                    return event
                self.state.receive_data(await self.reader.read(65536))

    async def ask(self, method: str, target: str, headers=(), body=b""):
        """Status, headers and body of the answer."""
        self.send(method, target, headers, body)
        response = await self.event()
        received = b""
        while type(event := await self.event()) is h11.Data:
            received += event.data
        assert type(event) is h11.EndOfMessage
        if self.state.our_state is h11.DONE and self.state.their_state is h11.DONE:
            self.state.start_next_cycle()
        return response.status_code, {name.decode(): value.decode() for name, value in response.headers}, received

    def vanish(self) -> None:
        """Leave with a TCP reset."""
        raw = self.writer.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Socket:
    """One websocket."""

    def __init__(self, port: int, target: str, headers=(), subprotocols=()) -> None:
        self.port = port
        self.target = target
        self.headers = [(name.encode(), value.encode()) for name, value in headers]
        self.subprotocols = list(subprotocols)
        self.state = WSConnection(ConnectionType.CLIENT)
        self.waiting = []
        self.handshake = None
        self.refusal = b""

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._send(
            Request(
                host=f"127.0.0.1:{self.port}",
                target=self.target,
                extra_headers=self.headers,
                subprotocols=self.subprotocols,
            )
        )
        self.handshake = await self._event()
        return self

    async def __aexit__(self, *exception):
        self.writer.close()

    def _send(self, event) -> None:
        self.writer.write(self.state.send(event))

    async def _event(self):
        async with asyncio.timeout(LIMIT):
            while not self.waiting:
                data = await self.reader.read(65536)
                self.state.receive_data(data or None)
                self.waiting.extend(self.state.events())
        return self.waiting.pop(0)

    @property
    def accepted(self) -> bool:
        return isinstance(self.handshake, AcceptConnection)

    async def rejection(self):
        """Status, headers and body of a handshake that was refused."""
        assert isinstance(self.handshake, RejectConnection), self.handshake
        body = b""
        if self.handshake.has_body:
            while True:
                event = await self._event()
                assert isinstance(event, RejectData)
                body += event.data
                if event.body_finished:
                    break
        headers = {name.decode(): value.decode() for name, value in self.handshake.headers}
        return self.handshake.status_code, headers, body

    def send(self, data: str | bytes) -> None:
        self._send(Message(data=data))

    async def receive(self) -> str | bytes:
        event = await self._event()
        assert isinstance(event, TextMessage | BytesMessage), event
        return event.data if isinstance(event.data, str) else bytes(event.data)

    async def end(self) -> tuple[int, str | None]:
        """Code and reason of the server's close."""
        event = await self._event()
        assert isinstance(event, CloseConnection), event
        self._send(event.response())
        return event.code, event.reason or None

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._send(CloseConnection(code, reason))

    vanish = Http.vanish


async def pushes_of(port: int, path: str) -> tuple[list[str], bytes]:
    """What a server pushes with a page, over HTTP/2 without TLS (by prior knowledge): the paths; the page."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    state.initiate_connection()
    headers = [(":method", "GET"), (":path", path), (":scheme", "http"), (":authority", f"127.0.0.1:{port}")]
    state.send_headers(1, headers, end_stream=True)
    writer.write(state.data_to_send())
    promised, body, open_streams = [], b"", {1}
    async with asyncio.timeout(LIMIT):
        while open_streams:
            for event in state.receive_data(await reader.read(65536)):
                if isinstance(event, h2.events.PushedStreamReceived):
                    promised.append(dict(event.headers)[":path"])
                    open_streams.add(event.pushed_stream_id)
                elif isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    body += event.data if event.stream_id == 1 else b""
                elif isinstance(event, h2.events.StreamEnded):
                    open_streams.discard(event.stream_id)
            writer.write(state.data_to_send())
    writer.close()
    return promised, body
