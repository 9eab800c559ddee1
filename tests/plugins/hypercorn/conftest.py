"""Hypercorn in the test's own loop."""

from __future__ import annotations

import asyncio
from typing import Any

import h2.connection
import pytest

from quart_plug_hypercorn.serving import HypercornServer
from tests.support.serving import LIMIT, connect, get, make_app, raw, serve

__all__ = ["connect", "get", "make_app", "raw", "serve"]


@pytest.fixture
def server_class() -> Any:
    return HypercornServer


class Http2:
    """A HTTP/2 client that never widens a stream's window by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.protocol = h2.connection.H2Connection()
        self.protocol.initiate_connection()
        self.protocol.increment_flow_control_window(2**24)  # the connection's: only the streams are narrow
        self.seen: list[Any] = []

    def open(self, method: str, path: str = "/") -> int:
        stream_id = self.protocol.get_next_available_stream_id()
        headers = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "localhost")]
        if method == "CONNECT":
            headers += [(":protocol", "websocket"), ("sec-websocket-version", "13")]
        self.protocol.send_headers(stream_id, headers, end_stream=method == "GET")
        self.flush()
        return stream_id

    def send(self, stream_id: int, data: bytes) -> None:
        self.protocol.send_data(stream_id, data)
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.protocol.data_to_send())

    async def until(self, kind: type, stream_id: int) -> Any:
        """Read up to the first such event of the stream."""
        while True:
            for event in self.seen:
                if isinstance(event, kind) and event.stream_id == stream_id:  # type: ignore[attr-defined]
                    return event
            data = await asyncio.wait_for(self.reader.read(65_536), LIMIT)
            assert data, f"the server closed the connection before {kind.__name__}"
            self.seen += self.protocol.receive_data(data)
            self.flush()


@pytest.fixture
def http2(connect: Any) -> Any:
    async def open_(port: int) -> Http2:
        return Http2(*await connect(port))

    return open_
