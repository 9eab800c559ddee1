"""Quart's `quart.json.provider`, by name: the plugin's classes, imported on first use. Enables nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hooks.names import lazy_names

if TYPE_CHECKING:
    from quart_plug_json.provider import DefaultJSONProvider, JSONProvider

__all__ = ["DefaultJSONProvider", "JSONProvider"]

__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(__all__, "json"))
