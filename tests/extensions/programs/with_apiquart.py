"""apiquart: a subclass of Quart and of Blueprint with checked input, output, security and an OpenAPI document."""

import json

from apiquart import APIBlueprint, APIQuart, abort
from pydantic import BaseModel
from quart_httpauth import HTTPTokenAuth


class PetIn(BaseModel):
    name: str
    age: int = 1


class PetOut(PetIn):
    id: int


def make_app():
    app = APIQuart("apiquart_program", title="Pets", version="2.0")
    auth = HTTPTokenAuth()

    @auth.verify_token
    async def verify(token):
        return {"t": "ada"}.get(token)

    @app.post("/pets")
    @app.input(PetIn)
    @app.output(PetOut, status_code=201)
    async def add(json_data):
        return {"id": 1, **json_data.model_dump()}

    @app.get("/missing")
    async def missing():
        abort(404, "no such pet")

    blueprint = APIBlueprint("bp", __name__, url_prefix="/bp")

    @blueprint.get("/me")
    @blueprint.auth_required(auth)
    async def me():
        return {"name": auth.current_user()}

    app.register_blueprint(blueprint)
    return app


async def test_input_and_output():
    client = make_app().test_client()
    response = await client.post("/pets", json={"name": "Rex"})
    assert (response.status_code, await response.get_json()) == (201, {"id": 1, "name": "Rex", "age": 1})
    response = await client.post("/pets", json={"age": "x"})
    assert response.status_code == 422
    response = await client.get("/missing")
    assert response.status_code == 404
    assert "no such pet" in json.dumps(await response.get_json())
    response = await client.get("/nowhere")
    assert (response.status_code, response.mimetype) == (404, "application/json")


async def test_security():
    client = make_app().test_client()
    assert (await client.get("/bp/me")).status_code == 401
    response = await client.get("/bp/me", headers={"Authorization": "Bearer t"})
    assert await response.get_json() == {"name": "ada"}


async def test_the_document():
    app = make_app()
    client = app.test_client()
    document = await (await client.get("/openapi.json")).get_json()
    assert document["info"] == {"title": "Pets", "version": "2.0"}
    assert {"/pets", "/bp/me", "/missing"} <= set(document["paths"])
    assert "swagger" in (await (await client.get("/docs")).get_data(as_text=True)).lower()


def test_the_command():
    result = make_app().test_cli_runner().invoke(args=["spec"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["info"]["title"] == "Pets"
