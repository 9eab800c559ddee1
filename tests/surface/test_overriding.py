"""Every public method of the app, overridden: in a subclass, on the instance, and on `Quart` itself while apps exist.

The table says for each method what leads to its call, and what changes when it is overridden. What nobody but users
calls is listed at the end. That the steps of a connection take 0.22's form and 0.23's: tests/compat.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader
from werkzeug.exceptions import Aborter, Gone

from quart_plug import Quart
from quart_plug.cli import run_command, shell_command
from tests.support.overriding import (
    NOTES,
    Trigger,
    any_function,
    by_blueprint,
    change_session,
    command,
    connect,
    folder,
    get,
    make,
    making,
    method,
    register,
    run,
    serve,
)
from tests.support.surface import facts

__all__ = ["folder"]  # a fixture

# What the overrides do: called with the app, the method that is overridden, and the arguments ------------------------


def gives(value: Any) -> Callable[..., Any]:
    return lambda app, original, *args, **kwargs: value


def responds(status: int = 200) -> Callable[..., Any]:
    return lambda app, original, *args, **kwargs: app.response_class("replaced", status)


def notes(app: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    result = original(*args, **kwargs)
    NOTES.append("noted")
    return result


def notes_only(app: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
    NOTES.append("noted")


async def leads_elsewhere(app: Any, original: Any, scope: Any, receive: Any, send: Any) -> None:
    await original({**scope, "path": "/other"} if scope["type"] == "http" else scope, receive, send)


def binds_elsewhere(app: Any, original: Any, request: Any) -> Any:
    adapter = original(request)
    if request is not None:
        adapter.path_info = "/other"
    return adapter


def sets_g(app: Any, original: Any) -> Any:
    ctx = original()
    ctx.g.word = "set"
    return ctx


def raises_gone(app: Any, original: Any, request: Any) -> None:
    raise Gone


def exclaims(app: Any, original: Any, function: Any) -> Any:
    call = original(function)

    async def exclaim(*args: Any, **kwargs: Any) -> Any:
        result = await call(*args, **kwargs)
        return f"{result}!" if isinstance(result, str) else result

    return exclaim


async def adds_a_name(app: Any, original: Any, *args: Any) -> None:
    await original(*args)
    args[-1]["more"] = "more"


def adds_a_global(app: Any, original: Any) -> Any:
    environment = original()
    environment.globals["more"] = "more"
    return environment


def adds_a_value(app: Any, original: Any, endpoint: str, values: dict[str, Any]) -> None:
    values["word"] = "x"


def adds_a_setting(app: Any, original: Any, *args: Any) -> Any:
    config = original(*args)
    config["WORD"] = "set"
    return config


async def runs_nothing(app: Any, original: Any, *args: Any, **kwargs: Any) -> None:
    NOTES.append("noted")


@dataclass(frozen=True)
class Case:
    """What leads to a method's call, what it is overridden with, and the outcome without and with that.

    late      whether the override counts as well when the trigger has happened before.
    instance  whether it may be assigned on the app; what the constructor calls may not.
    """

    trigger: Trigger
    override: Callable[..., Any]
    before: str | None  # None: it would serve
    after: str
    late: bool = True
    instance: bool = True


METHODS: dict[str, Case] = {
    # A request
    "asgi_app": Case(get("/"), leads_elsewhere, "index", "other"),
    "handle_request": Case(get("/"), responds(), "index", "replaced"),
    "request_context": Case(get("/"), notes, "index", "index noted"),
    "app_context": Case(get("/g"), sets_g, "none", "set"),
    "create_url_adapter": Case(get("/"), binds_elsewhere, "index", "other"),
    "full_dispatch_request": Case(get("/"), responds(), "index", "replaced"),
    "preprocess_request": Case(get("/"), gives("replaced"), "index", "replaced"),
    "dispatch_request": Case(get("/"), gives("replaced"), "index", "replaced"),
    "raise_routing_exception": Case(get("/nowhere"), raises_gone, "404", "410"),
    "make_default_options_response": Case(get("/", "OPTIONS"), responds(), "", "replaced"),
    "finalize_request": Case(get("/"), responds(), "index", "replaced"),
    "make_response": Case(get("/"), responds(), "index", "replaced"),
    "process_response": Case(get("/"), responds(), "index", "replaced"),
    "do_teardown_request": Case(get("/"), notes, "index", "index noted"),
    "do_teardown_appcontext": Case(get("/"), notes, "index", "index noted"),
    "ensure_async": Case(get("/"), exclaims, "index", "index!"),
    "sync_to_async": Case(get("/plain"), exclaims, "plain", "plain!"),
    # Errors of both kinds of connections
    "handle_user_exception": Case(get("/fails"), gives("replaced"), "500 told of KeyError", "replaced"),
    "handle_http_exception": Case(get("/nowhere"), gives("replaced"), "404", "replaced"),
    "trap_http_exception": Case(get("/nowhere"), gives(True), "404", "500 told of NotFound"),
    "handle_exception": Case(get("/fails"), responds(503), "500 told of KeyError", "replaced told of KeyError"),
    "log_exception": Case(get("/fails"), notes_only, "500 told of KeyError", "500 noted told of KeyError"),
    "should_ignore_error": Case(get("/fails"), gives(True), "500 told of KeyError", "500"),
    # A websocket
    "handle_websocket": Case(connect("/ws"), responds(410), "ws", "410"),
    "websocket_context": Case(connect("/ws"), notes, "ws", "ws noted"),
    "full_dispatch_websocket": Case(connect("/ws"), responds(410), "ws", "410"),
    "preprocess_websocket": Case(connect("/ws"), gives(("replaced", 410)), "ws", "410"),
    "dispatch_websocket": Case(connect("/ws"), gives(("replaced", 410)), "ws", "410"),
    "finalize_websocket": Case(connect("/refuses"), responds(410), "403", "410"),
    "postprocess_websocket": Case(connect("/refuses"), responds(410), "403", "410"),
    "handle_websocket_exception": Case(connect("/fails"), responds(503), "500", "503"),
    "do_teardown_websocket": Case(connect("/refuses"), notes, "403", "403 noted"),
    # Templates
    "create_jinja_environment": Case(get("/template"), adds_a_global, "&lt;", "&lt;more", late=False),
    "create_global_jinja_loader": Case(
        get("/template"), gives(DictLoader({"page.html": "other"})), "&lt;", "other", late=False
    ),
    "select_jinja_autoescape": Case(get("/template"), gives(False), "&lt;", "<", late=False),
    "update_template_context": Case(get("/template"), adds_a_name, "&lt;", "&lt;more"),
    "iter_blueprints": Case(get("/parts-template"), gives(()), "part", "500 told of TemplateNotFound", late=False),
    # URLs, answers, files
    "url_for": Case(get("/url"), gives("/made"), "/", "/made"),
    "inject_url_defaults": Case(get("/url"), adds_a_value, "/", "/?word=x"),
    "handle_url_build_error": Case(get("/no-url"), gives("/made"), "500 told of BuildError", "/made"),
    "redirect": Case(get("/redirect"), responds(), "302", "replaced"),
    "send_static_file": Case(get("/static/file.txt"), responds(), "a file", "replaced"),
    "get_send_file_max_age": Case(
        get("/static/file.txt", header="cache-control"), gives(7), "public, max-age=43200", "public, max-age=7"
    ),
    # Serving, tasks, tests, the command line
    "startup": Case(serve, notes, "", "noted"),
    "shutdown": Case(serve, notes, "", "noted"),
    "handle_background_exception": Case(get("/task"), notes_only, "task", "task noted"),
    "test_client": Case(serve, notes, "", "noted"),  # by the test app's
    "test_request_context": Case(change_session, notes, "", "noted"),
    "run": Case(command(run_command), notes_only, None, "noted", late=False),
    "run_task": Case(run, runs_nothing, None, "noted", late=False),
    "make_shell_context": Case(command(shell_command, typed="print(word)\n"), gives({"word": "hello"}), "", "hello"),
    # The constructor
    "auto_find_instance_path": Case(
        making(lambda app: app.instance_path == "/x"), gives("/x"), "False", "True", instance=False
    ),
    "make_config": Case(making(lambda app: app.config.get("WORD")), adds_a_setting, "None", "set", instance=False),
    "make_aborter": Case(
        making(lambda app: app.aborter.mapping[404].__name__),
        gives(Aborter({404: Gone})),
        "NotFound",
        "Gone",
        instance=False,
    ),
    # What decorators and blueprints register with
    "add_url_rule": Case(register(lambda app: app.route("/x")(print)), notes, "", "noted", late=False),
    "route": Case(register(lambda app: app.get("/x")(print)), notes, "", "noted", late=False),
    "add_websocket": Case(register(lambda app: app.websocket("/x")(print)), notes, "", "noted", late=False),
    "register_error_handler": Case(register(lambda app: app.errorhandler(418)(print)), notes, "", "noted"),
    "errorhandler": Case(by_blueprint(lambda part: part.app_errorhandler(418)(print)), notes, "", "noted"),
    **{
        f"add_template_{what}": Case(
            register(lambda app, what=what: getattr(app, f"template_{what}")()(print)), notes, "", "noted"
        )
        for what in ("filter", "global", "test")
    },
    **{
        name: Case(
            by_blueprint(lambda part, name=name: getattr(part, name.replace("_", "_app_", 1))(any_function)),
            notes,
            "",
            "noted",
        )
        for name in (
            *("before_request", "after_request", "teardown_request", "before_websocket", "after_websocket"),
            *("teardown_websocket", "before_serving", "after_serving", "while_serving"),
        )
    },
    **{
        name: Case(
            by_blueprint(lambda part, name=name: getattr(part, f"app_{name}")(any_function)), notes, "", "noted"
        )
        for name in ("context_processor", "url_defaults", "url_value_preprocessor")
    },
}

# Nothing of the framework calls them.
ONLY_USERS = {
    *("add_background_task", "delete", "endpoint", "get", "open_instance_resource", "open_resource", "patch", "post"),
    *("put", "register_blueprint", "shell_context_processor", "teardown_appcontext", "template_filter"),
    *("template_global", "template_test", "test_app", "test_cli_runner", "websocket"),
}


def overridden(name: str) -> type[Quart]:
    """A subclass with the override, which has `super()` in it."""
    function = getattr(Quart, name)
    made: Any = type("Sub", (Quart,), {})
    original = lambda self: getattr(super(made, self), name)  # noqa: E731 - a name of its own says no more
    setattr(made, name, method(METHODS[name].override, original, inspect.iscoroutinefunction(function)))
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", METHODS)
async def test_in_a_subclass(name: str, folder: Path) -> None:
    case = METHODS[name]
    if case.before is not None:
        assert await case.trigger(make(Quart, folder)) == case.before
    assert await case.trigger(make(overridden(name), folder)) == case.after


@pytest.mark.parametrize("name", [name for name, case in METHODS.items() if case.instance])
async def test_on_the_instance(name: str, folder: Path) -> None:
    case = METHODS[name]
    app = make(Quart, folder)
    if case.late:
        assert await case.trigger(app) == case.before
    original = getattr(app, name)
    bound = method(case.override, lambda self: original, inspect.iscoroutinefunction(original))
    setattr(app, name, lambda *args, **kwargs: bound(app, *args, **kwargs))
    assert await case.trigger(app) == case.after
    if case.late:
        delattr(app, name)
        assert await case.trigger(app) == case.before


@pytest.mark.parametrize("name", METHODS)
async def test_on_the_class(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As extensions do it, for every app that there is."""
    case = METHODS[name]
    app = make(Quart, folder)
    if case.late:
        assert await case.trigger(app) == case.before
    function = getattr(Quart, name)
    override = method(case.override, function.__get__, inspect.iscoroutinefunction(function))
    with monkeypatch.context() as patch:
        patch.setattr(Quart, name, override)
        assert await case.trigger(app) == case.after
    if case.late:
        assert await case.trigger(app) == case.before


async def test_nothing_else_is_called_by_the_framework(folder: Path) -> None:
    called: list[str] = []

    def noting(name: str) -> Callable[..., Any]:
        def note(self: Any, *args: Any, **kwargs: Any) -> Any:
            if sys._getframe(1).f_globals["__name__"].startswith("quart_plug"):
                called.append(name)
            return getattr(super(noted, self), name)(*args, **kwargs)

        return note

    noted: Any = type("Noted", (Quart,), {})
    for name in ONLY_USERS:
        setattr(noted, name, noting(name))
    for case in METHODS.values():
        if case.trigger is not run and case is not METHODS["run"]:
            await case.trigger(make(noted, folder))
    assert called == []


def test_the_table_is_complete() -> None:
    members = facts()["quart.app"]["Quart"]["members"]
    methods = {name for name, said in members.items() if said.startswith("(")}
    assert methods == METHODS.keys() | ONLY_USERS
    assert not METHODS.keys() & ONLY_USERS
