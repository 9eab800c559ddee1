"""Set-up, and the slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from click.testing import CliRunner
from werkzeug.routing import BaseConverter

from quart_plug import Blueprint, Quart, render_template_string, send_file, session
from quart_plug.cli import QuartGroup
from quart_plug.signals import signal

from . import app_with, only, scenario, view, visit


@scenario
def configuration_schema() -> None:
    """The dataclass is filled, with its defaults and with what the configuration says."""

    @dataclass
    class Shop:
        name: str = "corner"
        seats: int = 2

    app = app_with("configuration_schema", lambda app: Shop, PLUGIN_CONFIG={"only": {"seats": 5}})
    app.setup_plugins()
    assert app.plugin_config(Shop) == Shop("corner", 5)


@scenario
def configuration_defaults() -> None:
    """A default counts unless the application has a value of its own."""
    app = app_with("configuration_defaults", lambda app: {"COLOUR": "blue", "SIZE": 1}, SIZE=2)
    app.setup_plugins()
    assert (app.config["COLOUR"], app.config["SIZE"]) == ("blue", 2)


@scenario
async def url_converters() -> None:
    """Rules may use it, also those that were there before."""

    class Shouted(BaseConverter):
        def to_python(self, value: str) -> str:
            return value.upper()

    app = app_with("url_converters", lambda app: {"shouted": Shouted})

    @app.route("/<shouted:word>")
    async def index(word: str) -> str:
        return word

    assert (await visit(app, "request", "/hello")).said == "HELLO"


@scenario
async def blueprints() -> None:
    """Registered as they are, or with options; for requests and websockets."""
    plain, moved = Blueprint("plain", __name__), Blueprint("moved", __name__)
    plain.route("/plain")(_says("plain"))
    moved.route("/there")(_says("moved"))
    app = app_with("blueprints", lambda app: [plain, (moved, {"url_prefix": "/far"})])
    assert (await visit(app, "request", "/plain")).said == "plain"
    assert (await visit(app, "request", "/far/there")).said == "moved"


def _says(text: str) -> Callable[[], Any]:
    async def answer() -> str:
        return text

    return answer


@scenario
async def signals() -> None:
    """The signal is sent with the hook's arguments, by the app; and only while somebody listens."""
    app = app_with("signals", lambda app: {"shop-entered": "request_started"})
    view(app, "request")
    heard = []

    async def receiver(sender: Any, **values: Any) -> None:
        heard.append((sender, sorted(values)))

    with signal("shop-entered").connected_to(receiver):
        await visit(app, "request")
    await visit(app, "request")
    assert heard == [(app, ["ctx"])]


@scenario
async def setup() -> None:
    """Called once, when the configuration is complete; what it adds is there for the first request."""
    seen = []

    def set_up(app: Quart) -> None:
        seen.append((app, app.config["NAME"]))
        view(app, "request", says="made by a plugin")

    app = app_with("setup", set_up)
    app.config["NAME"] = "shop"
    assert (await visit(app, "request")).said == "made by a plugin"
    assert (await visit(app, "request")).said == "made by a plugin"
    assert seen == [(app, "shop")]


@scenario
async def setup_finished() -> None:
    """After every plugin's `setup`, also those of later plugins."""
    calls: list[Any] = []
    app = app_with("setup_finished", lambda app: calls.append(("finished", app)))
    app.hooks.register(only("setup", lambda app: calls.append("setup")), name="other")
    await visit(app, "request")
    assert calls == ["setup", ("finished", app)]


@scenario
def cli_commands() -> None:
    """The command is one of the program's."""
    command = click.Command("greet", callback=lambda: click.echo("hello"))
    app = app_with("cli_commands", lambda app: [command])
    program = QuartGroup(name="shop", create_app=lambda: app)
    assert CliRunner().invoke(program, ["greet"]).output == "hello\n"


@scenario
async def shell_context() -> None:
    """The names are there, beside the app's own."""
    app = app_with("shell_context", lambda app: {"owner": app.name, "g": "not this one"})
    app.shell_context_processor(lambda: {"g": "the app's"})
    app.setup_plugins()
    async with app.app_context():
        context = app.make_shell_context()
    assert (context["owner"], context["g"]) == ("shop", "the app's")


# Slots ----------------------------------------------------------------------------------------------------------------


