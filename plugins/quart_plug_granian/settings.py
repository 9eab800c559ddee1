"""The common options in granian's words, and what of them granian cannot do.

Reads options; starts nothing.
"""

from __future__ import annotations

import ssl
import warnings
from importlib.metadata import version
from typing import Any

from granian.http import HTTP1Settings, HTTP2Settings

from quart_plug.servers import ServeOptions, unusable_certificate

SUPPORTED = "2.8"
LEAST_BUFFER = 8192  # bytes; hyper, which granian is made of, ends the process for less
HEADER_SECONDS = 30.0  # granian's own; with keep_alive = 0 nothing else says how long a request's head may take
NO_LIMIT = 2**31 - 1


def check_version() -> None:
    """Warn of a granian that this plugin was not made for."""
    installed = version("granian")
    if installed.rsplit(".", 1)[0] != SUPPORTED:
        warnings.warn(
            f"granian {installed} is installed, but the plugin 'granian' uses what is only known of {SUPPORTED};"
            " install 'granian>=2.8,<2.9'",
            stacklevel=3,
        )


def worker_arguments(options: ServeOptions) -> tuple[Any, ...]:
    """What follows the socket in the arguments of granian's worker.

    Raises ServerStartError for a certificate that cannot be used: in granian it would end the process.
    """
    seconds = options.keep_alive or HEADER_SECONDS
    buffer = max(options.limit_headers, LEAST_BUFFER)
    return (
        None,  # no metrics
        1,  # thread for connections; the app is in the loop's
        1,  # thread that may block: none is asked for
        1,  # thread that calls Python
        30,  # seconds after which that one ends when idle
        options.limit_connections or NO_LIMIT,
        "auto",  # HTTP/1.1 and HTTP/2
        HTTP1Settings(
            # hyper's limit is for the time from a response, or the connection's beginning, to a request's whole head.
            header_read_timeout=int(seconds * 1000),
            keep_alive=options.keep_alive > 0,
            max_buffer_size=buffer,
        ),
        HTTP2Settings(max_headers_size=options.limit_headers),
        True,  # websockets
        None,  # no static files
        *_tls_arguments(options),
        (None, None),  # no metrics
    )


def _tls_arguments(options: ServeOptions) -> tuple[Any, ...]:
    if options.certfile is None:
        return (False, None, None, None, "tls1.2", None, [], False)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certfile, options.key)
        if options.ca_certs is not None:
            context.load_verify_locations(options.ca_certs)
    except (ssl.SSLError, OSError) as error:
        raise unusable_certificate(options, error) from error
    verify = options.ca_certs is not None
    return (True, options.certfile, options.key, None, "tls1.2", options.ca_certs, [], verify)
