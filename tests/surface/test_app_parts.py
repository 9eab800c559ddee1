"""What belongs to an app beside its routes: names, folders, files, templates, contexts, clients, and how it is run."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import Aborter, NotFound

from quart_plug import (
    Blueprint,
    Quart,
    current_app,
    g,
    has_app_context,
    render_template,
    render_template_string,
    request,
    send_file,
    websocket,
)
from quart_plug.app import AppOrBlueprintKey
from quart_plug.templating import DispatchingJinjaLoader, Environment
from tests.support.surface import shows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("static", "templates", "instance"):
        (tmp_path / name).mkdir()
    (tmp_path / "static" / "a.txt").write_text("static")
    (tmp_path / "templates" / "a.html").write_text("<p>{{ value }}{{ added }}</p>")
    (tmp_path / "resource.txt").write_text("a resource")
    (tmp_path / "instance" / "own.txt").write_text("of the instance")
    return tmp_path


@pytest.fixture
def app(folder: Path) -> Quart:
    return Quart(__name__, root_path=str(folder), instance_path=str(folder / "instance"))


@shows("app.Quart")
async def test_an_app_is_an_asgi_callable_with_the_arguments_of_its_constructor(folder: Path) -> None:
    app = Quart(
        "an_import_name",
        static_url_path="/files",
        static_folder="static",
        template_folder="templates",
        instance_path=str(folder / "elsewhere"),
        instance_relative_config=True,
        root_path=str(folder),
    )
    assert (app.import_name, app.name, app.root_path) == ("an_import_name", "an_import_name", str(folder))
    assert app.config.root_path == app.instance_path == str(folder / "elsewhere")
    response = await app.test_client().get("/files/a.txt")
    assert await response.get_data(as_text=True) == "static"
    with pytest.raises(ValueError, match="absolute"):
        Quart("an_import_name", instance_path="relative")


@shows("app.AppOrBlueprintKey")
def test_the_key_of_the_tables_is_none_or_a_name(app: Quart) -> None:
    keys: list[AppOrBlueprintKey] = []
    blueprint = Blueprint("bp", __name__)
    blueprint.before_request(lambda: None)
    app.before_request(lambda: None)
    app.register_blueprint(blueprint)
    keys.extend(app.before_request_funcs)
    assert set(keys) == {None, "bp"}


@shows("app.Quart.asgi_app")
async def test_middleware_wraps_asgi_app(app: Quart) -> None:
    seen: list[Any] = []
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], scope["path"]))
        await inner(scope, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]
    assert (await app.test_client().get("/static/a.txt")).status_code == 200
    assert seen == [("http", "/static/a.txt")]


@shows("app.Quart.name", "app.Quart.logger", "app.Quart.debug")
def test_name_logger_and_debug(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert Quart("some.module").name == "some.module"
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/srv/board.py", raising=False)
    assert Quart("__main__").name == "board"

    app = Quart("some.logged")
    assert app.logger is logging.getLogger("some.logged")
    app.logger.warning("a warning")
    assert "a warning" in caplog.text

    app.debug = True
    assert app.config["DEBUG"] is True and app.debug
    app.config["DEBUG"] = False
    assert not app.debug


@shows("app.Quart.make_config", "app.Quart.make_aborter")
async def test_what_the_constructor_makes(folder: Path) -> None:
    class Teapot(NotFound):
        code = 418

    class App(Quart):
        def make_config(self, instance_relative: bool = False) -> Any:
            config = super().make_config(instance_relative)
            config["MADE"] = instance_relative
            return config

        def make_aborter(self) -> Aborter:
            return Aborter(extra={700: Teapot})

    app = App(__name__, root_path=str(folder), instance_relative_config=True)
    assert app.config["MADE"] is True
    assert app.config["MAX_COOKIE_SIZE"] == 4093
    with pytest.raises(Teapot):
        app.aborter(700)
    assert isinstance(Quart(__name__).make_aborter(), Aborter)
    assert Quart(__name__, root_path=str(folder)).make_config().root_path == str(folder)


@shows("app.Quart.auto_find_instance_path", "app.Quart.open_instance_resource", "app.Quart.open_resource")
async def test_folders_and_resources(folder: Path, app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "found.py").write_text("")
    monkeypatch.syspath_prepend(folder)
    assert Path(Quart("found").auto_find_instance_path()) == folder / "instance"

    async with await app.open_resource("resource.txt") as file:
        assert await file.read() == b"a resource"
    async with await app.open_resource("resource.txt", "r") as file:
        assert await file.read() == "a resource"
    async with await app.open_instance_resource("own.txt") as file:
        assert await file.read() == b"of the instance"
    with pytest.raises(ValueError, match="reading"):
        await app.open_resource("resource.txt", "w")


# Static files --------------------------------------------------------------------------------------------------------


@shows("app.Quart.static_folder", "app.Quart.static_url_path", "app.Quart.has_static_folder")
def test_the_static_folder(folder: Path, app: Quart) -> None:
    assert app.static_folder == str(folder / "static")
    assert app.static_url_path == "/static"
    assert app.has_static_folder
    bare = Quart(__name__, static_folder=None)
    assert not bare.has_static_folder
    assert bare.static_folder is None
    other = Quart(__name__, static_folder="assets/", root_path=str(folder))
    assert (other.static_folder, other.static_url_path) == (str(folder / "assets"), "/assets")


@shows("app.Quart.send_static_file", "app.Quart.get_send_file_max_age")
async def test_a_static_file_and_its_age(folder: Path) -> None:
    class App(Quart):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 7 if filename == "a.txt" else super().get_send_file_max_age(filename)

    app = App(__name__, root_path=str(folder))
    async with app.test_request_context("/"):
        response = await app.send_static_file("a.txt")
        assert await response.get_data(as_text=True) == "static"
        assert response.cache_control.max_age == 7
        with pytest.raises(NotFound):
            await app.send_static_file("none.txt")
        assert app.get_send_file_max_age("other") == 12 * 60 * 60
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(seconds=3)
        assert app.get_send_file_max_age("other") == 3
        assert (await send_file(folder / "resource.txt")).cache_control.max_age == 3


# Templates -----------------------------------------------------------------------------------------------------------


def shout(value: str) -> str:
    return value.upper() + "!"


def is_loud(value: str) -> bool:
    return value.endswith("!")


@pytest.mark.parametrize("way", ["add", "decorator", "decorator with a name", "bare decorator"])
@shows(
    "app.Quart.add_template_filter",
    "app.Quart.add_template_global",
    "app.Quart.add_template_test",
    "app.Quart.template_filter",
    "app.Quart.template_global",
    "app.Quart.template_test",
)
async def test_names_for_templates(app: Quart, way: str) -> None:
    names = ("loudly", "louder", "loud") if way == "decorator with a name" else ("shout", "shout", "is_loud")
    if way == "add":
        app.add_template_filter(shout)
        app.add_template_global(shout)
        app.add_template_test(is_loud)
    elif way == "bare decorator":
        app.template_filter(shout)  # type: ignore[arg-type]
        app.template_global(shout)  # type: ignore[arg-type]
        app.template_test(is_loud)  # type: ignore[arg-type]
    else:
        given = names if way == "decorator with a name" else (None, None, None)
        assert app.template_filter(given[0])(shout) is shout
        app.template_global(given[1])(shout)
        app.template_test(given[2])(is_loud)
    source = "{{ 'a'|%s }} {{ %s('b') }} {{ 'c!' is %s }}" % names  # noqa: UP031 - braces
    async with app.app_context():
        assert await render_template_string(source) == "A! B! True"


@shows("app.Quart.update_template_context")
async def test_what_context_processors_add(app: Quart) -> None:
    @app.context_processor
    async def add() -> dict[str, Any]:
        return {"added": "!", "value": "not this"}

    async with app.test_request_context("/"):
        names: dict[str, Any] = {"value": "given"}
        await app.update_template_context(names)
        assert (names["value"], names["added"]) == ("given", "!")
        assert await render_template("a.html", value="given") == "<p>given!</p>"


@shows(
    "app.Quart.jinja_env",
    "app.Quart.jinja_loader",
    "app.Quart.create_jinja_environment",
    "app.Quart.create_global_jinja_loader",
    "app.Quart.select_jinja_autoescape",
)
async def test_the_environment_of_the_templates(app: Quart, folder: Path) -> None:
    app.jinja_options = {"trim_blocks": True}
    assert isinstance(app.jinja_env, Environment) and app.jinja_env is app.jinja_env
    assert app.jinja_env.trim_blocks
    assert app.jinja_env.filters["upper"]("a") == "A"
    assert app.jinja_env.globals["url_for"] is not None
    assert isinstance(app.create_jinja_environment(), Environment)
    assert isinstance(app.create_global_jinja_loader(), DispatchingJinjaLoader)
    assert app.jinja_loader.searchpath == [str(folder / "templates")]
    assert "a.html" in app.create_global_jinja_loader().list_templates()
    for name, escaped in (("a.html", True), ("a.xml", True), ("a.svg", True), ("a.txt", False), (None, True)):
        assert app.select_jinja_autoescape(name) is escaped
    async with app.app_context():
        assert await render_template("a.html", value="<b>") == "<p>&lt;b&gt;</p>"
        assert await render_template_string("{{ value }}", value="<b>") == "&lt;b&gt;"


# Contexts, clients, shells -------------------------------------------------------------------------------------------


@shows("app.Quart.app_context", "app.Quart.request_context", "app.Quart.websocket_context")
async def test_the_contexts_of_an_app(app: Quart) -> None:
    async with app.app_context() as context:
        assert context.app is app
        assert current_app.name == app.name and has_app_context()
    async with app.test_request_context("/given") as context:
        made = context.request
    async with app.request_context(made):
        assert request.path == "/given"
    async with app.test_websocket_context("/talk") as context:
        talk = context.websocket
    async with app.websocket_context(talk):
        assert websocket.path == "/talk"


@shows("app.Quart.test_request_context")
async def test_a_request_for_a_test(app: Quart) -> None:
    async with app.test_request_context(
        "/path?a=1",
        method="POST",
        headers={"X-A": "b"},
        scheme="https",
        json={"e": 1},
        auth=("user", "secret"),
        root_path="/root",
    ):
        assert (request.method, request.path, request.scheme) == ("POST", "/path", "https")
        assert request.args["a"] == "1" and request.headers["X-A"] == "b"
        assert await request.get_json() == {"e": 1}
        assert request.authorization is not None and request.authorization.username == "user"
        assert request.root_path == "/root"
    async with app.test_request_context("/", method="POST", form={"a": "b"}):
        assert (await request.form)["a"] == "b"
    async with app.test_request_context("/", query_string={"c": "d"}, data=b"x"):
        assert request.args["c"] == "d" and await request.get_data() == b"x"


@shows("app.Quart.test_client", "app.Quart.test_cli_runner")
async def test_a_client_and_a_runner(app: Quart) -> None:
    @app.route("/cookie")
    async def cookie() -> Any:
        return request.cookies.get("a", "none"), 200, {"Set-Cookie": "a=b"}

    for use_cookies, second in ((True, "b"), (False, "none")):
        client = app.test_client(use_cookies)
        assert await (await client.get("/cookie")).get_data(as_text=True) == "none"
        assert await (await client.get("/cookie")).get_data(as_text=True) == second

    @app.cli.command("hello")
    def hello() -> None:
        print(f"hello from {current_app.name}")

    result = await asyncio.to_thread(app.test_cli_runner().invoke, args=["hello"])
    assert result.output == f"hello from {app.name}\n"
    assert result.exit_code == 0


@shows("app.Quart.make_shell_context", "app.Quart.shell_context_processor")
async def test_the_names_in_a_shell(app: Quart) -> None:
    @app.shell_context_processor
    def names() -> dict[str, Any]:
        return {"answer": 42}

    context = app.make_shell_context()
    assert context["app"] is app and context["answer"] == 42
    async with app.app_context():
        g.value = 1
        assert context["g"].value == 1


@shows("app.Quart.url_for", "app.Quart.redirect")
async def test_urls_and_redirects_of_an_app(app: Quart) -> None:
    @app.route("/item/<int:id>")
    async def item(id: int) -> str:
        return "a"

    async with app.test_request_context("/"):
        assert app.url_for("item", id=1, q="a b") == "/item/1?q=a+b"
        assert app.url_for("item", id=1, _anchor="x") == "/item/1#x"
        assert app.url_for("item", id=1, _external=True) == "http://localhost/item/1"
        assert app.url_for("item", id=1, _scheme="https", _external=True) == "https://localhost/item/1"
        response = app.redirect("/elsewhere", 303)
        assert (response.status_code, response.headers["Location"]) == (303, "/elsewhere")
    with pytest.raises(RuntimeError, match="SERVER_NAME"):
        app.url_for("item", id=1)
    app.config["SERVER_NAME"] = "example.org"
    assert app.url_for("item", id=1) == "http://example.org/item/1"


# Serving -------------------------------------------------------------------------------------------------------------


@shows("app.Quart.run_task")
async def test_run_task_serves_until_it_is_told_to_stop(app: Quart) -> None:
    told = asyncio.Event()

    @app.route("/hello")
    async def hello() -> str:
        return "hello"

    started = asyncio.Event()

    @app.before_serving
    async def note() -> None:
        started.set()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    task = asyncio.ensure_future(app.run_task("127.0.0.1", port, shutdown_trigger=told.wait))
    await asyncio.wait_for(started.wait(), 20)
    while True:  # it listens a moment after start-up
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            assert not task.done(), task
            await asyncio.sleep(0)
    writer.write(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    told.set()
    await asyncio.wait_for(task, 20)

    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"hello")


@shows("app.Quart.run")
def test_run_takes_the_address_from_its_arguments_or_the_settings(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def serve(self: Any, host: str, port: int, *rest: Any, **options: Any) -> Any:
        seen.append((host, port))

        async def nothing() -> None:
            return None

        return nothing()

    monkeypatch.setattr(type(app), "run_task", serve)
    app.run(use_reloader=False)
    app.config["SERVER_NAME"] = "localhost:5009"
    app.run(use_reloader=False)
    app.run("0.0.0.0", 5010, use_reloader=False)

    assert seen == [("127.0.0.1", 5000), ("localhost", 5009), ("0.0.0.0", 5010)]
