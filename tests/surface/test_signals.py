"""`quart.signals`: each is sent with its arguments at its moment, to plain functions and to coroutine functions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from blinker import NamedSignal
from blinker import Namespace as BlinkerNamespace

import quart_plug
from quart_plug import (
    Quart,
    Response,
    abort,
    current_app,
    flash,
    g,
    render_template_string,
    request,
    session,
    signals,
    stream_template_string,
    websocket,
)
from tests.support.surface import shows

NAMES = sorted(name for name in signals.__all__ if isinstance(getattr(signals, name), NamedSignal))


class Site:
    """An app, and what happens in it: names of functions in capitals, and (signal, values) for the signals."""

    def __init__(self) -> None:
        self.app = Quart(__name__)
        self.app.secret_key = "secret"
        self.events: list[Any] = []
        app = self.app
        for kind in ("request", "websocket"):
            for stage in ("before", "after", "teardown"):
                getattr(app, f"{stage}_{kind}")(self._note(stage.upper()))

        @app.route("/")
        async def index() -> str:
            self.events.append("VIEW")
            return "text"

        @app.route("/fail")
        async def fail() -> str:
            raise LookupError("broken")

        @app.route("/handled")
        async def handled() -> str:
            abort(404)

        @app.websocket("/ws")
        async def ws() -> None:
            self.events.append("VIEW")
            await websocket.send(f"got {await websocket.receive()}")

        @app.websocket("/fail")
        async def ws_fail() -> None:
            raise LookupError("broken")

    def _note(self, event: str) -> Any:
        async def function(*args: Any) -> Any:
            self.events.append(event)
            return args[0] if event == "AFTER" else None

        return function

    def hear(self, stack: ExitStack, *names: str) -> None:
        """Note the signals that are sent, heard by a plain function and by a coroutine function."""
        for name in names:

            def plain(sender: Any, *, name: str = name, **values: Any) -> None:
                self.events.append((name, sender, values))

            async def coroutine(sender: Any, *, name: str = name, **values: Any) -> None:
                await asyncio.sleep(0)
                self.events.append((name, sender, values))

            for receiver in (plain, coroutine):
                stack.enter_context(getattr(signals, name).connected_to(receiver))


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def twice(name: str, site: Site, **values: Any) -> list[Any]:
    """A signal as both receivers note it."""
    return [(name, site.app, values)] * 2


# Requests -------------------------------------------------------------------------------------------------------------

REQUEST = ("request_started", "request_finished", "request_tearing_down", "got_request_exception")
CONTEXT = ("appcontext_pushed", "appcontext_tearing_down", "appcontext_popped")


@shows(
    "signals.request_started",
    "signals.request_finished",
    "signals.request_tearing_down",
    "signals.appcontext_pushed",
    "signals.appcontext_tearing_down",
    "signals.appcontext_popped",
)
async def test_the_moments_of_a_request(site: Site, stack: ExitStack) -> None:
    site.hear(stack, *REQUEST, *CONTEXT)
    await site.app.test_client().get("/")

    finished = next(event for event in site.events if event[0] == "request_finished")
    response = finished[2]["response"]
    assert isinstance(response, Response)
    assert await response.get_data() == b"text"
    assert site.events == [
        *twice("appcontext_pushed", site),
        *twice("request_started", site),
        "BEFORE",
        "VIEW",
        "AFTER",
        *twice("request_finished", site, response=response),
        "TEARDOWN",
        *twice("request_tearing_down", site, exc=None),
        *twice("appcontext_tearing_down", site, exc=None),
        *twice("appcontext_popped", site),
    ]


@shows("signals.request_finished")
async def test_a_receiver_may_change_the_response(site: Site, stack: ExitStack) -> None:
    def stamp(sender: Quart, response: Response) -> None:
        response.headers["X-Stamp"] = f"{request.path} {current_app.name}"

    stack.enter_context(signals.request_finished.connected_to(stamp))
    for path, status in (("/", 200), ("/handled", 404), ("/fail", 500)):
        response = await site.app.test_client().get(path)
        assert (response.status_code, response.headers["X-Stamp"]) == (status, f"{path} {__name__}")


@shows("signals.got_request_exception", "signals.request_tearing_down", "signals.appcontext_tearing_down")
async def test_only_an_error_that_nothing_handled_is_told(site: Site, stack: ExitStack) -> None:
    site.hear(stack, "got_request_exception", "request_tearing_down", "appcontext_tearing_down")
    await site.app.test_client().get("/handled")
    assert "got_request_exception" not in [event[0] for event in site.events]

    site.events.clear()
    await site.app.test_client().get("/fail")
    (name, sender, values) = site.events[1]
    error = values["exception"]
    assert (name, sender, repr(error)) == ("got_request_exception", site.app, "LookupError('broken')")
    assert site.events == [
        "BEFORE",
        *twice("got_request_exception", site, exception=error),
        "AFTER",
        "TEARDOWN",
        *twice("request_tearing_down", site, exc=error),
        *twice("appcontext_tearing_down", site, exc=error),
    ]


# Websockets -----------------------------------------------------------------------------------------------------------


@shows(
    "signals.websocket_started",
    "signals.websocket_received",
    "signals.websocket_sent",
    "signals.websocket_finished",
    "signals.websocket_tearing_down",
)
async def test_the_moments_of_a_websocket(site: Site, stack: ExitStack) -> None:
    """The sender of a message's signals is the message."""
    site.hear(stack, *(name for name in NAMES if name.startswith("websocket_")))
    async with site.app.test_client().websocket("/ws") as connection:
        await connection.send("x")
        await connection.receive()

    assert site.events == [
        *twice("websocket_started", site),
        "BEFORE",
        "VIEW",
        *[("websocket_received", "x", {})] * 2,
        *[("websocket_sent", "got x", {})] * 2,
        "AFTER",
        *twice("websocket_finished", site, response=None),
        "TEARDOWN",
        *twice("websocket_tearing_down", site, exc=None),
    ]


