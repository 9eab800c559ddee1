"""What a websocket's peer sends: read, parsed and kept until the app takes it, never much more than it takes.

Compressed data is inflated in steps, and no further while the app has not taken what there is: a few bytes may be the
end of many. A message over the limit ends the connection while it is being inflated.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from websockets.frames import Frame, Opcode

from .handshake import Connection

MOST_MESSAGES = 16  # that wait for the app before the peer has to wait
MOST_BYTES = 64 * 1024  # the same
STEP = 16 * 1024  # bytes that are parsed at a time: at most 16 MiB when they are inflated

# The states of a connection.
ASKED = "asked"  # the handshake waits for the app's answer
REFUSING = "refusing"  # the app's HTTP answer is being sent
OPEN = "open"
CLOSING = "closing"  # a close frame was sent, and the peer's is waited for
ENDING = "ending"  # nothing is read or sent any more; the socket is being closed
LOST = "lost"  # the socket is closed

ABNORMAL = 1006
_NO_TEXT = "a text message has to be UTF-8"


class Incoming(asyncio.Protocol):
    """The receiving side of a connection; what its ends mean, `Websocket` knows.

    outcome  (code, reason, closed_by) of what ended the connection first, or None.
    told     whether the app may read the end.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport = cast(Any, None)
        self.connection: Connection = cast(Any, None)
        self.state = ASKED
        self.outcome: tuple[int, str, str] | None = None
        self.told = False
        self.heard = 0.0  # when something came

        self.messages: deque[dict[str, Any]] = deque()
        self.size = 0  # bytes, of the messages
        self.unread = bytearray()  # came before reading was paused, and waits to be parsed
        self.reading = True
        self.reader: asyncio.Future[None] | None = None
        self.parts = bytearray()  # of a message in several frames
        self.is_text = False

    def too_early(self) -> None:
        """Data came before the handshake was answered."""
        raise NotImplementedError

    def peer_closes(self) -> None:
        """The peer's close frame has come; ours is sent with this at the latest."""
        raise NotImplementedError

    def broken(self, code: int, reason: str) -> None:
        """The peer broke the protocol or passed a limit; the close frame that says so is ready to be sent."""
        raise NotImplementedError

    def send_pongs(self, frames: list[bytes]) -> None:
        """Pings have come, and these are the answers."""
        raise NotImplementedError

    async def receive(self) -> dict[str, Any]:
        """ASGI's receive; after the end every call gives the disconnect message."""
        while not self.messages:
            if self.unread:
                self.read_on()
            elif self.told:
                code, reason, closed_by = self.outcome or (ABNORMAL, "", "network")
                return {"type": "websocket.disconnect", "code": code, "reason": reason, "closed_by": closed_by}
            else:
                self.reader = self.loop.create_future()
                try:
                    await self.reader
                finally:
                    self.reader = None
        message = self.messages.popleft()
        if not self.messages:
            self.size = 0
            if not self.reading:
                self.read_on()
        return message

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        if self.state is ASKED:
            self.too_early()
        elif self.state in (OPEN, CLOSING):
            if self.reading and len(data) <= STEP:
                self._parse(data)
            else:
                self.unread += data
                if self.reading:
                    self._parse_unread()
        # else it is dropped

    def _parse_unread(self) -> None:
        """Parse what waits, step by step, until there is enough for the app."""
        done = 0
        while done < len(self.unread) and self._parses() and not self._has_enough():
            done += STEP
            self._parse(bytes(self.unread[done - STEP : done]))
        if self._parses():
            del self.unread[:done]
        else:
            self.unread.clear()

    def _parses(self) -> bool:
        # What came before the connection was lost is still for the app.
        return self.state in (OPEN, CLOSING) or (self.state is LOST and self.outcome is None)

    def _has_enough(self) -> bool:
        return self.state is not CLOSING and (len(self.messages) >= MOST_MESSAGES or self.size >= MOST_BYTES)

    def read_on(self) -> None:
        """The app has read what there was, or nobody will."""
        self._parse_unread()
        if not self.unread and not self._has_enough():
            self.resume()

    def resume(self) -> None:
        if not self.reading and self.state is not LOST:
            self.reading = True
            self.transport.resume_reading()

    def _parse(self, data: bytes) -> None:
        connection = self.connection
        connection.receive_data(data)
        for event in connection.events_received():
            if type(event) is Frame:
                self._take(event)
            if not self._parses():
                return
        if connection.parser_exc is not None:
            sent = connection.close_sent
            self.broken(1002, "") if sent is None else self.broken(int(sent.code), sent.reason)
            return
        frames = connection.data_to_send()
        if frames:
            self.send_pongs(frames)
        if self.reading and self.state is OPEN and self._has_enough():
            self.reading = False
            self.transport.pause_reading()

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            self.peer_closes()
        elif opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self.is_text = opcode is Opcode.TEXT
            if not self.connection.fits(len(frame.data)):
                self.broken(1009, self.connection.too_big)
            elif frame.fin:
                self._message(frame.data)
            else:
                self.parts = bytearray(frame.data)
        elif opcode is Opcode.CONT:
            if not self.connection.fits(len(self.parts) + len(frame.data)):
                self.broken(1009, self.connection.too_big)
                return
            self.parts += frame.data
            if frame.fin:
                whole, self.parts = self.parts, bytearray()
                self._message(whole)

    def _message(self, data: Any) -> None:
        if self.state is CLOSING:
            return  # after a close frame was sent, data is no longer for the app (RFC 6455, 5.5.1)
        if self.is_text:
            try:
                text = str(data, "utf-8")
            except UnicodeDecodeError:
                self.connection.fail(1007, _NO_TEXT)
                self.broken(1007, _NO_TEXT)
                return
            self.give({"type": "websocket.receive", "text": text}, len(data))
        else:
            self.give({"type": "websocket.receive", "bytes": bytes(data)}, len(data))

    def give(self, message: dict[str, Any], size: int) -> None:
        self.messages.append(message)
        self.size += size
        self.wake()

    def wake(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)
