"""Error handlers, unhandled errors, and what no rule matches."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, abort
from quart_plug.exceptions import Forbidden, HTTPException, InternalServerError


class Boom(Exception):
    pass


class Louder(Boom):
    pass


def failing(kind: Any, scaffold: Any, error: Any, rule: str = "/") -> None:
    @kind.view(scaffold, rule)
    async def view() -> Any:
        if isinstance(error, int):
            abort(error)
        raise error


def answer(text: str, status: int = 418) -> Any:
    async def handler(error: Exception) -> Any:
        return f"{text} {type(error).__name__}", status

    return handler


async def test_by_class(app: Quart, kind: Any) -> None:
    failing(kind, app, Boom())
    app.register_error_handler(Boom, answer("boom"))
    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (418, "boom Boom")


async def test_by_code(app: Quart, kind: Any) -> None:
    failing(kind, app, 403)
    app.register_error_handler(403, answer("code", 403))
    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (403, "code Forbidden")


async def test_by_a_sync_handler(app: Quart, kind: Any) -> None:
    failing(kind, app, Boom())

    @app.errorhandler(Boom)
    def handler(error: Boom) -> Any:
        return "sync", 418

    assert (await kind.run(app)).said == "sync"


async def test_the_nearest_class_wins(app: Quart, kind: Any) -> None:
    failing(kind, app, Louder())
    for class_ in (Exception, Boom):
        app.register_error_handler(class_, answer(class_.__name__))
    assert (await kind.run(app)).said == "Boom Louder"


async def test_the_blueprint_comes_before_the_app(app: Quart, kind: Any) -> None:
    """The inner one before the outer one before the app; even its handler of a base class."""
    inner, outer = Blueprint("inner", __name__), Blueprint("outer", __name__)
    failing(kind, inner, Louder())
    app.register_error_handler(Louder, answer("app"))
    outer.register_error_handler(Louder, answer("outer"))
    inner.register_error_handler(Boom, answer("inner"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (await kind.run(app)).said == "inner Louder"


async def test_the_code_comes_before_the_class(app: Quart, kind: Any) -> None:
    """Also the app's handler of a code before the blueprint's handler of a class."""
    blueprint = Blueprint("part", __name__)
    failing(kind, blueprint, 403)
    blueprint.register_error_handler(HTTPException, answer("class"))
    app.register_error_handler(403, answer("code"))
    app.register_blueprint(blueprint)
    assert (await kind.run(app)).said == "code Forbidden"


async def test_http_errors_without_a_handler(app: Quart, kind: Any) -> None:
    """They are answers."""
    failing(kind, app, Forbidden("keep out"))
    outcome = await kind.run(app)
    assert outcome.status == 403
    assert "keep out" in outcome.said


async def test_a_handler_of_500_gets_the_unhandled_error(app: Quart, kind: Any) -> None:
    failing(kind, app, Boom("original"))

    @app.errorhandler(500)
    async def handler(error: InternalServerError) -> Any:
        return f"{type(error).__name__}: {error.original_exception}", 500

    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (500, "InternalServerError: original")


async def test_a_handler_of_exception_takes_all(app: Quart, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """HTTP errors too, the routing ones included; and then nothing is unhandled."""
    failing(kind, app, Boom(), "/boom")
    failing_http = answer("all", 400)
    app.register_error_handler(Exception, failing_http)
    assert (await kind.run(app, "/boom")).said == "all Boom"
    assert (await kind.run(app, "/nowhere")).said == "all NotFound"
    assert caplog.records == []


async def test_an_error_in_a_handler(app: Quart, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Is an unhandled error: status 500, logged once, with both errors in the traceback."""
    failing(kind, app, Boom("first"))

    @app.errorhandler(Boom)
    async def handler(error: Boom) -> Any:
        raise LookupError("second")

    assert (await kind.run(app)).status == 500
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)
    assert "Boom: first" in caplog.text


async def test_an_error_in_an_after_function(app: Quart, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Status 500 or 1011; the after functions run for that answer as well, and their error is logged, not raised."""

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("x")

    @kind.on(app, "after")
    async def after(response: Any) -> Any:
        raise Boom

    outcome = await kind.run(app)
    assert (outcome.status or outcome.closed) == (500 if kind.is_request else 1011)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


@pytest.mark.parametrize("moment", ["before", "preprocessor"])
async def test_errors_before_the_view(app: Quart, kind: Any, moment: str) -> None:
    """Go to the error handlers as the view's do."""

    @kind.view(app, "/")
    async def view() -> Any:
        raise AssertionError("the view must not be called")

    def fail(*args: Any) -> None:
        raise Boom

    if moment == "before":
        kind.on(app, "before")(fail)
    else:
        app.url_value_preprocessor(fail)
    app.register_error_handler(Boom, answer("caught"))
    assert (await kind.run(app)).said == "caught Boom"


async def test_unhandled_errors(app: Quart, kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Status 500, and one entry in the log with the path and the error."""
    failing(kind, app, Boom("why"), "/path")
    outcome = await kind.run(app, "/path")
    assert outcome.status == 500
    assert "why" not in outcome.said
    (record,) = caplog.records
    assert "/path" in record.getMessage()
    assert kind.is_request or "websocket" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], Boom)


async def test_unhandled_errors_propagate_in_testing(app: Quart, kind: Any) -> None:
    failing(kind, app, Boom("why"))
    app.testing = True
    with pytest.raises(Boom, match="why"):
        await kind.run(app)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert (await kind.run(app)).status == 500


async def test_nothing_matches(app: Quart, kind: Any) -> None:
    """404; the app's functions have run, those of blueprints have not."""
    calls: list[str] = []
    blueprint = Blueprint("part", __name__, url_prefix="/part")
    failing(kind, blueprint, Boom())
    for scaffold, name in ((app, "app"), (blueprint, "blueprint")):
        kind.on(scaffold, "before")(lambda name=name: calls.append(f"before {name}"))
        kind.on(scaffold, "after")(lambda response, name=name: calls.append(f"after {name}") or response)
        kind.on(scaffold, "teardown")(lambda error, name=name: calls.append(f"teardown {name}"))
    blueprint.register_error_handler(404, answer("blueprint"))
    app.register_blueprint(blueprint)
    assert (await kind.run(app, "/part/nowhere")).status == 404
    assert calls == ["before app", "after app", "teardown app"]


async def test_a_before_function_answers_before_a_404(app: Quart, kind: Any) -> None:
    """Functions run before the routing error is raised, as in Flask."""
    kind.on(app, "before")(lambda: ("sign in first", 401))
    assert (await kind.run(app, "/nowhere")).said == "sign in first"


async def test_a_handler_of_404(app: Quart, kind: Any) -> None:
    app.register_error_handler(404, answer("lost", 404))
    outcome = await kind.run(app, "/nowhere")
    assert (outcome.status, outcome.said) == (404, "lost NotFound")


async def test_the_other_kind_does_not_match(app: Quart, kind: Any) -> None:
    """A request's rule is none for a websocket, which is 404; a websocket's none for a request (400, as werkzeug)."""

    async def view() -> Any:
        return "x"

    if kind.is_request:
        app.websocket("/")(view)
    else:
        app.route("/")(view)
    assert (await kind.run(app)).status in (400, 404)
