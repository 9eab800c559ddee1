"""Whole conversations through the ASGI layer: whatever the view, the client, the server and time do, the rules hold.

A script is what happens, in turn: the view makes a call, the client sends, closes or vanishes, the peer stops reading,
time passes, the server cancels. Servers differ in how they tell of an end and in what they say to who goes on sending.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quart_plug import BadRequest, ConnectionClosed, Quart, abort, hookimpl, websocket
from quart_plug.exceptions import WebsocketStateError
from quart_plug.testing.clock import Clock
from quart_plug.testing.wire import WebsocketWire
from quart_plug.wrappers import Websocket

LIMITS = {
    "WEBSOCKET_RECEIVE_QUEUE": 3,
    "WEBSOCKET_SEND_TIMEOUT": 2,
    "WEBSOCKET_RECEIVE_STALL": 3,
    "WEBSOCKET_ACCEPT_TIMEOUT": 2,
    "WEBSOCKET_DISCONNECT_GRACE": 1,
    "WEBSOCKET_MAX_MESSAGE_SIZE": 100,
}
LONG = 12.0  # seconds: more than any chain of these


@dataclass(frozen=True)
class Kind:
    """A kind of server.

    builtin    whether its `receive` is no Python, as granian's; then it must not be cancelled.
    complains  what `send` does after the end: hypercorn is silent, uvicorn raises.
    reasons    whether a disconnect has a reason; `codes` whether it has a code.
    denial     whether it can answer a handshake.
    """

    builtin: bool = False
    complains: bool = False
    reasons: bool = True
    codes: bool = True
    denial: bool = True
    version: str = "2.3"


class Server:
    """The server's end of one connection, and the client behind it."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "path": "/",
            "raw_path": b"/",
            "root_path": "",
            "query_string": b"",
            "scheme": "ws",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost")],
            "subprotocols": ["a"],
            "asgi": {"spec_version": kind.version},
            "extensions": {"websocket.http.response": {}} if kind.denial else {},
        }
        self.wire = WebsocketWire(self.scope)
        self.inbound: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self.gone: dict[str, Any] | None = None
        self.blocked = False
        self.pending = self.most = self.cancelled = 0
        self._changed = asyncio.Event()
        if kind.builtin:  # a builtin function that gives something to await
            self.receive: Any = ([_Receive(self)] * 10_000).pop
        else:
            self.receive = self._receive

    async def _receive(self) -> dict[str, Any]:
        self.pending += 1
        self.most = max(self.most, self.pending)
        try:
            while not self.inbound:
                if self.gone is not None:
                    return dict(self.gone)
                self._changed.clear()
                await self._changed.wait()
            return self.inbound.popleft()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.pending -= 1

    async def send(self, message: dict[str, Any]) -> None:
        over = self.gone is not None or self.wire.state in ("closed", "refused")
        if over and self.kind.complains:
            if self.gone is not None and self.wire.state != "closed":
                raise ConnectionResetError("the client has left")
            raise RuntimeError(f"unexpected {message['type']} after the end")
        if self.gone is None:
            self.wire.take(message)  # raises for what ASGI does not allow
        while self.blocked and self.gone is None:
            await asyncio.sleep(0.1)
        if self.wire.state in ("closed", "refused") and self.gone is None:
            code, reason = self.wire.close or (1006, "")
            self.leave(code, reason)

    def put(self, **data: Any) -> None:
        if self.gone is None:
            self.inbound.append({"type": "websocket.receive", **data})
            self._changed.set()

    def leave(self, code: int, reason: str = "") -> None:
        if self.gone is None:
            self.gone = {"type": "websocket.disconnect"}
            if self.kind.codes:
                self.gone["code"] = code
            if self.kind.reasons:
                self.gone["reason"] = reason
            self._changed.set()


class _Receive:
    def __init__(self, server: Server) -> None:
        self.server = server

    def __await__(self) -> Any:
        return self.server._receive().__await__()


