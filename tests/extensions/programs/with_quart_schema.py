"""quart-schema: validated bodies, queries, headers, responses and websockets; the OpenAPI document; the test client."""

from dataclasses import asdict, dataclass

import pytest
from pydantic import BaseModel
from quart import Blueprint, Quart, request, websocket
from quart.views import MethodView
from quart_schema import (
    DataSource,
    QuartSchema,
    RequestSchemaValidationError,
    ResponseSchemaValidationError,
    SchemaValidationError,
    document_request,
    hide,
    tag,
    validate_headers,
    validate_querystring,
    validate_request,
    validate_response,
)


@dataclass
class Todo:
    task: str
    done: bool = False


class Item(BaseModel):
    count: int


@dataclass
class Query:
    page: int = 1
    tag: str | None = None


@dataclass
class Headers:
    x_name: str


def make_app(**options) -> Quart:
    app = Quart("todos")
    QuartSchema(app, **options)

    @app.post("/todos")
    @validate_request(Todo)
    @validate_response(Todo, 201)
    async def create(data: Todo):
        """Make a todo.

        It is sent back.
        """
        return data, 201

    @app.get("/todos")
    @validate_querystring(Query)
    async def find(query_args: Query):
        return asdict(query_args)

    @app.get("/headers")
    @validate_headers(Headers)
    async def headers(headers: Headers):
        return {"name": headers.x_name}

    @app.get("/wrong")
    @validate_response(Todo)
    async def wrong():
        return {"task": 2, "done": []}

    @app.post("/form")
    @validate_request(Item, source=DataSource.FORM)
    @tag(["forms"])
    async def form(data: Item):
        return data

    @app.get("/hidden")
    @hide
    async def hidden():
        return {}

    @app.websocket("/ws")
    async def ws():
        await websocket.send_as(Todo(task="hello"), Todo)
        received = await websocket.receive_as(Todo)
        await websocket.send_as(Todo(task=received.task, done=True), Todo)

    class Items(MethodView):
        @validate_request(Item)
        async def post(self, data: Item) -> Item:
            return data

    app.add_url_rule("/items", view_func=Items.as_view("items"))
    blueprint = Blueprint("bp", __name__, url_prefix="/bp")

    @blueprint.put("/<int:id>/")
    @document_request(Todo)
    async def put(id: int):
        return {"id": id, "got": await request.get_json()}

    app.register_blueprint(blueprint)

    @app.errorhandler(RequestSchemaValidationError)
    async def invalid(error):
        return {"error": "invalid"}, 422

    return app


async def test_a_body_is_validated_and_an_object_is_a_response():
    client = make_app().test_client()
    response = await client.post("/todos", json={"task": "wash"})
    assert (response.status_code, await response.get_json()) == (201, {"task": "wash", "done": False})
    response = await client.post("/todos", json={"done": True})
    assert (response.status_code, await response.get_json()) == (422, {"error": "invalid"})
    response = await client.post("/todos", data=b"no json")
    assert response.status_code in {400, 422}


async def test_querystring_headers_form_and_class_based_view():
    client = make_app().test_client()
    response = await client.get("/todos?page=3&tag=a")
    assert await response.get_json() == {"page": 3, "tag": "a"}
    assert (await client.get("/todos?page=x")).status_code == 422
    response = await client.get("/headers", headers={"X-Name": "Ada"})
    assert await response.get_json() == {"name": "Ada"}
    response = await client.post("/form", form={"count": "3"})
    assert await response.get_json() == {"count": 3}
    response = await client.post("/items", json={"count": 7})
    assert await response.get_json() == {"count": 7}
    assert (await client.post("/items", json={"count": "x"})).status_code == 422


async def test_a_wrong_response_is_an_error():
    app = make_app()
    response = await app.test_client().get("/wrong")
    assert response.status_code == 500
    seen = []

    @app.errorhandler(ResponseSchemaValidationError)
    async def note(error):
        seen.append(error)
        return "ours", 500

    response = await app.test_client().get("/wrong")
    assert await response.get_data(as_text=True) == "ours"
    assert len(seen) == 1


async def test_the_client_sends_models_and_checks_what_comes_back():
    client = make_app().test_client()
    response = await client.post("/todos", json=Todo(task="wash"))
    assert (await response.get_json())["task"] == "wash"
    response = await client.post("/form", form=Item(count=2))
    assert await response.get_json() == {"count": 2}
    response = await client.get("/todos", query_string=Query(page=4))
    assert (await response.get_json())["page"] == 4


async def test_websocket_messages_are_models():
    client = make_app().test_client()
    async with client.websocket("/ws") as connection:
        assert await connection.receive_json() == {"task": "hello", "done": False}
        await connection.send_json({"task": "wash"})
        assert await connection.receive_json() == {"task": "wash", "done": True}


async def test_a_websocket_message_that_does_not_fit():
    app = make_app()
    failed = []

    @app.errorhandler(SchemaValidationError)
    async def note(error):
        failed.append(type(error).__name__)

    async with app.test_client().websocket("/ws") as connection:
        await connection.receive_json()
        await connection.send_json({"nothing": 1})
        with pytest.raises(Exception):  # noqa: B017 - closed, whatever it is called
            await connection.receive_json()
    assert failed == ["SchemaValidationError"]


async def test_the_document_and_the_pages_with_it():
    app = make_app(info={"title": "Todos", "version": "2.0"}, convert_casing=True)
    client = app.test_client()
    document = await (await client.get("/openapi.json")).get_json()
    assert document["info"] == {"title": "Todos", "version": "2.0"}
    assert sorted(document["paths"]) == ["/bp/{id}/", "/form", "/headers", "/items", "/todos", "/wrong"]
    operation = document["paths"]["/todos"]["post"]
    assert (operation["summary"], operation["description"]) == ("Make a todo.", "\nIt is sent back.")
    assert document["paths"]["/bp/{id}/"]["put"]["parameters"][0]["schema"] == {"type": "integer"}
    for path in ("/docs", "/redocs", "/scalar"):
        response = await client.get(path)
        assert response.status_code == 200
        assert "Todos" in await response.get_data(as_text=True)
    response = await client.put("/bp/3/", json={"some": 1})
    assert await response.get_json() == {"id": 3, "got": {"some": 1}}


async def test_the_static_route_is_hidden(tmp_path):
    app = Quart("with_static", static_folder=str(tmp_path))
    QuartSchema(app)
    document = await (await app.test_client().get("/openapi.json")).get_json()
    assert document["paths"] == {}


async def test_casing_is_converted_both_ways():
    app = Quart("casing")
    QuartSchema(app, convert_casing=True)

    @dataclass
    class Snake:
        snake_case: int

    @app.post("/")
    @validate_request(Snake)
    async def index(data: Snake):
        return {"snake_case": data.snake_case, "http_only": 1}

    response = await app.test_client().post("/", json={"snakeCase": 2})
    assert await response.get_data(as_text=True) == '{"httpOnly":1,"snakeCase":2}\n'


def test_the_command_writes_the_document(tmp_path):
    app = make_app()
    result = app.test_cli_runner().invoke(args=["schema"])
    assert result.exit_code == 0, result.output
    assert '"/todos"' in result.output
