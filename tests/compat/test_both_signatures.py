"""Every method whose signature Quart 0.23 changed can be called and overridden in both forms, for both kinds of
connection; and what 0.23 added and removed is there.

The methods and their signatures are read from the facts (tests/surface/quart-0.23.1.json), so none can be forgotten.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from quart_plug import Quart, Response, render_template_string, websocket
from quart_plug.ctx import AppContext
from quart_plug.exceptions import ConnectionClosed
from quart_plug.testing.connections import WebsocketDisconnectError, WebsocketResponseError
from quart_plug.utils import run_reloader
from quart_plug.wrappers import ClientDisconnectedError, Websocket
from quart_plug.wrappers.websocket import Buffer
from tests.support.surface import FACTS

FACTS_OF_023 = json.loads((FACTS / "quart-0.23.1.json").read_text())
CHANGED = FACTS_OF_023["changed, as [0.22.0, 0.23.1]"]

CONTEXT = ("ctx", "request_context", "websocket_context")


class Boom(Exception):
    pass


@dataclass(frozen=True)
class Signature:
    """The parameters of one form of a method, in order: the context under its name, and the values."""

    text: str  # between the parentheses, with the annotations, without self and the default values that are objects
    names: tuple[str, ...]

    @property
    def context(self) -> str | None:
        return next((name for name in self.names if name in CONTEXT), None)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in CONTEXT)


def read(line: str) -> Signature:
    """From a line of the facts: `(self, ctx: 'AppContext', error: 'Exception') -> 'None'`."""
    given = line.rpartition(" -> ")[0][1:-1].partition("self")[2].lstrip(", ")
    parts = re.split(r", (?=\w+: ')", given) if given else []
    return Signature(given, tuple(part.partition(":")[0] for part in parts))


METHODS = {
    member.partition(".")[2]: (read(old), read(new))
    for member, (old, new) in CHANGED["quart.app"].items()
    if old.rpartition(" -> ")[0] != new.rpartition(" -> ")[0]  # what it takes, and not only what it says it gives
}
REQUEST_ONLY = {"handle_exception", "make_default_options_response", "process_response"}
FORMS = [
    pytest.param(name, form, id=f"{name}-{release}")
    for name, forms in METHODS.items()
    for release, form in zip(("0.22", "0.23"), forms, strict=True)
]


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds of connection that a method is for."""
    if name.endswith("_request") or name in REQUEST_ONLY:
        return ("request",)
    if "websocket" in name:
        return ("websocket",)
    if name == "handle_background_exception":
        return ("app",)
    return ("request", "websocket")


FORMS_BY_KIND = [
    pytest.param(*parameters.values, kind, id=f"{parameters.id}-{kind}")
    for parameters in FORMS
    for kind in kinds_of(str(parameters.values[0]))
]


def make_app(class_: type[Quart] = Quart) -> Quart:
    app = class_(__name__)

    @app.before_request
    @app.before_websocket
    async def before() -> None:
        pass

    @app.route("/")
    async def index() -> str:
        return await render_template_string("index")

    @app.route("/fails")
    async def fails() -> str:
        raise Boom

    @app.route("/starts-a-task")
    async def starts_a_task() -> str:
        app.add_background_task(boom)
        return ""

    @app.websocket("/")
    async def index_websocket() -> None:
        await websocket.send(await render_template_string("index"))

    @app.websocket("/fails")
    async def fails_websocket() -> None:
        raise Boom

    return app


async def boom() -> None:
    raise Boom


def context_for(app: Quart, kind: str) -> Any:
    if kind == "app":
        return app.app_context()
    return getattr(app, f"test_{kind}_context")("/")


# Calling -------------------------------------------------------------------------------------------------------------