class View:
    """A view that does what it is told, one call after the other, and checks what must always hold."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[str | None] = asyncio.Queue()
        self.received: list[int] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.websocket: Websocket | None = None
        self.undocumented: list[BaseException] = []
        self.concurrent = False

    async def run(self) -> Any:
        self.websocket = websocket._get_current_object()  # type: ignore[attr-defined]  # a proxy
        try:
            while (order := await self.orders.get()) is not None:
                if order == "return":
                    return None
                if order == "fail":
                    raise LookupError("an error of the view's")
                if order == "abort":
                    abort(403)
                if order == "end":
                    raise ConnectionClosed(4000)
                await self.obey(order)
        finally:
            for task in self.tasks:
                task.cancel()
        return None

    async def obey(self, order: str) -> None:
        socket = self.websocket
        assert socket is not None
        try:
            await self.call(socket, order)
        except ConnectionClosed as error:
            assert socket.closed
            assert (error.code, error.closed_by) == (socket.close_code, socket.closed_by)
        except WebsocketStateError:
            assert socket.state == "rejected" or order in ("reject", "accept")
        except (TimeoutError, BadRequest):
            pass
        except ValueError:
            assert order == "bad close"
        except Exception as error:
            self.undocumented.append(error)

    async def call(self, socket: Websocket, order: str) -> None:
        if order in ("receive", "receive now", "iterate"):
            if order == "iterate":
                message: Any = await anext(aiter(socket), None)
            else:
                message = await socket.receive(timeout=0 if order == "receive now" else None)
            if message is not None:
                self.received.append(int(message))
        elif order in ("receive json", "receive typed"):
            if order == "receive json":
                self.received.append(await socket.receive_json())
            else:
                self.received.append(await socket.receive_json(type=int))
        elif order in ("send", "send bytes", "send json"):
            await {"send": socket.send, "send bytes": socket.send_bytes, "send json": socket.send_json}[order](
                b"x" if order == "send bytes" else "x"
            )
        elif order == "close":
            await socket.close(4000, "enough")
        elif order == "bad close":
            await socket.close(1006)
        elif order == "heartbeat":
            if socket.state == "accepted":
                socket.heartbeat(1, timeout=1)
        elif order.startswith("put"):
            socket.outbox(messages=2, policy="disconnect" if order == "put or leave" else "drop_oldest").put("x")
        elif order == "hang":
            await asyncio.sleep(LONG / 2)
        else:
            await {"accept": socket.accept, "reject": socket.reject}[order]()

    def in_task(self, order: str) -> None:
        self.concurrent = True
        self.tasks.add(asyncio.create_task(self.obey(order)))


class Passing:
    """A plugin that wants to see every message, and takes its time."""

    @hookimpl
    async def websocket_received(self, message: str | bytes) -> str | bytes:
        await asyncio.sleep(0)
        return message

    @hookimpl
    async def websocket_sending(self, message: str | bytes) -> str | bytes:
        await asyncio.sleep(0)
        return message


views: dict[str, View] = {}


def make_app(hooks: bool) -> Quart:
    app = Quart(__name__, plugins=[Passing()] if hooks else [])
    app.config.update(LIMITS)
    app.logger.setLevel(logging.CRITICAL + 1)
    for mode in ("raise", "cancel"):

        async def view() -> Any:
            return await views["current"].run()

        app.websocket(f"/{mode}", endpoint=mode, disconnect=mode)(view)
    return app


@pytest.fixture(scope="module")
def apps() -> dict[bool, Quart]:
    return {hooks: make_app(hooks) for hooks in (False, True)}


CALLS = [
    *("accept", "send", "send bytes", "send json", "receive", "receive now", "receive json", "receive typed"),
    *("iterate", "close", "bad close", "reject", "heartbeat", "hang", "put", "return", "fail", "abort", "end"),
]
TASKS = ["accept", "send", "receive", "receive json", "close", "reject"]

events = st.one_of(
    st.tuples(st.just("view"), st.sampled_from(CALLS)),
    st.tuples(st.just("task"), st.sampled_from(TASKS)),
    st.tuples(st.just("outside"), st.sampled_from(["send", "close", "receive", "put", "put or leave"])),
    st.tuples(st.just("client"), st.sampled_from(["text", "bytes", "both", "no json", "huge"])),
    st.tuples(st.just("leave"), st.sampled_from([1000, 1001, 1005, 1006, 1012, 4000])),
    st.tuples(st.just("peer"), st.sampled_from(["stops reading", "reads"])),
    st.tuples(st.just("time"), st.sampled_from([0.0, 0.3, 2.5])),
    st.tuples(st.just("server"), st.just("cancels")),
)
kinds = st.builds(
    Kind,
    builtin=st.booleans(),
    complains=st.booleans(),
    reasons=st.booleans(),
    codes=st.booleans(),
    denial=st.booleans(),
    version=st.sampled_from(["2.0", "2.3", "2.5"]),
)


@settings(max_examples=300, deadline=None)
@given(kind=kinds, mode=st.sampled_from(["raise", "cancel"]), hooks=st.booleans(), script=st.lists(events, max_size=25))
def test_the_rules_hold(apps: dict[bool, Quart], kind: Kind, mode: str, hooks: bool, script: list[Any]) -> None:
    asyncio.run(converse(apps[hooks], kind, mode, script))


async def converse(app: Quart, kind: Kind, mode: str, script: list[Any]) -> None:
    clock = Clock()
    loop = asyncio.get_running_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    server = Server(kind)
    server.scope["path"] = f"/{mode}"
    view = views["current"] = View()
    count = 0
    cancelled = False
    outside: set[asyncio.Task[None]] = set()
    task = asyncio.create_task(app(server.scope, server.receive, server.send))  # type: ignore[arg-type]
    await clock.advance(0.1)
    for actor, what in script:
        if actor == "view":
            view.orders.put_nowait(what)
        elif actor == "task":
            if view.websocket is not None and not task.done():
                view.in_task(what)
        elif actor == "outside":
            if view.websocket is not None:
                view.concurrent = True
                outside.add(asyncio.create_task(view.obey(what)))
        elif actor == "client":
            number = str(count)
            if what == "huge":
                server.put(text="9" * 101)
            elif what == "no json":
                server.put(text="{")
            else:
                count += 1
                if what == "text":
                    server.put(text=number)
                elif what == "bytes":
                    server.put(bytes=number.encode())
                else:
                    server.put(text=number, bytes=None)
        elif actor == "leave":
            server.leave(what, "why")
        elif actor == "peer":
            server.blocked = what == "stops reading"
        elif actor == "time":
            await clock.advance(what)
        elif not task.done():
            cancelled = True
            task.cancel()
        await asyncio.sleep(0)
    view.orders.put_nowait(None)
    await clock.advance(LONG)
    server.leave(1000)  # if it is open still
    await clock.advance(LONG)
    assert task.done(), "nothing may keep a view whose client has left"
    if not task.cancelled():
        assert task.exception() is None
    else:
        assert cancelled, "a cancellation from within is no affair of the server's"
    for each in outside:  # those who hold the websocket without being its view
        assert each.done(), "who receives or sends from elsewhere is told as well"
        assert mode == "cancel" or cancelled or not each.cancelled()
    assert not view.undocumented
    assert view.websocket is None or view.websocket.closed or cancelled
    assert len(set(view.received)) == len(view.received), "a message belongs to one caller"
    if not view.concurrent:
        assert view.received == sorted(view.received)
    assert server.most <= 1, "two readers at a time"
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(not sweep.suspended for sweep in app._sweeps.values())
    assert not complaints
