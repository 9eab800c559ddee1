"""What every server plugin shares: the options of `serve`, and the socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.running import ServerStartError
from quart_plug.servers import accepted, listen, listening, serve_options

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


def test_who_waits_to_be_accepted_can_be_taken_before_the_socket_is_closed() -> None:
    with listen("127.0.0.1", 0) as sock:
        assert accepted(sock) == []
        clients = [socket.create_connection(sock.getsockname()) for _ in range(3)]
        connections = accepted(sock)
    for client, connection in zip(clients, connections, strict=True):
        with client, connection:
            client.settimeout(10)
            connection.setblocking(True)
            connection.sendall(b"x")
    assert accepted(sock) == []
