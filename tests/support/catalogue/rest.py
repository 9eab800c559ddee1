"""Serving, serialization, templates, and the rest."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from jinja2 import DictLoader

from quart_plug import (
    Quart,
    flash,
    render_template,
    render_template_string,
    request,
    stream_template_string,
    websocket,
)
from quart_plug.testing import LifespanError

from . import app_with, only, scenario, view, visit

# Serving --------------------------------------------------------------------------------------------------------------


@scenario
async def listening() -> None:
    """Before the app's start-up, with the port that was really taken."""
    calls: list[str] = []
    app = app_with("listening", lambda app, url: calls.append(url))
    app.before_serving(lambda: calls.append("before_serving"))
    await app.run_task(port=0, shutdown_trigger=lambda: asyncio.sleep(0))
    [url, started] = calls
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", url), url
    assert started == "before_serving"


@scenario
async def startup() -> None:
    """Before the app's own functions."""
    calls: list[Any] = []
    app = app_with("startup", lambda app: calls.append(app.name))
    app.before_serving(lambda: calls.append("before_serving"))
    async with app.test_app():
        assert calls == ["shop", "before_serving"]


@scenario
async def draining() -> None:
    """Once: before our own server stops accepting, else when the lifespan ends; requests are answered meanwhile."""
    calls: list[Any] = []

    async def drain(app: Quart) -> None:
        calls.append(("draining", (await visit(app, "request")).code))

    class Server:
        name = "mine"

        async def serve(self, app: Quart, *, shutdown_trigger: Any, **options: Any) -> None:
            async with app.test_app():
                await shutdown_trigger()
                calls.append("stops accepting")

    app = app_with("draining", drain)
    app.after_serving(lambda: calls.append("after_serving"))
    view(app, "request")
    async with app.test_app():
        pass
    assert calls == [("draining", 200), "after_serving"]
    calls.clear()
    app.hooks.register(only("server", lambda app, name: Server()), name="a server")
    await app.run_task(shutdown_trigger=lambda: asyncio.sleep(0))
    assert calls == [("draining", 200), "stops accepting", "after_serving"]


@scenario
async def shutdown() -> None:
    """After the app's own functions."""
    calls: list[Any] = []
    app = app_with("shutdown", lambda app: calls.append(app.name))
    app.after_serving(lambda: calls.append("after_serving"))
    async with app.test_app():
        assert calls == []
    assert calls == ["after_serving", "shop"]


@scenario
async def lifespan() -> None:
    """Its halves are around the app's life."""
    calls: list[Any] = []

    async def around(app: Quart) -> Any:
        calls.append("begins")
        yield
        calls.append("ends")

    app = app_with("lifespan", around)
    app.before_serving(lambda: calls.append("before_serving"))
    app.after_serving(lambda: calls.append("after_serving"))
    async with app.test_app():
        assert calls == ["begins", "before_serving"]
    assert calls[2:] == ["after_serving", "ends"]


@scenario
async def serving_failed() -> None:
    """With the error of a start-up function."""
    failed: list[Any] = []
    app = app_with("serving_failed", lambda app, error: failed.append((app, str(error))))

    @app.before_serving
    async def fails() -> None:
        raise LookupError("no database")

    with pytest.raises(LifespanError):
        async with app.test_app():
            pass
    assert failed == [(app, "no database")]


# Serialization --------------------------------------------------------------------------------------------------------


class Money:
    def __init__(self, amount: int) -> None:
        self.amount = amount


@scenario
async def json_default() -> None:
    """What JSON does not know becomes what it knows; in responses and in `dumps`."""
    app = app_with("json_default", lambda app, obj: f"{obj.amount} {app.name}" if isinstance(obj, Money) else None)

    @app.route("/")
    async def index() -> Any:
        return {"price": Money(5)}

    assert (await visit(app, "request")).said == '{"price":"5 shop"}\n'
    assert app.json.dumps([Money(6)]) == '["6 shop"]'
    with pytest.raises(TypeError):
        app.json.dumps([object()])


