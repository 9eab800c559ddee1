"""Views: lines of moving_from_flask.md."""

from __future__ import annotations

import asyncio
import hashlib
import threading

from .shared import ask_flask, ask_here, flask_app, here_app, row

views = row("`def index():`")


@views.there
def _():
    def index():
        return "hello"

    return ask_flask(index)


@views.here
async def _():
    async def index():
        return "hello"

    return await ask_here(index)


plain = row("`def report():`, which blocks")


@plain.there
def _():
    def report():
        return f"{hashlib.pbkdf2_hmac('sha256', b'', b'', 2).hex()[:4]}"

    return ask_flask(report)


@plain.here
async def _():
    threads = []

    def report():
        threads.append(threading.current_thread())
        return f"{hashlib.pbkdf2_hmac('sha256', b'', b'', 2).hex()[:4]}"

    answer = await ask_here(report)
    assert threads != [threading.main_thread()]
    return answer


blocking = row("`slow(x)`, in a view")


def slow(x: str) -> str:
    return f"{x} {threading.current_thread() is threading.main_thread()}"


@blocking.there
def _():
    x = "x"

    def view():
        return slow(x)

    assert ask_flask(view) == "200 x True"
    return "200 x"


@blocking.here
async def _():
    from quart_plug.utils import run_sync

    x = "x"

    async def view():
        return await run_sync(slow)(x)

    assert await ask_here(view) == "200 x False"  # not in the main thread
    return "200 x"


sleeping = row("`time.sleep(1)`")


@sleeping.there
def _():
    import time

    def view():
        time.sleep(0.001)  # stands for: time.sleep(1)
        return "slept"

    return ask_flask(view)


@sleeping.here
async def _():
    async def view():
        await asyncio.sleep(0.001)  # stands for: await asyncio.sleep(1)
        return "slept"

    return await ask_here(view)


methods = row("`class Shelf(MethodView):` `def get(self):`")


@methods.there
def _():
    from flask.views import MethodView

    class Shelf(MethodView):
        def get(self):
            return "got"

    return ask_flask(Shelf.as_view("shelf"))


@methods.here
async def _():
    from quart_plug.views import MethodView

    class Shelf(MethodView):
        async def get(self):
            return "got"

    return await ask_here(Shelf.as_view("shelf"))


values = row('`return {"a": 1}, 201, {"X-A": "1"}`')


@values.there
def _():
    def view():
        return {"a": 1}, 201, {"X-A": "1"}

    return ask_flask(view)


@values.here
async def _():
    async def view():
        return {"a": 1}, 201, {"X-A": "1"}

    return await ask_here(view)


functions = row("`@app.before_request`, `@app.after_request`, `@app.teardown_request`, `@app.errorhandler(…)`")


@functions.there
def _():
    app, calls = flask_app(), []

    @app.before_request
    def before():
        calls.append("before")

    @app.after_request
    def after(response):
        calls.append("after")
        return response

    @app.teardown_request
    def teardown(error):
        calls.append("teardown")

    @app.errorhandler(404)
    def missing(error):
        return "handled", 404

    return app.test_client().get("/").text, calls


@functions.here
async def _():
    app, calls = here_app(), []

    @app.before_request
    async def before():
        calls.append("before")

    @app.after_request
    def after(response):
        calls.append("after")
        return response

    @app.teardown_request
    async def teardown(error):
        calls.append("teardown")

    @app.errorhandler(404)
    async def missing(error):
        return "handled", 404

    return await (await app.test_client().get("/")).get_data(as_text=True), calls