@shows("signals.got_websocket_exception", "signals.websocket_finished", "signals.websocket_tearing_down")
async def test_a_websocket_that_fails(site: Site, stack: ExitStack) -> None:
    site.hear(stack, "got_websocket_exception", "websocket_finished", "websocket_tearing_down")
    with pytest.raises(Exception, match="500"):
        async with site.app.test_client().websocket("/fail") as connection:
            await connection.receive()

    heard = {event[0]: event[2] for event in site.events if isinstance(event, tuple)}
    error = heard["got_websocket_exception"]["exception"]
    assert repr(error) == "LookupError('broken')"
    assert heard["websocket_finished"]["response"].status_code == 500
    assert heard["websocket_tearing_down"] == {"exc": error}


# The rest -------------------------------------------------------------------------------------------------------------


@shows("signals.appcontext_pushed", "signals.appcontext_tearing_down", "signals.appcontext_popped")
async def test_an_application_context(site: Site, stack: ExitStack) -> None:
    site.hear(stack, *CONTEXT)
    error = ValueError()
    with pytest.raises(ValueError):
        async with site.app.app_context():
            site.events.append("INSIDE")
            raise error

    assert site.events == [
        *twice("appcontext_pushed", site),
        "INSIDE",
        *twice("appcontext_tearing_down", site, exc=error),
        *twice("appcontext_popped", site),
    ]


