"""Contexts made by hand, and what the steps of a connection make of answers and errors in them."""

from __future__ import annotations

import inspect
import logging
import threading
from typing import Any

import pytest
from werkzeug.exceptions import BadRequestKeyError, Forbidden, HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from quart_plug import Quart, Response, g, has_request_context, request, websocket
from quart_plug.signals import got_request_exception, got_websocket_exception
from tests.support.surface import shows


class Boom(Exception):
    pass


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"

    @app.route("/", methods=["GET", "POST"])
    async def index() -> Any:
        return "index", 201, {"x-name": "value"}

    @app.get("/<int:number>")
    async def number(number: int) -> str:
        return f"number {number}"

    @app.get("/fails")
    async def fails() -> None:
        raise Boom("of the view")

    @app.websocket("/ws/<name>")
    async def ws(name: str) -> Any:
        return (f"no {name}", 403) if name == "refused" else None

    @app.websocket("/ws-fails")
    async def ws_fails() -> None:
        raise Boom("of the websocket")

    return app


async def text(response: Any) -> str:
    return str(await response.get_data(as_text=True))


async def websocket_context(app: Quart, path: str) -> Any:
    """A context of a websocket that nobody is at the other end of, made as Quart 0.22 can make it."""

    async def nothing(*args: Any) -> None: ...

    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "subprotocols": []}
    scope |= {"scheme": "ws", "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"}, "extensions": {}}
    headers = app.test_request_context("/").request.headers
    made = app.websocket_class(path, b"", "ws", headers, "", "1.1", [], nothing, nothing, nothing, nothing, scope)
    return app.websocket_context(made)


@shows("app.Quart.raise_routing_exception")
async def test_a_redirect_of_the_routing(app: Quart) -> None:
    app.add_url_rule("/folder/", "folder", lambda: "", methods=["GET", "POST"])
    async with app.test_request_context("/folder", method="POST"):
        with pytest.raises(RequestRedirect) as caught:
            app.raise_routing_exception(request)
    assert caught.value.code == 308  # keeps the method and the body


@shows("app.Quart.make_response")
@pytest.mark.parametrize(
    ("value", "status", "body", "header"),
    [
        ("text", 200, "text", None),
        (b"bytes", 200, "bytes", None),
        ({"a": 1}, 200, '{"a":1}\n', None),
        ([1, 2], 200, "[1,2]\n", None),
        (("text", 202), 202, "text", None),
        (("text", {"x-name": "value"}), 200, "text", "value"),
        (("text", [("x-name", "value")]), 200, "text", "value"),
        (("text", 202, {"x-name": "value"}), 202, "text", "value"),
    ],
)
async def test_make_response(app: Quart, value: Any, status: int, body: str, header: str | None) -> None:
    async with app.test_request_context("/"):
        response = await app.make_response(value)
    assert (response.status_code, await text(response)) == (status, body)
    assert response.headers.get("x-name") == header


@shows("app.Quart.make_response")
async def test_make_response_of_responses_and_of_what_is_none(app: Quart) -> None:
    async with app.test_request_context("/"):
        response = Response("own")
        assert await app.make_response(response) is response
        assert (await app.make_response((response, 418))).status_code == 418
        assert (await app.make_response(Forbidden("why"))).status_code == 403
        for wrong in (None, object(), ("a", 200, {}, "more"), ()):
            with pytest.raises(TypeError):
                await app.make_response(wrong)