def value_of(app: Quart, name: str) -> Any:
    """Something to give for a parameter."""
    values: dict[str, Callable[[], Any]] = {
        "result": lambda: "made",
        "response": lambda: Response("made"),
        "exc": lambda: Boom(),
        "error": lambda: NotFound(),
        "exception_info": lambda: (Boom, Boom(), None),
        "context": lambda: {"given": 1},
        "from_error_handler": lambda: True,
    }
    return values[name]()


def calls_of(app: Quart, ctx: Any, form: Signature) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Every way to give the arguments of one form: all by position, all by name, and without what is optional."""
    given = {name: ctx if name in CONTEXT else value_of(app, name) for name in form.names}
    required = {name: value for name, value in given.items() if name != "from_error_handler"}
    yield "by position", tuple(given.values()), {}
    yield "by name", (), given
    yield "without the optional value", tuple(required.values()), {}
    if form.context != "ctx":
        left = {name: value for name, value in required.items() if name not in CONTEXT}
        yield "without the context", tuple(left.values()), {}
        yield "by name, without the context", (), left
    if form.context is not None:
        first, *others = given.items()
        yield "the first by position, the others by name", (first[1],), dict(others)


async def observe(app: Quart, call: Callable[[], Any]) -> Any:
    """What a call gives, in a form that can be compared: the text and status of a response, the type of an error."""
    try:
        result = call()
        if inspect.isawaitable(result):
            result = await result
    except Exception as error:
        return type(error)
    if isinstance(result, Response):
        return result.status_code, await result.get_data(as_text=True), result.headers.get("allow")
    return type(result) if isinstance(result, Exception) else result


EXPECTED: dict[str, Any] = {
    "dispatch_request": "index",
    "dispatch_websocket": None,
    "do_teardown_appcontext": None,
    "do_teardown_request": None,
    "do_teardown_websocket": None,
    "finalize_request": (200, "made", None),
    "finalize_websocket": (200, "made", None),
    "full_dispatch_request": (200, "index", None),
    "full_dispatch_websocket": None,
    "handle_background_exception": None,
    "handle_exception": (500, "Internal Server Error", None),
    "handle_websocket_exception": (500, "Internal Server Error", None),
    "handle_http_exception": NotFound,
    "handle_user_exception": NotFound,
    "log_exception": None,
    "make_default_options_response": (200, "", "GET, HEAD, OPTIONS"),
    "postprocess_websocket": (200, "made", None),
    "preprocess_request": None,
    "preprocess_websocket": None,
    "process_response": (200, "made", None),
    "update_template_context": None,
}


def check(name: str, seen: Any, how: str) -> None:
    expected = EXPECTED[name]
    if isinstance(expected, tuple) and isinstance(seen, tuple):
        assert seen[0] == expected[0], how
        assert expected[1] in seen[1], how
        allowed = None if seen[2] is None else ", ".join(sorted(seen[2].split(", ")))
        assert allowed == expected[2], how
    else:
        assert seen == expected, how


def test_the_table_is_whole() -> None:
    """Each method that the facts name has an expectation here."""
    assert set(EXPECTED) == set(METHODS)


@pytest.mark.parametrize("where", ["instance", "class", "subclass", "super"])
@pytest.mark.parametrize(("name", "form", "kind"), FORMS_BY_KIND)
async def test_called_in_either_form(name: str, form: Signature, kind: str, where: str) -> None:
    """On the app, on the class with the app in front, on a subclass, and through `super()`."""

    class Sub(Quart):
        def through_super(self, *args: Any, **kwargs: Any) -> Any:
            return getattr(super(), name)(*args, **kwargs)

    app = make_app(Sub)
    app.jinja_env
    async with context_for(app, kind) as ctx:
        for how, args, kwargs in calls_of(app, ctx, form):
            method: dict[str, Callable[..., Any]] = {
                "instance": getattr(app, name),
                "class": lambda *a, **k: getattr(Quart, name)(app, *a, **k),
                "subclass": lambda *a, **k: getattr(Sub, name)(app, *a, **k),
                "super": app.through_super,
            }
            check(name, await observe(app, lambda m=method, a=args, k=kwargs: m[where](*a, **k)), how)  # type: ignore[misc]


@pytest.mark.parametrize(("name", "form"), FORMS)
async def test_a_call_with_too_much_says_what_the_method_takes(name: str, form: Signature) -> None:
    app = make_app()
    async with context_for(app, kinds_of(name)[0]) as ctx:
        arguments = [ctx if each in CONTEXT else value_of(app, each) for each in form.names]
        with pytest.raises(TypeError, match=name):
            await observe_or_raise(getattr(app, name), *arguments, *arguments, "more", "and more")


async def observe_or_raise(method: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    result = method(*args, **kwargs)
    if inspect.isawaitable(result):
        await result


async def test_a_context_of_another_task_is_the_one_that_counts() -> None:
    """The context that is given, not the current one."""
    app = make_app()
    app.add_url_rule("/other", "other", lambda: "other")
    async with app.test_request_context("/other") as other, app.test_request_context("/"):
        assert await app.dispatch_request() == "index"
        assert await app.dispatch_request(other) == "other"
        assert await app.dispatch_request(request_context=other) == "other"
        assert await app.dispatch_request(ctx=other) == "other"
        response = await app.full_dispatch_request(other)
        assert await response.get_data(as_text=True) == "other"


# Overriding ----------------------------------------------------------------------------------------------------------

PATHS = {"handle_user_exception": "/fails", "handle_exception": "/fails", "handle_websocket_exception": "/fails"}
PATHS |= {"log_exception": "/fails", "handle_http_exception": "/nowhere"}
PATHS["handle_background_exception"] = "/starts-a-task"


async def connect(app: Quart, name: str, kind: str) -> Any:
    """Make the connection that leads through a method; what the client sees of it."""
    path = PATHS.get(name, "/")
    if kind != "websocket":
        method = "OPTIONS" if name == "make_default_options_response" else "GET"
        response = await app.test_client().open(path, method=method)
        if app.background_tasks:
            await asyncio.wait(app.background_tasks)
        return response.status_code, await response.get_data(as_text=True)
    try:
        async with app.test_client().websocket(path) as connection:
            return await connection.receive()
    except WebsocketResponseError as refusal:
        return refusal.response.status_code
    except WebsocketDisconnectError as end:
        return end.code


def overriding(name: str, form: Signature, calls: list[dict[str, Any]], has_self: bool) -> Callable[..., Any]:
    """A function with exactly this signature, annotations included, that hands on to `original` in its own form."""
    is_async = inspect.iscoroutinefunction(inspect.unwrap(getattr(Quart, name)))
    parameters = ", ".join(part for part in ("self" if has_self else "", form.text) if part)
    noted = ", ".join(f"{each}={each}" for each in form.names)
    source = [
        f"{'async ' if is_async else ''}def {name}({parameters}):",
        f"    calls.append(dict({noted}))",
        f"    return {'await ' if is_async else ''}original({', '.join(form.names)})",
    ]
    names: dict[str, Any] = {"calls": calls}
    exec("\n".join(source), names)
    return names[name]  # type: ignore[no-any-return]


@pytest.mark.parametrize("where", ["instance", "class", "subclass"])
@pytest.mark.parametrize(("name", "form", "kind"), FORMS_BY_KIND)
async def test_overridden_in_either_form(
    name: str, form: Signature, kind: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The override is called once, with its arguments under their names; what it hands on gives the usual outcome."""

    class Sub(Quart):
        pass

    calls: list[dict[str, Any]] = []
    outcome = await connect(make_app(), name, kind)
    app = make_app(Sub)
    original = getattr(app, name)
    function = overriding(name, form, calls, where != "instance")
    function.__globals__["original"] = original
    if where == "subclass":
        setattr(Sub, name, function)
    elif where == "class":
        monkeypatch.setattr(Quart, name, function)
    else:
        setattr(app, name, function)

    assert await connect(app, name, kind) == outcome
    (arguments,) = calls
    assert set(arguments) == set(form.names)
    for each, value in arguments.items():
        if each == "ctx":
            assert isinstance(value, AppContext)
            assert value.app is app
        elif each in CONTEXT:
            assert value is None or value.app is app
        else:
            assert looks_like(each, value)


