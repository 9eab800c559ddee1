"""Finding the connection of a peer among the process's descriptors, which are used again."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from quart_plug_granian.transports import Transports


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_descriptor_that_is_another_connections_by_now(listener: socket.socket) -> None:
    """Nobody tells of the end of connections that were never asked for, as those of requests."""
    transports = Transports(listener)
    with socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        number = accepted.fileno()
        assert transports.find(("127.0.0.1", 1)) is None  # nobody's, so all are looked at
    with socket.create_connection(listener.getsockname()) as second:
        accepted.close()
        accepted, peer = listener.accept()
        with accepted:
            assert accepted.fileno() == number, "the system gives the lowest number that is free"
            found = transports.find(peer)
            assert found is not None
            with found:
                assert found.getpeername() == second.getsockname()
            assert set(transports._known) == {peer}  # what is over is forgotten
