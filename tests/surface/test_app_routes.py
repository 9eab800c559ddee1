"""Rules, views and error handlers: what registers them on an app, and what they do then."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, NotFound

from quart_plug import Blueprint, Quart, abort, request, websocket
from tests.support.surface import shows


async def answer(app: Quart, path: str, method: str = "GET") -> tuple[int, str]:
    response = await app.test_client().open(path, method=method)
    return response.status_code, await response.get_data(as_text=True)


async def message(app: Quart, path: str) -> Any:
    async with app.test_client().websocket(path) as connection:
        return await connection.receive()


def rules(app: Quart) -> dict[str, set[str]]:
    return {rule.rule: rule.methods or set() for rule in app.url_map.iter_rules() if rule.endpoint != "static"}


# Requests ------------------------------------------------------------------------------------------------------------


@shows("app.Quart.route")
async def test_route() -> None:
    """The decorated function, unchanged, is the view of the rule; GET (with HEAD) and OPTIONS without methods."""
    app = Quart(__name__)

    async def view(number: int, name: str = "nobody") -> str:
        return f"{request.method} {number} {name}"

    assert app.route("/<int:number>")(view) is view
    app.route("/<int:number>/<name>", methods=["post", "PUT"])(view)

    assert await answer(app, "/1") == (200, "GET 1 nobody")
    assert await answer(app, "/1", "HEAD") == (200, "")
    assert (await answer(app, "/1", "OPTIONS"))[0] == 200
    assert await answer(app, "/2/a", "POST") == (200, "POST 2 a")
    assert (await answer(app, "/2/a"))[0] == 405
    assert (await answer(app, "/x"))[0] == 404


@shows("app.Quart.get", "app.Quart.post", "app.Quart.put", "app.Quart.patch", "app.Quart.delete")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_decorator_for_each_method(method: str) -> None:
    app = Quart(__name__)
    decorate = getattr(app, method.lower())

    @decorate("/<name>", endpoint="named", defaults={"extra": 1})
    def view(name: str, extra: int) -> str:
        return f"{request.method} {name} {extra} {request.endpoint}"

    assert await answer(app, "/a", method) == (200, f"{method} a 1 named")
    assert rules(app)["/<name>"] == {method, "OPTIONS"} | ({"HEAD"} if method == "GET" else set())
    with pytest.raises(TypeError, match=r"methods|route"):
        decorate("/", methods=["GET"])


@shows("app.Quart.add_url_rule")
async def test_add_url_rule() -> None:
    app = Quart(__name__)
    app.add_url_rule("/a", "named", lambda: "a")
    app.add_url_rule("/b", "named")  # another rule for the endpoint
    app.add_url_rule("/c/", view_func=lambda: "c", endpoint="c", strict_slashes=False)
    app.add_url_rule("/d", "d", lambda: "d", False, methods={"GET"})
    app.add_url_rule("/e", "e", lambda part: part, defaults={"part": "e"})

    assert [await answer(app, path) for path in ("/a", "/b", "/c", "/c/", "/e")] == [
        *[(200, "a"), (200, "a"), (200, "c"), (200, "c"), (200, "e")]
    ]
    assert (await answer(app, "/d", "OPTIONS"))[0] == 405  # provide_automatic_options is False


@shows("app.Quart.add_url_rule")
def test_the_methods_of_a_rule() -> None:
    """Given, or the view's; `required_methods` of the view are added; OPTIONS unless it is turned off."""

    def view() -> str:
        return ""

    def with_attributes() -> str:
        return ""

    with_attributes.methods = ["POST"]  # type: ignore[attr-defined]
    with_attributes.required_methods = {"PUT"}  # type: ignore[attr-defined]
    with_attributes.provide_automatic_options = False  # type: ignore[attr-defined]

    app = Quart(__name__)
    app.add_url_rule("/default", view_func=view)
    app.add_url_rule("/given", view_func=view, methods=("delete",))
    app.add_url_rule("/none", view_func=view, methods=[])
    app.add_url_rule("/own", view_func=view, methods=["OPTIONS"])
    app.add_url_rule("/attributes", view_func=with_attributes)
    app.add_url_rule("/both", view_func=with_attributes, methods=["GET"])
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/off", view_func=view)
    app.add_websocket("/ws", "ws", view)

    assert rules(app) == {
        "/default": {"GET", "HEAD", "OPTIONS"},
        "/given": {"DELETE", "OPTIONS"},
        "/none": {"OPTIONS"},
        "/own": {"OPTIONS"},
        "/attributes": {"POST", "PUT"},
        "/both": {"GET", "HEAD", "PUT"},
        "/off": {"GET", "HEAD"},
        "/ws": {"GET", "HEAD"},
    }


@shows("app.Quart.add_url_rule")
@pytest.mark.parametrize(
    ("rule", "options", "error"),
    [
        ("no-slash", {}, ValueError),
        ("/", {"methods": "GET"}, TypeError),
        ("/", {"nonsense": 1}, TypeError),
        ("/", {"endpoint": "taken"}, AssertionError),
    ],
)
def test_what_is_no_rule(rule: str, options: dict[str, Any], error: type[Exception]) -> None:
    app = Quart(__name__)
    app.add_url_rule("/taken", "taken", lambda: "")
    with pytest.raises(error):
        app.add_url_rule(rule, **{"endpoint": "view", "view_func": print, **options})


