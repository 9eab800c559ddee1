"""Every public step overridden: in a subclass with `super()`, on the class, on the instance; before and after the first
connection; in Quart 0.22's signature and in 0.23's."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from quart_plug import Quart, abort, websocket
from quart_plug.ctx import Context
from quart_plug.globals import _cv
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError


class Boom(Exception):
    pass


@dataclass(frozen=True)
class Step:
    """A public method: its arguments in 0.22's form and in 0.23's, and which connection leads through it."""

    name: str
    old: str
    new: str | None
    path: str = "/"
    method: str = "GET"  # WEBSOCKET for a websocket
    is_async: bool = True

    def __str__(self) -> str:
        return f"{self.name}-{self.method.lower()}"


def _both(name: str, old: str, new: str, path: str = "/", is_async: bool = True) -> list[Step]:
    return [Step(name, old, new, path, method, is_async) for method in ("GET", "WEBSOCKET")]


STEPS = [
    Step("handle_request", "request", None),
    Step("full_dispatch_request", "request_context=None", "ctx"),
    Step("preprocess_request", "request_context=None", "ctx"),
    Step("dispatch_request", "request_context=None", "ctx"),
    Step(
        "finalize_request",
        "result, request_context=None, from_error_handler=False",
        "ctx, result, from_error_handler=False",
    ),
    Step("make_response", "result", None),
    Step("process_response", "response, request_context=None", "ctx, response"),
    Step("handle_exception", "error", "ctx, error", "/fails"),
    Step("do_teardown_request", "exc, request_context=None", "ctx, exc=None"),
    Step("make_default_options_response", "", "ctx", method="OPTIONS"),
    *_both("handle_user_exception", "error", "ctx, error", "/fails"),
    *_both("handle_http_exception", "error", "ctx, error", "/nowhere"),
    *_both("do_teardown_appcontext", "exc", "ctx, exc=None"),
    *_both("log_exception", "exception_info", "ctx, exception_info", "/fails", False),
    Step("handle_websocket", "websocket", None, method="WEBSOCKET"),
    Step("full_dispatch_websocket", "websocket_context=None", "ctx", method="WEBSOCKET"),
    Step("preprocess_websocket", "websocket_context=None", "ctx", method="WEBSOCKET"),
    Step("dispatch_websocket", "websocket_context=None", "ctx", method="WEBSOCKET"),
    Step(
        "finalize_websocket",
        "result, websocket_context=None, from_error_handler=False",
        "ctx, result, from_error_handler=False",
        method="WEBSOCKET",
    ),
    Step("make_response", "result", None, "/refuses", "WEBSOCKET"),
    Step("postprocess_websocket", "response, websocket_context=None", "ctx, response", method="WEBSOCKET"),
    Step("handle_websocket_exception", "error", "ctx, error", "/fails", "WEBSOCKET"),
    Step("do_teardown_websocket", "exc, websocket_context=None", "ctx, exc=None", method="WEBSOCKET"),
]
CASES = [
    pytest.param(step, signature, id=f"{step}-{release}")
    for step in STEPS
    for release, signature in (("0.22", step.old), ("0.23", step.new))
    if signature is not None
]


def _override(step: Step, signature: str, calls: list[Any], original: str, has_self: bool) -> Callable[..., Any]:
    """A function with this signature that notes its arguments and hands on to `original`."""
    names = [part.split("=")[0].strip() for part in signature.split(",") if part]
    parameters = ", ".join((["self"] if has_self else []) + ([signature] if signature else []))
    source = f"""
        {"async " if step.is_async else ""}def {step.name}({parameters}):
            calls.append(dict({", ".join(f"{name}={name}" for name in names)}))
            current.append(_cv.get(None))
            return {"await " if step.is_async else ""}{original}({", ".join(names)})
    """
    names_of_source: dict[str, Any] = {"calls": calls, "current": [], "_cv": _cv}
    exec(textwrap.dedent(source), names_of_source)
    function = names_of_source[step.name]
    function.names = names_of_source
    return function  # type: ignore[no-any-return]


def add_views(app: Quart) -> None:
    @app.route("/")
    async def index() -> str:
        return "index"

    @app.route("/fails")
    async def fails() -> str:
        raise Boom

    @app.websocket("/")
    async def index_ws() -> None:
        await websocket.send("index")

    @app.websocket("/fails")
    async def fails_ws() -> None:
        raise Boom

    @app.websocket("/refuses")
    async def refuses_ws() -> Any:
        return "refused", 403


async def run(app: Quart, step: Step) -> tuple[int | None, str]:
    """The status, or the close code, and what was said."""
    client = app.test_client()
    if step.method != "WEBSOCKET":
        response = await client.open(step.path, method=step.method)
        return response.status_code, await response.get_data(as_text=True)
    said = ""
    try:
        async with client.websocket(step.path) as connection:
            while True:
                said += str(await connection.receive())
    except WebsocketResponseError as refusal:
        return refusal.response.status_code, await refusal.response.get_data(as_text=True)
    except WebsocketDisconnectError as end:
        return end.code, said


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["subclass", "class", "instance"])
@pytest.mark.parametrize(("step", "signature"), CASES)
async def test_an_override_is_called(
    step: Step, signature: str, where: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each connection, with its arguments; and what it hands on works."""

    class Sub(Quart):
        pass

    calls: list[dict[str, Any]] = []
    app = (Sub if where == "subclass" else Quart)(__name__)
    add_views(app)
    plain = await run(app, step) if late else None

    if where == "subclass":
        function = _override(step, signature, calls, f"super(Sub, self).{step.name}", True)
        function.names.update(Sub=Sub)  # type: ignore[attr-defined]
        setattr(Sub, step.name, function)
    elif where == "class":
        function = _override(step, signature, calls, "lambda_original", True)
        original = getattr(Quart, step.name)
        # what a patch of the class does: keep the function, and call it with the app
        function.names.update(lambda_original=lambda *args: original(app, *args))  # type: ignore[attr-defined]
        monkeypatch.setattr(Quart, step.name, function)
    else:
        function = _override(step, signature, calls, "original", False)
        function.names.update(original=getattr(app, step.name))  # type: ignore[attr-defined]
        setattr(app, step.name, function)

    outcome = await run(app, step)
    assert len(calls) == 1
    if plain is not None:
        assert outcome == plain
    (arguments,), (ctx,) = calls, function.names["current"]  # type: ignore[attr-defined]
    assert isinstance(ctx, Context) or step.name in ("handle_request", "handle_websocket")  # these make it current
    for name in ("ctx", "request_context", "websocket_context"):
        assert arguments.get(name) in (ctx, None)
    if signature.startswith("ctx"):
        assert arguments["ctx"] is ctx
    if "error" in arguments:
        assert isinstance(arguments["error"], Exception)
    if "exception_info" in arguments:
        assert arguments["exception_info"][0] is Boom
    if "result" in arguments:
        assert arguments["result"] in ("index", ("refused", 403), None)

    undo_override(app, Sub, step.name, where, monkeypatch)
    outcome_without = await run(app, step)
    assert len(calls) == 1
    assert outcome_without == outcome


