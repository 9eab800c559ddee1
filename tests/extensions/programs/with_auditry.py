"""auditry: a line in the log for each request, with its identifier, and without what is secret."""

from auditry import ObservabilityConfig
from auditry.quart import create_middleware
from quart import Quart, g, request


async def test_requests_are_logged(capsys):
    app = Quart("auditry_program")

    @app.post("/items")
    async def items():
        g.user_id = "ada"
        return {"got": await request.get_json()}, 201

    @app.get("/error")
    async def error():
        raise LookupError("a reason")

    create_middleware(
        app, ObservabilityConfig(service_name="program", log_request_body=True, log_response_body=True)
    )
    client = app.test_client()
    response = await client.post("/items", json={"name": "a", "password": "hunter2"})
    assert (response.status_code, (await response.get_json())["got"]["name"]) == (201, "a")
    logged = capsys.readouterr().out
    assert "Request completed: POST /items - Status: 201" in logged
    assert response.headers["X-Request-ID"] in logged
    assert "user_id=ada" in logged
    assert "hunter2" not in logged
    assert (await client.get("/error")).status_code == 500
    logged = capsys.readouterr().out
    assert "Request failed: GET /error" in logged
    assert "LookupError" in logged
