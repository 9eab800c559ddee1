"""permessage-deflate (RFC 7692) that inflates a message only up to the limit that messages have.

wsproto's extension inflates whatever has arrived at once, a thousand times its size; the limit is looked at afterwards.
This one stops a byte beyond the limit and refuses the message, so that one of exactly the limit passes. What counts is
the whole message, however it is divided into frames; and a ping between its frames (RFC 6455, 5.4) leaves it as it is.

Must not know hypercorn, nor what a limit is for.
"""

from __future__ import annotations

import zlib
from typing import Any

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, Opcode, RsvBits

_PIECE = 64 * 1024  # bytes that are inflated at a time
_TAIL = b"\x00\x00\xff\xff"  # what the sender left out at the end of a message (RFC 7692, 7.2.1)


class LimitedDeflate(PerMessageDeflate):
    """limit  bytes of a message, inflated."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self._room = limit
        self._in_message = False
        self._is_control = False

    def frame_inbound_header(
        self, proto: Any, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self._is_control = opcode.iscontrol()
        if rsv.rsv1 and (self._is_control or opcode is Opcode.CONTINUATION):
            return CloseReason.PROTOCOL_ERROR
        if not self._is_control:
            if not self._in_message:
                self._in_message = True
                self._inbound_compressed = rsv.rsv1
                self._room = self.limit
                if rsv.rsv1 and self._decompressor is None:
                    self._decompressor = zlib.decompressobj(-self.client_max_window_bits)
            if not self._inbound_compressed and payload_length > self._room:
                return CloseReason.MESSAGE_TOO_BIG  # as it says itself: none of it need be read
        return RsvBits(True, False, False)

    def frame_inbound_payload_data(self, proto: Any, data: bytes) -> bytes | CloseReason:
        if self._is_control:
            return data
        if self._inbound_compressed:
            return self._inflated(bytes(data))
        self._room -= len(data)
        return data if self._room >= 0 else CloseReason.MESSAGE_TOO_BIG

    def frame_inbound_complete(self, proto: Any, fin: bool) -> bytes | CloseReason | None:
        if self._is_control or not fin:
            return None
        self._in_message = False
        if not self._inbound_compressed:
            return None
        rest = self._inflated(_TAIL)
        if self.client_no_context_takeover:
            self._decompressor = None
        return rest

    def _inflated(self, data: bytes) -> bytes | CloseReason:
        found = bytearray()
        inflater = self._decompressor
        assert inflater is not None  # made when the message began
        while True:
            wanted = min(_PIECE, self._room + 1)
            try:
                piece = inflater.decompress(data, wanted)
            except zlib.error:
                return CloseReason.INVALID_FRAME_PAYLOAD_DATA
            self._room -= len(piece)
            if self._room < 0:
                return CloseReason.MESSAGE_TOO_BIG
            found += piece
            data = inflater.unconsumed_tail
            if len(piece) < wanted:  # else there may be more, though all of the data is consumed
                return bytes(found)
