"""Start-up, shutdown, and functions that are called around them."""

from __future__ import annotations

import asyncio

import pytest
from quart import Quart, current_app, g


async def test_the_order(app):
    async with app.test_app() as test_app:
        assert app.life == ["before_serving of board", "while_serving began"]
        assert app.store.connected
        assert (await test_app.test_client().get("/methods")).status_code == 200
        assert not app.shutdown_event.is_set()
    assert app.life[2:] == ["while_serving ended", "after_serving"]
    assert app.shutdown_event.is_set()


async def test_startup_and_shutdown_by_hand(app):
    await app.startup()
    assert app.store.connected
    await app.shutdown()
    assert not app.store.connected


async def test_blueprints_take_part():
    from quart import Blueprint

    life = []
    blueprint = Blueprint("part", __name__)
    blueprint.before_app_serving(lambda: life.append("before"))
    blueprint.after_app_serving(lambda: life.append("after"))

    @blueprint.while_app_serving
    async def part():
        life.append("in")
        yield
        life.append("out")

    app = Quart("parts")
    app.register_blueprint(blueprint)
    async with app.test_app():
        pass
    assert life == ["before", "in", "out", "after"]


async def test_a_start_that_fails():
    app = Quart("fails")

    @app.before_serving
    async def fail():
        raise LookupError("at the start")

    with pytest.raises(Exception, match="at the start"):
        async with app.test_app():
            pass


async def test_a_task_begun_at_the_start():
    app = Quart("tasks")
    app.ticks = 0

    @app.before_serving
    async def begin():
        async def tick():
            while not current_app.shutdown_event.is_set():
                current_app.ticks += 1
                await asyncio.sleep(0)

        app.add_background_task(tick)

    async with app.test_app():
        while app.ticks < 3:
            await asyncio.sleep(0)
    assert app.ticks >= 3


async def test_an_app_context_by_hand(app):
    async with app.app_context():
        g.value = 1
        assert current_app.name == "board"
        assert current_app._get_current_object() is app
        assert g.get("value") == 1
        assert "value" in g
        assert g.pop("value") == 1
        assert g.setdefault("other", 2) == 2
        assert list(g) == ["other"]
    with pytest.raises(RuntimeError):
        current_app.name


async def test_ensure_async(app):
    def plain(number):
        return number + 1

    async def other(number):
        return number + 2

    assert await app.ensure_async(plain)(1) == 2
    assert await app.ensure_async(other)(1) == 3