@scenario
async def json_dumping() -> None:
    """What is written is its answer: in responses, in `dumps` with and without options, on websockets."""

    def dumping(app: Quart, obj: Any) -> Any:
        return {"data": obj, "of": app.name} if isinstance(obj, list) else None

    app = app_with("json_dumping", dumping)

    @app.route("/<int:number>")
    async def index(number: int) -> Any:
        return [number] if number else {"as": "it is"}

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json([3])

    assert (await visit(app, "request", "/1")).said == '{"data":[1],"of":"shop"}\n'
    assert (await visit(app, "request", "/0")).said == '{"as":"it is"}\n'
    assert (await visit(app, "websocket", "/ws")).said == '{"data": [3], "of": "shop"}'
    assert app.json.dumps([4], indent=None, separators=(",", ":")) == '{"data":[4],"of":"shop"}'


@scenario
async def json_loaded() -> None:
    """What is read is its answer: bodies, websockets' messages, `loads`; also when it comes and goes."""

    def loaded(app: Quart, obj: Any) -> Any:
        return {**obj, "read by": app.name} if isinstance(obj, dict) else None

    app = app_with("json_loaded", loaded)

    @app.route("/", methods=["POST"])
    async def index() -> Any:
        return str(await request.get_json())

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(str(await websocket.receive_json()))

    client = app.test_client()
    assert await (await client.post("/", json={"a": 1})).get_data() == b"{'a': 1, 'read by': 'shop'}"
    assert await (await client.post("/", json=[1])).get_data() == b"[1]"
    async with client.websocket("/ws") as connection:
        await connection.send('{"b": 2}')
        assert await connection.receive() == "{'b': 2, 'read by': 'shop'}"
    provider = app.json
    assert provider.loads("{}", parse_int=int) == {"read by": "shop"}
    app.hooks.unregister("only")
    assert (provider.loads("{}"), app.json.loads("{}")) == ({}, {})


@scenario
async def content_types() -> None:
    """Answers, bodies and messages in another language, for who speaks it."""

    class Repr:
        media_types = ("text/x-repr",)
        subprotocol = "repr"

        def dumps(self, obj: Any) -> bytes:
            return repr(obj).encode()

        def loads(self, data: bytes) -> Any:
            return [data.decode()]

    app = app_with("content_types", lambda app: [Repr()])

    @app.route("/", methods=["GET", "POST"])
    async def index() -> Any:
        return {"got": await request.get_json()}

    @app.websocket("/ws", subprotocols=["repr"])
    async def ws() -> None:
        await websocket.send_json(await websocket.receive_json())

    seen = await visit(app, "request", headers={"accept": "text/x-repr"})
    assert (seen.said, seen.headers["content-type"]) == ("{'got': None}", "text/x-repr")
    posted = await app.test_client().post("/", data=b"a", headers={"content-type": "text/x-repr"})
    assert await posted.get_json() == {"got": ["a"]}
    async with app.test_client().websocket("/ws", subprotocols=["repr"]) as connection:
        await connection.send(b"a")
        assert await connection.receive() == b"['a']"


# Templates ------------------------------------------------------------------------------------------------------------


async def rendered(app: Quart, source: str, **context: Any) -> str:
    async with app.app_context():
        return await render_template_string(source, **context)


@scenario
async def template_context() -> None:
    """Names for every template; the app's own win."""
    app = app_with("template_context", lambda app: {"owner": app.name, "city": "X"})
    app.context_processor(lambda: {"city": "Y"})
    assert await rendered(app, "{{ owner }} {{ city }}") == "shop Y"


@scenario
async def template_filters() -> None:
    app = app_with("template_filters", lambda app: {"shout": str.upper})
    assert await rendered(app, "{{ 'a' | shout }}") == "A"


@scenario
async def template_tests() -> None:
    app = app_with("template_tests", lambda app: {"dear": lambda price: price > 100})
    assert await rendered(app, "{{ 101 is dear }} {{ 99 is dear }}") == "True False"


@scenario
async def template_globals() -> None:
    app = app_with("template_globals", lambda app: {"owner": app.name})
    assert await rendered(app, "{{ owner }}") == "shop"


