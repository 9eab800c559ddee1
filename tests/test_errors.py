"""Error handling where it is a request's alone, and its settings; the rest is in the contract."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart, Response, abort, redirect, request
from quart_plug.exceptions import (
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/fails")
    async def fails() -> str:
        raise LookupError("secret words")

    @app.get("/key")
    async def key() -> str:
        return request.args["missing"]

    @app.get("/abort/<int:code>")
    async def aborts(code: int) -> str:
        abort(code)

    return app


async def ask(app: Quart, path: str, method: str = "GET") -> tuple[int, str]:
    response = await app.test_client().open(path, method=method)
    return response.status_code, await response.get_data(as_text=True)


async def test_a_500_tells_nothing(app: Quart) -> None:
    status, body = await ask(app, "/fails")
    assert status == 500
    assert "secret" not in body
    assert "LookupError" not in body


async def test_a_405_by_handler(app: Quart) -> None:
    @app.errorhandler(405)
    async def handler(error: MethodNotAllowed) -> Any:
        return f"use {sorted(error.valid_methods or ())}", 405

    assert await ask(app, "/fails", "POST") == (405, "use ['GET', 'HEAD', 'OPTIONS']")


async def test_a_handler_may_return_the_error(app: Quart) -> None:
    @app.errorhandler(404)
    async def handler(error: NotFound) -> Any:
        return error

    assert (await ask(app, "/nowhere"))[0] == 404


async def test_handlers_are_not_asked_for_redirects(app: Quart) -> None:
    """A redirect of the routing is no error to handle; an abort with a response neither."""
    app.add_url_rule("/folder/", "folder", lambda: "")
    app.register_error_handler(HTTPException, lambda error: ("handled", 400))

    @app.get("/made")
    async def made() -> str:
        abort(Response("made", 402))  # type: ignore[arg-type]

    assert (await ask(app, "/folder"))[0] == 308
    assert await ask(app, "/made") == (402, "made")


async def test_a_handler_of_http_exception_gets_500_too(app: Quart) -> None:
    @app.errorhandler(HTTPException)
    async def handler(error: HTTPException) -> Any:
        return f"{error.code} {type(error).__name__}", error.code

    assert await ask(app, "/fails") == (500, "500 InternalServerError")
    assert await ask(app, "/abort/403") == (403, "403 Forbidden")


async def test_aborting_with_500_is_not_an_unhandled_error(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    @app.errorhandler(500)
    async def handler(error: InternalServerError) -> Any:
        return f"{error.original_exception}", 500

    assert await ask(app, "/abort/500") == (500, "None")
    assert caplog.records == []


async def test_a_handler_may_redirect(app: Quart) -> None:
    @app.errorhandler(403)
    async def handler(error: Exception) -> Any:
        return redirect("/sign-in")

    assert (await ask(app, "/abort/403"))[0] == 302


async def test_missing_keys(app: Quart) -> None:
    """400; which key it was is told in debug mode, and when asked for."""
    status, body = await ask(app, "/key")
    assert (status, "missing" in body) == (400, False)
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(BadRequestKeyError, match="missing"):
        await ask(app, "/key")


async def test_trapped_http_errors(app: Quart) -> None:
    app.config.update(TRAP_HTTP_EXCEPTIONS=True, TESTING=True)
    with pytest.raises(NotFound):
        await ask(app, "/nowhere")


@pytest.mark.parametrize(
    ("settings", "raises"),
    [
        ({}, False),
        ({"TESTING": True}, True),
        ({"PROPAGATE_EXCEPTIONS": True}, True),
        ({"TESTING": True, "PROPAGATE_EXCEPTIONS": False}, False),
    ],
)
async def test_propagation(app: Quart, settings: dict[str, Any], raises: bool) -> None:
    app.config.update(settings)
    if raises:
        with pytest.raises(LookupError, match="secret words"):
            await ask(app, "/fails")
    else:
        assert (await ask(app, "/fails"))[0] == 500


async def test_debug_mode_shows_the_traceback(app: Quart) -> None:
    app.debug = True
    status, body = await ask(app, "/fails")
    assert status == 500
    assert "secret words" in body


async def test_the_traceback_in_the_log_ends_at_the_view(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    await ask(app, "/fails")
    (record,) = caplog.records
    assert record.getMessage() == "Exception on request GET /fails"
    assert record.exc_info is not None
    frames = []
    traceback = record.exc_info[2]
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert frames[-1] == "fails"


async def test_errors_of_a_stream_end_the_connection(app: Quart) -> None:
    """What was begun cannot become a 500: the error goes to the server, which cuts the connection."""

    @app.get("/stream")
    async def stream() -> Any:
        async def parts() -> Any:
            yield b"begun"
            raise LookupError("in the middle")

        return parts()

    with pytest.raises(LookupError, match="in the middle"):
        await ask(app, "/stream")


async def test_exception_groups(app: Quart) -> None:
    """Are errors like any other, and have a handler of their class."""

    @app.get("/group")
    async def group() -> str:
        raise ExceptionGroup("several", [LookupError(), KeyError()])

    @app.errorhandler(ExceptionGroup)
    async def handler(error: ExceptionGroup[Exception]) -> Any:
        return f"{len(error.exceptions)} errors", 400

    assert await ask(app, "/group") == (400, "2 errors")
