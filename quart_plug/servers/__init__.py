"""What every server plugin shares: its options, its listening socket; and several processes on one socket.

A plugin's server is a `PluginServer`, and takes its socket from `listening(app, options)`. One that runs in the app's
loop is a `Sequence`; another says where it runs with `options.announce`, and ends with what `quart_plug.draining` has.
Must not know any server.
"""

from __future__ import annotations

from .accepting import Acceptor, accepted
from .access_log import access_logged
from .binding import listen, listening
from .inherited import worker_number
from .lifespan import Lifespan
from .options import ServeOptions, serve_options, unusable_certificate, url_of
from .plugin import PluginServer
from .sequence import Sequence, cancelled
from .tls import tls_context

__all__ = [
    "Acceptor",
    "Lifespan",
    "PluginServer",
    "Sequence",
    "ServeOptions",
    "accepted",
    "access_logged",
    "cancelled",
    "listen",
    "listening",
    "serve_options",
    "tls_context",
    "unusable_certificate",
    "url_of",
    "worker_number",
]
