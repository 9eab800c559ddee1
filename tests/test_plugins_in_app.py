"""Core plugins turned off: nothing of them is imported, what needs them says so in one line, the rest works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from quart_plug import (
    Quart,
    flash,
    hookimpl,
    jsonify,
    render_template,
    render_template_string,
    send_file,
    session,
    websocket,
)
from quart_plug.exceptions import PluginNotEnabled
from quart_plug.hooks.selection import CORE

HEAVY = {
    "json": ["quart_plug_json"],
    "sessions": ["itsdangerous"],
    "templates": ["jinja2"],
    "signals": ["blinker"],
    "static": ["quart_plug_static.files"],
    "cli": ["click"],
    "hypercorn": ["hypercorn"],
    "debug": ["quart_plug_debug.page"],
    "security": ["quart_plug_security"],
}

PROGRAM = """
import asyncio, json, logging, sys
logging.disable(logging.CRITICAL)
from quart_plug import Quart, websocket

app = Quart("isolated", static_folder=None)
app.config["PLUGINS_DISABLED"] = TURNED_OFF
app.secret_key = "a key"

@app.get("/")
async def index():
    return "text"

@app.get("/fails")
async def fails():
    raise LookupError

@app.websocket("/ws")
async def ws():
    await websocket.send(await websocket.receive())

async def call(type_, path, *inbound):
    inbound, sent = list(inbound), []

    async def receive():
        return inbound.pop(0) if inbound else await asyncio.get_running_loop().create_future()

    async def send(message):
        sent.append(message)

    scope = dict(type=type_, path=path, asgi={"version": "3.0"}, http_version="1.1", query_string=b"", root_path="",
                 headers=[(b"host", b"localhost")], client=None, server=("localhost", 80), scheme="http")
    scope.update(subprotocols=[]) if type_ == "websocket" else scope.update(method="GET")
    await app(scope, receive, send)
    return sent

