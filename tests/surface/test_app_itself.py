"""An app's names, folders, files, settings; its URLs; how it is tested, run, and looked at from a shell."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import click
import pytest
from werkzeug.exceptions import Aborter, NotFound
from werkzeug.routing import BuildError

import quart_plug
from quart_plug import Blueprint, Quart, g, request, url_for
from quart_plug.app import AppOrBlueprintKey
from quart_plug.config import Config
from quart_plug.testing import QuartClient, QuartCliRunner
from tests.support.surface import shows


async def text(app: Quart, path: str) -> str:
    response = await app.test_client().get(path)
    return str(await response.get_data(as_text=True))


# Names and folders ----------------------------------------------------------------------------------------------------


@shows("app.Quart", "app.Quart.name", "app.Quart.auto_find_instance_path")
def test_the_constructor(tmp_path: Path) -> None:
    """The import name says where the folders are; each may be given."""
    app = Quart(__name__)
    assert (app.name, app.import_name, app.root_path) == (__name__, __name__, str(Path(__file__).parent))
    assert app.instance_path == app.auto_find_instance_path()
    assert app.instance_path.endswith("instance")
    app = Quart("no_such_module", root_path=str(tmp_path), instance_path=str(tmp_path / "own"))
    assert (app.root_path, app.instance_path) == (str(tmp_path), str(tmp_path / "own"))
    with pytest.raises(ValueError, match="absolute"):
        Quart(__name__, instance_path="relative")


@shows("app.Quart.name")
def test_the_name_of_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    script = ModuleType("__main__")
    script.__file__ = "/somewhere/script.py"
    monkeypatch.setitem(sys.modules, "__main__", script)
    assert Quart("__main__").name == "script"


@shows("app.AppOrBlueprintKey")
def test_the_keys_of_the_tables() -> None:
    """The app's own functions are under None, a blueprint's under its name."""
    app = Quart(__name__)
    part = Blueprint("part", __name__)
    app.before_request(print)
    part.before_request(print)
    app.register_blueprint(part)
    assert set(map(type, app.before_request_funcs)) == set(get_args(AppOrBlueprintKey)) == {str, type(None)}


# Static files, resources ----------------------------------------------------------------------------------------------


@shows("app.Quart.static_folder", "app.Quart.static_url_path", "app.Quart.has_static_folder")
async def test_static_folders(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("a file")

    app = Quart(__name__, static_folder="files", root_path=str(tmp_path))
    assert (app.static_folder, app.static_url_path, app.has_static_folder) == (str(tmp_path / "files"), "/files", True)
    assert await text(app, "/files/a.txt") == "a file"
    app = Quart(__name__, static_folder="files", static_url_path="/assets/", root_path=str(tmp_path))
    assert app.static_url_path == "/assets"
    assert await text(app, "/assets/a.txt") == "a file"
    app = Quart(__name__, static_folder=None)
    assert (app.static_folder, app.static_url_path, app.has_static_folder) == (None, None, False)
    app.static_folder = str(tmp_path / "files")
    assert app.has_static_folder
    app.static_url_path = "/later"
    assert app.static_url_path == "/later"


@shows("app.Quart.send_static_file", "app.Quart.get_send_file_max_age")
async def test_send_static_file(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("a file")
    app = Quart(__name__, root_path=str(tmp_path))

    async with app.test_request_context("/"):
        response = await app.send_static_file("a.txt")
        assert (await response.get_data(as_text=True), response.mimetype) == ("a file", "text/plain")
        for wrong in ("missing.txt", "../secret.txt"):
            with pytest.raises(NotFound):
                await app.send_static_file(wrong)
        for setting, age in ((60, 60), (timedelta(minutes=2), 120), (None, None)):
            app.config["SEND_FILE_MAX_AGE_DEFAULT"] = setting
            assert app.get_send_file_max_age("a.txt") == age
            assert (await app.send_static_file("a.txt")).cache_control.max_age == age
        with pytest.raises(RuntimeError, match="static"):
            await Quart(__name__, static_folder=None).send_static_file("a.txt")


@shows("app.Quart.open_resource", "app.Quart.open_instance_resource")
async def test_resources(tmp_path: Path) -> None:
    """Files below the root folder and the instance folder, in bytes or as text; resources are only read."""
    (tmp_path / "instance").mkdir()
    (tmp_path / "schema.sql").write_text("of the root")
    (tmp_path / "instance" / "settings.txt").write_text("of the instance")
    app = Quart(__name__, root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))

    async with await app.open_resource("schema.sql") as file:
        assert await file.read() == b"of the root"
    async with await app.open_resource("schema.sql", "r") as text_file:
        assert await text_file.read() == "of the root"
    async with await app.open_instance_resource("settings.txt") as file:
        assert await file.read() == b"of the instance"
    with pytest.raises(ValueError, match="read"):
        await app.open_resource("schema.sql", "w")
    with pytest.raises(FileNotFoundError):
        async with await app.open_resource("missing.sql"):
            pass


# Settings, log --------------------------------------------------------------------------------------------------------


@shows("app.Quart.make_config", "app.Quart.make_aborter")
def test_what_the_constructor_makes(tmp_path: Path) -> None:
    """The configuration, with the defaults, relative to the instance folder if that is asked for; the aborter."""
    app = Quart(__name__, instance_path=str(tmp_path), instance_relative_config=True)
    assert isinstance(app.config, Config)
    assert str(app.config.root_path) == str(tmp_path)
    assert str(app.make_config().root_path) == app.root_path
    assert app.make_config(True)["SESSION_COOKIE_NAME"] == "session"
    assert isinstance(app.make_aborter(), Aborter)


@shows("app.Quart.debug")
async def test_debug() -> None:
    """The setting DEBUG; templates are reloaded with it."""
    app = Quart(__name__)
    assert not any((app.debug, app.config["DEBUG"], app.jinja_env.auto_reload))
    app.debug = True
    assert (app.debug, app.config["DEBUG"], app.jinja_env.auto_reload) == (True, True, True)
    app.config["DEBUG"] = False
    assert app.debug is False


@shows("app.Quart.logger")
async def test_logger() -> None:
    """Named after the app, one for each; in debug mode it says everything, unless a level was set."""
    app, other = Quart("one.app"), Quart("another.app")
    assert app.logger is app.logger is logging.getLogger("one.app")
    assert other.logger is logging.getLogger("another.app")
    noisy = Quart("noisy.app")
    noisy.debug = True
    assert (app.logger.level, noisy.logger.level) == (logging.NOTSET, logging.DEBUG)


# URLs -----------------------------------------------------------------------------------------------------------------


@shows("app.Quart.url_for")
async def test_url_for() -> None:
    app = Quart(__name__)
    app.add_url_rule("/<name>", "page", lambda name: url_for(".page", name="other"))
    app.add_url_rule("/both", "both", lambda: "", methods=["GET"])
    app.add_url_rule("/both/new", "both", methods=["POST"])
    app.add_websocket("/ws", "ws", lambda: None)
    part = Blueprint("part", __name__, url_prefix="/part")
    part.add_url_rule("/", "view", lambda: f"{app.url_for('.view')} {app.url_for('part.view')} {app.url_for('ws')}")
    app.register_blueprint(part)

    async with app.test_request_context("/x", headers={"host": "example.org"}):
        assert app.url_for("page", name="a b", q=["1", "2"], none=None) == "/a%20b?q=1&q=2"
        assert app.url_for("page", name="a", _anchor="ä b") == "/a#%C3%A4%20b"
        assert app.url_for("page", name="a", _external=True) == "http://example.org/a"
        assert app.url_for("page", name="a", _scheme="https") == "https://example.org/a"
        assert app.url_for("both", _method="POST") == "/both/new"
        assert app.url_for("ws", _external=True) == "ws://example.org/ws"
        for wrong in ("nowhere", "page"):
            with pytest.raises(BuildError):
                app.url_for(wrong)
        with pytest.raises(ValueError, match=r"(?i)external"):
            app.url_for("both", _scheme="https", _external=False)
    assert await text(app, "/part/") == "/part/ /part/ ws://localhost/ws"
    with pytest.raises(RuntimeError, match="SERVER_NAME"):
        app.url_for("both")
    app.config["SERVER_NAME"] = "example.com"
    assert app.url_for("both") == "http://example.com/both"
    assert app.url_for("both", _external=False) == "/both"


@shows("app.Quart.redirect")
async def test_redirect() -> None:
    """A response of the app's class; the shortcut of the package calls it."""
    app = Quart(__name__)
    app.add_url_rule("/", "view", lambda: quart_plug.redirect("/elsewhere?a=b", 303))
    response = app.redirect("/elsewhere")
    assert isinstance(response, app.response_class)
    assert (response.status_code, response.headers["location"]) == (302, "/elsewhere")
    answer = await app.test_client().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/elsewhere?a=b")


