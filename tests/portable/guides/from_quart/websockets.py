"""Websockets: lines of moving_from_quart.md."""

from __future__ import annotations

import asyncio
from typing import Any

from .shared import make_app, part, quart, row, soon, within

leaving = row("the client leaves", there="['CancelledError']", here="['ConnectionClosed']")


async def left(setting: str | None = None, option: str | None = None) -> str:
    app, seen = make_app(), []
    if setting is not None:
        app.config["WEBSOCKET_DISCONNECT"] = setting

    @app.websocket("/", **({} if option is None else {"disconnect": option}))
    async def view() -> None:
        try:
            while True:
                await quart.websocket.receive()
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    async with app.test_client().websocket("/") as connection:
        await connection.send("hello")
        await asyncio.sleep(0.01)
    await soon(lambda: seen)
    return str(seen)


@leaving.both
async def _():
    return await left()  # ConnectionClosed, from receive and send


@leaving.restored
async def _():
    # app.config["WEBSOCKET_DISCONNECT"] = "cancel", or disconnect="cancel" for a route; not ConnectionClosed
    assert await left(option="cancel") == await left(setting="cancel")
    return await left(setting="cancel")


hashing = row("`connections.add(websocket)`", there="[1]", here="['TypeError', 0]")


async def added(member: Any) -> str:
    app, seen = make_app(), []

    @app.websocket("/")
    async def view() -> None:
        connections: Any = set()
        websocket = quart.websocket
        try:
            connections.add(websocket if member is None else member(websocket))
        except TypeError as error:
            seen.append(type(error).__name__)
        await websocket.send("ready")
        seen.append(len(connections))

    async with app.test_client().websocket("/") as connection:
        await connection.receive()
        await soon(lambda: seen and seen[-1] != "TypeError")
    return str(seen)


@hashing.both
async def _():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the alias
        return await added(None)  # connections.add(websocket)


@hashing.restored
async def _():
    # connections.add(websocket._get_current_object())
    return await added(lambda websocket: websocket._get_current_object())


failing = row("a view fails after `accept()`", there="1000", here="1011")


@failing.both
async def _():
    app = make_app()

    @app.websocket("/")
    async def view() -> None:
        await quart.websocket.accept()
        raise RuntimeError("of the view")

    async with app.test_client().websocket("/") as connection:
        try:
            await within(2, connection.receive())
        except part("testing.connections").WebsocketDisconnectError as error:
            return error.args[0]


waiting = row("a view never accepts", there="waits", here="403")


async def never_accepted(**settings: Any) -> str:
    app = make_app(**settings)

    @app.websocket("/")
    async def view() -> None:
        await asyncio.sleep(3600)

    client = app.test_client()
    async with client.websocket("/") as connection:
        await asyncio.sleep(0.01)
        if hasattr(client, "clock"):
            await client.clock.advance(60)
        try:
            return await within(1, connection.receive())
        except part("testing").WebsocketResponseError as error:
            return error.response.status_code


@waiting.both
async def _():
    return await never_accepted()


@waiting.restored
async def _():
    # WEBSOCKET_ACCEPT_TIMEOUT = None
    return await never_accepted(WEBSOCKET_ACCEPT_TIMEOUT=None)


large = row("a message over 16 MiB", there="16777217", here="1009")


async def large_message(**settings: Any) -> str:
    app = make_app(**settings)

    @app.websocket("/")
    async def view() -> None:
        await quart.websocket.send(str(len(await quart.websocket.receive())))

    async with app.test_client().websocket("/") as connection:
        await connection.send(b"x" * (16 * 1024 * 1024 + 1))
        try:
            return await within(5, connection.receive())
        except part("testing.connections").WebsocketDisconnectError as error:
            return error.args[0]


@large.both
async def _():
    return await large_message()


@large.restored
async def _():
    # WEBSOCKET_MAX_MESSAGE_SIZE = None
    return await large_message(WEBSOCKET_MAX_MESSAGE_SIZE=None)


chosen = row(
    "`accept(subprotocol=…)` of what the client did not ask for, or of its bearer token",
    there="['other', 'secret']",
    here="['ValueError', 'ValueError', 'secret']",
)


