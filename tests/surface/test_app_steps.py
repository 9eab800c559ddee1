"""The app's steps of a connection, called by hand in a context, as a test or an override calls them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from werkzeug.exceptions import BadRequestKeyError, Forbidden, MethodNotAllowed, NotFound
from werkzeug.routing import BuildError, RequestRedirect

from quart_plug import Quart, Response, abort, g, request, session, websocket
from tests.support.surface import shows


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def app(seen: list[Any]) -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.route("/item/<int:id>")
    async def item(id: int) -> Any:
        seen.append(("view", id))
        return {"id": id}

    @app.route("/slash/")
    async def slash() -> str:
        return "a"

    @app.route("/forbidden")
    async def forbidden() -> str:
        abort(403)

    @app.route("/broken")
    async def broken() -> str:
        raise LookupError("in the view")

    @app.websocket("/ws/<name>")
    async def ws(name: str) -> Any:
        seen.append(("ws", name))

    @app.before_request
    async def before() -> Any:
        seen.append("before")
        return "stopped" if "stop" in request.args else None

    @app.after_request
    async def after(response: Response) -> Response:
        seen.append("after")
        response.headers["X-After"] = "1"
        return response

    @app.before_websocket
    async def before_websocket() -> Any:
        seen.append("before websocket")
        return "stopped" if "stop" in websocket.args else None

    @app.after_websocket
    async def after_websocket(response: Any) -> Any:
        seen.append(("after websocket", response))
        return response

    @app.teardown_request
    @app.teardown_websocket
    @app.teardown_appcontext
    async def teardown(error: BaseException | None) -> None:
        seen.append(("teardown", error))

    @app.errorhandler(403)
    async def on_forbidden(error: Any) -> Any:
        return "not for you", 403

    @app.errorhandler(KeyError)
    async def on_key_error(error: Any) -> Any:
        return f"no {error.args[0]}", 400

    return app


# Requests ------------------------------------------------------------------------------------------------------------


@shows("app.Quart.preprocess_request")
async def test_preprocess_request_runs_what_comes_before_the_view(app: Quart, seen: list[Any]) -> None:
    app.url_value_preprocessor(lambda endpoint, values: seen.append((endpoint, values)))
    async with app.test_request_context("/item/1"):
        assert await app.preprocess_request() is None
        assert seen == [("item", {"id": 1}), "before"]
    async with app.test_request_context("/item/1?stop=1"):
        assert await app.preprocess_request() == "stopped"


@shows("app.Quart.dispatch_request", "app.Quart.raise_routing_exception")
async def test_dispatch_request_calls_the_view_or_raises_the_error_of_routing(app: Quart, seen: list[Any]) -> None:
    async with app.test_request_context("/item/7"):
        assert await app.dispatch_request() == {"id": 7}
        assert seen == [("view", 7)]
    for path, method, error in (
        ("/nowhere", "GET", NotFound),
        ("/item/1", "DELETE", MethodNotAllowed),
        ("/slash", "GET", RequestRedirect),
    ):
        async with app.test_request_context(path, method=method):
            with pytest.raises(error):
                await app.dispatch_request()
            with pytest.raises(error):
                app.raise_routing_exception(request)


@shows("app.Quart.full_dispatch_request")
async def test_full_dispatch_request_is_the_whole_way_to_a_response(app: Quart, seen: list[Any]) -> None:
    async with app.test_request_context("/item/7"):
        response = await app.full_dispatch_request()
    assert await response.get_json() == {"id": 7}
    assert response.headers["X-After"] == "1"
    assert seen[:3] == ["before", ("view", 7), "after"]

    async with app.test_request_context("/forbidden"):
        response = await app.full_dispatch_request()
    assert (response.status_code, await response.get_data(as_text=True)) == (403, "not for you")
    assert response.headers["X-After"] == "1"


@shows("app.Quart.finalize_request", "app.Quart.make_response", "app.Quart.process_response")
async def test_from_a_value_to_the_finished_response(app: Quart, seen: list[Any]) -> None:
    async with app.test_request_context("/item/7"):
        session["a"] = 1
        made = await app.make_response(("text", 201, {"X-B": "2"}))
        assert (made.status_code, made.headers["X-B"]) == (201, "2")
        assert "X-After" not in made.headers

        finalized = await app.finalize_request("text")
        assert isinstance(finalized, Response)
        assert finalized.headers["X-After"] == "1"
        assert "session=" in finalized.headers["Set-Cookie"]

        given = Response("given")
        assert await app.process_response(given) is given
        assert given.headers["X-After"] == "1"
        with pytest.raises(TypeError):
            await app.make_response(None)


async def test_finalize_request_while_an_error_is_handled(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    @app.after_request
    async def fail(response: Response) -> Response:
        raise LookupError("in after")

    async with app.test_request_context("/item/7"):
        with pytest.raises(LookupError):
            await app.finalize_request("text")
        response = await app.finalize_request("text", from_error_handler=True)
    assert await response.get_data(as_text=True) == "text"


@shows("app.Quart.handle_request")
async def test_handle_request_is_everything(app: Quart, seen: list[Any]) -> None:
    async with app.test_request_context("/item/7") as ctx:
        given = ctx.request
    seen.clear()
    response = await app.handle_request(given)
    assert await response.get_json() == {"id": 7}
    assert seen == ["before", ("view", 7), "after", ("teardown", None), ("teardown", None)]


@shows("app.Quart.do_teardown_request", "app.Quart.do_teardown_appcontext")
async def test_teardown_by_hand(app: Quart, seen: list[Any]) -> None:
    error = LookupError()
    async with app.test_request_context("/item/7"):
        await app.do_teardown_request(error)
        await app.do_teardown_appcontext(error)
        assert seen == [("teardown", error)] * 2


@shows("app.Quart.make_default_options_response")
async def test_the_answer_to_options(app: Quart) -> None:
    async with app.test_request_context("/item/7", method="OPTIONS"):
        response = await app.make_default_options_response()
    assert response.status_code == 200
    assert set(response.allow) == {"GET", "HEAD", "OPTIONS"}


# Errors --------------------------------------------------------------------------------------------------------------


@shows("app.Quart.handle_http_exception")
async def test_handle_http_exception(app: Quart) -> None:
    async with app.test_request_context("/item/7"):
        assert await app.handle_http_exception(Forbidden()) == ("not for you", 403)
        missing = NotFound()
        assert await app.handle_http_exception(missing) is missing


@shows("app.Quart.handle_user_exception", "app.Quart.trap_http_exception")
async def test_handle_user_exception(app: Quart) -> None:
    async with app.test_request_context("/item/7"):
        assert await app.handle_user_exception(KeyError("x")) == ("no x", 400)
        assert await app.handle_user_exception(Forbidden()) == ("not for you", 403)
        with pytest.raises(LookupError):
            await app.handle_user_exception(LookupError())

        assert not app.trap_http_exception(Forbidden())
        app.config["TRAP_HTTP_EXCEPTIONS"] = True
        assert app.trap_http_exception(Forbidden())
        with pytest.raises(NotFound):
            await app.handle_user_exception(NotFound())
        app.config.update(TRAP_HTTP_EXCEPTIONS=False, TRAP_BAD_REQUEST_ERRORS=True)
        assert app.trap_http_exception(BadRequestKeyError("x"))


@shows("app.Quart.handle_exception", "app.Quart.log_exception")
async def test_handle_exception(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    async with app.test_request_context("/item/7"):
        error = LookupError("nobody took it")
        response = await app.handle_exception(error)
        assert response.status_code == 500
        [record] = caplog.records
        assert record.exc_info is not None and record.exc_info[1] is error
        assert "/item/7" in record.getMessage()

        caplog.clear()
        app.log_exception((LookupError, error, None))
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

        @app.errorhandler(500)
        async def failed(error: Any) -> Any:
            return f"failed: {error.original_exception}", 500

        response = await app.handle_exception(error)
        assert await response.get_data(as_text=True) == "failed: nobody took it"
        app.config["PROPAGATE_EXCEPTIONS"] = True
        with pytest.raises(LookupError):
            await app.handle_exception(error)


@shows("app.Quart.should_ignore_error")
async def test_teardown_is_not_told_of_errors_that_are_to_be_ignored(seen: list[Any]) -> None:
    class Ignoring(Quart):
        def should_ignore_error(self, error: BaseException | None) -> bool:
            return isinstance(error, KeyError)

    assert not Quart(__name__).should_ignore_error(KeyError())
    for error in (KeyError(), ValueError()):
        app = Ignoring(__name__)
        app.teardown_request(seen.append)
        with pytest.raises(type(error)):
            async with app.test_request_context("/"):
                raise error
    assert [type(each) for each in seen] == [type(None), ValueError]


# Websockets ----------------------------------------------------------------------------------------------------------


@shows("app.Quart.preprocess_websocket", "app.Quart.dispatch_websocket")
async def test_the_steps_to_a_websockets_view(app: Quart, seen: list[Any]) -> None:
    async with app.test_websocket_context("/ws/a"):
        assert await app.preprocess_websocket() is None
        assert await app.dispatch_websocket() is None
        assert seen == ["before websocket", ("ws", "a")]
    async with app.test_websocket_context("/ws/a?stop=1"):
        assert await app.preprocess_websocket() == "stopped"
    async with app.test_websocket_context("/nowhere"):
        with pytest.raises(NotFound):
            await app.dispatch_websocket()


@shows("app.Quart.full_dispatch_websocket", "app.Quart.finalize_websocket", "app.Quart.postprocess_websocket")
async def test_the_steps_after_a_websockets_view(app: Quart, seen: list[Any]) -> None:
    async with app.test_websocket_context("/ws/a"):
        assert await app.full_dispatch_websocket() is None
        assert seen == ["before websocket", ("ws", "a"), ("after websocket", None)]
        seen.clear()
        refusal = await app.finalize_websocket(("no", 403))
        assert isinstance(refusal, Response) and refusal.status_code == 403
        assert await app.finalize_websocket(None) is None
        assert await app.postprocess_websocket(refusal) is refusal
        assert [each[1] for each in seen] == [refusal, None, refusal]


@shows("app.Quart.handle_websocket", "app.Quart.do_teardown_websocket", "app.Quart.handle_websocket_exception")
async def test_a_whole_websocket_and_its_end(
    app: Quart, seen: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with app.test_websocket_context("/ws/a") as ctx:
        given = ctx.websocket
        error = LookupError("in a websocket")
        await app.do_teardown_websocket(error)
        assert seen == [("teardown", error)]
        response = await app.handle_websocket_exception(error)
        assert response.status_code == 500
        assert "/ws/a" in caplog.records[0].getMessage()
    seen.clear()
    assert await app.handle_websocket(given) is None
    assert seen == [
        "before websocket",
        ("ws", "a"),
        ("after websocket", None),
        ("teardown", None),
        ("teardown", None),
    ]


# URLs and functions --------------------------------------------------------------------------------------------------


@shows("app.Quart.create_url_adapter", "app.Quart.inject_url_defaults", "app.Quart.handle_url_build_error")
async def test_urls_by_hand(app: Quart) -> None:
    assert app.create_url_adapter(None) is None
    app.config["SERVER_NAME"] = "example.org"
    adapter = app.create_url_adapter(None)
    assert adapter is not None
    assert adapter.build("item", {"id": 1}, force_external=True) == "http://example.org/item/1"

    @app.url_defaults
    def add(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("id", 5)

    values: dict[str, Any] = {}
    app.inject_url_defaults("item", values)
    assert values == {"id": 5}

    error = BuildError("gone", {}, None)
    with pytest.raises(BuildError):
        app.handle_url_build_error(error, "gone", {})
    app.url_build_error_handlers.append(lambda error, endpoint, values: f"/elsewhere/{endpoint}")
    assert app.handle_url_build_error(error, "gone", {}) == "/elsewhere/gone"


@shows("app.Quart.ensure_async", "app.Quart.sync_to_async")
async def test_functions_of_either_colour(app: Quart) -> None:
    async def waits(value: int) -> int:
        return value + 1

    def plain(value: int) -> int:
        return value + g.base

    assert app.ensure_async(waits) is waits
    async with app.app_context():
        g.base = 10
        assert await app.ensure_async(plain)(1) == 11
        assert await app.sync_to_async(plain)(2) == 12
