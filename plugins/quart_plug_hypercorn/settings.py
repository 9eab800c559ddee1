"""The application's settings in hypercorn's words.

A limit that the framework also enforces is passed on, so that the server holds it before the app sees
anything. Reads settings; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypercorn.config import Config

from quart_plug.servers import ServeOptions

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


def server_config(settings: Mapping[str, Any], options: ServeOptions) -> PlugConfig:
    """Hypercorn's configuration for these application settings and options."""

    def setting(name: str) -> Any:
        return settings.get(name, DEFAULTS[name])

    config = PlugConfig()
    config.accesslog = None  # written by quart_plug.servers, in the same words as for every server
    config.errorlog = "-"
    config.certfile = options.certfile
    config.keyfile = options.key
    config.ca_certs = options.ca_certs
    config.backlog = options.backlog
    config.keep_alive_timeout = options.keep_alive
    config.h11_max_incomplete_size = options.limit_headers
    config.h2_max_header_list_size = options.limit_headers
    config.graceful_timeout = float(setting("SHUTDOWN_TIMEOUT"))
    # None is "no limit" to the framework; hypercorn compares with a number.
    size = setting("WEBSOCKET_MAX_MESSAGE_SIZE")
    config.websocket_max_message_size = size if size is not None else 2**63 - 1
    config.websocket_ping_interval = setting("WEBSOCKET_PING_INTERVAL")
    config.websocket_ping_timeout = setting("WEBSOCKET_PING_TIMEOUT")
    return config
