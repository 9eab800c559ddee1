"""The plugin: where the codec meets the application."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quart_plug import Quart, hookimpl

from .codec import MEDIA_TYPES, MessagePack

if TYPE_CHECKING:
    from quart_plug.ctx import Context
    from quart_plug.wrappers import Handshake


@dataclass(frozen=True)
class Settings:
    """`[plugins.msgpack]`"""

    media_types: tuple[str, ...] = MEDIA_TYPES  # the first is sent to clients that name none of them
    subprotocol: str = "msgpack"  # of websockets; an empty text leaves websockets alone
    extended: bool = False  # extension types instead of what JSON would have
    max_bytes: int = 1024 * 1024  # of a body or message that comes in
    max_items: int = 100_000  # of an array or map in it
    max_depth: int = 64  # of arrays and maps in each other

    def __post_init__(self) -> None:
        if not self.media_types or not all("/" in name for name in self.media_types):
            raise ValueError('media_types has to be a list such as ["application/msgpack"]')
        for limit in ("max_bytes", "max_items", "max_depth"):
            if getattr(self, limit) < 1:
                raise ValueError(f"{limit} has to be 1 or more")


class Plugin:
    """One object for all applications; what belongs to one is asked of it."""

    __quart_plug__ = {"api": "1", "requires": ["json"], "after": ["json"]}

    @hookimpl
    def configuration_schema(self, app: Quart) -> type[Settings]:
        return Settings

    @hookimpl
    def content_types(self, app: Quart) -> list[MessagePack]:
        settings = app.plugin_config(Settings)

        def otherwise(obj: Any) -> Any:
            """As the application's JSON has it, with all that it and other plugins add to that."""
            return json.loads(app.json.dumps(obj))

        return [
            MessagePack(
                otherwise,
                media_types=tuple(name.lower() for name in settings.media_types),
                subprotocol=settings.subprotocol or None,
                extended=settings.extended,
                max_bytes=settings.max_bytes,
                max_items=settings.max_items,
                max_depth=settings.max_depth,
            )
        ]

    @hookimpl
    async def websocket_accepting(self, ctx: Context, handshake: Handshake) -> None:
        """Speak MessagePack with clients that ask for it, unless the view or another plugin chose already."""
        subprotocol = ctx.app.plugin_config(Settings).subprotocol
        if subprotocol and handshake.subprotocol is None and subprotocol in handshake.requested_subprotocols:
            handshake.subprotocol = subprotocol


plugin = Plugin()
