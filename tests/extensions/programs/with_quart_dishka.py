"""quart-dishka: dependencies in the scopes of an app, a request and a websocket."""

from collections.abc import AsyncIterator

from dishka import FromDishka, Provider, Scope, make_async_container, provide
from quart import Blueprint, Quart, Request, Websocket
from quart_dishka import QuartDishka, QuartProvider, inject

closed = []


class Greetings(Provider):
    @provide(scope=Scope.REQUEST)
    async def greeting(self) -> AsyncIterator[str]:
        yield "Hello"
        closed.append("greeting")

    @provide(scope=Scope.REQUEST)
    def number(self, request: Request) -> int:
        return len(request.path)

    @provide(scope=Scope.SESSION)
    def of_connection(self, websocket: Websocket) -> float:
        return float(len(websocket.path))


def make_app(**options):
    app = Quart("dishka_program")
    container = make_async_container(Greetings(), QuartProvider())
    QuartDishka(app=app, container=container, **options)
    return app


async def test_injected_into_requests_and_websockets():
    closed.clear()
    app = make_app()
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @blueprint.get("/")
    @inject
    async def index(greeting: FromDishka[str], number: FromDishka[int]) -> str:
        return f"{greeting} {number} {closed}"

    @app.get("/<name>")
    @inject
    async def named(name: str, greeting: FromDishka[str]) -> str:
        return f"{greeting} {name}"

    @app.websocket("/ws")
    @inject
    async def ws(socket: FromDishka[Websocket], length: FromDishka[float]) -> None:
        await socket.send(f"{length} {socket.path}")

    app.register_blueprint(blueprint)
    client = app.test_client()
    assert await (await client.get("/bp/")).get_data(as_text=True) == "Hello 4 []"
    assert closed == ["greeting"]
    assert await (await client.get("/Ada")).get_data(as_text=True) == "Hello Ada"
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "3.0 /ws"


async def test_injected_into_every_view():
    app = Quart("dishka_auto")
    container = make_async_container(Greetings(), QuartProvider())

    @app.get("/")
    async def index(greeting: FromDishka[str]) -> str:
        return greeting

    QuartDishka(app=app, container=container, auto_inject=True)
    async with app.test_app() as test_app:
        response = await test_app.test_client().get("/")
        assert await response.get_data(as_text=True) == "Hello"
