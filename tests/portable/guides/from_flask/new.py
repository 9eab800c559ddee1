"""What is new: lines of moving_from_flask.md."""

from __future__ import annotations

from .shared import here_app, row

websockets = row("a websocket")


@websockets.here
async def _():
    from quart_plug import websocket

    app = here_app()

    @app.websocket("/echo")
    async def echo():
        async for message in websocket:
            await websocket.send(message)

    async with app.test_client().websocket("/echo") as connection:
        await connection.send("hello")
        assert await connection.receive() == "hello"


start = row("something at the start, something at the end")


@start.here
async def _():
    app, calls = here_app(), []

    @app.before_serving
    async def connect():
        calls.append("connect")

    @app.after_serving
    async def disconnect():
        calls.append("disconnect")

    async with app.test_app():
        calls.append("serving")
    assert calls == ["connect", "serving", "disconnect"]


around = row("something around the application's life")


@around.here
async def _():
    app, calls = here_app(), []

    @app.while_serving
    async def pool():
        calls.append("connect")
        yield
        calls.append("disconnect")

    async with app.test_app():
        calls.append("serving")
    assert calls == ["connect", "serving", "disconnect"]


background = row("work after the response")


@background.here
async def _():
    app, calls = here_app(), []

    async def work(x):
        calls.append(x)

    async def view():
        app.add_background_task(work, 1)
        return "later", 202

    app.add_url_rule("/", view_func=view)
    async with app.test_app() as test_app:
        await test_app.test_client().get("/")
    assert calls == [1]


events = row("a stream of events")


@events.here
async def _():
    from quart_plug import make_response

    app = here_app()

    @app.get("/events")
    async def events():
        async def ticks():
            yield "data: tick\n\n"

        response = await make_response(ticks(), {"Content-Type": "text/event-stream"})
        response.timeout = None
        return response

    response = await app.test_client().get("/events")
    assert await response.get_data(as_text=True) == "data: tick\n\n"


pushes = row("HTTP/2 server push")


@pushes.here
async def _():
    from quart_plug import make_push_promise

    app = here_app()

    @app.get("/")
    async def index():
        await make_push_promise("/static/a.txt")
        return "index"

    client = app.test_client()
    await client.get("/", http_version="2")
    assert client.push_promises[0][0] == "/static/a.txt"