async def accepted(app: Any, query: str) -> list[str]:
    """The subprotocol that is sent to a client that offers its bearer token, if any is."""
    found: list[str] = []
    incoming = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        while not incoming:
            await asyncio.sleep(0.001)
        return incoming.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "websocket.accept":
            found.append(message["subprotocol"])
        else:
            incoming.append({"type": "websocket.disconnect", "code": 1000})

    scope = {
        "type": "websocket", "asgi": {}, "path": "/", "raw_path": b"/", "query_string": query.encode(), "headers": [],
        "scheme": "ws", "root_path": "", "http_version": "1.1", "subprotocols": ["bearer", "secret"], "extensions": {},
    }  # fmt: skip
    await within(5, app(scope, receive, send))
    return found


@chosen.both
async def _():
    app, seen = make_app(), []

    @app.websocket("/")
    async def view() -> None:
        websocket = quart.websocket
        asked = websocket.query_string.decode()
        try:
            await websocket.accept(subprotocol=asked)  # accept(subprotocol=…)
        except ValueError as error:
            seen.append(type(error).__name__)
            if asked == "secret":
                seen.append(websocket.bearer_token)  # websocket.bearer_token

    for asked in ("other", "secret"):
        seen += await accepted(app, asked)
    return str(seen)


unread = row("a client sends faster than the view reads", there="all are kept", here="some are kept")


async def not_read(**settings: Any) -> str:
    """How many messages are taken from the server."""
    app = make_app(**settings)
    taken = 0

    @app.websocket("/")
    async def view() -> None:
        await quart.websocket.accept()
        await asyncio.sleep(3600)

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        await asyncio.sleep(0)
        return {"type": "websocket.connect"} if taken == 1 else {"type": "websocket.receive", "text": "x"}

    async def send(message: Any) -> None:
        await asyncio.sleep(0)

    scope = {
        "type": "websocket", "asgi": {}, "path": "/", "raw_path": b"/", "query_string": b"", "headers": [],
        "scheme": "ws", "root_path": "", "http_version": "1.1", "subprotocols": [], "extensions": {},
    }  # fmt: skip
    task = asyncio.create_task(app(scope, receive, send))
    before = -1
    while before < taken < 500:  # the server is read, or will be within the second
        before = taken
        await asyncio.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return "all are kept" if taken >= 500 else "some are kept"


@unread.both
async def _():
    return await not_read()


@unread.restored
async def _():
    # WEBSOCKET_RECEIVE_QUEUE, WEBSOCKET_RECEIVE_QUEUE_BYTES
    return await not_read(WEBSOCKET_RECEIVE_QUEUE=10**9, WEBSOCKET_RECEIVE_QUEUE_BYTES=10**9)


after = row("`@app.after_websocket`, when the client has left", there="[]", here="['after']")


@after.both
async def _():
    app, calls = make_app(), []

    @app.after_websocket
    async def after(response: Any) -> Any:
        calls.append("after")
        return response

    @app.websocket("/")
    async def view() -> None:
        await quart.websocket.receive()
        await quart.websocket.receive()

    async with app.test_client().websocket("/") as connection:
        await connection.send("hello")
        await asyncio.sleep(0.01)
    await soon(lambda: calls)
    return calls


torn_down = row("`@blueprint.teardown_websocket`", there="[]", here="['torn down']")


@torn_down.both
async def _():
    app, calls = make_app(), []
    blueprint = quart.Blueprint("part", __name__)

    @blueprint.teardown_websocket
    async def torn_down(error: Any) -> None:
        calls.append("torn down")

    @blueprint.websocket("/")
    async def view() -> None:
        await quart.websocket.send("hello")

    app.register_blueprint(blueprint)
    async with app.test_client().websocket("/") as connection:
        await connection.receive()
    await soon(lambda: calls)
    return calls


preprocessor = row(
    "`@app.url_value_preprocessor`, for a websocket", there="('WebsocketResponseError', [])", here="('hello', ['de'])"
)


@preprocessor.both
async def _():
    app, calls = make_app(), []

    @app.url_value_preprocessor
    def take(endpoint: Any, values: Any) -> None:
        calls.append(values.pop("lang"))

    @app.websocket("/<lang>")
    async def view() -> None:
        await quart.websocket.send("hello")

    async with app.test_client().websocket("/de") as connection:
        try:
            return await within(1, connection.receive()), calls
        except Exception as error:
            return type(error).__name__, calls


protocols = row('`client.websocket("/", subprotocols=[…])`', there="[]", here="['v1', 'v2']")


@protocols.both
async def _():
    app = make_app()

    @app.websocket("/")
    async def view() -> None:
        await quart.websocket.send(str(quart.websocket.requested_subprotocols))

    client = app.test_client()
    async with client.websocket(
        "/", subprotocols=["v1", "v2"]
    ) as connection:  # client.websocket("/", subprotocols=[…])
        return await connection.receive()
