"""Random conversations: whatever the view, its tasks, the client, the clock and the server do, the rules hold."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quart_plug.exceptions import ConnectionClosed, WebsocketStateError
from quart_plug.testing.wire import WebsocketWire
from quart_plug.wrappers import Websocket

from .conftest import Connection, turns

calls = st.sampled_from(
    ["accept", "send", "send_json", "receive", "receive_json", "close", "reject", "receive now", "task"]
)
events = st.one_of(
    st.sampled_from(["message", "not json", "leave", "lost", "block", "unblock", "turn", "look", "break"]),
    st.tuples(st.just("view"), calls),
)

SETTINGS = {
    "WEBSOCKET_RECEIVE_QUEUE": 3,
    "WEBSOCKET_SEND_TIMEOUT": 2,
    "WEBSOCKET_RECEIVE_STALL": 3,
    "WEBSOCKET_ACCEPT_TIMEOUT": 4,
    "WEBSOCKET_DISCONNECT_GRACE": 1,
}


class Script:
    """A view that does what it is told, one call after the other, and checks what must always hold."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.orders: asyncio.Queue[str | None] = asyncio.Queue()
        self.received: list[int] = []
        self.sent = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.ended = False

    async def __call__(self, websocket: Websocket) -> None:
        try:
            while (order := await self.orders.get()) is not None:
                await self.obey(websocket, order)
        finally:
            for task in self.tasks:
                task.cancel()

    async def obey(self, websocket: Websocket, order: str) -> None:
        closed_before = websocket.state == "closed"
        try:
            await self.call(websocket, order)
        except ConnectionClosed as error:
            assert websocket.closed
            assert error.code == websocket.close_code and error.closed_by == websocket.closed_by
        except WebsocketStateError:
            assert websocket.state == "rejected" or order == "reject"
        except (TimeoutError, ValueError):
            pass
        else:
            assert not closed_before or order in ("close", "task") or order.startswith("receive")

    async def call(self, websocket: Websocket, order: str) -> None:
        from werkzeug.exceptions import BadRequest

        if order in ("send", "send_json"):
            self.sent += 1
            await getattr(websocket, order)("x")
        elif order == "receive now":
            self.note(await websocket.receive(timeout=0))
        elif order == "receive_json":
            try:
                self.note(await websocket.receive_json())
            except BadRequest as error:
                self.note(str(error.__cause__.doc))  # type: ignore[union-attr]
        elif order == "receive":
            self.note(await websocket.receive())
        elif order == "task":
            self.tasks.append(asyncio.create_task(self.obey(websocket, "receive")))
        else:
            await getattr(websocket, order)()

    def note(self, message: Any) -> None:
        self.received.append(int(str(message).strip("!")))


@settings(max_examples=300, deadline=None)
@given(
    mode=st.sampled_from(["raise", "cancel"]),
    direct_ok=st.booleans(),
    hooks=st.booleans(),
    denial=st.booleans(),
    script=st.lists(events, max_size=40),
)
def test_the_rules_hold(mode: str, direct_ok: bool, hooks: bool, denial: bool, script: list[Any]) -> None:
    asyncio.run(converse(mode, direct_ok, hooks, denial, script))


async def converse(mode: str, direct_ok: bool, hooks: bool, denial: bool, script: list[Any]) -> None:
    extensions = {"websocket.http.response": {}} if denial else {}
    connection = Connection("websocket", mode, SETTINGS, {"extensions": extensions})
    server = connection.server
    wire = WebsocketWire(connection.ctx.scope)
    loop_errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: loop_errors.append(context))
    if not direct_ok:
        connection.ctx.inbox.always_pump()
    if hooks:

        async def hook(ctx: Any, message: Any) -> Any:
            await asyncio.sleep(0)
            return message

        connection.plan.received = connection.plan.sending = hook
    view = Script(connection)
    count = 0
    server.put({"type": "websocket.connect"})
    task = await connection.start(view)
    for event in script:
        if isinstance(event, tuple):
            view.orders.put_nowait(event[1])
        elif event in ("message", "not json"):
            if server.gone is None:
                server.put(f"{count}{'!' if event == 'not json' else ''}")
                count += 1
        elif event in ("leave", "lost"):
            server.leave(1001 if event == "leave" else 1006)
        elif event in ("block", "unblock"):
            server.blocked = event == "block"
        elif event == "break":
            server.broken = BrokenPipeError()
            server.leave(1006)
        elif event == "look":
            await connection.look(0.5)
        else:
            await asyncio.sleep(0)
    server.blocked = False
    view.orders.put_nowait(None)
    await turns(40)
    if server.gone is None:
        server.leave(1000)
    await connection.look(0.5, times=30)
    assert task.done(), "nothing may keep a view whose client has left"
    assert task.result() in (None, "told")
    for message in server.sent:
        wire.take(message)  # raises for what ASGI does not allow
    assert connection.websocket.closed
    assert sorted(set(view.received)) == sorted(view.received)
    if not view.tasks:  # of two that receive at once, the one whose hook takes longer is the last to note its message
        assert view.received == sorted(view.received)
    assert len(connection.told) == (connection.server.types[:1] == ["accept"] and connection.websocket._over)
    assert server.most <= 1 and (direct_ok or task.done())
    await turns(20)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not connection.sweep.suspended and not loop_errors
    connection.sweep._ring()
