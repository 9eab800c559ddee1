"""quart-rate-limiter: limits per route, per blueprint and for all; whose key; websockets are left alone; Redis."""

from datetime import timedelta

import fakeredis.aioredis
from quart import Blueprint, Quart, request, websocket
from quart_rate_limiter import RateLimit, RateLimiter, limit_blueprint, rate_exempt, rate_limit
from quart_rate_limiter.redis_store import RedisStore


async def test_a_route_is_limited_and_says_so():
    app = Quart("limited")
    RateLimiter(app)

    @app.get("/")
    @rate_limit(1, timedelta(seconds=100))
    @rate_limit(20, timedelta(minutes=10))
    async def index():
        return "fine"

    @app.get("/free")
    async def free():
        return "free"

    client = app.test_client()
    response = await client.get("/")
    assert response.status_code == 200
    assert response.headers["RateLimit-Limit"] == "1"
    assert response.headers["RateLimit-Remaining"] == "0"
    response = await client.get("/")
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 100
    for _ in range(3):
        assert (await client.get("/free")).status_code == 200


async def test_blueprints_defaults_and_exemptions():
    app = Quart("defaults")
    blueprint = Blueprint("slow", __name__, url_prefix="/slow")

    @blueprint.get("/")
    async def slow():
        return "slow"

    @app.get("/")
    async def index():
        return "index"

    @app.get("/exempt")
    @rate_exempt
    async def exempt():
        return "exempt"

    @app.websocket("/ws")
    async def ws():
        await websocket.send("fine")

    limit_blueprint(blueprint, 1, timedelta(seconds=100))
    app.register_blueprint(blueprint)
    RateLimiter(app, default_limits=[RateLimit(2, timedelta(seconds=100))])
    client = app.test_client()
    assert [(await client.get("/slow/")).status_code for _ in range(2)] == [200, 429]
    assert [(await client.get("/")).status_code for _ in range(3)] == [200, 200, 429]
    assert [(await client.get("/exempt")).status_code for _ in range(3)] == [200, 200, 200]
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "fine"


async def test_a_key_function_sees_the_request_and_a_store_in_redis_is_opened_and_closed():
    app = Quart("keys")
    store = RedisStore("redis://localhost")

    async def opened():
        store._redis = fakeredis.aioredis.FakeRedis()

    store.before_serving = opened

    async def key():
        return request.headers["X-User"]

    RateLimiter(app, key_function=key, store=store)

    @app.get("/")
    @rate_limit(1, timedelta(seconds=100))
    async def index():
        return "fine"

    async with app.test_app() as test_app:
        client = test_app.test_client()
        statuses = [
            (await client.get("/", headers={"X-User": user})).status_code for user in ("ada", "ada", "grace")
        ]
    assert statuses == [200, 429, 200]
