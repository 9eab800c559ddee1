"""Functions around connections: before, after and teardown functions, URL values, names of templates; and serving."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug import (
    Quart,
    current_app,
    g,
    has_app_context,
    has_request_context,
    render_template_string,
    request,
    url_for,
    websocket,
)
from quart_plug.signals import got_background_exception
from quart_plug.testing.connections import WebsocketResponseError
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        return f"index {g.get('word', '')}".strip()

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError("of the view")

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(f"ws {g.get('word', '')}".strip())

    @app.websocket("/fails")
    async def ws_fails() -> None:
        raise LookupError("of the view")

    return app


async def get(app: Quart, path: str = "/") -> tuple[int, str]:
    response = await app.test_client().get(path)
    return response.status_code, await response.get_data(as_text=True)


async def ws(app: Quart, path: str = "/ws") -> Any:
    """The first message, or the status of a refusal."""
    try:
        async with app.test_client().websocket(path) as connection:
            return await connection.receive()
    except WebsocketResponseError as error:
        return error.response.status_code


# Before -------------------------------------------------------------------------------------------------------------


@shows("app.Quart.before_request")
@pytest.mark.parametrize("is_async", [True, False])
async def test_before_request(app: Quart, is_async: bool) -> None:
    """It runs before the view and before a 404; what it returns is the answer. Websockets have their own."""

    async def before() -> Any:
        g.word = request.path
        return ("stopped", 403) if request.args.get("stop") else None

    def plain() -> Any:
        g.word = request.path
        return ("stopped", 403) if request.args.get("stop") else None

    function: Any = before if is_async else plain
    assert app.before_request(function) is function

    assert await get(app) == (200, "index /")
    assert await get(app, "/?stop=1") == (403, "stopped")
    assert await get(app, "/nowhere?stop=1") == (403, "stopped")
    assert await ws(app) == "ws"


@shows("app.Quart.before_websocket")
@pytest.mark.parametrize("is_async", [True, False])
async def test_before_websocket(app: Quart, is_async: bool) -> None:
    """What it returns refuses the handshake."""

    async def before() -> Any:
        g.word = websocket.path
        return ("stopped", 403) if websocket.args.get("stop") else None

    def plain() -> Any:
        g.word = websocket.path
        return ("stopped", 403) if websocket.args.get("stop") else None

    function: Any = before if is_async else plain
    assert app.before_websocket(function) is function

    assert await ws(app) == "ws /ws"
    assert await ws(app, "/ws?stop=1") == 403
    assert await ws(app, "/nowhere?stop=1") == 403
    assert await get(app) == (200, "index")


# After --------------------------------------------------------------------------------------------------------------


@shows("app.Quart.after_request")
async def test_after_request(app: Quart) -> None:
    """The last registered first, each with what the one before returned; for errors as well."""

    @app.after_request
    async def first(response: Any) -> Any:
        response.headers["order"] = response.headers["order"] + " first"
        return response

    @app.after_request
    def second(response: Any) -> Any:
        return current_app.response_class("after", response.status_code, {"order": "second"})

    for path, status in (("/", 200), ("/nowhere", 404), ("/fails", 500)):
        response = await app.test_client().get(path)
        assert (response.status_code, response.headers["order"]) == (status, "second first")
        assert await response.get_data(as_text=True) == "after"


@shows("app.Quart.after_websocket")
async def test_after_websocket(app: Quart) -> None:
    """With None after a conversation, with the response of a refusal; what it returns is sent."""
    seen: list[Any] = []

    @app.after_websocket
    async def after(response: Any) -> Any:
        seen.append(getattr(response, "status_code", response))
        return None if response is None else current_app.response_class("after", 410)

    assert await ws(app) == "ws"
    assert await ws(app, "/nowhere") == 410
    assert seen == [None, 404]


# Teardown -----------------------------------------------------------------------------------------------------------


@shows("app.Quart.teardown_request", "app.Quart.teardown_websocket", "app.Quart.teardown_appcontext")
@pytest.mark.parametrize("kind", ["request", "websocket"])
async def test_teardown(app: Quart, kind: str) -> None:
    """Whatever happened, with the error that nothing handled; the app context's for both kinds, and at last."""
    seen: list[Any] = []
    other = "websocket" if kind == "request" else "request"

    async def down(error: BaseException | None) -> None:
        seen.append((kind, error and str(error)))

    assert getattr(app, f"teardown_{kind}")(down) is down
    getattr(app, f"teardown_{other}")(lambda error: seen.append("wrong"))
    app.teardown_appcontext(lambda error: seen.append(("app", error and str(error), has_app_context())))
    run = get if kind == "request" else ws

    await run(app, "/" if kind == "request" else "/ws")
    assert seen == [(kind, None), ("app", None, True)]
    seen.clear()
    await run(app, "/fails")
    assert seen == [(kind, "of the view"), ("app", "of the view", True)]


@shows("app.Quart.teardown_appcontext")
async def test_teardown_of_an_application_context(app: Quart) -> None:
    """In the order in which they were registered; also outside of any request."""
    seen: list[Any] = []
    app.teardown_appcontext(lambda error: seen.append(("one", error)))
    app.teardown_appcontext(lambda error: seen.append(("two", error)))
    error = LookupError()

    async with app.app_context():
        assert seen == []
    with pytest.raises(LookupError):
        async with app.app_context():
            raise error

    assert seen == [("one", None), ("two", None), ("one", error), ("two", error)]


