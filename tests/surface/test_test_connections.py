"""`quart.testing`: connections part by part, the app with its start-up, and its commands."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import click
import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart, abort, current_app, has_app_context, make_push_promise, request, websocket
from quart_plug.testing import QuartCliRunner
from quart_plug.testing.app import DEFAULT_TIMEOUT, LifespanError, TestApp
from quart_plug.testing.connections import (
    HTTPDisconnectError,
    TestHTTPConnection,
    TestWebsocketConnection,
    WebsocketDisconnectError,
    WebsocketResponseError,
)
from quart_plug.testing.utils import make_test_scope
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.post("/count")
    async def count() -> AsyncIterator[bytes]:
        parts = [len(part) async for part in request.body]

        async def each() -> AsyncIterator[bytes]:
            for length in (len(parts), sum(parts)):
                yield str(length).encode()

        return each()

    @app.get("/endless")
    async def endless() -> Any:
        async def each() -> AsyncIterator[bytes]:
            while True:
                yield b"part"

        return each(), 201, {"X": "1"}

    @app.get("/push")
    async def push() -> str:
        await make_push_promise("/style.css")
        return ""

    @app.websocket("/echo")
    async def echo() -> None:
        await websocket.accept(headers=Headers({"X": "1"}), subprotocol=(websocket.requested_subprotocols or [None])[0])
        while True:
            await websocket.send(await websocket.receive())

    @app.websocket("/json")
    async def double() -> None:
        await websocket.send_json({"double": 2 * (await websocket.receive_json())["value"]})

    @app.websocket("/closes")
    async def closes() -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")

    @app.websocket("/refuses")
    async def refuses() -> None:
        abort(401)

    return app


# Requests ------------------------------------------------------------------------------------------------------------


@shows(
    "testing.client.QuartClient.request",
    "testing.connections.TestHTTPConnection",
    "testing.connections.TestHTTPConnection.as_response",
    "testing.connections.TestHTTPConnection.receive",
    "testing.connections.TestHTTPConnection.send",
    "testing.connections.TestHTTPConnection.send_complete",
)
@pytest.mark.parametrize("made", ["by the client", "by hand"])
async def test_a_request_part_by_part(app: Quart, made: str) -> None:
    if made == "by hand":
        scope = make_test_scope("http", "/count", "POST", Headers(), b"", "http", "", "1.1", None)
        connection = TestHTTPConnection(app, scope)
    else:
        connection = app.test_client().request("/count", method="POST")
    async with connection:
        assert connection.status_code is None
        await connection.send(b"abc")
        await connection.send(b"de")
        await connection.send_complete()
        assert await connection.receive() == b"2"
        assert connection.status_code == 200
        assert connection.headers is not None and "content-type" in connection.headers
        assert await connection.receive() == b"5"
        response = await connection.as_response()
    assert (response.status_code, await response.get_data()) == (200, b"")  # what `receive` has not given


async def test_the_whole_response(app: Quart) -> None:
    async with app.test_client().request("/count", method="POST") as connection:
        await connection.send(b"abc")
        await connection.send_complete()
    response = await connection.as_response()
    assert await response.get_data() == b"13"
    async with app.test_client().request("/push", http_version="2") as connection:
        await connection.send_complete()
        await connection.as_response()
    assert [path for path, _ in connection.push_promises] == ["/style.css"]


@shows("testing.connections.TestHTTPConnection.disconnect", "testing.connections.HTTPDisconnectError")
async def test_a_client_that_leaves(app: Quart) -> None:
    """A response without end is ended; what had come until then is there; what had not is an HTTPDisconnectError."""
    async with app.test_client().request("/endless") as connection:
        assert await connection.receive() == b"part"
        await connection.disconnect()
    assert (connection.status_code, (connection.headers or {})["X"]) == (201, "1")
    with pytest.raises(HTTPDisconnectError):
        async with app.test_client().request("/count", method="POST") as connection:
            await connection.send(b"abc")
            await connection.disconnect()
            await connection.receive()


# Websockets ----------------------------------------------------------------------------------------------------------


@shows(
    "testing.client.QuartClient.websocket",
    "testing.connections.TestWebsocketConnection",
    "testing.connections.TestWebsocketConnection.close",
    "testing.connections.TestWebsocketConnection.disconnect",
    "testing.connections.TestWebsocketConnection.receive",
    "testing.connections.TestWebsocketConnection.send",
)
@pytest.mark.parametrize("made", ["by the client", "by hand"])
@pytest.mark.parametrize("end", ["close", "disconnect", "leave"])
async def test_a_websocket(app: Quart, made: str, end: str) -> None:
    ended: list[Any] = []

    @app.teardown_websocket
    async def note(error: BaseException | None) -> None:
        ended.append(error)

    if made == "by hand":
        base = {"subprotocols": ["chat"]}
        connection = TestWebsocketConnection(
            app, make_test_scope("websocket", "/echo", "GET", Headers(), b"", "ws", "", "1.1", base)
        )
    else:
        connection = app.test_client().websocket("/echo", subprotocols=["chat"])
    async with connection:
        for message in ("text", b"bytes", ""):
            await connection.send(message)
            assert await connection.receive() == message
        assert connection.accepted
        assert (connection.headers or {})["X"] == "1"
        if end == "close":
            await connection.close(1000)
        elif end == "disconnect":
            await connection.disconnect()
    assert len(ended) == 1


@shows(
    "testing.connections.TestWebsocketConnection.receive_json",
    "testing.connections.TestWebsocketConnection.send_json",
)
async def test_json_messages(app: Quart) -> None:
    async with app.test_client().websocket("/json") as connection:
        await connection.send_json({"value": 4})
        assert await connection.receive_json() == {"double": 8}


@shows("testing.connections.WebsocketDisconnectError")
async def test_a_websocket_that_the_app_closes(app: Quart) -> None:
    async with app.test_client().websocket("/closes") as connection:
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
    assert caught.value.args[0] == 4000


@shows("testing.connections.WebsocketResponseError")
@pytest.mark.parametrize(("path", "status"), [("/refuses", 401), ("/nowhere", 404), ("/push", 400)])
@pytest.mark.parametrize("asks", ["receive", "send", None])
async def test_a_websocket_that_is_refused(app: Quart, path: str, status: int, asks: str | None) -> None:
    """The response is there, also for a test that only opens the websocket."""
    connection = app.test_client().websocket(path)
    with pytest.raises(WebsocketResponseError) as caught:
        async with connection:
            if asks is not None:
                await getattr(connection, asks)(*(["x"] if asks == "send" else []))
    assert caught.value.response.status_code == status == connection.status_code
    assert await caught.value.response.get_data() == connection.response_data != b""
    assert not connection.accepted


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"headers": {"X": "1"}}, "ws://localhost/seen 1"),
        ({"query_string": {"a": "b"}}, "ws://localhost/seen?a=b None"),
        ({"scheme": "wss"}, "wss://localhost/seen None"),
        ({"subdomain": "sub"}, "ws://sub.localhost/seen None"),
        ({"auth": ("u", "p"), "headers": {"X": "2"}}, "ws://localhost/seen 2 Basic dTpw"),
    ],
)
async def test_options_of_a_websocket(app: Quart, options: dict[str, Any], expected: str) -> None:
    @app.websocket("/seen")
    async def seen() -> None:
        auth = websocket.authorization
        said = [websocket.url, str(websocket.headers.get("X")), *([auth.to_header()] if auth else [])]
        await websocket.send(" ".join(said))

    async with app.test_client().websocket("/seen", **options) as connection:
        assert await connection.receive() == expected


# The app with its start-up -------------------------------------------------------------------------------------------


@shows(
    "testing.app.TestApp",
    "testing.app.TestApp.startup",
    "testing.app.TestApp.shutdown",
    "testing.app.TestApp.test_client",
)
@pytest.mark.parametrize("by_hand", [False, True])
async def test_start_up_and_shutdown(by_hand: bool) -> None:
    app = Quart(__name__)
    events: list[str] = []

    @app.before_serving
    async def before() -> None:
        events.append("before")

    @app.while_serving
    async def around() -> AsyncIterator[None]:
        events.append("start")
        yield
        events.append("end")

    @app.after_serving
    def after() -> None:
        events.append("after")

    app.add_url_rule("/", "index", lambda: events.append("request") or "")
    test_app = app.test_app()
    assert isinstance(test_app, TestApp)
    if by_hand:
        await test_app.startup()
        await test_app.test_client().get("/")
        await test_app.shutdown()
    else:
        async with test_app as entered:
            assert entered is test_app
            await entered.test_client().get("/")
    assert events == ["before", "start", "request", "end", "after"]


@shows("testing.app.LifespanError")
@pytest.mark.parametrize("stage", ["startup", "shutdown"])
async def test_a_failure(stage: str) -> None:
    app = Quart(__name__)

    async def fail() -> None:
        raise LookupError("no database")

    getattr(app, "before_serving" if stage == "startup" else "after_serving")(fail)
    with pytest.raises(LifespanError, match=f"{stage} no database"):
        async with app.test_app():
            assert stage == "shutdown"
    assert str(LifespanError("of another's")) == "of another's"


@shows("testing.app.DEFAULT_TIMEOUT")
@pytest.mark.parametrize("stage", ["startup", "shutdown"])
async def test_an_app_that_takes_too_long(stage: str) -> None:
    """Each stage has a time limit in seconds."""
    app = Quart(__name__)

    async def wait() -> None:
        await asyncio.Event().wait()

    getattr(app, "before_serving" if stage == "startup" else "after_serving")(wait)
    with pytest.raises(asyncio.TimeoutError):
        async with TestApp(app, **{f"{stage}_timeout": 0.01}):
            assert stage == "shutdown"
    usual = app.test_app()
    assert usual.startup_timeout == usual.shutdown_timeout == DEFAULT_TIMEOUT == 6


# Commands ------------------------------------------------------------------------------------------------------------


@shows("testing.QuartCliRunner", "testing.QuartCliRunner.invoke")
async def test_commands() -> None:
    """The app's own by default, in its context; another command; click's options; also from a coroutine."""
    app = Quart("the_app")

    @app.cli.command()
    @click.argument("name")
    async def hello(name: str) -> None:
        await asyncio.sleep(0)
        click.echo(f"hello {name} from {current_app.name}")

    @app.cli.command("fail", with_appcontext=False)
    @click.option("--status", default=3, envvar="STATUS")
    def leave(status: int) -> None:
        click.echo(str(has_app_context()))
        raise SystemExit(status)

    @click.command()
    def loose() -> None:
        click.echo(f"read {sys.stdin.read()}")

    runner = app.test_cli_runner()
    assert isinstance(runner, QuartCliRunner)
    result = runner.invoke(args=["hello", "you"])
    assert (result.exit_code, result.output) == (0, "hello you from the_app\n")
    assert runner.invoke(hello, ["me"]).output == "hello me from the_app\n"
    assert runner.invoke(loose, input="this").output == "read this\n"
    result = runner.invoke(args=["fail"], env={"STATUS": "4"})
    assert (result.exit_code, result.output) == (4, "False\n")
    assert runner.invoke(args=["hello"]).exit_code == 2

    class Own(QuartCliRunner):
        pass

    app.test_cli_runner_class = Own
    assert isinstance(app.test_cli_runner(), Own)
