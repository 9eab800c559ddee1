"""`quart.views`: views as classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, Response, ResponseReturnValue, request, websocket
from quart_plug.views import MethodView, View, http_method_funcs
from tests.support.surface import shows


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def answer(app: Quart, path: str, method: str = "GET") -> tuple[int, str]:
    response = await app.test_client().open(path, method=method)
    return response.status_code, await response.get_data(as_text=True)


@shows("views.View", "views.View.as_view", "views.View.dispatch_request")
async def test_a_view_class_answers_with_the_values_of_the_url(app: Quart) -> None:
    class Show(View):
        """Shows an item."""

        def __init__(self, *args: str, **options: int) -> None:
            self.given = (*args, *options.values())

        async def dispatch_request(self, id: int, page: int = 1) -> ResponseReturnValue:
            return f"{request.endpoint} {id} {page} {self.given}", 201

    class Plain(Show):
        def dispatch_request(self, **values: Any) -> str:
            return f"{values}"

    view = Show.as_view("show", "a", b=2)
    assert (view.__name__, view.__doc__, view.__module__) == ("show", "Shows an item.", __name__)
    assert view.view_class is Show
    app.add_url_rule("/item/<int:id>", view_func=view)
    app.add_url_rule("/item/<int:id>/<int:page>", view_func=view)
    app.add_url_rule("/plain/<a>/<b>", view_func=Plain.as_view("plain"))
    assert await answer(app, "/item/5") == (201, "show 5 1 ('a', 2)")
    assert await answer(app, "/item/5/2") == (201, "show 5 2 ('a', 2)")
    assert await answer(app, "/plain/1/2") == (200, "{'a': '1', 'b': '2'}")
    with pytest.raises(NotImplementedError):
        result = View().dispatch_request()
        assert inspect.isawaitable(result)
        await result


@shows("views.View", "views.View.dispatch_request")
async def test_a_view_class_serves_websockets(app: Quart) -> None:
    class Echo(View):
        async def dispatch_request(self, name: str) -> None:
            await websocket.send(f"{name} {await websocket.receive()}")

    app.add_websocket("/ws/<name>", view_func=Echo.as_view("echo"))
    async with app.test_client().websocket("/ws/a") as connection:
        await connection.send("b")
        assert await connection.receive() == "a b"


@shows("views.View.methods", "views.View.provide_automatic_options")
async def test_methods_and_options(app: Quart) -> None:
    class Form(View):
        methods = ["GET", "POST"]

        async def dispatch_request(self) -> str:
            return request.method

    class Strict(Form):
        provide_automatic_options = False

    class Open(Form):
        methods = ["OPTIONS"]

    app.add_url_rule("/form", view_func=Form.as_view("form"))
    app.add_url_rule("/put", view_func=Form.as_view("put"), methods=["PUT"])  # the rule's own win
    app.add_url_rule("/strict", view_func=Strict.as_view("strict"))
    app.add_url_rule("/open", view_func=Open.as_view("open"))

    assert await answer(app, "/form", "POST") == (200, "POST")
    assert (await answer(app, "/form", "PUT"))[0] == 405
    assert await answer(app, "/put", "PUT") == (200, "PUT")
    assert (await answer(app, "/put", "POST"))[0] == 405
    response = await app.test_client().options("/form")
    assert (response.status_code, set(response.allow)) == (200, {"GET", "HEAD", "OPTIONS", "POST"})
    assert (await answer(app, "/strict", "OPTIONS"))[0] == 405
    assert await answer(app, "/open", "OPTIONS") == (200, "OPTIONS")


@shows("views.View.decorators")
async def test_decorators_are_applied_the_first_innermost(app: Quart) -> None:
    def wrapping(name: str) -> Callable[[Any], Any]:
        def decorate(function: Any) -> Any:
            @wraps(function)
            async def wrapped(**values: Any) -> str:
                return f"{name}({await function(**values)})"

            return wrapped

        return decorate

    class Show(View):
        decorators = [wrapping("first"), wrapping("second")]

        async def dispatch_request(self) -> str:
            return "view"

    app.add_url_rule("/", view_func=Show.as_view("show"))
    assert await answer(app, "/") == (200, "second(first(view))")


@shows("views.View.init_every_request")
@pytest.mark.parametrize(("every", "expected"), [(True, ["1", "1", "1"]), (False, ["1", "2", "3"])])
async def test_an_instance_for_each_request_or_one_for_all(app: Quart, every: bool, expected: list[str]) -> None:
    class Count(View):
        init_every_request = every
        count = 0

        async def dispatch_request(self) -> str:
            self.count += 1
            return str(self.count)

    app.add_url_rule("/", view_func=Count.as_view("count"))
    assert [(await answer(app, "/"))[1] for _ in range(3)] == expected


@shows("views.MethodView", "views.MethodView.dispatch_request", "views.http_method_funcs")
async def test_a_method_for_each_http_method(app: Quart) -> None:
    class Item(MethodView):
        async def get(self, id: int | None = None) -> str:
            return f"get {id} {request.method}"

        def post(self) -> str:
            return "post"

    class More(Item):
        async def put(self) -> str:
            return "put"

        async def head(self) -> Response:
            return Response("", headers={"X-Head": "own"})

        async def dispatch_request(self, **values: Any) -> ResponseReturnValue:
            return await super().dispatch_request(**values), {"X-More": "1"}

    blueprint = Blueprint("b", __name__, url_prefix="/b")
    blueprint.add_url_rule("/item", view_func=Item.as_view("item"))
    app.register_blueprint(blueprint)
    app.add_url_rule("/item/<int:id>", view_func=Item.as_view("item"), methods=["GET"])
    app.add_url_rule("/more", view_func=More.as_view("more"))

    assert await answer(app, "/b/item", "POST") == (200, "post")
    assert await answer(app, "/item/5") == (200, "get 5 GET")
    assert (await answer(app, "/item/5", "POST"))[0] == 405
    assert await answer(app, "/more", "PUT") == (200, "put")
    assert (await answer(app, "/b/item", "PUT"))[0] == 405
    response = await app.test_client().head("/b/item")  # by `get`
    assert (response.status_code, response.content_length) == (200, len("get None HEAD"))
    response = await app.test_client().head("/more")
    assert (response.headers["X-Head"], response.headers["X-More"]) == ("own", "1")
    assert http_method_funcs == {"get", "post", "head", "options", "delete", "put", "trace", "patch"}
    assert Item.methods == {"GET", "POST"}
    assert More.methods == {"GET", "HEAD", "POST", "PUT"}


@shows("views.MethodView")
async def test_methods_may_be_mixed_in_and_limited(app: Quart) -> None:
    class Deleting:
        async def delete(self) -> str:
            return "deleted"

    class Item(Deleting, MethodView):
        async def get(self) -> str:
            return "got"

    class Limited(Item):
        methods = ["GET"]

    assert MethodView.methods is None
    app.add_url_rule("/item", view_func=Item.as_view("item"))
    app.add_url_rule("/limited", view_func=Limited.as_view("limited"))

    assert await answer(app, "/item", "DELETE") == (200, "deleted")
    assert (await answer(app, "/limited", "DELETE"))[0] == 405


@shows("views.MethodView.dispatch_request")
async def test_a_method_view_serves_websockets_in_get(app: Quart) -> None:
    class Live(MethodView):
        async def get(self) -> None:
            await websocket.send("live")

    app.add_websocket("/live", view_func=Live.as_view("live"))
    async with app.test_client().websocket("/live") as connection:
        assert await connection.receive() == "live"
