"""strawberry-graphql's Quart view: queries, mutations, uploads, GraphiQL, subscriptions in both protocols."""

import asyncio
import json
from collections.abc import AsyncGenerator
from io import BytesIO

import pytest
import strawberry
from quart import Quart
from quart.datastructures import FileStorage
from served import LIMIT, served
from strawberry.file_uploads import Upload
from strawberry.quart.views import GraphQLView
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

ended = []
finished = asyncio.Event()


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, info: strawberry.Info, name: str = "World") -> str:
        info.context["response"].headers["X-Said"] = name
        return f"Hello {name} {info.context['request'].headers.get('X-Mark', '')}".strip()

    @strawberry.field
    async def wrong(self) -> str:
        raise LookupError("not here")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def shout(self, text: str) -> str:
        return text.upper()

    @strawberry.mutation
    async def read(self, file: Upload) -> str:
        return file.read().decode()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, target: int = 3) -> AsyncGenerator[int, None]:
        try:
            for number in range(target):
                yield number
                await asyncio.sleep(0)
        finally:
            ended.append("count")

    @strawberry.subscription
    async def forever(self) -> AsyncGenerator[str, None]:
        try:
            yield "first"
            await asyncio.Event().wait()
        finally:
            ended.append("forever")
            finished.set()


schema = strawberry.Schema(Query, Mutation, Subscription)


def make_app():
    app = Quart("strawberry_program")
    app.add_url_rule(
        "/graphql",
        view_func=GraphQLView.as_view("graphql", schema, multipart_uploads_enabled=True, keep_alive=False),
    )
    app.add_url_rule(
        "/graphql",
        view_func=GraphQLView.as_view("graphql_ws", schema, keep_alive=False),
        methods=["GET"],
        websocket=True,
    )
    return app


async def ask(client, query, **variables):
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    return await response.get_json()


async def test_queries_over_post_and_get():
    client = make_app().test_client()
    assert await ask(client, "{ hello }") == {"data": {"hello": "Hello World"}}
    answer = await ask(client, "query($name: String!) { hello(name: $name) }", name="Ada")
    assert answer == {"data": {"hello": "Hello Ada"}}
    response = await client.get(
        "/graphql", query_string={"query": '{ hello(name: "Grace") }'}, headers={"X-Mark": "!"}
    )
    assert await response.get_json() == {"data": {"hello": "Hello Grace !"}}
    assert response.headers["X-Said"] == "Grace"


async def test_errors():
    client = make_app().test_client()
    answer = await ask(client, "{ wrong }")
    assert answer["errors"][0]["message"] == "not here"
    assert "errors" in await ask(client, "{ nothing }")
    response = await client.post("/graphql", data=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    assert (await client.put("/graphql")).status_code == 405


async def test_mutations_and_uploads():
    client = make_app().test_client()
    assert await ask(client, 'mutation { shout(text: "hey") }') == {"data": {"shout": "HEY"}}
    response = await client.post(
        "/graphql",
        form={
            "operations": json.dumps(
                {"query": "mutation($file: Upload!) { read(file: $file) }", "variables": {"file": None}}
            ),
            "map": json.dumps({"file": ["variables.file"]}),
        },
        files={"file": FileStorage(BytesIO(b"content"), filename="a.txt")},
    )
    assert await response.get_json() == {"data": {"read": "content"}}


async def test_graphiql():
    response = await make_app().test_client().get("/graphql", headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert "graphiql" in await response.get_data(as_text=True)


async def receive(connection):
    async with asyncio.timeout(LIMIT):
        return json.loads(await connection.recv())


async def send(connection, **message):
    await connection.send(json.dumps(message))


async def test_subscriptions_over_graphql_transport_ws():
    ended.clear()
    async with (
        served(make_app()) as address,
        connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"]) as connection,
    ):
        assert connection.subprotocol == "graphql-transport-ws"
        await send(connection, type="connection_init")
        assert await receive(connection) == {"type": "connection_ack"}
        await send(connection, id="1", type="subscribe", payload={"query": "subscription { count(target: 2) }"})
        got = [await receive(connection) for _ in range(3)]
        assert [message["type"] for message in got] == ["next", "next", "complete"]
        assert [message["payload"]["data"]["count"] for message in got[:2]] == [0, 1]
        await send(connection, id="2", type="subscribe", payload={"query": "{ hello }"})
        assert (await receive(connection))["payload"]["data"] == {"hello": "Hello World"}
    assert ended == ["count"]


async def test_subscriptions_over_graphql_ws():
    async with (
        served(make_app()) as address,
        connect(f"ws://{address}/graphql", subprotocols=["graphql-ws"]) as connection,
    ):
        assert connection.subprotocol == "graphql-ws"
        await send(connection, type="connection_init")
        assert await receive(connection) == {"type": "connection_ack"}
        await send(connection, id="1", type="start", payload={"query": "subscription { count(target: 2) }"})
        got = [await receive(connection) for _ in range(3)]
        assert [message["type"] for message in got] == ["data", "data", "complete"]
        await send(connection, id="2", type="start", payload={"query": "subscription { forever }"})
        assert (await receive(connection))["payload"]["data"] == {"forever": "first"}
        await send(connection, id="2", type="stop")
        assert (await receive(connection))["type"] == "complete"
        await send(connection, type="connection_terminate")


async def test_a_client_that_goes_ends_its_subscriptions():
    ended.clear()
    finished.clear()
    async with served(make_app()) as address:
        async with connect(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"]) as connection:
            await send(connection, type="connection_init")
            await receive(connection)
            await send(connection, id="1", type="subscribe", payload={"query": "subscription { forever }"})
            assert (await receive(connection))["payload"]["data"] == {"forever": "first"}
            assert ended == []
        async with asyncio.timeout(LIMIT):
            await finished.wait()
    assert ended == ["forever"]


async def closed_with(address, *messages, subprotocols):
    async with connect(f"ws://{address}/graphql", subprotocols=subprotocols) as connection:
        for message in messages:
            await connection.send(message)
        try:
            async with asyncio.timeout(LIMIT):
                while True:
                    await connection.recv()
        except ConnectionClosed as error:
            return error.rcvd.code, error.rcvd.reason


async def test_close_codes():
    async with served(make_app()) as address:
        new, init = ["graphql-transport-ws"], '{"type": "connection_init"}'
        assert await closed_with(address, "no json", subprotocols=new) == (
            4400,
            "WebSocket message must be valid JSON",
        )
        assert await closed_with(address, b"bytes", subprotocols=new) == (
            4400,
            "WebSocket message type must be text",
        )
        assert await closed_with(address, init, init, subprotocols=new) == (4429, "Too many initialisation requests")
        assert (await closed_with(address, subprotocols=None))[0] == 4406


async def test_a_foreign_origin_is_refused_before_the_handshake():
    async with served(make_app()) as address:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(
                f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], origin="http://elsewhere.example"
            ):
                pass
    assert caught.value.response.status_code == 403
