"""Every connection, requests, and websockets."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from quart_plug import Quart, abort, websocket
from quart_plug.exceptions import MessageDropped, MessageRefused
from quart_plug.testing import WebsocketDisconnectError

from . import OK, app_with, scenario, view, visit


class Boom(Exception):
    pass


@scenario
async def scope_filters(kind: str) -> None:
    """Called with each connection's scope, before middleware; what it gives is gone on with. None leaves it."""
    wanted = True
    seen: list[str] = []

    def filters(app: Quart) -> Any:
        return (lambda scope: {**scope, "path": "/", "was": scope["path"]}) if wanted else None

    app = app_with("scope_filters", filters)
    view(app, kind)
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope.get("was", "untouched"))
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]  # as middleware does
    assert (await visit(app, kind, "/elsewhere")).said == "view"
    wanted = False
    app.plans_changed()
    await visit(app, kind, "/")
    assert seen == ["/elsewhere", "untouched"]


@scenario
async def connection(kind: str) -> None:
    """Entered before everything, left after the response is made; sees the error that nothing handled."""
    calls: list[Any] = []

    async def around(ctx: Any) -> Any:
        calls.append(("begins", ctx.request_websocket.path))
        try:
            yield
        except Boom:
            calls.append("boom")
            raise
        calls.append("ends")

    app = app_with("connection", around)
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    (app.teardown_request if kind == "request" else app.teardown_websocket)(lambda error: calls.append("teardown"))
    view(app, kind)
    view(app, kind, "/fails", fails=Boom())
    await visit(app, kind)
    await visit(app, kind, "/fails")
    assert calls == [
        *[("begins", "/"), "before", "ends", "teardown"],
        *[("begins", "/fails"), "before", "boom", "teardown"],
    ]


@scenario
async def route_matched(kind: str) -> None:
    """Called with what was found, before any before function; an error of its own goes to the error handlers."""
    calls: list[Any] = []

    async def matched(ctx: Any) -> None:
        calls.append((ctx.url_rule.rule, dict(ctx.view_args)))
        if ctx.view_args.get("name") == "closed":
            abort(403)

    app = app_with("route_matched", matched)
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    view(app, kind, "/shop/<name>")
    assert (await visit(app, kind, "/shop/a")).code == OK[kind]
    assert (await visit(app, kind, "/shop/closed")).code == 403
    assert (await visit(app, kind, "/nowhere")).code == 404
    rule = "/shop/<name>"
    assert calls == [(rule, {"name": "a"}), "before", (rule, {"name": "closed"}), "before"]


@scenario
async def route_unmatched(kind: str) -> None:
    """Asked with the error; an answer takes its place, and none leaves it. After the before functions."""
    calls: list[Any] = []

    async def unmatched(ctx: Any, error: Exception) -> Any:
        calls.append((ctx.request_websocket.path, type(error)))
        return ("found it anyway", 418) if ctx.request_websocket.path == "/old" else None

    app = app_with("route_unmatched", unmatched)
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    view(app, kind)
    found = await visit(app, kind, "/old")
    assert (found.code, found.said) == (418, "found it anyway")
    assert (await visit(app, kind, "/nowhere")).code == 404
    assert (await visit(app, kind)).code == OK[kind]
    assert calls == ["before", ("/old", NotFound), "before", ("/nowhere", NotFound), "before"]
    if kind == "request":
        assert (await app.test_client().post("/")).status_code == 405
        assert calls[-1] == ("/", MethodNotAllowed)


@scenario
async def response_sent(kind: str) -> None:
    """Told the status of each response, and what broke it; of a websocket only that of a refusal."""
    sent: list[Any] = []

    async def note(ctx: Any, status: int | None, error: BaseException | None) -> None:
        sent.append((ctx.request_websocket.path, status, type(error)))

    app = app_with("response_sent", note)
    view(app, kind)
    await visit(app, kind)
    await visit(app, kind, "/nowhere")
    nothing = type(None)
    assert sent == ([("/", 200, nothing)] if kind == "request" else []) + [("/nowhere", 404, nothing)]
    if kind == "request":

        @app.route("/broken")
        async def broken() -> Any:
            async def body() -> Any:
                yield "half"
                raise Boom

            return body()

        with pytest.raises(Boom):
            await app.test_client().get("/broken")
        assert sent[-1] == ("/broken", 200, Boom)
    else:

        @app.websocket("/closed")
        async def closed() -> None:
            await websocket.close()

        await visit(app, kind, "/closed")
        assert sent[-1] == ("/closed", 403, nothing)


@scenario
async def context_pushed(kind: str) -> None:
    """Called for the context, before the connection's functions; and for an application context."""
    calls: list[Any] = []

    async def note(ctx: Any) -> None:
        calls.append("pushed app" if ctx.kind is None else f"pushed {ctx.kind.name}")

    app = app_with("context_pushed", note)
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    view(app, kind)
    await visit(app, kind)
    async with app.app_context():
        calls.append("in")
    assert calls == [f"pushed {kind}", "before", "pushed app", "in"]


