"""What a server plugin gives for the hook `server`: the call that every server has, with its options checked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .options import ServeOptions, serve_options

if TYPE_CHECKING:
    from ..app import Quart


class PluginServer(ABC):
    """A server that fills the slot `server` under its name."""

    name: str

    async def serve(
        self,
        app: Quart,
        *,
        host: str,
        port: int,
        debug: bool = False,
        certfile: str | None = None,
        keyfile: str | None = None,
        ca_certs: str | None = None,
        shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
        **options: Any,
    ) -> None:
        """Serve until `shutdown_trigger()` returns, or for ever.

        options   as in `ServeOptions`.

        Raises ServerStartError when it cannot listen, ApplicationStartError when the app's start-up fails, an
        ExceptionGroup with the trigger's error.
        """
        how = serve_options(host=host, port=port, certfile=certfile, keyfile=keyfile, ca_certs=ca_certs, **options)
        await self.run(app, how, shutdown_trigger)

    @abstractmethod
    async def run(self, app: Quart, how: ServeOptions, trigger: Callable[..., Awaitable[None]] | None) -> None:
        """Serve as the options say."""