@shows("app.Quart.finalize_request")
async def test_finalizing_for_an_error_handler_does_not_fail(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    """An after function that fails is logged then: the response that says so comes through."""

    @app.after_request
    async def after(response: Response) -> Response:
        raise Boom("after")

    async with app.test_request_context("/"):
        with pytest.raises(Boom):
            await app.finalize_request("made")
        response = await app.finalize_request("made", from_error_handler=True)
    assert await text(response) == "made"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@shows("app.Quart.trap_http_exception")
def test_trap_http_exception(app: Quart) -> None:
    """Whether an HTTP error is treated as any other: TRAP_HTTP_EXCEPTIONS for all, TRAP_BAD_REQUEST_ERRORS for 400s."""
    missing, bad, key = NotFound(), HTTPException(), BadRequestKeyError("name")
    bad.code = 400
    assert [app.trap_http_exception(error) for error in (missing, key)] == [False, False]
    app.debug = True  # in debug mode the missing keys of forms
    assert [app.trap_http_exception(error) for error in (missing, key)] == [False, True]
    app.debug = False
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True
    assert [app.trap_http_exception(error) for error in (missing, key)] == [False, True]
    app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    app.config["TRAP_HTTP_EXCEPTIONS"] = True
    assert [app.trap_http_exception(error) for error in (missing, key)] == [True, True]


@shows("app.Quart.handle_exception", "app.Quart.handle_websocket_exception", "app.Quart.log_exception")
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_unhandled_errors(app: Quart, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Sent as a signal, logged, answered by the handler for 500, or with its page; raised to who asked for that."""
    signal = got_request_exception if kind == "request" else got_websocket_exception
    ctx = app.test_request_context("/") if kind == "request" else await websocket_context(app, "/ws/a")
    handle = app.handle_exception if kind == "request" else app.handle_websocket_exception
    error = Boom("unhandled")
    heard: list[Any] = []

    def hear(sender: Any, exception: BaseException) -> None:
        heard.append(exception)

    with signal.connected_to(hear, app):
        async with ctx:
            response = await handle(error)
            assert (response.status_code, response.mimetype) == (500, "text/html")
            app.register_error_handler(500, lambda error: (f"handled {error.original_exception}", 503))
            response = await handle(error)
            assert (response.status_code, await text(response)) == (503, "handled unhandled")
            app.config["PROPAGATE_EXCEPTIONS"] = True
            with pytest.raises(Boom):
                await handle(error)
    assert heard == [error] * 3
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert logged == [error] * 2


@shows("app.Quart.should_ignore_error")
async def test_should_ignore_error(app: Quart) -> None:
    """No error is ignored, unless an application says so: then teardown functions are not told."""
    assert app.should_ignore_error(Boom()) is False
    told: list[Any] = []
    app.teardown_request(lambda error: told.append(error))
    app.should_ignore_error = lambda error: isinstance(error, Boom)  # type: ignore[method-assign]
    with pytest.raises(Boom):
        async with app.test_request_context("/"):
            raise Boom
    with pytest.raises(LookupError):
        async with app.test_request_context("/"):
            raise LookupError
    assert [type(error) for error in told] == [type(None), LookupError]


@shows("app.Quart.ensure_async", "app.Quart.sync_to_async")
async def test_functions_become_coroutine_functions(app: Quart) -> None:
    """A plain function runs in a thread, and sees the context."""

    async def asynchronous(a: int, b: int) -> int:
        return a + b

    def plain(a: int, b: int) -> tuple[int, str, bool]:
        return a + b, request.path, threading.current_thread() is threading.main_thread()

    def generator() -> Any:
        yield "a"
        yield "b"

    assert app.ensure_async(asynchronous) is asynchronous
    async with app.test_request_context("/1"):
        for made in (app.ensure_async(plain), app.sync_to_async(plain)):
            assert inspect.iscoroutinefunction(made)
            assert await made(1, b=2) == (3, "/1", False)
        assert [item async for item in await app.sync_to_async(generator)()] == ["a", "b"]


@shows("app.Quart.app_context", "app.Quart.request_context", "app.Quart.websocket_context")
async def test_contexts(app: Quart) -> None:
    async with app.app_context() as ctx:
        assert ctx.app is app
        g.word = "kept"
        assert not has_request_context()
    async with app.test_request_context("/1?a=b"):
        made = request._get_current_object()  # type: ignore[attr-defined]  # a proxy
    async with app.request_context(made) as request_ctx:
        assert request_ctx.request is made
        assert (request.view_args, request.args["a"], request.endpoint) == ({"number": 1}, "b", "number")
    async with await websocket_context(app, "/ws/name"):
        assert (websocket.view_args, websocket.endpoint) == ({"name": "name"}, "ws")


@shows("app.Quart.request_context")
async def test_a_request_made_by_hand(app: Quart) -> None:
    """In its context it knows what matched, and has the body that it was given."""

    async def nothing(*args: Any) -> None: ...

    scope: Any = {"type": "http", "method": "POST", "path": "/", "query_string": b"a=b", "headers": []}
    scope |= {"scheme": "http", "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"}}
    scope |= {"client": None, "server": None}
    headers = app.test_request_context("/").request.headers
    made = app.request_class("POST", "http", "/", b"a=b", headers, "", "1.1", scope, send_push_promise=nothing)
    async with app.request_context(made) as ctx:
        assert ctx.request is request._get_current_object() is made  # type: ignore[attr-defined]  # a proxy
        assert (request.endpoint, request.view_args, request.args["a"]) == ("index", {}, "b")
        request.body.append(b"body")
        request.body.set_complete()
        assert await request.get_data() == b"body"
    response = await app.handle_request(made)
    assert (response.status_code, made.endpoint) == (201, "index")