@scenario
async def context_teardown(kind: str) -> None:
    """After the app's functions, with the error that nothing handled."""
    calls: list[Any] = []

    async def note(ctx: Any, exc: BaseException | None) -> None:
        calls.append(("hook", "app" if ctx.kind is None else ctx.kind.name, type(exc)))

    app = app_with("context_teardown", note)
    app.teardown_appcontext(lambda exc: calls.append("function"))
    view(app, kind, fails=Boom())
    await visit(app, kind)
    async with app.app_context():
        pass
    assert calls == ["function", ("hook", kind, Boom), "function", ("hook", "app", type(None))]


@scenario
async def context_popped(kind: str) -> None:
    """The last of all."""
    calls: list[Any] = []
    app = app_with("context_popped", lambda ctx: calls.append("app" if ctx.kind is None else ctx.kind.name))
    app.teardown_appcontext(lambda exc: calls.append("function"))
    view(app, kind)
    await visit(app, kind)
    async with app.app_context():
        pass
    assert calls == ["function", kind, "function", "app"]


# Requests and websockets ----------------------------------------------------------------------------------------------


async def started(hook: str, kind: str) -> None:
    """Before every before function, also for what no rule matches."""
    calls: list[Any] = []
    app = app_with(hook, lambda ctx: calls.append(ctx.request_websocket.path))
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    view(app, kind)
    await visit(app, kind)
    await visit(app, kind, "/nowhere")
    assert calls == ["/", "before", "/nowhere", "before"]


async def before(hook: str, kind: str) -> None:
    """An answer takes the view's place; None lets it be called. Before the app's functions."""
    calls: list[Any] = []

    async def answer(ctx: Any) -> Any:
        calls.append(ctx.request_websocket.path)
        return ("come back later", 503) if ctx.request_websocket.path == "/closed" else None

    app = app_with(hook, answer)
    (app.before_request if kind == "request" else app.before_websocket)(lambda: calls.append("before"))
    view(app, kind, "/open")
    view(app, kind, "/closed")
    refused = await visit(app, kind, "/closed")
    assert (refused.code, refused.said) == (503, "come back later")
    assert (await visit(app, kind, "/open")).said == "view"
    assert calls == ["/closed", "/open", "before"]


async def after(hook: str, kind: str) -> None:
    """An answer replaces the response; after the app's functions."""
    calls: list[Any] = []

    async def replace(ctx: Any, response: Any) -> Any:
        calls.append(("hook", response.status_code))
        return await ctx.app.make_response(("replaced", 410)) if ctx.request_websocket.path == "/old" else None

    app = app_with(hook, replace)

    def function(response: Any) -> Any:
        calls.append("function")
        return response

    (app.after_request if kind == "request" else app.after_websocket)(function)
    for path in ("/old", "/other"):
        (app.route if kind == "request" else app.websocket)(path, endpoint=path)(_denies)
    old = await visit(app, kind, "/old")
    assert (old.code, old.said) == (410, "replaced")
    assert (await visit(app, kind, "/other")).code == 402
    assert calls == ["function", ("hook", 402)] * 2


async def _denies() -> Any:
    return "pay first", 402


async def error(hook: str, kind: str) -> None:
    """Asked for errors that the application has no handler for, HTTP's among them; an answer is the response."""
    asked: list[Any] = []

    async def answer(ctx: Any, error: Exception) -> Any:
        asked.append(type(error))
        return None if ctx.request_websocket.path == "/other" else (f"sorry: {type(error).__name__}", 502)

    app = app_with(hook, answer)
    app.register_error_handler(LookupError, lambda error: ("handled", 409))
    view(app, kind, "/handled", fails=LookupError())
    view(app, kind, "/fails", fails=Boom())
    view(app, kind, "/other", fails=Boom())
    assert (await visit(app, kind, "/handled")).said == "handled"
    failed, missing = await visit(app, kind, "/fails"), await visit(app, kind, "/nowhere")
    assert [(failed.code, failed.said), (missing.code, missing.said)] == [
        (502, "sorry: Boom"),
        (502, "sorry: NotFound"),
    ]
    assert (await visit(app, kind, "/other")).code == 500
    assert asked == [Boom, NotFound, Boom]


async def finished(hook: str, kind: str) -> None:
    """With the complete response, the replaced ones included; a websocket's that was accepted is None."""
    calls: list[Any] = []
    app = app_with(hook, lambda ctx, response: calls.append(response and response.status_code))
    (app.teardown_request if kind == "request" else app.teardown_websocket)(lambda error: calls.append("teardown"))
    view(app, kind)
    (app.route if kind == "request" else app.websocket)("/denied")(_denies)
    await visit(app, kind)
    await visit(app, kind, "/denied")
    assert calls == [200 if kind == "request" else None, "teardown", 402, "teardown"]


