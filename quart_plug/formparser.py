"""Quart's module name for the form parsers; they live in `quart_plug.wrappers.multipart`."""

from __future__ import annotations

from .wrappers.multipart import (
    FormDataParser,
    MultiPartParser,
    ParserFunc,
    StreamFactory,
    default_stream_factory,
)

__all__ = ["FormDataParser", "MultiPartParser", "ParserFunc", "StreamFactory", "default_stream_factory"]
