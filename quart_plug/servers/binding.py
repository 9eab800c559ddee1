"""A listening socket for a host and a port, or an error that says what is in the way and how to go on.

The socket is bound *and* listening when it is returned, so nothing can take the port between the check
and the start. Knows no server.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ..running import ServerStartError
from .options import ServeOptions, url_of

if TYPE_CHECKING:
    from ..app import Quart

__all__ = ["listen", "listening"]


@asynccontextmanager
async def listening(app: Quart, options: ServeOptions) -> AsyncIterator[socket.socket]:
    """The socket to serve on, given or made; the plugins are told of it (hook `listening`). At the end it is closed.

    Raises ServerStartError when it is not possible to listen.
    """
    sock = options.sock or listen(options.host, options.port, options.backlog)
    try:
        sock.setblocking(False)
        hook = app.plugin_hooks.call("listening")
        if hook is not None:
            await hook(app, url_of(sock, options.scheme))
        yield sock
    finally:
        sock.close()


def listen(host: str, port: int, backlog: int = 1024) -> socket.socket:
    """A socket that listens on the host's first address (IPv4 before IPv6); port 0 takes a free one.

    Raises ServerStartError when that is not possible.
    """
    if not 0 <= port <= 65535:
        raise ServerStartError(f"port {port} does not exist; ports are 0 (any free one) to 65535")
    family, address = _resolve(host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "nt":
            # There SO_REUSEADDR would let a second process steal the port.
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE"), 1)  # noqa: B009
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _explained(error, host, port) from error
    return sock


def _resolve(host: str, port: int) -> tuple[int, tuple[str, int] | tuple[str, int, int, int]]:
    host = host.strip("[]") or "0.0.0.0"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ServerStartError(
            f"the host {host!r} is not known; use --host with an address of this machine, such as 127.0.0.1"
        ) from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, address  # type: ignore[return-value]  # typeshed adds a form without IPv6 support


def _explained(error: OSError, host: str, port: int) -> ServerStartError:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10048:
        return ServerStartError(
            f"port {port} on {host} is already in use; use --port with another one (0 takes a free one), "
            "or stop the program that uses it"
        )
    if error.errno == errno.EACCES:
        return ServerStartError(f"port {port} on {host} may not be used by this user; use --port with one above 1023")
    if error.errno == errno.EADDRNOTAVAIL:
        return ServerStartError(
            f"{host} is not an address of this machine; use --host with 127.0.0.1, or 0.0.0.0 for all its addresses"
        )
    return ServerStartError(f"cannot listen on {host}, port {port}: {error.strerror or error}")
