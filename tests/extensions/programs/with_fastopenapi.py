"""fastopenapi: routes with checked parameters, and their document."""

from fastopenapi.routers import QuartRouter
from pydantic import BaseModel
from quart import Quart


class Item(BaseModel):
    name: str
    number: int = 1


async def test_routes_and_their_document():
    app = Quart("fastopenapi_program")
    router = QuartRouter(app=app, title="Items", version="1.0")

    @router.get("/items/{number}", response_model=Item)
    async def get_item(number: int, name: str = "a"):
        return Item(name=name, number=number)

    @router.post("/items", response_model=Item, status_code=201)
    async def post_item(item: Item):
        return item

    client = app.test_client()
    assert await (await client.get("/items/3?name=b")).get_json() == {"name": "b", "number": 3}
    response = await client.post("/items", json={"name": "c"})
    assert (response.status_code, await response.get_json()) == (201, {"name": "c", "number": 1})
    assert (await client.post("/items", json={"number": 2})).status_code == 422
    document = await (await client.get("/openapi.json")).get_json()
    assert set(document["paths"]) == {"/items/{number}", "/items"}
    assert "swagger" in (await (await client.get("/docs")).get_data(as_text=True)).lower()
