"""Fakes for the tests of what stays open: a server's two functions, and a connection driven as by the adapter."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug.ctx import Context, connection_context
from quart_plug.exceptions import ConnectionClosed
from quart_plug.globals import _cv
from quart_plug.kinds import REQUEST, WEBSOCKET
from quart_plug.wrappers import Response, Websocket
from quart_plug.wrappers.watch import Sweep, suspended

TURNS = 12  # of the loop: more than any chain of wake-ups here needs


async def turns(count: int = TURNS) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def text(data: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": data, "bytes": None}


class Server:
    """A server's end of one connection.

    sent         what the app has sent.
    pending      how many calls of `receive` are waiting; `most` the most there ever were at a time.
    blocked      whether `send` waits, as for a peer that does not read.
    broken       what `send` raises.
    loses        whether a `receive` that is cancelled takes a message with it (granian).
    """

    def __init__(self) -> None:
        self.inbound: deque[dict[str, Any]] = deque()
        self.sent: list[dict[str, Any]] = []
        self.pending = self.most = self.cancelled = self.reads = 0
        self.blocked = False
        self.broken: BaseException | None = None
        self.gone: dict[str, Any] | None = None
        self._changed = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.pending += 1
        self.most = max(self.most, self.pending)
        try:
            while not self.inbound:
                if self.gone is not None:
                    return dict(self.gone)
                self._changed.clear()
                await self._changed.wait()
            self.reads += 1
            return self.inbound.popleft()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.pending -= 1

    async def send(self, message: dict[str, Any]) -> None:
        if self.broken is not None:
            raise self.broken
        self.sent.append(message)
        while self.blocked:
            await asyncio.sleep(0)

    def put(self, *messages: dict[str, Any] | str) -> None:
        self.inbound.extend(text(m) if isinstance(m, str) else m for m in messages)
        self._changed.set()

    def leave(self, code: int = 1001, reason: str = "", **more: Any) -> None:
        self.gone = {"type": "websocket.disconnect", "code": code, "reason": reason, **more}
        self._changed.set()

    def hang_up(self) -> None:
        self.gone = {"type": "http.disconnect"}
        self._changed.set()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    @property
    def types(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]

    @property
    def close(self) -> tuple[int, str] | None:
        for message in self.sent:
            if message["type"] == "websocket.close":
                return message["code"], message.get("reason", "")
        return None


class SlowSweep(Sweep):
    """A sweep whose timer never rings: a test says when it looks, and what time it is."""

    __slots__ = ()
    interval = 1e6


class App(SimpleNamespace):
    config: dict[str, Any]


def make_app(**config: Any) -> App:
    app = App(
        name="fake",
        config=config,
        json=SimpleNamespace(loads=json.loads, dumps=json.dumps),
        websocket_class=Websocket,
        response_class=Response,
    )
    app.json.response = lambda value: Response(json.dumps(value), content_type="application/json")
    return app


class Connection:
    """One connection, handled as `asgi.py` does it, by a task that stands for the server's."""

    def __init__(self, kind: str, mode: str, config: dict[str, Any], scope: dict[str, Any]) -> None:
        self.server = Server()
        self.app = make_app(**config)
        self.told: list[tuple[Any, ...]] = []
        base = {
            "type": "websocket" if kind == "websocket" else "http",
            "path": "/",
            "method": "GET",
            "query_string": b"",
            "headers": [],
            "asgi": {"spec_version": "2.3"},
        }
        self.ctx = connection_context(
            self.app,  # type: ignore[arg-type]
            WEBSOCKET if kind == "websocket" else REQUEST,
            {**base, **scope},
            self.server.receive,
            self.server.send,
        )
        self.plan = self.ctx.plan = SimpleNamespace(  # type: ignore[assignment]
            disconnect=mode, received=None, sending=None, sent=None, subprotocols=[], rule=None,
            accepting=None, codecs=None, closed=self._closed,
        )
        self.ctx.plans = SimpleNamespace()  # type: ignore[assignment]
        self.sweep = SlowSweep(self.app)  # type: ignore[arg-type]
        self.now = 1000.0
        self.task: asyncio.Task[Any] | None = None
        self.after: tuple[bool, int] | None = None

    async def _closed(self, ctx: Context, code: int, reason: str, closed_by: str | None) -> None:
        self.told.append((code, reason, closed_by))

    @property
    def websocket(self) -> Websocket:
        return self.ctx.websocket

    async def start(self, view: Callable[[Any], Awaitable[Any]]) -> asyncio.Task[Any]:
        """Begin with `view(websocket)` or `view(ctx)`, and let it come to rest."""
        self.task = asyncio.create_task(self._serve(view))
        await turns()
        return self.task

    async def run(self, view: Callable[[Any], Awaitable[Any]]) -> Any:
        """Handle the connection to its end."""
        task = await self.start(view)
        assert task.done(), "the view still waits"
        return task.result()

    async def _serve(self, view: Callable[[Any], Awaitable[Any]]) -> Any:
        steps = self._converse(view) if self.ctx.kind is WEBSOCKET else self._respond(view)
        try:
            future = steps.send(None)
        except StopIteration as done:
            return done.value
        try:
            return await suspended(steps, future, self.ctx, self.sweep)
        finally:
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0 or self.cancelled_by_server
            await asyncio.sleep(0)  # a cancellation left behind would arrive here

    cancelled_by_server = False

    async def _respond(self, view: Callable[[Any], Awaitable[Any]]) -> Any:
        return await view(self.ctx)

    async def _converse(self, view: Callable[[Any], Awaitable[Any]]) -> Any:
        token = _cv.set(self.ctx)
        try:
            reply = await view(self.websocket)
        except ConnectionClosed:
            await self.websocket._finish()
            return "told"
        except Exception:
            await self.websocket._fail()
            raise
        except asyncio.CancelledError:
            await self.websocket._leave()
            raise
        finally:
            _cv.reset(token)
        await self.websocket._finish(reply if isinstance(reply, Response) else None)
        return reply

    async def look(self, seconds: float = 0.1, times: int = 1) -> None:
        """Let time pass: `times` looks of the sweep, `seconds` apart."""
        for _ in range(times):
            self.now += seconds
            self.sweep.tick(self.now)
            await turns()

    def is_over(self) -> bool:
        return not self.sweep.suspended and self.ctx.task is None


Connect = Callable[..., Connection]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make connections; when the test is over, nothing of them may be left."""
    before = asyncio.all_tasks()
    made: list[Connection] = []

    def make(
        kind: str = "websocket", mode: str = "raise", config: dict[str, Any] | None = None, **scope: Any
    ) -> Connection:
        made.append(Connection(kind, mode, config or {}, scope))
        return made[-1]

    yield make
    for connection in made:
        task = connection.task
        if task is not None and not task.done():
            connection.cancelled_by_server = True
            task.cancel()
            await asyncio.wait([task])
    await turns()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks are left: {left}"
    for connection in made:
        assert not connection.sweep.suspended
        connection.sweep._ring()
        assert connection.sweep.timer is None
        assert connection.server.most <= 1, "two readers at a time"
