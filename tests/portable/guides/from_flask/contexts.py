"""Contexts: lines of moving_from_flask.md."""

from __future__ import annotations

import asyncio

from .shared import ask_flask, ask_here, flask_app, here_app, row

proxies = row("`current_app`, `g`, `session`, `request`")


@proxies.there
def _():
    from flask import current_app, g, request, session

    def view():
        g.a, session["b"] = 1, 2
        return f"{current_app.name} {g.a} {session['b']} {request.path}"

    return ask_flask(view)


@proxies.here
async def _():
    from quart_plug import current_app, g, request, session

    async def view():
        g.a, session["b"] = 1, 2
        return f"{current_app.name} {g.a} {session['b']} {request.path}"

    return await ask_here(view)


app_context = row("`with app.app_context():`")


@app_context.there
def _():
    from flask import current_app

    app = flask_app()
    with app.app_context():
        return current_app.name


@app_context.here
async def _():
    from quart_plug import current_app

    app = here_app()
    async with app.app_context():
        return current_app.name


request_context = row('`with app.test_request_context("/"):`')


@request_context.there
def _():
    from flask import request

    app = flask_app()
    with app.test_request_context("/"):
        return request.path


@request_context.here
async def _():
    from quart_plug import request

    app = here_app()
    async with app.test_request_context("/"):
        return request.path


copied = row("`Thread(target=copy_current_request_context(work)).start()`")


@copied.there
def _():
    from threading import Thread

    from flask import copy_current_request_context, request

    app, seen = flask_app(), []
    with app.test_request_context("/a"):

        def work():
            seen.append(request.path)

        # Thread(target=copy_current_request_context(work)).start()
        thread = Thread(target=copy_current_request_context(work))
        thread.start()
        thread.join()
    return seen


@copied.here
async def _():
    from quart_plug import copy_current_request_context, request

    app, seen = here_app(), []
    async with app.test_request_context("/a"):

        async def work():
            seen.append(request.path)

        await asyncio.create_task(copy_current_request_context(work)())
    return seen


signals = row("`signal.send(sender)`")


@signals.there
def _():
    from flask.signals import Namespace

    signal, heard, sender = Namespace().signal("saved"), [], "sender"

    def receiver(sender):
        heard.append(sender)

    signal.connect(receiver)
    signal.send(sender)
    return heard


@signals.here
async def _():
    from quart_plug.signals import Namespace

    signal, heard, sender = Namespace().signal("saved"), [], "sender"

    async def receiver(sender):
        heard.append(sender)

    signal.connect(receiver)
    await signal.send_async(sender)
    return heard
