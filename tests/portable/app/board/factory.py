"""Makes the application: the configuration, the blueprints, and what belongs to the whole."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from quart import current_app, g, got_request_exception, request, session, websocket
from werkzeug.routing import BuildError

from . import pages
from .admin import admin, quiet
from .auth import auth
from .commands import add_commands
from .converters import EvenConverter, ListConverter
from .files import files
from .framework import Board
from .live import live
from .middleware import Blocked, Timing
from .notes import notes
from .storage import Store

SETTINGS = Path(__file__).parent / "settings"


def create_app(mode: str = "Testing", *, instance_path: str | None = None, **settings) -> Board:
    app = Board(
        __name__.rpartition(".")[0], instance_path=instance_path, instance_relative_config=instance_path is not None
    )
    configure(app, mode, settings)
    app.store = Store(Path(tempfile.mkdtemp(prefix="board-")))
    app.torn_down, app.cancelled, app.written, app.after_websockets, app.life = [], [], [], [], []
    app.url_map.converters["list"] = ListConverter
    app.url_map.converters["even"] = EvenConverter
    add_pages(app)
    add_functions(app)
    add_life(app)
    add_to_templates(app)
    add_commands(app)
    app.register_blueprint(auth)
    app.register_blueprint(notes)
    app.register_blueprint(files)
    app.register_blueprint(live)
    app.register_blueprint(admin, url_prefix="/admin")
    app.register_blueprint(quiet)
    app.asgi_app = Blocked(Timing(app.asgi_app))
    return app


def configure(app: Board, mode: str, settings: dict) -> None:
    app.config.from_object(f"board.settings.{mode}")
    app.config.from_file(SETTINGS / "site.toml", load=_tomllib().load, text=False)
    app.config.from_file(SETTINGS / "site.json", load=json.load)
    app.config.from_pyfile(str(SETTINGS / "site.cfg"))
    app.config.from_pyfile("nowhere.cfg", silent=True)
    app.config.from_prefixed_env("BOARD")
    app.config.from_mapping(settings)


def _tomllib():
    import tomllib

    return tomllib


def add_pages(app: Board) -> None:
    app.add_url_rule("/", view_func=pages.index)
    app.add_url_rule("/streamed", view_func=pages.streamed)
    app.add_url_rule("/streamed-string", view_func=pages.streamed_string)
    app.add_url_rule("/one-of-many", view_func=pages.one_of_many)
    app.add_url_rule("/globals", view_func=pages.globals_in_templates)
    app.add_url_rule("/thread", view_func=pages.in_a_thread)
    app.add_url_rule("/copies", view_func=pages.with_copies)
    app.add_url_rule("/background", view_func=pages.in_background, methods=["POST"])
    app.add_url_rule("/background/fails", view_func=pages.background_that_fails, methods=["POST"])
    app.add_url_rule("/returns/<kind>", view_func=pages.returns)
    app.add_url_rule("/inspect", view_func=pages.inspect_request, methods=["GET", "POST", "PUT"])
    app.add_url_rule("/inspect/strict/", "strict", pages.inspect_request)
    app.add_url_rule("/json", view_func=pages.json_in, methods=["POST"])
    app.add_url_rule("/cookies", view_func=pages.cookies)
    app.add_url_rule("/fails", view_func=pages.fails)
    app.add_url_rule("/aborts/<int:status>", view_func=pages.aborts)
    app.add_url_rule("/overridden", "overridden", pages.methods)
    app.add_url_rule("/favicon.ico", view_func=pages.favicon)
    app.add_url_rule("/methods", "methods", methods=["GET", "PUT", "DELETE"])
    app.view_functions["methods"] = pages.methods
    app.endpoint("late")(pages.methods)
    app.add_url_rule("/late", endpoint="late", methods=["PURGE"], provide_automatic_options=False)
    app.add_url_rule("/defaults/", "defaults", lambda number: {"number": number}, defaults={"number": 1})
    app.add_url_rule("/defaults/<int:number>", "defaults")

    @app.route("/kiosk")
    @app.route("/kiosk/<word>")
    async def kiosk(word=None):
        if word == "forget":
            session.clear()
        elif word is not None:
            session["words"] = [*session.get("words", []), word]
        return {"words": session.get("words", []), "kind": type(session._get_current_object()).__name__}

    @app.websocket("/kiosk/socket")
    async def kiosk_socket():
        await websocket.accept()
        session["words"] = ["from a websocket"]
        await websocket.send_json(session.get("words"))

    @app.get("/scope")
    async def scope():
        return {"board": request.scope.get("board"), "type": request.scope["type"]}


def add_functions(app: Board) -> None:
    @app.before_request
    async def begin():
        g.trail = ["app.before"]
        if request.args.get("stop"):
            return {"stopped": request.endpoint}
        return None

    @app.before_request
    def begin_in_a_thread():
        g.trail.append("app.thread")

    @app.after_request
    async def end(response):
        response.headers.add("X-Trail", "app.after")
        return response

    @app.teardown_request
    def teardown(error):
        app.torn_down.append(("request", type(error).__name__))

    @app.teardown_appcontext
    async def teardown_context(error):
        app.torn_down.append(("context", type(error).__name__))

    @app.teardown_websocket
    async def teardown_websocket(error):
        app.torn_down.append(("websocket", type(error).__name__))

    @app.url_defaults
    def add_token(endpoint, values):
        if endpoint.startswith("live."):
            values.setdefault("token", "t")

    app.register_error_handler(ZeroDivisionError, lambda error: ("divided by zero", 500))
    app.register_error_handler(451, lambda error: ("for legal reasons", 451))
    app.errorhandler(pages.HTTPException)(pages.every_http_error)
    app.url_build_error_handlers.append(build_elsewhere)


def build_elsewhere(error: BuildError, endpoint: str, values: dict) -> str:
    if endpoint.startswith("cdn:"):
        return f"https://cdn.example/{endpoint.removeprefix('cdn:')}"
    raise error


def add_life(app: Board) -> None:
    @app.before_serving
    async def connect():
        app.store.connected = True
        app.life.append(f"before_serving of {current_app.name}")

    @app.while_serving
    async def lifespan():
        app.life.append("while_serving began")
        yield
        app.life.append("while_serving ended")

    @app.after_serving
    def disconnect():
        app.store.connected = False
        app.life.append("after_serving")


def add_to_templates(app: Board) -> None:
    @app.context_processor
    async def version():
        return {"version": "1.0"}

    @app.template_global()
    def today():
        return "today"

    @app.template_filter()
    def reverse(text):
        return text[::-1]

    app.add_template_filter(lambda text: text.upper(), "shout")
    app.add_template_test(lambda text: text == text.upper(), "shouted")
    app.add_template_global(lambda: "called", "call")
    app.jinja_env.globals["constant"] = "constant"
    app.jinja_env.filters["double"] = lambda value: value * 2


def remember_errors(app: Board) -> list:
    errors: list = []

    async def remember(sender, exception, **extra):
        errors.append(exception)

    got_request_exception.connect(remember, app, weak=False)
    return errors