async def main():
    await app.startup()
    body = {"type": "http.request", "body": b"", "more_body": False}
    statuses = [(await call("http", path, body))[0]["status"] for path in ("/", "/fails", "/nowhere")]
    connect, hello = {"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}
    messages = [message["type"] for message in await call("websocket", "/ws", connect, hello)]
    await app.shutdown()
    print(json.dumps({"statuses": statuses, "messages": messages, "modules": sorted(sys.modules)}))

asyncio.run(main())
"""


def run_isolated(disabled: list[str]) -> dict[str, Any]:
    """Start an app with these plugins off in a process of its own, and use it."""
    source = PROGRAM.replace("TURNED_OFF", repr(disabled))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("QUART", "PYTHON"))}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", CORE)
def test_nothing_of_a_plugin_that_is_off_is_imported(name: str) -> None:
    """Neither the plugin nor what it depends on; the app answers requests and websockets."""
    told = run_isolated([name])
    loaded = set(told["modules"])
    assert f"quart_plug_{name}" not in loaded
    assert loaded.isdisjoint(HEAVY[name])
    assert told["statuses"] == [200, 500, 404]
    assert told["messages"] == ["websocket.accept", "websocket.send", "websocket.close"]


def test_everything_off() -> None:
    """The kernel alone answers."""
    told = run_isolated(list(CORE))
    loaded = set(told["modules"])
    assert not [module for module in loaded if module.startswith("quart_plug_")]
    assert loaded.isdisjoint({"jinja2", "itsdangerous", "blinker", "click", "hypercorn", "flask", "quart"})
    assert told["statuses"] == [200, 500, 404]
    assert told["messages"] == ["websocket.accept", "websocket.send", "websocket.close"]


# What needs a plugin that is off ----------------------------------------------------------------------------------


def make_app(*disabled: str) -> Quart:
    app = Quart(__name__, static_folder=None)
    app.config["PLUGINS_DISABLED"] = list(disabled)
    app.secret_key = "a key of the tests"
    app.testing = True
    return app


async def uses_json() -> Any:
    return {"a": 1}


async def uses_jsonify() -> Any:
    return jsonify(a=1)


async def uses_session() -> Any:
    session["a"] = 1
    return ""


async def uses_flash() -> Any:
    await flash("hi")
    return ""


async def uses_template() -> Any:
    return await render_template_string("x")


async def uses_template_file() -> Any:
    return await render_template("x.html")


async def uses_files() -> Any:
    return await send_file(__file__)


USES = [
    ("json", uses_json),
    ("json", uses_jsonify),
    ("sessions", uses_session),
    ("sessions", uses_flash),
    ("templates", uses_template),
    ("templates", uses_template_file),
    ("static", uses_files),
]


@pytest.mark.parametrize(("plugin", "view"), USES, ids=[view.__name__ for _, view in USES])
async def test_what_needs_it_names_it(plugin: str, view: Any) -> None:
    """One line: the plugin, where it was turned off, how to turn it on."""
    app = make_app(plugin)
    app.add_url_rule("/", "view", view)
    with pytest.raises(PluginNotEnabled) as caught:
        await app.test_client().get("/")
    message = str(caught.value)
    assert "\n" not in message
    assert f"the plugin '{plugin}' is off" in message
    assert "PLUGINS_DISABLED" in message
    assert "to turn it on" in message


@pytest.mark.parametrize(("plugin", "view"), USES, ids=[view.__name__ for _, view in USES])
async def test_with_it_on_it_works(plugin: str, view: Any, tmp_path: Any) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.html").write_text("x")
    app = Quart(__name__, root_path=str(tmp_path))
    app.secret_key = "a key of the tests"
    app.add_url_rule("/", "view", view)
    assert (await app.test_client().get("/")).status_code == 200


def test_the_command_line_off() -> None:
    app = make_app("cli")
    with pytest.raises(PluginNotEnabled, match="the plugin 'cli' is off"):
        app.cli.command()


def test_json_off_and_sessions_on() -> None:
    """Sessions go on to work; the provider is not imported."""
    told = run_isolated(["json"])
    assert "quart_plug_json" not in told["modules"]
    assert told["statuses"] == [200, 500, 404]


def test_the_server_off(capsys: pytest.CaptureFixture[str]) -> None:
    """Running ends at once, with one line."""
    app = make_app("hypercorn")
    with pytest.raises((PluginNotEnabled, SystemExit)) as caught:
        app.run(port=0, use_reloader=False)
    said = (capsys.readouterr().err + str(caught.value)).strip()
    assert "the plugin 'hypercorn' is off" in said
    assert "Traceback" not in said


async def test_debug_mode_without_the_page() -> None:
    """An error in debug mode is raised to the server, which logs it; nothing is shown in the browser."""
    app = make_app("debug")
    app.testing = False
    app.debug = True
    app.add_url_rule("/", "view", lambda: 1 / 0)
    try:
        response = await app.test_client().get("/")
    except ZeroDivisionError:
        return
    assert response.status_code == 500
    assert "ZeroDivisionError" not in await response.get_data(as_text=True)


async def test_signals_off() -> None:
    """They can be connected to; nobody sends them."""
    from quart_plug.signals import request_started

    heard: list[Any] = []
    app = make_app("signals")
    app.add_url_rule("/", "view", lambda: "")
    with request_started.connected_to(heard.append, sender=app):
        await app.test_client().get("/")
    assert heard == []


async def test_the_rest_of_a_view_works_without_json() -> None:
    """Only what needs JSON fails: text, and an error page, do not."""
    app = make_app("json")
    app.add_url_rule("/", "view", lambda: "text")
    assert (await app.test_client().get("/")).status_code == 200
    assert (await app.test_client().get("/nowhere")).status_code == 404


async def test_websockets_without_json() -> None:
    app = make_app("json")
    seen: list[Exception] = []

    @app.websocket("/")
    async def view() -> None:
        await websocket.accept()
        try:
            await websocket.send_json({"a": 1})
        except PluginNotEnabled as error:
            seen.append(error)
        await websocket.send("text")

    async with app.test_client().websocket("/") as connection:
        assert await connection.receive() == "text"
    assert "the plugin 'json' is off" in str(seen[0])


# Slots ------------------------------------------------------------------------------------------------------------


class UpperJSON:
    def __init__(self, app: Quart) -> None:
        self.app = app

    def dumps(self, obj: Any, **options: Any) -> str:
        return json.dumps(obj).upper()

    def loads(self, text: Any, **options: Any) -> Any:
        return json.loads(text)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        return self.app.response_class(self.dumps(args[0] if args else kwargs), content_type="application/json")


class BringsJSON:
    @hookimpl
    def json_provider(self, app: Quart) -> UpperJSON:
        return UpperJSON(app)


@pytest.mark.parametrize("how", ["plugin", "plugin with json off", "attribute", "class"])
async def test_another_provider_fills_the_slot(how: str) -> None:
    """A plugin comes before the core one, which need not be on; what the app sets itself beats both."""
    app = make_app(*(["json"] if "off" in how else []))
    if how.startswith("plugin"):
        app.config["PLUGINS"] = [BringsJSON()]
    elif how == "attribute":
        app.json = UpperJSON(app)
    else:
        app.json_provider_class = UpperJSON
    app.add_url_rule("/", "view", lambda: {"a": "b"})
    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == '{"A": "B"}'


def test_slots_that_are_asked_for_by_name() -> None:
    app = make_app("debug")
    assert app.plugin_slot_or_none("debug_page") is None
    with pytest.raises(PluginNotEnabled, match="debug page: the plugin 'debug' is off"):
        app.plugin_slot("debug_page")
