"""quart-redis: a connection for as long as the app serves."""

import fakeredis.aioredis
import pytest
from quart import Quart
from quart_redis import RedisHandler, get_redis


async def test_a_connection_from_start_up_to_shutdown(monkeypatch):
    monkeypatch.setattr("quart_redis.from_url", fakeredis.aioredis.FakeRedis.from_url)
    app = Quart("redis_program")
    app.config["REDIS_URI"] = "redis://localhost"
    RedisHandler(app)

    @app.get("/")
    async def index():
        redis = get_redis()
        if await redis.get("key") is None:
            await redis.set("key", "it works!")
        return await redis.get("key")

    with pytest.raises(Exception, match="not been initialized"):
        get_redis()
    async with app.test_app() as test_app:
        response = await test_app.test_client().get("/")
        assert await response.get_data() == b"it works!"
