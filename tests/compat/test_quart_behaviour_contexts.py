"""An application context leaves the request or the websocket in place that it is entered in, as in Quart 0.22, where
each kind of context is a variable of its own."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from quart_plug import (
    Blueprint,
    Quart,
    after_this_request,
    copy_current_request_context,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_request_context,
    has_websocket_context,
    render_template_string,
    request,
    session,
    stream_with_context,
    url_for,
    websocket,
)
from quart_plug.globals import _cv_request, _cv_websocket, app_ctx


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"
    return app


async def test_the_request_is_there_in_an_app_context(app: Quart) -> None:
    other = Quart("other")

    @app.route("/view/<name>")
    async def view(name: str) -> list[Any]:
        session["name"] = name
        g.mark = "of the request"
        seen = []
        for each in (app, other):
            async with each.app_context():
                seen.append([current_app.name, request.path, request.headers["x"], request.args["a"], session["name"]])
                assert has_request_context()
                assert not has_websocket_context()
                assert _cv_request.get().request is request._get_current_object()  # type: ignore[attr-defined]
                assert "mark" not in g
        async with app.app_context():
            seen.append([url_for("view", name="n"), url_for(".view", name="n", _external=True)])
        return seen

    response = await app.test_client().get("/view/one?a=1", headers={"x": "y"})
    assert await response.get_json() == [
        [__name__, "/view/one", "y", "1", "one"],
        ["other", "/view/one", "y", "1", "one"],
        ["/view/n", "http://localhost/view/n"],
    ]


async def test_the_websocket_is_there_in_an_app_context(app: Quart) -> None:
    @app.websocket("/chat")
    async def chat() -> None:
        async with app.app_context():
            assert has_websocket_context()
            assert not has_request_context()
            assert _cv_websocket.get().websocket is websocket._get_current_object()  # type: ignore[attr-defined]
            await websocket.send(f"{websocket.path} {await websocket.receive()}")

    async with app.test_client().websocket("/chat") as connection:
        await connection.send("hello")
        assert await connection.receive() == "/chat hello"


async def test_what_belongs_to_a_request_finds_it_from_an_app_context(app: Quart) -> None:
    """Functions after it, flashed messages, templates with a blueprint's processors, streams, copies."""
    part = Blueprint("part", __name__)
    part.context_processor(lambda: {"name": "of the blueprint"})

    @part.route("/view")
    async def view() -> Any:
        async with app.app_context():
            after_this_request(lambda response: (response.headers.set("x", "after"), response)[1])
            await flash("message")
            assert get_flashed_messages() == ["message"]
            text = await render_template_string("{{ request.path }} {{ name }}")
            path = await copy_current_request_context(path_of_request)()

            @stream_with_context
            async def body() -> Any:
                yield f"{text} {path} {request.path}"

        assert get_flashed_messages() == ["message"]
        return body()

    async def path_of_request() -> str:
        return request.path

    app.register_blueprint(part)
    response = await app.test_client().get("/view")
    assert await response.get_data(as_text=True) == "/view of the blueprint /view /view"
    assert response.headers["x"] == "after"


async def test_a_background_task_sees_the_request_that_started_it(app: Quart) -> None:
    """With a `g` of its own."""
    seen: list[Any] = []
    answered = asyncio.Event()

    async def task() -> None:
        await answered.wait()
        seen.append([current_app.name, request.path, request.args["a"], session["n"], "mark" in g])

    @app.route("/start")
    async def start() -> str:
        g.mark, session["n"] = True, 1
        app.add_background_task(task)
        return ""

    async with app.test_app() as running:
        await running.test_client().get("/start?a=b")
        answered.set()
    assert seen == [[__name__, "/start", "b", 1, False]]


async def test_a_chain_of_background_tasks_sees_the_request_and_keeps_no_contexts(app: Quart) -> None:
    """As of a periodic task that starts itself again: what it has behind it is freed."""
    contexts: list[Any] = []
    seen: list[Any] = []
    ended = asyncio.Event()

    async def task() -> None:
        contexts.append(weakref.ref(app_ctx._get_current_object()))
        await asyncio.sleep(0)
        if len(contexts) < 20:
            app.add_background_task(task)
            return
        gc.collect()
        seen.extend((request.path, sum(context() is not None for context in contexts)))
        ended.set()

    @app.route("/start")
    async def start() -> str:
        app.add_background_task(task)
        return ""

    async with app.test_app() as running:
        await running.test_client().get("/start")
        await ended.wait()
    path, alive = seen
    assert path == "/start"
    assert alive <= 3


async def test_without_a_connection_around_there_is_none(app: Quart) -> None:
    async with app.app_context():
        assert not has_request_context()
        assert not has_websocket_context()
        for use in (lambda: request.path, lambda: request.headers, lambda: websocket.path, lambda: session["x"]):
            with pytest.raises(RuntimeError, match="Working outside"):
                use()
        async with app.test_request_context("/"), app.app_context():
            with pytest.raises(RuntimeError, match="websocket"):
                websocket.path
