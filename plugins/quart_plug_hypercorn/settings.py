"""The application's settings in hypercorn's words.

A limit that the framework also enforces is passed on, so that the server holds it before the app sees
anything. Reads settings; starts nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hypercorn.config import Config

from quart_plug.running import ServerStartError

ACCESS_LOG_FORMAT = "%(h)s %(r)s %(s)s %(b)s %(D)s"

MiB = 1024 * 1024
DEFAULTS: dict[str, Any] = {
    "SHUTDOWN_TIMEOUT": 5.0,
    "WEBSOCKET_MAX_MESSAGE_SIZE": 16 * MiB,
    "WEBSOCKET_PING_INTERVAL": 20.0,
    "WEBSOCKET_PING_TIMEOUT": 20.0,
}


class PlugConfig(Config):
    """hypercorn's configuration, and what our websocket streams need beside it."""

    websocket_ping_timeout: float | None = None


def server_config(
    settings: Mapping[str, Any],
    *,
    access_log: bool = True,
    certfile: str | None = None,
    keyfile: str | None = None,
    ca_certs: str | None = None,
) -> PlugConfig:
    """Hypercorn's configuration for these application settings.

    access_log   whether each request is written to stdout.
    certfile     PEM file of the certificate chain; with the key in it, `keyfile` may be left out.
    ca_certs     PEM file of the authorities whose client certificates are accepted.

    Raises ServerStartError when a file is missing.
    """

    def setting(name: str) -> Any:
        return settings.get(name, DEFAULTS[name])

    if certfile is None and (keyfile is not None or ca_certs is not None):
        raise ServerStartError("a key or CA certificates without a certificate; give --certfile too")
    for option, path in (("certfile", certfile), ("keyfile", keyfile), ("ca-certs", ca_certs)):
        if path is not None and not os.path.isfile(path):
            raise ServerStartError(f"--{option}: there is no file {path!r}")

    config = PlugConfig()
    config.access_log_format = ACCESS_LOG_FORMAT
    config.accesslog = "-" if access_log else None
    config.errorlog = "-"
    config.certfile = certfile
    config.keyfile = keyfile if keyfile is not None else certfile
    config.ca_certs = ca_certs
    config.graceful_timeout = float(setting("SHUTDOWN_TIMEOUT"))
    # None is "no limit" to the framework; hypercorn compares with a number.
    size = setting("WEBSOCKET_MAX_MESSAGE_SIZE")
    config.websocket_max_message_size = size if size is not None else 2**63 - 1
    config.websocket_ping_interval = setting("WEBSOCKET_PING_INTERVAL")
    config.websocket_ping_timeout = setting("WEBSOCKET_PING_TIMEOUT")
    return config
