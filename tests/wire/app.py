"""The application behind all rows of the tests on the wire: small views, and what they learned, told over HTTP.

A client names its connection in the query (`?key=…`); `GET /ended/<key>` answers once the view has recorded how that
connection ended. Settings come from the environment (WIRE_SETTINGS, JSON).
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import defaultdict
from typing import Any

from quart_plug import ConnectionClosed, Quart, Response, abort, request, websocket
from quart_plug.exceptions import BadRequest
from quart_plug.typing import ResponseValue

app = Quart(__name__)
app.config["SECRET_KEY"] = "wire"
app.config.update(json.loads(os.environ.get("WIRE_SETTINGS", "{}")))

ended: defaultdict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
notes: defaultdict[str, list[Any]] = defaultdict(list)
go_on: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
open_keys: set[str] = set()


def key() -> str:
    return str(websocket.args.get("key", ""))


def tell(what: Any) -> None:
    """Record how a connection ended."""
    if isinstance(what, ConnectionClosed):
        what = [what.code, what.reason, what.closed_by]
    ended[key()].put_nowait(what)


async def ending() -> None:
    """Wait for the end in `receive`, and record it."""
    try:
        while True:
            await websocket.receive()
    except ConnectionClosed as error:
        tell(error)


@app.while_serving
async def serving() -> Any:
    print(f"started {os.getpid()}", flush=True)
    yield
    print("shut down", flush=True)


# Over HTTP ----------------------------------------------------------------------------------------------------------


@app.get("/")
async def index() -> ResponseValue:
    return "<!doctype html><title>wire</title>"


@app.get("/pid")
async def pid() -> ResponseValue:
    return {"pid": os.getpid()}


@app.get("/ended/<name>")
async def how_it_ended(name: str) -> ResponseValue:
    async with asyncio.timeout(30):
        return {"ended": await ended[name].get(), "notes": notes[name]}


@app.get("/go/<name>")
async def let_go(name: str) -> ResponseValue:
    go_on[name].set()
    return ""


@app.get("/slow/<float:seconds>")
async def slow(seconds: float) -> ResponseValue:
    await asyncio.sleep(seconds)
    return "done"


@app.get("/work/<int:number>")
async def work(number: int) -> ResponseValue:
    """A request that has been accepted says so, and takes a while."""
    print(f"begun {number}", flush=True)
    await asyncio.sleep(0.03)
    return str(number)


@app.get("/hang")
async def hang() -> ResponseValue:
    print("hanging", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("the request was cancelled", flush=True)
        raise
    return ""


@app.get("/cookie")
async def cookie() -> ResponseValue:
    response = Response("<!doctype html><title>wire</title>", content_type="text/html")
    response.set_cookie("user", "ada", samesite="Lax")
    return response


@app.get("/scheme")
async def scheme() -> ResponseValue:
    return {"scheme": request.scheme, "host": request.host}


# Handshakes ---------------------------------------------------------------------------------------------------------


@app.websocket("/headers", subprotocols=["first", "second"])
async def headers() -> None:
    await websocket.accept(headers={"x-wire": "yes", "set-cookie": "a=b"})
    await websocket.send(str(websocket.subprotocol))
    await ending()


@app.websocket("/chosen")
async def chosen() -> None:
    await websocket.accept(subprotocol=websocket.requested_subprotocols[-1])
    await websocket.send_json([websocket.requested_subprotocols, websocket.subprotocol])


@app.websocket("/bearer")
async def bearer() -> None:
    """The token is one of the subprotocols, since a browser cannot send an Authorization header."""
    offered = websocket.requested_subprotocols
    if offered[:1] != ["bearer"] or "secret.token~1" not in offered:
        await websocket.reject(401, "a token, please", {"www-authenticate": "Bearer"})
        return
    await websocket.accept(subprotocol="bearer")
    await websocket.send("welcome")


@app.websocket("/reject")
async def reject() -> None:
    status = int(websocket.args.get("status", 401))
    await websocket.reject(status, "Wer bist du? ünï", {"x-wire": "no", "www-authenticate": "Bearer"})


@app.websocket("/refuse-by-close")
async def refuse_by_close() -> None:
    await websocket.close(1008, "not you")


@app.websocket("/refuse-by-return")
async def refuse_by_return() -> None:
    return


@app.websocket("/refuse-by-abort")
async def refuse_by_abort() -> None:
    abort(410)


@app.websocket("/fail-first")
async def fail_first() -> None:
    raise RuntimeError("meant: before accepting")


@app.before_websocket
async def guard() -> Any:
    if websocket.args.get("guard") == "closed":
        return "guarded", 402
    return None


@app.websocket("/never")
async def never() -> None:
    """Neither accepts nor rejects."""
    try:
        await asyncio.Event().wait()
    finally:
        tell("cancelled")


@app.websocket("/cookies")
async def cookies() -> None:
    await websocket.send(str(websocket.cookies.get("user")))


@app.websocket("/late")
async def late() -> None:
    await go_on[key()].wait()
    try:
        await websocket.accept()
        await websocket.send("accepted")
        await websocket.send(await websocket.receive())
        await ending()
    except ConnectionClosed as error:
        tell(error)


# Ends ---------------------------------------------------------------------------------------------------------------


@app.websocket("/end")
async def end() -> None:
    """Say `ready`, then learn of the end."""
    await websocket.accept()
    await websocket.send("ready")
    await ending()


@app.websocket("/close")
async def close() -> None:
    await websocket.accept()
    message = await websocket.receive_json()
    await websocket.close(message["code"], message["reason"])
    await websocket.close(4999, "a second time does nothing")
    tell([websocket.close_code, websocket.close_reason, websocket.closed_by, websocket.state])


@app.websocket("/return")
async def returns() -> None:
    await websocket.accept()


@app.websocket("/fail")
async def fail() -> None:
    await websocket.accept()
    raise RuntimeError(f"meant: {websocket.id}")


@app.websocket("/fail-http")
async def fail_http() -> None:
    await websocket.accept()
    abort(404)


@app.websocket("/leave")
async def leave() -> None:
    """ConnectionClosed leaves the view, inside of a group."""
    async with asyncio.TaskGroup() as group:
        group.create_task(ending_in_group())
        await websocket.accept()


async def ending_in_group() -> None:
    try:
        while True:
            await websocket.receive()
    finally:
        tell("left")


@app.websocket("/iterate")
async def iterate() -> None:
    try:
        async for _ in websocket:
            pass
    except ConnectionClosed as error:
        tell(["raised", error.code])
    else:
        tell(["ended", websocket.close_code])


@app.websocket("/repeated")
async def repeated() -> None:
    await websocket.accept()
    told = []
    for call in (websocket.receive, websocket.receive, lambda: websocket.send("x"), lambda: websocket.send("x")):
        try:
            await call()
        except ConnectionClosed as error:
            told.append([error.code, error.reason, error.closed_by])
    tell(told)


@app.websocket("/illegal")
async def illegal() -> None:
    await websocket.accept()
    told = []
    for code, reason in ((1005, ""), (1006, ""), (1015, ""), (999, ""), (5000, ""), (2000, ""), (1000, "x" * 124)):
        try:
            await websocket.close(code, reason)
        except ValueError:
            told.append([code, len(reason)])
    await websocket.send_json(told)


@app.websocket("/raise", disconnect="raise")
async def raises() -> None:
    await websocket.accept()
    await websocket.send("ready")
    began = time.monotonic()
    try:
        await asyncio.Event().wait()
    finally:
        tell(["cancelled", round(time.monotonic() - began, 2), websocket.close_code])


@app.websocket("/touch", disconnect="raise")
async def touch() -> None:
    """Waits for something else, and touches the websocket now and then."""
    await websocket.accept()
    await websocket.send("ready")
    await go_on[key()].wait()
    try:
        while True:
            await websocket.send("tick")
            await asyncio.sleep(0.02)
    except ConnectionClosed as error:
        tell(error)


@app.websocket("/cancel", disconnect="cancel")
async def cancels() -> None:
    await websocket.accept()
    await websocket.send("ready")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell(["cancelled", websocket.close_code])
        raise


@app.websocket("/cancel-receive", disconnect="cancel")
async def cancels_receive() -> None:
    await websocket.accept()
    await websocket.send("ready")
    try:
        await websocket.receive()
    except asyncio.CancelledError:
        tell(["cancelled", websocket.close_code])
        raise


@app.websocket("/swallow", disconnect="raise")
async def swallow() -> None:
    await websocket.accept()
    await websocket.send("ready")
    calls = 0
    try:
        while True:
            calls += 1
            try:
                await websocket.receive()
            except ConnectionClosed:
                pass
    finally:
        tell("spun" if calls > 1000 else "cancelled")


# Messages -----------------------------------------------------------------------------------------------------------


@app.websocket("/echo")
async def echo() -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send(await websocket.receive())
    except ConnectionClosed as error:
        tell(error)


@app.websocket("/sizes")
async def sizes() -> None:
    """What has come, by kind and size."""
    await websocket.accept()
    try:
        while True:
            message = await websocket.receive()
            await websocket.send_json([type(message).__name__, len(message)])
    except ConnectionClosed as error:
        tell(error)


@app.websocket("/give")
async def give() -> None:
    await websocket.accept()
    async for message in websocket:
        kind, size = json.loads(message)
        await websocket.send("ü" * (size // 2) if kind == "text" else b"\xfe" * size)


@app.websocket("/json")
async def read_json() -> None:
    while True:
        try:
            await websocket.send_json({"got": await websocket.receive_json()})
        except BadRequest:
            await websocket.send_json({"error": "no JSON"})


@app.websocket("/patience")
async def patience() -> None:
    while True:
        try:
            await websocket.send(await websocket.receive(timeout=0.1))
        except TimeoutError:
            await websocket.send("timeout")


@app.websocket("/many")
async def many() -> None:
    """Five tasks send at once, each its numbers in order."""
    await websocket.accept()

    async def speak(name: int) -> None:
        for number in range(100):
            await websocket.send(f"{name} {number}")

    async with asyncio.TaskGroup() as group:
        for name in range(5):
            group.create_task(speak(name))


# Peers and views that do not read -----------------------------------------------------------------------------------


@app.websocket("/flood")
async def flood() -> None:
    """Sends until the end; what one send brings to memory is 64 KiB."""
    await websocket.accept()
    data = "." * 65_536
    try:
        while True:
            await websocket.send(data)
    except ConnectionClosed as error:
        tell(error)


@app.websocket("/deaf")
async def deaf() -> None:
    """Never reads."""
    await websocket.accept()
    await websocket.send("ready")
    try:
        await go_on[key()].wait()
        await websocket.send("going on")
        size = 0
        async for message in websocket:
            size += len(message)
            await websocket.send(str(size))
        tell(size)
    except ConnectionClosed as error:
        tell(error)


@app.websocket("/beat")
async def beat() -> None:
    await websocket.accept()
    websocket.heartbeat(0.2, timeout=0.4)
    await ending()


# Draining -----------------------------------------------------------------------------------------------------------


@app.websocket("/stubborn")
async def stubborn() -> None:
    """Does not go when its connection has been closed."""
    await websocket.accept()
    await websocket.send("ready")
    print("waiting", flush=True)  # who is still in `send` would be told of the end by that
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("the websocket was cancelled", flush=True)
        raise
