"""Signing as itsdangerous does it, with what can be kept between two cookies kept.

The format is that of `itsdangerous.URLSafeTimedSerializer`: cookies can be read both ways. Only its
documented points of extension are used. What is short cut here accepts only what itsdangerous accepts, and
leaves everything else, errors above all, to itsdangerous. Knows no app and no session.
"""

from __future__ import annotations

import hmac
import zlib
from typing import Any

from itsdangerous import (
    HMACAlgorithm,
    TimestampSigner,
    URLSafeTimedSerializer,
    base64_encode,
)
from itsdangerous.signer import SigningAlgorithm

from .unpadded import decode_unpadded


class OneShotHMAC(HMACAlgorithm):
    """HMAC in one call into C; the same bytes."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, self.digest_method)


class KeptKeySigner(TimestampSigner):
    """Derives each key once."""

    def __init__(
        self,
        secret_key: Any,
        salt: str | bytes = b"itsdangerous.Signer",
        sep: str | bytes = b".",
        key_derivation: str | None = None,
        digest_method: Any = None,
        algorithm: SigningAlgorithm | None = None,
    ) -> None:
        algorithm = algorithm or OneShotHMAC(digest_method)
        super().__init__(secret_key, salt, sep, key_derivation, digest_method, algorithm)
        self._derived: dict[Any, bytes] = {}

    def derive_key(self, secret_key: Any = None) -> bytes:
        key = self._derived.get(secret_key)
        if key is None:
            key = self._derived[secret_key] = super().derive_key(secret_key)
        return key

    def unsign_own(self, signed: bytes, max_age: int) -> bytes | None:
        """The payload, if this signer's first key signed it, at most `max_age` seconds ago; else None."""
        body, _, signature = signed.rpartition(self.sep)
        payload, _, timestamp = body.rpartition(self.sep)
        if not payload or not hmac.compare_digest(self.get_signature(body), signature):
            return None
        age = self.get_timestamp() - int.from_bytes(decode_unpadded(timestamp), "big")
        return payload if 0 <= age <= max_age else None


_SMALL = 64  # bytes of which compression could save a few


class KeptSignerSerializer(URLSafeTimedSerializer):
    """Keeps its signer, and compresses with little memory, and only what is worth it."""

    default_signer = KeptKeySigner
    _signer: Any = None

    def make_signer(self, salt: Any = None) -> Any:
        if salt is not None and salt != self.salt:
            return super().make_signer(salt)
        if self._signer is None:
            self._signer = super().make_signer(self.salt)
        return self._signer

    def loads(  # type: ignore[override]  # as in TimedSerializer
        self, s: str | bytes, max_age: int | None = None, return_timestamp: bool = False, salt: Any = None
    ) -> Any:
        if max_age is not None and not return_timestamp and salt is None:
            payload = self.make_signer().unsign_own(s.encode() if isinstance(s, str) else s, max_age)
            if payload is not None:
                return self.load_payload(payload)
        return super().loads(s, max_age, return_timestamp, salt)

    def load_payload(self, payload: bytes, *args: Any, **kwargs: Any) -> Any:
        if self.is_text_serializer and payload[:1] != b"." and not args and not kwargs:
            try:
                return self.serializer.loads(decode_unpadded(payload).decode())
            except Exception:  # itsdangerous says what is wrong
                return super().load_payload(payload)
        return super().load_payload(payload, *args, **kwargs)

    def dump_payload(self, obj: Any) -> bytes:
        # zlib's own default takes memory of 256 KB, which is most of the time that a small cookie takes. A
        # window of 4 KB holds any cookie that a browser keeps, and gives the same length.
        serialized: str | bytes = self.serializer.dumps(obj, **self.serializer_kwargs)
        data = serialized.encode() if isinstance(serialized, str) else serialized
        if len(data) < _SMALL:
            return base64_encode(data)
        compressor = zlib.compressobj(wbits=12, memLevel=4)
        compressed = compressor.compress(data) + compressor.flush()
        if len(compressed) < len(data) - 1:
            return b"." + base64_encode(compressed)
        return base64_encode(data)
