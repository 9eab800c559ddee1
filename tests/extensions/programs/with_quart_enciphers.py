"""quart-enciphers: the session's cookie is encrypted."""

from quart import Quart, session, websocket
from quart_enciphers import EnciphersSession


async def test_a_session_that_nobody_reads():
    app = Quart("enciphers_program")
    app.config["ENCIPHERS_KEY"] = 2**100 + 1
    EnciphersSession(app)

    @app.get("/set")
    async def set_():
        session["name"] = "Ada"
        return ""

    @app.get("/get")
    async def get():
        return session.get("name", "nobody")

    @app.websocket("/ws")
    async def ws():
        await websocket.send(session.get("name", "nobody"))

    client = app.test_client()
    response = await client.get("/set")
    assert "session=" in response.headers["Set-Cookie"]
    assert await (await client.get("/get")).get_data(as_text=True) == "Ada"
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "Ada"
    client.set_cookie("localhost", "session", "forged")
    assert await (await client.get("/get")).get_data(as_text=True) == "nobody"
