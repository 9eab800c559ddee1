"""The options of `serve`, the same for every server plugin, checked once.

Knows no server: what one cannot do it says itself, as ServerStartError.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ..hooks.suggestions import did_you_mean
from ..running import DEFAULT_HOST, DEFAULT_PORT, ServerStartError

__all__ = ["ServeOptions", "serve_options", "unusable_certificate", "url_of"]

KiB = 1024


def _say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How to serve; `serve_options` makes one that is sound.

    host, port         what to listen on; port 0 takes a free one.
    certfile           PEM file of the certificate chain, for TLS; with the key in it, `keyfile` may be left out.
    keyfile            PEM file of the certificate's key.
    ca_certs           PEM file of the authorities; then a client has to show a certificate of theirs.
    access_log         whether each request is written to stdout.
    announce           gets the line that says where the app runs, once it really does.
    backlog            how many connections the system keeps until they are accepted.
    limit_connections  how many connections may be open; further ones are refused. None: no limit.
    keep_alive         seconds that an idle connection is kept for another request.
    limit_headers      bytes of a request's line and headers.
    sock               a socket that listens already: host, port and backlog have had their effect.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    certfile: str | None = None
    keyfile: str | None = None
    ca_certs: str | None = None
    access_log: bool = True
    announce: Callable[[str], None] = _say
    backlog: int = 1024
    limit_connections: int | None = None
    keep_alive: float = 5.0
    limit_headers: int = 64 * KiB
    sock: socket.socket | None = None

    @property
    def scheme(self) -> str:
        """ "https" with a certificate, else "http"."""
        return "http" if self.certfile is None else "https"

    def announce_at(self, sock: socket.socket) -> None:
        """Say that the app runs, and where."""
        self.announce(f"Running on {url_of(sock, self.scheme)} (CTRL + C to quit)")

    @property
    def key(self) -> str | None:
        """The file that the key is in."""
        return self.certfile if self.keyfile is None else self.keyfile


def url_of(sock: socket.socket, scheme: str) -> str:
    """The URL under which the socket is reached, with its real port."""
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"


OPTIONS = tuple(field.name for field in fields(ServeOptions))

# name -> the least value, and whether it has to be a whole number
_NUMBERS: dict[str, tuple[float, bool]] = {
    "backlog": (1, True),
    "limit_connections": (1, True),
    "keep_alive": (0, False),
    "limit_headers": (256, True),
}


def serve_options(**given: Any) -> ServeOptions:
    """The options as they were given to `serve`; None is the default.

    Raises ServerStartError for an option that is not known, a number that makes no sense, a file that is missing.
    """
    unknown = [f"{name!r}{did_you_mean(name, OPTIONS)}" for name in given if name not in OPTIONS]
    if unknown:
        raise ServerStartError(
            f"a server does not know the option{'s' if len(unknown) > 1 else ''} {', '.join(unknown)};"
            f" there are {', '.join(OPTIONS)}"
        )
    options = ServeOptions(**{name: value for name, value in given.items() if value is not None})
    _check_port(options.port)
    for name, (least, whole) in _NUMBERS.items():
        _check_number(name, getattr(options, name), least, whole)
    if options.certfile is None and (options.keyfile is not None or options.ca_certs is not None):
        raise ServerStartError("a key or CA certificates without a certificate; give --certfile too")
    for name in ("certfile", "keyfile", "ca_certs"):
        path = getattr(options, name)
        if path is not None and not os.path.isfile(path):
            raise ServerStartError(f"{_as_option(name)}: there is no file {path!r}")
    return options


def _check_port(port: Any) -> None:
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise ServerStartError(f"port {port} does not exist; ports are 0 (any free one) to 65535")


def _check_number(name: str, value: Any, least: float, whole: bool) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not value >= least:
        kind = "a whole number" if whole else "a number of seconds"
        raise ServerStartError(f"{_as_option(name)} has to be {kind} from {least:g} up, not {value!r}")


def _as_option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def unusable_certificate(options: ServeOptions, error: Exception) -> ServerStartError:
    """What to raise when a library cannot read the certificate or its key."""
    what = f"the certificate {options.certfile!r}"
    if options.keyfile is not None:
        what += f" or its key {options.keyfile!r}"
    if options.ca_certs is not None:
        what += f" or the authorities {options.ca_certs!r}"
    return ServerStartError(f"{what} is not usable: {error}")