# Tests, programs, shells ----------------------------------------------------------------------------------------------


@shows("app.Quart.test_client", "app.Quart.asgi_app")
async def test_the_test_client_goes_through_asgi_app() -> None:
    """So middleware around `asgi_app` counts; cookies are kept unless they are not wanted."""
    app = Quart(__name__)
    seen: list[str] = []
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]

    @app.get("/")
    async def view() -> Any:
        return request.cookies.get("name", "none"), {"set-cookie": "name=value"}

    for use_cookies, second in ((True, "value"), (False, "none")):
        client = app.test_client(use_cookies)
        assert isinstance(client, QuartClient)
        assert await (await client.get("/")).get_data(as_text=True) == "none"
        assert await (await client.get("/")).get_data(as_text=True) == second
    assert seen == ["http"] * 4


@shows("app.Quart.test_cli_runner")
def test_the_runner_of_commands() -> None:
    app = Quart(__name__)

    @app.cli.command()
    @click.argument("word")
    def say(word: str) -> None:
        click.echo(f"{word}!")

    runner = app.test_cli_runner()
    assert isinstance(runner, QuartCliRunner)
    result = runner.invoke(args=["say", "hello"])
    assert (result.exit_code, result.output) == (0, "hello!\n")


@shows("app.Quart.test_request_context")
async def test_contexts_for_tests() -> None:
    app = Quart(__name__)
    app.add_url_rule("/<int:number>", "view", lambda number: "", methods=["POST"])
    context = app.test_request_context(
        "/5", method="POST", query_string={"a": "b"}, headers={"x-name": "value"}, json={"c": 1}, scheme="https"
    )
    async with context:
        assert (request.method, request.endpoint, request.view_args) == ("POST", "view", {"number": 5})
        assert (request.args["a"], request.headers["x-name"], request.scheme) == ("b", "value", "https")
        assert await request.get_json() == {"c": 1}
    async with app.test_request_context("/5", method="POST", form={"d": "e"}):
        assert (await request.form)["d"] == "e"
    async with app.test_request_context("/5?a=c", data=b"body", root_path="/root", auth=("me", "secret")):
        assert (await request.get_data(), request.root_path, request.args["a"]) == (b"body", "/root", "c")
        assert request.authorization is not None
        assert request.authorization.username == "me"


