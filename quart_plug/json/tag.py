"""Quart's `quart.json.tag`, by name: the plugin's classes, imported on first use. Enables nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hooks.names import lazy_names

if TYPE_CHECKING:
    from quart_plug_sessions.tag import (
        JSONTag,
        PassDict,
        PassList,
        TagBytes,
        TagDateTime,
        TagDict,
        TaggedJSONSerializer,
        TagMarkup,
        TagTuple,
        TagUUID,
    )

__all__ = [
    "JSONTag",
    "PassDict",
    "PassList",
    "TagBytes",
    "TagDateTime",
    "TagDict",
    "TagMarkup",
    "TagTuple",
    "TagUUID",
    "TaggedJSONSerializer",
]

__getattr__, __dir__ = lazy_names(__name__, {name: f"sessions:tag.{name}" for name in __all__})