@scenario
async def json_provider() -> None:
    """What is sent and read is its own."""

    class Provider:
        def __init__(self, app: Quart) -> None:
            self.app = app

        def dumps(self, obj: Any, **options: Any) -> str:
            return f"json of {self.app.name}"

        def loads(self, text: Any, **options: Any) -> Any:
            return "loaded"

        def response(self, *args: Any, **kwargs: Any) -> Any:
            return self.app.response_class(self.dumps(args), mimetype="application/json")

    app = app_with("json_provider", lambda app: Provider(app))

    @app.route("/")
    async def index() -> Any:
        return {"a": 1}

    assert (await visit(app, "request")).said == "json of shop"
    assert app.json.loads("{}") == "loaded"


@scenario
async def session_interface() -> None:
    """It opens and saves the session, for each request."""
    calls = []

    class Interface:
        def open_session(self, app: Quart, request: Any) -> Any:
            calls.append(("open", app, request.path))
            return {"user": "ann"}

        def save_session(self, app: Quart, session: Any, response: Any) -> None:
            calls.append(("save", session["user"], response.status_code))

        def make_null_session(self, app: Quart) -> Any:
            return {}

        def is_null_session(self, obj: object) -> bool:
            return False

    app = app_with("session_interface", lambda app: Interface())

    @app.route("/")
    async def index() -> Any:
        session["user"] = session["user"].upper()
        return "x"

    await visit(app, "request")
    assert calls == [("open", app, "/"), ("save", "ANN", 200)]


@scenario
async def template_engine() -> None:
    """`render_template_string` and its relatives ask it."""

    class Engine:
        environment = "an environment"

        async def render_string(self, app: Quart, source: str, context: dict[str, Any]) -> str:
            return f"{source} of {app.name} with {context}"

    app = app_with("template_engine", lambda app: Engine())
    async with app.app_context():
        assert await render_template_string("a page", a=1) == "a page of shop with {'a': 1}"
    assert app.jinja_env == "an environment"


@scenario
async def file_server() -> None:
    """`send_file` asks it."""

    class Files:
        async def send_file(self, app: Quart, filename_or_io: Any, *args: Any, **options: Any) -> Any:
            return app.response_class(f"the file {filename_or_io} of {app.name}")

    app = app_with("file_server", lambda app: Files())

    @app.route("/")
    async def index() -> Any:
        return await send_file("prices.txt")

    assert (await visit(app, "request")).said == "the file prices.txt of shop"


@scenario
def command_line() -> None:
    """`app.cli` is what it makes."""

    class Line:
        def group(self, name: str | None = None) -> Any:
            return click.Group(f"group of {name}")

        def main(self, args: Any = None) -> int:
            return 0

    app = app_with("command_line", lambda app: Line())
    assert app.cli.name == "group of shop"


@scenario
async def server() -> None:
    """Asked with the name that the user gave, or with None; it serves."""
    served: list[Any] = []

    class Server:
        name = "mine"

        async def serve(self, app: Quart, *, host: str, port: int, **options: Any) -> None:
            served.append((app, host, port))

    asked = []

    def find(app: Quart, name: str | None) -> Any:
        asked.append(name)
        return Server() if name in (None, "mine") else None

    app = app_with("server", find)
    await app.run_task(port=81)
    assert (asked, served) == ([None], [(app, "127.0.0.1", 81)])


@scenario
async def debug_page() -> None:
    """It makes the answer to an unhandled error in debug mode."""

    class Page:
        async def render(self, app: Quart, error: BaseException) -> Any:
            return app.response_class(f"the page for {error}", 500)

        def run_with_reloader(self, run: Callable[[], None], app: Quart) -> None:
            run()

    app = app_with("debug_page", lambda app: Page())
    app.debug = True
    view(app, "request", fails=LookupError("a bug"))
    seen = await visit(app, "request")
    assert (seen.code, seen.said) == (500, "the page for a bug")


@scenario
async def rooms() -> None:
    """It is what `app.rooms` gives, asked for once; the application's own wins."""

    class Hall:
        async def counts(self) -> Any:
            return {"hall": 1}

    made: list[Any] = []
    app = app_with("rooms", lambda app: made.append(app) or Hall())
    assert (await app.rooms.counts(), app.rooms, made) == ({"hall": 1}, app.rooms, [app])
    app.rooms = {}
    assert app.rooms == {}
