"""What every server plugin shares: the options of `serve`, and the socket."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.running import ServerStartError
from quart_plug.servers import Acceptor, accepted, listen, listening, serve_options
from quart_plug.servers.inherited import VARIABLE, Inherited
from quart_plug.servers.workers import check_workers

LIMIT = 10.0
PEM = str(Path(__file__).parent / "plugins" / "hypercorn" / "localhost.pem")


def test_the_defaults() -> None:
    options = serve_options()
    assert (options.host, options.port, options.backlog, options.keep_alive) == ("127.0.0.1", 5000, 1024, 5.0)
    assert (options.limit_connections, options.limit_headers, options.sock) == (None, 65_536, None)
    assert (options.scheme, options.access_log) == ("http", True)


def test_none_is_the_default() -> None:
    assert serve_options(backlog=None, certfile=None, host="::1") == serve_options(host="::1")


def test_a_certificate_makes_it_https() -> None:
    options = serve_options(certfile=PEM)
    assert (options.scheme, options.key) == ("https", PEM)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": "red"}, ["does not know the option 'colour'", "keep_alive"]),
        ({"keepalive": 3}, ["'keepalive'", "did you mean 'keep_alive'"]),
        ({"port": 65_536}, ["port 65536 does not exist", "0 (any free one) to 65535"]),
        ({"backlog": 0}, ["--backlog", "a whole number from 1 up", "0"]),
        ({"limit_connections": 1.5}, ["--limit-connections", "a whole number", "1.5"]),
        ({"limit_headers": 10}, ["--limit-headers", "from 256 up"]),
        ({"keep_alive": -1}, ["--keep-alive", "seconds", "-1"]),
        ({"keep_alive": float("nan")}, ["--keep-alive", "nan"]),
        ({"backlog": True}, ["--backlog", "True"]),
        ({"keyfile": PEM}, ["--certfile"]),
        ({"ca_certs": PEM}, ["--certfile"]),
        ({"certfile": "nowhere.pem"}, ["--certfile", "there is no file 'nowhere.pem'"]),
        ({"certfile": PEM, "ca_certs": "nowhere.pem"}, ["--ca-certs", "'nowhere.pem'"]),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_said(given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ServerStartError) as caught:
        serve_options(**given)
    assert [word for word in words if word not in str(caught.value)] == []


async def test_a_given_socket_is_served_on() -> None:
    sock = listen("127.0.0.1", 0)
    app = Quart("shop")
    app.setup_plugins()
    async with listening(app, serve_options(sock=sock, port=1)) as found:
        assert found is sock
        assert not sock.getblocking()
    assert sock.fileno() == -1  # and closed at the end


def test_who_waits_to_be_accepted_can_be_taken_before_a_socket_is_closed() -> None:
    with listen("127.0.0.1", 0) as sock:
        assert accepted(sock) == []
        clients = [socket.create_connection(sock.getsockname()) for _ in range(3)]
        connections = accepted(sock)
    for client, connection in zip(clients, connections, strict=True):
        with client, connection:
            client.settimeout(LIMIT)
            connection.setblocking(True)
            connection.sendall(b"x")
            assert client.recv(1) == b"x"
    assert accepted(sock) == []


class Taken:
    """What an acceptor hands on."""

    def __init__(self) -> None:
        self.sock = listen("127.0.0.1", 0)
        self.connections: list[socket.socket] = []
        self.acceptor = Acceptor(self.sock, self.connections.append)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.sock.getsockname())

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(LIMIT):
            while len(self.connections) < count:
                await asyncio.sleep(0.001)

    def close(self) -> None:
        self.acceptor.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
async def taken() -> Any:
    taken = Taken()
    yield taken
    taken.close()


async def test_who_waits_to_be_accepted_is_handed_on_before_the_socket_is_closed(taken: Taken) -> None:
    taken.acceptor.start()
    with taken.connect():
        await taken.wait_for(1)
        waiting = [taken.connect() for _ in range(3)]
        address = taken.sock.getsockname()
        taken.acceptor.close()
        assert len(taken.connections) == 4
        for client, connection in zip(waiting, taken.connections[1:], strict=True):
            connection.send(b"x")
            with client:
                assert client.recv(1) == b"x"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    taken.acceptor.close()  # a second time does nothing


async def test_a_loop_that_cannot_watch_a_socket_waits_for_each_connection(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_reader(*args: Any) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", add_reader)
    taken.acceptor.start()
    monkeypatch.undo()  # the loop's own way of waiting needs it
    with taken.connect(), taken.connect():
        await taken.wait_for(2)


async def test_no_room_for_another_connection_is_said_and_tried_again(
    taken: Taken, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = True

    class Full(socket.socket):
        def accept(self) -> Any:
            if full:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    monkeypatch.setattr(Acceptor, "retry", 0.01)
    taken.acceptor.sock = Full(fileno=taken.sock.detach())
    taken.sock = taken.acceptor.sock
    taken.acceptor.start()
    with taken.connect():
        while "Too many open files" not in caplog.text:
            await asyncio.sleep(0.001)
        full = False
        await taken.wait_for(1)


# Workers


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "2"])
def test_a_number_of_workers_that_makes_no_sense_is_said(count: Any) -> None:
    with pytest.raises(ServerStartError, match="--workers has to be a whole number from 1 up"):
        check_workers(count)


def test_several_workers_are_for_the_main_thread() -> None:
    with ThreadPoolExecutor() as threads, pytest.raises(ServerStartError, match="main thread"):
        threads.submit(check_workers, 2).result()
    assert check_workers(2) == 2


def test_several_workers_are_for_systems_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quart_plug.servers.workers.os.name", "nt")
    with pytest.raises(ServerStartError, match="several times on different ports"):
        check_workers(2)


def test_what_is_inherited_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not by the programs that the application starts, nor by one that has not the sockets."""
    sock, (ours, theirs) = listen("127.0.0.1", 0), socket.socketpair()
    for name, value in Inherited.environment({}, sock.fileno(), theirs.fileno(), 3).items():
        monkeypatch.setenv(name, value)
    inherited = Inherited.from_environment()
    assert inherited is not None and VARIABLE not in os.environ
    assert (inherited.number, inherited.sock.getsockname()) == (3, sock.getsockname())
    inherited.say_running("Running on …")
    assert ours.recv(16) == b"S"
    assert Inherited.from_environment() is None
    sock.detach()
    theirs.detach()
    inherited.close()
    ours.close()
    monkeypatch.setenv(VARIABLE, "1000001:1000002:1")
    assert Inherited.from_environment() is None
