"""What stays open: rooms over websockets, events, streams."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from quart import (
    Blueprint,
    abort,
    copy_current_websocket_context,
    current_app,
    g,
    has_request_context,
    has_websocket_context,
    make_response,
    request,
    session,
    stream_with_context,
    websocket,
)

live = Blueprint("live", __name__, url_prefix="/live")
rooms: dict[str, set] = defaultdict(set)


class TooLoud(Exception):
    pass


@live.before_websocket
async def only_from_here():
    if websocket.headers.get("Origin", "http://here") != "http://here":
        return "wrong origin", 403
    return None


@live.after_websocket
async def after(response):
    current_app.after_websockets.append(getattr(response, "status_code", None))
    return response


@live.teardown_websocket
async def teardown(error):
    current_app.torn_down.append(("live", type(error).__name__))


@live.websocket("/rooms")
async def room():
    """The room's members are the connections themselves, behind the proxy."""
    members = rooms[websocket.room]
    members.add(websocket._get_current_object())
    try:
        while True:
            message = await websocket.receive_json()
            for member in members:
                await member.send_json(
                    {"from": g.user or "anonymous", "text": message["text"], "members": len(members)}
                )
    finally:
        members.discard(websocket._get_current_object())


@live.websocket("/echo")
async def echo():
    while True:
        data = await websocket.receive()
        await websocket.send(data)


@live.websocket("/negotiate/<name>")
async def negotiate(name):
    if "board.v2" not in websocket.requested_subprotocols:
        return {"error": "which protocol?"}, 400, {"X-Why": "protocol"}
    await websocket.accept({"X-Name": name}, "board.v2")
    await websocket.send(
        f"{websocket.path} {websocket.args.get('a')} {websocket.endpoint} {websocket.view_args} {websocket.method}"
    )
    return None


@live.websocket("/closes")
async def closes():
    await websocket.accept()
    await websocket.send("bye")
    await websocket.close(4001, "no more")


@live.websocket("/refuses")
async def refuses():
    await websocket.close(1000)


@live.websocket("/aborts/<int:status>")
async def aborts(status):
    abort(status)


@live.websocket("/loud")
async def loud():
    raise TooLoud("of a websocket")


@live.websocket("/crashes")
async def crashes():
    await websocket.accept()
    raise RuntimeError("after the handshake")


@live.errorhandler(TooLoud)
async def too_loud(error):
    if has_websocket_context():
        return f"too loud: {error}", 418
    return "too loud", 429


@live.route("/loud-too")
async def loud_too():
    raise TooLoud("of a request")


@live.websocket("/both")
async def both_directions():
    """Receiving and sending at once, as Quart's documentation shows it."""
    queue: asyncio.Queue = asyncio.Queue()

    async def sending():
        while True:
            await websocket.send(await queue.get())

    async def receiving():
        while True:
            await queue.put((await websocket.receive()).upper())

    await asyncio.gather(copy_current_websocket_context(sending)(), copy_current_websocket_context(receiving)())


@live.websocket("/sync")
async def session_of_websocket():
    session["never"] = "kept, once accepted"
    await websocket.accept()
    await websocket.send_json(
        {"user": session.get("user"), "request": has_request_context(), "ws": has_websocket_context()}
    )
    await websocket.receive()


@live.websocket("/watch")
async def watch():
    """A view that the client leaves: its task is cancelled."""
    await websocket.accept()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        current_app.cancelled.append("watch")
        raise


@live.get("/events")
async def events():
    """Server-sent events, without a time limit."""
    if "text/event-stream" not in request.accept_mimetypes:
        abort(400)

    @stream_with_context
    async def stream():
        for number in range(int(request.args.get("count", 2))):
            yield f"event: tick\ndata: {request.path} {number}\nid: {number}\n\n".encode()
        while "forever" in request.args:
            await asyncio.sleep(0)
            yield b": still here\n\n"

    response = await make_response(
        stream(), {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "Transfer-Encoding": "chunked"}
    )
    response.timeout = None
    return response


@live.get("/stream")
async def stream():
    async def parts():
        for word in ("one", "two", "three"):
            yield word + "\n"

    return parts(), 200, {"X-Stream": "yes"}


@live.get("/generator")
def generator():
    """A plain function, and a plain generator: both go on in threads."""

    def parts():
        yield "a"
        yield "b"

    return parts()


@live.get("/tasks")
async def tasks():
    """A stream without end; its context is gone when it is closed."""
    cancelled = current_app.cancelled

    async def parts():
        try:
            while True:
                yield b"x" * 10
                await asyncio.sleep(0)
        finally:
            cancelled.append("stream")

    return parts()
