"""Every attribute of the app that a subclass may set: the classes that it makes things of, settings, and properties.

A class attribute counts in a subclass, on the instance, and on `Quart` itself while apps exist; what the constructor
uses, in the first and the last for apps made later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import DictLoader
from werkzeug.exceptions import Aborter

from quart_plug import Quart, Request, Response, Websocket, g, render_template, request, session, websocket
from quart_plug.asgi import ASGIHTTPConnection, ASGILifespan, ASGIWebsocketConnection
from quart_plug.config import Config
from quart_plug.ctx import _AppCtxGlobals
from quart_plug.json.provider import DefaultJSONProvider
from quart_plug.routing import QuartMap, QuartRule
from quart_plug.sessions import SecureCookieSessionInterface
from quart_plug.templating import Environment
from quart_plug.testing import QuartClient, QuartCliRunner, TestApp
from tests.support.overriding import NOTES, Trigger, connect, folder, get, make, making, register, said
from tests.support.surface import facts, shows

__all__ = ["folder"]  # a fixture


def other(base: type, **attributes: Any) -> type:
    """A subclass that can be told from its base by its name."""
    return type("Other", (base,), attributes)


def name_of(value: Any) -> str:
    return type(value).__name__


def of(read: Callable[[Any], Any]) -> Trigger:
    async def trigger(app: Any) -> str:
        return str(read(app))

    return trigger


def noting_call(base: type) -> type:
    """A class of ASGI connections that notes that it is used."""

    async def call(self: Any, receive: Any, send: Any) -> None:
        NOTES.append("noted")
        await base.__call__(self, receive, send)  # type: ignore[operator]  # each of them has it

    return other(base, __call__=call)


class NotedSessions(SecureCookieSessionInterface):
    async def open_session(self, app: Any, request: Any) -> Any:
        NOTES.append("noted")
        return await super().open_session(app, request)


async def serve(app: Any) -> str:
    """Start-up and shutdown, by the messages of a server; what the shutdown's event is."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        assert message["type"].endswith(".complete")

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    return said(name_of(app.shutdown_event))


def last_rule(app: Any) -> str:
    app.add_url_rule("/another", "another", lambda: "")
    return name_of(list(app.url_map.iter_rules("another"))[-1])


@dataclass(frozen=True)
class Case:
    """What shows which class is used, what the attribute is set to, and what is shown without and with that.

    made  by the constructor, which does not ask the instance.
    """

    trigger: Trigger
    value: Any
    before: str
    after: str = "Other"
    made: bool = False


GLOBALS = _AppCtxGlobals.__name__

ATTRIBUTES = {
    "request_class": Case(get("/classes"), other(Request), f"Request {GLOBALS}", f"Other {GLOBALS}"),
    "app_ctx_globals_class": Case(get("/classes"), other(_AppCtxGlobals), f"Request {GLOBALS}", "Request Other"),
    "response_class": Case(
        get("/", header="content-type"),
        other(Response, default_mimetype="text/x-other"),
        "text/html; charset=utf-8",
        "text/x-other; charset=utf-8",
    ),
    "websocket_class": Case(connect("/classes"), other(Websocket), "Websocket"),
    "asgi_http_class": Case(get("/"), noting_call(ASGIHTTPConnection), "index", "index noted"),
    "asgi_websocket_class": Case(connect("/ws"), noting_call(ASGIWebsocketConnection), "ws", "ws noted"),
    "asgi_lifespan_class": Case(serve, noting_call(ASGILifespan), "Event", "Event noted"),
    "event_class": Case(serve, other(asyncio.Event), "Event"),
    "lock_class": Case(of(lambda app: name_of(app.lock_class())), other(asyncio.Lock), "Lock"),
    "session_interface": Case(get("/"), NotedSessions(), "index", "index noted"),
    "url_rule_class": Case(register(lambda app: NOTES.append(last_rule(app))), other(QuartRule), "QuartRule"),
    "jinja_environment": Case(of(lambda app: name_of(app.jinja_env)), other(Environment), "Environment"),
    "jinja_options": Case(of(lambda app: app.jinja_env.trim_blocks), {"trim_blocks": True}, "False", "True"),
    "test_client_class": Case(of(lambda app: name_of(app.test_client())), other(QuartClient), "QuartClient"),
    "test_app_class": Case(of(lambda app: name_of(app.test_app())), other(TestApp), "TestApp"),
    "test_cli_runner_class": Case(
        of(lambda app: name_of(app.test_cli_runner())), other(QuartCliRunner), "QuartCliRunner"
    ),
    # The constructor's
    "aborter_class": Case(making(lambda app: name_of(app.aborter)), other(Aborter), "Aborter", made=True),
    "config_class": Case(making(lambda app: name_of(app.config)), other(Config), "Config", made=True),
    "default_config": Case(
        making(lambda app: app.config.get("WORD")), {**Quart.default_config, "WORD": 1}, "None", "1", made=True
    ),
    "json_provider_class": Case(
        making(lambda app: name_of(app.json)), other(DefaultJSONProvider), "DefaultJSONProvider", made=True
    ),
    "url_map_class": Case(making(lambda app: name_of(app.url_map)), other(QuartMap), "QuartMap", made=True),
}


