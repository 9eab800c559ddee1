"""ariadne: its ASGI application mounted beside the app, and its `graphql` called in a view."""

import httpx
from ariadne import QueryType, graphql, make_executable_schema
from ariadne.asgi import GraphQL
from hypercorn.middleware import DispatcherMiddleware
from quart import Quart, jsonify, request
from served import served

query = QueryType()


@query.field("hello")
async def hello(_, info):
    return f"hello {info.context['request'].headers['X-Name']}"


schema = make_executable_schema("type Query { hello: String! }", query)


async def test_in_a_view():
    app = Quart("ariadne_program")

    @app.post("/graphql")
    async def server():
        success, result = await graphql(schema, await request.get_json(), context_value={"request": request})
        return jsonify(result), 200 if success else 400

    client = app.test_client()
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"X-Name": "Ada"})
    assert (response.status_code, await response.get_json()) == (200, {"data": {"hello": "hello Ada"}})
    assert (await client.post("/graphql", json={"query": "{ nothing }"})).status_code == 400


async def test_mounted_beside_the_app():
    app = Quart("ariadne_program")

    @app.get("/")
    async def index():
        return "index"

    both = DispatcherMiddleware({"/graphql": GraphQL(schema), "": app})
    async with served(both) as address, httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
        response = await client.post("/graphql/", json={"query": "{ hello }"}, headers={"X-Name": "Ada"})
        assert response.json() == {"data": {"hello": "hello Ada"}}
        assert (await client.get("/")).text == "index"