@shows("app.Quart.endpoint")
async def test_endpoint() -> None:
    """The view of a rule that was, or will be, added without one."""
    app = Quart(__name__)
    app.add_url_rule("/before", "named")

    @app.endpoint("named")
    async def view() -> str:
        return "named"

    app.add_url_rule("/after", "named")
    assert await answer(app, "/before") == await answer(app, "/after") == (200, "named")
    assert app.view_functions["named"] is view


# Websockets ----------------------------------------------------------------------------------------------------------


@shows("app.Quart.websocket", "app.Quart.add_websocket")
async def test_websocket() -> None:
    """A path may lead to a websocket's view and to a request's, under endpoints of their own."""
    app = Quart(__name__)

    @app.websocket("/<name>", defaults={"number": 1})
    async def ws(name: str, number: int) -> None:
        await websocket.send(f"{name} {number} {websocket.endpoint}")

    async def added() -> None:
        await websocket.send("added")

    app.add_websocket("/added/", "other", added)
    app.add_url_rule("/<name>", "page", lambda name: f"page {name}")

    assert await message(app, "/a") == "a 1 ws"
    assert await message(app, "/added/") == "added"
    assert await answer(app, "/a") == (200, "page a")
    assert (await answer(app, "/added/"))[0] == 400  # there is a rule, for the other kind
    with pytest.raises(AssertionError):
        app.add_websocket("/again", "ws", added)


# Blueprints ----------------------------------------------------------------------------------------------------------


@shows("app.Quart.register_blueprint", "app.Quart.iter_blueprints")
async def test_register_blueprint() -> None:
    """Several times under several names; options of the registration win over the blueprint's own."""
    app = Quart(__name__)
    part = Blueprint("part", __name__, url_prefix="/part")
    inner = Blueprint("inner", __name__)

    @part.get("/")
    async def view() -> str:
        return str(request.endpoint)

    inner.add_url_rule("/inner", "view", lambda extra: f"{request.endpoint} {extra}")
    part.register_blueprint(inner, url_defaults={"extra": 1})
    app.register_blueprint(part)
    app.register_blueprint(part, name="again", url_prefix="/again")

    assert await answer(app, "/part/") == (200, "part.view")
    assert await answer(app, "/part/inner") == (200, "part.inner.view 1")
    assert await answer(app, "/again/") == (200, "again.view")
    assert await answer(app, "/again/inner") == (200, "again.inner.view 1")
    assert list(app.blueprints) == ["part", "part.inner", "again", "again.inner"]
    assert list(app.iter_blueprints()) == [part, inner, part, inner]
    with pytest.raises(ValueError, match="part"):
        app.register_blueprint(Blueprint("part", __name__))


# Error handlers ------------------------------------------------------------------------------------------------------


class Base(Exception):
    pass


class Special(Base):
    pass


@shows("app.Quart.errorhandler", "app.Quart.register_error_handler")
async def test_error_handlers() -> None:
    """For a status code or a class; the nearest base class answers; a plain function will do as well."""
    app = Quart(__name__)

    @app.errorhandler(404)
    async def not_found(error: HTTPException) -> Any:
        return f"no {request.path}", 404

    @app.errorhandler(Base)
    def base(error: Base) -> Any:
        return f"base {type(error).__name__}", 500

    app.register_error_handler(HTTPException, lambda error: (f"http {error.code}", error.code))
    app.register_error_handler(Exception, lambda error: (f"any {type(error).__name__}", 500))

    @app.get("/<what>")
    async def view(what: str) -> None:
        if what.isdecimal():
            abort(int(what))
        raise {"special": Special, "base": Base, "key": KeyError}[what]

    assert await answer(app, "/no/where") == (404, "no /no/where")
    assert await answer(app, "/404") == (404, "no /404")
    assert await answer(app, "/403") == (403, "http 403")
    assert await answer(app, "/special") == (500, "base Special")
    assert await answer(app, "/key") == (500, "any KeyError")
    assert app.errorhandler(NotFound)(not_found) is not_found
    assert app.error_handler_spec[None][404][NotFound] is not_found


@shows("app.Quart.errorhandler")
async def test_the_handler_for_500_is_given_the_error() -> None:
    app = Quart(__name__)

    @app.errorhandler(500)
    async def failed(error: Any) -> Any:
        return f"{error.code} {error.original_exception!r}", 500

    @app.get("/")
    async def view() -> None:
        raise Special("here")

    assert await answer(app, "/") == (500, "500 Special('here')")


@shows("app.Quart.errorhandler")
async def test_error_handlers_of_websockets() -> None:
    """What a handler returns refuses the handshake."""
    app = Quart(__name__)
    app.register_error_handler(Base, lambda error: ("refused", 418))

    @app.websocket("/")
    async def ws() -> None:
        raise Special

    connection = app.test_client().websocket("/")
    with pytest.raises(Exception, match="418") as caught:
        async with connection as entered:
            await entered.receive()
    assert caught.value.response.status_code == 418  # type: ignore[attr-defined]  # WebsocketResponseError


@shows("app.Quart.errorhandler", "app.Quart.register_error_handler")
@pytest.mark.parametrize("wrong", [999, 308, KeyError("instance"), int])
def test_what_no_error_handler_can_be_for(wrong: Any) -> None:
    app = Quart(__name__)
    for register in (lambda: app.errorhandler(wrong)(print), lambda: app.register_error_handler(wrong, print)):
        with pytest.raises((ValueError, TypeError)):
            register()
