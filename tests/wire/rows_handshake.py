"""Rows: how a handshake is answered."""

from __future__ import annotations

import asyncio

from tests.support.clients import receive, receive_json
from tests.wire.raw import TEXT, frame, handshake
from tests.wire.rows import Instead, Wire, row

KEPT = "kept until the websocket is accepted"


@row(
    "`accept()` sends its headers, and takes the first subprotocol of the server's list that the client speaks",
    holds=["yes", "a=b", "first", "first"],
    otherwise={"granian-own": Instead([None, None, "first", "first"], "the subprotocol, but no headers")},
)
async def accept(wire: Wire) -> object:
    async with wire.client("/headers", subprotocols=["second", "first"]) as client:
        assert client.response is not None
        sent = client.response.headers
        return [sent.get("x-wire"), sent.get("set-cookie"), client.subprotocol, await receive(client)]


@row("`accept(subprotocol=…)` takes the one that the view names", holds=["b", [["a", "b"], "b"]])
async def subprotocol(wire: Wire) -> object:
    async with wire.client("/chosen", subprotocols=["a", "b"]) as client:
        return [client.subprotocol, await receive_json(client)]


@row(
    "a bearer token may come as a subprotocol, as browsers can send it",
    holds=["bearer", "welcome", 401, "Bearer"],
)
async def bearer(wire: Wire) -> object:
    async with wire.client("/bearer", subprotocols=["bearer", "secret.token~1"]) as client:
        welcome = [client.subprotocol, await receive(client)]
    refused = await wire.refusal("/bearer", {"Sec-WebSocket-Protocol": "bearer, another.token"})
    return [*welcome, refused.status, refused.headers["www-authenticate"]]


@row(
    "`reject()` is an HTTP response with status, body and headers",
    holds=[401, "Wer bist du? ünï", "no", "Bearer"],
)
async def reject(wire: Wire) -> object:
    answer = await wire.refusal("/reject")
    return [answer.status, answer.body.decode(), answer.headers["x-wire"], answer.headers["www-authenticate"]]


@row("a plain request is served after a rejected handshake", holds=200)
async def reject_and_go_on(wire: Wire) -> object:
    await wire.refusal("/reject?status=503")
    return (await wire.get("/")).status


@row(
    "before accepting: `close()` and a view that returns refuse with 403, `abort(410)` with 410, an error with 500, "
    "`before_websocket` with what it answers, an unknown path with 404",
    holds={
        "/refuse-by-close": 403,
        "/refuse-by-return": 403,
        "/refuse-by-abort": 410,
        "/fail-first": 500,
        "/end?guard=closed": 402,
        "/nowhere": 404,
    },
)
async def refusals(wire: Wire) -> object:
    paths = [
        "/refuse-by-close",
        "/refuse-by-return",
        "/refuse-by-abort",
        "/fail-first",
        "/end?guard=closed",
        "/nowhere",
    ]
    return {path: (await wire.refusal(path)).status for path in paths}


@row("an upgrade to another protocol is not taken: the request is answered as one", holds=200)
async def unknown_upgrade(wire: Wire) -> object:
    async with wire.tcp() as client:
        client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n")
        return (await client.answer()).status


@row(
    "a handshake without a key, or of a version other than 13, is refused (RFC 6455, 4.2.1)",
    holds={"no key": True, "version 8": True},
)
async def bad_handshake(wire: Wire) -> object:
    observed = {}
    for name, without in (("no key", b"Sec-WebSocket-Key"), ("version 8", b"Sec-WebSocket-Version")):
        lines = [line for line in handshake("/end").split(b"\r\n") if not line.startswith(without)]
        if name == "version 8":
            lines.insert(-2, b"Sec-WebSocket-Version: 8")
        async with wire.tcp() as client:
            client.write(b"\r\n".join(lines))
            observed[name] = 400 <= (await client.answer()).status < 500
    return observed


@row(
    "data that comes before the handshake's answer (RFC 6455, 4.1, forbids it) is refused with 400",
    holds=[400],
    otherwise={
        "uvicorn-own": Instead([101, "late"], "no: the handshake is accepted, and the data lost"),
        "granian": Instead([101, "early"], KEPT),
        "granian-own": Instead([101, "early"], KEPT),
    },
)
async def early_data(wire: Wire) -> object:
    key = wire.key()
    async with wire.tcp() as client:
        client.write(handshake(f"/late?key={key}") + frame(TEXT, b"early"))
        answering = asyncio.ensure_future(client.answer())
        await wire.go(key)
        answer = await answering
        if answer.status != 101:
            return [answer.status]
        assert await client.message() == b"accepted"
        client.write(frame(TEXT, b"late"))
        return [101, (await client.message()).decode()]
