"""Sessions, configuration: lines of moving_from_flask.md."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

from .shared import flask_app, folder, here_app, row

sessions = row("the session cookie")


@sessions.there
def _():
    from flask.sessions import SecureCookieSessionInterface

    app = flask_app()
    signed = SecureCookieSessionInterface().get_signing_serializer(app).dumps({"user": ("Ada", b"1")})

    async def opened():
        from quart_plug import session

        async with here_app().test_request_context("/", headers={"Cookie": f"session={signed}"}):
            return dict(session)

    return asyncio.run(opened())


@sessions.here
def _():
    from flask.sessions import SecureCookieSessionInterface

    app = here_app()
    signed = app.session_interface.get_signing_serializer(app).dumps({"user": ("Ada", b"1")})
    return SecureCookieSessionInterface().get_signing_serializer(flask_app()).loads(signed)


interfaces = row(
    "`class Own(SessionInterface):` `def open_session(self, app, request):` "
    "`def save_session(self, app, session, response):`"
)


@interfaces.there
def _():
    from flask import session
    from flask.sessions import SecureCookieSession, SessionInterface

    saved = []

    class Own(SessionInterface):
        def open_session(self, app, request):
            return SecureCookieSession({"a": 1})

        def save_session(self, app, session, response):
            saved.append(dict(session))

    app = flask_app()
    app.session_interface = Own()
    app.add_url_rule("/", view_func=lambda: str(session["a"]), endpoint="view")
    return app.test_client().get("/").text, saved


@interfaces.here
async def _():
    from quart_plug import session
    from quart_plug.sessions import SecureCookieSession, SessionInterface

    saved = []

    class Own(SessionInterface):
        async def open_session(self, app, request):
            return SecureCookieSession({"a": 1})

        async def save_session(self, app, session, response):
            saved.append(dict(session))

    app = here_app()
    app.session_interface = Own()
    app.add_url_rule("/", view_func=lambda: str(session["a"]), endpoint="view")
    return await (await app.test_client().get("/")).get_data(as_text=True), saved


config = row("`app.config.from_object(…)`, `from_file`, `from_pyfile`, `from_envvar`, `from_mapping`")


def configured(app: Any) -> list[Any]:
    import json

    made = folder()
    (made / "a.json").write_text('{"B": 2}')
    (made / "a.cfg").write_text("C = 3")
    os.environ["GUIDES_SETTINGS"] = str(made / "a.cfg")
    app.config.from_object(SimpleNamespace(A=1))
    app.config.from_file(made / "a.json", load=json.load)
    app.config.from_pyfile(made / "a.cfg")
    app.config.from_envvar("GUIDES_SETTINGS")
    app.config.from_mapping(D=4)
    return [app.config[name] for name in "ABCD"]


@config.there
def _():
    # app.config.from_object(…), from_file, from_pyfile, from_envvar, from_mapping
    return configured(flask_app())


@config.here
def _():
    # app.config.from_object(…), from_file, from_pyfile, from_envvar, from_mapping
    return configured(here_app())


prefixed = row("`app.config.from_prefixed_env()`")


@prefixed.there
def _():
    os.environ["FLASK_SHELF"] = "[1]"
    app = flask_app()
    app.config.from_prefixed_env()
    return app.config["SHELF"]


@prefixed.here
def _():
    os.environ["FLASK_SHELF"] = "[1]"
    app = here_app()
    app.config.from_prefixed_env("FLASK")
    os.environ["QUART_SHELVES"] = "2"
    app.config.from_prefixed_env()  # QUART_SHELVES
    assert app.config["SHELVES"] == 2
    return app.config["SHELF"]


limit = row("`MAX_CONTENT_LENGTH` is None")


@limit.there
def _():
    return flask_app().config["MAX_CONTENT_LENGTH"]


@limit.here
def _():
    app = here_app()
    assert app.config["MAX_CONTENT_LENGTH"] == 16 * 1024 * 1024
    app.config["MAX_CONTENT_LENGTH"] = None
    return app.config["MAX_CONTENT_LENGTH"]


static_age = row("`SEND_FILE_MAX_AGE_DEFAULT` is None")


@static_age.there
def _():
    app = flask_app()
    assert app.config["SEND_FILE_MAX_AGE_DEFAULT"] is None
    response = app.test_client().get("/static/a.txt")
    return response.cache_control.max_age, response.cache_control.no_cache is not None


@static_age.here
async def _():
    app = here_app()
    assert app.config["SEND_FILE_MAX_AGE_DEFAULT"].total_seconds() == 12 * 3600
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = None
    response = await app.test_client().get("/static/a.txt")
    return response.cache_control.max_age, True