@shows("app.Quart.shell_context_processor", "app.Quart.make_shell_context")
async def test_names_for_a_shell() -> None:
    app = Quart(__name__)

    @app.shell_context_processor
    def names() -> dict[str, Any]:
        return {"word": "value"}

    async with app.app_context():
        made = app.make_shell_context()
        g.mark = 1
        assert (made["app"], made["word"], made["g"].mark) == (app, "value", 1)
    assert names() == {"word": "value"}


@shows("app.Quart.run_task")
async def test_run_task() -> None:
    """Serves in the running loop, until the trigger returns."""
    app = Quart(__name__)
    served = asyncio.Event()

    @app.before_serving
    async def before() -> None:
        served.set()

    stop = asyncio.Event()
    task = asyncio.ensure_future(app.run_task(host="127.0.0.1", port=0, debug=True, shutdown_trigger=stop.wait))
    async with asyncio.timeout(10):
        await served.wait()
        assert app.debug
        stop.set()
        await task
    assert app.shutdown_event.is_set()


@shows("app.Quart.run")
def test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serves with the arguments given, or those of SERVER_NAME; the loop is its own."""
    app = Quart(__name__)
    calls: list[tuple[str, int]] = []

    async def run_task(host: str, port: int, *args: Any, **kwargs: Any) -> None:
        calls.append((host, port))

    monkeypatch.delenv("QUART_DEBUG", raising=False)
    monkeypatch.setattr(app, "run_task", run_task)
    app.run(host="127.0.0.9", port=1234, use_reloader=False, debug=True)
    assert app.debug
    app.config["SERVER_NAME"] = "127.0.0.8:4321"
    app.run(use_reloader=False)
    assert calls == [("127.0.0.9", 1234), ("127.0.0.8", 4321)]


@shows("signals_available")
async def test_signals_are_always_available() -> None:
    """Flask's flag from the time when blinker was optional."""
    assert quart_plug.signals_available is True
    heard: list[Any] = []
    app = Quart(__name__)
    receiver = heard.append
    with quart_plug.request_started.connected_to(lambda sender: receiver(sender.name), app):
        await app.test_client().get("/")
    assert heard == [app.name]
