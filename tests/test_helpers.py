"""The functions that views use."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import Forbidden, HTTPException, NotFound

from quart_plug import (
    Quart,
    Response,
    abort,
    after_this_request,
    flash,
    g,
    get_flashed_messages,
    make_response,
    redirect,
    request,
    session,
    stream_with_context,
    url_for,
)
from quart_plug.helpers import find_package, get_debug_flag, get_load_dotenv, get_root_path


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "a key of the tests"
    return app


async def text(app: Quart, path: str = "/", client: Any = None) -> str:
    response = await (client or app.test_client()).get(path)
    assert response.status_code == 200
    return await response.get_data(as_text=True)  # type: ignore[no-any-return]


async def test_abort(app: Quart) -> None:
    """By code, with a description, with a response; with the app's own aborter."""
    with pytest.raises(Forbidden):
        abort(403)
    async with app.test_request_context("/"):
        with pytest.raises(NotFound, match="not here"):
            abort(404, "not here")
        with pytest.raises(HTTPException) as caught:
            abort(Response("made", 418))  # type: ignore[arg-type]
        assert caught.value.get_response().status_code == 418
        with pytest.raises(LookupError, match="999"):
            abort(999)

        class Teapot(HTTPException):
            code = 999

        app.aborter.mapping[999] = Teapot
        with pytest.raises(Teapot):
            abort(999)


async def test_abort_in_a_view_with_a_response(app: Quart) -> None:
    @app.get("/")
    async def view() -> str:
        abort(await make_response("made", 410))

    response = await app.test_client().get("/")
    assert (response.status_code, await response.get_data(as_text=True)) == (410, "made")


async def test_redirect(app: Quart) -> None:
    @app.get("/")
    async def view() -> Any:
        return redirect(url_for("target"))

    @app.get("/target")
    async def target() -> str:
        return "target"

    response = await app.test_client().get("/")
    assert (response.status_code, response.location) == (302, "/target")
    followed = await app.test_client().get("/", follow_redirects=True)
    assert await followed.get_data(as_text=True) == "target"
    async with app.test_request_context("/"):
        made = redirect("/x", 307)
        assert (made.status_code, made.location, type(made)) == (307, "/x", Response)
    assert redirect("/x").status_code == 302


async def test_the_apps_redirect_may_be_overridden() -> None:
    class Sub(Quart):
        def redirect(self, location: str, code: int = 302) -> Any:
            return super().redirect(f"/prefix{location}", code)

    app = Sub(__name__)
    async with app.test_request_context("/"):
        assert redirect("/x").location == "/prefix/x"


async def test_make_response(app: Quart) -> None:
    async with app.test_request_context("/"):
        assert (await make_response()).status_code == 200
        made = await make_response("text", 201, {"x-a": "1"})
        assert (made.status_code, made.headers["x-a"], await made.get_data(as_text=True)) == (201, "1", "text")
        assert await make_response(made) is made
        assert await (await make_response({"a": 1})).get_json() == {"a": 1}


async def test_after_this_request(app: Quart) -> None:
    @app.get("/")
    async def view() -> str:
        @after_this_request
        async def add(response: Response) -> Response:
            response.headers["x-after"] = "1"
            return response

        return "x"

    assert (await app.test_client().get("/")).headers["x-after"] == "1"


# Flashed messages -------------------------------------------------------------------------------------------------


async def test_flash(app: Quart) -> None:
    """Messages wait for the next request that asks, which takes them."""

    @app.get("/flash")
    async def flashes() -> str:
        await flash("saved")
        await flash("careful", "warning")
        return ""

    @app.get("/")
    async def show() -> dict[str, Any]:
        return {
            "plain": get_flashed_messages(),
            "pairs": get_flashed_messages(with_categories=True),
            "warnings": get_flashed_messages(category_filter=["warning"]),
        }

    client = app.test_client()
    await client.get("/flash")
    assert await (await client.get("/")).get_json() == {
        "plain": ["saved", "careful"],
        "pairs": [["message", "saved"], ["warning", "careful"]],
        "warnings": ["careful"],
    }
    assert (await (await client.get("/")).get_json())["plain"] == []


async def test_flashed_and_shown_in_one_request(app: Quart) -> None:
    async with app.test_request_context("/"):
        await flash("now")
        assert get_flashed_messages() == ["now"]
        assert "_flashes" not in session


# Streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [True, False])
async def test_stream_with_context(app: Quart, is_async: bool) -> None:
    """The generator runs when the view has returned, and sees its request and `g`."""

    @app.get("/path")
    async def view() -> Any:
        g.mark = "mark"

        @stream_with_context
        async def parts() -> Any:
            yield request.path
            yield g.mark
            yield session.get("nothing", "!")

        @stream_with_context
        def parts_sync() -> Any:
            yield request.path
            yield g.mark
            yield session.get("nothing", "!")

        return parts() if is_async else parts_sync()

    assert await text(app, "/path") == "/pathmark!"


async def test_stream_with_context_needs_a_request() -> None:
    with pytest.raises(RuntimeError, match="stream_with_context needs a request"):
        stream_with_context(lambda: None)


async def test_a_stream_is_closed_when_it_is_left(app: Quart) -> None:
    closed = []

    async with app.test_request_context("/path"):

        @stream_with_context
        async def parts() -> Any:
            try:
                yield 1
                yield 2
            finally:
                closed.append(True)

        stream = parts()
    assert await anext(stream) == 1
    await stream.aclose()
    assert closed == [True]


# The surroundings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("No", False), ("", False)])
@pytest.mark.parametrize("name", ["QUART_DEBUG", "QUART_PLUG_DEBUG"])
def test_the_debug_flag(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: bool) -> None:
    monkeypatch.delenv("QUART_DEBUG", raising=False)
    monkeypatch.setenv(name, value)
    assert get_debug_flag() is expected


def test_our_debug_flag_beats_quarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_DEBUG", "1")
    monkeypatch.setenv("QUART_PLUG_DEBUG", "0")
    assert get_debug_flag() is False


def test_dotenv_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUART_SKIP_DOTENV", raising=False)
    assert get_load_dotenv() is True
    monkeypatch.setenv("QUART_SKIP_DOTENV", "1")
    assert get_load_dotenv() is False


def test_root_paths() -> None:
    import os

    import quart_plug.wrappers

    folder = os.path.dirname(quart_plug.wrappers.__file__)
    assert get_root_path("quart_plug.wrappers") == folder
    assert get_root_path("quart_plug.app") == os.path.dirname(folder)
    assert get_root_path("no_such_module") == os.getcwd()
    prefix, found = find_package("quart_plug")
    assert str(found) == os.path.dirname(os.path.dirname(folder))
    assert prefix is None or prefix.is_dir()