@scenario
async def template_folders() -> None:
    """After the app's own folder."""
    with TemporaryDirectory() as folder:
        Path(folder, "page.html").write_text("a page of a plugin")
        app = app_with("template_folders", lambda app: [folder])
        async with app.app_context():
            assert await render_template("page.html") == "a page of a plugin"


@scenario
async def template_loaders() -> None:
    """Asked once, after every folder."""
    asked = []

    def loaders(app: Quart) -> Any:
        asked.append(app)
        return [DictLoader({"page.html": "a page from nowhere", "other.html": "another"})]

    app = app_with("template_loaders", loaders)
    async with app.app_context():
        assert await render_template("page.html") == "a page from nowhere"
        assert await render_template("other.html") == "another"
    assert asked == [app]


@scenario
async def template_rendering() -> None:
    """May change the context; for templates that are streamed as well."""

    async def rendering(app: Quart, template: Any, context: dict[str, Any]) -> None:
        context["owner"] = f"{app.name} ({context['kind']})"

    app = app_with("template_rendering", rendering)
    assert await rendered(app, "{{ owner }}", kind="text") == "shop (text)"
    async with app.app_context():
        pieces = await stream_template_string("{{ owner }}", kind="stream")
        assert "".join([piece async for piece in pieces]) == "shop (stream)"


@scenario
async def template_rendered() -> None:
    """With what the template was given; a streamed one's at its end."""
    seen: list[Any] = []
    app = app_with("template_rendered", lambda app, template, context: seen.append((app, context["kind"])))
    await rendered(app, "x", kind="text")
    assert seen == [(app, "text")]
    async with app.app_context():
        pieces = await stream_template_string("x", kind="stream")
        assert len(seen) == 1
        assert "".join([piece async for piece in pieces]) == "x"
    assert seen[1:] == [(app, "stream")]


# The rest -------------------------------------------------------------------------------------------------------------


@scenario
async def message_flashed() -> None:
    flashed: list[Any] = []
    app = app_with("message_flashed", lambda app, message, category: flashed.append((app, message, category)))
    app.secret_key = "x"

    @app.route("/")
    async def index() -> str:
        await flash("saved", "info")
        return "x"

    await visit(app, "request")
    assert flashed == [(app, "saved", "info")]


async def _in_background(app: Quart, *functions: Any) -> None:
    """Run functions as background tasks, to their end."""
    async with app.test_app():
        for function in functions:
            app.add_background_task(function)


@scenario
async def background_started() -> None:
    """In the task, before its function."""
    calls: list[Any] = []

    async def note(app: Quart, task: Any) -> None:
        calls.append((app, task is asyncio.current_task(), "sweep" in task.get_name()))

    async def sweep() -> None:
        calls.append("sweeps")

    app = app_with("background_started", note)
    await _in_background(app, sweep)
    assert calls == [(app, True, True), "sweeps"]


@scenario
async def background_failed() -> None:
    """With the error."""
    calls: list[Any] = []
    app = app_with("background_failed", lambda app, error: calls.append((app, str(error))))

    async def fails() -> None:
        raise LookupError("nothing to sweep")

    await _in_background(app, fails, lambda: None)
    assert calls == [(app, "nothing to sweep")]


@scenario
async def background_finished() -> None:
    """The last of a task, whether it worked, failed, or was cancelled."""
    calls: list[Any] = []

    async def note(app: Quart, task: Any) -> None:
        calls.append((app, "finished", task is asyncio.current_task()))

    app = app_with("background_finished", note, BACKGROUND_TASK_SHUTDOWN_TIMEOUT=0)

    async def works() -> None:
        calls.append("works")

    async def fails() -> None:
        calls.append("fails")
        raise LookupError

    async def waits() -> None:
        calls.append("waits")
        await asyncio.Event().wait()

    end = (app, "finished", True)
    for function in (works, fails, waits):
        calls.clear()
        async with app.test_app():
            app.add_background_task(function)
            await asyncio.sleep(0)
        assert calls == [function.__name__, end]