def make_app(class_: type[Quart], folder: Path) -> Any:
    app = make(class_, folder)

    @app.get("/classes")
    async def classes() -> str:
        return f"{name_of(request._get_current_object())} {name_of(g._get_current_object())}"  # type: ignore[attr-defined]  # proxies

    @app.websocket("/classes")
    async def ws_classes() -> None:
        await websocket.send(name_of(websocket._get_current_object()))

    return app


@shows(
    "app.Quart.request_class", "app.Quart.app_ctx_globals_class", "app.Quart.response_class",
    "app.Quart.websocket_class", "app.Quart.asgi_http_class", "app.Quart.asgi_websocket_class",
    "app.Quart.asgi_lifespan_class", "app.Quart.event_class", "app.Quart.lock_class",
    "app.Quart.session_interface", "app.Quart.url_rule_class", "app.Quart.jinja_environment",
    "app.Quart.jinja_options", "app.Quart.test_client_class", "app.Quart.test_app_class",
    "app.Quart.test_cli_runner_class", "app.Quart.aborter_class", "app.Quart.config_class",
    "app.Quart.default_config", "app.Quart.json_provider_class", "app.Quart.url_map_class",
)
@pytest.mark.parametrize("name", ATTRIBUTES)
async def test_in_a_subclass(name: str, folder: Path) -> None:
    case = ATTRIBUTES[name]
    assert await case.trigger(make_app(Quart, folder)) == case.before
    assert await case.trigger(make_app(type("Sub", (Quart,), {name: case.value}), folder)) == case.after


@pytest.mark.parametrize("name", [name for name, case in ATTRIBUTES.items() if not case.made])
async def test_on_the_instance(name: str, folder: Path) -> None:
    case = ATTRIBUTES[name]
    app = make_app(Quart, folder)
    setattr(app, name, case.value)
    assert await case.trigger(app) == case.after


@pytest.mark.parametrize("name", ATTRIBUTES)
async def test_on_the_class(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = ATTRIBUTES[name]
    app = make_app(Quart, folder)
    monkeypatch.setattr(Quart, name, case.value)
    assert await case.trigger(app) == case.after


# Settings that are attributes -----------------------------------------------------------------------------------------


@shows("app.Quart.secret_key", "app.Quart.testing", "app.Quart.permanent_session_lifetime")
def test_settings_as_attributes() -> None:
    """They read and write the configuration."""
    app = Quart(__name__)
    assert (app.secret_key, app.testing, app.permanent_session_lifetime) == (None, False, timedelta(days=31))
    app.secret_key, app.testing, app.permanent_session_lifetime = b"key", True, timedelta(minutes=1)  # type: ignore[assignment]  # mypy takes the descriptors' class for the value
    assert (app.config["SECRET_KEY"], app.config["TESTING"]) == (b"key", True)
    app.config["PERMANENT_SESSION_LIFETIME"] = 60
    assert app.permanent_session_lifetime == timedelta(minutes=1)


async def test_settings_of_a_subclass() -> None:
    """A class attribute in their place counts where the framework asks for them."""

    class Sub(Quart):
        secret_key = "a key of the tests"  # type: ignore[assignment]  # in place of the descriptor
        testing = True  # type: ignore[assignment]
        permanent_session_lifetime = timedelta(hours=1)  # type: ignore[assignment]

    app = Sub(__name__)

    @app.get("/")
    async def view() -> str:
        session.permanent = True
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    client = app.test_client()
    response = await client.get("/")
    assert "Expires=" in response.headers["set-cookie"]
    assert await (await client.get("/")).get_data(as_text=True) == "2"
    assert app.testing


# Properties -----------------------------------------------------------------------------------------------------------


async def test_properties_of_a_subclass(folder: Path) -> None:
    """What the framework reads through them, it reads through the override."""
    logged: list[str] = []

    class Sub(Quart):
        debug = True

        @property
        def name(self) -> str:  # type: ignore[override]
            return "named"

        @property
        def jinja_loader(self) -> Any:
            return DictLoader({"page.html": "overridden {{ config.DEBUG }}", "part.html": "", "name": "{{ 1"})

        @property
        def logger(self) -> Any:
            return SimpleNamespace(error=lambda *args, **kwargs: logged.append("error"), name="mine")

        @property
        def jinja_env(self) -> Any:
            NOTES.append("env")
            return super().jinja_env

    app: Any = Sub(__name__, root_path=str(folder))

    @app.get("/template")
    async def template() -> str:
        return await render_template("page.html")

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.cli.name == "named"
    assert await get("/template")(app) == "overridden False env"
    assert await get("/fails")(app) == "500"
    assert logged == ["error"]


def test_the_tables_are_complete() -> None:
    members = facts()["quart.app"]["Quart"]["members"]
    properties = {"debug", "has_static_folder", "jinja_env", "jinja_loader", "logger", "name", "static_folder"}
    properties |= {"static_url_path"}
    settings = {"permanent_session_lifetime", "secret_key", "testing"}
    attributes = {name for name, kind in members.items() if not kind.startswith("(")}
    assert attributes == ATTRIBUTES.keys() | settings | properties
