"""The command line, servers: lines of moving_from_flask.md."""

from __future__ import annotations

import asyncio
import sys

from ..programs import program, served
from .shared import flask_app, here_app, row

FLASK_PROGRAM = """
from flask import Flask
app = Flask(__name__)

@app.route("/")
def index():
    return "hello"

@app.cli.command()
def greet():
    print("hello from", app.name)
"""
PROGRAM = FLASK_PROGRAM.replace("flask", "quart_plug").replace("Flask", "Quart")


run_command = row("`flask --app hello run`")


@run_command.there
def _():
    # flask --app hello run
    return served(FLASK_PROGRAM, "flask", "--app", "hello", "run", "--port", "5000")


@run_command.here
def _():
    # quart-plug --app hello run
    return served(PROGRAM, "quart-plug", "--app", "hello", "run", "--port", "5000")


own_command = row("`flask --app hello greet`")


@own_command.there
def _():
    # flask --app hello greet
    return program(FLASK_PROGRAM, "flask", "--app", "hello", "greet")


@own_command.here
def _():
    # quart-plug --app hello greet
    return program(PROGRAM, "quart-plug", "--app", "hello", "greet")


routes = row("`flask routes`, `flask shell`")


@routes.there
def _():
    assert "No such command" not in program(FLASK_PROGRAM, "flask", "shell", "--help")  # flask shell
    return "index" in program(FLASK_PROGRAM, "flask", "--app", "hello", "routes")  # flask routes


@routes.here
def _():
    assert "await" in program(PROGRAM, "quart-plug", "shell", "--help")  # quart-plug shell
    return "index" in program(PROGRAM, "quart-plug", "--app", "hello", "routes")  # quart-plug routes


variables = row("`FLASK_APP`, `FLASK_DEBUG`")


@variables.there
def _():
    assert debug_of("flask", "FLASK_DEBUG")
    return program(FLASK_PROGRAM, "flask", "greet", FLASK_APP="hello")


@variables.here
def _():
    assert debug_of("quart_plug", "QUART_DEBUG")
    return program(PROGRAM, "quart-plug", "greet", QUART_APP="hello")


def debug_of(package: str, variable: str) -> bool:
    """Whether a new application of the package is in debug mode when the variable is set."""
    code = f"import {package}; print(getattr({package}, 'Flask' if '{package}' == 'flask' else 'Quart')('x').debug)"
    return program("", sys.executable, "-c", code, **{variable: "1"}) == "True\n"


async_command = row("`@app.cli.command()` `def greet():`")


@async_command.there
def _():
    app = flask_app()

    @app.cli.command()
    def greet():
        print("hello")

    return app.test_cli_runner().invoke(args=["greet"]).output


@async_command.here
def _():
    app = here_app()

    @app.cli.command()
    async def greet():
        await asyncio.sleep(0)
        print("hello")

    return app.test_cli_runner().invoke(args=["greet"]).output


app_run = row("`app.run()`")


@app_run.there
def _():
    return served(FLASK_PROGRAM, sys.executable, "-c", "from hello import app; app.run(port=5000)")  # app.run()


@app_run.here
def _():
    return served(PROGRAM, sys.executable, "-c", "from hello import app; app.run(port=5000)")  # app.run()


servers = row("`gunicorn hello:app`")


@servers.there
def _():
    # gunicorn hello:app takes the WSGI application, as does the standard library's server
    code = "from wsgiref.simple_server import make_server; from hello import app; make_server('127.0.0.1', 5000, app)"
    return served(FLASK_PROGRAM, sys.executable, "-c", f"{code}.serve_forever()")


@servers.here
def _():
    # hypercorn hello:app
    return served(PROGRAM, "hypercorn", "hello:app", "--bind", "127.0.0.1:5000")


middleware = row("`app.wsgi_app = Middleware(app.wsgi_app)`")


@middleware.there
def _():
    class Middleware:
        def __init__(self, app):
            self.app = app

        def __call__(self, environ, start_response):
            return self.app({**environ, "PATH_INFO": "/moved"}, start_response)

    app = flask_app()
    app.add_url_rule("/moved", view_func=lambda: "moved", endpoint="view")
    app.wsgi_app = Middleware(app.wsgi_app)
    return app.test_client().get("/").text


@middleware.here
async def _():
    class Middleware:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app({**scope, "path": "/moved"}, receive, send)

    app = here_app()
    app.add_url_rule("/moved", view_func=lambda: "moved", endpoint="view")
    app.asgi_app = Middleware(app.asgi_app)
    return await (await app.test_client().get("/")).get_data(as_text=True)


proxied = row("`ProxyFix(app.wsgi_app)`")


@proxied.there
def _():
    from flask import request
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = flask_app()
    app.add_url_rule("/", view_func=lambda: request.host, endpoint="view")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1)  # ProxyFix(app.wsgi_app)
    return app.test_client().get("/", headers={"X-Forwarded-Host": "shop.example", "X-Forwarded-For": "1.2.3.4"}).text


@proxied.here
async def _():
    from hypercorn.middleware import ProxyFixMiddleware

    from quart_plug import request

    app = here_app()
    app.add_url_rule("/", view_func=lambda: request.host, endpoint="view")
    app.asgi_app = ProxyFixMiddleware(app.asgi_app, mode="legacy", trusted_hops=1)  # ProxyFixMiddleware(app.asgi_app)
    headers = {"X-Forwarded-Host": "shop.example", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "http"}
    response = await app.test_client().get("/", headers=headers)
    return await response.get_data(as_text=True)