def looks_like(name: str, value: Any) -> bool:
    """Whether a value can be the one that the parameter's name says."""
    kinds: dict[str, Callable[[Any], bool]] = {
        "result": lambda value: value in ("index", None),
        "response": lambda value: value is None or isinstance(value, Response),
        "exc": lambda value: value is None,
        "error": lambda value: isinstance(value, Exception),
        "exception_info": lambda value: value[0] is Boom,
        "context": lambda value: isinstance(value, dict),
        "from_error_handler": lambda value: value is False,
    }
    return kinds[name](value)


def test_one_name_for_each_value_in_both_forms() -> None:
    """What the two forms differ in is where the context stands."""
    for old, new in METHODS.values():
        assert set(old.values) == set(new.values)
        assert new.context == "ctx"


# What came and what went ---------------------------------------------------------------------------------------------


def names(facts: dict[str, list[str]]) -> list[Any]:
    return [
        pytest.param(module.replace("quart", "quart_plug", 1), name, id=f"{module}.{name}")
        for module, found in facts.items()
        for name in found
    ]


@pytest.mark.parametrize(("module", "name"), names(FACTS_OF_023["added"]))
def test_what_023_added_is_there(module: str, name: str) -> None:
    assert getattr(import_module(module), name) is not None


@pytest.mark.parametrize(("module", "name"), names(FACTS_OF_023["removed"]))
def test_what_023_removed_is_still_there(module: str, name: str) -> None:
    assert getattr(import_module(module), name) is not None


