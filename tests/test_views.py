"""Views as classes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar

import pytest

from quart_plug import Quart, websocket
from quart_plug.views import MethodView, View, http_method_funcs


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def ask(app: Quart, path: str = "/", method: str = "GET") -> tuple[int, str]:
    response = await app.test_client().open(path, method=method)
    return response.status_code, str(await response.get_data(as_text=True))


async def test_a_view_gets_the_values_of_the_url(app: Quart) -> None:
    class Page(View):
        async def dispatch_request(self, id: int) -> str:  # type: ignore[override]
            return f"page {id}"

    app.add_url_rule("/<int:id>", view_func=Page.as_view("page"))
    assert await ask(app, "/3") == (200, "page 3")


async def test_a_plain_method_may_answer(app: Quart) -> None:
    class Page(View):
        def dispatch_request(self, **kwargs: Any) -> str:
            return "plain"

    app.add_url_rule("/", view_func=Page.as_view("page"))
    assert await ask(app) == (200, "plain")


async def test_the_view_function_describes_its_class() -> None:
    class Page(View):
        """A page."""

        methods = ["POST"]
        provide_automatic_options = False

    view: Any = Page.as_view("page")
    assert (view.__name__, view.__doc__, view.__module__) == ("page", "A page.", __name__)
    assert (view.view_class, view.methods, view.provide_automatic_options) == (Page, ["POST"], False)


async def test_methods_and_automatic_options_hold_for_the_rule(app: Quart) -> None:
    class Page(View):
        methods = ["POST"]
        provide_automatic_options = False

        async def dispatch_request(self, **kwargs: Any) -> str:
            return "posted"

    app.add_url_rule("/", view_func=Page.as_view("page"))
    assert await ask(app, method="POST") == (200, "posted")
    assert (await ask(app))[0] == 405
    assert (await ask(app, method="OPTIONS"))[0] == 405


@pytest.mark.parametrize(("every_request", "expected"), [(True, ["1", "1"]), (False, ["1", "2"])])
async def test_an_instance_for_each_request_or_one_for_all(
    app: Quart, every_request: bool, expected: list[str]
) -> None:
    class Counter(View):
        init_every_request = every_request

        def __init__(self, start: int, step: int = 0) -> None:
            self.count = start
            self.step = step

        async def dispatch_request(self, **kwargs: Any) -> str:
            self.count += self.step
            return str(self.count)

    app.add_url_rule("/", view_func=Counter.as_view("counter", 0, step=1))
    assert [(await ask(app))[1] for _ in range(2)] == expected


async def test_decorators_are_applied_the_first_one_innermost(app: Quart) -> None:
    def wrap(text: str) -> Callable[[Any], Any]:
        def decorate(view: Any) -> Any:
            async def decorated(**kwargs: Any) -> str:
                return f"{text}({await view(**kwargs)})"

            return decorated

        return decorate

    class Page(View):
        decorators = [wrap("inner"), wrap("outer")]

        async def dispatch_request(self, **kwargs: Any) -> str:
            return "page"

    app.add_url_rule("/", view_func=Page.as_view("page"))
    assert await ask(app) == (200, "outer(inner(page))")


async def test_a_view_without_dispatch_request_says_so() -> None:
    class Empty(View):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has to define dispatch_request"):
        Empty().dispatch_request()


async def test_a_view_serves_websockets(app: Quart) -> None:
    class Socket(View):
        async def dispatch_request(self, name: str) -> None:  # type: ignore[override]
            await websocket.send(f"hello {name}")

    app.add_websocket("/ws/<name>", view_func=Socket.as_view("ws"))
    async with app.test_client().websocket("/ws/joe") as connection:
        assert await connection.receive() == "hello joe"


# MethodView ----------------------------------------------------------


class Resource(MethodView):
    async def get(self, id: int) -> str:
        return f"get {id}"

    def post(self, id: int) -> str:
        return f"post {id}"


async def test_each_method_has_its_own(app: Quart) -> None:
    app.add_url_rule("/<int:id>", view_func=Resource.as_view("resource"))
    assert await ask(app, "/1") == (200, "get 1")
    assert await ask(app, "/1", "POST") == (200, "post 1")
    assert (await ask(app, "/1", "HEAD"))[0] == 200
    assert (await ask(app, "/1", "DELETE"))[0] == 405


async def test_methods_are_collected_from_the_class_and_its_bases() -> None:
    class Mixin:
        methods: ClassVar[Collection[str] | None] = {"PROPFIND"}

        def put(self) -> None: ...

    class Both(Mixin, Resource):
        def delete(self) -> None: ...

    class Named(Resource):
        methods = ["GET"]

    assert set(Resource.methods or ()) == {"GET", "POST"}
    assert set(Both.methods or ()) == {"GET", "POST", "PUT", "DELETE", "PROPFIND"}
    assert Named.methods == ["GET"]
    assert MethodView.methods is None


async def test_a_method_that_the_class_lacks_is_named(app: Quart) -> None:
    class Lacking(MethodView):
        methods = ["PUT"]

    app.add_url_rule("/", view_func=Lacking.as_view("lacking"))
    async with app.test_request_context("/", method="PUT"):
        with pytest.raises(AssertionError, match=r"Lacking has no method put\(\)"):
            await Lacking().dispatch_request()


async def test_a_method_view_serves_websockets_in_get(app: Quart) -> None:
    class Socket(MethodView):
        async def get(self) -> None:
            await websocket.send("hello")

    app.add_websocket("/ws", view_func=Socket.as_view("ws"))
    async with app.test_client().websocket("/ws") as connection:
        assert await connection.receive() == "hello"


def test_the_names_of_the_methods() -> None:
    assert set(http_method_funcs) == {"get", "post", "head", "options", "delete", "put", "trace", "patch"}