@shows("signals.before_render_template", "signals.template_rendered")
@pytest.mark.parametrize("streamed", [False, True])
async def test_templates_are_told_of_with_their_context(site: Site, stack: ExitStack, streamed: bool) -> None:
    site.hear(stack, "before_render_template", "template_rendered")
    async with site.app.test_request_context("/"):
        if streamed:
            async for _ in await stream_template_string("{{ x }}", x=1):
                site.events.append("CHUNK")
        else:
            assert await render_template_string("{{ x }}", x=1) == "1"
            site.events.append("CHUNK")

    signalled = [event[0] if isinstance(event, tuple) else event for event in site.events]
    expected = [*["before_render_template"] * 2, *["template_rendered"] * 2]
    expected.insert(2 if streamed else 4, "CHUNK")
    assert [event for event in signalled if event != "TEARDOWN"] == expected
    for _, sender, values in (event for event in site.events if isinstance(event, tuple)):
        assert sender is site.app
        assert values["context"]["x"] == 1
        assert values["context"]["request"].path == "/"
        assert values["template"].render is not None


@shows("signals.template_rendered")
async def test_a_templates_context_may_be_looked_at_after_the_request(site: Site, stack: ExitStack) -> None:
    @site.app.route("/page")
    async def page() -> str:
        g.user = "Ada"
        session["seen"] = True
        return await render_template_string("{{ g.user }}")

    site.hear(stack, "template_rendered")
    await site.app.test_client().get("/page")

    context = next(event[2]["context"] for event in site.events if isinstance(event, tuple))
    assert (context["g"].user, context["session"], context["request"].path) == ("Ada", {"seen": True}, "/page")


@shows("signals.before_render_template")
async def test_a_receiver_may_add_to_a_templates_context(site: Site, stack: ExitStack) -> None:
    stack.enter_context(
        signals.before_render_template.connected_to(lambda sender, template, context: context.update(x=2))
    )
    async with site.app.app_context():
        assert await render_template_string("{{ x }}", x=1) == "2"


@shows("signals.message_flashed")
async def test_a_flashed_message(site: Site, stack: ExitStack) -> None:
    site.hear(stack, "message_flashed")
    async with site.app.test_request_context("/"):
        await flash("saved", "info")
        await flash("done")
    site.events.remove("TEARDOWN")

    assert site.events == [
        *twice("message_flashed", site, message="saved", category="info"),
        *twice("message_flashed", site, message="done", category="message"),
    ]


@shows("signals.got_background_exception")
async def test_a_background_task_that_fails(site: Site, stack: ExitStack) -> None:
    error = ValueError("task")

    async def task() -> None:
        raise error

    site.hear(stack, "got_background_exception")
    async with site.app.test_app(), site.app.app_context():
        site.app.add_background_task(task)

    assert site.events == twice("got_background_exception", site, exception=error)


@shows("signals.got_serving_exception")
async def test_a_start_that_fails(site: Site, stack: ExitStack) -> None:
    error = ValueError("start")

    @site.app.before_serving
    async def start() -> None:
        raise error

    site.hear(stack, "got_serving_exception")
    with pytest.raises(Exception, match="start"):
        async with site.app.test_app():
            pass

    assert site.events == twice("got_serving_exception", site, exception=error)


@shows("signals.Namespace", "signals.signals_available", "signals_available")
async def test_an_extensions_own_signals(site: Site) -> None:
    namespace = signals.Namespace()
    paid = namespace.signal("paid")
    heard: list[Any] = []

    def plain(sender: Any, **values: Any) -> None:
        heard.append((sender, values))

    async def coroutine(sender: Any, **values: Any) -> None:
        heard.append((sender, values))

    paid.connect(plain, site.app)
    paid.connect(coroutine)
    await paid.send_async(site.app, _sync_wrapper=site.app.ensure_async, amount=5)
    paid.disconnect(coroutine)
    paid.send(site.app, amount=6)
    paid.send("another sender", amount=7)

    assert heard == [(site.app, {"amount": 5})] * 2 + [(site.app, {"amount": 6})]
    assert namespace.signal("paid") is paid
    assert issubclass(signals.Namespace, BlinkerNamespace)
    assert signals.signals_available is True is quart_plug.signals_available


def test_the_package_offers_the_signals_too() -> None:
    assert len(NAMES) == 18
    for name in NAMES:
        assert getattr(signals, name).name == name.replace("_", "-")
        assert getattr(quart_plug, name) is getattr(signals, name)