MEMBERS = [
    pytest.param(module.replace("quart", "quart_plug", 1), *member.split("."), id=f"{module}.{member}")
    for module, changes in CHANGED.items()
    if module != "(instances)"
    for member in changes
    if "." in member
]


@pytest.mark.parametrize(("module", "class_", "member"), MEMBERS)
def test_members_that_came_or_went_are_there(module: str, class_: str, member: str) -> None:
    assert hasattr(getattr(import_module(module), class_), member)


# A websocket made by hand, and a class for all of them ---------------------------------------------------------------


class Wire:
    """The other side of a websocket made by hand."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    async def send(self, data: Any) -> None:
        self.said.append(data)

    async def accept(self, headers: Any, subprotocol: str | None) -> None:
        self.said.append("accepted")

    async def close(self, code: int, reason: str = "") -> None:
        self.said.append(code)


async def receive() -> str:
    return "from receive"


def made_by_hand(release: str, by_name: bool, class_: type[Websocket] = Websocket) -> tuple[Websocket, Wire]:
    """A websocket made with the arguments that the facts name for the release."""
    wire = Wire()
    line = CHANGED["quart"]["Websocket"][["0.22", "0.23"].index(release)]
    scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": [], "subprotocols": []}
    values: dict[str, Any] = {
        "path": "/",
        "query_string": b"a=1",
        "scheme": "ws",
        "headers": Headers(),
        "root_path": "",
        "http_version": "1.1",
        "subprotocols": ["chat"],
        "receive": receive,
        "send": wire.send,
        "accept": wire.accept,
        "close": wire.close,
        "scope": scope,
    }
    given = {name: values[name] for name in re.findall(r"(\w+): '", line)}
    return (class_(**given) if by_name else class_(*given.values())), wire


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("release", ["0.22", "0.23"])
async def test_a_websocket_is_made_in_either_form(release: str, by_name: bool) -> None:
    """In 0.23's form what the client sends is put into its buffer."""
    made, wire = made_by_hand(release, by_name)
    if release == "0.23":
        await made.buffer.put("from buffer")
    assert await made.receive() == ("from receive" if release == "0.22" else "from buffer")
    await made.send("x")
    await made.close(4000)
    assert wire.said == ["accepted", "x", 4000]
    assert (made.args["a"], made.requested_subprotocols) == ("1", ["chat"])


