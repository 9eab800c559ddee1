"""URL-safe base64 without padding, which signed cookies are made of. Imports nothing of itsdangerous."""

from __future__ import annotations

from binascii import a2b_base64


def decode_unpadded(data: bytes) -> bytes:
    """The bytes of URL-safe base64 without padding; ValueError when they cannot be told."""
    return a2b_base64(data.replace(b"-", b"+").replace(b"_", b"/") + b"==")
