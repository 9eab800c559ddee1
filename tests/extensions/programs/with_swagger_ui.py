"""swagger-ui-py: the pages about an OpenAPI document."""

from quart import Quart
from swagger_ui import api_doc


async def test_pages():
    app = Quart("swagger_program")
    config = {"openapi": "3.0.1", "info": {"title": "Things", "version": "1"}, "paths": {}}
    api_doc(app, config=config, url_prefix="/api/doc", title="Things", editor=True)
    client = app.test_client()
    assert "Things" in await (await client.get("/api/doc/")).get_data(as_text=True)
    assert (await (await client.get("/api/doc/swagger.json")).get_json())["info"]["title"] == "Things"
    assert (await client.get("/api/doc/editor/")).status_code == 200
    response = await client.get("/api/doc/static/LICENSE")
    assert response.status_code == 200
