"""A websocket connection: frames and messages by the package `websockets`, the bytes by asyncio.

It stands in the place of uvicorn's own protocol classes, which lose what the app wants to know. What it holds:

- `websocket.disconnect` has code, reason and `closed_by`: the peer's close frame ("client"), the server's own
  ("server"), or neither (1006, "network": a TCP reset, or no answer to a ping).
- a message over the limit ends the connection while it is being inflated; compressed data is inflated in steps, and
  no further while the app has not read what there is.
- whoever ends the connection with a close frame, the other side gets it: what it still sends is read and dropped
  meanwhile, since a closed socket would answer it with a reset, which overtakes the frame.
- nothing waits for a peer that does not read: `scope["quart_plug.abort"]`, and a time limit for every ending.
- data before the handshake's answer (RFC 6455, 4.1, forbids it) is refused with 400, and the app is told.

Must not know the framework: it speaks ASGI upwards.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from .handshake import Handshake, Pairs, answer
from .incoming import ABNORMAL, ASKED, CLOSING, ENDING, LOST, OPEN, REFUSING, Incoming

CLOSE_SECONDS = 10.0  # for the peer's answer to a close frame, and for its taking what is under way
STOP_SECONDS = 1.0  # the same, when the server stops

_ANSWERS = ("websocket.accept", "websocket.close", "websocket.http.response.start")

_log = logging.getLogger("uvicorn.error")


class State(ServerState):
    """What the connections of one server share: who is there, the tasks, the server's own headers.

    left     set whenever a connection has ended.
    refused  the connections that were answered in place of the app, and wait for their peer to leave.
    """

    connections: set[Any]  # uvicorn knows only its own classes

    def __init__(self) -> None:
        super().__init__()
        self.left = asyncio.Event()
        self.refused: set[Any] = set()


class Websocket(Incoming):
    """One connection, from its handshake on; see the module's text."""

    def __init__(self, config: Any, server_state: State, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__()
        self.config = config
        self.server_state = server_state
        self.app_state = app_state
        self.scope: dict[str, Any] = {}

        self.writable = asyncio.Event()
        self.writable.set()
        self.pong: bytes | None = None  # the last one, of those that wait for the peer to read

        self.pinged = 0.0
        self.ping_timer: asyncio.TimerHandle | None = None
        self.pong_timer: asyncio.TimerHandle | None = None
        self.end_timer: asyncio.TimerHandle | None = None

    # The handshake ----------------------------------------------------------------------------------------------

    def begin(self, transport: asyncio.Transport, request: dict[str, Any], target: str, early: bool) -> None:
        """Take over a connection whose request asks for a websocket; `early`: more than the request has come."""
        self.transport = transport
        self.server_state.connections.add(self)
        self.handshake: Handshake = Handshake(
            request["method"], request["http_version"], target, request["headers"], self.config.ws_per_message_deflate
        )
        root_path = self.config.root_path
        raw_path, _, query = target.partition("?")
        self.scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root_path,
            "path": root_path + unquote(raw_path),
            "raw_path": (root_path + raw_path).encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": request["headers"],
            "subprotocols": self.handshake.subprotocols,
            "state": self.app_state.copy(),
            "extensions": {"websocket.http.response": {}},
            "quart_plug.abort": transport.abort,
        }
        if self.handshake.refusal is not None:
            self._refuse(*self.handshake.refusal)
            return
        self.give({"type": "websocket.connect"}, 0)
        task = self.loop.create_task(self._run())
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)
        if early:
            self.too_early()

    def too_early(self) -> None:
        self._end(ABNORMAL, "", "network")
        self._refuse(400, b"Data came before the handshake was answered.\n")

    def _refuse(self, status: int, body: bytes) -> None:
        self.transport.write(answer(status, self.server_state.default_headers, body))
        self._linger()

    async def _answer(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            given = [*self.server_state.default_headers, *message.get("headers", ())]
            data = self.handshake.accepted(given, message.get("subprotocol"))
            self.connection = self.handshake.connection(self.config.ws_max_size)
            del self.handshake  # an idle connection does not pay for it
            self.state = OPEN
            self.transport.write(data)
            self._start_pings()
        elif kind == "websocket.close":
            code, reason = int(message.get("code") or 1000), message.get("reason") or ""
            self._end(code, reason, "server")
            self._refuse(403, f"{code} {reason}".rstrip().encode() + b"\n")
        elif kind == "websocket.http.response.start":
            status = int(message["status"])
            self._begin_refusal(status, [*self.server_state.default_headers, *message.get("headers", ())])
        else:
            raise RuntimeError(f"a handshake is answered with one of {', '.join(_ANSWERS)}, and not with {kind!r}")

    def _begin_refusal(self, status: int, headers: Pairs) -> None:
        if not 200 <= status <= 599:
            raise RuntimeError(f"a handshake cannot be refused with the status {status}")
        data = answer(status, headers)
        self.state = REFUSING
        self.transport.write(data)

    # The app ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        code = 1000
        try:
            await self.config.loaded_app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass  # told by `send`, and let through
        except BaseException as error:
            code = 1011
            if not isinstance(error, asyncio.CancelledError) or self.state is not LOST:
                _log.error("Exception in ASGI application\n", exc_info=error)
        if self.state is ASKED:
            if code == 1000:
                _log.error("the application returned without an answer to the handshake")
            self._end(1011, "", "server")
            self._refuse(500, b"Internal Server Error")
        elif self.state is REFUSING:
            self._finish()  # cut short
        elif self.state is OPEN:
            self._close(code, "")

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's send. ClientDisconnected, an OSError, when the connection has ended."""
        if not self.writable.is_set():
            await self.writable.wait()
        if self.state is OPEN:
            kind = message["type"]
            if kind == "websocket.send":
                data = message.get("bytes")
                if data is None:
                    self.connection.send_text(message["text"].encode())
                else:
                    self.connection.send_binary(data)
                self.transport.write(b"".join(self.connection.data_to_send()))
            elif kind == "websocket.close":
                self._close(int(message.get("code") or 1000), message.get("reason") or "")
            else:
                raise RuntimeError(f"{kind!r} cannot be sent on a websocket that was accepted")
        elif self.state is ASKED:
            await self._answer(message)
        elif self.state is REFUSING:
            if message["type"] != "websocket.http.response.body":
                raise RuntimeError(f"{message['type']!r} cannot be sent within an HTTP answer to the handshake")
            self.transport.write(message.get("body", b""))
            if not message.get("more_body"):
                self._end(ABNORMAL, "", "server")
                self._finish()
        else:
            raise ClientDisconnected

    # Writing ----------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()
        if self.pong is not None:
            pong, self.pong = self.pong, None
            if self.state in (OPEN, CLOSING):
                self.transport.write(pong)

    def send_pongs(self, frames: list[bytes]) -> None:
        if self.state is LOST:
            return
        if self.writable.is_set():
            self.transport.write(b"".join(frames))
        else:  # of a peer that does not read they must not pile up; the last one will do (RFC 6455, 5.5.3)
            self.pong = frames[-1]

    def _start_pings(self) -> None:
        if self.config.ws_ping_interval:
            self.heard = self.pinged = self.loop.time()
            self.ping_timer = self.loop.call_later(self.config.ws_ping_interval, self._ping)

    def _ping(self) -> None:
        if self.state is not OPEN:
            return
        self.ping_timer = self.loop.call_later(self.config.ws_ping_interval, self._ping)
        if not self.writable.is_set():
            return  # the peer does not read, which `send` notices
        if self.pong_timer is not None:
            if self.heard < self.pinged:
                return
            self.pong_timer.cancel()
        self.pinged = self.loop.time()
        self.connection.send_ping(b"")
        self.transport.write(b"".join(self.connection.data_to_send()))
        if self.config.ws_ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.config.ws_ping_timeout, self._look_for_pong)

    def _look_for_pong(self) -> None:
        self.pong_timer = None
        # While the app does not read, neither do we, and the answer may be waiting.
        if self.heard < self.pinged and self.reading and self.state is OPEN:
            self._end(ABNORMAL, "no answer to a ping", "network")
            self.transport.abort()

    # Endings ----------------------------------------------------------------------------------------------------

    def _end(self, code: int, reason: str, closed_by: str) -> None:
        """Note how the connection ends, unless it is known, and let the app read it."""
        if self.outcome is None:
            self.outcome = (code, reason, closed_by)
        self.told = True
        self.wake()

    def _close(self, code: int, reason: str, seconds: float | None = None) -> None:
        """Send a close frame, and wait for the peer's."""
        self.connection.send_close(code, reason)
        self._end(code, reason, "server")
        self.state = CLOSING
        self.transport.write(b"".join(self.connection.data_to_send()))
        self._limit_end(seconds)
        self.read_on()

    def peer_closes(self) -> None:
        """The peer's close frame has come; ours is sent with this at the latest."""
        received = self.connection.close_rcvd
        assert received is not None
        self._end(int(received.code), received.reason, "client")
        if self.state is not LOST:
            self.transport.write(b"".join(self.connection.data_to_send()))
            self._finish()

    def broken(self, code: int, reason: str) -> None:
        """The peer broke the protocol or passed a limit, and the close frame that says so is ready to be sent."""
        self._end(code, reason, "server")
        self.parts.clear()
        if self.state is not LOST:
            self.transport.write(b"".join(self.connection.data_to_send()))
            self._linger()

    def _finish(self) -> None:
        """Nothing more is to come: close the socket as soon as the peer has taken what is under way."""
        self.state = ENDING
        self.transport.close()
        self._limit_end()

    def _linger(self) -> None:
        """Nothing more is to be sent; what the peer sends until it has read this is dropped."""
        self.state = ENDING
        if self.transport.can_write_eof():
            self.transport.write_eof()  # the peer sees the end, and closes
            self._limit_end()
        else:  # TLS
            self._limit_end(STOP_SECONDS)
        self.resume()

    def _limit_end(self, seconds: float | None = None) -> None:
        if self.end_timer is not None:
            self.end_timer.cancel()
        self.end_timer = self.loop.call_later(CLOSE_SECONDS if seconds is None else seconds, self.transport.abort)

    def shutdown(self, code: int = 1012, reason: str = "the server stops") -> None:
        """The server stops: close with a close frame, or refuse, with little patience for the peer."""
        if self.state is OPEN:
            self._close(code, reason, STOP_SECONDS)
        elif self.state is ASKED:
            self._end(code, reason, "server")
            self._refuse(503, b"The server is stopping; try again.\n")
        if self.state in (CLOSING, ENDING):
            self._limit_end(STOP_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.state = LOST
        for timer in (self.ping_timer, self.pong_timer, self.end_timer):
            if timer is not None:
                timer.cancel()
        self.server_state.connections.discard(self)
        self.server_state.left.set()
        self.told = True
        self.wake()
        self.writable.set()  # asyncio does not call `resume_writing` for a lost transport
