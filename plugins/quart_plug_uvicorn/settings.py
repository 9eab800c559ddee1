"""The application's settings and the server's options in uvicorn's words. Reads settings; starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uvicorn import Config

from quart_plug.servers import ServeOptions, access_logged

from .http import HttpConnection
from .websockets import Websocket

MiB = 1024 * 1024
DEFAULTS: dict[str, Any] = {
    "WEBSOCKET_MAX_MESSAGE_SIZE": 16 * MiB,
    "WEBSOCKET_PING_INTERVAL": 20.0,
    "WEBSOCKET_PING_TIMEOUT": 20.0,
}


class PlugConfig(Config):
    """uvicorn's configuration, and what our protocol classes need beside it."""

    limit_headers: int
    limit_connections: int | None


def server_config(app: Any, settings: Mapping[str, Any], options: ServeOptions) -> PlugConfig:
    """Uvicorn's configuration for these application settings and options, loaded."""

    def setting(name: str) -> Any:
        return settings.get(name, DEFAULTS[name])

    served = access_logged(app) if options.access_log else app

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await served(scope, receive, send)

    config = PlugConfig(
        asgi,
        http=HttpConnection,  # type: ignore[arg-type]  # is mixed into a class of asyncio.Protocol
        ws=Websocket,
        # Logging belongs to the application; signals, workers, the reloader and TLS to quart-plug.
        log_config=None,
        loop="none",
        lifespan="off",
        interface="asgi3",
        workers=1,
        proxy_headers=False,  # by default it believes every proxy on this machine
        backlog=options.backlog,
        timeout_keep_alive=options.keep_alive,  # type: ignore[arg-type]  # a number is enough
        h11_max_incomplete_event_size=options.limit_headers,
        ws_max_size=setting("WEBSOCKET_MAX_MESSAGE_SIZE"),
        ws_ping_interval=setting("WEBSOCKET_PING_INTERVAL"),
        ws_ping_timeout=setting("WEBSOCKET_PING_TIMEOUT"),
    )
    config.limit_headers = options.limit_headers
    config.limit_connections = options.limit_connections
    config.load()
    return config
