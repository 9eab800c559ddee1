"""quart-injector: arguments of views from a container."""

import typing

import quart
import quart_injector
from injector import Binder, Inject

Greeting = typing.NewType("Greeting", str)


async def test_views_get_what_they_ask_for():
    def configure(binder: Binder) -> None:
        binder.bind(Greeting, to="Hello")

    app = quart.Quart("injector_program")

    @app.route("/<name>")
    @app.route("/", defaults={"name": "World"})
    async def greeting_view(greeting: Inject[Greeting], name: str) -> str:
        return f"{greeting} {name}!"

    @app.get("/request")
    async def request_view(request: Inject[quart.Request], app: Inject[quart.Quart]) -> str:
        return f"{request.path} {app.name}"

    quart_injector.wire(app, configure)
    client = app.test_client()
    assert await (await client.get("/")).get_data(as_text=True) == "Hello World!"
    assert await (await client.get("/Ada")).get_data(as_text=True) == "Hello Ada!"
    assert await (await client.get("/request")).get_data(as_text=True) == "/request injector_program"
