"""chameleon-flask: Chameleon's templates by a decorator."""

import chameleon_flask
from quart import Quart, Response, redirect


async def test_templates(tmp_path):
    (tmp_path / "index.pt").write_text("<p>${message}</p>")
    (tmp_path / "404.pt").write_text("<p>nothing</p>")
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / "404.pt").write_text("<p>not found</p>")
    chameleon_flask.global_init(str(tmp_path), cache_init=False)
    app = Quart("chameleon_program")

    @app.get("/")
    @chameleon_flask.template("index.pt")
    async def index():
        return {"message": "hello"}

    @app.get("/sync")
    @chameleon_flask.template("index.pt")
    def sync():
        return {"message": "sync"}

    @app.get("/response")
    @chameleon_flask.template("index.pt")
    async def response():
        return Response("ours", status=201)

    @app.get("/away")
    @chameleon_flask.template("index.pt")
    async def away():
        return redirect("/")

    client = app.test_client()
    answer = await client.get("/")
    assert (answer.mimetype, await answer.get_data(as_text=True)) == ("text/html", "<p>hello</p>")
    assert await (await client.get("/sync")).get_data(as_text=True) == "<p>sync</p>"
    answer = await client.get("/response")
    assert (answer.status_code, await answer.get_data(as_text=True)) == (201, "ours")
    assert (await client.get("/away")).status_code == 302
