"""The plugin `rooms` with a URL of a Redis: its settings, and what is missing or wrong is said."""

from __future__ import annotations

import sys

import pytest

from quart_plug import Quart
from quart_plug.exceptions import PluginLoadError
from quart_plug_rooms.errors import RoomsUnavailable
from quart_plug_rooms.redis import redis_backend
from quart_plug_rooms.settings import Settings
from tests.support.redis import free_port


def app_with(**settings: object) -> Quart:
    app = Quart("shop", plugins=["rooms"])
    app.config["PLUGIN_CONFIG"] = {"rooms": settings}
    return app


@pytest.mark.parametrize(("prefix", "key"), [({}, "rooms:shop:room:lobby"), ({"redis_prefix": "x"}, "x:room:lobby")])
async def test_each_app_has_keys_of_its_own(redis_server, prefix, key) -> None:
    app = app_with(url=redis_server.url, **prefix)
    async with app.test_app():
        assert await app.rooms.send("lobby", "hello") == 1
        assert [message.data for message in await app.rooms.history("lobby", 5)] == ["hello"]
        assert (await app.rooms.counts())["backend"] == "redis"
    with redis_server.client() as client:
        assert client.exists(key)


async def test_without_redis_py_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(RuntimeError, match=r"pip install 'quart-plug\[redis\]'"):
        redis_backend("redis://localhost", "shop", Settings())


@pytest.mark.parametrize("name", ["redis_wait", "redis_timeout", "redis_presence_expiry"])
def test_times_are_more_than_nothing(name: str) -> None:
    with pytest.raises(PluginLoadError, match=f"{name} has to be more than 0 seconds, not 0"):
        app_with(**{name: 0}).setup_plugins()


async def test_an_app_that_requires_redis_does_not_start_without_it() -> None:
    app = app_with(url=f"redis://:secret@127.0.0.1:{free_port()}", redis_required=True, redis_timeout=1.0)
    with pytest.raises(Exception, match="is away, and is required") as caught:
        async with app.test_app():
            pass
    assert "secret" not in str(caught.value)


async def test_a_view_may_answer_that_rooms_are_away(redis_server) -> None:
    app = app_with(url=redis_server.url, redis_wait=0.05)

    @app.errorhandler(RoomsUnavailable)
    async def away(error: RoomsUnavailable) -> tuple[str, int]:
        return "later", 503

    @app.post("/")
    async def say() -> str:
        return f"{await app.rooms.send('lobby', 'hello')}"

    async with app.test_app():
        client = app.test_client()
        assert await (await client.post("/")).get_data(as_text=True) == "1"
        redis_server.kill()
        assert (await client.post("/")).status_code == 503