async def failed(hook: str, kind: str) -> None:
    """Only for what nothing handled, with the error; then the client gets 500."""
    calls: list[Any] = []
    app = app_with(hook, lambda ctx, error: calls.append((ctx.request_websocket.path, type(error))))
    app.register_error_handler(LookupError, lambda error: ("handled", 409))
    view(app, kind, "/handled", fails=LookupError())
    view(app, kind, "/fails", fails=Boom())
    await visit(app, kind, "/handled")
    await visit(app, kind, "/nowhere")
    assert (await visit(app, kind, "/fails")).code == 500
    assert calls == [("/fails", Boom)]


async def teardown(hook: str, kind: str) -> None:
    """After the app's functions, with the error that nothing handled."""
    calls: list[Any] = []
    app = app_with(hook, lambda ctx, exc: calls.append(("hook", type(exc))))
    (app.teardown_request if kind == "request" else app.teardown_websocket)(lambda error: calls.append("function"))
    view(app, kind)
    view(app, kind, "/fails", fails=Boom())
    await visit(app, kind)
    await visit(app, kind, "/fails")
    assert calls == ["function", ("hook", type(None)), "function", ("hook", Boom)]


def _for_both(moment: Any) -> None:
    """The scenarios of the two hooks of a moment."""
    for kind in ("request", "websocket"):

        async def run(kind_: str = kind) -> None:
            await moment(f"{kind_}_{moment.__name__}", kind_)

        run.__name__ = f"{kind}_{moment.__name__}"
        scenario(run)


for each in (started, before, after, error, finished, failed, teardown):
    _for_both(each)


# Websockets' own ------------------------------------------------------------------------------------------------------


def echo(app: Quart) -> None:
    @app.websocket("/echo")
    async def answer() -> None:
        async for message in websocket:
            await websocket.send(message)


@scenario
async def websocket_accepting() -> None:
    """May choose the subprotocol, add headers, and refuse."""
    seen = []

    async def accepting(ctx: Any, handshake: Any) -> Any:
        seen.append((ctx.websocket.path, handshake.subprotocol, handshake.requested_subprotocols))
        if not handshake.requested_subprotocols:
            return "which language?", 400
        handshake.subprotocol = handshake.requested_subprotocols[-1]
        handshake.headers["x-shop"] = "open"
        return None

    app = app_with("websocket_accepting", accepting)
    echo(app)
    async with app.test_client().websocket("/echo", subprotocols=["a", "b"]) as connection:
        await connection.send("hello")
        assert await connection.receive() == "hello"
        assert (connection.subprotocol, (connection.headers or {})["x-shop"]) == ("b", "open")
    refused = await visit(app, "websocket", "/echo")
    assert (refused.code, refused.said) == (400, "which language?")
    assert seen == [("/echo", None, ("a", "b")), ("/echo", None, ())]


async def _passing(hook: str) -> None:
    """May change, drop and refuse messages."""

    async def look(ctx: Any, message: Any) -> Any:
        if message == "drop":
            raise MessageDropped
        if message == "refuse":
            raise MessageRefused("no", 4000)
        return f"{message} of {ctx.websocket.path}" if message == "change" else None

    app = app_with(hook, look)
    echo(app)
    async with app.test_client().websocket("/echo") as connection:
        for message in ("drop", "change", "keep", "refuse"):
            await connection.send(message)
        assert [await connection.receive(), await connection.receive()] == ["change of /echo", "keep"]
        with pytest.raises(WebsocketDisconnectError) as end:
            await connection.receive()
    assert (end.value.code, end.value.reason) == (4000, "no")


@scenario
async def websocket_received() -> None:
    await _passing("websocket_received")


@scenario
async def websocket_sending() -> None:
    await _passing("websocket_sending")


@scenario
async def websocket_sent() -> None:
    """Told of each message that the server was given."""
    sent: list[Any] = []
    app = app_with("websocket_sent", lambda ctx, message: sent.append((ctx.websocket.path, message)))
    echo(app)
    async with app.test_client().websocket("/echo") as connection:
        for message in ("a", b"b"):
            await connection.send(message)
            await connection.receive()
    assert sent == [("/echo", "a"), ("/echo", b"b")]


@scenario
async def websocket_closed() -> None:
    """Once, with code, reason and who closed; not for a handshake that was refused."""
    closed: list[Any] = []
    app = app_with(
        "websocket_closed", lambda ctx, code, reason, closed_by: closed.append((ctx.app, code, reason, closed_by))
    )
    echo(app)

    @app.websocket("/bye")
    async def bye() -> None:
        await websocket.accept()
        await websocket.close(4001, "bye")

    async with app.test_client().websocket("/echo") as connection:
        await connection.send("a")
        await connection.receive()
        await connection.close(4002)
    await visit(app, "websocket", "/bye")
    await visit(app, "websocket", "/nowhere")
    assert closed == [(app, 4002, "", "client"), (app, 4001, "bye", "server")]
