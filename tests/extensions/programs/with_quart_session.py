"""quart-session: sessions in Redis, memcached or MongoDB, and the back end used directly."""

import fakeredis.aioredis
from quart import Quart, Response, session, websocket
from quart_session import Session


def make_app(**settings) -> Quart:
    app = Quart("sessions")
    app.config.update(SESSION_TYPE="redis", SECRET_KEY="a secret", **settings)

    @app.before_serving
    async def set_up():
        app.config["SESSION_REDIS"] = fakeredis.aioredis.FakeRedis()
        Session(app)

    @app.get("/set")
    async def set_():
        session["name"] = "Ada"
        session["items"] = [(1, 2), b"bytes"]
        return "set"

    @app.get("/get")
    async def get():
        return {"name": session.get("name"), "items": repr(session.get("items"))}

    @app.get("/nothing")
    async def nothing():
        return Response("nothing")

    @app.get("/direct")
    async def direct():
        await app.session_interface.set("key", "value", expiry=100)
        return (await app.session_interface.get("key")).decode()

    @app.get("/clear")
    async def clear():
        session.clear()
        return "cleared"

    @app.websocket("/ws")
    async def ws():
        await websocket.send_json({"name": session.get("name")})

    return app


async def test_a_session_lasts_between_requests():
    async with make_app().test_app() as app:
        client = app.test_client()
        response = await client.get("/nothing")
        assert "Set-Cookie" not in response.headers
        response = await client.get("/set")
        assert "session=" in response.headers["Set-Cookie"]
        assert "Ada" not in response.headers["Set-Cookie"]
        response = await client.get("/get")
        assert await response.get_json() == {"name": "Ada", "items": "[(1, 2), b'bytes']"}
        response = await app.test_client().get("/get")
        assert (await response.get_json())["name"] is None
        await client.get("/clear")
        assert (await (await client.get("/get")).get_json())["name"] is None


async def test_the_back_end_is_used_directly():
    async with make_app().test_app() as app:
        response = await app.test_client().get("/direct")
        assert await response.get_data(as_text=True) == "value"


async def test_an_invented_session_id_is_refused():
    async with make_app().test_app() as app:
        client = app.test_client()
        await client.get("/set")
        client.set_cookie("localhost", "session", "invented")
        response = await client.get("/get")
        assert (await response.get_json())["name"] is None


async def test_websockets_read_the_session():
    async with make_app().test_app() as app:
        client = app.test_client()
        await client.get("/set")
        async with client.websocket("/ws") as connection:
            assert await connection.receive_json() == {"name": "Ada"}


async def test_protection_ties_a_session_to_an_address():
    async with make_app(SESSION_PROTECTION=True, SESSION_REVERSE_PROXY=True).test_app() as app:
        client = app.test_client()
        await client.get("/set", headers={"X-Forwarded-For": "10.0.0.1"})
        response = await client.get("/get", headers={"X-Forwarded-For": "10.0.0.1"})
        assert (await response.get_json())["name"] == "Ada"
        response = await client.get("/get", headers={"X-Forwarded-For": "10.0.0.2"})
        assert (await response.get_json())["name"] is None