# URL values and templates --------------------------------------------------------------------------------------------


@shows("app.Quart.url_value_preprocessor", "app.Quart.url_defaults")
async def test_url_values(app: Quart) -> None:
    """A language in every URL: taken off before the view, and filled in when a URL is built."""

    @app.url_value_preprocessor
    def take(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.language = None if values is None else values.pop("language", "none")
        g.endpoint = endpoint

    @app.url_defaults
    def fill(endpoint: str, values: dict[str, Any]) -> None:
        if "language" not in values and app.url_map.is_endpoint_expecting(endpoint, "language"):
            values["language"] = g.language

    @app.get("/<language>/<int:number>")
    async def page(number: int) -> str:
        urls = url_for("page", number=number + 1), url_for("page", number=1, language="de"), url_for("index")
        return f"{g.language} {g.endpoint} {number} {' '.join(urls)}"

    assert await get(app, "/en/1") == (200, "en page 1 /en/2 /de/1 /")
    assert (await get(app, "/no/such/page"))[0] == 404


@shows("app.Quart.context_processor")
@pytest.mark.parametrize("is_async", [True, False])
async def test_context_processor(app: Quart, is_async: bool) -> None:
    """Names for every template; those that the view gives win, and a later processor over an earlier one."""

    async def names() -> dict[str, Any]:
        return {"one": "one", "two": "two", "path": request.path if has_request_context() else "none"}

    def plain() -> dict[str, Any]:
        return {"one": "one", "two": "two", "path": request.path if has_request_context() else "none"}

    function: Any = names if is_async else plain
    assert app.context_processor(function) is function
    app.context_processor(lambda: {"two": "later"})

    @app.get("/template")
    async def template() -> str:
        return await render_template_string("{{ one }} {{ two }} {{ path }}", one="given")

    assert await get(app, "/template") == (200, "given later /template")
    async with app.app_context():
        assert await render_template_string("{{ one }} {{ path }}") == "one none"


# Serving ------------------------------------------------------------------------------------------------------------


@shows(
    "app.Quart.before_serving",
    "app.Quart.after_serving",
    "app.Quart.while_serving",
    "app.Quart.startup",
    "app.Quart.shutdown",
    "app.Quart.test_app",
)
async def test_around_the_serving(app: Quart) -> None:
    """Before functions, first halves of generators; at the end their second halves, the last first, after functions."""
    seen: list[str] = []

    def note(name: str) -> Any:
        async def function() -> None:
            seen.append(f"{name} {current_app.name == app.name}")

        return function

    def around(name: str) -> Any:
        async def generator() -> Any:
            seen.append(f"{name} begins")
            yield
            seen.append(f"{name} ends")

        return generator

    before, generator, after = note("before"), around("one"), note("after")
    assert app.before_serving(before) is before
    assert app.while_serving(generator) is generator
    assert app.after_serving(after) is after
    app.before_serving(lambda: seen.append("plain before"))
    app.while_serving(around("two"))

    async with app.test_app() as test_app:
        assert (await test_app.test_client().get("/")).status_code == 200
        assert seen == ["before True", "plain before", "one begins", "two begins"]
        assert not app.shutdown_event.is_set()
        seen.clear()
    assert seen == ["two ends", "one ends", "after True"]
    assert app.shutdown_event.is_set()


@shows("app.Quart.startup", "app.Quart.shutdown")
async def test_what_fails_around_the_serving_is_raised(app: Quart) -> None:
    async def fails() -> None:
        raise LookupError("around the serving")

    app.before_serving_funcs = [fails]
    with pytest.raises(LookupError):
        await app.startup()
    app.before_serving_funcs = []
    app.after_serving(fails)
    await app.startup()
    with pytest.raises(LookupError):
        await app.shutdown()


@shows("app.Quart.add_background_task", "app.Quart.handle_background_exception")
async def test_background_tasks(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    """They run beside the connections, in an application context; the shutdown waits for them, errors are logged."""
    seen: list[Any] = []

    async def work(word: str, number: int = 0) -> None:
        await app.shutdown_event.wait()
        seen.append((word, number, current_app.name == app.name))

    def plain(word: str) -> None:
        seen.append((word, has_app_context()))

    async def fails() -> None:
        raise LookupError("in the background")

    async with app.test_app():
        app.add_background_task(work, "work", number=1)
        app.add_background_task(plain, "plain")
        app.add_background_task(fails)
        await asyncio.sleep(0)
    assert sorted(seen) == [("plain", True), ("work", 1, True)]
    assert not app.background_tasks
    assert "in the background" in caplog.text

    signals: list[Any] = []
    receiver = lambda sender, exception: signals.append(str(exception))  # noqa: E731
    with got_background_exception.connected_to(receiver, app):
        async with app.app_context():
            try:
                raise LookupError("by hand")
            except LookupError as error:
                await app.handle_background_exception(error)
    assert signals == ["by hand"]
    assert any(record.exc_info and "by hand" in str(record.exc_info[1]) for record in caplog.records)