def undo_override(app: Quart, sub: type, name: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "subclass":
        delattr(sub, name)
    elif where == "class":
        monkeypatch.undo()
    else:
        delattr(app, name)


REPLACING = [
    ("handle_request", "/", 404),
    ("full_dispatch_request", "/", 404),
    ("preprocess_request", "/", 404),
    ("dispatch_request", "/", 404),
    ("finalize_request", "/", 404),
    ("make_response", "/", 404),
    ("process_response", "/", 404),
    ("handle_exception", "/fails", 404),
    ("handle_user_exception", "/fails", 404),
    ("handle_http_exception", "/nowhere", 404),
]


@pytest.mark.parametrize(("name", "path", "status"), REPLACING)
async def test_what_an_override_answers_counts(name: str, path: str, status: int) -> None:
    async def override(self: Quart, *args: Any, **kwargs: Any) -> Any:
        return self.response_class("replaced", status)

    sub = type("Sub", (Quart,), {name: override})
    app = sub(__name__)
    add_views(app)
    assert await run(app, Step(name, "", None, path)) == (status, "replaced")


@pytest.mark.parametrize("name", ["preprocess", "dispatch", "finalize", "full_dispatch", "handle"])
async def test_what_a_websockets_override_answers_counts(name: str) -> None:
    """It refuses the handshake."""

    async def override(self: Quart, *args: Any, **kwargs: Any) -> Any:
        return self.response_class("replaced", 410)

    app = type("Sub", (Quart,), {f"{name}_websocket": override})(__name__)
    add_views(app)
    step = Step(name, "", None, "/refuses" if name == "finalize" else "/", "WEBSOCKET")
    assert await run(app, step) == (410, "replaced")


async def test_overrides_see_each_other_in_quarts_order() -> None:
    calls: list[str] = []

    def noting(name: str) -> Any:
        original = getattr(Quart, name)

        async def override(self: Quart, *args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return await original(self, *args, **kwargs)

        return override

    names = [
        *("handle_request", "full_dispatch_request", "preprocess_request", "dispatch_request"),
        *("finalize_request", "make_response", "process_response", "do_teardown_request", "do_teardown_appcontext"),
    ]
    app = type("Sub", (Quart,), {name: noting(name) for name in names})(__name__)
    add_views(app)
    assert await run(app, STEPS[0]) == (200, "index")
    assert calls == names


async def test_a_mixin_overrides_too() -> None:
    """Also one that stands before the app's class, with `super()` in it."""

    class Mixin:
        async def dispatch_request(self, *args: Any) -> Any:
            return f"mixed {await super().dispatch_request(*args)}"  # type: ignore[misc]

    class Sub(Mixin, Quart):  # type: ignore[misc]
        pass

    app = Sub(__name__)
    add_views(app)
    assert (await run(app, STEPS[0]))[1] == "mixed index"


async def test_direct_calls_in_a_context() -> None:
    """What tests and extensions call themselves, in 0.22's form and in 0.23's."""
    app = Quart(__name__)
    add_views(app)
    app.before_request(lambda: None)
    async with app.test_request_context("/") as ctx:
        for arguments in ((), (ctx,)):
            assert await app.preprocess_request(*arguments) is None
            assert await app.dispatch_request(*arguments) == "index"
            response = await app.full_dispatch_request(*arguments)
            assert await response.get_data(as_text=True) == "index"
        for made in (await app.finalize_request("a"), await app.finalize_request(ctx, "a")):
            assert await made.get_data(as_text=True) == "a"
            assert await app.process_response(made) is made
            assert await app.process_response(ctx, made) is made
        assert (await app.make_response(("a", 201))).status_code == 201
        with pytest.raises(Boom):
            await app.handle_user_exception(Boom())
        assert (await app.make_default_options_response()).allow.as_set() == {"get", "head", "options"}
        with pytest.raises(TypeError, match="finalize_request"):
            await app.finalize_request()


async def test_http_errors_keep_their_way_through_the_steps() -> None:
    """A 404 that a view raises goes through handle_user_exception to handle_http_exception."""
    calls: list[str] = []

    class Sub(Quart):
        async def handle_user_exception(self, error: Exception) -> Any:
            calls.append("user")
            return await super().handle_user_exception(error)

        async def handle_http_exception(self, error: Any) -> Any:
            calls.append("http")
            return await super().handle_http_exception(error)

    app = Sub(__name__)

    @app.route("/")
    async def view() -> str:
        abort(404)

    assert (await run(app, STEPS[0]))[0] == 404
    assert calls == ["user", "http"]


@pytest.mark.parametrize("method", ["GET", "WEBSOCKET"])
@pytest.mark.parametrize("signature", ["exception_info", "ctx, exception_info"])
async def test_log_exception_for_errors_outside_of_the_steps(signature: str, method: str) -> None:
    """What fails when the context ends is logged through an override, too, in the form it was written in."""
    calls: list[Any] = []
    names: dict[str, Any] = {"calls": calls}
    exec(f"def log_exception(self, {signature}): calls.append(exception_info[0])", names)
    app = type("Sub", (Quart,), {"log_exception": names["log_exception"]})(__name__)
    add_views(app)

    @app.teardown_appcontext
    async def fails(error: Any) -> None:
        raise Boom

    await run(app, Step("", "", None, method=method))
    assert calls == [Boom]