async def test_the_buffers_class_can_be_replaced() -> None:
    class Shouting(Buffer):
        async def get(self) -> str | bytes:
            return str(await super().get()).upper()

    class Sub(Websocket):
        buffer_class = Shouting

    made, _ = made_by_hand("0.23", False, Sub)
    await made.buffer.put("x")
    assert await made.receive() == "X"


async def test_a_buffer_ends_when_the_client_has_left() -> None:
    """What is in it can still be read; who waits is told."""
    buffer = Buffer()
    waiting = asyncio.ensure_future(buffer.get())
    await asyncio.sleep(0)
    await buffer.put("a")
    await buffer.put(b"b")
    buffer.disconnect()
    assert [await waiting, await buffer.get()] == ["a", b"b"]
    for _ in range(2):
        with pytest.raises(ClientDisconnectedError):
            await buffer.get()

    again = Buffer()
    await again.put("c")
    again.disconnect()
    assert [message async for message in again] == ["c"]

    made, _ = made_by_hand("0.23", False)
    waits = asyncio.ensure_future(made.receive())
    await asyncio.sleep(0)
    made.buffer.disconnect()
    with pytest.raises(ConnectionClosed):
        await waits


class Old(Websocket):
    """A subclass with 0.22's constructor."""

    def __init__(
        self,
        path: str,
        query_string: bytes,
        scheme: str,
        headers: Headers,
        root_path: str,
        http_version: str,
        subprotocols: list[str],
        receive: Any,
        send: Any,
        accept: Any,
        close: Any,
        scope: Any,
    ) -> None:
        super().__init__(
            *(path, query_string, scheme, headers, root_path, http_version, subprotocols),
            *(receive, send, accept, close, scope),
        )
        self.noted = [path, subprotocols, scope["type"]]


class New(Websocket):
    """A subclass with 0.23's constructor."""

    def __init__(
        self,
        path: str,
        query_string: bytes,
        scheme: str,
        headers: Headers,
        root_path: str,
        http_version: str,
        subprotocols: list[str],
        send: Any,
        accept: Any,
        close: Any,
        scope: Any,
    ) -> None:
        super().__init__(
            *(path, query_string, scheme, headers, root_path, http_version, subprotocols),
            *(send, accept, close, scope),
        )
        self.noted = [path, subprotocols, scope["type"]]


@pytest.mark.parametrize("class_", [Old, New])
async def test_a_class_for_websockets_has_either_constructor(class_: Any) -> None:
    app = Quart(__name__)
    app.websocket_class = class_

    @app.websocket("/echo")
    async def echo() -> None:
        await websocket.send_json([*websocket.noted, await websocket.receive()])  # type: ignore[attr-defined]

    async with app.test_client().websocket("/echo", subprotocols=["chat"]) as connection:
        await connection.send("hello")
        assert await connection.receive_json() == ["/echo", ["chat"], "websocket", "hello"]


def test_run_reloader_runs_what_cannot_be_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program typed into a prompt has no file; it runs once, in this process."""
    monkeypatch.setattr(sys, "orig_argv", ["python"])
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.delenv("QUART_PLUG_RELOADER_PARENT", raising=False)
    calls: list[int] = []
    run_reloader(lambda: calls.append(1))
    assert calls == [1]


def test_run_reloader_as_023_calls_it(tmp_path: Path) -> None:
    """Without arguments: the child is told by QUART_RUN_MAIN, and does not come there again."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os\n"
        "if os.environ.get('QUART_RUN_MAIN') == 'true':\n"
        "    print('in the child', flush=True)\n"
        "    os._exit(64 + 7)  # an orderly end, with status 7\n"
        "from quart_plug.utils import run_reloader\n"
        "run_reloader()\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (7, "in the child\n"), done.stderr
