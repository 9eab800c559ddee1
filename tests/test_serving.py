"""Start-up and shutdown: what runs when, and how failures are reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from quart_plug import Quart, current_app, g, has_request_context, hookimpl
from quart_plug.exceptions import PluginLoadError
from quart_plug.running import run_task
from quart_plug.testing import LifespanError


class Boom(Exception):
    pass


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


@pytest.fixture
def calls() -> list[Any]:
    return []


async def test_the_order(app: Quart, calls: list[Any]) -> None:
    """Hooks around the app's own; before functions, then generators; at the end generators, then after functions."""

    class Noting:
        @hookimpl
        async def startup(self) -> None:
            calls.append("hook startup")

        @hookimpl
        async def shutdown(self) -> None:
            calls.append("hook shutdown")

        @hookimpl
        async def lifespan(self) -> Any:
            calls.append("lifespan begins")
            yield
            calls.append("lifespan ends")

    app.hooks.register(Noting(), "noting")

    @app.before_serving
    async def before() -> None:
        calls.append("before")

    @app.before_serving
    def before_sync() -> None:
        calls.append("sync before")

    @app.while_serving
    async def around() -> Any:
        calls.append("begins")
        yield
        calls.append("ends")

    app.after_serving(lambda: calls.append("after"))
    async with app.test_app():
        calls.append("serving")
    assert calls == [
        *("hook startup", "lifespan begins", "before", "sync before", "begins", "serving"),
        *("ends", "after", "lifespan ends", "hook shutdown"),
    ]


async def test_in_an_application_context(app: Quart, calls: list[Any]) -> None:
    @app.before_serving
    async def before() -> None:
        g.mark = 1
        calls.append((current_app.name, has_request_context()))

    @app.after_serving
    async def after() -> None:
        calls.append((current_app.name, "mark" in g))

    app.teardown_appcontext(lambda error: calls.append(error))
    async with app.test_app():
        pass
    assert calls == [(__name__, False), None, (__name__, False), None]


async def test_blueprints_take_part(app: Quart, calls: list[Any]) -> None:
    from quart_plug import Blueprint

    blueprint = Blueprint("part", __name__)
    blueprint.before_app_serving(lambda: calls.append("before"))
    blueprint.after_app_serving(lambda: calls.append("after"))
    app.register_blueprint(blueprint)
    async with app.test_app():
        pass
    assert calls == ["before", "after"]


@pytest.mark.parametrize("moment", ["before", "while", "hook"])
async def test_a_start_up_that_fails(app: Quart, moment: str, caplog: pytest.LogCaptureFixture) -> None:
    """The error is logged, told to the server, and raised; what had begun is ended."""
    ended = []

    class Around:
        @hookimpl
        async def lifespan(self) -> Any:
            try:
                yield
            finally:
                ended.append("lifespan")

        @hookimpl
        async def startup(self) -> None:
            if moment == "hook":
                raise Boom("why")

    app.hooks.register(Around(), "around")

    async def fails() -> None:
        raise Boom("why")

    async def generator() -> Any:
        raise Boom("why")
        yield

    if moment == "before":
        app.before_serving(fails)
    elif moment == "while":
        app.while_serving(generator)
    with pytest.raises(PluginLoadError if moment == "hook" else Boom, match="why"):
        await app.startup()
    assert "The app's start-up failed" in caplog.text
    assert "Boom: why" in caplog.text
    assert ended == ([] if moment == "hook" else ["lifespan"])


