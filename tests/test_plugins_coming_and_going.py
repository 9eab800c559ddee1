"""Plugins that start and stop come and go under load: no connection meets a hook of one that is not running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from quart_plug import Quart, hookimpl, render_template_string, websocket
from quart_plug.exceptions import PluginLoadError
from quart_plug.sessions import SecureCookieSessionInterface


class Pooled:
    """Its hooks need what it opens; opening and closing take as long as the test wants."""

    def __init__(self) -> None:
        self.is_open = False
        self.used = 0
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def _pause(self) -> None:
        self.reached.set()
        await self.go_on.wait()
        self.reached.clear()
        self.go_on.clear()

    def _use(self) -> None:
        assert self.is_open, "the pool is closed"
        self.used += 1

    @hookimpl
    async def request_before(self) -> None:
        self._use()

    @hookimpl
    async def websocket_before(self) -> None:
        self._use()


class ByStartup(Pooled):
    @hookimpl
    async def startup(self) -> None:
        await self._pause()
        self.is_open = True

    @hookimpl
    async def shutdown(self) -> None:
        self.is_open = False
        await self._pause()


class ByLifespan(Pooled):
    @hookimpl
    async def lifespan(self) -> AsyncIterator[None]:
        await self._pause()
        self.is_open = True
        yield
        self.is_open = False
        await self._pause()


def make_app() -> Quart:
    app = Quart(__name__, static_folder=None)

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0)
        return "here"

    @app.websocket("/ws")
    async def talk() -> None:
        await websocket.send("here")

    return app


async def connect(app: Quart) -> None:
    """Some requests at once, and a websocket; each has to be answered."""
    client = app.test_client()
    responses = await asyncio.gather(*(client.get("/") for _ in range(5)))
    assert [response.status_code for response in responses] == [200] * 5
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "here"


@pytest.mark.parametrize("kind", [ByStartup, ByLifespan])
async def test_hooks_are_called_while_the_plugin_runs_and_not_else(kind: type[Pooled]) -> None:
    app = make_app()
    async with app.test_app():
        await connect(app)
        for _ in range(2):  # it may come again under its name
            pool = kind()
            coming = asyncio.create_task(app.register_plugin(pool, "pool"))
            await pool.reached.wait()
            await connect(app)
            assert pool.used == 0
            pool.go_on.set()
            await coming
            await connect(app)
            assert pool.used >= 6
            going = asyncio.create_task(app.unregister_plugin("pool"))
            await pool.reached.wait()
            used = pool.used
            await connect(app)
            pool.go_on.set()
            await going
            await connect(app)
            assert pool.used == used


async def test_hooks_of_a_plugin_that_does_not_start_are_never_called() -> None:
    """And one that is registered under its name afterwards is not held back."""

    class Bad(ByStartup):
        @hookimpl
        async def startup(self) -> None:
            await self._pause()
            raise LookupError("no database")

    app, pool = make_app(), Bad()
    async with app.test_app():
        coming = asyncio.create_task(app.register_plugin(pool, "pool"))
        await pool.reached.wait()
        await connect(app)
        pool.go_on.set()
        with pytest.raises(PluginLoadError, match="no database"):
            await coming
        await connect(app)
        assert pool.used == 0
        other = Pooled()
        other.is_open = True
        app.hooks.register(other, "pool")
        await connect(app)
        assert other.used >= 6


async def test_those_that_require_a_plugin_are_withdrawn_with_it() -> None:
    """Before any of them stops: they need it."""
    app, pool = make_app(), ByLifespan()
    uses: list[bool] = []

    class Dependent:
        __quart_plug__ = {"requires": ["pool"]}

        @hookimpl
        async def request_before(self) -> None:
            uses.append(pool.is_open)

    async with app.test_app():
        coming = asyncio.create_task(app.register_plugin(pool, "pool"))
        await pool.reached.wait()
        pool.go_on.set()
        await coming
        await app.register_plugin(Dependent(), "dependent")
        await connect(app)
        assert uses == [True] * 5
        going = asyncio.create_task(app.unregister_plugin("pool"))
        await pool.reached.wait()
        await connect(app)
        pool.go_on.set()
        await going
        assert uses == [True] * 5


async def test_slots_and_names_for_templates_come_and_go_with_the_hooks() -> None:
    """Also where they were asked for while the plugin started, and were not there yet."""
    interface = SecureCookieSessionInterface()

    class Filling(ByStartup):
        @hookimpl
        def session_interface(self) -> Any:
            assert self.is_open, "the pool is closed"
            return interface

        @hookimpl
        def template_globals(self) -> dict[str, Any]:
            return {"word": "filled"}

    async def render() -> str:
        async with app.app_context():
            return await render_template_string("{{ word }}")

    app, pool = make_app(), Filling()
    async with app.test_app():
        coming = asyncio.create_task(app.register_plugin(pool, "pool"))
        await pool.reached.wait()
        await connect(app)
        assert app.session_interface is not interface
        assert await render() == ""
        pool.go_on.set()
        await coming
        await connect(app)
        assert app.session_interface is interface
        assert await render() == "filled"
        going = asyncio.create_task(app.unregister_plugin("pool"))
        await pool.reached.wait()
        await connect(app)
        assert app.session_interface is not interface
        pool.go_on.set()
        await going
        assert await render() == ""
