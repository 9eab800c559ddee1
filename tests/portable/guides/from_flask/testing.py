"""Tests: lines of moving_from_flask.md."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from .shared import ask_flask, ask_here, flask_app, here_app, row


def flask_with_views() -> Any:
    from flask import request, session

    app = flask_app()
    app.add_url_rule("/", view_func=lambda: {"a": 1}, endpoint="index")
    app.add_url_rule("/form", view_func=lambda: dict(request.form), endpoint="form", methods=["POST"])
    app.add_url_rule("/session", view_func=lambda: dict(session), endpoint="session")
    app.add_url_rule("/cookies", view_func=lambda: dict(request.cookies), endpoint="cookies")
    return app


def here_with_views() -> Any:
    from quart_plug import request, session

    async def form():
        return dict(await request.form)

    app = here_app()
    app.add_url_rule("/", view_func=lambda: {"a": 1}, endpoint="index")
    app.add_url_rule("/form", view_func=form, endpoint="form", methods=["POST"])
    app.add_url_rule("/session", view_func=lambda: dict(session), endpoint="session")
    app.add_url_rule("/cookies", view_func=lambda: dict(request.cookies), endpoint="cookies")
    return app


client_get = row('`response = client.get("/")`')


@client_get.there
def _():
    client = flask_with_views().test_client()
    response = client.get("/")
    return response.status_code


@client_get.here
async def _():
    client = here_with_views().test_client()
    response = await client.get("/")
    return response.status_code


client_json = row("`response.json`, `response.text`")


@client_json.there
def _():
    response = flask_with_views().test_client().get("/")
    return response.json, response.text


@client_json.here
async def _():
    response = await here_with_views().test_client().get("/")
    return await response.get_json(), await response.get_data(as_text=True)


client_form = row('`client.post("/form", data={"a": "1"})`')


@client_form.there
def _():
    client = flask_with_views().test_client()
    return client.post("/form", data={"a": "1"}).text


@client_form.here
async def _():
    client = here_with_views().test_client()
    response = await client.post("/form", form={"a": "1"})
    return await response.get_data(as_text=True)


client_files = row('`data={"picture": (BytesIO(b"…"), "cat.png")}`')


@client_files.there
def _():
    from flask import request

    # data={"picture": (BytesIO(b"…"), "cat.png")}
    return ask_flask(lambda: request.files["picture"].filename, "POST", data={"picture": (BytesIO(b"x"), "cat.png")})


@client_files.here
async def _():
    from werkzeug.datastructures import FileStorage

    from quart_plug import request

    async def view():
        return (await request.files)["picture"].filename

    # files={"picture": FileStorage(BytesIO(b"…"), "cat.png")}
    return await ask_here(view, "POST", files={"picture": FileStorage(BytesIO(b"x"), "cat.png")})


transaction = row("`with client.session_transaction() as session:`")


@transaction.there
def _():
    client = flask_with_views().test_client()
    with client.session_transaction() as session:
        session["a"] = 1
    return client.get("/session").text


@transaction.here
async def _():
    client = here_with_views().test_client()
    async with client.session_transaction() as session:
        session["a"] = 1
    return await (await client.get("/session")).get_data(as_text=True)


with_client = row("`with client:`")


@with_client.there
def _():
    from flask import request

    client = flask_with_views().test_client()
    with client:
        client.get("/")
        return request.path


@with_client.here
async def _():
    from quart_plug import request

    client = here_with_views().test_client()
    async with client:
        await client.get("/")
        return request.path


client_cookie = row('`client.set_cookie("a", "1")`')


@client_cookie.there
def _():
    client = flask_with_views().test_client()
    client.set_cookie("a", "1")
    return client.get("/cookies").text


@client_cookie.here
async def _():
    client = here_with_views().test_client()
    client.set_cookie("localhost", "a", "1")
    return await (await client.get("/cookies")).get_data(as_text=True)


runner = row('`app.test_cli_runner().invoke(args=["greet"])`')


@runner.there
def _():
    app = flask_app()

    @app.cli.command()
    def greet():
        print("hello")

    return app.test_cli_runner().invoke(args=["greet"]).output


@runner.here
def _():
    app = here_app()

    @app.cli.command()
    def greet():
        print("hello")

    return app.test_cli_runner().invoke(args=["greet"]).output


in_tests = row("an error that nothing handles, with `app.testing = True`")


@in_tests.there
def _():
    app = flask_app()
    app.testing = True
    app.add_url_rule("/", view_func=lambda: 1 / 0, endpoint="view")
    try:
        app.test_client().get("/")
    except ZeroDivisionError as error:
        return repr(error)


@in_tests.here
async def _():
    app = here_app()
    app.testing = True
    app.add_url_rule("/", view_func=lambda: 1 / 0, endpoint="view")
    try:
        await app.test_client().get("/")
    except ZeroDivisionError as error:
        return repr(error)
