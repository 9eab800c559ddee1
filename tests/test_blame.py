"""An error says which plugin it comes from, in the log too: of hooks of every kind, and of what a set-up registered."""

from __future__ import annotations

import asyncio
import functools
import importlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, hookimpl, websocket
from quart_plug.hooks.discovery import Record

FAULT = "the plugin's fault"


def fail(*args: Any, **values: Any) -> Any:
    raise LookupError(FAULT)


async def fail_later(*args: Any, **values: Any) -> Any:
    fail()


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **values: Any) -> Any:
        return await function(*args, **values)

    return wrapper


class Faulty:
    """A plugin whose set-up does this."""

    def __init__(self, sets_up: Callable[[Quart], Any]) -> None:
        self.sets_up = sets_up

    @hookimpl
    def setup(self, app: Quart) -> None:
        self.sets_up(app)


def in_blueprint(app: Quart) -> None:
    blueprint = Blueprint("part", __name__)
    blueprint.add_url_rule("/", "view", fail_later)
    app.register_blueprint(blueprint)


def for_errors(app: Quart) -> None:
    async def view() -> None:
        raise ArithmeticError

    app.add_url_rule("/", "view", view)
    app.register_error_handler(ArithmeticError, fail_later)


def local(app: Quart) -> None:
    async def view() -> None:
        def inner() -> None:
            raise LookupError(FAULT)

        inner()

    app.add_url_rule("/", "view", view)


REGISTERED: dict[str, Callable[[Quart], Any]] = {
    "view": lambda app: app.add_url_rule("/", "view", fail_later),
    "plain view": lambda app: app.add_url_rule("/", "view", fail),
    "decorated view": lambda app: app.add_url_rule("/", "view", decorated(fail_later)),
    "partial": lambda app: app.before_request(functools.partial(fail_later, 1)),
    "local view": local,
    "view of a blueprint": in_blueprint,
    "before_request": lambda app: app.before_request(fail_later),
    "after_request": lambda app: app.after_request(fail_later),
    "teardown_request": lambda app: app.teardown_request(fail_later),
    "teardown_appcontext": lambda app: app.teardown_appcontext(fail_later),
    "URL value preprocessor": lambda app: app.url_value_preprocessor(fail),
    "error handler": for_errors,
}


def make_app(plugin: Any, name: str = "faulty") -> Quart:
    app = Quart(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.hooks.register(plugin, name)
    app.setup_plugins()
    if not list(app.url_map.iter_rules()):

        @app.get("/")
        async def index() -> str:
            return "hello"

    @app.get("/other")
    async def other() -> str:
        return "other"

    return app


@pytest.mark.parametrize("what", REGISTERED)
async def test_what_a_plugin_registered_says_whose_it_is(what: str, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets status 500, and the log names the plugin."""
    app = make_app(Faulty(REGISTERED[what]))
    response = await app.test_client().get("/")
    assert response.status_code == 500
    assert FAULT in caplog.text
    assert "' of plugin 'faulty'.\n" in caplog.text


async def test_what_the_application_registered_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(Faulty(lambda app: app.before_request(decorated)))
    app.before_request_funcs[None].clear()
    app.add_url_rule("/own", "own", fail_later)
    assert (await app.test_client().get("/own")).status_code == 500
    assert FAULT in caplog.text
    assert "of plugin" not in caplog.text


async def test_a_task_says_whose_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """Also when it is a method of the plugin that no table knows."""

    class Tasks:
        @hookimpl
        async def startup(self, app: Quart) -> None:
            app.add_background_task(self.work)

        async def work(self) -> None:
            async def inner() -> None:
                raise LookupError(FAULT)

            await inner()

    app = make_app(Tasks(), "tasks")
    async with app.test_app():
        await asyncio.gather(*app.background_tasks)
    assert "Exception in a background task" in caplog.text
    assert "inner' of plugin 'tasks'." in caplog.text


async def _around(ctx: Any) -> AsyncIterator[None]:
    fail()
    yield


HOOKS: dict[str, Any] = {
    "request_started": fail_later,
    "request_before": fail_later,
    "request_after": fail_later,
    "request_finished": fail_later,
    "request_teardown": fail_later,
    "context_pushed": fail_later,
    "context_teardown": fail_later,
    "context_popped": fail_later,
    "connection": _around,
    "route_matched": fail_later,
}


def plugin_of(hook: str, function: Any) -> Any:
    """Fails for the path / only."""
    if hook == "connection":

        async def around(ctx: Any) -> AsyncIterator[None]:
            if ctx.scope["path"] != "/other":
                fail()
            yield

        return type("Plugin", (), {hook: staticmethod(hookimpl(specname=hook)(around))})()

    async def implementation(ctx: Any) -> None:
        if ctx.scope is not None and ctx.scope["path"] != "/other":
            await function()

    return type("Plugin", (), {hook: staticmethod(hookimpl(specname=hook)(implementation))})()


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_hook_that_fails_in_a_request(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    """That request gets status 500, the log names the plugin once, and other requests go on."""
    app = make_app(plugin_of(hook, HOOKS[hook]))
    client = app.test_client()
    statuses = [(await client.get(path)).status_code for path in ("/", "/other", "/", "/other")]
    assert statuses == [500, 200, 500, 200]
    assert FAULT in caplog.text
    assert f"In hook {hook!r} of plugin 'faulty'." in caplog.text


@pytest.mark.parametrize("hook", ["websocket_started", "websocket_before", "websocket_received", "websocket_sending"])
async def test_a_hook_that_fails_in_a_websocket(hook: str, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(type("Plugin", (), {hook: staticmethod(hookimpl(specname=hook)(fail_later_of[hook]))})())

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(await websocket.receive())

    with pytest.raises(Exception, match=r".*"):
        async with app.test_client().websocket("/ws") as connection:
            await connection.send("hello")
            await connection.receive()
    assert f"In hook {hook!r} of plugin 'faulty'." in caplog.text
    assert (await app.test_client().get("/other")).status_code == 200


async def _context(ctx: Any) -> Any:
    fail()


async def _message(ctx: Any, message: Any) -> Any:
    fail()


fail_later_of = {
    "websocket_started": _context,
    "websocket_before": _context,
    "websocket_received": _message,
    "websocket_sending": _message,
}


async def test_distribution_and_version_are_named(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(Faulty(lambda app: app.before_request(fail_later)))
    app.hooks.entry("faulty").record = Record("faulty", "faulty", "acme-plugins", "1.2")
    await app.test_client().get("/")
    assert "In 'fail_later' of plugin 'faulty' (acme-plugins 1.2)." in caplog.text


async def test_the_code_of_a_plugins_module_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the application calls of it names the plugin as well; what ships with quart-plug is not named so."""
    (tmp_path / "faulty_module.py").write_text("def helper():\n    raise LookupError('why')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module: Any = importlib.import_module("faulty_module")
    module.startup = hookimpl(fail_later)
    app = make_app(module, "module")
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/helped")
    async def helped() -> None:
        module.helper()

    @app.get("/json")
    async def no_json() -> Any:
        return {"a": object()}

    with pytest.raises(LookupError) as caught:
        await app.test_client().get("/helped")
    assert caught.value.__notes__ == ["In 'helper' of plugin 'module'."]
    with pytest.raises(TypeError) as wrong:
        await app.test_client().get("/json")
    assert not hasattr(wrong.value, "__notes__")