@pytest.mark.parametrize("moment", ["after", "while"])
async def test_a_shutdown_that_fails(app: Quart, moment: str, caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise Boom("why")

    async def generator() -> Any:
        yield
        raise Boom("why")

    if moment == "after":
        app.after_serving(fails)
    else:
        app.while_serving(generator)
    await app.startup()
    with pytest.raises(Boom, match="why"):
        await app.shutdown()
    assert "The app's shutdown failed" in caplog.text


async def test_what_the_server_is_told(app: Quart) -> None:
    """The lifespan protocol's failure message, with the error's words."""
    inbound = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return inbound.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def fails() -> None:
        raise Boom("no database")

    app.before_serving(fails)
    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert sent == [
        {"type": "lifespan.startup.failed", "message": "no database"},
        {"type": "lifespan.shutdown.complete"},
    ]


async def test_the_test_app_raises(app: Quart) -> None:
    app.before_serving(lambda: 1 / 0)
    with pytest.raises((LifespanError, ZeroDivisionError)):
        async with app.test_app():
            raise AssertionError("the app must not have started")


def test_while_serving_takes_generators(app: Quart) -> None:
    async def plain() -> None: ...

    with pytest.raises(TypeError, match=r"async generator function .*plain"):
        app.while_serving(plain)


async def test_a_generator_that_yields_twice(app: Quart) -> None:
    @app.while_serving
    async def twice() -> Any:
        yield
        yield

    await app.startup()
    with pytest.raises(RuntimeError, match=r"generator .*twice.* yielded twice"):
        await app.shutdown()


async def test_the_shutdown_event(app: Quart) -> None:
    await app.startup()
    assert not app.shutdown_event.is_set()
    waiter = asyncio.create_task(app.shutdown_event.wait())
    await app.shutdown()
    assert await waiter


async def test_start_up_sets_the_plugins_up(app: Quart) -> None:
    assert not app.plugins_are_set_up
    await app.startup()
    assert app.plugins_are_set_up
    await app.shutdown()


async def test_a_failed_start_up_ends_the_generators_that_had_begun() -> None:
    app = Quart(__name__)
    log: list[str] = []

    @app.while_serving
    async def holds() -> AsyncGenerator[None, None]:
        log.append("taken")
        try:
            yield
        finally:
            log.append("put away")

    @app.while_serving
    async def fails() -> AsyncGenerator[None, None]:
        raise OSError("no database")
        yield

    with pytest.raises(OSError, match="no database"):
        await app.startup()
    assert log == ["taken", "put away"]


# Draining -------------------------------------------------------------------------------------------------------------


def draining(function: Any) -> Any:
    return type("Draining", (), {"drain": staticmethod(hookimpl(specname="draining")(function))})()


async def test_a_plugin_that_fails_when_draining_begins_stops_nothing(
    app: Quart, calls: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported as other failures of serving are, and the rest of the end goes on."""

    async def fails() -> None:
        raise Boom

    class Noting:
        @hookimpl
        async def draining(self) -> None:
            calls.append("another plugin")

        @hookimpl
        async def serving_failed(self, error: BaseException) -> None:
            calls.append(type(error))

    app.hooks.register(draining(fails), name="faulty")
    app.hooks.register(Noting(), name="noting")
    app.after_serving(lambda: calls.append("after"))
    async with app.test_app():
        pass
    assert calls == ["another plugin", ExceptionGroup, "after"]
    assert "The app's draining failed" in caplog.text and "plugin 'faulty'" in caplog.text


async def test_a_plugin_that_does_not_end_draining_is_left(
    app: Quart, calls: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    app.config["SHUTDOWN_TIMEOUT"] = 0.01
    app.hooks.register(draining(hangs))
    app.after_serving(lambda: calls.append("after"))
    async with app.test_app():
        pass
    assert calls == ["after"]
    assert "The app's draining failed" in caplog.text


async def test_draining_begins_anew_with_each_start(app: Quart, calls: list[Any]) -> None:
    app.hooks.register(draining(lambda: calls.append("draining")))
    for _ in range(2):
        async with app.test_app():
            calls.append("serving")
    assert calls == ["serving", "draining"] * 2


async def test_draining_is_not_told_where_nothing_has_started(app: Quart, calls: list[Any]) -> None:
    """A signal that comes before the application serves ends the server, and there is nothing to drain."""

    class Early:
        name = "early"

        @hookimpl
        def server(self, app: Quart, name: str | None) -> Any:
            return self

        async def serve(self, app: Quart, *, shutdown_trigger: Any, **options: Any) -> None:
            await shutdown_trigger()

    app.hooks.register(Early(), name="early")
    app.hooks.register(draining(lambda: calls.append("draining")))
    await app.run_task(shutdown_trigger=lambda: asyncio.sleep(0))
    assert calls == []


async def test_a_trigger_that_raises_begins_draining_too(app: Quart, calls: list[Any]) -> None:
    class Serving:
        name = "serving"

        @hookimpl
        def server(self, app: Quart, name: str | None) -> Any:
            return self

        async def serve(self, app: Quart, *, shutdown_trigger: Any, **options: Any) -> None:
            async with app.test_app():
                with pytest.raises(Boom):
                    await shutdown_trigger()
                calls.append("stops")

    async def trigger() -> None:
        raise Boom

    app.hooks.register(Serving(), name="serving")
    app.hooks.register(draining(lambda: calls.append("draining")))
    await app.run_task(shutdown_trigger=trigger)
    assert calls == ["draining", "stops"]


async def test_our_server_accepts_as_long_as_plugins_drain(app: Quart, calls: list[Any]) -> None:
    """A new connection is answered while the hook waits, and refused when it has returned."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    stop = asyncio.Event()

    @app.route("/")
    async def index() -> str:
        return "draining" if calls else "serving"

    async def get(port: int) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.rpartition(b"\r\n\r\n")[2].decode()

    async def drain() -> None:
        calls.append("draining")
        calls.append(await get(port))

    async def fast_shutdown() -> None:
        with pytest.raises(OSError):
            await get(port)
        calls.append("refused")

    app.hooks.register(draining(drain))
    app.after_serving(fast_shutdown)
    options: dict[str, Any] = {"announce": lines.put_nowait, "access_log": False}
    serving = asyncio.ensure_future(run_task(app, port=0, shutdown_trigger=stop.wait, **options))
    async with asyncio.timeout(20):
        port = int((await lines.get()).split()[2].rpartition(":")[2])
        assert await get(port) == "serving"
        stop.set()
        await serving
    assert calls == ["draining", "draining", "refused"]
