"""Hooks of JSON and of what else an app speaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..markers import hookspec

if TYPE_CHECKING:
    from ...app import Quart
    from ...content_types import Codec

# Serialization ------------------------------------------------------------------------------------------------------


@hookspec(kind="first", colour="sync")
def json_default(app: Quart, obj: Any) -> Any | None:
    """Turn an object that JSON does not know into one that it knows."""


@hookspec(kind="pipe", colour="sync")
def json_dumping(app: Quart, obj: Any) -> Any | None:
    """An object is about to be written as JSON, by `app.json`; an answer takes its place.

    For responses, websockets and `app.json.dumps` alike. Asked by the plugin `json`; other providers do as they like.
    """


@hookspec(kind="pipe", colour="sync")
def json_loaded(app: Quart, obj: Any) -> Any | None:
    """JSON was read, by `app.json`: a body, a websocket's message; an answer takes its place. As `json_dumping`."""


@hookspec(kind="collect", colour="sync")
def content_types(app: Quart) -> Iterable[Codec] | None:
    """What can be spoken beside JSON; see `quart_plug.content_types.Codec`.

    A dictionary or list returned by a view is sent in the type that the client prefers (Accept). `get_json` reads a
    body of such a type. `send_json` and `receive_json` of a websocket with the codec's subprotocol use it, in binary
    messages.
    """
