"""asfquart: an application of the Apache Software Foundation's framework: sessions, tokens, requirements, its pages."""

import asfquart
import asfquart.auth
import asfquart.session
import asfquart.utils
import quart
from asfquart.auth import Requirements


async def test_an_application(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = asfquart.construct("asf_program", app_dir=str(tmp_path), token_file=None)
    assert isinstance(app, quart.Quart)

    @app.get("/")
    async def index():
        session = await asfquart.session.read()
        return {"uid": session.uid if session else None}

    @app.get("/login")
    async def login():
        asfquart.session.write({"uid": "ada", "isMember": True, "dn": "", "committees": [], "projects": []})
        return "in"

    @app.get("/secret")
    @asfquart.auth.require({Requirements.committer})
    async def secret():
        return "secret"

    @app.post("/form")
    async def form():
        return await asfquart.utils.formdata()

    @app.get("/file/<filename:name>")
    async def file(name):
        return list(name)

    @app.post("/wrong")
    async def wrong():
        raise asfquart.base.ASFQuartException("a reason", errorcode=418)

    app.config["SESSION_COOKIE_SECURE"] = False
    client = app.test_client()
    response = await client.post("/wrong", data=b"a body that nobody reads")
    assert (response.status_code, await response.get_data()) == (418, b"a reason")
    assert await (await client.get("/")).get_json() == {"uid": None}
    response = await client.get("/secret")
    assert response.status_code in (302, 403)
    await client.get("/login")
    assert await (await client.get("/")).get_json() == {"uid": "ada"}
    assert await (await client.get("/secret")).get_data(as_text=True) == "secret"
    assert await (await client.post("/form", form={"a": "1"}, headers={"Content-Length": "3"})).get_json() == {"a": "1"}
    assert await (await client.get("/file/a.txt")).get_json() == ["a", ".txt"]
    assert (await client.get("/auth?login=/")).status_code == 302
