"""turbo-quart: its script in templates, streams as responses, clients that listen on its websocket."""

import asyncio

from quart import Quart, render_template_string
from turbo_quart import Turbo


async def test_streams():
    app = Quart("turbo_program")
    turbo = Turbo(app)

    @turbo.user_id
    def user():
        return "ada"

    @app.get("/")
    async def index():
        return await render_template_string("{{ turbo() }}")

    @app.get("/stream")
    async def stream():
        if turbo.can_stream():
            return turbo.stream([turbo.append("<p>1</p>", "list"), turbo.remove("old")])
        return "plain"

    client = app.test_client()
    assert "new WebSocket(`ws" in await (await client.get("/")).get_data(as_text=True)
    assert await (await client.get("/stream")).get_data(as_text=True) == "plain"
    response = await client.get("/stream", headers={"Accept": "text/vnd.turbo-stream.html, text/html"})
    assert response.mimetype == "text/vnd.turbo-stream.html"
    assert (await response.get_data(as_text=True)).count("<turbo-stream ") == 2
    async with client.websocket("/turbo-stream") as connection:
        for _ in range(200):
            if turbo.can_push("ada"):
                break
            await asyncio.sleep(0.01)
        assert turbo.can_push("ada")
        await connection.disconnect()
    for _ in range(200):
        if not turbo.can_push():
            break
        await asyncio.sleep(0.01)
    assert not turbo.can_push()
